"""A program that knows nothing of tunesmith: fits a line to noisy points by gradient descent."""

import argparse
import json
import math
import os
import random

parser = argparse.ArgumentParser()
parser.add_argument("--learning_rate", type=float, required=True)
parser.add_argument("--momentum", type=float, required=True)
parser.add_argument("--epochs", type=int, required=True)
parser.add_argument("--shuffle", action=argparse.BooleanOptionalAction, required=True)
options = parser.parse_args()

points = random.Random(1)
train, valid = (
    [(x, 3 * x - 1 + points.gauss(0, 0.3)) for x in (points.uniform(-1, 1) for _ in range(60))]
    for _ in range(2)
)
train.sort()
order = random.Random(int(os.environ.get("TUNESMITH_SEED", "0")))
slope = offset = slope_speed = offset_speed = 0.0
for epoch in range(options.epochs):
    if options.shuffle:
        order.shuffle(train)
    for x, y in train:
        error = slope * x + offset - y
        slope_speed = options.momentum * slope_speed - options.learning_rate * error * x
        offset_speed = options.momentum * offset_speed - options.learning_rate * error
        slope, offset = slope + slope_speed, offset + offset_speed
    print(f"epoch {epoch}: y = {slope:.3f} x + {offset:.3f}")

loss = sum((slope * x + offset - y) ** 2 for x, y in valid) / len(valid)
if not math.isfinite(loss):
    raise SystemExit("the line ran off to infinity; try a smaller learning rate")
print(json.dumps({"loss": loss, "slope": slope, "offset": offset}))

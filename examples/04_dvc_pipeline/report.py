"""Writes what DVC shows: the metrics of the round, and the best score after each trial."""

import csv
import json
import subprocess
from pathlib import Path

ended = json.loads(Path("round.json").read_text())
best = ended["best"][0]["metrics"]
# scores alone: how long the model predicts is another number each time
scores = {name: value for name, value in ended["final"].items() if name.startswith("test_")}
Path("metrics.json").write_text(
    json.dumps({"neg_log_loss": best["neg_log_loss"], **scores}, indent=2) + "\n"
)

listed = ["tunesmith", "trials", "study.yaml", "--round", str(ended["round"]), "--format", "json"]
trials = json.loads(subprocess.run(listed, check=True, capture_output=True).stdout)
with open("trials.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["trial", "best"])
    so_far = float("-inf")
    for trial in trials:
        so_far = max(so_far, trial["metrics"].get("neg_log_loss", so_far))
        writer.writerow([trial["trial"], so_far])

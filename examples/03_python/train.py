"""The objective: trains a small network epoch by epoch and reports how it gets on."""

import warnings

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from tunesmith import Pruned

EPOCHS = 12


def train(params, trial):
    x, y = load_digits(return_X_y=True)
    x, x_valid, y, y_valid = train_test_split(x / 16, y, random_state=0, stratify=y)
    network = MLPClassifier(
        hidden_layer_sizes=(params["units"],) * params["layers"],
        learning_rate_init=params["learning_rate"],
        activation=params["activation"],
        random_state=trial.seed,
    )
    accuracy = 0.0
    for epoch in range(1, EPOCHS + 1):
        with warnings.catch_warnings():
            # with a learning rate out of bounds it warns of numbers that overflow
            warnings.simplefilter("ignore", RuntimeWarning)
            network.partial_fit(x, y, classes=range(10))
        accuracy = network.score(x_valid, y_valid)
        trial.report(epoch, accuracy)
        if epoch == 3 and accuracy < 0.3:
            raise Pruned(f"accuracy {accuracy:.2f} after {epoch} epochs: hopeless")
    return accuracy

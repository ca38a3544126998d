"""Writes scikit-learn's wine data, 178 wines of three growers, as a CSV file."""

from pathlib import Path

from sklearn.datasets import load_wine

Path("data").mkdir(exist_ok=True)
load_wine(as_frame=True).frame.to_csv("data/wine.csv", index=False)

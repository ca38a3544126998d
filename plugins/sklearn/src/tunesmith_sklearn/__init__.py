"""Scikit-learn for tunesmith: tune any estimator on scikit-learn, CSV or Parquet data."""

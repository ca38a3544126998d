"""MLflow for tunesmith: rounds and trials as parent and child runs."""

"""Optuna's samplers for tunesmith: TPE, GP, CMA-ES, QMC, NSGA-II."""

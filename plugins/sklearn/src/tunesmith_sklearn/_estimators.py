"""Estimators from import paths and tables of parameters."""

import difflib
import inspect
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils import all_estimators

from tunesmith.errors import ConfigError, did_you_mean
from tunesmith.imports import import_from
from tunesmith_sklearn import Estimator


def build(options: Estimator, folder: Path) -> Any:
    """The estimator or pipeline with its fixed parameters.

    Raises ConfigError for what cannot be built, with the closest name that can.
    """
    if (options.estimator is None) == (not options.pipeline):
        both = "both are given" if options.pipeline else "neither is given"
        raise ConfigError(f"the objective needs an estimator or a pipeline; {both}")
    if options.estimator is not None:
        return _checked_end(_make(options.estimator, options.params, folder), options.estimator)
    if options.params:
        raise ConfigError("'params' belong to an estimator; give a pipeline's to its steps")
    names = [step.name for step in options.pipeline]
    for name in names:
        if "." in name or "__" in name or names.count(name) > 1:
            raise ConfigError(
                f"'{name}' cannot name a step; use each name once, without dots and double "
                "underscores"
            )
    steps = [(step.name, _make(step.use, step.params, folder)) for step in options.pipeline]
    _checked_end(steps[-1][1], options.pipeline[-1].use)
    return Pipeline(steps)


def _checked_end(estimator: Any, use: str) -> Any:
    if not hasattr(type(estimator), "predict"):
        raise ConfigError(f"'{use}' does not predict; end with a classifier or a regressor")
    return estimator


def _make(use: str, params: Mapping[str, Any], folder: Path) -> Any:
    found = _find(use, folder)
    signature = inspect.signature(found)
    open_ended = any(each.kind is each.VAR_KEYWORD for each in signature.parameters.values())
    for name in params:
        if name not in signature.parameters and not open_ended:
            raise ConfigError(
                f"'{use}' has no parameter '{name}'{did_you_mean(name, signature.parameters)}"
            )
    try:
        return found(**{name: _value(value, folder) for name, value in params.items()})
    except TypeError as error:
        raise ConfigError(f"cannot make a '{use}': {error}") from None


def _value(value: Any, folder: Path) -> Any:
    """A parameter's value: tables with `use` are estimators, also inside lists."""
    if isinstance(value, list | tuple):
        return [_value(item, folder) for item in value]
    if not isinstance(value, Mapping) or "use" not in value:
        return value
    for key in value.keys() - {"use", "params"}:
        raise ConfigError(f"'{key}' is no option beside 'use' and 'params' of '{value['use']}'")
    return _make(value["use"], value.get("params", {}), folder)


def _find(path: str, folder: Path) -> Any:
    module_name, _, name = path.rpartition(".")
    if not module_name:
        raise ConfigError(f"'{path}' is no import path{_suggestion(path)}")
    try:
        module = import_from(module_name, folder)
    except ConfigError as error:
        if error.__cause__:  # it is there, but its own code fails
            raise
        raise ConfigError(f"there is no estimator '{path}': {error}{_suggestion(path)}") from None
    if not hasattr(module, name):
        raise ConfigError(f"'{module_name}' has no '{name}'{_suggestion(path)}")
    found = getattr(module, name)
    needed = ("fit", "get_params", "set_params")
    if not (isinstance(found, type) and all(hasattr(found, method) for method in needed)):
        raise ConfigError(f"'{path}' is no class of estimators{_suggestion(path)}")
    return found


def _suggestion(path: str) -> str:
    known = _known()
    close = difflib.get_close_matches(path.rpartition(".")[2], known, n=1)
    return f"; did you mean '{known[close[0]]}'?" if close else ""


@cache
def _known() -> dict[str, str]:
    """Import path of every estimator of scikit-learn by its class's name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it imports what is experimental or deprecated, too
        found = all_estimators()
    return {name: f"{kind.__module__.partition('._')[0]}.{name}" for name, kind in found}

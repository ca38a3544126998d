"""Tune hyperparameters, and keep every trial and every version of the search space.

The names below are loaded when they are first used, so that `import tunesmith` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.api import open_study as open_study
    from tunesmith.api import tune as tune
    from tunesmith.errors import Pruned as Pruned
    from tunesmith.errors import TunesmithError as TunesmithError
    from tunesmith.parameters import Categorical as Categorical
    from tunesmith.parameters import Float as Float
    from tunesmith.parameters import Int as Int
    from tunesmith.space import SearchSpace as SearchSpace

_HOME = {
    "tune": "api",
    "open_study": "api",
    "Pruned": "errors",
    "TunesmithError": "errors",
    "Categorical": "parameters",
    "Float": "parameters",
    "Int": "parameters",
    "SearchSpace": "space",
}
__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'tunesmith' has no attribute '{name}'")
    return getattr(import_module(f"tunesmith.{_HOME[name]}"), name)

"""Conformance kits: what each kind of component promises, as tests for anyone's plugin.

Needs `tunesmith[testing]`. Subclass the contract of your component's kind in a test file.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.testing.advisors import AdvisorContract as AdvisorContract
    from tunesmith.testing.clusters import ClusterContract as ClusterContract
    from tunesmith.testing.executors import ExecutorContract as ExecutorContract
    from tunesmith.testing.objectives import ObjectiveContract as ObjectiveContract
    from tunesmith.testing.plugins import PluginContract as PluginContract
    from tunesmith.testing.pruners import PrunerContract as PrunerContract
    from tunesmith.testing.reporters import ReporterContract as ReporterContract
    from tunesmith.testing.samplers import SamplerContract as SamplerContract
    from tunesmith.testing.servers import ServerTrackerContract as ServerTrackerContract
    from tunesmith.testing.trackers import TrackerContract as TrackerContract

_HOME = {
    "AdvisorContract": "advisors",
    "ClusterContract": "clusters",
    "ExecutorContract": "executors",
    "ObjectiveContract": "objectives",
    "PluginContract": "plugins",
    "PrunerContract": "pruners",
    "ReporterContract": "reporters",
    "SamplerContract": "samplers",
    "ServerTrackerContract": "servers",
    "TrackerContract": "trackers",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'tunesmith.testing' has no attribute '{name}'")
    return getattr(import_module(f"tunesmith.testing.{_HOME[name]}"), name)

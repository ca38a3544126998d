"""Conformance kits: what each kind of component promises, as tests for anyone's plugin."""

from tunesmith.testing.executors import ExecutorContract as ExecutorContract
from tunesmith.testing.objectives import ObjectiveContract as ObjectiveContract
from tunesmith.testing.plugins import PluginContract as PluginContract
from tunesmith.testing.reporters import ReporterContract as ReporterContract
from tunesmith.testing.samplers import SamplerContract as SamplerContract
from tunesmith.testing.servers import ServerTrackerContract as ServerTrackerContract
from tunesmith.testing.trackers import TrackerContract as TrackerContract

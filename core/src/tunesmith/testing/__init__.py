"""Conformance kits: what each kind of component promises, as tests for anyone's plugin."""

from tunesmith.testing.objectives import ObjectiveContract as ObjectiveContract

"""Experiments that tunesmith never made: their runs as a space, a goal and a round of trials."""

from tunesmith_agent.foreign.experiment import Foreign, read
from tunesmith_agent.foreign.files import study_file

__all__ = ["Foreign", "read", "study_file"]

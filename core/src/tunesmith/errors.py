"""The errors that tunesmith raises on purpose, each with its exit code on the command line.

    TunesmithError          1
    ├── ConfigError         2   a study file, an option or an argument is wrong
    ├── PluginError         3   a plugin is missing, broken, or not able to do what the study asks
    ├── SpaceError          4   a search space contradicts itself
    ├── StoreError          5   the durable record cannot be read or written
    │   └── StudyBusyError  6   another process is running this study
    ├── RoundFailedError    7   the round stopped itself: too many failures in a row
    ├── TrackerError        8   a tracker did not take, or did not give, the trials
    ├── ExecutorError      10   an executor cannot get workers, or lost all that it had
    └── GatesError         11   a round's model does not meet the study's gates

An interrupted command ends with 130, one that leaves a proposal pending for want of somebody to
decide it with 9, a plugin's that finds new data unlike the old with 12. Any other exception is a
bug and shows its traceback.
"""

import difflib
from collections.abc import Iterable

PENDING = 9
"""Exit code of a command that asked for a decision on a proposal and got none."""


class TunesmithError(Exception):
    """A mistake or a fault that its reader can act on: what is wrong, then what to do."""

    exit_code = 1


class ConfigError(TunesmithError):
    """A study file, an option or an argument is wrong."""

    exit_code = 2


class PluginError(TunesmithError):
    """A plugin is missing, broken, or not able to do what the study asks of it."""

    exit_code = 3


class SpaceError(TunesmithError, ValueError):
    """A search space contradicts itself. Also a ValueError, so that pydantic collects it."""

    exit_code = 4


class StoreError(TunesmithError):
    """The durable record cannot be read or written."""

    exit_code = 5


class StudyBusyError(StoreError):
    """Another process is running this study."""

    exit_code = 6


class RoundFailedError(TunesmithError):
    """The round stopped itself because too many trials in a row failed."""

    exit_code = 7


class TrackerError(TunesmithError):
    """A tracker did not take, or did not give, the trials. The record still has them all."""

    exit_code = 8


class ExecutorError(TunesmithError):
    """An executor cannot get workers, or lost all that it had. Trials that ran will run again."""

    exit_code = 10


class GatesError(TunesmithError):
    """A round's model does not meet the study's gates, and is not promoted. Its trials are kept."""

    exit_code = 11


class Pruned(Exception):  # noqa: N818 - a signal of the objective's, not an error
    """Raise it in an objective to end a trial that is not worth finishing: state `pruned`."""


def told_of(error: BaseException) -> str:
    """What an error says; what kind it is, too, where it is none of ours."""
    return str(error) if isinstance(error, TunesmithError) else f"{type(error).__name__}: {error}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The close match as `; did you mean 'x'?`, else what there is as ` (known: a, b)`."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f" (known: {', '.join(names)})" if names else ""

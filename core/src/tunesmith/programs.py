"""A program that runs for a trial: its output line by line, and its end with all it started."""

import os
import signal
import subprocess
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile

from tunesmith.errors import TunesmithError

GRACE = 5.0
"""Seconds that a program has to end itself before it is killed."""
_GUARD = "trap '' TERM; read _; kill -KILL 0"


def lines_of(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> Generator[str]:
    """Run a program and give each line of its output when it is there.

    Whoever closes the iterator before its end, or is interrupted in it, ends the program and what
    it has started. Raises TunesmithError where the exit code is not 0.
    """
    with TemporaryFile() as errors:
        with (
            _group() as group,
            subprocess.Popen(
                arguments,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                encoding="utf-8",
                errors="replace",
                process_group=group,
            ) as program,
        ):
            assert program.stdout
            try:
                yield from program.stdout
                program.wait()
            except BaseException:
                _end(group, program)
                raise
        if program.returncode:
            errors.seek(0)
            told = errors.read().decode("utf-8", errors="replace")
            raise TunesmithError(_failure(program.returncode, told))


@contextmanager
def _group() -> Iterator[int]:
    """A group of processes that outlives neither the block nor, even if killed, this process.

    Its first one waits for an input that we hold open, and kills the group when that is closed.
    """
    with subprocess.Popen(
        ["sh", "-c", _GUARD], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, process_group=0
    ) as guard:
        yield guard.pid


def _end(group: int, program: subprocess.Popen[str]) -> None:
    """Ask all in the group to end, and kill what is left once the program has."""
    try:
        os.killpg(group, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            program.wait(GRACE)
    finally:  # also when somebody does not want to wait
        with suppress(PermissionError):  # how macOS says that all have ended
            os.killpg(group, signal.SIGKILL)


def _failure(code: int, errors: str) -> str:
    how = f"exit code {code}" if code > 0 else f"killed by {signal.Signals(-code).name}"
    last = next((line.strip() for line in reversed(errors.splitlines()) if line.strip()), "")
    return f"{how}: {last}" if last else how

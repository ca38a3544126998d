"""Runs the suites in the environment that their libraries need, which uv makes and keeps.

Deepchecks needs NumPy 1, and scikit-learn 1.3 at most, as with later ones some of its checks break:
it cannot be installed beside the rest.
"""

import json
import os
import tempfile
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from uv import find_uv_bin

from tunesmith.errors import PluginError, TunesmithError
from tunesmith.programs import lines_of

_SETTINGS = {
    "DISABLE_DEEPCHECKS_ANONYMOUS_TELEMETRY": "True",
    "DO_NOT_TRACK": "true",
    "LOKY_MAX_CPU_COUNT": "1",  # processes of its own would load all of its libraries again
    "MPLBACKEND": "Agg",
    "UV_NO_PROGRESS": "1",
}
_NOT_OURS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
"""Variables that speak of the environment we are in."""


def answered(question: dict[str, Any]) -> list[dict[str, Any]]:
    """What each check found. Raises PluginError where the suites did not run."""
    with (
        tempfile.TemporaryDirectory(prefix="tunesmith-") as name,
        as_file(files("tunesmith_deepchecks").joinpath("_suites.py")) as script,
    ):
        folder = Path(name)
        asked, answer = folder / "question.json", folder / "answer.json"
        asked.write_text(json.dumps(question), encoding="utf-8")
        arguments = [_uv(), "run", "--quiet", "--script", str(script)]
        try:
            for _ in lines_of([*arguments, str(asked), str(answer)], folder, _environment()):
                pass  # what libraries print is nothing for the user
        except TunesmithError as error:
            raise PluginError(
                f"the environment for Deepchecks could not be made, or broke: {error}; uv needs "
                "Python 3.11 or 3.12 and, the first time, a package index"
            ) from error
        found: dict[str, Any] = json.loads(answer.read_text("utf-8"))
    if "error" in found:
        raise PluginError(f"Deepchecks did not finish: {found['error']}")
    results: list[dict[str, Any]] = found["results"]
    return results


def _uv() -> str:
    try:
        return str(find_uv_bin())
    except FileNotFoundError as error:
        raise PluginError(f"the program 'uv' is not there: {error}; 'pip install uv'") from error


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
    return kept | _SETTINGS

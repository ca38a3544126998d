"""Studies and files that the tests of this plugin share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tunesmith.study import Study

ROWS = [(index / 10, index % 3, "red" if index % 2 else "blue", index % 2) for index in range(40)]


DEPTH = {"type": "int", "low": 1, "high": 8, "default": 3}


@pytest.fixture
def a_study(tmp_path: Path) -> Callable[..., Study]:
    """Makes a study whose space has the parameters that are given, or max_depth."""

    def make(goals: dict[str, str] | None = None, seed: int = 3, **parameters: Any) -> Study:
        return Study.model_validate(
            {
                "name": "demo",
                "goals": goals or {"accuracy": "maximize"},
                "objective": "sklearn",
                "executor": "inline",
                "seed": seed,
                "space": {"parameters": parameters or {"max_depth": DEPTH}},
                "folder": tmp_path,
            }
        )

    return make


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A folder with `people.csv`: columns height, rank, colour (text) and label."""
    lines = ["height,rank,colour,label", *(",".join(map(str, row)) for row in ROWS)]
    (tmp_path / "people.csv").write_text("\n".join(lines) + "\n")
    return tmp_path

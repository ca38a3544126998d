"""What every reporter promises, as tests: subclass `ReporterContract` in a test file."""

from __future__ import annotations

import copy
import os
import random
import sys
import threading
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pytest

from tunesmith.components import Reporter
from tunesmith.finished import Finished, Fitted
from tunesmith.study import Study
from tunesmith.testing.rounds import AWKWARD, make_round
from tunesmith.trial import Round


class ReporterContract:
    """Tests that any reporter passes:

        class TestMine(ReporterContract):
            def make(self):
                return Mine()

    Each round in `tunesmith.testing.rounds.AWKWARD` is a test; its name says what is awkward.
    """

    def make(self) -> Reporter:
        """A new reporter."""
        raise NotImplementedError("return the reporter to test")

    def fitted(self) -> Fitted | None:
        """The model of each round, for a reporter that looks at one."""
        return None

    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A new folder, in a working directory that stays empty but for it."""
        monkeypatch.chdir(tmp_path)
        folder = tmp_path / "reports"
        folder.mkdir()
        return folder

    @pytest.mark.parametrize("name", AWKWARD)
    def test_copes_with_the_round(self, name: str, folder: Path) -> None:
        files = self._report(AWKWARD[name](), folder)
        assert files, "the reporter returned no file; it should always leave something to look at"
        for file in files:
            assert file.is_file(), f"{file} was returned, but is no file"
            assert file.resolve().is_relative_to(folder), f"{file} is not below {folder}"
            assert file.stat().st_size, f"{file} is empty"

    def test_returns_every_file_that_it_writes(self, folder: Path) -> None:
        returned = {file.resolve() for file in self._report(make_round(), folder)}
        kept = {str(file) for file in _files(folder.parent) - returned}
        assert not kept, f"written, but not returned: {', '.join(sorted(kept))}"

    def test_overwrites_when_it_is_called_again(self, folder: Path) -> None:
        first = self._report(make_round(), folder)
        before = _files(folder)
        again = self._report(make_round(), folder)
        more = {str(file) for file in {*_files(folder), *again} - {*before, *first}}
        assert not more, f"the second call added {', '.join(sorted(more))}"
        assert again == first, f"the first call returned {first}, the second {again}"

    def test_prints_nothing_to_stdout(
        self, folder: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        self._report(make_round(), folder)
        assert capfd.readouterr().out == "", "stdout belongs to the command's results"

    def test_leaves_nothing_running_and_the_process_as_it_was(self, folder: Path) -> None:
        self._report(make_round(), folder)  # imports may start a library's own pool, once
        running, settings = _running(), _settings()
        self._report(make_round(), folder)
        more = [str(item) for item in _running() if item not in running]
        assert not more, f"the reporter leaves behind: {', '.join(more)}"
        changed = [name for name, value in _settings().items() if value != settings.get(name)]
        assert not changed, f"the reporter changed {', '.join(changed)}"

    def _report(self, round: Round, folder: Path) -> list[Path]:
        finished, before = Finished(round, self.fitted()), copy.deepcopy(round)
        report = self.make().report(_study(round, folder.parent), finished, folder)
        assert round == before, "the reporter changed the round"
        assert not finished.reports and not finished.notes, "it changed what it was given"
        return list(report.files)


def _study(round: Round, folder: Path) -> Study:
    goals = {goal.metric: goal.direction for goal in round.goals}
    return Study.model_validate(
        {
            "name": "demo",
            "goals": goals,
            "space": round.space,
            "objective": round.objective,
            "folder": folder,
        }
    )


def _files(folder: Path) -> set[Path]:
    return {file.resolve() for file in folder.rglob("*") if not file.is_dir()}


def _running() -> list[object]:
    """Threads, child processes and open pyplot figures."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    figures = [f"figure {number}" for number in pyplot.get_fignums()] if pyplot else []
    return [*threading.enumerate(), *active_children(), *figures]


def _settings() -> dict[str, Any]:
    """What a user's own code in the same process would notice."""
    found: dict[str, Any] = {
        "the environment": dict(os.environ),
        "the working directory": os.getcwd(),
        "the state of random": random.getstate(),
    }
    if numpy := sys.modules.get("numpy"):
        found["the state of numpy.random"] = repr(numpy.random.get_state(legacy=False))
    if matplotlib := sys.modules.get("matplotlib"):
        settings = dict.items(matplotlib.rcParams)  # reading a key could choose a backend
        found["matplotlib's settings"] = {key: str(value) for key, value in settings}
    return found

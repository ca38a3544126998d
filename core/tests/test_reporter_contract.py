"""The contract for reporters lets a plain reporter pass, and can fail in every test."""

import inspect
import os
import random
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tunesmith.components import Reporter
from tunesmith.finished import Finished, Report
from tunesmith.study import Study
from tunesmith.testing.reporters import ReporterContract
from tunesmith.testing.rounds import AWKWARD
from tunesmith.trial import Round, best_trial


class Text(Reporter):
    """A few words about the round."""

    def report(self, study: Study, finished: Finished, folder: Path) -> Report:
        file, round = folder / "round.txt", finished.round
        file.write_text(f"best: {best_trial(round.trials, round.goals)}", encoding="utf-8")
        return Report([file])


class TestText(ReporterContract):
    def make(self) -> Reporter:
        return Text()


def broken(extra: Callable[[Round, Path, list[Path]], object]) -> type[ReporterContract]:
    """The contract for `Text` with something more that it should not do."""

    class Broken(Text):
        """Does something more."""

        def report(self, study: Study, finished: Finished, folder: Path) -> Report:
            files = list(super().report(study, finished, folder).files)
            extra(finished.round, folder, files)
            return Report(files)

    return type("Contract", (ReporterContract,), {"make": lambda self: Broken()})


def _empties(round: Round, folder: Path, files: list[Path]) -> None:
    files[0].write_text("")


def _numbers(round: Round, folder: Path, files: list[Path]) -> None:
    files.append(folder / f"{len(list(folder.iterdir()))}.txt")
    files[-1].write_text("again")


def _starts_a_thread(round: Round, folder: Path, files: list[Path]) -> None:
    stop = threading.Event()
    threading.Thread(target=stop.wait, args=[1], daemon=True).start()


def _opens_a_figure(round: Round, folder: Path, files: list[Path]) -> None:
    figures = sys.modules["matplotlib.pyplot"].get_fignums()
    figures.append(len(figures))


def _sets_a_style(round: Round, folder: Path, files: list[Path]) -> None:
    sys.modules["matplotlib"].rcParams["font.size"] += 1


def _needs_a_score(round: Round, folder: Path, files: list[Path]) -> None:
    assert best_trial(round.trials, round.goals), "no best trial"


ROUND = "test_copes_with_the_round"
PROCESS = "test_leaves_nothing_running_and_the_process_as_it_was"
AGAIN = "test_overwrites_when_it_is_called_again"
ALL = "test_returns_every_file_that_it_writes"
BROKEN = [
    (ROUND, lambda round, folder, files: files.clear(), "returned no file"),
    (ROUND, lambda round, folder, files: files[0].unlink(), "is no file"),
    (ROUND, lambda round, folder, files: files.append(Path(os.devnull)), "is no file"),
    (ROUND, lambda round, folder, files: files.append(Path(__file__)), "is not below"),
    (ROUND, _empties, "is empty"),
    (ALL, lambda round, folder, files: Path("left.txt").write_text("x"), "left.txt"),
    (AGAIN, _numbers, "2.txt"),
    (ROUND, lambda round, *_: round.trials.pop(), "changed the round"),
    (ROUND, lambda round, *_: round.trials.reverse(), "changed the round"),
    (ROUND, lambda round, *_: round.trials[0].metrics.clear(), "changed the round"),
    ("test_prints_nothing_to_stdout", lambda *_: print("done"), "stdout"),
    (PROCESS, _starts_a_thread, "Thread"),
    (PROCESS, _opens_a_figure, "figure 1"),
    (PROCESS, lambda *_: random.random(), "the state of random"),
    (PROCESS, _sets_a_style, "matplotlib's settings"),
]


@pytest.fixture
def outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[[type[ReporterContract], str, str], str]:
    """What a test of the contract says to a reporter; empty where it passes."""
    monkeypatch.chdir(tmp_path)
    figures: list[int] = []
    pyplot = SimpleNamespace(get_fignums=lambda: figures)
    monkeypatch.setitem(sys.modules, "matplotlib", SimpleNamespace(rcParams={"font.size": 10}))
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", pyplot)

    def run(contract: type[ReporterContract], test: str, name: str) -> str:
        folder = tmp_path / "reports"
        folder.mkdir()
        method = getattr(contract(), test)
        given = {"folder": folder, "name": name, "capfd": capfd}
        try:
            method(**{key: given[key] for key in inspect.signature(method).parameters})
        except AssertionError as error:
            return str(error)
        return ""

    return run


@pytest.mark.parametrize(("test", "extra", "message"), BROKEN)
def test_a_broken_reporter_fails(
    test: str,
    extra: Callable[[Round, Path, list[Path]], object],
    message: str,
    outcome: Callable[[type[ReporterContract], str, str], str],
) -> None:
    assert message in outcome(broken(extra), test, "ordinary")


@pytest.mark.parametrize("name", AWKWARD)
def test_a_reporter_that_needs_a_score_fails_only_where_there_is_none(
    name: str, outcome: Callable[[type[ReporterContract], str, str], str]
) -> None:
    found = outcome(broken(_needs_a_score), ROUND, name)
    assert bool(found) == (name.startswith("no ") or name.endswith("no score"))

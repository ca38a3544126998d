"""Reporters that the tests of reports have written, also in processes of their own."""

import base64
import os
import signal
import tempfile
import time
from pathlib import Path

from tunesmith.components import Reporter
from tunesmith.errors import PluginError
from tunesmith.finished import Finished, Report
from tunesmith.study import Study

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)


class Page(Reporter):
    """Says something that would break a page if it were not escaped, and has a picture."""

    def report(self, study: Study, finished: Finished, folder: Path) -> Report:
        (folder / "page.html").write_text(f"{len(finished.round.trials)} trials")
        (folder / "dot.png").write_bytes(PIXEL)
        files = [folder / "page.html", folder / "dot.png"]
        return Report(files, ["All is <b>well</b>."], {"drift_share": 0.25})


class Where(Reporter):
    """Tells which process wrote it, and which rounds came before."""

    def report(self, study: Study, finished: Finished, folder: Path) -> Report:
        (folder / "pid.txt").write_text(str(os.getpid()))
        before = [round.number for round in finished.earlier]
        return Report([folder / "pid.txt"], [f"after rounds {before}"])


class Crash(Reporter):
    """Takes its process down."""

    def report(self, study: Study, finished: Finished, folder: Path) -> Report:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("it lives on")


class Slow(Reporter):
    """Does not end."""

    def report(self, study: Study, finished: Finished, folder: Path) -> Report:
        time.sleep(600)
        raise AssertionError("it went on")


class Litter(Reporter):
    """Leaves rows of the data in the folder for temporary files, and does not end."""

    def report(self, study: Study, finished: Finished, folder: Path) -> Report:
        place = Path(tempfile.mkdtemp()) / "rows.json"
        place.write_text("[1, 2]")
        (folder / "where.txt").write_text(str(place))
        time.sleep(600)
        raise AssertionError("it went on")


class Share(Reporter):
    """Has a number, after a while."""

    value: float = 0
    """The number."""
    wait: float = 0
    """Seconds that it takes."""

    def report(self, study: Study, finished: Finished, folder: Path) -> Report:
        time.sleep(self.wait)
        return Report(metrics={"share": self.value, "champion_version": 7})


class Picky(Reporter):
    """Has nothing to report on."""

    def report(self, study: Study, finished: Finished, folder: Path) -> Report:
        raise PluginError("there is no model to look at; use an objective that keeps one")

"""What a tracker that talks HTTP promises besides: nothing lost, nothing twice, on a bad line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import pytest

from tunesmith.components import Tracker
from tunesmith.errors import TrackerError
from tunesmith.finished import Finished
from tunesmith.testing._proxy import Fault, Proxy
from tunesmith.testing._written import a_round, a_study, ended, some_trials
from tunesmith.testing.trackers import TrackerContract


class ServerTrackerContract(TrackerContract):
    """The tests that a tracker of an HTTP server passes, `TrackerContract`'s among them.

    class TestMine(ServerTrackerContract):
        @pytest.fixture
        def server(self): ...  # starts the real server, yields its URL
        def connect(self, url, folder):
            return Mine(url=url, project=folder.name)
    """

    patience: ClassVar[float] = 60.0
    """Seconds after which a call to a server that is silent must have failed."""

    @pytest.fixture
    def server(self) -> str:
        """URL of the real server, which runs throughout."""
        raise NotImplementedError("start the server and return its URL")

    def connect(self, url: str, folder: Path) -> Tracker:
        """A new tracker that talks to this URL; its destination belongs to the folder."""
        raise NotImplementedError("return the tracker to test")

    @pytest.fixture(autouse=True)
    def proxy(self, server: str) -> Iterator[Proxy]:
        """What stands between the tracker and its server, and can fail."""
        self._proxy = Proxy(server)
        self._proxy.start()
        yield self._proxy
        self._proxy.stop()

    def make(self, folder: Path) -> Tracker:
        return self.connect(self._proxy.url, folder)

    def test_server_that_is_down_is_an_error_that_names_it(
        self, tmp_path: Path, proxy: Proxy
    ) -> None:
        proxy.stop()
        began = time.monotonic()
        address = urlsplit(proxy.url).netloc
        with pytest.raises(TrackerError, match=address):
            self.make(tmp_path).write(a_study(), a_round(), some_trials(2))
        with pytest.raises(TrackerError, match=address):
            self.make(tmp_path).finish(a_study(), Finished(ended(a_round(), [])))
        with pytest.raises(TrackerError, match=address):
            self.make(tmp_path).history("a study")
        assert time.monotonic() - began < self.patience

    def test_goes_on_when_the_server_is_back(self, tmp_path: Path, proxy: Proxy) -> None:
        tracker, trials = self.make(tmp_path), some_trials(8)
        tracker.write(a_study(), a_round(), trials[:4])
        proxy.stop()
        with pytest.raises(TrackerError):
            tracker.write(a_study(), a_round(), trials[4:])
        proxy.start()
        tracker.write(a_study(), a_round(), trials[4:])
        self.assert_keeps(tmp_path, trials, tracker)
        tracker.close()

    def test_answers_of_500_cost_repetitions_only(self, tmp_path: Path, proxy: Proxy) -> None:
        self._assert_survives(tmp_path, proxy, "error")

    def test_lost_answers_make_nothing_twice(self, tmp_path: Path, proxy: Proxy) -> None:
        """The server has done what was asked, and the tracker does not know."""
        self._assert_survives(tmp_path, proxy, "lost")

    def test_slow_server_is_no_error(self, tmp_path: Path, proxy: Proxy) -> None:
        tracker, trials = self.make(tmp_path), some_trials(4)
        with proxy.failing("slow"):
            tracker.write(a_study(), a_round(), trials)
        assert proxy.faults > 0
        self.assert_keeps(tmp_path, trials, tracker)
        tracker.close()

    def test_silent_server_is_an_error_in_time(self, tmp_path: Path, proxy: Proxy) -> None:
        tracker, trials = self.make(tmp_path), some_trials(4)
        tracker.write(a_study(), a_round(), trials[:1])
        began = time.monotonic()
        with proxy.failing("hang"), pytest.raises(TrackerError):
            tracker.write(a_study(), a_round(), trials)
        assert time.monotonic() - began < self.patience
        tracker.write(a_study(), a_round(), trials)
        self.assert_keeps(tmp_path, trials, tracker)
        tracker.close()

    def _assert_survives(self, folder: Path, proxy: Proxy, fault: Fault) -> None:
        tracker, trials = self.make(folder), some_trials(8)
        round = ended(a_round(), trials)
        with proxy.failing(fault, share=0.1):
            failures = _until_taken(lambda: tracker.write(a_study(), a_round(), trials[:5]))
            failures += _until_taken(lambda: tracker.write(a_study(), a_round(), trials))
            failures += _until_taken(lambda: tracker.finish(a_study(), Finished(round)))
        assert failures, f"{proxy.faults} faults in {proxy.requests} requests went unnoticed"
        self.assert_keeps(folder, trials, tracker)
        tracker.close()


def _until_taken(call: Callable[[], None]) -> int:
    """Repeat a call until it works; how often it did not."""
    for failures in range(100):
        try:
            call()
        except TrackerError:
            continue
        return failures
    raise AssertionError("100 calls in a row failed")

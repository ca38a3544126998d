"""The contract for trackers of servers can fail: each bad habit is caught."""

import contextlib
import json
import threading
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest

from tunesmith.components import Tracker
from tunesmith.errors import TrackerError
from tunesmith.finished import Finished
from tunesmith.study import Study
from tunesmith.testing import ServerTrackerContract
from tunesmith.testing._proxy import Proxy
from tunesmith.trial import Round, Trial


class Store(BaseHTTPRequestHandler):
    """A tracking server: PUT keeps a text under its path, POST adds one, GET lists them."""

    kept: dict[str, str]

    def do_PUT(self) -> None:
        self.kept.setdefault(self.path, self._body())
        self._answer("")

    def do_POST(self) -> None:
        self.kept[f"{self.path}/{len(self.kept)}"] = self._body()
        self._answer("")

    def do_GET(self) -> None:
        found = [text for path, text in self.kept.items() if path.startswith(self.path)]
        self._answer(json.dumps(found))

    def _body(self) -> str:
        return self.rfile.read(int(self.headers["content-length"])).decode()

    def _answer(self, text: str) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


LEDGER: list[Trial] = []
"""The server keeps a trial's place in here."""


class Remote(Tracker):
    """Puts each trial where it belongs; waits a second for an answer."""

    url: str
    name: str
    method: str = "PUT"
    timeout: float = 1.0

    def write(self, study: Study, round: Round, trials: Sequence[Trial]) -> None:
        path = self._path(study.name)
        self._call("PUT", f"{path}/round", "")
        for trial in trials:
            LEDGER.append(trial)
            place = f"{path}/{round.number}/{round.started}/{trial.number}"
            self._call(self.method, place, str(len(LEDGER) - 1))

    def destination(self, study: Study) -> str:
        return f"{self.url}, {self.name}"

    def finish(self, study: Study, finished: Finished) -> None:
        self.write(study, finished.round, [])

    def history(self, study: str) -> list[Trial]:
        found = json.loads(self._call("GET", self._path(study), None))
        if not found:
            raise TrackerError(f"no study '{study}' at {self.url}; check the name")
        trials = [LEDGER[int(place)] for place in found if place]
        return sorted(trials, key=lambda trial: trial.number)

    def _path(self, study: str) -> str:
        return f"/{quote(self.name, safe='')}/{quote(study)}/"

    def _call(self, method: str, path: str, body: str | None) -> str:
        data = None if body is None else body.encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                return str(answer.read().decode())
        except OSError as error:
            raise TrackerError(f"the server at {self.url} failed: {error}") from error


class Silent(Remote):
    """Keeps its troubles to itself."""

    def write(self, study: Study, round: Round, trials: Sequence[Trial]) -> None:
        with contextlib.suppress(TrackerError):
            super().write(study, round, trials)


class HalfDone(Remote):
    """Takes what it has sent for delivered."""

    def __post_init__(self) -> None:
        self.sent: set[int] = set()

    def write(self, study: Study, round: Round, trials: Sequence[Trial]) -> None:
        fresh = [trial for trial in trials if trial.number not in self.sent]
        self.sent.update(trial.number for trial in fresh)
        super().write(study, round, fresh)


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    handler = type("Handler", (Store,), {"kept": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


class TestRemote(ServerTrackerContract):
    many = 300
    patience = 10

    @pytest.fixture
    def server(self, store: str) -> str:
        return store

    def connect(self, url: str, folder: Path) -> Tracker:
        return Remote(url=url, name=str(folder))


BAD_LINES: dict[str, tuple[Callable[..., Remote], str]] = {
    "adding": (partial(Remote, method="POST"), "test_lost_answers_make_nothing_twice"),
    "silent": (Silent, "test_goes_on_when_the_server_is_back"),
    "half done": (HalfDone, "test_answers_of_500_cost_repetitions_only"),
    "in a hurry": (partial(Remote, timeout=0.1), "test_slow_server_is_no_error"),
    "patient": (partial(Remote, timeout=3), "test_silent_server_is_an_error_in_time"),
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_server_contract_catches(name: str, store: str, tmp_path: Path) -> None:
    make, test = BAD_LINES[name]

    class Suite(ServerTrackerContract):
        patience = 2

        def connect(self, url: str, folder: Path) -> Tracker:
            return make(url=url, name=str(folder))

    suite = Suite()
    suite._proxy = Proxy(store)
    suite._proxy.start()
    try:
        with pytest.raises((AssertionError, TrackerError, pytest.fail.Exception)):
            getattr(suite, test)(tmp_path, suite._proxy)
    finally:
        suite._proxy.stop()

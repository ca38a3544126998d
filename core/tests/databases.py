"""The databases that the record is tested on: SQLite files, and a PostgreSQL server of our own."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tunesmith.store import Store


def _programs() -> Path | None:
    """Where PostgreSQL's programs are; Debian keeps them off the PATH."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4])
    )
    on_path = shutil.which("initdb")
    initdb = found[-1] if found else Path(on_path).resolve() if on_path else None
    return initdb.parent if initdb else None


def _unprivileged() -> dict[str, Any]:
    """Arguments for `subprocess`: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise RuntimeError("root needs a user 'postgres' or 'nobody' to run PostgreSQL as")


@pytest.fixture(scope="session")
def new_postgresql() -> Iterator[Callable[[], str]]:
    """Makes an empty database on a server that lives as long as the session; returns its URL."""
    programs = _programs()
    if programs is None:
        message = "PostgreSQL is not installed (Debian: apt-get install postgresql)"
        if os.environ.get("TUNESMITH_REQUIRE_POSTGRESQL"):
            pytest.fail(message)
        pytest.skip(message)
    folder = Path(tempfile.mkdtemp(prefix="tunesmith-"))  # short: a socket's path has 107 bytes
    user = _unprivileged()
    if user:
        os.chown(folder, user["user"], user["group"])
    try:
        with _server(programs, folder, user) as connection:
            made: list[str] = []

            def new() -> str:
                made.append(f"record{len(made)}")
                connection.execute(f"CREATE DATABASE {made[-1]}")
                return f"postgresql://tester@/{made[-1]}?host={folder}"

            yield new
    finally:
        shutil.rmtree(folder)


@contextmanager
def _server(programs: Path, folder: Path, user: dict[str, Any]) -> Iterator[Any]:
    """A connection to a server whose only door is a socket in `folder`."""
    data, log = str(folder / "data"), folder / "log"
    made = [str(programs / "initdb"), "-D", data, "-U", "tester", "-A", "trust", "--no-sync"]
    served = [str(programs / "postgres"), "-D", data, "-k", str(folder), "-h", "", "-F"]
    with log.open("wb") as file:
        io = {"stdout": file, "stderr": subprocess.STDOUT, "cwd": folder, **user}
        done = subprocess.run([*made, "-E", "UTF8", "--locale=C"], check=False, **io)
        assert done.returncode == 0, log.read_text()
        process = subprocess.Popen(served, **io)
    try:
        with _connection(folder, process) as connection:
            yield connection
    finally:
        process.send_signal(signal.SIGINT)  # ends its sessions, then itself
        process.wait(30)


def _connection(folder: Path, process: subprocess.Popen[bytes]) -> Any:
    import psycopg

    deadline = time.monotonic() + 60
    while True:
        try:
            return psycopg.connect(
                host=str(folder), user="tester", dbname="postgres", autocommit=True
            )
        except psycopg.OperationalError:  # not up yet
            late = process.poll() is not None or time.monotonic() > deadline
            assert not late, (folder / "log").read_text()
            time.sleep(0.05)


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes the URL of an empty database, on each kind of database in turn."""
    if request.param == "postgresql":
        return request.getfixturevalue("new_postgresql")
    numbers = iter(range(1_000_000))
    return lambda: f"sqlite:///{tmp_path}/record{next(numbers)}.db"


@pytest.fixture
def url(new_url: Callable[[], str]) -> str:
    """The URL of an empty database."""
    return new_url()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An open store in an empty database."""
    store = Store(url)
    yield store
    store.close()

"""One process at a time runs a study: a lease in the record, kept alive by a heartbeat."""

import os
import socket
import threading
import time
import uuid
from contextlib import suppress

from sqlalchemy import or_, select, update

from tunesmith.errors import StoreError, StudyBusyError
from tunesmith.store import Record
from tunesmith.tables import studies

BEAT = 5.0
"""Seconds between heartbeats."""
STALE = 60.0
"""Seconds without a heartbeat after which a lease may be taken over; clocks of hosts may differ by
less.
"""

_held_here: set[str] = set()


class Lease:
    """The right to run a study, held from construction to `release`.

    Raises StudyBusyError, naming the holder, while another process holds it. A holder that died
    on this host, or has
    been silent for a minute, is replaced.
    """

    def __init__(self, record: Record) -> None:
        self._record = record
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._beaten = time.time()
        _held_here.add(self._owner)  # before it can be seen, or a thread beside takes it for dead
        try:
            self._take()
        except BaseException:
            _held_here.discard(self._owner)
            raise
        self._released = threading.Event()
        self.lost: StudyBusyError | None = None
        self._thread = threading.Thread(target=self._beat, name="tunesmith-lease", daemon=True)
        self._thread.start()

    def _take(self) -> None:
        mine = studies.c.id == self._record.study
        now = time.time()
        with self._record.store.begin() as connection:
            holder, beat = connection.execute(
                select(studies.c.owner, studies.c.heartbeat).where(mine)
            ).one()
            free = [studies.c.owner.is_(None), studies.c.heartbeat < now - STALE]
            if holder and _is_dead(holder):
                free.append(studies.c.owner == holder)
            taken = connection.execute(
                update(studies).where(mine, or_(*free)).values(owner=self._owner, heartbeat=now)
            ).rowcount
        if not taken:
            host, pid, _ = (holder or "?:?:?").rsplit(":", 2)
            raise StudyBusyError(
                f"study '{self._record.name}' is being run by process {pid} on {host} "
                f"(last sign of life {now - (beat or now):.0f} s ago); wait for it, or stop it"
            )

    def _beat(self) -> None:
        while not self._released.wait(BEAT):
            try:
                self._prolong()
            except StudyBusyError:
                return
            except StoreError:
                continue  # away for a moment, or for good: then the next trial cannot be written

    def _prolong(self) -> None:
        now = time.time()
        try:
            self._write(now, self._owner)
        except StudyBusyError as error:
            self.lost = error
            raise
        self._beaten = now

    def _write(self, heartbeat: float | None, owner: str | None) -> None:
        mine = (studies.c.id == self._record.study, studies.c.owner == self._owner)
        with self._record.store.begin() as connection:
            values = {"heartbeat": heartbeat, "owner": owner}
            kept = connection.execute(update(studies).where(*mine).values(values)).rowcount
        if not kept:
            raise StudyBusyError(
                f"another process has taken over study '{self._record.name}' while this one was "
                "silent; this one stops, and what it recorded is safe"
            )

    def check(self) -> None:
        """Raise StudyBusyError where another process has taken the lease."""
        if self.lost:
            raise self.lost
        if time.time() - self._beaten > STALE / 2:  # this process, or its machine, was asleep
            self._prolong()

    def release(self) -> None:
        """Give the study free for the next process."""
        self._released.set()
        self._thread.join()
        _held_here.discard(self._owner)
        # a record that cannot be written any more: the next process finds this one dead
        with suppress(StoreError):
            self._write(None, None)


def holder(record: Record) -> str | None:
    """The process that runs the study now, as `process 42 on HOST`; None where nobody does."""
    mine = studies.c.id == record.study
    with record.store.begin() as connection:
        owner, beat = connection.execute(
            select(studies.c.owner, studies.c.heartbeat).where(mine)
        ).one()
    if owner is None or beat < time.time() - STALE or _is_dead(owner):
        return None
    host, pid, _ = owner.rsplit(":", 2)
    return f"process {pid} on {host}"


def _is_dead(holder: str) -> bool:
    """Whether the holder ran on this host and is gone.

    A restarted container has its predecessor's name and pid.
    """
    host, pid, _ = holder.rsplit(":", 2)
    if host != socket.gethostname():
        return False
    if int(pid) == os.getpid():
        return holder not in _held_here
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False

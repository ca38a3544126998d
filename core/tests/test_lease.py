"""One process at a time runs a study, the same on SQLite and on PostgreSQL."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress

import pytest
import rivals
from sqlalchemy import select, text, update
from tuning import play, study_of, tuner_of

from tunesmith import lease
from tunesmith.errors import StudyBusyError
from tunesmith.lease import Lease, holder
from tunesmith.store import Store
from tunesmith.tables import studies


@pytest.fixture
def rival():
    """Starts another process that does something to the record; returns it once it holds."""
    started = []

    def start(*words):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen([sys.executable, rivals.__file__, *map(str, words)], **pipes)
        started.append(process)
        assert process.stdout.readline() == b"held\n", process.stderr.read().decode()
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def record(store):
    return store.record("one")


def owner_and_beat(record):
    with record.store.begin() as connection:
        return tuple(connection.execute(select(studies.c.owner, studies.c.heartbeat)).one())


def pretend(record, owner, silent):
    """Another host's process took the lease, and has been silent for so many seconds."""
    with record.store.begin() as connection:
        connection.execute(update(studies).values(owner=owner, heartbeat=time.time() - silent))


def test_a_second_process_is_told_who_runs_the_study(record, url, rival):
    first = rival("hold", url)
    named = f"process {first.pid} on {socket.gethostname()}"
    with pytest.raises(StudyBusyError, match=f"study 'one' is being run by {named}"):
        Lease(record)
    assert holder(record) == named


def test_a_process_that_ends_gives_the_study_free(record, url, rival):
    first = rival("hold", url)
    first.communicate(b"\n", timeout=30)
    assert owner_and_beat(record) == (None, None)
    assert holder(record) is None
    Lease(record).release()


def test_a_killed_process_is_replaced_at_once(record, url, rival):
    first = rival("hold", url)
    first.kill()
    first.wait()
    assert owner_and_beat(record)[0] is not None
    assert holder(record) is None
    began = time.monotonic()
    Lease(record).release()
    assert time.monotonic() - began < 10


def test_of_two_that_start_together_one_gets_the_study(new_url):
    for _ in range(5):
        with closing(Store(new_url())) as store:
            record, start, held = store.record("one"), threading.Barrier(2), []

            def take(record=record, start=start, held=held):
                start.wait(30)
                with suppress(StudyBusyError):
                    held.append(Lease(record))

            both = [threading.Thread(target=take) for _ in range(2)]
            for thread in both:
                thread.start()
            for thread in both:
                thread.join()
            assert len(held) == 1
            held[0].release()


def test_a_silent_process_elsewhere_is_replaced_after_a_minute(record):
    pretend(record, "elsewhere:1:cafe", silent=lease.STALE - 5)
    with pytest.raises(
        StudyBusyError, match=r"process 1 on elsewhere \(last sign of life 55 s ago"
    ):
        Lease(record)
    assert holder(record) == "process 1 on elsewhere"
    pretend(record, "elsewhere:1:cafe", silent=lease.STALE + 5)
    assert holder(record) is None
    Lease(record).release()


def test_a_predecessor_with_the_same_pid_is_replaced_at_once(record):
    """A restarted container has its predecessor's name, and often its pid."""
    pretend(record, f"{socket.gethostname()}:{os.getpid()}:cafe", silent=1)
    Lease(record).release()


def test_a_lease_is_kept_by_its_heartbeat(record, monkeypatch):
    monkeypatch.setattr(lease, "BEAT", 0.05)
    monkeypatch.setattr(lease, "STALE", 1.0)
    held = Lease(record)
    first = owner_and_beat(record)
    time.sleep(1.5)
    with pytest.raises(StudyBusyError):
        Lease(record)
    held.check()
    owner, beat = owner_and_beat(record)
    assert owner == first[0]
    assert beat > first[1] + 1
    held.release()


def test_a_record_that_is_away_for_a_moment_does_not_end_the_lease(record, monkeypatch):
    monkeypatch.setattr(lease, "BEAT", 0.05)
    held = Lease(record)
    with record.store.begin() as connection:
        connection.execute(text("ALTER TABLE studies RENAME TO away"))
    time.sleep(0.3)
    with record.store.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO studies"))
    _, before = owner_and_beat(record)
    time.sleep(0.3)
    held.check()
    assert owner_and_beat(record)[1] > before
    held.release()


def test_a_lease_that_another_process_took_is_lost(record, monkeypatch):
    monkeypatch.setattr(lease, "BEAT", 0.05)
    held = Lease(record)
    pretend(record, "elsewhere:1:cafe", silent=0)
    time.sleep(0.5)
    with pytest.raises(StudyBusyError, match="has taken over study 'one'"):
        held.check()
    held.release()
    assert owner_and_beat(record)[0] == "elsewhere:1:cafe"


def test_two_tuners_in_one_process_are_told_apart(tmp_path, url):
    study = study_of(tmp_path, store=url)
    with tuner_of(study), pytest.raises(StudyBusyError, match=f"process {os.getpid()}"):
        tuner_of(study).__enter__()
    _, trials = play(study)
    assert len(trials) == 5


def test_studies_in_one_store_run_at_the_same_time(tmp_path, url):
    with tuner_of(study_of(tmp_path, store=url)) as tuner:
        _, trials = play(study_of(tmp_path, store=url, name="another"))
        assert len(trials) == 5
        assert tuner.ask().number == 0


def test_a_process_that_was_replaced_while_asleep_stops(tmp_path, url, rival, monkeypatch):
    """As when a laptop is shut: nothing of what its successor recorded is touched."""
    first = rival("tune", url, tmp_path)
    first.send_signal(signal.SIGSTOP)
    monkeypatch.setattr(lease, "STALE", 0.5)
    time.sleep(1.0)
    study = study_of(tmp_path, store=url, budget={"trials": 100_000})
    with tuner_of(study) as tuner:
        before = list(tuner.round.trials)
        mine = tuner.ask()
        first.send_signal(signal.SIGCONT)
        _, errors = first.communicate(timeout=60)
        assert b"StudyBusyError: another process has taken over study 'parabola'" in errors
        told = tuner.tell(mine, 0.5)
        recorded = tuner.record.trials()
    assert before
    assert recorded == [*before, told]

"""The durable record, the same on SQLite and on PostgreSQL."""

import math
import multiprocessing
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace

import pytest
import rivals
from recorded import PARAMS, SPACE, a_round, complete, finish, running
from sqlalchemy import text

from tunesmith.errors import StoreError
from tunesmith.parameters import Float
from tunesmith.space import SearchSpace
from tunesmith.store import Store
from tunesmith.tables import trials as trial_table
from tunesmith.trial import INTERRUPTED, Origin, Step, Trial, TrialState


@pytest.fixture
def record(store):
    """A study with a round and no trials."""
    record = store.record("iris häufig")
    a_round(record)
    return record


def test_a_new_store_knows_no_study(store):
    assert store.names() == []
    assert store.find("iris") is None


def test_studies_are_kept_apart(store):
    for name in ("iris", "wine"):
        a_round(store.record(name))
    store.find("wine").start_trials([running(0)])
    assert store.names() == ["iris", "wine"]
    assert store.find("iris").trials() == []
    assert store.record("wine").trials() == [running(0)]
    store.find("iris").start_trials([running(0)])
    assert store.find("wine").interrupt_running() != []
    assert store.find("iris").trials() == [running(0)]


def test_the_same_space_stays_one_version_and_another_becomes_its_child(store):
    record = store.record("iris")
    first = record.version_of(SPACE, "ada")
    same = SearchSpace(dict(reversed(SPACE.parameters.items())))
    assert record.version_of(same, "bob") == first
    wider = SearchSpace({"x": Float(0, 2)})
    second = record.version_of(wider, "bob")
    third = record.version_of(SPACE, "cleo")
    assert record.versions() == [first, second, third]
    lineage = [(item.number, item.parent, item.author, item.reason) for item in record.versions()]
    assert lineage == [
        (1, None, "ada", "first version"),
        (2, 1, "bob", "edited by hand"),
        (3, 2, "cleo", "edited by hand"),
    ]
    assert record.versions()[1].space.fingerprint == wider.fingerprint


def test_a_round_comes_back_as_it_was_written(record):
    round = record.rounds()[0]
    assert round == a_round(record)
    round.finished, round.reason = 1_790_000_001.654321, "alle 5 trials – fertig"
    round.final = {"accuracy": math.nan, "f1": math.inf}
    record.save_round(round)
    (again,) = record.rounds()
    assert (again.finished, again.reason) == (round.finished, round.reason)
    assert math.isnan(again.final["accuracy"])
    assert again.final["f1"] == math.inf


def test_a_record_made_before_rounds_had_a_dataset_version_gets_the_column(tmp_path):
    url = f"sqlite:///{tmp_path / 'old.db'}"
    store = Store(url)
    a_round(store.record("a study"))
    store.close()
    with closing(sqlite3.connect(tmp_path / "old.db")) as database:
        database.execute("ALTER TABLE rounds DROP COLUMN dataset_version")
    store = Store(url)
    (round,) = store.record("a study").rounds()
    store.close()
    assert (round.dataset, round.dataset_version) == ("sha256:abc", {})


def test_trials_come_back_as_they_were_written(record):
    ended = Trial(
        number=3,
        round=1,
        params=PARAMS | {"n": 10**30, "flag": True, "nothing": None, "tiny": 5e-324},
        state=TrialState.FAILED,
        metrics={"loss": 0.1 + 0.2, "zero": -0.0, "größe 🐘": 1e308},
        steps=(Step("loss", 0, 1.5), Step("loss", 2**40, -1.5)),
        seed=7,
        error="Zeile 1\nZeile 2: 'x' \\ \" % 🐘",
        origin=Origin.USER,
        started=1_790_000_000.1,
        finished=1_790_000_000.2,
    )
    before = replace(ended, state=TrialState.RUNNING, metrics={}, steps=(), error=None)
    record.start_trials([replace(before, finished=None)])
    record.finish_trial(ended)
    assert record.trials() == [ended]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_metrics_that_are_no_finite_number_are_kept(record, value):
    record.start_trials([running(0)])
    ended = replace(complete(0, loss=value), steps=(Step("loss", 1, value),))
    record.finish_trial(ended)
    (trial,) = record.trials()
    assert repr(trial) == repr(ended)


@pytest.mark.parametrize("error", ["a\0b", "a\udcffb"], ids=["nul", "surrogate"])
def test_an_error_with_what_no_database_takes_is_kept_readable(record, error):
    record.start_trials([running(0)])
    record.finish_trial(replace(complete(0), state=TrialState.FAILED, error=error))
    (trial,) = record.trials()
    assert trial.error in ("a\\x00b", "a\\udcffb")


def test_trials_are_read_by_number_and_by_round(record):
    a_round(record, 2)
    record.start_trials([running(2, round=2), running(1), running(0)])
    assert [trial.number for trial in record.trials()] == [0, 1, 2]
    assert [trial.number for trial in record.trials(1)] == [0, 1]
    assert [trial.number for trial in record.trials(2)] == [2]


def test_trials_start_all_or_none(record):
    record.start_trials([running(1)])
    with pytest.raises(StoreError, match="cannot use the record"):
        record.start_trials([running(0), running(1)])
    assert [trial.number for trial in record.trials()] == [1]


def test_a_trial_of_a_round_that_is_not_there_is_refused(record):
    with pytest.raises(StoreError, match="what was recorded so far is safe"):
        record.start_trials([running(0, round=9)])


def test_a_trial_finishes_only_once(record):
    finish(record, 0)
    with pytest.raises(StoreError, match="trial 0 of study 'iris häufig' is not running"):
        record.finish_trial(complete(0, loss=0.1))
    with pytest.raises(StoreError, match="trial 1 of study 'iris häufig' is not running"):
        record.finish_trial(complete(1))
    assert record.trials() == [complete(0)]


def test_of_two_threads_that_finish_a_trial_one_is_told_so(record):
    record.start_trials([running(number) for number in range(20)])
    start, refused = threading.Barrier(2), []

    def finish_all(loss):
        start.wait()
        for number in range(20):
            try:
                record.finish_trial(complete(number, loss=loss))
            except StoreError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=finish_all, args=(loss,)) for loss in (0.1, 0.2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 20
    assert all("is not running" in message for message in refused)


def test_trials_in_flight_are_interrupted_and_finished_ones_left_alone(record):
    finish(record, 0)
    record.start_trials([running(1), running(2)])
    ended = record.interrupt_running()
    assert [trial.number for trial in ended] == [1, 2]
    assert {trial.error for trial in ended} == {INTERRUPTED}
    assert not any(trial.counts for trial in ended)
    assert record.trials() == [complete(0), *ended]
    assert record.interrupt_running() == []


def test_each_destination_gets_trials_in_the_order_in_which_they_finished(record):
    record.start_trials([running(number) for number in range(4)])
    for number in (2, 0, 3):
        record.finish_trial(complete(number))
    cursor, first = record.undelivered("mlflow", 2)
    assert [trial.number for trial in first] == [2, 0]
    assert record.count_undelivered("mlflow") == 3
    record.save_delivery("mlflow", sequence=cursor)
    assert record.count_undelivered("mlflow") == 1
    assert record.count_undelivered("another") == 3
    record.finish_trial(complete(1))
    cursor, rest = record.undelivered("mlflow", 500)
    assert [trial.number for trial in rest] == [3, 1]
    record.save_delivery("mlflow", sequence=cursor)
    assert record.undelivered("mlflow", 500) == (cursor, [])
    assert record.undelivered("another", 1)[1] == [complete(2)]


def test_a_destination_remembers_which_rounds_it_closed(record):
    destination = "http://tracking/" + "lang" * 300
    assert record.finished_rounds_at(destination) == {}
    record.save_delivery(destination, rounds={1: 1_790_000_000.123456})
    record.save_delivery(destination, sequence=3)
    assert record.finished_rounds_at(destination) == {1: 1_790_000_000.123456}
    assert record.finished_rounds_at("another") == {}


def test_all_of_it_is_there_after_opening_it_again(record, url):
    finish(record, 0, 1)
    with closing(Store(url)) as again:
        assert again.names() == ["iris häufig"]
        found = again.find("iris häufig")
        assert found.trials() == record.trials()
        assert found.rounds() == record.rounds()
        assert found.versions() == record.versions()


def test_two_processes_that_start_together_make_one_study(new_url):
    urls = [new_url() for _ in range(12)]
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    both = [context.Process(target=rivals.create, args=(urls, barrier)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(120)
    assert [process.exitcode for process in both] == [0, 0]
    for url in urls:
        with closing(Store(url)) as store:
            assert store.names() == ["one"]


def test_a_failing_block_leaves_nothing_behind(record):
    record.start_trials([running(0)])
    with pytest.raises(ZeroDivisionError), record.store.begin() as connection:
        connection.execute(trial_table.delete())
        1 / 0  # noqa: B018
    assert record.trials() == [running(0)]


def test_sqlite_is_set_up_to_survive_a_crash(tmp_path):
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    with closing(Store(f"sqlite:///{tmp_path}/record.db")) as store, store.begin() as connection:
        settings = {name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in names}
    full = 2
    assert settings == {
        "journal_mode": "wal",
        "synchronous": full,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }


def test_a_writer_waits_for_another_one(record, url):
    """On SQLite there is one writer at a time; a backup or another study's run may be it."""
    locked, done = threading.Event(), []

    def occupy():
        with closing(Store(url)) as other, other.begin() as connection:
            connection.execute(trial_table.update().values(seed=1))
            locked.set()
            threading.Event().wait(0.5)
            done.append("the other")

    thread = threading.Thread(target=occupy)
    thread.start()
    locked.wait(30)
    finish(record, 0)
    thread.join()
    assert done == ["the other"]
    assert record.trials() == [complete(0)]

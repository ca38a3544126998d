"""Trackers get what the record has: all of it, once, and without delaying anything."""

import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import ClassVar

import pytest
from tuning import parabola, play, registry_of, study_of, tuner_of

from tunesmith import delivery
from tunesmith.components import Tracker
from tunesmith.errors import ConfigError, StoreError, StudyBusyError, TrackerError
from tunesmith.objectives import Function
from tunesmith.store import Record
from tunesmith.sync import sync


class System:
    """A tracking system in memory: what it took, and how often it still fails."""

    def __init__(self):
        self.trials = {}
        self.taken = []
        self.sizes = []
        self.closed = []
        self.attempts = []
        self.failures = []
        self.open = threading.Event()
        self.open.set()

    def call(self):
        self.attempts.append(time.monotonic())
        if self.failures:
            raise self.failures.pop(0)


class Fake(Tracker):
    """Writes to the system by its name."""

    system: str = "main"
    """Which one."""
    systems: ClassVar[dict[str, System]] = {}

    def destination(self, study):
        return f"memory:{self.system}"

    def write(self, study, round, trials):
        system = self.systems[self.system]
        assert system.open.wait(30)
        system.call()
        system.sizes.append(len(trials))
        for trial in trials:
            assert trial.round == round.number
            system.taken.append(trial.number)
            system.trials[trial.number] = trial

    def finish(self, study, finished):
        system = self.systems[self.system]
        system.call()
        round = finished.round
        system.closed.append((round.number, len(round.trials), round.reason))

    def history(self, study):
        raise NotImplementedError


@pytest.fixture(autouse=True)
def systems(monkeypatch):
    monkeypatch.setattr(delivery, "PAUSE", 0.01)
    monkeypatch.setattr(delivery, "RETRIES", (0.01,))
    monkeypatch.setattr(Fake, "systems", defaultdict(System))
    return Fake.systems


@pytest.fixture
def main(systems):
    return systems["main"]


REGISTRY = registry_of(Fake)


def tracked(folder: Path, *names: str, **options):
    trackers = [{"use": "fake", "system": name} for name in names]
    return study_of(folder, REGISTRY, trackers=trackers, **options)


def synced(study, **options):
    objective = Function(function=parabola)
    return [done.count for done in sync(study, objective, REGISTRY, **options)]


def down(times=1000, error=None):
    return [error or TrackerError("the system 'main' does not answer") for _ in range(times)]


def test_every_trial_and_the_end_of_the_round_arrive(tmp_path, main):
    tuner, trials = play(tracked(tmp_path, "main"), Fake)
    assert list(main.trials.values()) == trials
    assert main.taken == [0, 1, 2, 3, 4]
    assert main.closed == [(1, 5, "all 5 trials are done")]
    (told,) = tuner.delivered
    assert (told.destination, told.look, told.missing, told.error) == (
        "memory:main",
        "memory:main",
        0,
        None,
    )


@pytest.mark.parametrize("times", [1, 2, 5])
def test_failures_lose_nothing_and_repeat_nothing(tmp_path, main, times):
    main.failures = down(times)
    with tuner_of(tracked(tmp_path, "main"), Fake) as tuner:
        while trial := tuner.ask():
            tuner.tell(trial, parabola(trial.params))
        deadline = time.monotonic() + 30
        while main.failures and time.monotonic() < deadline:
            time.sleep(0.01)
    assert main.taken == [0, 1, 2, 3, 4]
    assert main.closed == [(1, 5, "all 5 trials are done")]
    assert tuner.delivered[0].missing == 0
    assert tuner.delivered[0].error is None


def test_waits_longer_after_each_failure_in_a_row(tmp_path, main, monkeypatch):
    monkeypatch.setattr(delivery, "RETRIES", (0.05, 0.2, 0.4))
    main.failures = down(4)
    with tuner_of(tracked(tmp_path, "main"), Fake) as tuner:
        tuner.tell(tuner.ask(), 0.5)
        deadline = time.monotonic() + 30
        while len(main.attempts) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
    gaps = [b - a for a, b in zip(main.attempts, main.attempts[1:5], strict=False)]
    assert [gap > least for gap, least in zip(gaps, (0.05, 0.2, 0.4, 0.4), strict=True)] == [
        True
    ] * 4


def test_a_system_that_is_down_all_the_time_gets_everything_by_sync(tmp_path, main):
    main.failures = down()
    study = tracked(tmp_path, "main")
    tuner, trials = play(study, Fake)
    assert len(trials) == 5
    (told,) = tuner.delivered
    assert (told.missing, told.error) == (5, "the system 'main' does not answer")
    with pytest.raises(TrackerError, match="does not answer"):
        synced(study)
    main.failures = []
    assert synced(study) == [5]
    assert list(main.trials.values()) == trials
    assert main.closed == [(1, 5, "all 5 trials are done")]
    assert synced(study) == [0]
    assert main.taken == [0, 1, 2, 3, 4]
    assert len(main.closed) == 1


def test_an_end_that_was_not_taken_is_told_and_made_up_for(tmp_path, main):
    study = tracked(tmp_path, "main")
    with tuner_of(study, Fake) as tuner:
        while trial := tuner.ask():
            tuner.tell(trial, parabola(trial.params))
        deadline = time.monotonic() + 30
        while len(main.taken) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        main.failures = down()
    assert tuner.delivered[0].missing == 0
    assert tuner.delivered[0].error == "the system 'main' does not answer"
    main.failures = []
    assert synced(study) == [0]
    assert main.closed == [(1, 5, "all 5 trials are done")]


def test_any_exception_of_a_tracker_is_told_and_ends_nothing(tmp_path, main):
    main.failures = down(error=KeyError("runs"))
    tuner, trials = play(tracked(tmp_path, "main"), Fake)
    assert len(trials) == 5
    assert tuner.delivered[0].error == "KeyError: 'runs'"


def test_a_system_named_later_gets_all_that_there_is(tmp_path, systems):
    play(tracked(tmp_path, "main"), Fake)
    play(tracked(tmp_path, "main", seed=1), Fake)
    play(tracked(tmp_path, "main", "late", seed=1, budget={"trials": 6}), Fake)
    assert systems["late"].taken == list(range(11))
    assert systems["late"].trials == systems["main"].trials
    ends = [(1, 5, "all 5 trials are done"), (2, 6, "all 6 trials are done")]
    assert systems["late"].closed == ends
    assert synced(tracked(tmp_path, "later", seed=1)) == [11]
    assert systems["later"].closed == ends


def test_a_round_that_goes_on_after_its_end_is_closed_again(tmp_path, main):
    play(tracked(tmp_path, "main"), Fake)
    play(tracked(tmp_path, "main", budget={"trials": 8}), Fake)
    assert main.taken == list(range(8))
    assert main.closed == [(1, 5, "all 5 trials are done"), (1, 8, "all 8 trials are done")]


def test_a_round_that_is_left_open_is_delivered_and_not_closed(tmp_path, main):
    with tuner_of(tracked(tmp_path, "main"), Fake) as tuner:
        tuner.tell(tuner.ask(), 0.5)
        tuner.ask()
    assert main.taken == [0, 1]
    assert main.trials[1].error == "interrupted"
    assert main.closed == []


def test_a_batch_whose_receipt_was_lost_is_handed_over_again(tmp_path, main, monkeypatch):
    """The tracker has it, and this process died before it could write that down."""
    save = Record.save_delivery
    lost = [StoreError("the power went")]

    def save_or_fail(self, *args, **values):
        if lost:
            raise lost.pop()
        save(self, *args, **values)

    monkeypatch.setattr(Record, "save_delivery", save_or_fail)
    tuner, trials = play(tracked(tmp_path, "main"), Fake)
    assert list(main.trials.values()) == trials
    assert len(main.taken) > 5
    assert tuner.delivered[0].missing == 0


def test_trials_travel_in_batches_in_the_order_in_which_they_finished(tmp_path, main, monkeypatch):
    monkeypatch.setattr(delivery, "BATCH", 2)
    main.open.clear()
    with tuner_of(tracked(tmp_path, "main"), Fake) as tuner:
        trials = tuner.ask_many(5)
        for trial in reversed(trials):
            tuner.tell(trial, 0.5)
        main.open.set()
    assert main.taken == [4, 3, 2, 1, 0]
    assert max(main.sizes) == 2


def test_a_system_that_hangs_holds_up_neither_the_trials_nor_another_system(tmp_path, systems):
    systems["slow"].open.clear()
    with tuner_of(tracked(tmp_path, "slow", "main"), Fake) as tuner:
        while trial := tuner.ask():
            tuner.tell(trial, parabola(trial.params))
        deadline = time.monotonic() + 20
        while len(systems["main"].taken) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert systems["main"].taken == [0, 1, 2, 3, 4]
        assert systems["slow"].taken == []
        systems["slow"].open.set()
    assert systems["slow"].taken == [0, 1, 2, 3, 4]


def test_no_thread_is_left_behind(tmp_path, main):
    before = set(threading.enumerate())
    play(tracked(tmp_path, "main"), Fake)
    with pytest.raises(ZeroDivisionError), tuner_of(tracked(tmp_path, "main", seed=1), Fake):
        1 / 0  # noqa: B018
    assert set(threading.enumerate()) <= before


def test_no_thread_is_left_behind_when_the_record_breaks(tmp_path, main):
    before = set(threading.enumerate())
    with pytest.raises(StoreError), tuner_of(tracked(tmp_path, "main"), Fake) as tuner:
        tuner.ask()
        with tuner.record.store.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE trials RENAME TO away")
    assert set(threading.enumerate()) <= before


def test_sync_again_hands_over_everything_once_more(tmp_path, main):
    study = tracked(tmp_path, "main")
    play(study, Fake)
    assert synced(study, again=True) == [5]
    assert main.taken == [0, 1, 2, 3, 4] * 2
    assert len(main.closed) == 2


def test_sync_serves_the_other_systems_when_one_is_down(tmp_path, systems):
    play(tracked(tmp_path), Fake)
    systems["main"].failures = down()
    with pytest.raises(TrackerError, match="does not answer"):
        synced(tracked(tmp_path, "main", "other"))
    assert systems["other"].taken == [0, 1, 2, 3, 4]


def test_sync_waits_for_no_running_study(tmp_path):
    study = tracked(tmp_path, "main")
    with tuner_of(study, Fake), pytest.raises(StudyBusyError):
        synced(study)


def test_sync_without_a_tracker_says_what_to_do(tmp_path):
    with pytest.raises(ConfigError, match="names no tracker; add one under 'trackers'"):
        synced(tracked(tmp_path))

"""The tracker contract can fail: each flaw below is caught by the tests that it should be."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tunesmith.components import Tracker
from tunesmith.errors import TrackerError
from tunesmith.finished import Finished
from tunesmith.history import Reviewed
from tunesmith.study import Study
from tunesmith.testing import TrackerContract
from tunesmith.trial import Round, Step, Trial, TrialState

_NONE = TrialState.RUNNING

Key = tuple[str, int, float | None, int]
DESTINATIONS: dict[str, dict[Key, Trial]] = {}


class Memory(Tracker):
    """A tracker in memory; those with the same name share what they hold."""

    name: str = "memory"

    def destination(self, study: Study) -> str:
        return f"memory {self.name}"

    def write(self, study: Study, round: Round, trials: Sequence[Trial]) -> None:
        held = DESTINATIONS.setdefault(self.name, {})
        for trial in trials:
            self.put(held, (study.name, round.number, round.started, trial.number), trial)
        held.setdefault((study.name, round.number, round.started, -1), Trial(-1, 0, {}, _NONE))

    def put(self, held: dict[Key, Trial], key: Key, trial: Trial) -> None:
        held.setdefault(key, self.kept(trial))

    def kept(self, trial: Trial) -> Trial:
        return trial

    def finish(self, study: Study, finished: Finished) -> None:
        self.write(study, finished.round, [])

    def history(self, study: str) -> list[Trial]:
        held = DESTINATIONS.get(self.name, {})
        if not any(key[0] == study for key in held):
            raise TrackerError(f"no study '{study}'; check the name")
        found = [trial for key, trial in held.items() if key[0] == study and key[3] >= 0]
        return sorted(found, key=lambda trial: trial.number)


class TestMemory(TrackerContract):
    def make(self, folder: Path) -> Tracker:
        return Memory(name=str(folder))


class Duplicating(Memory):
    """Every delivery is new to it."""

    def put(self, held: dict[Key, Trial], key: Key, trial: Trial) -> None:
        held[(*key[:2], len(held) + 0.5, key[3])] = trial


class Overwriting(Memory):
    def put(self, held: dict[Key, Trial], key: Key, trial: Trial) -> None:
        held[key] = trial


class Forgetful(Memory):
    """Knows what is there by its own memory alone."""

    def __post_init__(self) -> None:
        self.seen: set[Key] = set()

    def put(self, held: dict[Key, Trial], key: Key, trial: Trial) -> None:
        if key not in self.seen:
            self.seen.add(key)
            held[(*key[:2], len(held) + 0.5, key[3])] = trial


class MixingRecords(Memory):
    """Takes a round of another record for the one that it knows."""

    def put(self, held: dict[Key, Trial], key: Key, trial: Trial) -> None:
        held.setdefault((key[0], key[1], 0.0, key[3]), trial)


class MixingStudies(Memory):
    def history(self, study: str) -> list[Trial]:
        super().history(study)
        return [trial for key, trial in DESTINATIONS[self.name].items() if key[3] >= 0]


class Stringly(Memory):
    def kept(self, trial: Trial) -> Trial:
        return replace(trial, params={name: str(value) for name, value in trial.params.items()})


class Reading(Memory):
    """Guesses the type of each value from its text."""

    def kept(self, trial: Trial) -> Trial:
        guessed: dict[str, Any] = {}
        for name, value in trial.params.items():
            try:
                guessed[name] = json.loads(str(value))
            except ValueError:
                guessed[name] = value
        return replace(trial, params=guessed)


class Finite(Memory):
    def kept(self, trial: Trial) -> Trial:
        metrics = {name: value for name, value in trial.metrics.items() if abs(value) < 1e300}
        return replace(trial, metrics=metrics)


class Stepless(Memory):
    """Keeps one value a step, as a table of steps would."""

    def kept(self, trial: Trial) -> Trial:
        table = {(step.metric, step.step): step.value for step in trial.steps}
        return replace(trial, steps=tuple(Step(*key, value) for key, value in table.items()))


class Cutting(Memory):
    def kept(self, trial: Trial) -> Trial:
        params = {
            name[:250]: value[:6000] if isinstance(value, str) else value
            for name, value in trial.params.items()
        }
        return replace(trial, params=params, error=trial.error and trial.error[:5000])


class Cleaning(Memory):
    def kept(self, trial: Trial) -> Trial:
        metrics = {re.sub(r"\W", "_", name): value for name, value in trial.metrics.items()}
        return replace(trial, metrics=metrics)


class OneLine(Memory):
    def kept(self, trial: Trial) -> Trial:
        return replace(trial, error=trial.error and trial.error.splitlines()[0])


class Paged(Memory):
    """Reads the first page only."""

    def history(self, study: str) -> list[Trial]:
        return super().history(study)[:500]


class Meddling(Memory):
    def kept(self, trial: Trial) -> Trial:
        trial.params.pop("max_depth", None)
        return trial


class Indifferent(Memory):
    def history(self, study: str) -> list[Trial]:
        try:
            return super().history(study)
        except TrackerError:
            return []


class Talkative(Memory):
    secret: str = ""

    def destination(self, study: Study) -> str:
        return f"https://me:{self.secret}@host/{self.name}"


class Mistaking(Memory):
    """Takes a proposal for a trial."""

    def write_proposal(self, study: Study, round: Round | None, reviewed: Reviewed) -> None:
        if round:
            self.write(study, round, [Trial(999, round.number, {}, TrialState.COMPLETE)])


class Impatient(Memory):
    """Knows of rounds only what `write` told."""

    def write_proposal(self, study: Study, round: Round | None, reviewed: Reviewed) -> None:
        assert round and self.history(study.name)


class Deciding(Memory):
    def write_proposal(self, study: Study, round: Round | None, reviewed: Reviewed) -> None:
        if round:
            round.proposal = reviewed.proposal.number


FLAWS: dict[type[Memory], str] = {
    Duplicating: "test_writing_again_changes_nothing",
    Overwriting: "test_what_was_written_first_stays",
    Forgetful: "test_another_tracker_goes_on_where_one_died",
    MixingRecords: "test_a_round_of_another_record_with_the_same_name_is_kept_too",
    MixingStudies: "test_studies_are_kept_apart",
    Stringly: "test_history_is_what_was_written",
    Reading: "test_types_of_params_are_kept",
    Finite: "test_metrics_that_are_no_finite_number_are_kept",
    Stepless: "test_steps_are_kept_in_their_order_and_beside_the_final_value",
    Cutting: "test_long_values_and_names_are_kept",
    Cleaning: "test_odd_names_of_metrics_are_kept",
    OneLine: "test_failed_and_pruned_trials_say_why",
    Paged: "test_keeps_a_thousand_trials",
    Meddling: "test_what_it_is_given_stays_as_it_is",
    Indifferent: "test_unknown_study_is_an_error_that_names_it",
    Mistaking: "test_proposals_are_written_after_each_decision_and_again",
    Impatient: "test_a_proposal_may_come_before_its_trials",
    Deciding: "test_a_proposal_that_it_is_given_stays_as_it_is",
    Talkative: "test_destination_and_errors_hold_no_secret",
}


@pytest.mark.parametrize("flawed", FLAWS, ids=lambda flawed: flawed.__name__)
def test_contract_catches(flawed: type[Memory], tmp_path: Path) -> None:
    class Suite(TrackerContract):
        examples = 10

        def make(self, folder: Path) -> Tracker:
            return flawed(name=str(folder))

        def make_with_secret(self, folder: Path, secret: str) -> Tracker:
            return Talkative(name=str(folder), secret=secret)

    with pytest.raises((AssertionError, TrackerError, pytest.fail.Exception)):
        getattr(Suite(), FLAWS[flawed])(tmp_path)

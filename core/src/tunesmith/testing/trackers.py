"""What every tracker promises, as tests: subclass a contract in a test file, and pytest runs it."""

from __future__ import annotations

import contextlib
import copy
import itertools
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import Phase, given, settings

from tunesmith.components import Tracker
from tunesmith.errors import TrackerError
from tunesmith.finished import Finished, Report
from tunesmith.testing._proposals import ProposalTests
from tunesmith.testing._written import (
    LOOKALIKES,
    NUMBERS,
    START,
    a_round,
    a_study,
    assert_same,
    batches,
    ended,
    some_trials,
)
from tunesmith.testing.rounds import AWKWARD
from tunesmith.trial import Step, Trial, TrialState

COMPLETE = TrialState.COMPLETE


class TrackerContract(ProposalTests):
    """The tests that a tracker passes.

    class TestMine(TrackerContract):
        def make(self, folder):
            return Mine(file=folder / "runs.db")
    """

    examples: ClassVar[int] = 25
    """Generated batches of trials to try."""
    many: ClassVar[int] = 1000
    """Trials of the big round."""

    def make(self, folder: Path) -> Tracker:
        """A new tracker whose destination belongs to this folder.

        Empty for a new folder, the same one for the same folder.
        """
        raise NotImplementedError("return the tracker to test")

    def make_with_secret(self, folder: Path, secret: str) -> Tracker | None:
        """A tracker with this password in its options or its environment.

        None where there is no such thing.
        """
        return None

    def assert_keeps(self, folder: Path, written: list[Trial], tracker: Tracker) -> None:
        """The trials are in the study, once each: for this tracker and for a new one."""
        assert_same(tracker.history("a study"), written)
        again = self.make(folder)
        assert_same(again.history("a study"), written)
        again.close()

    def keeps(self, folder: Path, *trials: Trial) -> None:
        """These trials, written to an empty destination, are read back as they were."""
        tracker = self.make(folder)
        tracker.write(a_study(), a_round(), trials)
        self.assert_keeps(folder, list(trials), tracker)
        tracker.close()

    def test_history_is_what_was_written(self, tmp_path: Path) -> None:
        tracker, numbers = self.make(tmp_path), itertools.count()

        @settings(
            max_examples=self.examples,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
        )
        @given(batches)
        def check(trials: list[Trial]) -> None:
            study = a_study(f"study {next(numbers)}")
            tracker.write(study, a_round(), trials)
            assert_same(tracker.history(study.name), trials)

        check()
        tracker.close()

    @pytest.mark.parametrize("name", sorted(AWKWARD.keys() - {"thousands of trials"}))
    def test_history_of_awkward_rounds_is_what_was_written(self, tmp_path: Path, name: str) -> None:
        round = AWKWARD[name]()
        tracker = self.make(tmp_path)
        tracker.write(a_study(), round, round.trials)
        tracker.finish(a_study(), Finished(round))
        self.assert_keeps(tmp_path, round.trials, tracker)
        tracker.close()

    def test_types_of_params_are_kept(self, tmp_path: Path) -> None:
        params = {f"p{index}": value for index, value in enumerate(LOOKALIKES)}
        self.keeps(tmp_path, Trial(0, 1, params, COMPLETE, {"accuracy": 0.5}))

    def test_metrics_that_are_no_finite_number_are_kept(self, tmp_path: Path) -> None:
        metrics = {f"m{index}": value for index, value in enumerate(NUMBERS)}
        steps = tuple(Step(name, 3, value) for name, value in metrics.items())
        self.keeps(tmp_path, Trial(0, 1, {"x": 1}, COMPLETE, metrics, steps))

    def test_steps_are_kept_in_their_order_and_beside_the_final_value(self, tmp_path: Path) -> None:
        steps = (
            *(Step("accuracy", 2, 0.3), Step("loss", 2, 0.7), Step("accuracy", 1, 0.4)),
            *(Step("accuracy", 1, 0.4), Step("accuracy", 1, 0.5), Step("other", -1, 0.1)),
        )
        self.keeps(
            tmp_path,
            Trial(0, 1, {"x": 1}, COMPLETE, {"accuracy": 0.2}, steps),
            Trial(1, 1, {"x": 2}, TrialState.PRUNED, {}, steps),
        )

    def test_thousands_of_steps_are_kept(self, tmp_path: Path) -> None:
        steps = tuple(Step("accuracy", index, 1 / (index + 1)) for index in range(2500))
        self.keeps(tmp_path, Trial(0, 1, {"x": 1}, COMPLETE, {"accuracy": 0.5}, steps))

    def test_failed_and_pruned_trials_say_why(self, tmp_path: Path) -> None:
        reason = "ValueError: 'ä' \"quoted\"\n  at line 3\r\n\tcaused by: 日本語 🙂\0 end "
        self.keeps(
            tmp_path,
            Trial(0, 1, {"x": 1}, TrialState.FAILED, error=reason),
            Trial(1, 1, {"x": 2}, TrialState.PRUNED, error="worse than the median\n"),
            Trial(2, 1, {"x": 3}, TrialState.FAILED, {"accuracy": 0.5}, error=""),
            Trial(3, 1, {}, TrialState.FAILED, error="interrupted"),
        )

    def test_long_values_and_names_are_kept(self, tmp_path: Path) -> None:
        long = "n" * 300
        names = {f"{long}a": 1, f"{long}b": 2, "x" * 250: 3, "y" * 251: 4}
        texts = {f"t{size}": "ü" * size for size in (500, 6000, 6001, 8001, 20_000)}
        metrics = {f"{long}a": 0.1, f"{long}b": 0.2}
        error = "first line\n" + "e" * 20_000
        self.keeps(
            tmp_path,
            Trial(0, 1, {**names, **texts}, COMPLETE, metrics),
            Trial(1, 1, {"x": 1}, TrialState.FAILED, error=error),
        )

    def test_odd_names_of_metrics_are_kept(self, tmp_path: Path) -> None:
        names = [
            "a b",
            "a?b",
            "a!b",
            "a/b",
            "a//b",
            "/a",
            "../a",
            ".",
            "..",
            "a\nb",
            "%",
            "é",
            "{}",
        ]
        metrics = {name: float(index) for index, name in enumerate([*names, "'", '"', "`", "🙂"])}
        self.keeps(tmp_path, Trial(0, 1, {"x": 1}, COMPLETE, metrics))

    def test_hundreds_of_params_and_metrics_are_kept(self, tmp_path: Path) -> None:
        params = {f"layer_{index}.width": index for index in range(350)}
        metrics = {f"fold_{index}": index / 7 for index in range(1200)}
        self.keeps(tmp_path, Trial(0, 1, dict(params), COMPLETE, metrics))

    def test_writing_again_changes_nothing(self, tmp_path: Path) -> None:
        tracker, trials = self.make(tmp_path), some_trials(12)
        for batch in (trials[:8], trials[:8], trials[4:], trials, [*trials, *trials]):
            tracker.write(a_study(), a_round(), batch)
        self.assert_keeps(tmp_path, trials, tracker)
        tracker.close()

    def test_another_tracker_goes_on_where_one_died(self, tmp_path: Path) -> None:
        trials = some_trials(12)
        self.make(tmp_path).write(a_study(), a_round(), trials[:7])
        tracker = self.make(tmp_path)
        tracker.write(a_study(), a_round(), trials[5:])
        self.assert_keeps(tmp_path, trials, tracker)
        tracker.close()

    def test_what_was_written_first_stays(self, tmp_path: Path) -> None:
        """A tracker may refuse other params for a trial that it has; it may not take them."""
        tracker, trials = self.make(tmp_path), some_trials(3)
        tracker.write(a_study(), a_round(), trials)
        with contextlib.suppress(TrackerError):
            tracker.write(a_study(), a_round(), [replace(trials[1], params={"x": "other"})])
        self.assert_keeps(tmp_path, trials, tracker)
        tracker.close()

    def test_what_it_is_given_stays_as_it_is(self, tmp_path: Path) -> None:
        tracker, study, trials = self.make(tmp_path), a_study(), some_trials(5)
        round = ended(a_round(), trials)
        before = copy.deepcopy((study, round, trials))
        tracker.write(study, round, trials)
        tracker.finish(study, Finished(round))
        assert (study, repr(round), trials) == (before[0], repr(before[1]), before[2])
        tracker.close()

    def test_rounds_of_a_study_come_back_together(self, tmp_path: Path) -> None:
        tracker = self.make(tmp_path)
        first, second = some_trials(6), some_trials(6, first=6, round=2)
        tracker.write(a_study(), a_round(1), first)
        tracker.write(a_study(), a_round(2, START + 500), second)
        tracker.write(a_study(), a_round(1), first)
        assert [trial.number for trial in tracker.history("a study")] == list(range(12))
        self.assert_keeps(tmp_path, first + second, tracker)
        tracker.close()

    def test_studies_are_kept_apart(self, tmp_path: Path) -> None:
        tracker, trials = self.make(tmp_path), some_trials(6)
        tracker.write(a_study("a study"), a_round(), trials[:4])
        tracker.write(a_study("a study 2"), a_round(), trials[3:])
        assert_same(tracker.history("a study"), trials[:4])
        assert_same(tracker.history("a study 2"), trials[3:])
        tracker.close()

    def test_a_round_of_another_record_with_the_same_name_is_kept_too(self, tmp_path: Path) -> None:
        """Somebody deleted the record and ran the study again: other trials, the same numbers."""
        tracker, first = self.make(tmp_path), some_trials(4)
        second = [replace(trial, seed=trial.seed + 1000) for trial in first]
        tracker.write(a_study(), a_round(), first)
        tracker.write(a_study(), a_round(started=START + 3600), second)
        self.assert_keeps(tmp_path, first + second, tracker)
        tracker.close()

    def test_finishing_again_changes_nothing(self, tmp_path: Path) -> None:
        report = tmp_path / "report.html"
        report.write_text("<p>good</p>")
        tracker, trials = self.make(tmp_path), some_trials(6)
        tracker.write(a_study(), a_round(), trials)
        for _ in range(2):
            tracker.finish(
                a_study(), Finished(ended(a_round(), trials), reports={"page": Report([report])})
            )
        self.make(tmp_path).finish(
            a_study(), Finished(ended(a_round(), trials), reports={"page": Report([report])})
        )
        self.assert_keeps(tmp_path, trials, tracker)
        tracker.close()

    def test_a_round_may_go_on_after_its_end(self, tmp_path: Path) -> None:
        tracker, trials = self.make(tmp_path), some_trials(9)
        tracker.write(a_study(), a_round(), trials[:5])
        tracker.finish(a_study(), Finished(ended(a_round(), trials[:5])))
        tracker.write(a_study(), a_round(), trials[5:])
        tracker.finish(a_study(), Finished(ended(a_round(), trials, seconds=900)))
        self.assert_keeps(tmp_path, trials, tracker)
        tracker.close()

    def test_a_round_without_trials_can_be_finished(self, tmp_path: Path) -> None:
        tracker = self.make(tmp_path)
        tracker.finish(a_study(), Finished(ended(a_round(), [])))
        assert tracker.history("a study") == []
        tracker.close()

    def test_keeps_a_thousand_trials(self, tmp_path: Path) -> None:
        tracker, trials = self.make(tmp_path), some_trials(self.many)
        for start in range(0, self.many, 300):
            tracker.write(a_study(), a_round(), trials[start : start + 300])
        self.assert_keeps(tmp_path, trials, tracker)
        tracker.close()

    def test_unknown_study_is_an_error_that_names_it(self, tmp_path: Path) -> None:
        tracker = self.make(tmp_path)
        with pytest.raises(TrackerError, match="no such study"):
            tracker.history("no such study")
        tracker.write(a_study(), a_round(), some_trials(2))
        with pytest.raises(TrackerError, match="no such study"):
            tracker.history("no such study")
        tracker.close()

    def test_destination_is_the_same_for_a_new_tracker(self, tmp_path: Path) -> None:
        first = self.make(tmp_path).destination(a_study())
        assert first
        assert self.make(tmp_path).destination(a_study()) == first

    def test_destination_and_errors_hold_no_secret(self, tmp_path: Path) -> None:
        secret = "hunter2-swordfish"
        tracker = self.make_with_secret(tmp_path, secret)
        if tracker is None:
            pytest.skip("takes no secret")
        assert secret not in tracker.destination(a_study())
        with pytest.raises(TrackerError) as caught:
            tracker.history("no such study")
        assert secret not in str(caught.value)

    def test_closing_twice_is_allowed(self, tmp_path: Path) -> None:
        tracker = self.make(tmp_path)
        tracker.write(a_study(), a_round(), some_trials(2))
        tracker.close()
        tracker.close()

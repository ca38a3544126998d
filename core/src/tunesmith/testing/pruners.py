"""What every pruner promises, as tests: subclass `PrunerContract` in a test file."""

import math
import pickle
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.components import Pruner
from tunesmith.trial import INTERRUPTED, Direction, Goal, Rule, Step, Trial, TrialState

T = TypeVar("T")
Verdicts = list[str | None]

LOSS = Goal("loss", Direction.MINIMIZE)
GAIN = Goal("loss", Direction.MAXIMIZE)
LENGTH = 30
NUMBERS = range(100, 108)
REPORTS = st.lists(
    st.builds(
        Step,
        st.sampled_from(["loss", "loss", "loss", "seconds"]),
        st.integers(-2, 40) | st.integers(),
        st.floats() | st.sampled_from([math.nan, math.inf, -math.inf, 0.5, 1e308]),
    ),
    max_size=20,
)
"""What an objective may report: steps out of order, repeated or below 0, any floats."""

_ELSEWHERE = """
import pickle, sys
sys.path[:] = pickle.load(sys.stdin.buffer)
output, sys.stdout = sys.stdout.buffer, sys.stderr
from tunesmith.testing import _rehearsal, pruners
made = _rehearsal.imported(*pickle.load(sys.stdin.buffer))
function, arguments = pickle.load(sys.stdin.buffer)
output.write(pickle.dumps(getattr(pruners, function)(made, *arguments)))
"""


class PrunerContract:
    """Tests that any pruner passes; a subclass named `Test…` says which in `make`.

    Its options should make it end a loss of 100 among others of 0 to 5, when that comes in 30
    reports.
    """

    mirrored: ClassVar[bool] = True
    """The verdicts are the same when negated values are maximised; not so where options are
    values of the metric.
    """
    examples: ClassVar[int] = 100
    """Generated reports to try."""

    @staticmethod
    def make() -> Pruner:
        """A new pruner, its options plain data."""
        raise NotImplementedError("return the pruner to test")

    def test_a_trial_without_reports_goes_on(self) -> None:
        for told in ([], _lesson()):
            assert self._rule(told)([]) is None

    def test_reports_of_other_metrics_end_nothing(self) -> None:
        reports = [replace(step, metric="seconds") for step in _hopeless()]
        for rule in self._rules(_lesson()):
            assert rule(reports) is None

    def test_ends_a_trial_that_is_far_worse_than_others(self) -> None:
        ended = [_judged(rule, _hopeless()) for rule in self._rules(_lesson())]
        assert any(ended), "no trial is ended, however bad; give options with which one is"

    def test_the_reason_is_one_line(self) -> None:
        for reason in self._all_verdicts(_lesson()):
            assert reason is None or (reason.strip() and len(reason.splitlines()) == 1), reason

    def test_takes_any_reports(self) -> None:
        rules = [self._rule([]), self._rule(_lesson())]

        def check(reports: list[Step]) -> None:
            for rule in rules:
                reason = rule(reports)
                assert reason is None or reason

        self._for_any(REPORTS, check)

    def test_learns_from_any_reports(self) -> None:
        def check(told: list[list[Step]]) -> None:
            trials = [
                Trial(number, 1, {}, TrialState.COMPLETE, {"loss": 1.0}, steps)
                for number, steps in enumerate(told)
            ]
            self._rule(trials)(_hopeless())

        self._for_any(st.lists(REPORTS, max_size=12), check)

    def test_leaves_the_reports_as_they_are(self) -> None:
        for rule in self._rules(_lesson()):
            reports = _hopeless()[::-1]
            rule(reports)
            assert reports == _hopeless()[::-1], "they are the trial's curve in the record"

    @pytest.mark.parametrize("kind", ["complete", "pruned", "failed", "interrupted", "no steps"])
    def test_takes_trials_that_ended_in_any_way(self, kind: str) -> None:
        trials = [_ended(trial, kind) for trial in _lesson()]
        self._all_verdicts(trials)
        self._all_verdicts([*_lesson(), *trials])

    def test_trials_may_be_told_at_once_or_one_by_one(self) -> None:
        at_once, one_by_one = self._started(_lesson()), self._started([])
        for trial in _lesson():
            one_by_one.tell([trial])
        assert verdicts(at_once) == verdicts(one_by_one)

    def test_equal_seeds_and_tells_give_equal_rules(self) -> None:
        first = self._all_verdicts(_lesson())
        state = random.getstate()
        random.seed(99)
        try:
            assert self._all_verdicts(_lesson()) == first
        finally:
            random.setstate(state)

    def test_equal_seeds_and_tells_give_equal_rules_in_another_process(self) -> None:
        there = elsewhere(self.make(), "begun_verdicts", asdict(self.make()), _lesson())
        assert there == self._all_verdicts(_lesson())

    def test_a_rule_judges_alike_in_another_process(self) -> None:
        rules = self._rules(_lesson())
        here = [_judged(rule, reports) for rule in rules for reports in _curves()]
        sent = [(rule, reports) for rule in rules for reports in _curves()]
        assert elsewhere(self.make(), "sent_verdicts", sent) == here

    def test_rules_made_beside_it_change_nothing(self) -> None:
        among = self._started(_lesson())
        for number in reversed(NUMBERS):
            among.rule(number)(_hopeless())
        assert verdicts(among) == [
            verdict
            for number in NUMBERS
            for verdict in verdicts(self._started(_lesson()), [number])
        ]

    def test_a_rule_stays_as_it_was_when_more_is_told(self) -> None:
        pruner = self._started(_lesson()[:12])
        rules = [pruner.rule(number) for number in NUMBERS]
        before = [_judged(rule, reports) for rule in rules for reports in _curves()]
        pruner.tell([_told(number, -50.0) for number in range(12, 40)])
        assert [_judged(rule, reports) for rule in rules for reports in _curves()] == before

    def test_both_directions_are_mirrored(self) -> None:
        if not self.mirrored:
            pytest.skip("declares mirrored = False")
        gains = [_negated(trial) for trial in _lesson()]
        pruner = self._started(gains, GAIN)
        rules = [pruner.rule(number) for number in NUMBERS]
        found = [_judged(rule, _minus(reports)) for rule in rules for reports in _curves()]
        losses = self._all_verdicts(_lesson())
        assert [each is None for each in found] == [each is None for each in losses]

    def test_a_rule_is_small_enough_to_travel_with_each_trial(self) -> None:
        told = [_told(number, number % 50 / 10) for number in range(500)]
        size = len(pickle.dumps(self._rule(told)))
        assert size < 300_000, f"{size} bytes travel with each trial after 500 of {LENGTH} reports"

    def _for_any(self, strategy: st.SearchStrategy[T], check: Callable[[T], None]) -> None:
        examined = settings(
            max_examples=self.examples,
            derandomize=True,
            database=None,
            deadline=None,
            report_multiple_bugs=False,
        )
        examined(given(strategy)(check))()

    def _started(self, trials: Sequence[Trial], goal: Goal = LOSS) -> Pruner:
        return _begun(self.make(), trials, goal)

    def _rule(self, trials: Sequence[Trial]) -> Rule:
        return self._started(trials).rule(NUMBERS[0])

    def _rules(self, trials: Sequence[Trial]) -> list[Rule]:
        pruner = self._started(trials)
        return [pruner.rule(number) for number in NUMBERS]

    def _all_verdicts(self, trials: Sequence[Trial]) -> Verdicts:
        return verdicts(self._started(trials))


def verdicts(pruner: Pruner, numbers: Sequence[int] = NUMBERS) -> Verdicts:
    """What the rules of these trials say of a good, a middling, a bad and a broken curve."""
    rules = [pruner.rule(number) for number in numbers]
    return [_judged(rule, reports) for rule in rules for reports in _curves()]


def begun_verdicts(kind: type[Pruner], options: dict[str, Any], trials: list[Trial]) -> Verdicts:
    """The same of a new pruner with these options that is told these trials."""
    return verdicts(_begun(kind(**options), trials, LOSS))


def sent_verdicts(kind: type[Pruner], sent: list[tuple[Rule, list[Step]]]) -> Verdicts:
    """What rules say that were made in another process."""
    return [_judged(rule, reports) for rule, reports in sent]


def elsewhere(pruner: Pruner, function: str, *arguments: Any) -> Verdicts:
    """The result of one of the functions above in a new interpreter."""
    kind = type(pruner)
    place = (kind.__module__, sys.modules[kind.__module__].__file__, kind.__qualname__)
    parts = (sys.path, place, (function, arguments))
    done = subprocess.run(
        [sys.executable, "-P", "-c", _ELSEWHERE],
        input=b"".join(pickle.dumps(part) for part in parts),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    found: Verdicts = pickle.loads(done.stdout)  # noqa: S301 - from our own child
    return found


def _begun(pruner: Pruner, trials: Sequence[Trial], goal: Goal) -> Pruner:
    pruner.start(goal, 7)
    pruner.tell(trials)
    return pruner


def _judged(rule: Rule, reports: Sequence[Step]) -> str | None:
    """The first reason to end a trial that reports this, with the number of its report."""
    for length in range(1, len(reports) + 1):
        reason = rule(reports[:length])
        assert rule(reports[:length]) == reason, "the same reports get another verdict"
        if reason is not None:
            return f"{reason} ({length})" if reason.strip() else reason
    return None


def _curve(level: float) -> list[Step]:
    drawn = random.Random(f"{level}")
    return [
        Step("loss", number, level + 2 / number + drawn.uniform(-0.2, 0.2))
        for number in range(1, LENGTH + 1)
    ]


def _hopeless() -> list[Step]:
    return [Step("loss", number, 100.0 + number) for number in range(1, LENGTH + 1)]


def _curves() -> list[list[Step]]:
    broken = [replace(step, value=math.nan) for step in _curve(1.0)]
    return [_curve(0.3), _curve(1.4), _hopeless(), broken]


def _told(number: int, level: float) -> Trial:
    steps = _curve(level)
    return Trial(number, 1, {}, TrialState.COMPLETE, {"loss": steps[-1].value}, steps)


def _lesson() -> list[Trial]:
    """Complete trials of all levels, some pruned ones and a failed one."""
    drawn = random.Random(3)
    trials = [_told(number, drawn.uniform(0.3, 2.8)) for number in range(24)]
    kinds = {5: "pruned", 11: "failed", 17: "pruned", 21: "no steps"}
    return [_ended(trial, kinds.get(trial.number, "complete")) for trial in trials]


def _ended(trial: Trial, kind: str) -> Trial:
    match kind:
        case "pruned":
            return replace(trial, state=TrialState.PRUNED, metrics={}, steps=trial.steps[:9])
        case "failed" | "interrupted":
            error = INTERRUPTED if kind == "interrupted" else "no such luck"
            return replace(trial, state=TrialState.FAILED, metrics={}, error=error)
        case "no steps":
            return replace(trial, steps=())
    return trial


def _minus(steps: Sequence[Step]) -> list[Step]:
    return [replace(step, value=-step.value) for step in steps]


def _negated(trial: Trial) -> Trial:
    metrics = {name: -value for name, value in trial.metrics.items()}
    return replace(trial, metrics=metrics, steps=_minus(trial.steps))

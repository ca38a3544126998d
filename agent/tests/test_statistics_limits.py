"""What the advisor makes of trials that break limits on metrics."""

from dataclasses import replace

import pytest
from proposed import reviewed
from trials import LOSS, advised, edits, history, noisy, sampled

from tunesmith.limits import all_judged
from tunesmith.parameters import Float
from tunesmith.space import SearchSpace
from tunesmith.trial import Round
from tunesmith_agent.language.briefing import Briefing
from tunesmith_agent.language.names import Names
from tunesmith_agent.language.tables import Tables
from tunesmith_agent.pictures import good_trials
from tunesmith_agent.statistics.equivalence import rope
from tunesmith_agent.statistics.findings import Findings
from tunesmith_agent.statistics.snapshot import Snapshot
from tunesmith_agent.statistics.worth import worth
from tunesmith_agent.story import tell

SPACE = SearchSpace({"x": Float(0, 1), "y": Float(0, 1)})


def falling(params):
    """The more x, the better."""
    return 1 - params["x"]


def limited(count=120, seed=0, most=0.3, **metrics):
    """Trials of which those beyond a share of x break a limit."""
    drawn = sampled(SPACE, noisy(falling, 0.01, seed), count, seed, crowd=False)
    told = [
        replace(trial, metrics=trial.metrics | {"x": trial.params["x"]} | metrics)
        for trial in drawn
    ]
    return all_judged(told, [f"x <= {most}"])


@pytest.mark.parametrize("seed", range(3))
def test_good_trials_keep_the_limits(seed):
    given = history(SPACE, limited(seed=seed))
    snapshot = Snapshot.of(given)
    assert not any(snapshot.trials[index].violation for index in snapshot.good)
    assert not any(trial.violation for trial in good_trials(given))
    assert snapshot.trials[snapshot.order[0]] == given.incumbent == given.ranked[0]


@pytest.mark.parametrize("seed", range(3))
def test_an_edit_goes_where_the_limits_are_kept(seed):
    trials = limited(seed=seed)
    free = advised(history(SPACE, [replace(trial, violation=0.0) for trial in trials]))
    bound = advised(history(SPACE, trials))
    assert [edit.low for edit in edits(free, "narrow", "x") if edit.low] == [0.5]
    assert not [edit for edit in edits(bound, "narrow", "x") if edit.low]
    assert [edit.high for edit in edits(bound, "narrow", "x") if edit.high] == [0.5]


def test_equal_scores_stay_equal_beside_trials_that_break_limits():
    trials = [replace(trial, metrics={"loss": 1.0, "x": trial.params["x"]}) for trial in limited()]
    snapshot = Snapshot.of(history(SPACE, all_judged(trials, ["x <= 0.3"])))
    kept = [index for index, trial in enumerate(snapshot.trials) if not trial.violation]
    assert len(set(snapshot.z[kept].tolist())) == 1
    assert snapshot.z[kept].min() > max(
        z for index, z in enumerate(snapshot.z) if index not in kept
    )


def test_a_logged_spread_is_read_from_the_trials_that_keep_the_limits():
    alone = rope(Snapshot.of(history(SPACE, [t for t in limited(loss_std=0.1) if not t.violation])))
    beside = rope(Snapshot.of(history(SPACE, limited(loss_std=0.1))))
    assert 0 < beside <= alone


def test_what_breaks_limits_is_no_worth_of_a_proposal():
    first, second = limited(40, 1), limited(40, 2)
    rounds = [
        Round(1, 1, SPACE, {"use": "tpe"}, {}, LOSS, 0, {}, trials=first),
        Round(2, 2, SPACE, {"use": "tpe"}, {}, LOSS, 0, {}, trials=second, proposal=1),
    ]
    findings = Findings(0)
    worth(history(SPACE, [], rounds=rounds, proposals=[reviewed()]), findings)
    (row,) = findings.evidence
    kept = [trial.metrics["loss"] for trial in second if not trial.violation]
    assert row.numbers["since"] == pytest.approx(min(kept), abs=1e-5)
    assert min(kept) > 0.6
    assert row.trials == len(kept)


def test_people_and_models_are_told_what_breaks_limits():
    given = history(SPACE, limited(40, most=0.05))
    draft = advised(given)
    broken = sum(trial.violation > 0 for trial in given.trials)
    rows = Tables(given).best_trials(20)
    assert "beyond limits" not in rows[0]
    assert rows[-1]["beyond limits"] > 0
    assert f"from 40 trials, {broken} beyond a limit, which rank last" in str(tell(draft, given))
    text = Briefing(given, draft, Names(SPACE), 10_000).text
    assert f"{broken} of them break a limit on a metric" in text


def test_where_no_trial_keeps_the_limits_the_nearest_are_the_good_ones():
    given = history(SPACE, limited(most=-1))
    assert given.incumbent is None
    snapshot = Snapshot.of(given)
    assert max(snapshot.trials[index].params["x"] for index in snapshot.good) < 0.4
    advised(given)

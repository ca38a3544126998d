"""What is said to matter, and where it is shown."""

import dataclasses
import re
from random import Random

import pytest
from matplotlib.text import Text

from tunesmith.finished import Finished
from tunesmith.parameters import Categorical, Float, Int
from tunesmith.space import Params, SearchSpace
from tunesmith.testing.rounds import ACCURACY, AWKWARD, LOSS, make_round
from tunesmith.trial import Round, TrialState
from tunesmith_plots._contour import contour, strongest_pair
from tunesmith_plots._importance import Importance, importance, importances
from tunesmith_plots._style import style
from tunesmith_plots._summary import summary

SPACE = SearchSpace(
    {
        "strong": Float(1e-4, 1, log=True),
        "weak": Categorical(["a", "b", "c"]),
        "nothing": Int(1, 50),
        "nothing_either": Categorical([True, False]),
        "fixed": Float(2, 2),
    }
)


def measure(number: int, params: Params) -> dict[str, float]:
    strong, noise = SPACE.parameters["strong"].position(params["strong"]), Random(number).random()
    return {"loss": abs(strong - 0.6) + 0.1 * (params["weak"] == "b") + 0.05 * noise}


def round_of(trials: int, **options) -> Round:
    return make_round(trials, SPACE, (LOSS,), measure, **options)


def by_name(round: Round) -> dict[str, Importance]:
    return {one.name: one for one in importances(round, round.goals[0])}


@pytest.mark.parametrize("trials", [60, 300])
def test_the_relevant_parameter_has_the_largest_interval_and_an_irrelevant_one_zero(trials) -> None:
    found = by_name(round_of(trials))
    assert next(iter(found)) == "strong"
    others = [one for name, one in found.items() if name != "strong"]
    assert found["strong"].low > max(one.share for one in others)
    for name in ("nothing", "nothing_either"):
        assert not found[name].sure
        assert found[name].share < 0.1


def test_intervals_shrink_with_more_trials() -> None:
    few, many = (by_name(round_of(trials))["strong"] for trials in (60, 600))
    assert many.high - many.low < 0.6 * (few.high - few.low)
    assert few.low <= few.share <= few.high


def test_a_parameter_that_decides_alone_has_the_whole_share() -> None:
    space = SearchSpace({"kind": Categorical(["a", "b", "c", "d"]), "other": Float(0, 1)})
    round = make_round(
        200,
        space,
        (LOSS,),
        lambda number, params: {"loss": float(params["kind"] != "a")},
        unscored=lambda number: False,
    )
    assert by_name(round)["kind"].share == pytest.approx(1)


def test_too_few_trials_are_said_to_be_too_few() -> None:
    round = round_of(12)
    assert importances(round, LOSS) == []
    figure = importance(round, {"loss": []})
    words = " ".join(text.get_text() for text in figure.findobj(Text))
    assert "11 trials with a score: too few" in words
    assert contour(round, {"loss": []}) is None
    assert "cannot be told" in " ".join(summary(Finished(round), {"loss": []}))


def test_a_conditional_parameter_is_judged_where_it_applied() -> None:
    space = SearchSpace(
        {
            "kind": Categorical(["a", "b"]),
            "rate": Float(0, 1, when={"kind": "a"}),
            "seldom": Float(0, 1, when="kind == 'b' and other > 0.97"),
            "other": Float(0, 1),
        }
    )
    round = make_round(
        200, space, (LOSS,), lambda number, params: {"loss": float(params.get("rate", 9))}
    )
    found = by_name(round)
    assert found["rate"].trials == sum("rate" in trial.params for trial in round.trials) - sum(
        trial.state is TrialState.FAILED and "rate" in trial.params for trial in round.trials
    )
    assert found["rate"].share > 0.9
    assert "seldom" not in found
    assert set(strongest_pair(round, list(found.values())) or ()) == {"rate", "kind"}


def test_pruned_trials_count_as_not_among_the_best() -> None:
    round = round_of(200, unscored=lambda number: number % 2 == 1)
    for trial in round.trials:
        assert trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
    assert by_name(round)["strong"].trials == 200


def test_a_parameter_with_one_value_and_equal_scores_have_no_importance() -> None:
    assert "fixed" not in by_name(round_of(60))
    assert by_name(AWKWARD["constant scores"]()) == {}


def test_the_order_of_trials_changes_nothing() -> None:
    assert by_name(AWKWARD["ordinary"]()) == by_name(AWKWARD["trials out of order"]())


def test_trials_that_break_limits_are_not_among_the_best() -> None:
    space = SearchSpace({"a": Float(0, 1), "b": Float(0, 1)})
    round = make_round(200, space, (LOSS,), lambda number, params: {"loss": float(params["a"])})
    assert by_name(round)["a"].share > 0.8
    round.trials = [
        dataclasses.replace(trial, violation=max(trial.params["b"] - 0.1, 0.0))
        for trial in round.trials
    ]
    found = by_name(round)
    assert found["b"].share > found["a"].share


def test_the_surface_covers_the_strongest_pair_and_is_blank_where_nothing_was_tried() -> None:
    round = round_of(120)
    round.trials = [trial for trial in round.trials if trial.params["strong"] > 1e-2]
    ranked = importances(round, LOSS)
    with style():
        figure = contour(round, {"loss": ranked})
        assert figure is not None
        axes = figure.axes[0]
        assert {axes.get_xlabel(), axes.get_ylabel()} == {one.name for one in ranked[:2]}
        surface = axes.images[0].get_array()
    opacity = surface[..., 3] if axes.get_xlabel() == "strong" else surface[..., 3].T
    assert opacity[:, 0].max() == 0
    assert opacity[:, -10].min() == 1


def test_the_summary_names_what_matters_with_its_interval() -> None:
    round = AWKWARD["ordinary"]()
    words = summary(Finished(round), {"accuracy": importances(round, ACCURACY)})
    assert words[0] == (
        "The best accuracy, 0.94157, came in trial 24; 15 trials after it found nothing better."
    )
    assert words[1] == "No parameter stands out for accuracy: each may alone explain nothing."
    assert words[2] == "At most 1 trial ran at once; the workers were busy 84% of the time."
    words = summary(Finished(round_of(300)), {"loss": importances(round_of(300), LOSS)})
    assert re.match(r"What matters most for loss: strong \(\d+%, between \d+% and \d+%\)", words[1])

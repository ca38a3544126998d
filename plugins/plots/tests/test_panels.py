"""The picture of the parameters: what each panel shows of the trials."""

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tunesmith.parameters import Categorical, Float, Int
from tunesmith.space import SearchSpace
from tunesmith.testing.rounds import ACCURACY, AWKWARD, make_round
from tunesmith_plots._parameters import parameters
from tunesmith_plots._style import style


def marks(axes: Axes) -> dict[str, int]:
    """How many trials each mark of the legend stands for."""
    handles, names = axes.get_legend_handles_labels()
    found = zip(handles, names, strict=True)
    return {name: len(handle.get_offsets()) for handle, name in found}


def drawn(space: SearchSpace, score, trials: int = 120) -> Figure:
    """Every trial has a score, by its params."""

    def metrics(number, params):
        return {"accuracy": score(params)}

    with style():
        return parameters(
            make_round(trials, space, metrics=metrics, unscored=lambda number: False), ACCURACY
        )


def test_each_parameter_has_its_own_scale_with_its_range_at_the_edges() -> None:
    space = SearchSpace(
        {
            "rate": Float(1e-5, 0.1, log=True),
            "depth": Int(2, 32),
            "kind": Categorical(["a", True, None, 0.5]),
        }
    )
    round = make_round(space=space, metrics=lambda number, params: {"accuracy": number})
    figure = parameters(round, ACCURACY)
    ticks = [[tick.get_text() for tick in axes.get_xticklabels()] for axes in figure.axes]
    assert ticks[0] == ["1e-05", "0.001", "0.1"]
    assert (ticks[1][0], ticks[1][-1]) == ("2", "32")
    assert ticks[2] == ["a", "true", "null", "0.5"]


def test_a_log_scale_is_drawn_as_one() -> None:
    figure = parameters(AWKWARD["ordinary"](), ACCURACY)
    positions = figure.axes[0].get_xticks()
    assert positions == pytest.approx([0, 0.5, 1])


def test_the_line_is_the_median_score_along_the_scale_within_its_quartiles() -> None:
    figure = drawn(SearchSpace({"x": Float(0, 6)}), lambda params: int(params["x"]))
    (band,) = figure.axes[0].lines[2:]  # after the edges of the range
    middles = [(place + 0.5) / 6 for place in range(6)]
    assert list(band.get_xdata()) == pytest.approx(middles)
    assert list(band.get_ydata()) == list(range(6))
    (quartiles,) = [each for each in figure.axes[0].collections if each.get_alpha() == 0.18]
    low, high = quartiles.get_datalim(figure.axes[0].transData).get_points()[:, 1]
    assert (low, high) == (0, 5)


def test_few_trials_have_no_line_as_it_would_be_a_guess() -> None:
    figure = drawn(SearchSpace({"x": Float(0, 6)}), lambda params: params["x"], trials=20)
    assert len(figure.axes[0].lines) == 2  # the edges


def test_a_choice_has_a_box_once_it_was_tried_often_enough() -> None:
    space = SearchSpace({"kind": Categorical(["a", "b", "never"]), "x": Float(0, 1)})
    round = make_round(40, space, metrics=lambda number, params: {"accuracy": number})
    for trial in round.trials:
        trial.params["kind"] = "b" if trial.number in (1, 2, 3) else "a"
    with style():
        axes = parameters(round, ACCURACY).axes[0]
    assert len(axes.patches) == 1


def test_each_trial_is_drawn_once_and_the_best_once_more() -> None:
    round = make_round(60, metrics=lambda number, params: {"accuracy": number})
    with style():
        panels = [axes for axes in parameters(round, ACCURACY).axes if axes.get_title()]
    for axes in panels:
        found = marks(axes)
        best = found.pop("best: trial 59")
        assert (best, sum(found.values())) == (1, 60)
        assert found["best 15%"] == 8  # of 53 with a score

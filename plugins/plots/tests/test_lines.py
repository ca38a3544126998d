"""Learning curves, the timeline, parallel coordinates, and the space's versions."""

import dataclasses
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

from tunesmith.finished import Finished
from tunesmith.parameters import Categorical, Float, Int
from tunesmith.space import SearchSpace
from tunesmith.testing.rounds import ACCURACY, AWKWARD, make_round
from tunesmith.trial import INTERRUPTED, Round, Step, Trial, TrialState
from tunesmith_plots._curves import course, curves
from tunesmith_plots._importance import importance, importances
from tunesmith_plots._parallel import parallel
from tunesmith_plots._report import write_report
from tunesmith_plots._style import style
from tunesmith_plots._summary import summary
from tunesmith_plots._timeline import busy_share, lanes, squeezed, timeline
from tunesmith_plots._versions import spaces, stretches, versions


def stepping(metric: str = "accuracy", values=(0.1, 0.3, 0.4)) -> Round:
    """An ordinary round whose pruned trials have reported one step less."""
    round = make_round()
    for index, trial in enumerate(round.trials):
        count = len(values) - (trial.state is TrialState.PRUNED)
        steps = [Step(metric, step, value) for step, value in enumerate(values[:count])]
        round.trials[index] = dataclasses.replace(trial, steps=steps)
    return round


def collections(figure: Figure, kind: type) -> list:
    return [each for each in figure.axes[0].collections if isinstance(each, kind)]


def test_a_pruned_curve_ends_in_its_mark() -> None:
    figure = curves(stepping())
    assert figure is not None
    marks = [list(map(tuple, dots.get_offsets())) for dots in collections(figure, PathCollection)]
    assert [(1.0, 0.3)] * 2 in marks
    assert [(2.0, 0.4)] * 2 in marks  # the failed ones
    bundles = collections(figure, LineCollection)
    ends = [tuple(path[-1]) for bundle in bundles for path in bundle.get_segments()]
    assert ends.count((1.0, 0.3)) == 2


def test_there_are_no_curves_where_no_trial_reports_finite_steps() -> None:
    assert curves(make_round()) is None
    assert curves(stepping(values=(float("nan"), float("inf")))) is None


def test_curves_show_another_metric_where_the_goal_is_not_reported() -> None:
    figure = curves(stepping("val_loss"))
    assert figure is not None
    assert figure.axes[0].get_ylabel() == "val_loss"


def test_a_step_reported_twice_has_the_last_word() -> None:
    steps = [Step("a", 2, 1.0), Step("a", 1, 5.0), Step("b", 1, 7.0), Step("a", 2, 3.0)]
    trial = Trial(0, 1, {}, TrialState.COMPLETE, steps=steps)
    assert course(trial, "a") == [(1, 5.0), (2, 3.0)]


SPANS = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 40)), min_size=1, max_size=60)


def timed(spans: list[tuple[int, int]]) -> Round:
    round = make_round(0)
    round.trials = [
        Trial(number, 1, {}, TrialState.COMPLETE, started=start, finished=start + length)
        for number, (start, length) in enumerate(spans)
    ]
    return round


@given(SPANS)
def test_lanes_never_overlap_and_are_as_few_as_can_be(spans) -> None:
    bars = lanes(timed(spans))
    assert len(bars) == len(spans)
    for lane in {bar.lane for bar in bars}:
        ordered = [bar for bar in bars if bar.lane == lane]
        assert all(one.finished <= other.started for one, other in pairwise(ordered))
    most = max(sum(one.started <= bar.started < one.finished for one in bars) for bar in bars)
    assert 1 + max(bar.lane for bar in bars) == most
    assert 0 <= busy_share(bars) <= 1


def test_idle_time_shows_in_the_share_and_below_the_lanes() -> None:
    bars = lanes(timed([(0, 10), (0, 5), (15, 5), (10, 10)]))
    assert [bar.lane for bar in bars] == [0, 1, 0, 1]
    assert busy_share(bars) == 0.75
    values = timeline(bars).axes[1].patches[0].get_data().values
    assert values[0] == pytest.approx(2)
    assert values[50] == pytest.approx(1)
    assert values[-1] == pytest.approx(2)


def test_a_single_lane_has_a_whole_number() -> None:
    low, high = (axes := timeline(lanes(timed([(0, 10)]))).axes[0]).get_ylim()
    assert [tick for tick in axes.get_yticks() if high <= tick <= low] == [1]


DAY = 86_400


def test_the_time_between_two_sittings_is_left_out_and_told() -> None:
    round = timed([(0, 10), (DAY, 10), (DAY + 10, 10), (3 * DAY, 10)])
    bars = lanes(round)
    assert busy_share(bars) == 1
    moved, pauses = squeezed(bars)
    assert [bar.started for bar in moved] == [0, 10, 20, 30]
    assert [pause.at for pause in pauses] == [10, 30]
    figure = timeline(bars)
    for axes in figure.axes:
        dashed = [line for line in axes.lines if line.get_linestyle() == "--"]
        assert [line.get_xdata()[0] for line in dashed] == [10, 30]
    told = "2 pauses of 72 hours left out"
    assert figure.axes[1].get_xlabel() == f"seconds since the first trial (dashed: {told})"
    assert f"busy 100% of the time ({told})." in summary(Finished(round), {"accuracy": []})[2]


@pytest.mark.parametrize("spans", [[(0, 10), (60, 10)], [(0, 3600), (7000, 10)]])
def test_idle_time_shorter_than_a_trial_or_a_minute_is_no_pause(spans) -> None:
    assert squeezed(lanes(timed(spans)))[1] == []


def test_a_trial_whose_process_died_does_not_fill_the_pause_after_it() -> None:
    round = timed([(0, 10), (5, DAY - 5), (DAY, 10)])
    round.trials[1] = dataclasses.replace(
        round.trials[1], state=TrialState.FAILED, error=INTERRUPTED
    )
    assert busy_share(lanes(round)) == 1


def test_trials_without_times_are_no_bars() -> None:
    round = timed([(0, 1)])
    round.trials.append(Trial(9, 1, {}, TrialState.FAILED))
    assert len(lanes(round)) == 1


def versioned(*spaces_: SearchSpace) -> Finished:
    rounds = [
        dataclasses.replace(make_round(0), number=index, space_version=index, space=space)
        for index, space in enumerate(spaces_, 1)
    ]
    return Finished(rounds[-1], earlier=rounds[:-1])


def space_of(high: float, *choices: str) -> SearchSpace:
    rate = Float(1e-3, high, log=True)
    return SearchSpace({"rate": rate, "kind": Categorical(choices), "n": Int(1, 9)})


OLD, NEW = space_of(0.1, "a", "b"), space_of(10, "b", "c")


def test_a_versions_new_range_is_drawn() -> None:
    finished = versioned(OLD, NEW)
    known = spaces(finished.earlier, finished.round)
    axes = versions(known).axes[0]
    spans = [(round(bar.get_x(), 6), round(bar.get_width(), 6)) for bar in axes.patches]
    assert spans[:2] == [(0, 0.5), (0, 1)]
    thirds = [(0, 0.333333), (0.333333, 0.333333), (0.333333, 0.333333), (0.666667, 0.333333)]
    assert spans[2:6] == thirds
    words = "\n".join(text.get_text() for text in axes.findobj(Text))
    assert "v2: float 0.001 to 10, log" in words
    assert "v1 to v2: int 1 to 9" in words
    assert summary(finished, {"accuracy": []})[-1] == (
        "From space version 1 to 2 there changed: rate, kind."
    )


def test_a_parameter_that_comes_goes_or_changes_its_kind_is_told() -> None:
    other = SearchSpace({"rate": Categorical([0.1, 0.2]), "extra": Int(1, 3)}, ["extra <= 2"])
    course = stretches({1: OLD, 2: OLD, 5: other})
    assert [(each.first, each.last) for each in course["rate"]] == [(1, 2), (5, 5)]
    assert course["extra"][0].text == "not in the space"
    assert course["(rules)"][-1].text == "extra <= 2"
    assert "v1 to v2: float" in "".join(
        text.get_text() for text in versions({1: OLD, 2: OLD, 5: other}).findobj(Text)
    )


def test_one_version_has_no_picture_of_versions(tmp_path) -> None:
    for finished, shown in ((versioned(OLD), False), (versioned(OLD, OLD, NEW), True)):
        report = write_report("demo", finished, tmp_path, "svg", 50)
        assert any(file.stem == "spaces" for file in report.files) is shown


def many(parameters: int) -> Round:
    table = {
        f"some_long_name_{index}.rate": Float(1e-6, 1, log=True) for index in range(parameters)
    }
    words = ["gradient_boosting", "random_forest", "linear", "nearest_neighbours", "tree"]
    space = SearchSpace({**table, "kind": Categorical(words)})
    return make_round(60, space, metrics=lambda number, params: {"accuracy": 1 / (number + 1)})


@pytest.mark.parametrize("parameters", [1, 19])
def test_no_labels_overlap(parameters: int) -> None:
    round = many(parameters)
    found = {"accuracy": importances(round, ACCURACY)}
    known = {1: round.space, 2: OLD}
    with style():
        for figure in (
            parallel(round, ACCURACY, found["accuracy"]),
            importance(round, found),
            versions(known),
        ):
            figure.draw_without_rendering()
            boxes = [
                (text.get_text(), text.get_window_extent())
                for text in figure.findobj(Text)
                if text.get_text().strip() and text.get_visible()
            ]
            clashes = [
                (one, other)
                for index, (one, box) in enumerate(boxes)
                for other, another in boxes[index + 1 :]
                if box.overlaps(another)
            ]
            assert not clashes


def test_the_best_line_is_drawn_over_all_others() -> None:
    figure = parallel(make_round(), ACCURACY, [])
    lines = sorted(collections(figure, LineCollection), key=lambda each: each.get_zorder())
    assert len(lines[-1].get_segments()) == 1


def test_a_line_passes_beside_a_parameter_that_does_not_apply() -> None:
    figure = parallel(AWKWARD["conditional parameters"](), ACCURACY, [])
    best = max(collections(figure, LineCollection), key=lambda each: each.get_zorder())
    assert sum(x < 0 for x, _ in best.get_segments()[0]) in (1, 2)
    assert figure.axes[0].get_xticklabels()[0].get_text() == "does not apply"


def test_a_trial_outside_the_space_is_left_out_of_the_lines() -> None:
    round = make_round()
    trial = round.trials[0]
    round.trials[0] = dataclasses.replace(trial, params={**trial.params, "max_depth": 99})
    figure = parallel(round, ACCURACY, [])
    assert figure.axes[0].get_xlabel() == "1 trials outside the space are left out"

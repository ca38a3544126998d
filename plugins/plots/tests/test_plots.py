"""What the pictures and the page show."""

import dataclasses
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import matplotlib
import pytest
from matplotlib.figure import Figure

from tunesmith.errors import ConfigError
from tunesmith.finished import Finished
from tunesmith.plugins import installed
from tunesmith.testing.rounds import ACCURACY, AWKWARD, LOSS, SECONDS, limited, make_round
from tunesmith.trial import Round, Trial, TrialState
from tunesmith_plots._contour import contour
from tunesmith_plots._history import history, pareto
from tunesmith_plots._importance import importances
from tunesmith_plots._page import _span
from tunesmith_plots._parallel import parallel
from tunesmith_plots._parameters import parameters
from tunesmith_plots._report import write_report
from tunesmith_plots._scores import good, score_axis, scored
from tunesmith_plots._style import label, style


def texts(figure: Figure) -> str:
    with style():
        figure.draw_without_rendering()
    return "\n".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


def step_of(figure: Figure) -> list[float]:
    return list(figure.axes[0].lines[0].get_ydata())


def losses(*values: float) -> list[Trial]:
    return [
        Trial(number, 1, {}, TrialState.COMPLETE, {"loss": value})
        for number, value in enumerate(values)
    ]


@pytest.mark.parametrize("goal", [ACCURACY, SECONDS])
def test_best_so_far_follows_the_direction(goal) -> None:
    round = make_round(goals=(goal,))
    line = step_of(history(round))
    pick = max if goal is ACCURACY else min
    assert line[-1] == pick(trial.metrics[goal.metric] for trial in scored(round))
    assert line == sorted(line, reverse=goal is SECONDS)


def test_axes_name_the_metric_and_the_better_end() -> None:
    assert "accuracy\n(higher is better)" in texts(history(make_round()))
    assert "loss\n(lower is better)" in texts(history(make_round(goals=(LOSS,))))
    assert "accuracy: maximize" in texts(parameters(make_round(), ACCURACY))


def test_states_without_a_score_are_counted_below_the_history() -> None:
    found = texts(history(make_round(40)))
    assert "failed (2)" in found
    assert "pruned (2)" in found


def test_a_complete_trial_without_a_finite_score_is_shown_as_such() -> None:
    assert "no score (22)" in texts(history(AWKWARD["complete without a finite score"]()))


def test_a_diverged_trial_does_not_press_the_others_flat() -> None:
    trials = losses(1, 2, 3, 4, 5, 1, 2, 3, 4, 1e300)
    axis = score_axis(LOSS, trials)
    assert axis.high < 20
    assert axis.is_beyond(1e300)
    assert "trial off the scale" in texts(history(AWKWARD["a diverged trial"]()))


def test_scores_that_span_decades_get_a_logarithmic_axis() -> None:
    assert score_axis(LOSS, losses(0.01, 0.1, 1, 10, 100)).log
    assert not score_axis(LOSS, losses(0.01, -0.1, 1, 10, 100)).log


def test_the_axis_shows_the_best_score_whatever_it_is() -> None:
    for values in ((1e300, -1e300), (1e-300, 1e308), (-1.7e308, 1.7e308), (0.0, 0.0), (-3.0,)):
        axis = score_axis(LOSS, losses(*values))
        low, high = axis.limits(0.16)
        assert low < axis.place(min(values)) < high
        assert math.isfinite(low) and math.isfinite(high)


def test_the_best_fifteen_percent_stand_out() -> None:
    assert good(LOSS, losses(*range(20))) == {0, 1, 2}
    assert good(LOSS, losses(3, 1)) == {1}
    assert good(LOSS, losses(1, 1, 1)) == set()


def test_a_parameter_that_did_not_apply_is_left_out() -> None:
    found = texts(parameters(AWKWARD["conditional parameters"](), ACCURACY))
    assert "dart.rate_drop\nin 12 of 40 trials" in found


def test_the_pareto_front_is_marked_for_every_pair_of_goals() -> None:
    assert "Pareto front (22)" in texts(pareto(AWKWARD["two goals"]()))
    assert len(pareto(AWKWARD["three goals"]()).axes) == 3


def test_one_goal_has_no_pareto_picture(tmp_path: Path) -> None:
    names = {
        file.name
        for file in write_report("demo", Finished(make_round()), tmp_path, "png", 50).files
    }
    assert not any("pareto" in name or name.endswith("_2.png") for name in names)


def test_two_goals_have_a_picture_of_the_parameters_each(tmp_path: Path) -> None:
    files = write_report("demo", Finished(AWKWARD["two goals"]()), tmp_path, "svg", 50).files
    names = [file.name for file in files]
    assert names[:2] == ["index.html", "history.svg"]
    assert {"pareto.svg", "parameters.svg", "parameters_2.svg"} <= set(names)


def test_equal_rounds_give_equal_files(tmp_path: Path) -> None:
    first = [
        file.read_bytes()
        for file in write_report("x", Finished(make_round()), tmp_path, "svg", 50).files
    ]
    again = [
        file.read_bytes()
        for file in write_report("x", Finished(make_round()), tmp_path, "svg", 50).files
    ]
    assert first == again


def test_words_that_no_font_can_draw_become_escapes_and_stay_apart() -> None:
    assert label("naïve", 20) == "naïve"
    assert label("кот", 20) == "кот"
    assert label("a\nb", 20) == r"a\nb"
    assert label("\U0001f9ff", 20) == r"\U0001f9ff"
    assert label("x" * 30, 9) == "xxxx…xxxx"


def test_the_users_settings_change_nothing_and_stay_as_they_are(tmp_path: Path) -> None:
    plain = write_report("x", Finished(make_round()), tmp_path, "png", 50).files[1].read_bytes()
    with matplotlib.rc_context({"text.usetex": True, "font.size": 30, "axes.facecolor": "black"}):
        assert (
            write_report("x", Finished(make_round()), tmp_path, "png", 50).files[1].read_bytes()
            == plain
        )
        assert matplotlib.rcParams["font.size"] == 30


class Page(HTMLParser):
    """Tags, links to elsewhere, and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def page(round: Round, folder: Path, study: str = "demo") -> Page:
    return Page(write_report(study, Finished(round), folder, "png", 50).files[0].read_text("utf-8"))


def test_the_page_escapes_everything(tmp_path: Path) -> None:
    round = dataclasses.replace(
        AWKWARD["strange words"](), reason="<img src=x onerror=alert(1)>", sampler={"use": "<b>"}
    )
    found = page(round, tmp_path, "<script>alert(2)</script>")
    assert "script" not in found.tags
    assert found.tags.count("b") == found.tags.count("figure")
    assert found.tags.count("img") == found.tags.count("figure")
    words = "".join(found.words)
    assert "<img src=x onerror=alert(1)>" in words
    assert "ValueError: <b>3</b> & '4' differ" in words


def test_the_page_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    found = page(make_round(), tmp_path)
    assert found.sources
    assert all(source.startswith("data:image/png;base64,") for source in found.sources)
    text = (tmp_path / "index.html").read_text("utf-8")
    assert not re.search(r"https?://|url\(|@import", text)


def test_the_page_tells_the_best_trial_the_states_and_the_reasons(tmp_path: Path) -> None:
    round = make_round()
    words = "\n".join(page(round, tmp_path).words)
    assert "40 trials: 36 complete, 2 failed, 2 pruned. It ended: all 40 trials are done." in words
    assert "Best trial: 24" in words
    assert "The best 20 of 36 trials with a score" in words
    assert "4 trials without a score" in words
    assert "no reason given" in words


def test_the_best_so_far_keeps_the_limits() -> None:
    round = limited("seconds <= 16")
    kept = [trial for trial in scored(round) if not trial.violation]
    figure = history(round)
    assert step_of(figure)[-1] == max(trial.metrics["accuracy"] for trial in kept)
    assert step_of(figure)[-1] < max(trial.metrics["accuracy"] for trial in scored(round))
    hollow = next(dots for dots in figure.axes[0].collections if len(dots.get_facecolor()) == 0)
    assert len(hollow.get_offsets()) == len(scored(round)) - len(kept)


@pytest.mark.parametrize("goals", [(ACCURACY,), (ACCURACY, SECONDS)])
def test_trials_that_break_a_limit_are_told_apart_in_every_picture(goals) -> None:
    for limit, kept in (("seconds <= 16", True), ("seconds < 0", False)):
        round = limited(limit, goals=goals)
        figures = [history(round), *(parameters(round, goal) for goal in goals)]
        figures += [pareto(round)] if len(goals) > 1 else []
        figures.append(parallel(round, goals[0], []))
        figures.append(contour(round, {g.metric: importances(round, g) for g in goals}))
        for figure in figures:
            found = texts(figure)
            assert "breaks a limit" in found
            assert ("best" in found or "front (15)" in found) is kept
    assert "breaks a limit" not in texts(history(make_round(goals=goals)))


def test_the_page_tells_what_breaks_limits(tmp_path: Path) -> None:
    words = "\n".join(page(limited("seconds <= 16"), tmp_path).words)
    assert "36 complete, 2 failed, 2 pruned; 12 beyond a limit" in words
    assert "Best trial: 39" in words
    assert "beyond limits" not in words  # the best 20 keep it
    words = "\n".join(page(limited("seconds <= 5"), tmp_path).words)
    assert "beyond limits" in words
    words = "\n".join(page(limited("seconds <= 0.5"), tmp_path).words)
    assert "No trial keeps all limits; trial " in words


def test_the_page_of_a_round_without_a_score_says_so(tmp_path: Path) -> None:
    words = "\n".join(page(AWKWARD["no complete trial"](), tmp_path).words)
    assert "No trial has a score." in words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.00021, "0.00021 s"), (2.5, "2.5 s"), (99.7, "100 s"), (150, "2 min"), (9000, "2.5 h")],
)
def test_spans_of_time_are_short(seconds: float, text: str) -> None:
    assert _span(1000.0, 1000.0 + seconds) == text


def test_the_page_of_several_goals_shows_the_pareto_front(tmp_path: Path) -> None:
    words = "\n".join(page(AWKWARD["two goals"](), tmp_path).words)
    assert "Pareto front: 22 trials, the first 20" in words


def test_the_page_of_a_long_round_stays_small(tmp_path: Path) -> None:
    page(make_round(3000), tmp_path)
    assert (tmp_path / "index.html").stat().st_size < 500_000
    assert "the best 300 and some of the others" in texts(parallel(make_round(3000), ACCURACY, []))


@pytest.mark.parametrize("dpi", [49, 301])
def test_a_resolution_out_of_reach_is_an_error(dpi: int) -> None:
    with pytest.raises(ConfigError, match=f"dpi {dpi} is not between 50 and 300"):
        installed().build("reporter", {"use": "plots", "dpi": dpi})


def test_an_unknown_format_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"reporter.format: input should be 'png' or 'svg'"):
        installed().build("reporter", {"use": "plots", "format": "pdf"})

"""The picture of the space through its versions: where each parameter's range moved."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tunesmith.parameters import Categorical, Parameter
from tunesmith.space import SearchSpace, describe
from tunesmith.trial import Round
from tunesmith_plots._style import BLUE, ORANGE, label, text_of

_MOST = 12
"""So many versions are shown, the latest."""
_SAME = "#b4b9c0"
_THINNEST = 0.012
_LEGIBLE = 5
"""A longer text cut to fewer letters says nothing."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Versions one after the other in which a parameter was the same, or missing.

    `text` says what it was; rules have text only.
    """

    first: int
    last: int
    text: str
    parameter: Parameter | None = None

    @property
    def versions(self) -> str:
        return f"v{self.first}" if self.first == self.last else f"v{self.first} to v{self.last}"


def spaces(earlier: Sequence[Round], round: Round) -> dict[int, SearchSpace]:
    """The latest space versions that the study searched, by number."""
    found = {each.space_version: each.space for each in [*earlier, round]}
    return dict(sorted(found.items())[-_MOST:])


def stretches(versions: Mapping[int, SearchSpace]) -> dict[str, list[Stretch]]:
    """The course of each parameter and of the rules, those that changed first."""
    names = dict.fromkeys(name for space in versions.values() for name in space.parameters)
    found: dict[str, list[Stretch]] = {name: [] for name in names}
    rules: list[Stretch] = []
    for version, space in versions.items():
        for name, course in found.items():
            parameter = space.parameters.get(name)
            text = describe(parameter) if parameter else "not in the space"
            _extend(course, Stretch(version, version, text, parameter))
        texts = [*space.constraints, *(f"not {rule}" for rule in space.forbid)]
        _extend(rules, Stretch(version, version, "; ".join(texts) or "no rule"))
    ordered = dict(sorted(found.items(), key=lambda item: len(item[1]) == 1))
    return ordered | ({"(rules)": rules} if len(rules) > 1 else {})


def _extend(course: list[Stretch], new: Stretch) -> None:
    if course and (course[-1].parameter, course[-1].text) == (new.parameter, new.text):
        course[-1] = replace(course[-1], last=new.last)
    else:
        course.append(new)


def versions(found: Mapping[int, SearchSpace]) -> Figure:
    """A row for each parameter with a bar for each range that it had, on a scale of all of them."""
    courses = stretches(found)
    lines = sum(map(len, courses.values())) + 0.5 * len(courses)
    figure = Figure(figsize=(9.5, 0.24 * lines + 0.8), layout="constrained")
    axes = figure.subplots()
    middles, top = [], 0.0
    for course in courses.values():
        _course(axes, course, top)
        middles.append(top + (len(course) - 1) / 2)
        top += len(course) + 0.5
        axes.axhline(top - 0.75, color="#e8eaed", lw=0.8)
    changed = sum(len(course) > 1 for course in courses.values())
    axes.set(
        xlim=(-0.02, 1.02),
        xticks=[],
        ylim=(top - 0.7, -0.8),
        yticks=middles,
        yticklabels=[label(name, 28) for name in courses],
        title=f"v{min(found)} to v{max(found)}: {changed} of {len(courses)} rows changed",
    )
    axes.grid(visible=False)
    axes.tick_params(axis="y", length=0)
    axes.spines[:].set_visible(False)
    return figure


def _course(axes: Axes, course: Sequence[Stretch], top: float) -> None:
    for line, stretch in enumerate(course):
        latest = line == len(course) - 1
        colour = _SAME if len(course) == 1 else ORANGE if latest else BLUE
        for left, width, text in _pieces(stretch.parameter, course):
            width = max(width, _THINNEST)
            left = min(left, 1 - width)
            axes.barh(top + line, width, left=left, height=0.7, color=colour, edgecolor="white")
            letters = int(50 * width)
            if len(text) <= letters or letters >= _LEGIBLE:
                axes.text(
                    left + width / 2,
                    top + line + 0.03,
                    label(text, max(letters, 1)),
                    ha="center",
                    va="center",
                    fontsize=7.5,
                    color="white" if colour == BLUE else "black",
                )
        axes.annotate(
            f"{stretch.versions}: {label(stretch.text, 46)}",
            (1.02, top + line),
            annotation_clip=False,
            va="center",
            fontsize=8,
        )


def _pieces(
    parameter: Parameter | None, course: Sequence[Stretch]
) -> list[tuple[float, float, str]]:
    """Left end, width and text of what to draw for one stretch; nothing where kinds are mixed."""
    every = [stretch.parameter for stretch in course if stretch.parameter]
    if isinstance(parameter, Categorical):
        if not all(isinstance(each, Categorical) for each in every):
            return []
        kinds = (each for each in every if isinstance(each, Categorical))
        choices = dict.fromkeys(text_of(choice) for each in kinds for choice in each.choices)
        texts, width = {text_of(choice) for choice in parameter.choices}, 1 / len(choices)
        return [
            (index * width, width, choice)
            for index, choice in enumerate(choices)
            if choice in texts
        ]
    numbers = [each for each in every if not isinstance(each, Categorical)]
    if parameter is None or len(numbers) < len(every):
        return []
    low, high = min(each.low for each in numbers), max(each.high for each in numbers)
    log = low > 0 and any(each.log for each in numbers)

    def at(value: float) -> float:
        if high <= low:
            return 0.5
        if log:
            return math.log(value / low) / math.log(high / low)
        return (value - low) / (high - low)

    return [(at(parameter.low), at(parameter.high) - at(parameter.low), "")]

"""Hypothesis strategies: search spaces of every shape that a study file can hold."""

from dataclasses import replace

from hypothesis import strategies as st

from tunesmith.expressions import Value
from tunesmith.parameters import Categorical, Float, Int, Parameter
from tunesmith.space import SearchSpace

_NAMES = ("x", "y", "clf.depth", "clf.rate", "prep.scale.kind", "_z")
_POSITION = st.floats(0, 1)
_CHOICES: tuple[Value, ...] = ("a", "b", "it's", "", True, False, None, 0, 1, 2, -7, 0.5, 1e-9)


@st.composite
def floats(draw: st.DrawFn) -> Float:
    """Floats: plain, on a log scale, in steps, of one value; bounds within ±1e6."""
    kind = draw(st.sampled_from(["plain", "log", "step"]))
    if kind == "log":
        low = draw(st.floats(1e-9, 1e3))
        return Float(low, low * draw(st.floats(1, 1e9)), log=True)
    low = draw(st.floats(-1e6, 1e6))
    if kind == "plain":
        return Float(low, low + draw(st.sampled_from([0.0, 1e-3, 1.0, 1e6])))
    low, step = round(low, 2), draw(st.sampled_from([0.1, 0.25, 1.0, 3.0]))
    return Float(low, low + step * draw(st.floats(0, 20)), step=step)


@st.composite
def ints(draw: st.DrawFn) -> Int:
    """Whole numbers: plain, on a log scale, in steps, of one value."""
    kind = draw(st.sampled_from(["plain", "log", "step"]))
    width = draw(st.integers(0, 1000))
    if kind == "log":
        low = draw(st.integers(1, 1000))
        return Int(low, low + width, log=True)
    low = draw(st.integers(-1000, 1000))
    return Int(low, low + width, step=draw(st.integers(1, 7)) if kind == "step" else None)


@st.composite
def categories(draw: st.DrawFn) -> Categorical:
    """Choices of all types at once, among them true beside 1; ordered or not."""
    size = draw(st.integers(1, 5))
    chosen = draw(st.permutations(_CHOICES))[:size]
    return Categorical(chosen, ordered=draw(st.booleans()))


parameters: st.SearchStrategy[Parameter] = st.one_of(floats(), ints(), categories())
"""Any parameter, without a condition."""


@st.composite
def search_spaces(draw: st.DrawFn) -> SearchSpace:
    """Spaces of one to five parameters, with dotted names, conditions and constraints."""
    found: dict[str, Parameter] = {}
    for name in draw(st.permutations(_NAMES))[: draw(st.integers(1, 5))]:
        parameter = draw(parameters)
        if draw(st.booleans()) and found:
            parent = draw(st.sampled_from(sorted(found)))
            parameter = replace(parameter, when={parent: found[parent].at(draw(_POSITION))})
        found[name] = parameter
    name = draw(st.sampled_from(sorted(found)))
    rule = draw(st.sampled_from(["none", "constraint", "forbid"]))
    value = found[name].at(draw(st.floats(0.3, 1)))
    if rule == "constraint" and not isinstance(found[name], Categorical):
        return SearchSpace(found, constraints=[f"{name} <= {value!r}"])
    if rule == "forbid" and found[name].levels != 1:
        return SearchSpace(found, forbid=[{name: value}])
    return SearchSpace(found)

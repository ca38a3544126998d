"""What logged texts are taken for: types, scales, steps, conditions, names."""

import math
from random import Random
from typing import Any

import pytest

from tunesmith.errors import ConfigError
from tunesmith.parameters import Categorical, Float, Int, Parameter
from tunesmith.trial import LoggedRun, TrialState
from tunesmith_agent.foreign._scales import is_log
from tunesmith_agent.foreign.distributions import parameter_of
from tunesmith_agent.foreign.inference import Inferred, infer
from tunesmith_agent.foreign.names import aliases
from tunesmith_agent.foreign.texts import value_of


def logged(rows: list[dict[str, Any]], state: TrialState = TrialState.COMPLETE) -> list[LoggedRun]:
    """A run for each row of params; None in a row stands for a param that was not logged."""
    return [
        LoggedRun(
            f"{state}-{index}",
            {name: str(value) for name, value in row.items() if value is not None},
            {"loss": 0.1},
            state,
            started=float(index),
        )
        for index, row in enumerate(rows)
    ]


def infer_rows(rows: list[dict[str, Any]]) -> Inferred:
    return infer(logged(rows), [])


def of(values: list[Any]) -> Parameter:
    """What the values of one param are taken for."""
    return infer_rows([{"x": value} for value in values]).space.parameters["x"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-3", -3),
        ("3.0", 3.0),
        ("1e-05", 1e-05),
        (".5", 0.5),
        ("True", True),
        ("false", False),
        ("None", None),
        ("null", None),
        ("", ""),
        ("nan", "nan"),
        ("inf", "inf"),
        ("1e999", "1e999"),
        ("1_000", "1_000"),
        ("٣", "٣"),
        ("9" * 20, 1e20),
        ("9" * 5000, "9" * 5000),
        ("\ud800", "?"),
    ],
)
def test_a_text_is_a_number_a_word_or_a_text(text: str, value: object) -> None:
    found = value_of(text)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("values", "parameter"),
    [
        ([1, 3, 2, 7], Int(1, 7)),
        ([0.5, 1, 1.75], Float(0.5, 1.75)),
        (["1.0", "2.0", "3.0"], Float(1.0, 3.0)),
        ([True, False, True], Categorical([False, True])),
        (["adam", "sgd", "adam"], Categorical(["adam", "sgd"])),
        (["None", 3, 5, 7], Categorical([3, 5, 7, None])),
        (["sqrt", "log2", "None", 0.5], Categorical([0.5, "log2", "sqrt", None])),
        (["True", "1", "0"], Categorical([True, 0, 1])),
        (["-5", "5"], Int(-5, 5)),
        (["1e300", "1e-300"], Float(1e-300, 1e300, log=True)),
        (["5e-324", "1e-320"], Float(5e-324, 1e-320, log=True)),
    ],
)
def test_the_type_follows_from_the_values(values: list[Any], parameter: Parameter) -> None:
    assert of(values) == parameter


@pytest.mark.parametrize(
    ("values", "parameter"),
    [
        ([1.0668e-05, 0.00036, 0.0121114], Float(1.06e-05, 0.0122, log=True)),
        ([-12345.6, -6000.0, 0.0], Float(-12400.0, 0.0)),
        ([0.1234, 0.5, 0.99987], Float(0.123, 0.99987)),  # 1 may be no share any more
        ([-1.2345e-320, 1e300], Float(-1.2345e-320, 1e300)),
    ],
)
def test_bounds_are_rounded_outwards(values: list[Any], parameter: Parameter) -> None:
    assert of(values) == parameter


@pytest.mark.parametrize(
    ("values", "parameter"),
    [
        ([16, 32, 64, 128], Int(16, 128, log=True)),
        ([50, 100, 200], Int(50, 200, log=True)),
        ([50, 100, 150, 300], Int(50, 300, step=50)),
        ([1, 3, 5, 7, 9, 11, 13, 15], Int(1, 15, step=2)),
        ([3, 5, 9], Int(3, 9)),  # a common divisor of two may be an accident
        ([1, 250, 500, 750, 1000], Int(1, 1000)),
        ([1, 100], Int(1, 100)),
        ([1, 101], Int(1, 101, log=True)),
        ([1e-4, 1e-3, 1e-2], Float(1e-4, 1e-2, log=True)),
        ([0.1, 0.2, 0.5, 1, 2, 5], Float(0.1, 5, log=True)),
        ([0.1, 0.2, 0.3, 0.4], Float(0.1, 0.4)),
        ([0.0, 0.001, 1000], Float(0, 1000)),
    ],
)
def test_a_grid_tells_its_scale_or_its_step(values: list[Any], parameter: Parameter) -> None:
    assert of(values) == parameter


def drawn(kind: str, low: float, high: float, count: int, seed: int) -> list[float]:
    random = Random(seed)
    if kind == "log":
        return [math.exp(random.uniform(math.log(low), math.log(high))) for _ in range(count)]
    return [random.uniform(low, high) for _ in range(count)]


@pytest.mark.parametrize(
    ("kind", "low", "high", "whole"),
    [
        ("log", 1e-5, 1e-1, False),
        ("log", 0.01, 1, False),
        ("log", 1, 1000, True),
        ("linear", 0, 1, False),
        ("linear", 0.001, 0.5, False),
        ("linear", 1, 20, True),
        ("linear", 1, 1000, True),
    ],
)
@pytest.mark.parametrize("count", [30, 200])
def test_the_scale_that_values_were_drawn_on_is_found(
    kind: str, low: float, high: float, whole: bool, count: int
) -> None:
    right = 0
    for seed in range(100):
        values = drawn(kind, low, high, count, seed)
        log, _ = is_log([round(value) for value in values] if whole else values)
        right += log == (kind == "log")
    assert right >= 95


def test_values_that_a_sampler_crowds_are_judged_by_their_reach() -> None:
    random = Random(0)
    crowded = [10 ** random.gauss(-3, 0.2) for _ in range(60)]
    assert is_log([*crowded, 1e-6, 1.0])[0]
    assert not is_log([random.gauss(5, 0.3) for _ in range(60)])[0]


def test_a_name_is_kept_where_a_space_can_hold_it_else_changed_without_clashes() -> None:
    found = aliases(["lr-max", "lr_max", "lr max", "clf__C", "a.b", "9x", "größe", "", "..", "a b"])
    assert found == {
        "lr-max": "lr_max_2",
        "lr_max": "lr_max",
        "lr max": "lr_max_3",
        "clf__C": "clf__C",
        "a.b": "a.b",
        "9x": "_9x",
        "größe": "größe",
        "": "_",
        "..": "_._._",
        "a b": "a_b",
    }


def test_another_name_is_told() -> None:
    found = infer_rows([{"lr-max": 1}, {"lr-max": 2}])
    assert list(found.space.parameters) == ["lr_max"]
    assert found.columns["lr_max"].name == "lr-max"
    assert "'lr-max' is called lr_max" in found.told


def numbered(count: int, **params: Any) -> list[dict[str, Any]]:
    return [{"x": index, **{k: v(index) for k, v in params.items()}} for index in range(count)]


def test_what_does_not_vary_is_left_out_and_listed() -> None:
    found = infer_rows(numbered(6, trees=lambda _: 100, kind=lambda _: "gini"))
    assert list(found.space.parameters) == ["x"]
    assert "left out, constant: kind = 'gini', trees = 100" in found.told


def test_equal_numbers_that_are_written_differently_are_one() -> None:
    found = infer_rows(numbered(4, lr=lambda i: ["0.1", "0.10", "1e-1", ".1"][i]))
    assert list(found.space.parameters) == ["x"]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("random_state", lambda i: i, "is a seed"),
        ("model__random_state", lambda i: i, "is a seed"),
        ("seed", lambda i: i, "is a seed"),
        ("began", lambda i: 1_790_000_000 + i, "is a time"),
        ("began", lambda i: 1_790_000_000_000.5 + i, "is a time"),
        ("folder", lambda i: f"out/{i}", "is different in every run"),
        ("when", lambda i: f"2026-01-{i // 2:02}", "has 20 different values"),
        ("code", lambda i: "abc"[i % 3] * 300, "has texts of more than 200 characters"),
        ("wide", lambda i: [-1e308, 1e308][i % 2], "fits no range: "),
    ],
)
def test_what_is_nothing_to_tune_is_left_out_with_the_reason(
    name: str, value: Any, reason: str
) -> None:
    found = infer_rows(numbered(40, **{name: value}))
    assert list(found.space.parameters) == ["x"]
    assert any(line.startswith(f"left out: {name} {reason}") for line in found.told), found.told


def test_null_among_many_numbers_counts_as_no_value() -> None:
    rows = numbered(30, depth=lambda i: "None" if i in (3, 4) else 2 * i + i % 3)
    found = infer_rows(rows)
    assert isinstance(found.space.parameters["depth"], Int)
    assert any("null among its numbers is taken as no value" in line for line in found.told)
    read = [found.params_of(run) for run in logged(rows)]
    assert [index for index, params in enumerate(read) if params is None] == [3, 4]


def test_a_single_text_among_numbers_is_a_slip_but_null_is_a_choice() -> None:
    slip = infer_rows(numbered(20, depth=lambda i: "see notes" if i == 7 else 2 + i % 4))
    assert slip.space.parameters["depth"] == Int(2, 5)
    null = infer_rows(numbered(20, depth=lambda i: "None" if i == 7 else 2 + i % 4))
    assert null.space.parameters["depth"] == Categorical([2, 3, 4, 5, None])


def test_a_run_that_is_left_aside_does_not_decide_a_type() -> None:
    rows = numbered(30, depth=lambda i: "deep" if i in (3, 4) else 2 + i % 4, y=lambda i: i)
    for index in (3, 4, 5):
        del rows[index]["y"]
    assert infer_rows(rows).space.parameters["depth"] == Int(2, 5)


def test_a_param_that_a_choice_brings_along_gets_a_condition() -> None:
    rows = [
        {"booster": kind, "depth": i % 7, "rate_drop": i / 30 if kind == "dart" else None}
        for i, kind in enumerate(["dart", "gbtree", "gblinear"] * 10)
    ]
    found = infer_rows(rows)
    assert found.space.parameters["rate_drop"].when == "booster == 'dart'"
    assert all(found.params_of(run) is not None for run in logged(rows))
    assert any("rate_drop, only when booster == 'dart'" in line for line in found.told)


def test_a_count_that_brings_params_along_gets_a_threshold() -> None:
    rows = [{"layers": 1 + i % 3, "units_0": i, "units_1": i if i % 3 else None} for i in range(30)]
    assert infer_rows(rows).space.parameters["units_1"].when == "layers >= 2"


def test_conditions_follow_one_another() -> None:
    rows = [
        {
            "model": "svm" if i % 2 else "tree",
            "kernel": (kernel := "rbf" if i % 4 == 1 else "linear") if i % 2 else None,
            "gamma": i / 10 if i % 2 and kernel == "rbf" else None,
        }
        for i in range(40)
    ]
    space = infer_rows(rows).space
    assert space.parameters["kernel"].when == "model == 'svm'"
    assert space.parameters["gamma"].when == "kernel == 'rbf'"


def test_a_param_whose_name_no_formula_can_hold_decides_nothing() -> None:
    rows = [{"lambda": "ab"[i % 2], "x": i, "y": i if i % 2 else None} for i in range(20)]
    found = infer_rows(rows)
    assert set(found.space.parameters) == {"lambda", "x"}


def test_a_param_that_few_runs_lack_costs_those_runs() -> None:
    rows = numbered(30, momentum=lambda i: None if i in (4, 17) else i / 30)
    found = infer_rows(rows)
    assert set(found.space.parameters) == {"x", "momentum"}
    assert sum(found.params_of(run) is None for run in logged(rows)) == 2


def test_a_param_that_most_runs_lack_is_left_out() -> None:
    rows = numbered(30, momentum=lambda i: i / 30 if i in (4, 17, 23) else None)
    found = infer_rows(rows)
    assert set(found.space.parameters) == {"x"}
    assert any("left out: momentum, which only 3 of 30 runs have" in line for line in found.told)
    assert all(found.params_of(run) is not None for run in logged(rows))


def test_what_gets_constant_once_runs_are_set_aside_is_left_out_too() -> None:
    rows = [{"x": i, "y": i * i, "z": i, "k": "a" if i != 4 else "b"} for i in range(20)]
    del rows[4]["y"]
    found = infer_rows(rows)
    assert set(found.space.parameters) == {"x", "y", "z"}
    assert any("constant in the 19 runs that have all params: k = 'a'" in t for t in found.told)


def test_what_failed_runs_tried_belongs_to_the_ranges() -> None:
    failed = logged([{"lr": 50.0, "kind": "c"}, {"lr": "oops", "kind": "a"}], TrialState.FAILED)
    rows = [{"lr": 0.5 + i % 4, "kind": "ab"[i % 2]} for i in range(10)]
    found = infer(logged(rows), failed)
    assert found.space.parameters == {
        "kind": Categorical(["a", "b", "c"]),
        "lr": Float(0.5, 50.0),
    }
    assert [found.params_of(run) for run in failed] == [{"kind": "c", "lr": 50.0}, None]


def test_nothing_that_varies_is_a_mistake_in_plain_words() -> None:
    with pytest.raises(ConfigError, match=r"nothing varies over 5 runs.*constant: trees = 100"):
        infer_rows([{"trees": 100}] * 5)
    with pytest.raises(ConfigError, match=r"nothing varies over 2 runs.*no params"):
        infer(logged([{}, {}]), [])


@pytest.mark.parametrize(
    ("texts", "parameter"),
    [
        (
            ["FloatDistribution(high=0.1, log=True, low=1e-05, step=None)"],
            Float(1e-05, 0.1, log=True),
        ),
        (["FloatDistribution(high=1.0, log=False, low=0.0, step=0.1)"], Float(0, 1, step=0.1)),
        (["IntDistribution(high=10, log=False, low=1, step=1)"], Int(1, 10)),
        (["IntDistribution(high=10, log=False, low=2, step=2)"], Int(2, 10, step=2)),
        (["IntDistribution(high=99, log=True, low=1, step=1)"], Int(1, 99, log=True)),
        (
            [
                "IntDistribution(high=10, log=False, low=3, step=1)",
                "IntDistribution(high=8, log=False, low=1, step=1)",
            ],
            Int(1, 10),
        ),
        (
            ["CategoricalDistribution(choices=('a, (b)', \"it's\", 1, 0.5, True, None, ''))"],
            Categorical([True, 0.5, 1, "", "a, (b)", "it's", None]),
        ),
        (["CategoricalDistribution(choices=(16,))"], Categorical([16])),
        (["CategoricalDistribution(choices=(<object object>,))"], None),
        (["CategoricalDistribution(choices=('\\n',))"], None),
        (["FloatDistribution(high=inf, log=False, low=0.0, step=None)"], None),
        (["FloatDistribution(high=1.0, log=False, low=5.0, step=None)"], None),
        (["__import__('os').system('true')"], None),
        (["FloatDistribution(high=0.1, log=..."], None),
        (["IntDistribution(high=10, log=False, low=1, step=1)", "what"], None),
        ([], None),
    ],
)
def test_distributions_of_optuna_are_read(texts: list[str], parameter: Parameter | None) -> None:
    assert parameter_of(texts) == parameter


def test_what_optuna_says_goes_before_the_values() -> None:
    said = {
        "lr_distribution": "FloatDistribution(high=0.1, log=True, low=1e-05, step=None)",
        "batch_distribution": "CategoricalDistribution(choices=(16, 32, '64'))",
    }
    runs = [
        LoggedRun(str(i), {"lr": text, "batch": batch}, {}, TrialState.COMPLETE, tags=said)
        for i, (text, batch) in enumerate([("0.01", "16"), ("0.02", "64"), ("0.03", "32")])
    ]
    found = infer(runs, [])
    assert found.space.parameters == {
        "batch": Categorical([16, 32, "64"]),
        "lr": Float(1e-05, 0.1, log=True),
    }
    assert found.params_of(runs[1]) == {"batch": "64", "lr": 0.02}
    assert all("as Optuna's distribution says" in line for line in found.told)


def test_what_contradicts_optunas_tags_is_read_by_its_values() -> None:
    said = {"x_distribution": "FloatDistribution(high=1.0, log=False, low=0.0, step=None)"}
    runs = [
        LoggedRun(str(i), {"x": str(i * 3)}, {}, TrialState.COMPLETE, tags=said) for i in range(4)
    ]
    assert infer(runs, []).space.parameters["x"] == Int(0, 9)

"""What is said about the hyperparameters."""

import math
from pathlib import Path
from random import Random

import pytest

from tunesmith.finished import Finished
from tunesmith.parameters import Categorical, Float
from tunesmith.space import SearchSpace
from tunesmith.testing.rounds import LOSS, make_round
from tunesmith.trial import Round
from tunesmith_explain._model import Limits
from tunesmith_explain._report import write_report
from tunesmith_explain._tuning import explain_tuning


def summary(folder: Path, round: Round) -> str:
    limits = Limits(rows=40, local=1, predictions=20_000, seed=1)
    return " ".join(write_report("demo", Finished(round), folder, limits).summary)


def space() -> SearchSpace:
    return SearchSpace(
        {
            "kind": Categorical(["a", "b", "c"]),
            "rate": Float(1e-4, 1, log=True),
            "noise": Float(0, 1),
            "c.depth": Float(0, 1, when={"kind": "c"}),
        }
    )


def tuned(count: int, loss: object) -> Round:
    return make_round(count, space(), (LOSS,), lambda _, params: {"loss": loss(params)})


def test_the_hyperparameter_that_does_nothing_comes_last() -> None:
    bonus = {"a": 0.0, "b": 1.0, "c": 3.0}
    found = explain_tuning(tuned(80, lambda p: abs(math.log10(p["rate"])) + bonus[p["kind"]]))
    order = [found.effects.names[column] for column in found.effects.top(4)]
    assert set(order[:2]) == {"kind", "rate"}
    assert found.rho > 0.8
    assert found.better["rate"] == "larger is better"
    assert found.better["kind"] == "best: a"


def test_a_parameter_that_is_absent_does_not_take_the_credit_of_its_condition() -> None:
    found = explain_tuning(tuned(80, lambda p: 1.0 if p["kind"] == "c" else 0.0))
    shares = dict(zip(found.effects.names, found.effects.shares, strict=True))
    assert shares["kind"] > 0.9
    assert shares["c.depth"] < 0.03


def test_a_conditional_parameter_counts_where_it_applies() -> None:
    found = explain_tuning(tuned(120, lambda p: 5 * p.get("c.depth", 0.5)))
    order = [found.effects.names[column] for column in found.effects.top(4)]
    assert set(order[:2]) == {"kind", "c.depth"}
    assert found.better["c.depth"] == "smaller is better"


def test_noise_explains_nothing_and_that_is_said(tmp_path: Path) -> None:
    random = Random(3)
    found = summary(tmp_path, tuned(60, lambda p: random.random()))
    assert "Which hyperparameters made the loss cannot be told: a forest over" in found
    assert not (tmp_path / "tuning.png").exists()


@pytest.mark.parametrize(
    ("count", "why"),
    [(0, "only 0 trials have a score"), (1, "only 1 trial has a score"), (9, "only 8 trials")],
)
def test_too_few_trials_are_said(tmp_path: Path, count: int, why: str) -> None:
    assert why in summary(tmp_path, tuned(count, lambda p: p["rate"]))

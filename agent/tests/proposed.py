"""A history and a proposal made by hand, with every kind of parameter and of edit."""

import math
from random import Random

from tunesmith.edits import prepared
from tunesmith.history import History, Reviewed
from tunesmith.parameters import Categorical, Float, Int
from tunesmith.proposals import (
    AddConstraint,
    DropChoice,
    Evidence,
    Narrow,
    Note,
    Proposal,
    SetScale,
    Source,
    Tier,
    Told,
    WhatIf,
    Widen,
)
from tunesmith.space import SearchSpace
from tunesmith.trial import Direction, Goal, Round, Trial, TrialState

MADE = 1_790_000_000.0
SPACE = SearchSpace(
    {
        "learning_rate": Float(0.0001, 0.01, log=True, default=0.001),
        "l2": Float(0.001, 10.0),
        "max_depth": Int(1, 12, default=6),
        "optimizer": Categorical(["adam", "sgd", "lion"], default="adam"),
        "momentum": Float(0, 0.99, when={"optimizer": "sgd"}),
    }
)
GOALS = (Goal("accuracy", Direction.MAXIMIZE),)
EDITS = (
    Widen(
        parameter="learning_rate",
        high=0.1,
        why="The best trials crowd the upper end, and the model still slopes upwards there.",
        evidence=("E001",),
        stability=0.97,
        effect="about 0.02 more accuracy",
        what_if=WhatIf(
            best_kept=10, best_of=10, volume=1.5, better_inside=0.12, better_before=0.07
        ),
    ),
    DropChoice(
        parameter="optimizer",
        choices=("sgd",),
        why="None of its trials is among the best.",
        evidence=("E002",),
        stability=0.9,
    ),
    Narrow(parameter="max_depth", low=3, tier=Tier.WORTH_TESTING, evidence=("E001", "E003")),
    SetScale(parameter="l2", log=True, source=Source.LLM, why="Penalties live on a log scale."),
    AddConstraint(forbid="max_depth > 10 and l2 < 0.01", why="Most of these fail."),
)
EVIDENCE = (
    Evidence(
        id="E001",
        kind="edge",
        parameters=("learning_rate",),
        numbers={"p_value": 0.00123456, "slope": 0.5},
        trials=12,
        coverage=(5, 5, 4, 6, 5, 5, 5, 5, 4, 6),
        sentence="9 of the 10 best trials lie in the upper tenth of learning_rate.",
    ),
    Evidence(id="E002", kind="choice", trials=20, sentence="No good trial has optimizer = sgd."),
    Evidence(id="E003", kind="region", trials=14, sentence="No good trial has max_depth < 3."),
    Evidence(id="E004", kind="importance", trials=50, sentence="momentum hardly matters."),
)
NOTES = (
    Note(
        kind="not enough evidence",
        sentence="momentum was tried too rarely.",
        evidence=("E002",),
        trials=12,
    ),
)


def trials(count=50, seed=0):
    """Trials that are best at a high learning rate, with adam."""
    random = Random(seed)
    found = []
    for number in range(count):
        params = SPACE.sample(random)
        value = math.log10(params["learning_rate"]) / 10 - 0.1 * (params["optimizer"] == "sgd")
        state = TrialState.FAILED if number % 10 == 9 else TrialState.COMPLETE
        metrics = {"accuracy": 1 + value} if state is TrialState.COMPLETE else {}
        found.append(Trial(number, 1, params, state, metrics, finished=MADE - count + number))
    return found


def history(rows=None, space=SPACE, **options):
    round = Round(
        1, 1, space, {"use": "tpe"}, {}, GOALS, 0, {}, trials=trials() if rows is None else rows
    )
    return History("demo", space, 1, space, GOALS, rounds=[round], **options)


def proposal(edits=EDITS, space=SPACE, **options):
    told = Told(share=0.2, why="old trials would pin it")
    values = {
        "study": "demo",
        "number": 1,
        "advisor": "statistical",
        "advisor_version": "0.1.0",
        "space_version": 1,
        "space": space.fingerprint,
        "snapshot": "ab" * 32,
        "seed": 0,
        "made": MADE,
        "evidence": EVIDENCE,
        "edits": prepared(space, edits),
        "notes": NOTES,
        "told": told,
        "what_if": WhatIf(best_kept=9, best_of=10, volume=0.8),
    }
    return Proposal(**(values | options))


def reviewed(*decisions, **options):
    return Reviewed(proposal(**options), decisions)

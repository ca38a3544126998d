"""How long evidence and a draft take, and how much memory, as a study grows.

    uv run python benchmarks/advisor_speed.py [--profile]

Each size has a process of its own with one thread, imports not counted; seconds are of the
processor, for a busy machine stretches the others. The peer is Optuna's own fANOVA importance
of the same trials: the longer it takes, the smaller our share.
"""

import argparse
import cProfile
import json
import math
import os
import pstats
import resource
import subprocess
import sys
import time
from random import Random
from typing import Any

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[threads] = "1"

SIZES = ((100, 20), (2_000, 20), (10_000, 20))
PEER_TRIALS = 2_000


def space(count: int) -> Any:
    from tunesmith.parameters import Categorical, Float, Int
    from tunesmith.space import SearchSpace

    kinds = (
        lambda: Float(1e-4, 1, log=True),
        lambda: Float(0, 1),
        lambda: Int(1, 64, log=True),
        lambda: Categorical(["a", "b", "c", "d"]),
    )
    return SearchSpace({f"p{index}": kinds[index % 4]() for index in range(count)})


def history(trials: int, parameters: int) -> Any:
    """Scores that five parameters drive, with noise; trials fail in a corner, or crowd it."""
    from tunesmith.history import History
    from tunesmith.trial import Direction, Goal, Round, Trial, TrialState

    random, searched = Random(0), space(parameters)
    goals = (Goal("loss", Direction.MINIMIZE),)
    weights = [2.0, 1.5, 1.0, 0.5, 0.5]
    found = []
    best: tuple[float, dict[str, float]] = (math.inf, {})
    for number in range(trials):
        places = {name: random.random() for name in searched.parameters}
        if best[1] and random.random() < 0.5:
            places = {name: min(max(random.gauss(at, 0.2), 0), 1) for name, at in best[1].items()}
        params = searched.at(places)
        first = list(places.values())[: len(weights)]
        loss = sum(w * (at - 0.7) ** 2 for w, at in zip(weights, first, strict=False))
        loss += random.gauss(0, 0.1)
        if places["p1"] > 0.9 and places["p4"] > 0.7:
            found.append(Trial(number, 1, params, TrialState.FAILED))
            continue
        best = min(best, (loss, places), key=lambda pair: pair[0])
        found.append(Trial(number, 1, params, TrialState.COMPLETE, {"loss": loss}))
    round = Round(1, 1, searched, {"use": "tpe"}, {}, goals, 0, {}, trials=found)
    return History("speed", searched, 1, searched, goals, rounds=[round])


def advise(trials: int, parameters: int, profile: bool) -> dict[str, float]:
    import sklearn.tree  # noqa: F401 - imported before the clock runs, as is the rest

    from tunesmith_agent.statistical import Statistical

    Statistical().advise(history(40, 5))
    given = history(trials, parameters)
    profiler = cProfile.Profile()
    if profile:
        profiler.enable()
    began = time.process_time()
    draft = Statistical().advise(given)
    seconds = time.process_time() - began
    if profile:
        profiler.disable()
        pstats.Stats(profiler, stream=sys.stderr).sort_stats("cumulative").print_stats(25)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if mac() else 2**10)
    return {"seconds": seconds, "megabytes": memory, "edits": len(draft.edits)}


def mac() -> bool:
    """Whether memory is told in bytes instead of kilobytes."""
    return sys.platform == "darwin"


def peer(trials: int, parameters: int, profile: bool) -> dict[str, float]:
    import optuna
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    from tunesmith.trial import TrialState

    given = history(trials, parameters)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study()
    for trial in given.trials:
        if trial.state is TrialState.COMPLETE:
            params: dict[str, Any] = {}
            kinds: dict[str, Any] = {}
            for name, parameter in given.space.parameters.items():
                choices = parameter.type == "categorical"
                value = trial.params[name]
                params[name] = value if choices else parameter.position(value)
                kinds[name] = (
                    CategoricalDistribution(parameter.choices)
                    if choices
                    else FloatDistribution(0, 1)
                )
            study.add_trial(
                optuna.trial.create_trial(
                    params=params, distributions=kinds, value=trial.metrics["loss"]
                )
            )
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    began = time.process_time()
    optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {"seconds": time.process_time() - began}


def alone(what: str, trials: int, parameters: int, profile: bool) -> dict[str, float]:
    """The figures of one size, from a fresh process."""
    command = [sys.executable, __file__, "--one", what, str(trials), str(parameters)]
    command += ["--profile"] if profile else []
    found = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    figures: dict[str, float] = json.loads(found)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", action="store_true", help="where the time goes")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        what, *size = options.one
        measure = {"advise": advise, "peer": peer}[what]
        print(json.dumps(measure(*map(int, size), options.profile)))
        return
    for trials, parameters in SIZES:
        found = alone("advise", trials, parameters, options.profile)
        line = (
            f"{trials} trials x {parameters} parameters: {found['seconds']:.2f} s, "
            f"{found['megabytes']:.0f} MB, {found['edits']:.0f} edits"
        )
        if trials == PEER_TRIALS:
            other = alone("peer", trials, parameters, False)
            line += f"; Optuna's fANOVA alone {other['seconds']:.2f} s"
            line += f", ours {found['seconds'] / other['seconds']:.2f} of it"
        print(line, flush=True)


if __name__ == "__main__":
    main()

"""What MLflow tracking costs, against optuna-integration's MLflowCallback and mlflow.search_runs.

    uv run python benchmarks/tracking.py [--trials 200] [--repeats 3] [--history 10000]

Every measurement has a process of its own, with MLflow imported and an empty SQLite store on disk
made beforehand; variants take turns, and the best of each counts. A trial has 5 params and 3
metrics and burns some 10 ms in Python, so that a tracker that holds the interpreter is felt.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

NAMES = ("a", "b", "c", "d", "e")
METRICS = ("loss", "accuracy", "seconds")
WORK = 150_000


def train(params: dict[str, Any]) -> dict[str, float]:
    total = sum(index * index for index in range(WORK)) % 7
    loss = sum(float(params[name]) for name in NAMES) + total
    return {"loss": loss, "accuracy": 1 / (1 + loss), "seconds": 0.01}


def optuna_loop(folder: Path, count: int, tracked: bool) -> dict[str, float]:
    """`study.optimize` in memory, with or without the callback."""
    import optuna
    from optuna_integration import MLflowCallback

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    callback = MLflowCallback(uri(folder), list(METRICS), mlflow_kwargs={"nested": True})

    def objective(trial: Any) -> tuple[float, ...]:
        found = train({name: trial.suggest_float(name, 0, 1) for name in NAMES})
        return tuple(found[name] for name in METRICS)

    study = optuna.create_study(
        sampler=optuna.samplers.RandomSampler(seed=1),
        directions=["minimize", "maximize", "minimize"],
        study_name="optuna",
    )
    began = time.perf_counter()
    study.optimize(objective, n_trials=count, callbacks=[callback] if tracked else [])
    return {"loop": time.perf_counter() - began}


def tunesmith_loop(folder: Path, count: int, tracked: bool) -> dict[str, float]:
    """`tune` with its record on disk, with or without the tracker."""
    from tunesmith import Float, tune

    began = time.perf_counter()
    result = tune(
        train,
        {name: Float(0, 1) for name in NAMES},
        trials=count,
        name="tunesmith",
        store=f"sqlite:///{folder / 'tunesmith.db'}",
        trackers=[{"use": "mlflow", "uri": uri(folder)}] if tracked else [],
    )
    whole = time.perf_counter() - began
    loop = max(t.finished or 0 for t in result.trials) - min(t.started or 0 for t in result.trials)
    return {"loop": loop, "after": whole - loop}


def delivery(folder: Path, count: int, bulk: bool) -> dict[str, float]:
    """Trials a second that the tracker takes, in batches of 500."""
    from tunesmith_mlflow import Mlflow

    tracker = Mlflow(uri=uri(folder), bulk=bulk)
    study, round, trials = a_round_of(count)
    tracker.write(study, round, trials[:1])
    began = time.perf_counter()
    for start in range(0, count, 500):
        tracker.write(study, round, trials[start : start + 500])
    return {"rate": count / (time.perf_counter() - began)}


def history(folder: Path, count: int, bulk: bool) -> dict[str, float]:
    """Reading a study's trials back, and the same runs by `mlflow.search_runs`."""
    import mlflow

    from tunesmith_mlflow import Mlflow

    study, round, trials = a_round_of(count)
    Mlflow(uri=uri(folder)).write(study, round, trials)
    tracker = Mlflow(uri=uri(folder), bulk=bulk)
    began = time.process_time()
    found = tracker.history(study.name)
    read = time.process_time() - began
    assert found == trials
    mlflow.set_tracking_uri(uri(folder))
    began = time.process_time()
    frame = mlflow.search_runs(experiment_names=[study.name], max_results=50_000)
    search = time.process_time() - began
    assert len(frame) == count + 1
    return {"read": read, "search": search}


def a_round_of(count: int) -> tuple[Any, Any, Any]:
    from tunesmith import Float, SearchSpace
    from tunesmith.study import Study
    from tunesmith.trial import Direction, Round, Trial, TrialState

    space, random = SearchSpace({name: Float(0, 1) for name in NAMES}), Random(1)
    study = Study.model_validate(
        {"name": "bench", "goals": {"loss": "minimize"}, "space": space, "objective": "python"}
    )
    assert study.goals["loss"] is Direction.MINIMIZE
    round = Round(
        number=1,
        space_version=1,
        space=space,
        sampler={"use": "random"},
        objective={"use": "python"},
        goals=study.goal_list,
        seed=0,
        budget={"trials": count},
        started=1.79e9,
    )
    trials = [
        Trial(
            number=number,
            round=1,
            params=space.sample(random),
            state=TrialState.COMPLETE,
            metrics={name: random.random() for name in METRICS},
            seed=number,
            started=1.79e9 + number,
            finished=1.79e9 + number + 0.5,
        )
        for number in range(count)
    ]
    return study, round, trials


MEASURES: dict[str, Callable[[Path, int, bool], dict[str, float]]] = {
    "optuna": optuna_loop,
    "tunesmith": tunesmith_loop,
    "delivery": delivery,
    "history": history,
}


def uri(folder: Path) -> str:
    return f"sqlite:///{folder / 'mlflow.db'}"


def child(measure: str, folder: Path, count: int, flag: bool) -> None:
    """Measure in this process and print the figures as JSON."""
    warnings.simplefilter("ignore")
    from tunesmith_mlflow._environment import prepare

    prepare()
    from mlflow import MlflowClient

    MlflowClient(uri(folder)).search_experiments()
    MEASURES[measure](folder, 3, flag)  # whatever is imported late
    (folder / "tunesmith.db").unlink(missing_ok=True)
    shutil.copy(folder / "empty.db", folder / "mlflow.db")
    cpu = time.process_time()
    figures = MEASURES[measure](folder, count, flag)
    print(json.dumps(figures | {"cpu": time.process_time() - cpu}))


def measured(template: Path, measure: str, count: int, flag: bool) -> dict[str, float]:
    """The figures of one measurement in a new process on an empty store."""
    with tempfile.TemporaryDirectory(dir=template.parent) as name:
        folder = Path(name)
        shutil.copy(template, folder / "mlflow.db")
        shutil.copy(template, folder / "empty.db")
        command = [sys.executable, __file__, "--child", measure, name, str(count), str(int(flag))]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{measure} failed:\n{done.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def make_template(path: Path) -> None:
    script = f"from mlflow import MlflowClient; MlflowClient({f'sqlite:///{path}'!r})"
    subprocess.run([sys.executable, "-c", script], cwd=path.parent, check=True)


def row(what: str, ours: str, theirs: str, ratio: float, limits: tuple[float, float]) -> None:
    must, goal = limits
    verdict = "goal" if ratio <= goal else "must" if ratio <= must else "MISSED"
    print(f"{what:34} {ours:>12} {theirs:>12} {ratio:8.4f} {must:6.3f} {goal:6.3f}  {verdict}")


def compare(arguments: argparse.Namespace, template: Path) -> None:
    loops: dict[tuple[str, bool], list[dict[str, float]]] = {}
    for _ in range(arguments.repeats):
        for name in ("optuna", "tunesmith"):
            for tracked in (False, True):
                figures = measured(template, name, arguments.trials, tracked)
                loops.setdefault((name, tracked), []).append(figures)

    def added(name: str, figure: str) -> float:
        """Milliseconds a trial that tracking adds."""
        plain, tracked = (
            min(figures[figure] for figures in loops[name, flag]) for flag in (False, True)
        )
        return (tracked - plain) / arguments.trials * 1000

    print(f"{'':34} {'tunesmith':>12} {'other':>12} {'ratio':>8} {'must':>6} {'goal':>6}")
    for what, figure, limits in (
        ("added to the loop, ms a trial", "loop", (1 / 5, 1 / 50)),
        ("CPU in all, ms a trial", "cpu", (1 / 2, 1 / 20)),
    ):
        ours, theirs = added("tunesmith", figure), added("optuna", figure)
        row(what, f"{ours:.3f}", f"{theirs:.3f}", ours / theirs, limits)
    for bulk, name in ((True, "tables"), (False, "client")):
        count = arguments.history
        found = measured(template, "history", count, bulk)
        ours, theirs = found["read"], found["search"]
        label = f"history of {count} by {name}, CPU s"
        row(label, f"{ours:.3f}", f"{theirs:.3f}", ours / theirs, (1, 1 / 10))
    tables = measured(template, "delivery", 5000, True)["rate"]
    client = measured(template, "delivery", 300, False)["rate"]
    after = min(figures["after"] for figures in loops["tunesmith", True])
    plain = min(figures["after"] for figures in loops["tunesmith", False])
    print(f"delivery: {tables:.0f} trials a second into tables, {client:.0f} through the client;")
    print(f"after the last trial {after:.2f} s until all is delivered, {plain:.2f} s untracked")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--history", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, help="a folder on the disk to measure")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        measure, folder, count, flag = arguments.child
        child(measure, Path(folder), int(count), flag == "1")
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        template = Path(name, "template.db")
        make_template(template)
        compare(arguments, template)


if __name__ == "__main__":
    main()

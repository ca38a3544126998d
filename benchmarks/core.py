"""What the record costs a trial, against Optuna's own storages, and how fast a long study resumes.

    uv run python benchmarks/core.py [--trials 1000] [--history 10000]

The trials of all variants take turns of 20 in one process, so that a busy machine slows all of them
alike. A resumed study has a process of its own; its time runs from a `Tuner` to its first trial.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

TURN = 20
SPACE = {
    "a": {"type": "float", "low": -5, "high": 5},
    "b": {"type": "float", "low": 1e-3, "high": 1, "log": True},
    "c": {"type": "int", "low": 1, "high": 20},
}
Pause = Callable[[], None]


def loss(params: dict[str, Any]) -> float:
    return float(params["a"] ** 2 + params["b"] + abs(params["c"] - 7))


class Lane(threading.Thread):
    """A variant that runs while it has its turn; `seconds` is the time of its turns."""

    def __init__(self, work: Callable[[Pause], None]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self._go, self._rest = threading.Semaphore(0), threading.Semaphore(0)
        self._trials = 0
        self.seconds = 0.0
        self.done = False

    def run(self) -> None:
        self._go.acquire()
        try:
            self._work(self._pause)
        finally:
            self.done = True
            self._rest.release()

    def _pause(self) -> None:
        self._trials += 1
        if self._trials % TURN == 0:
            self._rest.release()
            self._go.acquire()

    def turn(self) -> None:
        started = time.perf_counter()
        self._go.release()
        self._rest.acquire()
        self.seconds += time.perf_counter() - started


def with_tunesmith(folder: Path, sampler: str, trials: int, pause: Pause) -> None:
    from tunesmith.hookspecs import hookimpl
    from tunesmith.loop import run
    from tunesmith.objectives import Function

    class Listener:
        @hookimpl
        def trial_finished(self, study: Any, trial: Any) -> None:
            pause()

    study = make_study(folder, sampler, trials)
    result = run(study, Function(function=loss), listeners=[Listener()])
    assert result.new_trials == trials


def with_optuna(storage: str | None, trials: int, pause: Pause) -> None:
    import optuna

    def objective(trial: optuna.Trial) -> float:
        a = trial.suggest_float("a", -5, 5)
        b = trial.suggest_float("b", 1e-3, 1, log=True)
        return loss({"a": a, "b": b, "c": trial.suggest_int("c", 1, 20)})

    study = optuna.create_study(storage=storage, sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(objective, n_trials=trials, callbacks=[lambda *_: pause()])


def make_study(folder: Path, sampler: str, trials: int) -> Any:
    from tunesmith.plugins import installed
    from tunesmith.study import check_study

    data = {
        "name": "benchmark",
        "goals": {"loss": "minimize"},
        "space": {"parameters": SPACE},
        "objective": {"use": "function", "function": "loss"},
        "executor": "inline",
        "sampler": sampler,
        "budget": {"trials": trials},
    }
    return check_study(data, folder, installed(), given=("objective",))


def race(folder: Path, trials: int) -> dict[str, float]:
    """Seconds of every variant."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    lanes = {
        "tunesmith tpe": Lane(lambda pause: with_tunesmith(folder, "tpe", trials, pause)),
        "tunesmith random": Lane(
            lambda pause: with_tunesmith(folder / "random", "random", trials, pause)
        ),
        "optuna in memory": Lane(lambda pause: with_optuna(None, trials, pause)),
        "optuna on sqlite": Lane(
            lambda pause: with_optuna(f"sqlite:///{folder / 'optuna.db'}", trials, pause)
        ),
    }
    for name in ("random", "warm"):
        (folder / name).mkdir()
    with_tunesmith(folder / "warm", "tpe", 1, lambda: None)  # imports are not a trial's cost
    for lane in lanes.values():
        lane.start()
    while waiting := [lane for lane in lanes.values() if not lane.done]:
        for lane in waiting:
            lane.turn()
    return {name: lane.seconds for name, lane in lanes.items()}


def write_history(folder: Path, sampler: str, count: int) -> None:
    """A record of `count` finished trials, written in one go."""
    from sqlalchemy import insert

    from tunesmith import tables
    from tunesmith.objectives import Function
    from tunesmith.trial import TrialState
    from tunesmith.tuner import Tuner

    study = make_study(folder, sampler, count + 100)
    with Tuner(study, Function(function=loss)) as tuner:
        first = tuner.ask()
        assert first is not None
        tuner.tell(first, 1.0)
        rows = []
        for number in range(1, count):
            params = study.space.sample(Random(number))
            score = {"loss": loss(params), "seconds": 0.5, "accuracy": 1 / (1 + loss(params))}
            trial = replace(first, number=number, params=params, metrics=score)
            trial = replace(trial, state=TrialState.COMPLETE, finished=time.time())
            key = {
                "study": tuner.record.study,
                "number": number,
                "round": 1,
                "sequence": number + 1,
            }
            rows.append(tables.trial_values(trial) | key)
        with tuner.record.store.begin() as connection:
            connection.execute(insert(tables.trials), rows)


def resume(folder: Path, sampler: str, count: int) -> dict[str, float]:
    """Seconds until the first new trial, and the peak memory of this process in MB."""
    from tunesmith.objectives import Function
    from tunesmith.tuner import Tuner

    study = make_study(folder, sampler, count + 100)
    started, cpu = time.perf_counter(), time.process_time()
    with Tuner(study, Function(function=loss)) as tuner:
        trial = tuner.ask()
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        assert trial is not None and trial.number == count
        tuner.tell(trial, 1.0)
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    return {"seconds": seconds, "cpu": cpu, "memory": peak}


def resume_elsewhere(folder: Path, sampler: str, count: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--resume", str(folder), sampler, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def line(what: str, value: float, unit: str, must: float, goal: float | None = None) -> bool:
    wanted = "" if goal is None else f"{goal:8.2f}"
    verdict = "ok" if value <= must else "MISSED"
    reached = "" if goal is None else ("goal reached" if value <= goal else "goal not reached")
    print(f"{what:52} {value:8.2f} {unit:6} {must:8.2f} {wanted:8}  {verdict} {reached}")
    return value <= must


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=1_000)
    parser.add_argument("--history", type=int, default=10_000)
    parser.add_argument("--resume", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.resume:
        folder, sampler, count = options.resume
        print(json.dumps(resume(Path(folder), sampler, int(count))))
        return
    with tempfile.TemporaryDirectory() as name:
        seconds = race(Path(name), options.trials)
    for variant, total in seconds.items():
        print(
            f"{variant:20} {total:8.2f} s for {options.trials} trials, "
            f"{1e3 * total / options.trials:8.2f} ms each"
        )
    print(f"\n{'':52} {'found':>8} {'':6} {'must':>8} {'goal':>8}")
    ours, disk = seconds["tunesmith tpe"], seconds["optuna on sqlite"]
    held = [
        line(
            "time against Optuna on sqlite",
            ours / disk,
            "x",
            0.5,
            (seconds["optuna in memory"] + 0.005 * options.trials) / disk,
        )
    ]
    for sampler in ("random", "tpe"):
        with tempfile.TemporaryDirectory() as name:
            write_history(Path(name), sampler, options.history)
            found = resume_elsewhere(Path(name), sampler, options.history)
        what = f"{sampler}: {options.history} trials resumed"
        held.append(line(f"{what}, wall ({found['cpu']:.2f} s CPU)", found["seconds"], "s", 2))
        held.append(line(f"{what}, peak memory", found["memory"], "MB", 300))
    sys.exit(not all(held))


if __name__ == "__main__":
    main()

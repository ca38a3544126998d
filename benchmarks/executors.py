"""How many trials a second? A trial of 1 ms on two workers, the record on, against bare pools.

    uv run --with loky --with 'ray[tune]' python benchmarks/executors.py [--trials 1000]

Each arm runs alone, in a process of its own, one after the other in several rounds; the rate counts
from its first result to its last, so without the start of workers. Shown are the median rate, the
slowest and the quickest round, and the ratios that have to hold.
"""

import argparse
import inspect
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"
WORKERS, MANY = 2, 16
RATIOS = (
    ("tunesmith processes", "ray tune", 50.0),
    ("tunesmith processes", "optuna n_jobs=2 on sqlite", 10.0),
    ("tunesmith processes", "bare loky", 0.5),
    ("tunesmith ray", "ray tune", 20.0),
    ("tunesmith dask, 16 in flight", "bare dask, map of all", 0.5),
    ("tunesmith dask, 16 in flight", "bare dask, 16 in flight", 0.5),
    ("tunesmith dask, two in flight", "bare dask, two in flight", 0.5),
)


def objective(params: dict) -> float:  # type: ignore[type-arg]
    time.sleep(0.001)
    return float(params["x"]) ** 2


def ours(executor: dict[str, Any], trials: int) -> float:
    from tunesmith.hookspecs import hookimpl
    from tunesmith.loop import run
    from tunesmith.plugins import installed
    from tunesmith.study import check_study

    times = []

    class Clock:
        @hookimpl
        def trial_finished(self, study: Any, trial: Any) -> None:
            times.append(time.perf_counter())

    data = {
        "name": "rate",
        "goals": {"loss": "minimize"},
        "space": {"parameters": {"x": {"type": "float", "low": -1, "high": 1}}},
        "objective": {"use": "python", "function": "rated:objective"},
        "executor": executor,
        "budget": {"trials": trials},
    }
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "rated.py").write_text(f"import time\n{inspect.getsource(objective)}")
        result = run(check_study(data, Path(folder), installed()), listeners=[Clock()])
    assert result.new_trials == trials
    failed = [trial.error for trial in result.trials if not trial.metrics]
    assert not failed, failed[:3]
    return rate(times)


def rate(times: Sequence[float]) -> float:
    """Results a second; the first tenth of them may wait for workers."""
    warm = times[len(times) // 10 :]
    return (len(warm) - 1) / (warm[-1] - warm[0])


def pool(trials: int) -> float:
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=context) as executor:
        return _timed(lambda count: executor.map(objective, [{"x": 0.5}] * count), trials)


def loky(trials: int) -> float:
    from loky import get_reusable_executor

    executor = get_reusable_executor(WORKERS)
    return _timed(lambda count: executor.map(objective, [{"x": 0.5}] * count), trials)


@contextmanager
def dask_cluster() -> Iterator[str]:
    """A scheduler and its workers, as processes of their own."""
    from distributed import Client

    address = "tcp://127.0.0.1:18786"
    dask = [sys.executable, "-m", "dask"]
    commands = [[*dask, "scheduler", "--host", "127.0.0.1", "--port", "18786", "--no-dashboard"]]
    commands += [[*dask, "worker", address, "--nthreads", "1", "--no-dashboard"]] * WORKERS
    processes = [subprocess.Popen(each, stderr=subprocess.DEVNULL) for each in commands]
    try:
        with Client(address, timeout=60) as client:
            client.wait_for_workers(WORKERS)
        yield address
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()


def ours_on_dask(trials: int, in_flight: int) -> float:
    with dask_cluster() as address:
        return ours({"use": "dask", "address": address, "workers": in_flight}, trials)


def dask_map(trials: int) -> float:
    """All of them at once, in one graph and with one fetch: no search can do that."""
    from distributed import Client

    with dask_cluster() as address, Client(address) as client:

        def work(count: int) -> Iterator[float]:
            futures = client.map(objective, [{"x": 0.5}] * count, pure=False)
            return iter(client.gather(futures))

        return _timed(work, trials)


def dask(trials: int, in_flight: int) -> float:
    """One more whenever a result is there, as a search goes on."""
    from distributed import Client, as_completed

    with dask_cluster() as address, Client(address) as client:

        def submit() -> Any:
            return client.submit(objective, {"x": 0.5}, pure=False)

        def work(count: int) -> Iterator[float]:
            running = as_completed([submit() for _ in range(in_flight)])
            for number, future in enumerate(running):
                if number < count - in_flight:
                    running.add(submit())
                yield future.result()

        return _timed(work, trials)


def ray(trials: int) -> float:
    import ray as module

    module.init(address="local", num_cpus=WORKERS, include_dashboard=False, logging_level="error")
    remote = module.remote(objective)

    def work(count: int) -> Iterator[float]:
        return iter(module.get([remote.remote({"x": 0.5}) for _ in range(count)]))

    return _timed(work, trials)


def optuna(trials: int) -> float:
    import optuna as module

    module.logging.set_verbosity(module.logging.ERROR)
    times = []

    def evaluate(trial: Any) -> float:
        return objective({"x": trial.suggest_float("x", -1, 1)})

    with tempfile.TemporaryDirectory() as folder:
        study = module.create_study(
            storage=f"sqlite:///{folder}/optuna.db", sampler=module.samplers.RandomSampler(0)
        )
        study.optimize(
            evaluate,
            n_trials=trials,
            n_jobs=WORKERS,
            callbacks=[lambda *_: times.append(time.perf_counter())],
        )
    return rate(times)


def tune(trials: int) -> float:
    import ray as module
    from ray import tune as ray_tune

    module.init(address="local", num_cpus=WORKERS, include_dashboard=False, logging_level="error")

    times = []

    class Clock(ray_tune.Callback):
        def on_trial_complete(self, *_: Any, **__: Any) -> None:
            times.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        tuner = ray_tune.Tuner(
            lambda params: {"loss": objective(params)},
            param_space={"x": ray_tune.uniform(-1, 1)},
            tune_config=ray_tune.TuneConfig(num_samples=trials),
            run_config=ray_tune.RunConfig(
                storage_path=folder, verbose=0, callbacks=[Clock()], name="rate"
            ),
        )
        tuner.fit()
    assert len(times) == trials
    return rate(times)


def _timed(work: Callable[[int], Any], trials: int) -> float:
    list(work(20))
    started = time.perf_counter()
    assert len(list(work(trials))) == trials
    return trials / (time.perf_counter() - started)


ARMS: dict[str, Callable[[int], float]] = {
    "tunesmith processes": lambda trials: ours({"use": "processes", "workers": WORKERS}, trials),
    "tunesmith dask, two in flight": lambda trials: ours_on_dask(trials, WORKERS),
    "tunesmith dask, 16 in flight": lambda trials: ours_on_dask(trials, MANY),
    "tunesmith ray": lambda trials: ours({"use": "ray", "workers": WORKERS}, trials),
    "bare process pool": pool,
    "bare loky": loky,
    "bare dask, two in flight": lambda trials: dask(trials, WORKERS),
    "bare dask, 16 in flight": lambda trials: dask(trials, MANY),
    "bare dask, map of all": dask_map,
    "bare ray": ray,
    "optuna n_jobs=2 on sqlite": lambda trials: optuna(min(trials, 300)),
    "ray tune": lambda trials: tune(min(trials, 30)),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--arm", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.arm:
        print("\n" + json.dumps(ARMS[options.arm](options.trials)))
        return
    rates: dict[str, list[float]] = {name: [] for name in ARMS}
    for _ in range(options.rounds):
        for name in ARMS:
            command = [sys.executable, __file__, "--trials", str(options.trials), "--arm", name]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"{name} failed:\n{done.stderr}")
            rates[name].append(json.loads(done.stdout.splitlines()[-1]))
    found = {name: statistics.median(each) for name, each in rates.items()}
    for name, each in rates.items():
        print(f"{name:30} {found[name]:9.1f} trials/s ({min(each):.1f} to {max(each):.1f})")
    held = True
    for name, peer, least in RATIOS:
        ratio = found[name] / found[peer]
        held &= ratio >= least
        verdict = "ok" if ratio >= least else "MISSED"
        print(f"{name} against {peer}: {ratio:.2f} times, must {least:g}: {verdict}")
    sys.exit(not held)


if __name__ == "__main__":
    main()

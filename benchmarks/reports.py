"""What the reports on a round cost: seconds, and memory of all processes at their worst.

    uv run python benchmarks/reports.py [--rows 20000] [--columns 30] [--trials 200]

All reporters beside each other, against one after the other in the same run; then `plots` alone for
2,000 trials of 20 parameters. The model is gradient boosting on made-up data with gaps, a column of
text and a date. Deepchecks' environment is made before the clock runs. Memory is the sum of what
each process has by itself and its share of what it has in common with others (PSS).
"""

import argparse
import tempfile
import threading
import time
from pathlib import Path
from random import Random
from typing import Any

import psutil

from tunesmith.finished import Finished, Fitted, Table
from tunesmith.parameters import Categorical, Float, Int
from tunesmith.plugins import installed
from tunesmith.reporting import write_reports
from tunesmith.space import SearchSpace
from tunesmith.study import Study
from tunesmith.testing.rounds import make_round
from tunesmith.trial import Round

ALL = ("plots", "evidently", "explain", "deepchecks")


class Memory(threading.Thread):
    """Looks at this process and all below it; `most` is in MB."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most, self.over = 0.0, threading.Event()

    def run(self) -> None:
        """Every half of a second."""
        while not self.over.wait(0.5):
            self.most = max(self.most, sum(map(own_memory, family())) / 1e6)


def family() -> list[psutil.Process]:
    me = psutil.Process()
    return [me, *me.children(recursive=True)]


def own_memory(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss)
    except psutil.Error:  # it has just ended
        return 0.0


def a_model(rows: int, columns: int) -> Fitted:
    """Fitted on `rows` rows, with a quarter as many held out."""
    # not at the top, as each worker imports this file again
    import numpy as np
    import pandas as pd
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline

    random, total = np.random.default_rng(0), rows * 5 // 4
    numbers = [f"number {place}" for place in range(columns - 2)]
    x = pd.DataFrame(random.normal(size=(total, len(numbers))), columns=numbers)
    x = x.mask(random.random(x.shape) < 0.02)
    x["kind"] = random.choice(["ash", "birch", "cedar"], total)
    x["day"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(random.integers(0, 300, total), "D")
    score = x[numbers[0]].fillna(0) + x[numbers[1]].fillna(0) * 2 + random.normal(size=total)
    y = pd.Series(np.where(score > 0, "yes", "no"), name="answer")
    model = make_pipeline(
        make_column_transformer(("passthrough", numbers)),
        HistGradientBoostingClassifier(max_iter=60),
    )
    model.fit(x[:rows], y[:rows])
    return Fitted(model, "sklearn", x[:5], {}, Table(x[:rows], y[:rows]), Table(x[rows:], y[rows:]))


def a_round(trials: int, parameters: int) -> Round:
    """Of random trials, whose scores follow some of the parameters."""
    kinds = (lambda: Float(1e-4, 1, log=True), lambda: Int(1, 30), lambda: Categorical([*"abcd"]))
    space = SearchSpace({f"p{place}": kinds[place % 3]() for place in range(parameters)})
    random = Random(1)

    def accuracy(number: int, params: dict[str, Any]) -> dict[str, float]:
        return {"accuracy": params["p0"] ** 0.3 - abs(params["p1"] - 9) / 40 + random.random() / 9}

    return make_round(trials, space, metrics=accuracy)  # type: ignore[arg-type]


def a_study(round: Round, folder: Path, reporters: tuple[str, ...]) -> Study:
    return Study.model_validate(
        {
            "name": "report",
            "goals": {goal.metric: goal.direction for goal in round.goals},
            "space": round.space,
            "objective": round.objective,
            "executor": {"use": "processes"},
            "reporters": [{"use": name} for name in reporters],
            "folder": folder,
        }
    )


def reported(round: Round, fitted: Fitted | None, *reporters: str) -> tuple[float, float]:
    """Seconds and MB of these reporters beside each other."""
    memory, finished = Memory(), Finished(round, fitted)
    memory.start()
    with tempfile.TemporaryDirectory() as name:
        start = time.perf_counter()
        write_reports(
            a_study(round, Path(name), reporters), finished, installed(), lambda **_: None
        )
        seconds = time.perf_counter() - start
        size = sum(path.stat().st_size for path in Path(name).rglob("*") if path.is_file()) / 1e6
    memory.over.set()
    memory.join()
    print(
        f"{', '.join(reporters):40} {seconds:6.1f} s {memory.most:6.0f} MB, {size:.1f} MB of files"
    )
    for note in finished.notes:
        print(f"  {note}")
    return seconds, memory.most


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--columns", type=int, default=30)
    parser.add_argument("--trials", type=int, default=200)
    given = parser.parse_args()
    print("before: ", end="")
    reported(a_round(30, 3), a_model(200, 5), "deepchecks")
    fitted, round = a_model(given.rows, given.columns), a_round(given.trials, 8)
    print(f"{given.rows} rows to learn from, {given.columns} columns, {given.trials} trials:")
    apart = sum(reported(round, fitted, name)[0] for name in ALL)
    together, _ = reported(round, fitted, *ALL)
    print(f"one after the other {apart:.1f} s, {apart / together:.2f} times as long")
    print("2000 trials of 20 parameters:")
    reported(a_round(2000, 20), None, "plots")


if __name__ == "__main__":
    main()

"""New data against the model of a study: what fits, what is worse, and what the command says."""

import csv
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from sklearn.linear_model import LogisticRegression, Ridge

from tunesmith.cli import cli
from tunesmith.errors import ConfigError
from tunesmith.finished import Table
from tunesmith.study import Study
from tunesmith.testing.rounds import small_space
from tunesmith_evidently import DRIFTED
from tunesmith_evidently._current import known, matched, read
from tunesmith_evidently._quality import judged, quality_of
from tunesmith_evidently._rows import frame_of, rows_of

STUDY = """
name: customers
goals: {roc_auc: maximize}
dataset: {use: csv, path: customers.csv, target: left, drop: [id]}
objective: {use: sklearn, estimator: sklearn.linear_model.LogisticRegression, cv: 3}
space:
  parameters:
    C: {type: float, low: 0.01, high: 100, log: true, default: 1}
executor: inline
trackers: [mlflow]
budget: {trials: 2}
"""


@pytest.fixture
def study(tmp_path):
    return Study(
        name="demo",
        goals={"accuracy": "maximize"},
        space=small_space(),
        objective="python",
        dataset={"use": "csv", "path": "a.csv", "target": "y", "drop": ["id"]},
        folder=tmp_path,
    )


@pytest.fixture
def fit(study, tmp_path):
    """The new rows that a file with this frame gives to a model that was fitted on `table`."""

    def match(table, frame, name="new.csv"):
        path = tmp_path / name
        frame.to_csv(path, index=False) if name.endswith("csv") else frame.to_parquet(path)
        return matched(read(path, study), known(table, frame_of(table.x)), study, path)

    return match


def people(rows=20):
    numbers = np.arange(rows)
    x = pd.DataFrame({"age": numbers + 18, "city": ["Rome", "Oslo"] * (rows // 2)})
    return Table(x, pd.Series(numbers % 2, name="y"))


@pytest.mark.parametrize("name", ["new.csv", "new.parquet"])
def test_a_file_fits_with_its_columns_in_any_order_and_without_the_target(fit, name):
    table = people()
    new = fit(table, table.x[["city", "age"]].assign(id=1), name)
    pd.testing.assert_frame_equal(new.x, table.x)
    assert new.y is None


def test_columns_without_names_are_called_by_their_place(fit):
    table = Table(np.arange(6.0).reshape(3, 2), np.arange(3))
    new = fit(table, pd.DataFrame({"1": [5.0, 6.0], "0": [1.0, 2.0]}))
    assert new.x.tolist() == [[1.0, 5.0], [2.0, 6.0]]


@pytest.mark.parametrize(
    "change, wrong",
    [
        ({"age": ["old"] * 20}, "column 'age' of '.*' holds text, such as 'old'.* numbers .* '18'"),
        ({"city": range(20)}, "column 'city' of '.*' holds numbers, .* has text there"),
        ({"agee": 1}, "has a column 'agee', which the training data has not; take it out"),
        ({"y": ["no"] * 20}, "the target 'y' of '.*' holds text"),
    ],
)
def test_a_column_that_does_not_fit_is_named(fit, change, wrong):
    table = people()
    with pytest.raises(ConfigError, match=wrong):
        fit(table, table.x.assign(**change))


def test_a_missing_column_is_named_with_one_that_looks_like_it(fit):
    table = people()
    with pytest.raises(ConfigError, match=r"no column 'age'.*did you mean 'agee'"):
        fit(table, table.x.rename(columns={"age": "agee"}))


def test_a_column_that_is_empty_now_fits(fit):
    table = people()
    new = fit(table, table.x.assign(age=None, city=None))
    assert new.x.isna().all().all()


def test_files_that_cannot_be_read_are_quoted(study, tmp_path):
    (tmp_path / "noise.csv").write_bytes(bytes(range(128, 256)))
    (tmp_path / "broken.parquet").write_text("no")
    (tmp_path / "empty.csv").write_text("age,city\n")
    for name, wrong in [
        ("nois.csv", "no data file '.*nois.csv'; did you mean 'noise.csv'"),
        ("noise.csv", "cannot read '.*noise.csv'"),
        ("broken.parquet", "cannot read '.*broken.parquet'"),
        ("empty.csv", "'.*empty.csv' has no rows"),
    ]:
        with pytest.raises(ConfigError, match=wrong):
            read(tmp_path / name, study)


def rows(model, noise, seed, count=200):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(count, 2))
    y = x[:, 0] + noise * generator.normal(size=count)
    y = (y > 0).astype(int) if isinstance(model, LogisticRegression) else y
    return rows_of(Table(x, y), count, 0)


@pytest.mark.parametrize(
    "model, metric, scorer",
    [
        (LogisticRegression(), "roc_auc", "roc_auc"),
        (LogisticRegression(), "neg_log_loss", "neg_log_loss"),
        (LogisticRegression(), "my_own", "accuracy"),
        (Ridge(), "my_own", "r2"),
    ],
)
def test_quality_is_degraded_only_beyond_chance(model, metric, scorer):
    train, held_out = rows(model, 0.5, 0), rows(model, 0.5, 1)
    model.fit(train.x, train.y)
    same = quality_of(model, metric, held_out, rows(model, 0.5, 2), 0)
    worse = quality_of(model, metric, held_out, rows(model, 3, 3), 0)
    assert same.scorer == scorer and not same.degraded and same.high > 0
    assert worse.degraded and worse.now < worse.held_out


def test_a_score_that_is_not_defined_is_told():
    model = LogisticRegression()
    train = rows(model, 0.5, 0)
    model.fit(train.x, train.y)
    one = rows_of(Table(train.x[train.y == 1], train.y[train.y == 1]), 300, 0)
    with pytest.raises(ValueError, match="rows of a single class"):
        quality_of(model, "roc_auc", train, one, 0)


@pytest.mark.parametrize(
    "known, given, kept",
    [
        ([0, 1], [1.0, None, 0.0], "int64"),
        ([True, False], [True, None, False], "bool"),
        (["no", "yes"], ["no", None, "yes"], None),
        ([0, 1], [0.0, None, 2.5], "float64"),  # no whole number: as it is
    ],
)
def test_targets_keep_their_type_where_one_is_missing(known, given, kept):
    held_out = rows_of(Table(pd.DataFrame({"x": range(len(known))}), pd.Series(known)), 10, 0)
    new = rows_of(Table(pd.DataFrame({"x": range(3)}), pd.Series(given)), 10, 0)
    found = judged(new, held_out)
    assert list(found.x["x"]) == [0, 2]
    assert found.y.dtype == (kept or held_out.y.dtype) and list(found.y) == [given[0], given[2]]


def write(path, seed, count=300, older=0, fickle=0.0):
    generator = random.Random(seed)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "age", "visits", "left"])
        for number in range(count):
            age, visits = generator.randint(18, 80) + older, generator.randint(0, 20)
            left = visits < age / 8 + generator.gauss(0, 2)
            left ^= generator.random() < fickle
            writer.writerow([number, age, visits, int(left)])


@pytest.fixture(scope="module")
def customers(empty_mlflow, tmp_path_factory):
    """A folder with a study that has a finished round."""
    folder = tmp_path_factory.mktemp("customers")
    shutil.copy(empty_mlflow, folder)
    (folder / "study.yaml").write_text(STUDY)
    # the same study for the tests in this process, where MLflow's own warnings are errors
    text = STUDY.replace("trackers: [mlflow]\n", "")
    (folder / "untracked.yaml").write_text(text)
    few = "reporters: [plots, {use: evidently, max_rows: 100, max_columns: 1}]\n"
    (folder / "few.yaml").write_text(text + few)
    write(folder / "customers.csv", 1, 600)
    write(folder / "same.csv", 2)
    write(folder / "older.csv", 3, older=15)
    write(folder / "fickle.csv", 4, fickle=0.3)
    text = (folder / "same.csv").read_text()
    (folder / "unknown.csv").write_text(text[:-2] + "\n")  # whether the last one left
    tunesmith(folder, "run")
    return folder


def tunesmith(folder, *words, code=0):
    command = [sys.executable, "-m", "tunesmith", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stdout


@pytest.mark.slow
def test_monitor_advises_a_new_round_where_data_drifted_or_the_model_got_worse(customers):
    out = tunesmith(customers, "monitor", "--current", "older.csv", code=DRIFTED)
    assert "1 of 2 columns has drifted" in out and "'age'" in out
    assert "tunesmith run study.yaml --new-round" in out
    kept = customers.glob("mlruns/**/artifacts/reports/monitor/older-*-drift.html")
    assert len(list(kept)) == 1


@pytest.fixture
def monitor(customers, monkeypatch):
    """The command in this process: its exit code and what it prints as JSON."""
    monkeypatch.chdir(customers)

    def run(*words, study="untracked.yaml"):
        done = CliRunner().invoke(cli, ["monitor", study, *words, "-f", "json"])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, json.loads(done.stdout)

    return run


@pytest.mark.slow
def test_monitor_keeps_every_report_and_a_history(monitor, customers):
    code, data = monitor("--current", "same.csv")
    assert code == 0 and not data["advised"]
    assert data["quality"]["scorer"] == "roc_auc"
    code, data = monitor("--current", "fickle.csv")
    assert code == DRIFTED and data["quality"]["degraded"] and not data["drift"]["drifted"]
    assert monitor("--current", "older.csv", "--allow-drift", "0.5")[0] == 0
    folder = customers / "reports" / "customers" / "round-1"
    before = set((folder / "monitor").iterdir())
    code, data = monitor("--current", "same.csv", "--round", "1")
    assert before < set((folder / "monitor").iterdir())
    history = list(csv.DictReader((folder / "monitor.csv").read_text().splitlines()))
    assert [each["current"] for each in history][-4:] == [
        "same.csv",
        "fickle.csv",
        "older.csv",
        "same.csv",
    ]
    with pytest.raises(ConfigError, match="no round 7 that is over; there are 1"):
        monitor("--current", "same.csv", "--round", "7")


@pytest.mark.slow
def test_monitor_judges_all_that_is_known_where_one_target_is_missing(monitor):
    _, data = monitor("--current", "unknown.csv")
    assert data["rows"] == 300 and data["quality"]["scorer"] == "roc_auc"
    assert not [words for words in data["said"] if "knows no" in words]
    assert any(name.endswith("health.html") for name in data["files"])


@pytest.mark.slow
def test_monitor_keeps_to_the_options_of_the_studys_own_reporter(monitor):
    _, data = monitor("--current", "same.csv", study="few.yaml")
    assert "Of 480 training rows, 100 were sampled." in data["said"]
    assert "Of 300 new rows, 100 were sampled." in data["said"]
    page = next(path for path in map(Path, data["files"]) if path.name.endswith("drift.json"))
    measured = [each["measured"] for each in json.loads(page.read_text())["evidently"]]
    assert sum("ValueDrift" in each for each in measured) == 1

"""The example's pipeline runs, and its data come back from a remote."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
EXAMPLE = Path(__file__).parents[3] / "examples" / "04_dvc_pipeline"


@pytest.fixture
def example(make_project):
    """A copy that is a repository, with a remote beside it."""
    project = make_project()
    shutil.copytree(EXAMPLE, project.folder, dirs_exist_ok=True)
    return project


def run(folder, *words):
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": programs, "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_repro_tunes_and_a_study_pulls_the_data_that_are_gone(example):
    folder = example.folder
    run(folder, "dvc", "repro", "--quiet")
    shown = json.loads(run(folder, "dvc", "metrics", "show", "--json"))
    metrics = shown[""]["data"]["metrics.json"]["data"]
    assert metrics.keys() == {"neg_log_loss", "test_neg_log_loss", "test_accuracy"}
    assert metrics["test_accuracy"] > 0.9
    run(folder, "dvc", "plots", "show", "--quiet")
    assert "best so far" in (folder / "dvc_plots" / "index.html").read_text()
    assert example.dvc("status") == {}

    example.dvc("push")
    data = folder / "data" / "wine.csv"
    before = data.read_bytes()
    example.lose("data/wine.csv")
    ended = json.loads(run(folder, "tunesmith", "run", "study.yaml", "--format", "json"))
    assert (ended["round"], ended["trials"], ended["new_trials"]) == (1, 10, 0)
    assert data.read_bytes() == before


def test_reads_csv_and_parquet_with_the_installed_datasets(example):
    import pandas as pd

    from tunesmith.plugins import installed

    frame = pd.DataFrame({"id": [1, 2, 3], "a": [0.5, 1.5, 2.5], "y": [0, 1, 0]})
    folder = example.folder
    frame.to_csv(folder / "rows.csv", index=False, sep=";")
    frame.to_parquet(folder / "rows.parquet")
    example.add("rows.csv")
    example.add("rows.parquet")
    options = {"use": "dvc", "target": "y", "drop": ["id"]}
    tables = [
        {**options, "path": "rows.csv", "separator": ";"},
        {**options, "path": "rows.parquet"},
    ]
    csv, parquet = (installed().build("dataset", table) for table in tables)
    assert csv.load(folder).x.equals(frame[["a"]])
    assert parquet.load(folder).x.equals(frame[["a"]])
    assert csv.fingerprint(folder) == parquet.fingerprint(folder)

"""Every command, as somebody types it."""

import json
import os
import re
import subprocess
import sys
from io import StringIO

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from tunesmith.cli import cli, main

STUDY = """\
name: demo
goals: {loss: minimize}
space:
  parameters:
    x: {type: float, low: -2, high: 2, default: 0.5}  # the only one
objective: {use: python, function: "objective_of_the_demo:loss"}
executor: inline
budget: {trials: 6}
gates: ["loss < 100"]
"""
OBJECTIVE = """
import math
print("noise of an import")

def loss(params, trial):
    print("noise of a trial")
    if trial.number == 3:
        raise ValueError("unlucky\\nnumber")
    return {"loss": params["x"] ** 2, "odd": math.nan}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "objective_of_the_demo.py").write_text(OBJECTIVE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("objective_of_the_demo", None)


@pytest.fixture
def done(folder):
    assert call("run").code == 0
    return folder


class Call:
    """What a command printed, and its exit code."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


def call(*arguments):
    """The command in this process, errors as `main` shows them."""
    runner = CliRunner()
    with runner.isolation() as streams, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["tunesmith", *arguments])
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        return Call(code, streams[0].getvalue().decode(), streams[1].getvalue().decode())


def from_json(*arguments):
    found = call(*arguments, "-f", "json")
    assert found.code == 0, found.err
    return json.loads(found.out, parse_constant=pytest.fail)


def test_run_tells_the_result_on_stdout_and_the_way_there_on_stderr():
    found = call("run")
    assert found.code == 0, found.err
    assert "demo: round 1, space v1, 6 trials, 1 failed" in found.out
    assert "all 6 trials are done" in found.out
    assert re.search(r"best trial +\d", found.out)
    assert "loss < 100: passed" in found.out
    assert "tunesmith trials study.yaml --sort" in found.out
    assert "noise" not in found.out
    assert "noise of a trial" in found.err
    assert "trial 0: best loss 0.25" in found.err


def test_run_again_has_nothing_to_do_and_says_what_to_change(done):
    found = call("run")
    assert "raise budget.trials, change the space, or use --new-round" in found.out
    found = call("run", "--trials", "8")
    assert "6 trials done before" in found.err
    assert "8 trials" in found.out
    found = call("run", "--new-round")
    assert "round 2" in found.out
    assert "kept" in found.out


def test_run_prints_json_and_nothing_else():
    data = from_json("run")
    assert data["reason"] == "all 6 trials are done"
    assert (data["trials"], data["new_trials"]) == (6, 6)
    assert data["best"][0]["metrics"]["odd"] is None


def test_run_prints_yaml():
    data = YAML(typ="safe").load(StringIO(call("run", "-f", "yaml").out))
    assert data["study"] == "demo"


def test_status(done):
    (row,) = from_json("status")
    assert (row["complete"], row["failed"], row["state"]) == (5, 1, "all 6 trials are done")
    assert "random" in call("status").out


def test_trials(done):
    rows = from_json("trials")
    assert [row["trial"] for row in rows] == list(range(6))
    assert rows[0]["origin"] == "default"
    assert rows[0]["metrics"] == {"loss": 0.25, "odd": None}
    (failed,) = from_json("trials", "--state", "failed")
    assert failed["error"].startswith("ValueError: unlucky\nnumber (")
    best = from_json("trials", "--sort", "--limit", "5")
    losses = [row["metrics"]["loss"] for row in best]
    assert losses == sorted(losses)
    assert from_json("trials", "--round", "2") == []


def test_trials_as_a_table_have_a_column_a_metric_and_a_parameter(done):
    lines = call("trials").out.splitlines()
    assert lines[0].split() == ["trial", "state", "loss", "odd", "x", "seconds", "error"]
    assert lines[1].split()[:5] == ["0", "complete", "0.25", "nan", "0.5"]
    assert "unlucky number (" in lines[4]
    assert len(lines) == 7
    assert call("trials", "--round", "2").err == "nothing to show\n"


@pytest.mark.parametrize("width", [40, 80])
def test_a_table_loses_nothing_on_a_small_screen(done, width, monkeypatch):
    monkeypatch.setattr("tunesmith.cli.output.console", lambda: narrow(width))
    text = "".join(call("trials").out.split())
    assert "unluckynumber" in text or width == 40
    assert "…" not in text


def narrow(width):
    from rich.console import Console

    return Console(width=width, highlight=False)


def test_equal_names_stay_apart_in_a_table(folder):
    (folder / "objective_of_the_demo.py").write_text(
        "def loss(p): return {'loss': 1, 'x': 7, 'seconds': 9}"
    )
    call("run")
    head = call("trials").out.splitlines()[0].split()
    assert head == ["trial", "state", "loss", "metrics.x", "metrics.seconds", "params.x", "seconds"]


def test_best(done):
    (row,) = from_json("best")
    assert row["metrics"]["loss"] == min(
        trial["metrics"]["loss"] for trial in from_json("trials", "--state", "complete")
    )


def test_best_of_several_goals_is_a_front(folder):
    (folder / "study.yaml").write_text(STUDY.replace("{loss", "{x: maximize, loss"))
    (folder / "objective_of_the_demo.py").write_text(
        "def loss(p): return {'loss': p['x'] ** 2, 'x': p['x']}"
    )
    summary = call("run").out
    rows = from_json("best")
    assert len(rows) > 1
    assert f"one of {len(rows)} on the Pareto front" in summary
    assert [row["metrics"]["x"] for row in rows] == sorted(
        (row["metrics"]["x"] for row in rows), reverse=True
    )


LIMITED = """
def loss(params):
    return {"loss": (params["x"] - 2) ** 2, "ms": 10 * abs(params["x"])}
"""


def limit(folder, *limits, trials=12):
    """The study with these limits; the loss falls with x, the time rises with it."""
    (folder / "objective_of_the_demo.py").write_text(LIMITED)
    text = STUDY.replace("trials: 6", f"trials: {trials}")
    (folder / "study.yaml").write_text(f"{text}limits: {json.dumps(limits)}\n")


def test_a_mistake_in_a_limit_is_told_with_its_line(folder):
    limit(folder, "ms <= 5", "ms == 5")
    found = call("run")
    assert found.code == 2
    assert "study.yaml:10: limits.1: the limit 'ms == 5' is not one comparison" in found.err


def test_the_best_trial_keeps_the_limits(folder):
    limit(folder, "ms <= 12")
    assert re.search(r"12 trials, \d beyond a limit\n", call("run").out)
    (best,) = from_json("best")
    trials = from_json("trials", "--sort")
    assert trials[0] == best
    assert best["violation"] == 0 and best["metrics"]["ms"] <= 12
    assert min(row["metrics"]["loss"] for row in trials) < best["metrics"]["loss"]
    assert [row["violation"] for row in trials] == sorted(row["violation"] for row in trials)
    assert from_json("status")[0]["best"] == best["metrics"]["loss"]
    assert from_json("space", "history")[0]["best"] == best["metrics"]["loss"]
    assert call("trials").out.splitlines()[0].split()[:3] == ["trial", "state", "violation"]


def test_progress_tells_the_best_trial_that_keeps_the_limits(folder):
    limit(folder, "ms >= 6")
    told = [line for line in call("run").err.splitlines() if "best loss" in line]
    assert told[0].startswith("trial 1: ")  # the defaults take 5 ms
    assert told[0].endswith(", 1 beyond a limit")


def test_the_best_of_all_rounds_is_judged_by_the_latest_limits(folder):
    limit(folder)
    call("run")
    (free,) = from_json("best")
    assert "violation" not in call("trials").out
    limit(folder, "ms <= 6", trials=1)
    call("run")
    (best,) = from_json("best")
    assert best["metrics"]["ms"] <= 6 < free["metrics"]["ms"]
    assert from_json("trials", "--sort")[0] == best
    limit(folder, "kb <= 6", trials=1)
    call("run")
    assert {row["violation"] for row in from_json("trials", "--state", "complete")} == {None}
    assert "the limit 'kb <= 6' has no metric 'kb' to look at" in call("best").err


@pytest.mark.parametrize("goals", ["{loss: minimize}", "{loss: minimize, ms: minimize}"])
def test_where_no_trial_keeps_the_limits_the_nearest_is_told(folder, goals):
    limit(folder, "ms <= -1")
    text = (folder / "study.yaml").read_text().replace("{loss: minimize}", goals)
    (folder / "study.yaml").write_text(text)
    found = call("run")
    assert found.code == 11  # its gate is not met
    assert "best trial  none: no trial keeps all limits; trial " in found.out
    assert "comes nearest, but breaks 'ms <= -1' with ms = " in found.out
    best = call("best")
    assert best.code == 2
    assert "has no best trial: no trial keeps all limits; trial " in best.err
    assert json.loads(call("run", "-f", "json").out)["best"] == []
    assert from_json("status")[0]["best"] is None


def test_sync_needs_a_tracker(done):
    found = call("sync")
    assert (found.code, found.out) == (2, "")
    assert "study 'demo' names no tracker; add one under 'trackers'" in found.err


def test_space_show_diff_history_and_export(done):
    assert "float -2 to 2, default 0.5" in call("space", "show").out
    assert call("space", "diff").out == "no difference\n"
    (done / "study.yaml").write_text(STUDY.replace("high: 2", "high: 0.1, log: false"))
    assert call("space", "show").code == 2  # the default is outside
    (done / "study.yaml").write_text(STUDY.replace("high: 2", "high: 0.6"))
    assert "~ x: float -2 to 2, default 0.5 -> float -2 to 0.6" in call("space", "diff").out
    assert call("run").code == 0
    assert from_json("space", "diff", "study.yaml", "1", "2")
    assert from_json("space", "diff", "v1", "2") == from_json(
        "space", "diff", "study.yaml", "1", "2"
    )
    assert "'1 2 3' is not STUDY and two versions" in call("space", "diff", "1", "2", "3").err
    versions = from_json("space", "history")
    assert [(row["version"], row["reason"]) for row in versions] == [
        (1, "first version"),
        (2, "edited by hand"),
    ]
    fates = from_json("space", "diff", "study.yaml", "1", "2", "--trials")
    assert {row["fate"] for row in fates} == {"kept", "dropped"}
    assert call("space", "show", "--version", "9").code == 2
    exported = YAML(typ="safe").load(call("space", "export", "--version", "1").out)
    assert exported["space"]["parameters"]["x"]["high"] == 2
    assert call("space", "export", "--output", "space.json", "-f", "json").out == ""
    assert json.loads((done / "space.json").read_text())["space"]["parameters"]["x"]


def test_plugins(folder):
    rows = from_json("plugins", "list", "--kind", "executor")
    assert {"inline", "threads", "processes"} <= {row["name"] for row in rows}
    assert {row["kind"] for row in rows} == {"executor"}
    assert "did you mean 'sampler'" in call("plugins", "list", "--kind", "samplr").err
    shown = call("plugins", "show", "processes").out
    assert "memory_mb" in shown
    assert "Address space of a worker, in MiB" in shown
    assert "no options" in call("plugins", "show", "random").out
    (entry,) = from_json("plugins", "show", "grid")
    assert entry["properties"]["points"]["default"] == 5
    found = call("plugins", "show", "processs")
    assert (found.code, "did you mean 'processes'" in found.err) == (2, True)


def test_schema_describes_the_study_file():
    schema = json.loads(call("schema").out)
    assert schema["$schema"].endswith("2020-12/schema")
    data = YAML(typ="safe").load(STUDY)
    assert data.keys() <= schema["properties"].keys()
    assert set(schema["required"]) <= data.keys()
    text = json.dumps(schema)
    for reference in set(re.findall(r'"#/\$defs/([^"]+)"', text)):
        assert reference in schema["$defs"]
    assert '"const": "processes"' in text
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    jsonschema.validators.validator_for(schema).check_schema(schema)
    jsonschema.validate(data, schema)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["rnu"], 2, "no command 'rnu'; did you mean 'run'?"),
        (["run", "other.yaml"], 2, "there is no study file 'other.yaml'; write one with"),
        (["status"], 2, "study 'demo' has no trials yet; start it with 'tunesmith run study.yaml'"),
        (["best"], 2, "study 'demo' has no trials yet"),
        (["trials", "nobody"], 2, "study 'nobody' has no trials yet"),
        (["space", "history"], 2, "study 'demo' has no trials yet"),
        (["run", "--trials", "0"], 2, "0 is not in the range x>=1"),
        (["trials", "--state", "done"], 2, "'done' is not one of"),
        (["run", "--frobnicate"], 2, "--frobnicate"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_message_and_a_code(arguments, code, message):
    found = call(*arguments)
    assert (found.code, found.out) == (code, "")
    assert message in found.err
    assert "Traceback" not in found.err


def test_a_study_is_found_by_its_name(done):
    assert len(from_json("trials", "demo")) == 6
    assert "did you mean 'demo'" in call("trials", "demoo").err


def test_a_round_that_failed_ends_with_code_7(folder):
    (folder / "objective_of_the_demo.py").write_text("def loss(params): return 1 / 0")
    (folder / "study.yaml").write_text(STUDY.replace("trials: 6", "trials: 6, max_failures: 2"))
    found = call("run")
    assert found.code == 7
    assert "2 trials in a row failed" in found.err
    assert "no complete trial yet" in call("best").err


def test_a_round_whose_model_meets_not_every_gate_ends_with_code_11(folder):
    gates = '["loss < 100", "accuracy > 0.5"]'
    (folder / "study.yaml").write_text(STUDY.replace('["loss < 100"]', gates))
    found = call("run")
    assert found.code == 11
    assert "loss < 100: passed" in found.out
    assert "accuracy > 0.5: there is no metric 'accuracy'" in found.out
    assert "error: the best model is not promoted: accuracy > 0.5: there is no metric" in found.err
    assert from_json("trials")  # nothing is lost


def test_a_gate_that_is_none_is_told_with_its_line(folder):
    (folder / "study.yaml").write_text(STUDY.replace('["loss < 100"]', "[{beats: chance}]"))
    found = call("run")
    assert found.code == 2
    assert "gates" in found.err and "beats: chance" in found.err


@pytest.mark.parametrize("command", ["promote", "rollback"])
def test_without_a_registry_there_is_nothing_to_promote(done, command):
    found = call(command)
    assert found.code == 2
    assert "registers no model; name one: 'trackers: [{use: mlflow, register: NAME}]'" in found.err


def test_without_a_reporter_there_is_nothing_to_report(done):
    found = call("report")
    assert found.code == 2
    assert "names no reporter; add one under 'reporters'" in found.err


def test_a_record_that_cannot_be_written_ends_with_code_5(done):
    (done / "tunesmith.db").write_bytes(b"this is no database" * 100)
    for command in ("run", "status"):
        found = call(command)
        assert found.code == 5, found.err
        assert "cannot" in found.err
        assert "Traceback" not in found.err


def test_a_space_without_versions_is_told(folder):
    (folder / "study.yaml").write_text(STUDY + "trackers: []\n")
    from tunesmith.store import Store

    store = Store(f"sqlite:///{folder / 'tunesmith.db'}")
    store.record("demo")
    store.close()
    found = call("space", "diff")
    assert (found.code, "no space version yet" in found.err) == (2, True)


def real(*arguments, **variables):
    return subprocess.run(
        [sys.executable, "-m", "tunesmith", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
    )


def test_piped_output_has_no_colours_and_no_broken_lines(folder):
    found = real("run", COLUMNS="20")
    assert found.returncode == 0, found.stderr
    assert "\x1b" not in found.stdout + found.stderr
    assert "all 6 trials are done\n" in found.stdout
    assert "noise" not in found.stdout
    head = real("trials", NO_COLOR="1", COLUMNS="20").stdout.splitlines()[0]
    assert head.split() == ["trial", "state", "loss", "odd", "x", "seconds", "error"]


def test_a_reader_that_goes_away_is_no_bug(done):
    command = f"{sys.executable} -m tunesmith trials -f json | head -c 1"
    found = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert "Traceback" not in found.stderr


def test_help_lists_every_command():
    found = CliRunner().invoke(cli, ["--help"])
    for name in ("run", "status", "trials", "best", "sync", "space", "plugins", "schema"):
        assert f"\n  {name} " in found.output

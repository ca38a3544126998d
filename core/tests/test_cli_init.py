"""`tunesmith init` writes files that are valid, and overwrites nothing."""

import random
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tunesmith.cli import cli, init
from tunesmith.errors import ConfigError
from tunesmith.evaluation import evaluate
from tunesmith.plugins import installed
from tunesmith.study import load_study
from tunesmith.trial import TrialState

needs_sklearn = pytest.mark.skipif(
    "sklearn" not in installed().names("objective"), reason="the plugin is not installed"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "my study!"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def run(*options: str, answers: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["init", *options], input=answers, catch_exceptions=False)


def refused(*options: str) -> str:
    with pytest.raises(ConfigError) as caught:
        run(*options)
    return str(caught.value)


@pytest.mark.parametrize(
    "kind", ["python", "command", pytest.param("sklearn", marks=needs_sklearn)]
)
def test_the_file_is_a_valid_study(kind: str, folder: Path) -> None:
    assert run("--objective", kind).exit_code == 0
    study = load_study(Path("study.yaml"))
    assert study.objective.use == kind
    assert study.name == "my-study"
    assert study.budget.trials == 50
    assert study.space.contains(study.space.default())


@pytest.mark.parametrize(
    "kind", ["python", "command", pytest.param("sklearn", marks=needs_sklearn)]
)
def test_every_section_has_a_comment(kind: str) -> None:
    run("--objective", kind)
    lines = Path("study.yaml").read_text("utf-8").splitlines()
    sections = [index for index, line in enumerate(lines) if line[:1].isalpha()]
    told = [index for index in sections if lines[index - 1].startswith("#")]
    # the reporters share their comment with the trackers
    assert [lines[index] for index in sections if index not in told] == [
        line for line in lines if line.startswith("reporters:")
    ]


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_the_python_function_runs_at_once_and_has_an_optimum(direction: str) -> None:
    run("--objective", "python", "--metric", 'my "loss"', "--direction", direction)
    study = load_study(Path("study.yaml"))
    (objective,) = study.build("objective")
    objective.prepare(study, None)
    best = {"learning_rate": 0.01, "layers": 4, "optimizer": "adam"}
    top = evaluate(objective, best, 0, 0, study.goal_list)
    assert top.state is TrialState.COMPLETE
    generator = random.Random(0)
    for number in range(1, 20):
        outcome = evaluate(objective, study.space.sample(generator), number, 0, study.goal_list)
        assert outcome.state is TrialState.COMPLETE
        (goal,) = study.goal_list
        assert goal.loss(outcome.metrics) >= goal.loss(top.metrics)


def test_the_answers_stand_in_the_file() -> None:
    run(
        *("--objective", "command", "--command", "./train.sh --fast", "--metric", "rmse"),
        *("--name", "my study"),
        *("--sampler", "grid", "--trials", "7", "--direction", "minimize"),
    )
    study = load_study(Path("study.yaml"))
    assert study.objective.model_dump() == {"use": "command", "command": "./train.sh --fast"}
    assert study.goals == {"rmse": "minimize"}
    assert (study.name, study.sampler.use, study.budget.trials) == ("my study", "grid", 7)


@pytest.mark.parametrize(
    ("metric", "direction"),
    [("loss", "minimize"), ("val_rmse", "minimize"), ("accuracy", "maximize"), ("f1", "maximize")],
)
def test_the_direction_is_guessed_from_the_metric(metric: str, direction: str) -> None:
    run("--objective", "python", "--metric", metric)
    assert load_study(Path("study.yaml")).goals == {metric: direction}


@pytest.mark.parametrize(
    "metric", ["null", "a: b", 'say "x"', "größe", "#1", "12", "$name", "a\nb"]
)
def test_a_metric_may_have_any_name(metric: str) -> None:
    run("--objective", "python", "--metric", metric)
    assert list(load_study(Path("study.yaml")).goals) == [metric]
    function = runpy.run_path("objective.py")["train"]
    params = {"learning_rate": 0.01, "layers": 4, "optimizer": "adam"}
    assert function(params, None) == {metric: 0.0}


@needs_sklearn
def test_a_scorer_for_regression_gets_a_regressor_and_fitting_data() -> None:
    run("--objective", "sklearn", "--metric", "neg_root_mean_squared_error")
    study = load_study(Path("study.yaml"))
    assert study.dataset.model_dump() == {"use": "sklearn", "loader": "diabetes"}
    assert study.objective.estimator.endswith("Regressor")
    assert study.goals == {"neg_root_mean_squared_error": "maximize"}


@needs_sklearn
@pytest.mark.parametrize(("file", "use"), [("my data.csv", "csv"), ("data.parquet", "parquet")])
def test_data_of_ones_own_is_named_from_the_studys_folder(file: str, use: str) -> None:
    Path("studies").mkdir()
    Path(file).touch()
    options = ("--objective", "sklearn", "--data", file, "--target", "yes")
    run(*options, "--output", "studies/a.yaml")
    study = load_study(Path("studies/a.yaml"))
    assert study.dataset.model_dump() == {"use": use, "path": f"../{file}", "target": "yes"}


def test_data_that_is_not_there_is_refused() -> None:
    assert refused("--objective", "sklearn", "--data", "no.csv", "--target", "y") == (
        "there is no file 'no.csv'; name a CSV or Parquet file after --data"
    )


def test_an_unknown_sampler_is_refused_and_nothing_is_written(folder: Path) -> None:
    assert refused("--objective", "python", "--sampler", "rndom") == (
        "sampler.use: no sampler named 'rndom'; did you mean 'random'?"
    )
    assert list(folder.iterdir()) == []


def test_a_name_that_is_none_is_refused_and_nothing_is_written(folder: Path) -> None:
    assert refused("--objective", "python", "--name", "a/b").startswith("name: 'a/b' has other")
    assert list(folder.iterdir()) == []


def test_an_existing_file_is_overwritten_only_by_force() -> None:
    Path("study.yaml").write_text("mine")
    assert refused("--objective", "command") == (
        "'study.yaml' is there already; --force overwrites it, --output names another"
    )
    assert Path("study.yaml").read_text() == "mine"
    run("--objective", "command", "--force")
    assert load_study(Path("study.yaml")).objective.use == "command"


def test_an_existing_objective_is_kept_and_then_no_study_is_written() -> None:
    Path("objective.py").write_text("mine")
    assert refused("--objective", "python").startswith("'objective.py' is there already")
    assert Path("objective.py").read_text() == "mine"
    assert not Path("study.yaml").exists()


def test_a_folder_that_is_not_there_is_refused() -> None:
    assert refused("--output", "no/study.yaml") == "there is no folder 'no'; create it first"
    assert refused("--output", ".") == "'.' is a folder; name a file after --output"


def test_it_says_what_to_do_next() -> None:
    found = run("--objective", "python", "--output", "my study.yaml")
    assert found.stdout == (
        "wrote my study.yaml\n"
        "wrote objective.py\n"
        "next: put your training into objective.py (as it is, it runs with a stand-in), "
        "then 'tunesmith run 'my study.yaml''\n"
    )


def test_it_asks_nothing_where_there_is_no_terminal() -> None:
    found = run("--objective", "python", answers="")
    assert found.stderr == ""


def test_on_a_terminal_it_asks_for_what_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init, "_on_terminal", lambda: True)
    answers = "command\n./go\nlatency_ms\n\ngrid\nmany\n12\n"
    found = run("--name", "quick", answers=answers)
    assert found.exit_code == 0, found.output
    study = load_study(Path("study.yaml"))
    assert study.objective.model_dump() == {"use": "command", "command": "./go"}
    assert study.goals == {"latency_ms": "minimize"}
    assert (study.name, study.sampler.use, study.budget.trials) == ("quick", "grid", 12)
    assert "Which is better? (minimize, maximize) [minimize]:" in found.stderr
    assert "Name of the study" not in found.stderr
    assert "'many' is not a valid integer" in found.stderr
    assert found.stdout.startswith("wrote study.yaml\n")


@needs_sklearn
def test_the_questions_about_scikit_learn_have_good_defaults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(init, "_on_terminal", lambda: True)
    run(answers="\n" * 7)
    study = load_study(Path("study.yaml"))
    assert (study.objective.use, study.goals) == ("sklearn", {"accuracy": "maximize"})
    assert study.dataset.use == "sklearn"


def test_asking_breaks_off_without_a_file(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(init, "_on_terminal", lambda: True)
    assert run(answers="python\n").exit_code == 1
    assert list(folder.iterdir()) == []


def test_importing_the_command_imports_nothing_heavy() -> None:
    code = "import sys, tunesmith.cli.init; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pydantic", "numpy", "ruamel", "sqlalchemy", "rich"} & set(done.stdout.split())

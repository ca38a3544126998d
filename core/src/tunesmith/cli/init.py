"""`tunesmith init`: a study file to start from."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli import _templates
from tunesmith.errors import ConfigError

if TYPE_CHECKING:
    from tunesmith.plugins import Registry

_KINDS = ("sklearn", "python", "command")
_LESS_IS_BETTER = re.compile(r"loss|error|mae|mse|rmse|seconds|latency|perplexity|deviance")
_MEASURES_NUMBERS = re.compile(r"r2|d2_|explained_variance|neg_(mean|root|median|max)_|max_error")
"""Scorers of scikit-learn that are for regression."""


@click.command("init", short_help="Write a commented study file.")
@click.option("--name", help="Name of the study; else that of its folder.")
@click.option("--objective", type=click.Choice(_KINDS), help="What a trial runs.")
@click.option("--data", type=click.Path(), help="A CSV or Parquet file, for scikit-learn.")
@click.option("--target", help="The column of the data to predict.")
@click.option("--command", "program", help="The program to run, for 'command'.")
@click.option("--metric", help="What to optimise.")
@click.option("--direction", type=click.Choice(["minimize", "maximize"]), help="Which is better.")
@click.option("--sampler", help="Who chooses what to try.")
@click.option("--trials", type=click.IntRange(1), help="How many trials.")
@click.option("--output", default="study.yaml", show_default=True, type=click.Path())
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
def command(output: str, force: bool, **given: Any) -> None:
    """Write a commented study file, and ask for what is not said by an option.

    Questions are asked on a terminal only; elsewhere the defaults are taken.
    """
    from tunesmith.plugins import installed

    path = Path(output)
    _refuse(path, force)
    answers = _answers(path, given, installed())
    files = _files(path, answers, installed())
    for file in files:
        _refuse(file, force)
    for file, text in files.items():
        _write(file, text)
        click.echo(f"wrote {file}")
    click.echo(_next(path, answers))


def _answers(path: Path, given: dict[str, Any], registry: Registry) -> dict[str, Any]:
    """What the options say, completed by questions or defaults."""
    samplers, objectives = registry.names("sampler"), registry.names("objective")
    kinds = [kind for kind in _KINDS if kind in objectives]
    answers = dict(given)
    _ask(answers, "objective", "What does a trial run?", kinds[0], click.Choice(kinds))
    if answers["objective"] == "sklearn":
        _ask(answers, "data", "CSV or Parquet file with your data (empty: an example's)", "")
        if answers["data"]:
            _ask(answers, "target", "Column to predict", "target")
        _ask(answers, "metric", "Metric, one of scikit-learn's scorers", "accuracy")
    else:
        if answers["objective"] == "command":
            _ask(answers, "program", "Program to run", "python train.py")
        _ask(answers, "metric", "Metric that it returns", "loss")
    less = answers["objective"] != "sklearn" and _LESS_IS_BETTER.search(answers["metric"])
    directions = click.Choice(["minimize", "maximize"])
    better = "minimize" if less else "maximize"
    _ask(answers, "direction", "Which is better?", better, directions)
    _ask(answers, "name", "Name of the study", _name(path))
    sampler = "tpe" if "tpe" in samplers else "random"
    _ask(answers, "sampler", "Sampler", sampler, click.Choice(samplers))
    _ask(answers, "trials", "How many trials?", 50, click.IntRange(1))
    return answers


def _ask(
    answers: dict[str, Any], option: str, question: str, default: Any, type: Any = None
) -> None:
    if answers[option] is None and _on_terminal():
        shown = bool(default)
        answers[option] = click.prompt(question, default, type=type, show_default=shown, err=True)
    elif answers[option] is None:
        answers[option] = default


def _on_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _name(path: Path) -> str:
    """The name of the file's folder, as far as it can be that of a study."""
    words = re.sub(r"[^\w.-]+", "-", path.resolve().parent.name).strip("-._")
    return words[:100] or "my-study"


def _files(path: Path, answers: Mapping[str, Any], registry: Registry) -> dict[Path, str]:
    """The text of each file to write. Raises ConfigError where an answer makes no study."""
    from ruamel.yaml import YAML

    from tunesmith.study import check_study

    text = _study(path, answers, registry)
    check_study(YAML(typ="safe", pure=True).load(text), path.resolve().parent, registry)
    if answers["objective"] != "python":
        return {path: text}
    value = "error" if answers["direction"] == "minimize" else "-error"
    function = Template(_templates.FUNCTION)
    code = function.substitute(metric=json.dumps(answers["metric"]), value=value)
    return {path: text, path.with_name("objective.py"): code}


def _study(path: Path, answers: Mapping[str, Any], registry: Registry) -> str:
    section = getattr(_templates, answers["objective"].upper())
    regression = _MEASURES_NUMBERS.match(answers["metric"])
    estimator = "HistGradientBoostingRegressor" if regression else "HistGradientBoostingClassifier"
    objective = Template(section).substitute(
        dataset=_dataset(path, answers, "diabetes" if regression else "breast_cancer"),
        estimator=f"sklearn.ensemble.{estimator}",
        module="objective",
        command=_yaml(answers["program"] or ""),
        shown=json.dumps(answers["metric"]),
    )
    return Template(_templates.STUDY).substitute(
        file=shlex.quote(str(path)),
        name=_yaml(answers["name"]),
        metric=_yaml(answers["metric"]),
        direction=answers["direction"],
        objective=objective,
        trials=answers["trials"],
        sampler=_yaml(answers["sampler"]),
        trackers="mlflow" if "mlflow" in registry.names("tracker") else "",
        reporters="plots" if "plots" in registry.names("reporter") else "",
    )


def _dataset(path: Path, answers: Mapping[str, Any], example: str) -> str:
    """The lines of the section, relative to the study's folder."""
    if not answers["data"]:
        return f"  use: sklearn\n  loader: {example} # an example that comes with scikit-learn"
    file = Path(answers["data"])
    if not file.is_file():
        raise ConfigError(f"there is no file '{file}'; name a CSV or Parquet file after --data")
    if not answers["target"]:
        raise ConfigError(f"which column of '{file}' is to be predicted? name it after --target")
    use = "parquet" if file.suffix.lower() in (".parquet", ".pq") else "csv"
    where = os.path.relpath(file.resolve(), path.resolve().parent)
    return f"  use: {use}\n  path: {_yaml(where)}\n  target: {_yaml(answers['target'])}"


def _yaml(text: str) -> str:
    """The text as a YAML scalar, in quotes where it could be read as something else."""
    plain = re.fullmatch(r"[A-Za-z_][\w./-]*( [\w./-]+)*", text)
    if plain and text.lower() not in ("null", "true", "false", "yes", "no", "on", "off"):
        return text
    return json.dumps(text, ensure_ascii=False)


def _refuse(path: Path, force: bool) -> None:
    if path.is_dir():
        raise ConfigError(f"'{path}' is a folder; name a file after --output")
    if not path.resolve().parent.is_dir():
        raise ConfigError(f"there is no folder '{path.parent}'; create it first")
    if path.exists() and not force:
        raise ConfigError(
            f"'{path}' is there already; --force overwrites it, --output names another"
        )


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def _next(path: Path, answers: Mapping[str, Any]) -> str:
    """What to do now."""
    study = "" if path == Path("study.yaml") else f" {shlex.quote(str(path))}"
    first = {
        "sklearn": "look through it",
        "python": "put your training into objective.py (as it is, it runs with a stand-in)",
        "command": f"have '{answers['program']}' take the parameters and print its metric",
    }[answers["objective"]]
    return f"next: {first}, then 'tunesmith run{study}'"

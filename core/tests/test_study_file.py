"""Bad study files: what is wrong, where, and the way out, word for word."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from tunesmith.discovery import GROUP
from tunesmith.errors import ConfigError
from tunesmith.plugins import Registry, load
from tunesmith.study import Study, load_study

STUDY = """\
name: demo
goals: {accuracy: maximize}
space:
  parameters:
    depth: {type: int, low: 1, high: 10}
    rate: {type: float, low: 0.001, high: 1, log: true}
objective: {use: python, function: "m:f"}
"""
DEPTH = "depth: {type: int, low: 1, high: 10}"
RATE = "rate: {type: float, low: 0.001, high: 1, log: true}"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load([EntryPoint("builtin", "tunesmith.builtin", GROUP)])


@pytest.fixture
def error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registry: Registry):
    """The message for a study file with that content."""
    monkeypatch.chdir(tmp_path)

    def read(content: str | bytes) -> str:
        path = Path("study.yaml")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(ConfigError) as caught:
            load_study(path, registry)
        return str(caught.value)

    return read


def test_a_good_file_is_a_study(tmp_path: Path, registry: Registry) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    study = load_study(path, registry)
    assert isinstance(study, Study)
    assert study.folder == tmp_path


COMPONENTS = {
    "sampler: rndom": "8: sampler.use: no sampler named 'rndom'; did you mean 'random'?",
    "sampler: zzz": "8: sampler.use: no sampler named 'zzz' (known: grid, random)",
    "sampler:\n  use: grid\n  pointz: 3": (
        "10: sampler.pointz: unknown option; did you mean 'points'?"
    ),
    "sampler: {use: grid, points: many}": (
        "8: sampler.points: input should be a valid integer, unable to parse string as an integer,"
        " not 'many'"
    ),
    "sampler: {points: 3}": "8: sampler.use: is missing",
    "sampler: 3": "8: sampler: needs a name or a table of options, not 3",
    "sampler: [random]": "8: sampler: needs a name or a table of options",
    "sampler:": "8: sampler: needs a name or a table of options, not null",
    "trackers: mlflow": "8: trackers: needs a list, not 'mlflow'",
    "trackers:\n  - use: zzz": "9: trackers.0.use: no tracker named 'zzz'",
}


@pytest.mark.parametrize(("lines", "message"), COMPONENTS.items())
def test_a_component_that_is_wrong(lines: str, message: str, error) -> None:
    assert error(f"{STUDY}{lines}\n") == f"study.yaml:{message}"


PARAMETERS = {
    "depth: {type: int, low: 11, high: 10}": (
        "5: space.parameters.depth: low 11 is greater than high 10; swap them"
    ),
    "depth: {type: float, low: 0, high: 10, log: true}": (
        "5: space.parameters.depth: a log scale needs low > 0, not low 0.0; raise low or drop log"
    ),
    "depth: {type: float, low: -2, high: 10, log: true}": (
        "5: space.parameters.depth: a log scale needs low > 0, not low -2.0; raise low or drop log"
    ),
    "depth: {type: int, low: .nan, high: 10}": (
        "5: space.parameters.depth.low: input should be a finite number, not nan"
    ),
    "depth: {type: integer, low: 1, high: 10}": (
        "5: space.parameters.depth: no parameter type 'integer'; did you mean 'int'?"
    ),
    "depth: {low: 1, high: 10}": (
        "5: space.parameters.depth: needs a type: one of categorical, float, int"
    ),
    "depth: 5": "5: space.parameters.depth: needs a table of options, not 5",
    "depth: {type: int, low: 1}": "5: space.parameters.depth.high: is missing",
    "depth:\n      type: int\n      low: 1\n      high: 3\n      stepp: 2": (
        "9: space.parameters.depth.stepp: unknown option; did you mean 'step'?"
    ),
    "depth: {type: int, low: 1, high: 10, when: {rat: 1}}": (
        "3: space: the condition of 'depth' 'rat == 1' names 'rat', which is no parameter;"
        " did you mean 'rate'?"
    ),
    "depth: {type: int, low: 1, high: 10, when: 'rate >'}": (
        "5: space.parameters.depth: cannot read the formula 'rate >': invalid syntax"
    ),
    "depth: {type: int, low: 1, high: 10, when: depth > 1}": (
        "3: space: the conditions form a cycle: depth -> depth"
    ),
    "3: {type: int, low: 1, high: 10}": ("5: space.parameters.3: needs text for a name, not 3"),
    "max-depth: {type: int, low: 1, high: 10}": (
        "3: space: 'max-depth' is not a parameter name; use letters, digits, underscores and dots"
    ),
}


@pytest.mark.parametrize(("line", "message"), PARAMETERS.items())
def test_a_parameter_that_is_wrong(line: str, message: str, error) -> None:
    assert error(STUDY.replace(DEPTH, line)) == f"study.yaml:{message}"


@pytest.mark.parametrize("name", ["int", "float", "categorical", "parameters"])
def test_a_parameter_may_be_named_like_a_type(name: str, error) -> None:
    found = error(STUDY.replace(DEPTH, f"{name}: {{type: int, low: 3, hihg: 1}}"))
    assert found == (
        f"study.yaml:5: space.parameters.{name}.high: is missing\n"
        f"study.yaml:5: space.parameters.{name}.hihg: unknown option; did you mean 'high'?"
    )


def test_conditions_that_form_a_cycle(error) -> None:
    text = STUDY.replace("high: 10", "high: 10, when: rate > 0.1")
    text = text.replace("log: true", "log: true, when: depth > 2")
    found = error(text)
    assert found == "study.yaml:3: space: the conditions form a cycle: depth -> rate -> depth"


RULES = {
    "constraints: [depth > 20]": (
        "3: space: the constraints exclude everything: of 10000 configurations none passed, "
        "the last because 'depth > 20' does not hold"
    ),
    "constraints: [dept > 20]": (
        "3: space: the constraint 'dept > 20' names 'dept', which is no parameter;"
        " did you mean 'depth'?"
    ),
    "constraints: depth > 2": "7: space.constraints: needs a list, not 'depth > 2'",
    "forbid: [{dpth: 3}]": (
        "3: space: the forbidden combination 'dpth == 3' names 'dpth', which is no parameter;"
        " did you mean 'depth'?"
    ),
    "forbiden: []": "7: space.forbiden: unknown option; did you mean 'forbid'?",
}


@pytest.mark.parametrize(("line", "message"), RULES.items())
def test_a_rule_of_the_space_that_is_wrong(line: str, message: str, error) -> None:
    assert error(STUDY.replace("objective:", f"  {line}\nobjective:")) == f"study.yaml:{message}"


def test_a_formula_runs_no_code(error) -> None:
    found = error(STUDY.replace("objective:", "  constraints: [__import__('os')]\nobjective:"))
    assert found == (
        "study.yaml:3: space: the formula '__import__('os')' uses '__import__('os')'; only "
        "comparisons, arithmetic, and/or/not and parameter names are understood"
    )


TOP = {
    "smapler: random": "8: smapler: unknown option; did you mean 'sampler'?",
    "folder: x": "8: folder: unknown option",
    "3: x": "8: 3: needs text for a name, not 3",
    "description: 2020-01-01": "8: description: input should be a valid string",
    "description: !!python/object/apply:os.system [ls]": (
        "8: description: input should be a valid string"
    ),
    "budget: {trials: 0}": ("8: budget.trials: input should be greater than or equal to 1, not 0"),
    "budget: {trails: 9}": "8: budget.trails: unknown option; did you mean 'trials'?",
    "budget: 9": "8: budget: needs a table of options, not 9",
    "budget: {trials: null}": (
        "8: budget: nothing ends the round; set trials, seconds, target or patience"
    ),
    "seed: -1": "8: seed: input should be greater than or equal to 0, not -1",
    "gates:\n  - accuracy > 0.9\n  - accuracy >": (
        "10: gates.1: cannot read the formula 'accuracy >': invalid syntax"
    ),
    "store: postgresql://me:secret@host/db": (
        "8: store: holds a password; put the URL into the environment variable TUNESMITH_STORE"
    ),
}


@pytest.mark.parametrize(("lines", "message"), TOP.items())
def test_a_setting_that_is_wrong(lines: str, message: str, error) -> None:
    assert error(f"{STUDY}{lines}\n") == f"study.yaml:{message}"


def test_a_setting_that_resembles_none_gets_the_list_of_all(error) -> None:
    assert error(f"{STUDY}zzz: 1\n") == (
        "study.yaml:8: zzz: unknown option (known: advisor, budget, dataset, default_first, "
        "description, executor, gates, goals, limits, name, objective, pruner, reporters, "
        "sampler, seed, space, store, trackers)"
    )


NAMES = {
    "name: ''": "needs some text, not ''",
    "name: a/b": (
        "'a/b' has other characters than letters, digits, '_', ' ', '.' and '-', or starts with "
        "one of the last three"
    ),
    "name: ..": (
        "'..' has other characters than letters, digits, '_', ' ', '.' and '-', or starts with "
        "one of the last three"
    ),
}


@pytest.mark.parametrize(("line", "message"), NAMES.items())
def test_a_study_name_that_is_no_name(line: str, message: str, error) -> None:
    assert error(STUDY.replace("name: demo", line)) == f"study.yaml:1: name: {message}"


GOALS = {
    "{accuracy: maximise}": (".accuracy: input should be 'minimize' or 'maximize', not 'maximise'"),
    "{}": ": needs at least one entry",
    "[accuracy]": ": needs a table of options",
}


@pytest.mark.parametrize(("goals", "message"), GOALS.items())
def test_goals_that_are_wrong(goals: str, message: str, error) -> None:
    found = error(STUDY.replace("{accuracy: maximize}", goals))
    assert found == f"study.yaml:2: goals{message}"


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(error) -> None:
    text = STUDY.replace("maximize", "max").replace("low: 1,", "low: 11,")
    text = text.replace("low: 0.001", "low: 0")
    assert error(f"{text}sampler: rndm\nbudget: {{trails: 1}}\nsmapler: 3\n") == (
        "study.yaml:2: goals.accuracy: input should be 'minimize' or 'maximize', not 'max'\n"
        "study.yaml:5: space.parameters.depth: low 11 is greater than high 10; swap them\n"
        "study.yaml:6: space.parameters.rate: a log scale needs low > 0, not low 0.0; raise low"
        " or drop log\n"
        "study.yaml:8: sampler.use: no sampler named 'rndm'; did you mean 'random'?\n"
        "study.yaml:9: budget.trails: unknown option; did you mean 'trials'?\n"
        "study.yaml:10: smapler: unknown option; did you mean 'sampler'?"
    )


def test_what_is_missing_is_told_together(error) -> None:
    assert error("name: demo\n") == (
        "study.yaml: goals: is missing\n"
        "study.yaml: space: is missing\n"
        "study.yaml: objective: is missing"
    )


SYNTAX = {
    STUDY.replace("high: 10}", "high: 10"): "6:9: not YAML: expected ',' or '}', but got ':'",
    f"{STUDY}sampler:\n\tuse: grid\n": (
        "9:1: not YAML: found character '\\t' that cannot start any token"
    ),
    f"{STUDY}description: a: b\n": "8:15: not YAML: mapping values are not allowed here",
    f"{STUDY}description: *a\n": "8:14: not YAML: found undefined alias 'a'",
    f"{STUDY}---\nname: b\n": "8:1: not YAML: but found another document",
    f"{STUDY}name: other\n": '8:1: not YAML: found duplicate key "name"',
    STUDY.replace(RATE, DEPTH): '6:5: not YAML: found duplicate key "depth"',
    f"{STUDY}description: \0\n": (
        " not YAML: unacceptable character #x0000: special characters are not allowed"
    ),
    f"a: {'[' * 800}": " the file is nested too deeply to read",
    f"&all\n{STUDY}sampler: *all\n": " an alias stands for what it is part of",
}


@pytest.mark.parametrize("text", SYNTAX, ids=range(len(SYNTAX)))
def test_what_is_not_yaml_is_told_with_line_and_column(text: str, error) -> None:
    assert error(text) == f"study.yaml:{SYNTAX[text]}"


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "- a\n- b\n", "hello\n", "3\n"])
def test_a_file_that_is_no_table(text: str, error) -> None:
    assert error(text) == (
        "the study file 'study.yaml' holds no table of options; write one with 'tunesmith init'"
    )


def test_a_file_that_is_not_utf8(error) -> None:
    found = error(STUDY.encode() + "description: é\n".encode("latin-1"))
    assert found == "study.yaml:8: byte 0xe9 is not UTF-8; save the file as UTF-8"


def test_a_byte_order_mark_does_no_harm(tmp_path: Path, registry: Registry) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY, encoding="utf-8-sig")
    assert load_study(path, registry).name == "demo"


def test_anchors_and_merge_keys_are_understood(tmp_path: Path, registry: Registry) -> None:
    path = tmp_path / "study.yaml"
    merged = "    <<: {width: &w {type: int, low: 1, high: 9}}\n    height: *w\n"
    path.write_text(STUDY.replace("    depth", f"{merged}    depth"))
    assert set(load_study(path, registry).space.parameters) == {"width", "height", "depth", "rate"}


def test_a_mistake_in_a_merged_table_is_told_at_what_encloses_it(error) -> None:
    merged = "    <<: {width: {type: int, low: 9, high: 1}}\n"
    assert error(STUDY.replace("    depth", f"{merged}    depth")) == (
        "study.yaml:4: space.parameters.width: low 9 is greater than high 1; swap them"
    )


def test_a_file_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load_study(Path("nope.yaml"))
    assert str(caught.value) == (
        "there is no study file 'nope.yaml'; write one with 'tunesmith init'"
    )


def test_a_study_file_that_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("study").mkdir()
    with pytest.raises(ConfigError) as caught:
        load_study(Path("study"))
    assert str(caught.value) == "'study' is a folder; name the study file in it"


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("study.yaml").symlink_to("study.yaml")
    with pytest.raises(ConfigError) as caught:
        load_study(Path("study.yaml"))
    assert str(caught.value) == (
        "cannot read the study file 'study.yaml': Too many levels of symbolic links"
    )

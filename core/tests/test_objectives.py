"""The python and command objectives, as the tuner and its workers use them."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tunesmith.errors import ConfigError
from tunesmith.evaluation import TrialContext, evaluate
from tunesmith.executors import Processes
from tunesmith.objectives import Command, Function, Python
from tunesmith.study import Study
from tunesmith.trial import TrialState

PARAMS = {"learning_rate": 0.1, "net.layers": 2}


@pytest.fixture(autouse=True)
def _path_and_modules_as_before(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr("tunesmith.imports._searched", set())
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def study_in(folder: Path, objective: str = "python", **parameters: dict) -> Study:
    space = parameters or {
        "learning_rate": {"type": "float", "low": 0.01, "high": 1},
        "net.layers": {"type": "int", "low": 1, "high": 3},
    }
    data = {"name": "demo", "goals": {"loss": "minimize"}, "objective": objective}
    return Study.model_validate({**data, "space": {"parameters": space}, "folder": folder})


def module(folder: Path, text: str, name: str = "train_it") -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(textwrap.dedent(text))


def context(seed: int = 5) -> TrialContext:
    return TrialContext(number=3, seed=seed, metric="loss")


def refusal(objective, folder: Path, **parameters) -> str:
    with pytest.raises(ConfigError) as caught:
        objective.prepare(study_in(folder, **parameters), None)
    return str(caught.value)


def run(objective, folder: Path, params=PARAMS):
    objective.prepare(study_in(folder), None)
    return evaluate(objective, params, 3, 5, study_in(folder).goal_list)


class TestPython:
    def test_calls_a_function_beside_the_study(self, tmp_path):
        module(tmp_path, "def loss(params): return params['learning_rate'] + params['net.layers']")
        assert run(Python(function="train_it:loss"), tmp_path).metrics == {"loss": 2.1}

    def test_gives_the_trial_to_a_function_that_takes_it(self, tmp_path):
        module(
            tmp_path,
            """
            def loss(params, trial):
                trial.report(1, 0.5)
                return {"loss": trial.seed, "number": trial.number}
            """,
        )
        outcome = run(Python(function="train_it:loss"), tmp_path)
        assert outcome.metrics == {"loss": 5.0, "number": 3.0}
        assert [(step.step, step.value) for step in outcome.steps] == [(1, 0.5)]

    def test_keeps_the_default_of_a_second_argument_that_is_not_the_trial(self, tmp_path):
        module(tmp_path, "def loss(params, epochs=7): return epochs")
        assert run(Python(function="train_it:loss"), tmp_path).metrics == {"loss": 7.0}

    def test_gives_the_trial_to_an_optional_argument_of_that_name(self, tmp_path):
        module(tmp_path, "def loss(params, trial=None): return trial.number")
        assert run(Python(function="train_it:loss"), tmp_path).metrics == {"loss": 3.0}

    def test_modules_beside_the_study_import_one_another(self, tmp_path):
        module(tmp_path, "LOSS = 4", "helper_of_it")
        module(tmp_path, "import helper_of_it\ndef loss(params): return helper_of_it.LOSS")
        assert run(Python(function="train_it:loss"), tmp_path).metrics == {"loss": 4.0}

    def test_two_studies_may_have_a_module_of_the_same_name(self, tmp_path):
        module(tmp_path / "a", "def loss(params): return 1")
        module(tmp_path / "b", "def loss(params): return 2")
        first, second = Python(function="train_it:loss"), Python(function="train_it:loss")
        found = [run(each, tmp_path / name) for each, name in ((first, "a"), (second, "b"))]
        found.append(evaluate(first, PARAMS, 3, 5, study_in(tmp_path).goal_list))
        assert [outcome.metrics["loss"] for outcome in found] == [1, 2, 1]

    def test_a_standard_module_is_not_forgotten_for_a_file_of_that_name(self, tmp_path):
        module(tmp_path, "def dumps(params): return 1", "json")
        with pytest.raises(ConfigError, match="cannot be called"):
            Python(function="json:JSONDecodeError").prepare(study_in(tmp_path), None)
        assert sys.modules["json"] is json

    def test_missing_module_is_refused_with_the_closest_file(self, tmp_path):
        module(tmp_path, "def loss(params): return 1")
        message = refusal(Python(function="train_in:loss"), tmp_path)
        assert message == (
            f"there is no module 'train_in', neither in {tmp_path} nor installed; "
            "did you mean 'train_it'?"
        )

    def test_missing_function_is_refused_with_the_closest_name(self, tmp_path):
        module(tmp_path, "def loss(params): return 1")
        message = refusal(Python(function="train_it:losss"), tmp_path)
        assert message == "module 'train_it' has no function 'losss'; did you mean 'loss'?"

    def test_import_that_fails_inside_is_told_with_its_line(self, tmp_path):
        module(tmp_path, "import os\nimport no_such_library\ndef loss(params): return 1")
        message = refusal(Python(function="train_it:loss"), tmp_path)
        assert message == (
            "cannot import 'train_it': ModuleNotFoundError: No module named 'no_such_library' "
            f"({tmp_path}/train_it.py:2)"
        )

    def test_syntax_error_is_told_with_its_line(self, tmp_path):
        module(tmp_path, "def loss(params):\n    return (1")
        message = refusal(Python(function="train_it:loss"), tmp_path)
        assert message == (
            "cannot import 'train_it': SyntaxError: '(' was never closed (train_it.py, line 2)"
        )

    def test_a_script_that_exits_when_imported_does_not_end_the_tuner(self, tmp_path):
        module(tmp_path, "raise SystemExit('usage: train_it')")
        message = refusal(Python(function="train_it:loss"), tmp_path)
        assert "SystemExit: usage: train_it" in message

    @pytest.mark.parametrize(
        ("function", "says"),
        [
            ("train_it", "'train_it' is no import path; write 'module:function'"),
            ("train_it:RATE", "'train_it:RATE' is a int, not a function"),
            ("train_it:three", "'three(params, trial, more)' cannot be called as 'three(params)'"),
            ("train_it:none", "'none()' cannot be called as 'none(params)'"),
        ],
    )
    def test_what_cannot_be_called_is_refused(self, tmp_path, function, says):
        module(tmp_path, "RATE = 1\ndef none(): pass\ndef three(params, trial, more): pass")
        assert refusal(Python(function=function), tmp_path).startswith(says)

    def test_a_dataset_is_refused_because_nobody_would_read_it(self, tmp_path):
        module(tmp_path, "def loss(params): return 1")
        with pytest.raises(ConfigError, match="'python' loads its data itself; drop 'dataset'"):
            Python(function="train_it:loss").prepare(study_in(tmp_path), object())


def test_function_shares_the_rules_of_signatures(tmp_path):
    assert run(Function(function=lambda params: 1), tmp_path).metrics == {"loss": 1.0}
    assert run(Function(function=lambda params, trial: trial.seed), tmp_path).metrics["loss"] == 5
    assert "cannot be called" in refusal(Function(function=lambda: 1), tmp_path)


ECHO = """
import json, os, sys
environment = {k: v for k, v in os.environ.items() if k.startswith("TUNESMITH_")}
print("noise")
print(json.dumps({"loss": 1.5, **{f"argument {word}": 1 for word in sys.argv[1:]},
                  **{f"{k}={v}": 1 for k, v in environment.items()}}))
print()
"""


def program(folder: Path, text: str = ECHO) -> list[str]:
    (folder / "program.py").write_text(textwrap.dedent(text))
    return [sys.executable, "program.py"]


def arguments(outcome) -> list[str]:
    return [name[9:] for name in outcome.metrics if name.startswith("argument ")]


class TestCommand:
    def test_params_are_flags_and_the_last_line_holds_the_metrics(self, tmp_path):
        outcome = run(Command(command=program(tmp_path)), tmp_path)
        assert outcome.metrics["loss"] == 1.5
        assert arguments(outcome) == ["--learning_rate", "0.1", "--net.layers", "2"]
        assert outcome.metrics.keys() >= {"TUNESMITH_TRIAL=3", "TUNESMITH_SEED=5"}

    def test_placeholders_are_filled_and_the_rest_is_appended(self, tmp_path):
        command = [*program(tmp_path), "--lr={learning_rate}", "{{plain}}"]
        outcome = run(Command(command=command), tmp_path)
        assert arguments(outcome) == ["--lr=0.1", "{plain}", "--net.layers", "2"]

    def test_true_false_and_null_as_flags(self, tmp_path):
        params = {"shuffle": True, "cache": False, "depth": None}
        space = {name: {"type": "categorical", "choices": [True, False, None]} for name in params}
        flags = Command(command=program(tmp_path))
        flags.prepare(study_in(tmp_path, **space), None)
        metrics = flags.evaluate(params, context())
        assert [k for k in metrics if k.startswith("argument")] == [
            "argument --shuffle",
            "argument --no-cache",
        ]

    def test_true_false_and_null_in_placeholders(self, tmp_path):
        params = {"shuffle": True, "cache": False, "depth": None}
        space = {name: {"type": "categorical", "choices": [True, False, None]} for name in params}
        filled = Command(command=[*program(tmp_path), "{shuffle},{cache},{depth}"])
        filled.prepare(study_in(tmp_path, **space), None)
        assert "argument true,false," in filled.evaluate(params, context())

    def test_params_as_environment_variables(self, tmp_path):
        command = Command(command=program(tmp_path), params="environment")
        outcome = run(command, tmp_path)
        assert arguments(outcome) == []
        assert outcome.metrics.keys() >= {
            "TUNESMITH_PARAM_LEARNING_RATE=0.1",
            "TUNESMITH_PARAM_NET_LAYERS=2",
        }

    def test_null_is_no_environment_variable(self, tmp_path):
        command = Command(command=program(tmp_path), params="environment")
        space = {"depth": {"type": "categorical", "choices": [None, 1]}}
        command.prepare(study_in(tmp_path, **space), None)
        assert "DEPTH" not in str(command.evaluate({"depth": None}, context()))

    def test_a_command_line_is_split_like_a_shell_but_not_run_by_one(self, tmp_path):
        line = f"{sys.executable} program.py 'two words' $HOME;true"
        program(tmp_path)
        assert arguments(run(Command(command=line), tmp_path))[:2] == ["two words", "$HOME;true"]

    def test_one_number_is_the_goal(self, tmp_path):
        outcome = run(Command(command=program(tmp_path, "print(7)\nprint(' 0.25 ')")), tmp_path)
        assert outcome.metrics == {"loss": 0.25}

    def test_metrics_from_a_file_that_is_fresh_for_each_trial(self, tmp_path):
        text = """
            import json, os
            path = os.environ["TUNESMITH_METRICS"]
            assert not os.path.exists(path)
            open(path, "w").write(json.dumps({"loss": 0.5}))
            print(1, 2, 3)
        """
        command = Command(command=program(tmp_path, text), metrics="file")
        assert run(command, tmp_path).metrics == {"loss": 0.5}
        assert run(command, tmp_path).metrics == {"loss": 0.5}

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("import sys; print(1); sys.exit('no data')", "exit code 1: no data"),
            ("import os; print(1); os._exit(3)", "exit code 3"),
            ("import os; os.kill(os.getpid(), 9)", "killed by SIGKILL"),
            ("print('done')", "the last line of its output is 'done', not a number or"),
            ("pass", "the last line of its output is '', not a number or"),
            ("print('true')", "the last line of its output is 'true', not a number or"),
            ('print(\'{"loss": "low"}\')', "the objective returned 'low' for 'loss'"),
            ("print('NaN')", "the objective returned nan for 'loss'"),
        ],
    )
    def test_a_program_that_fails_is_a_failed_trial_with_the_reason(self, tmp_path, text, says):
        outcome = run(Command(command=program(tmp_path, text)), tmp_path)
        assert outcome.state is TrialState.FAILED
        assert says in outcome.error

    def test_a_metrics_file_that_is_not_written_is_a_failed_trial(self, tmp_path):
        outcome = run(Command(command=program(tmp_path, "print(1)"), metrics="file"), tmp_path)
        assert "the program wrote no file at $TUNESMITH_METRICS" in outcome.error

    def test_output_that_is_no_text_does_not_hide_the_metrics(self, tmp_path):
        text = "import sys; sys.stdout.buffer.write(bytes([255, 10])); print(2)"
        assert run(Command(command=program(tmp_path, text)), tmp_path).metrics == {"loss": 2.0}

    def test_a_missing_program_is_refused(self, tmp_path):
        message = refusal(Command(command="no-such-program --fast"), tmp_path)
        assert message == f"there is no program 'no-such-program' to run in {tmp_path}"

    def test_a_program_beside_the_study_needs_its_path(self, tmp_path):
        (tmp_path / "train.sh").write_text("#!/bin/sh\necho 1\n")
        assert refusal(Command(command="train.sh"), tmp_path).endswith(
            "; did you mean './train.sh'?"
        )
        assert refusal(Command(command="./train.sh"), tmp_path).endswith("executable: chmod +x")
        (tmp_path / "train.sh").chmod(0o755)
        assert run(Command(command="./train.sh"), tmp_path).metrics == {"loss": 1.0}

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            ({"command": ""}, "the command is empty"),
            ({"command": "sh 'open"}, "cannot read the command 'sh 'open': No closing quotation"),
            (
                {"command": "sh {lerning_rate}"},
                "'{lerning_rate}' in the command is no parameter; did you mean 'learning_rate'?",
            ),
            (
                {"command": "sh {learning_rate}", "params": "environment"},
                "'{learning_rate}' in the command is not filled with 'params: environment'",
            ),
        ],
    )
    def test_a_command_that_cannot_work_is_refused(self, tmp_path, options, says):
        assert refusal(Command(**options), tmp_path).startswith(says)

    def test_two_parameters_in_one_environment_variable_are_refused(self, tmp_path):
        number = {"type": "int", "low": 0, "high": 1}
        command = Command(command="sh", params="environment")
        message = refusal(command, tmp_path, **{"net.size": number, "net_size": number})
        assert "'net.size' and 'net_size' are the same environment variable" in message


REPORTING = """
import json, os, subprocess, sys, time
print("epoch 0")
print(json.dumps({"step": True, "loss": 1}), json.dumps({"step": 1}), sep="\\n")
print(json.dumps({"step": 1, "loss": 0.5, "accuracy": 0.25, "note": "fine"}))
print("{step: 2}")
if "ends" not in sys.argv:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    open("pid", "w").write(str(child.pid))
    print(json.dumps({"loss": 0.4, "accuracy": 0.5, "step": 2}))
    time.sleep(60)
print(0.25)
"""


def too_bad(steps):
    return "too bad" if steps[-1].step == 2 and steps[-1].metric == "loss" else None


class TestACommandThatReports:
    def test_lines_with_a_step_are_reports(self, tmp_path):
        outcome = run(Command(command=[*program(tmp_path, REPORTING), "ends"]), tmp_path)
        assert outcome.metrics == {"loss": 0.25}
        assert [(s.step, s.metric, s.value) for s in outcome.steps] == [
            (1, "accuracy", 0.25),
            (1, "loss", 0.5),
        ]

    def test_a_last_line_with_a_step_is_the_result_too(self, tmp_path):
        text = """print('{"step": 1, "loss": 3}'); print('{"step": 2, "loss": 2}')"""
        outcome = run(Command(command=program(tmp_path, text)), tmp_path)
        assert outcome.metrics["loss"] == 2 and [s.value for s in outcome.steps] == [3, 2]

    def test_the_pruner_ends_the_program_and_all_that_it_started(self, tmp_path):
        command = Command(command=program(tmp_path, REPORTING))
        command.prepare(study_in(tmp_path), None)
        began = time.monotonic()
        outcome = evaluate(command, PARAMS, 3, 5, study_in(tmp_path).goal_list, too_bad)
        assert (outcome.state, outcome.error) == (TrialState.PRUNED, "too bad")
        assert [s.metric for s in outcome.steps] == ["accuracy", "loss"] * 2
        assert time.monotonic() - began < 30
        wait_until(lambda: is_gone(started_program(tmp_path)))

    def test_a_pruned_program_may_clean_up(self, tmp_path):
        text = """
            import signal, sys, time
            def clean_up(*_):
                open("clean", "w")
                sys.exit(3)
            signal.signal(signal.SIGTERM, clean_up)
            print('{"step": 2, "loss": 1}')
            time.sleep(60)
        """
        command = Command(command=program(tmp_path, text))
        command.prepare(study_in(tmp_path), None)
        outcome = evaluate(command, PARAMS, 3, 5, study_in(tmp_path).goal_list, too_bad)
        assert outcome.state is TrialState.PRUNED and (tmp_path / "clean").exists()

    def test_a_program_that_will_not_end_is_killed(self, tmp_path, monkeypatch):
        monkeypatch.setattr("tunesmith.programs.GRACE", 0.2)
        text = """
            import os, signal, time
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            open("pid", "w").write(str(os.getpid()))
            print('{"step": 2, "loss": 1}')
            time.sleep(60)
        """
        command = Command(command=program(tmp_path, text))
        command.prepare(study_in(tmp_path), None)
        outcome = evaluate(command, PARAMS, 3, 5, study_in(tmp_path).goal_list, too_bad)
        assert outcome.state is TrialState.PRUNED
        assert is_gone(started_program(tmp_path))


SLOW = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
DRIVER = """
import os, sys
from pathlib import Path
from tunesmith.evaluation import TrialContext
from tunesmith.executors import Processes
from tunesmith.objectives import Command
os.setpgid(0, 0)
command = Command(command=[sys.executable, "program.py"])
command._folder = Path.cwd()
command.evaluate({}, TrialContext(0, 0, "loss"))
"""


CHILDREN = """
import os, subprocess, sys, time
code = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL)
time.sleep(60)
"""


def started(folder: Path, text: str = SLOW) -> tuple[subprocess.Popen, int]:
    """A process that evaluates a program which sleeps, and that program's process id."""
    program(folder, text)
    driver = subprocess.Popen([sys.executable, "-c", DRIVER], cwd=folder, stderr=subprocess.DEVNULL)
    return driver, started_program(folder)


def started_program(folder: Path) -> int:
    pid = folder / "pid"
    wait_until(lambda: pid.exists() and pid.read_text())
    return int(pid.read_text())


def wait_until(condition, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for the process in /proc")
class TestAProgramDoesNotOutliveItsTrial:
    def test_when_the_trial_is_interrupted(self, tmp_path):
        driver, pid = started(tmp_path)
        os.kill(driver.pid, signal.SIGINT)
        driver.wait(timeout=20)
        assert is_gone(pid)

    def test_when_what_it_started_is_still_there(self, tmp_path):
        text = CHILDREN.replace("time.sleep(60)\n", "time.sleep(1); print(1)\n")
        assert run(Command(command=program(tmp_path, text)), tmp_path).metrics == {"loss": 1.0}
        wait_until(lambda: is_gone(started_program(tmp_path)))

    def test_when_the_executor_cancels_the_trial(self, tmp_path):
        command = Command(command=program(tmp_path, SLOW))
        command.prepare(study_in(tmp_path), None)
        executor = Processes()
        executor.start()
        try:
            goals = study_in(tmp_path).goal_list
            future = executor.submit(evaluate, command, PARAMS, 3, 5, goals)
            pid = started_program(tmp_path)
            executor.cancel(future)
            wait_until(lambda: is_gone(pid))
        finally:
            executor.stop()

    @pytest.mark.parametrize("text", [SLOW, CHILDREN])
    def test_when_the_group_of_the_worker_is_killed(self, tmp_path, text):
        driver, pid = started(tmp_path, text)
        os.killpg(driver.pid, signal.SIGKILL)
        driver.wait(timeout=20)
        wait_until(lambda: is_gone(pid))

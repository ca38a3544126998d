"""The objectives that need no library: a Python function, and any program."""

from __future__ import annotations

import inspect
import json
import os
import re
import shlex
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

from tunesmith.components import Objective
from tunesmith.errors import ConfigError, TunesmithError, did_you_mean
from tunesmith.imports import import_from
from tunesmith.programs import lines_of

if TYPE_CHECKING:
    from tunesmith.components import Dataset
    from tunesmith.evaluation import TrialContext
    from tunesmith.expressions import Value
    from tunesmith.space import Params
    from tunesmith.study import Study

Result = float | Mapping[str, float]

_PLACEHOLDER = re.compile(r"\{\{([A-Za-z_][\w.]*)\}\}|\{([A-Za-z_][\w.]*)\}")


class Function(Objective):
    """A Python callable, `function(params)` or `function(params, trial)`: what `tune` is given."""

    function: Callable[..., Result]
    """The callable; it gets the trial when it has a second argument without a default, or one
    that is named `trial`.
    """

    def prepare(self, study: Study, dataset: Dataset | None) -> None:
        _refuse(dataset, "function")
        _takes_trial(self.function)

    def evaluate(self, params: Params, trial: TrialContext) -> Result:
        return _call(self.function, params, trial)


class Python(Objective):
    """A Python function that returns the metric or a dict of metrics.

    It is called as `function(params)` or `function(params, trial)`.
    """

    function: str
    """Import path of the function, `module:function`; files in the study's folder come first."""

    def prepare(self, study: Study, dataset: Dataset | None) -> None:
        self._folder = study.folder.resolve()
        _refuse(dataset, "python")
        _takes_trial(self._find())

    def evaluate(self, params: Params, trial: TrialContext) -> Result:
        return _call(self._find(), params, trial)

    def _find(self) -> Callable[..., Result]:
        module_name, _, name = self.function.partition(":")
        if not (module_name and name):
            raise ConfigError(f"'{self.function}' is no import path; write 'module:function'")
        module = import_from(module_name, self._folder)
        if not hasattr(module, name):
            known = [key for key, value in vars(module).items() if inspect.isroutine(value)]
            raise ConfigError(
                f"module '{module_name}' has no function '{name}'{did_you_mean(name, known)}"
            )
        function = getattr(module, name)
        if not callable(function):
            raise ConfigError(f"'{self.function}' is a {type(function).__name__}, not a function")
        return function  # type: ignore[no-any-return]


def _refuse(dataset: Dataset | None, use: str) -> None:
    if dataset is not None:
        raise ConfigError(
            f"the objective '{use}' loads its data itself; drop 'dataset' from the study"
        )


def _call(function: Callable[..., Result], params: Params, trial: TrialContext) -> Result:
    return function(params, trial) if _takes_trial(function) else function(params)


def _takes_trial(function: Callable[..., Any]) -> bool:
    """Whether to call `function(params, trial)` or `function(params)`.

    Raises ConfigError where it can be called neither way.
    """
    try:
        signature = inspect.signature(function)
    except ValueError:  # some builtins do not tell
        return False
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    second = [each for each in signature.parameters.values() if each.kind in kinds][1:2]
    takes = any(each.name == "trial" or each.default is each.empty for each in second)
    try:
        signature.bind(*("params", "trial") if takes else ("params",))
    except TypeError as error:
        name = getattr(function, "__name__", repr(function))
        raise ConfigError(
            f"'{name}{signature}' cannot be called as '{name}(params)' or "
            f"'{name}(params, trial)': {error}"
        ) from None
    return takes


class Command(Objective):
    """Any program that takes the params as flags or environment variables.

    It runs in the study's folder and gives its metrics as JSON: one number or an object of numbers.
    `TUNESMITH_TRIAL` and `TUNESMITH_SEED` are always set. An exit code other than 0 is a failed
    trial. A line `{"step": 3, "loss": 0.5}` of its output reports metrics in the middle of the
    trial; the study's pruner may then end the program and all that it has started.
    """

    command: str | list[str]
    """The program and its arguments. No shell: for pipes and the like write `sh -c '...'`."""
    params: Literal["flags", "environment"] = "flags"
    """`flags`: `--name value`, true as `--name`, false as `--no-name`, null left out; a `{name}`
    in the command is replaced instead (true, false, and nothing for null; `{{name}}` for a plain
    `{name}`). `environment`: `TUNESMITH_PARAM_NAME`, dots as underscores, null not set.
    """
    metrics: Literal["stdout", "file"] = "stdout"
    """`stdout`: the last line of the output that is not empty. `file`: what the program writes to
    the path in `TUNESMITH_METRICS`.
    """

    def prepare(self, study: Study, dataset: Dataset | None) -> None:
        self._folder = study.folder.resolve()
        _refuse(dataset, "command")
        words = self._words()
        if not words:
            raise ConfigError("the command is empty; write a program and its arguments")
        self._check_program(words[0])
        names = list(study.space.parameters)
        for word in words:
            for name in _placeholders(word):
                if self.params == "environment":
                    raise ConfigError(
                        f"'{{{name}}}' in the command is not filled with 'params: environment'; "
                        f"use ${_variable(name)} in the program, or 'params: flags'"
                    )
                if name not in names:
                    raise ConfigError(
                        f"'{{{name}}}' in the command is no parameter{did_you_mean(name, names)} "
                        f"For the text itself write '{{{{{name}}}}}'"
                    )
        twins = {_variable(name): name for name in names}
        for name in names:
            if self.params == "environment" and twins[_variable(name)] != name:
                raise ConfigError(
                    f"'{name}' and '{twins[_variable(name)]}' are the same environment variable "
                    f"{_variable(name)}; rename one of them, or use 'params: flags'"
                )

    def _words(self) -> list[str]:
        if not isinstance(self.command, str):
            return self.command
        try:
            return shlex.split(self.command)
        except ValueError as error:
            raise ConfigError(f"cannot read the command '{self.command}': {error}") from None

    def _check_program(self, program: str) -> None:
        """Look for it as the operating system will: by a path from the folder, or on $PATH."""
        path = self._folder / program
        if os.sep in program:
            if shutil.which(path):
                return
            hint = "; make it executable: chmod +x" if path.is_file() else ""
        elif shutil.which(program):
            return
        else:
            hint = f"; did you mean './{program}'?" if path.is_file() else ""
        raise ConfigError(f"there is no program '{program}' to run in {self._folder}{hint}")

    def evaluate(self, params: Params, trial: TrialContext) -> Result:
        with TemporaryDirectory(prefix="tunesmith-") as folder:
            file = Path(folder, "metrics.json")
            last = ""
            program = (
                self._arguments(params),
                self._folder,
                self._environment(params, trial, file),
            )
            with closing(lines_of(*program)) as lines:
                for line in lines:
                    last = line if line.strip() else last
                    _report(line, trial)
            if self.metrics == "stdout":
                return _read(last, "the last line of its output")
            if not file.exists():
                raise TunesmithError("the program wrote no file at $TUNESMITH_METRICS")
            return _read(file.read_text(encoding="utf-8", errors="replace"), "the metrics file")

    def _arguments(self, params: Params) -> list[str]:
        words = self._words()
        if self.params == "environment":
            return words
        placed = {name for word in words for name in _placeholders(word)}
        flags = (_flag(name, value) for name, value in params.items() if name not in placed)
        return [_fill(word, params) for word in words] + [word for flag in flags for word in flag]

    def _environment(self, params: Params, trial: TrialContext, file: Path) -> dict[str, str]:
        found = {"TUNESMITH_TRIAL": str(trial.number), "TUNESMITH_SEED": str(trial.seed)}
        if self.metrics == "file":
            found["TUNESMITH_METRICS"] = str(file)
        if self.params == "environment":
            found |= {_variable(k): _text(v) for k, v in params.items() if v is not None}
        # a program in Python would else keep its reports until it ends
        return {"PYTHONUNBUFFERED": "1", **os.environ, **found}


def _variable(name: str) -> str:
    return f"TUNESMITH_PARAM_{name.upper().replace('.', '_')}"


def _placeholders(word: str) -> list[str]:
    return [match[2] for match in _PLACEHOLDER.finditer(word) if match[2]]


def _fill(word: str, params: Params) -> str:
    # a parameter that does not apply in this trial is as good as null
    return _PLACEHOLDER.sub(
        lambda match: _text(params.get(match[2])) if match[2] else f"{{{match[1]}}}", word
    )


def _flag(name: str, value: Value) -> Sequence[str]:
    if value is None:
        return ()
    if isinstance(value, bool):
        return (f"--{name}" if value else f"--no-{name}",)
    return (f"--{name}", _text(value))


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _report(line: str, trial: TrialContext) -> None:
    """Report what a line of output says of a step, if it does."""
    found: Any = _parsed(line) if line.lstrip().startswith("{") else None
    step = found.get("step") if isinstance(found, dict) else None
    if not isinstance(step, int) or isinstance(step, bool):
        return
    # the goal comes last: it may end the trial
    for name in sorted(found, key=lambda name: name == trial.metric):
        if name != "step" and _is_number(found[name]):
            trial.report(step, found[name], name)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _read(text: str, where: str) -> Result:
    found: Any = _parsed(text)
    if isinstance(found, dict) or _is_number(found):
        return found  # type: ignore[no-any-return]
    shown = text.strip() if len(text) <= 80 else text.strip()[:77] + "..."
    raise TunesmithError(f"{where} is {shown!r}, not a number or a JSON object of numbers")

"""The advisor that somebody names on the command line."""

from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tunesmith.errors import ConfigError
from tunesmith.plugins import installed
from tunesmith.study import ComponentTable, Study


def with_advisor(study: Study, text: str) -> Study:
    """The study with another advisor: see `advisor_table`."""
    declared = study.advisor.model_dump() if study.advisor else {}
    table = advisor_table(text, declared)
    return study.model_copy(update={"advisor": ComponentTable(**table)})


def advisor_table(text: str, declared: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A name, or a table as in a study file such as `{use: llm, model: tiny}`.

    By its name alone the `declared` advisor keeps its options. Raises ConfigError for anything
    that is no advisor.
    """
    try:
        found = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, RecursionError):
        found = None
    if isinstance(found, str):
        found = dict(declared) if declared and declared["use"] == found else {"use": found}
    if not isinstance(found, dict) or not isinstance(found.get("use"), str):
        raise ConfigError(
            f"--advisor '{text}' is neither a name nor a table such as '{{use: llm, model: tiny}}'"
        )
    installed().build("advisor", found)  # so that a mistake is told before anything is run
    return found

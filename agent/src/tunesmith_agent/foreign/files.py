"""A study file for an experiment: ready but for the objective."""

import io
import textwrap
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.representer import SafeRepresenter

from tunesmith.space import SearchSpace
from tunesmith_agent.foreign.experiment import Foreign
from tunesmith_agent.foreign.texts import shown

_OBJECTIVE = """\
# TO DO: write this function: module:function, in a file beside this one. It is given the params
# above, trains, and returns the metric. Keep what was constant as it was; it is listed above.
objective:
  use: python
  function: objective:train
"""

_REST = """\
# When does the round end?
budget:
  trials: 50

# Where every trial is shown: 'tunesmith plugins list' has the names.
# trackers: [mlflow]
"""


def study_file(foreign: Foreign, space: SearchSpace) -> str:
    """The text of a study file with this space; comments say what was assumed and what to fill in.

    `space` is the experiment's own or a revised one.
    """
    trials = len(foreign.round.trials)
    head = [f"Made from {trials} runs of the experiment '{shown(foreign.experiment, 200)}'."]
    if foreign.assumptions:
        head += ["What was assumed, to be checked:"]
        head += [f"- {shown(line, 1000)}" for line in foreign.assumptions]
    goals = {foreign.goal.metric: foreign.goal.direction.value}
    return "\n".join(
        [
            "\n".join(_comment(line) for line in head),
            _yaml({"name": foreign.study}),
            "# Which metric is better which way?\n" + _yaml({"goals": goals}),
            "# Where to look?\n" + _yaml({"space": space.to_dict()}),
            _OBJECTIVE,
            _REST,
        ]
    )


def _comment(line: str) -> str:
    return textwrap.fill(
        line,
        98,
        initial_indent="# ",
        subsequent_indent="#   ",
        break_on_hyphens=False,
    )


class _Representer(SafeRepresenter):
    """Writes texts with unusual characters between double quotes, where all of them are escaped."""

    def represent_str(self, text: str) -> Any:
        # a next-line character in a plain scalar is read back as a space
        style = None if text.isprintable() else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Representer.add_representer(str, _Representer.represent_str)


def _yaml(data: dict[str, Any]) -> str:
    text = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Representer
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.allow_unicode = True
    yaml.width = 10_000  # a text that is folded loses some of its spaces
    yaml.dump(data, text)
    return text.getvalue()

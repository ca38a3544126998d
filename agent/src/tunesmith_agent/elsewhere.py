"""Advice on an experiment that tunesmith never made; nothing is recorded."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import click

from tunesmith.components import Advisor, Tracker
from tunesmith.edits import apply, prepared
from tunesmith.errors import ConfigError
from tunesmith.plugins import installed
from tunesmith.policy import admissible
from tunesmith.proposals import Draft, Edit, Tier
from tunesmith.space import SearchSpace
from tunesmith.trial import Direction
from tunesmith_agent.advisors import advisor_table
from tunesmith_agent.desk import present
from tunesmith_agent.foreign import Foreign, read, study_file
from tunesmith_agent.page import write_page, write_whole
from tunesmith_agent.story import tell


@dataclass(frozen=True, slots=True)
class Source:
    """An experiment of a tracker, and what is asked of it."""

    tracker: str
    experiment: str
    metric: str
    goal: str | None = None

    def read(self) -> Foreign:
        """Its runs. Raises ConfigError where they say nothing about the metric."""
        direction = Direction(self.goal) if self.goal else None
        with closing(cast(Tracker, installed().build("tracker", {"use": self.tracker}))) as tracker:
            return read(tracker, self.experiment, self.metric, direction)


def advise(
    source: Source, advisor: str | None, output: str | None, page: Path | None, format: str
) -> None:
    """Show what the runs say, and write a study file with the recommended changes.

    Raises ConfigError where the file is there already.
    """
    path = Path(output or "study.yaml")
    if path.exists():
        raise ConfigError(f"'{path}' is there already; name another file after --output")
    table = advisor_table(advisor or "statistical")
    foreign = source.read()
    history = foreign.history()
    adviser = cast(Advisor, installed().build("advisor", table))
    draft = admissible(history, adviser.advise(history))
    draft = draft.model_copy(update={"edits": prepared(foreign.space, draft.edits)})
    space = apply(foreign.space, _recommended(draft.edits))
    # no round of tunesmith's follows: the study file knows nothing of these runs
    story = replace(tell(draft, history), assumed=foreign.assumptions, next_round=())
    present(story, _data(foreign, draft, space), format)
    if page:
        write_page(page, story)
        click.echo(f"wrote {page}", err=True)
    write_whole(path, study_file(foreign, space))
    click.echo(f"wrote {path}; give it an objective, then: tunesmith run {path}", err=True)


def _recommended(edits: Sequence[Edit]) -> list[Edit]:
    return [edit for edit in edits if edit.tier is Tier.RECOMMENDED]


def _data(foreign: Foreign, draft: Draft, space: SearchSpace) -> dict[str, object]:
    return draft.model_dump(mode="json") | {
        "experiment": foreign.experiment,
        "assumptions": list(foreign.assumptions),
        "space": space.to_dict(),
    }

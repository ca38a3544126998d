"""What lasts of a session: a small JSON file beside the study file, for its owner's eyes only."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from tunesmith.model_use import ModelUse
from tunesmith_agent.chat.steps import Step

_TURNS, _LONG = 6, 800


class Said(BaseModel):
    """What somebody said: the person (`user`), or a language model (`assistant`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Literal["user", "assistant"]
    text: str


class Memory(BaseModel):
    """What was changed about the draft, and what was said with a language model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    snapshot: str = ""
    """Of the trials that the draft was made from."""
    steps: tuple[Step, ...] = ()
    said: tuple[Said, ...] = ()
    """The latest turns."""
    model: ModelUse | None = None
    """The calls that no proposal has told of yet."""

    def counting(self, use: ModelUse) -> Memory:
        """With further calls, under the later model's name; the cost where all of it is known."""
        if self.model:
            costs = self.model.cost, use.cost
            use = use.model_copy(
                update={
                    "calls": (*self.model.calls, *use.calls),
                    "seconds": round(self.model.seconds + use.seconds, 2),
                    "cost": None if None in costs else sum(filter(None, costs)),
                }
            )
        return self.model_copy(update={"model": use})

    def after(self, line: str, answer: str) -> Memory:
        """With one more turn; the oldest ones are forgotten."""
        turn = (
            Said(role="user", text=line[:_LONG]),
            Said(role="assistant", text=answer[:_LONG]),
        )
        return self.model_copy(update={"said": (*self.said, *turn)[-2 * _TURNS :]})


def memory_file(study_file: Path, study: str) -> Path:
    """Where the session of a study is kept."""
    return (
        study_file.resolve().parent / f".tunesmith-chat-{re.sub(r'[^A-Za-z0-9]+', '-', study)}.json"
    )


def recall(file: Path) -> tuple[Memory, str]:
    """What was kept, and what was wrong with it, if anything."""
    if not file.exists():
        return Memory(), ""
    try:
        return Memory.model_validate_json(file.read_bytes()), ""
    except (OSError, ValidationError):
        return Memory(), f"'{file.name}' cannot be read; a new session begins"


def remember(file: Path, memory: Memory) -> None:
    """Keep it: the file is written whole, and nobody else may read it. Raises OSError."""
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as new:
        new.write(memory.model_dump_json())
    os.replace(new.name, file)

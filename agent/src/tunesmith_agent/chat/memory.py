"""What lasts of a session: a small JSON file beside the study file, for its owner's eyes only."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tunesmith_agent.chat.steps import Step


class Memory(BaseModel):
    """What was changed about the draft."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    snapshot: str = ""
    """Of the trials that the draft was made from."""
    steps: tuple[Step, ...] = ()


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

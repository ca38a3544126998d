"""Where files are written, whole or not at all."""

import json
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where files go, and what their names begin with."""

    folder: Path
    prefix: str = ""

    def write(self, name: str, text: str) -> Path:
        """Write a file whole, or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{self.prefix}{name}"
        part = path.with_name(f"{path.name}.part")
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
        return path

    def write_json(self, name: str, data: object) -> Path:
        return self.write(name, json.dumps(finite(data), indent=1, default=str))


def finite(data: object) -> object:
    """The same data with null for numbers that JSON has no word for."""
    return json.loads(json.dumps(data, default=str), parse_constant=lambda _: None)

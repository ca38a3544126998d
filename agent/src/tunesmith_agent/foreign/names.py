"""Names that a study can have for those that were logged."""

import re
from collections.abc import Iterable


def aliases(logged: Iterable[str]) -> dict[str, str]:
    """A name in the space for each logged one: the same where that is possible, all different."""
    names = list(logged)
    found = {name: name for name in names if _alias(name) == name}
    taken = set(found.values())
    for name in names:
        if name not in found:
            found[name] = _free(_alias(name), taken)
            taken.add(found[name])
    return {name: found[name] for name in names}


def _alias(name: str) -> str:
    alias = ".".join(re.sub(r"\W", "_", part) or "_" for part in name.split("."))
    return alias if re.match("[A-Za-z_]", alias) else f"_{alias}"


def _free(alias: str, taken: set[str]) -> str:
    number, free = 2, alias
    while free in taken:
        free, number = f"{alias}_{number}", number + 1
    return free


def study_name(experiment: str) -> str:
    """The experiment's name as far as a study's can be the same."""
    name = re.sub(r"[^\w .\-]+", "-", experiment).strip(" .-")[:100]
    return name or "study"

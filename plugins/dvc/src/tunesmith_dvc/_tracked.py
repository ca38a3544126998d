"""A file is in the version that DVC tracks, and which version that is."""

import os
from pathlib import Path

from tunesmith.errors import ConfigError
from tunesmith_dvc._repository import Repository, Tracked, opened


def version(folder: Path, path: str, pull: bool) -> dict[str, str]:
    """The version of the file, which is there afterwards and has that content.

    Names as in `Dataset.version`: `path` from the root of the DVC repository, `md5`; where there
    is one, the `remote` by its name and its `url` without secrets, and the git `revision`, with
    `-dirty` behind it where the version is not committed in it.

    Raises ConfigError where the file is not tracked, is changed, or cannot be pulled.
    """
    file = _absolute(folder, path)
    with opened(file, path) as repository:
        if not file.exists():
            _restore(repository, folder, path, pull)
        tracked = _found(repository, folder, path, pull)
        present = repository.md5_of(file, tracked)
        if present != tracked.md5:
            raise ConfigError(
                f"'{path}' is not the version that DVC tracks: tracked is md5 '{tracked.md5}', "
                f"there is '{present}'; make it the new version with "
                f"'{_command(tracked, folder)}', or get the old one back with "
                f"'{_back(tracked, path)}'"
            )
        told = {
            "path": file.relative_to(repository.root).as_posix(),
            "md5": tracked.md5,
            "revision": repository.revision(tracked),
            "remote": tracked.remote,
            "url": tracked.url,
        }
    return {name: text for name, text in told.items() if text}


def _absolute(folder: Path, path: str) -> Path:
    # not resolved: a file may be a link into DVC's cache
    return Path(os.path.abspath(folder / path))


def _found(repository: Repository, folder: Path, path: str, pull: bool) -> Tracked:
    """What DVC knows of the file, the listing of its folder fetched where that is needed."""
    file = _absolute(folder, path)
    tracked = repository.find(file)
    if tracked is None:
        raise ConfigError(
            f"'{path}' is not tracked by DVC; track it with 'dvc add {path}', or make it an output "
            "of a stage in dvc.yaml"
        )
    if not tracked.recorded:
        raise ConfigError(
            f"'{path}' has no version yet: what makes it was never run; make one with "
            f"'dvc repro {_stage(tracked, folder)}'"
        )
    if not tracked.listed:
        if not pull:
            raise ConfigError(
                f"the version of '{path}' is not known here; get the list of its folder with "
                f"'dvc pull {path}', or say 'pull: true'"
            )
        return _listed(repository, repository.fetch(file, tracked), path)
    return _listed(repository, tracked, path)


def _listed(repository: Repository, tracked: Tracked, path: str) -> Tracked:
    if not tracked.md5:
        raise ConfigError(
            f"'{path}' is not in the tracked version of its folder; make it a part of it with "
            f"'dvc add {path}'"
        )
    return tracked


def _restore(repository: Repository, folder: Path, path: str, pull: bool) -> None:
    """Put the tracked version where nothing is, one process at a time."""
    tracked = _found(repository, folder, path, pull)
    if not pull:
        raise ConfigError(
            f"there is no file '{path}'; get the tracked version with 'dvc pull {path}', or say "
            "'pull: true'"
        )
    file = _absolute(folder, path)
    if not tracked.cached:
        tracked = repository.fetch(file, tracked)
    repository.checkout(file, tracked)


def _command(tracked: Tracked, folder: Path) -> str:
    if tracked.stage:
        return f"dvc commit {_stage(tracked, folder)}"
    return f"dvc add {os.path.relpath(tracked.out, folder)}"


def _stage(tracked: Tracked, folder: Path) -> str:
    """What makes the file, as DVC's commands call it in this folder."""
    source = os.path.relpath(tracked.source, folder)
    if tracked.stage is None or source == "dvc.lock":
        return tracked.stage or source
    return f"{source.removesuffix('lock')}yaml:{tracked.stage}"


def _back(tracked: Tracked, path: str) -> str:
    return f"dvc checkout {path}" if tracked.in_cache else f"git checkout {path}"

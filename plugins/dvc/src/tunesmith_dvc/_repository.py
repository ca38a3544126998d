"""Everything that is asked of DVC, which promises no stability of its `dvc.repo`."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("DVC_NO_ANALYTICS", "1")

from dvc.exceptions import DvcException, NotDvcRepoError, OutputNotFoundError
from dvc.repo import Repo, lock_repo
from dvc.scm import NoSCM
from dvc.stage import PipelineStage
from dvc_data.hashfile.checkout import CheckoutError, LinkError, checkout
from dvc_data.hashfile.hash import hash_file
from dvc_objects.errors import ObjectFormatError
from scmrepo.exceptions import SCMError

from tunesmith.errors import ConfigError, PluginError, TunesmithError
from tunesmith_dvc._address import first_line, without_secrets

if TYPE_CHECKING:
    from dvc.output import Output


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """What DVC has written down about a file.

    `out` is what is tracked: the file, or a folder that it is in. `source` is the file with the
    version, and `stage` the stage of a `dvc.yaml` that makes it, if one does.
    """

    out: Path
    source: Path
    stage: str | None
    recorded: bool
    """Whether there is a version."""
    listed: bool
    """Whether it is known here what is in the folder."""
    md5: str
    """Empty where the folder does not have the file, or that is not known."""
    hash_name: str
    cached: bool
    """Whether DVC's cache has the content."""
    in_cache: bool
    """Whether it is DVC that keeps the content, not git."""
    remote: str | None
    url: str | None


@contextmanager
def opened(file: Path, path: str) -> Iterator[Repository]:
    """The DVC repository that the file is in, no word from DVC meanwhile.

    Raises ConfigError where there is none, and for whatever DVC finds wrong with it.
    """
    start = next(folder for folder in file.parents if folder.is_dir())
    with _silence():
        try:
            # a pull that another process is at is waited for
            with Repo(str(start), _wait_for_lock=True) as repo:
                yield Repository(repo, path)
        except NotDvcRepoError:
            raise ConfigError(
                f"'{path}' is in no DVC repository; make one with 'dvc init', and track the file "
                f"with 'dvc add {path}'"
            ) from None
        except (DvcException, SCMError, ObjectFormatError) as error:
            raise ConfigError(
                f"DVC cannot tell the version of '{path}': {first_line(error)}"
            ) from error


class Repository:
    """A DVC repository that is open."""

    def __init__(self, repo: Repo, path: str) -> None:
        self._repo, self._path = repo, path
        self.root = Path(repo.root_dir)

    def find(self, file: Path) -> Tracked | None:
        """The version of the file, from what is known here; None where it is not tracked."""
        try:
            (out, *_) = self._repo.find_outs_by_path(str(file), strict=False)
        except OutputNotFoundError:
            return None
        inside = Path(out.fs_path) != file
        known = out.get_obj()
        found = out.get_obj(filter_info=str(file)) if inside and known else None
        if inside:
            md5 = found.hash_info.value if found and not found.hash_info.isdir else ""
        else:
            md5 = out.hash_info.value or ""
        pipeline = isinstance(out.stage, PipelineStage)
        remote, url = self._remote(out)
        return Tracked(
            out=Path(out.fs_path),
            source=Path(out.stage.path).with_name("dvc.lock") if pipeline else Path(out.stage.path),
            stage=str(out.stage.name) if pipeline else None,
            recorded=bool(out.hash_info),
            listed=not inside or known is not None,
            md5=md5,
            hash_name=out.hash_name,
            cached=bool(md5) and out.cache.exists(md5),
            in_cache=out.use_cache,
            remote=remote,
            url=url,
        )

    def md5_of(self, file: Path, tracked: Tracked) -> str:
        """The hash of what is there, remembered by DVC until the file changes."""
        if file.is_dir():
            raise ConfigError(f"'{self._path}' is a folder; name one file in it")
        _, found = hash_file(str(file), self._repo.fs, tracked.hash_name, self._repo.state)
        return str(found.value)

    def fetch(self, file: Path, tracked: Tracked) -> Tracked:
        """Get content and listing from the remote into the cache.

        Raises ConfigError where that fails, with the reason, and PluginError where the kind of
        remote needs another package.
        """
        failure: Exception | None = None
        try:
            self._repo.fetch(targets=[str(file)])
        except Exception as error:  # each kind of remote has errors of its own
            failure = error
        again = self.find(file)
        if again is None or not again.listed or (again.md5 and not again.cached):
            raise self._unreachable(again or tracked, failure) from failure
        return again

    def checkout(self, file: Path, tracked: Tracked) -> None:
        """Put the cached content where nothing is; a file that came meanwhile stays."""
        # Repo.checkout would remove the whole folder where one file of it cannot be written
        out = self._out(file)
        with lock_repo(self._repo):
            if file.exists():
                return
            file.parent.mkdir(parents=True, exist_ok=True)
            content = out.cache.get(tracked.md5)
            try:
                checkout(str(file), out.fs, content, out.cache, state=self._repo.state)
            except (CheckoutError, LinkError, OSError) as error:
                raise ConfigError(
                    f"'{self._path}' cannot be written from DVC's cache: {first_line(error)}"
                ) from error

    def revision(self, tracked: Tracked) -> str | None:
        """The git commit that is checked out, `-dirty` behind it where it has another version."""
        scm = self._repo.scm
        if isinstance(scm, NoSCM):
            return None
        try:
            commit = str(scm.get_rev())
        except SCMError:  # nothing is committed yet
            return None
        source = os.path.relpath(tracked.source, scm.root_dir)
        try:
            with scm.get_fs(commit).open(source, "rb") as file:
                committed = file.read()
        except FileNotFoundError:
            committed = b""
        present = tracked.source.read_bytes()
        same = committed.replace(b"\r\n", b"\n") == present.replace(b"\r\n", b"\n")
        return commit if same else f"{commit}-dirty"

    def _out(self, file: Path) -> Output:
        return self._repo.find_outs_by_path(str(file), strict=False)[0]

    def _remote(self, out: Output) -> tuple[str | None, str | None]:
        """The name of the remote that has the content, and its address; None where none is set."""
        name = out.remote or self._repo.config["core"].get("remote")
        if not name or not out.use_cache:
            return None, None
        url = self._repo.config["remote"].get(name, {}).get("url")
        return name, without_secrets(url) if url else None

    def _unreachable(self, tracked: Tracked, failure: Exception | None) -> TunesmithError:
        path, name = self._path, tracked.remote
        if not tracked.in_cache:
            return ConfigError(
                f"'{path}' is missing, and DVC does not keep it (cache: false); make it with "
                f"'dvc repro', or get it with 'git checkout {path}'"
            )
        if name is None:
            return ConfigError(
                f"'{path}' is neither there nor in DVC's cache, and the repository has no default "
                "remote; name one with 'dvc remote add -d NAME URL'"
            )
        if isinstance(failure, ImportError):
            return PluginError(
                f"'{path}' cannot be pulled from remote '{name}': {first_line(failure)}"
            )
        reason = self._reason(name, tracked) or (first_line(failure) if failure else "")
        return ConfigError(
            f"'{path}' cannot be pulled from remote '{name}': {reason or 'DVC says not why'}; "
            f"'dvc pull -v {path}' says more"
        )

    def _reason(self, name: str, tracked: Tracked) -> str | None:
        """What a remote has against handing out the content; DVC only logs it."""
        wanted = tracked.md5 or self._out(tracked.out).hash_info.value
        try:
            remote = self._repo.cloud.get_remote(name)
            if remote.fs.protocol == "local" and not remote.fs.isdir(remote.path):
                return f"there is no folder '{remote.path}'"
            remote.fs.info(remote.odb.oid_to_path(wanted))
        except FileNotFoundError as error:
            why = error.__cause__  # over HTTP, also that nobody answers
            if why and getattr(why, "status", None) != 404:
                return first_line(why)
            return f"it does not have md5 '{wanted}'; run 'dvc push' where the file is"
        except Exception as error:  # each kind of remote has errors of its own
            return first_line(error)
        return None


@contextmanager
def _silence() -> Iterator[None]:
    """Without DVC's log, progress and warnings: what goes wrong is told by exceptions."""
    names = ("dvc", "dvc_data", "dvc_objects", "scmrepo")
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)

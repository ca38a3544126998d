"""The lineage of a study's space in the record: its versions, one made from the other."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert, select, update

from tunesmith.errors import StoreError
from tunesmith.space import SearchSpace
from tunesmith.tables import revisions, space_versions, studies

if TYPE_CHECKING:
    from tunesmith.store import Store


@dataclass(frozen=True, slots=True)
class SpaceVersion:
    """An immutable space in a study's lineage. `created` is in Unix seconds.

    `proposal` is the one whose approval made it.
    """

    number: int
    space: SearchSpace
    parent: int | None
    author: str
    reason: str
    created: float
    proposal: int | None = None


class Lineage:
    """The versions of one study's space."""

    def __init__(self, store: "Store", study: int, name: str) -> None:
        self.store = store
        self.study = study
        self.name = name

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """A transaction in which no one else writes a proposal or a decision, or begins a round.

        Within it the record is read as it is, and written through this connection only.
        """
        mine = studies.c.id == self.study
        with self.store.begin() as connection:
            # a change that changes nothing locks the study on any database
            connection.execute(update(studies).where(mine).values(heartbeat=studies.c.heartbeat))
            yield connection

    def versions(self) -> list[SpaceVersion]:
        """The lineage, oldest first."""
        with self.store.begin() as connection:
            return self._versions(connection)

    def _versions(self, connection: Connection) -> list[SpaceVersion]:
        query = select(space_versions).where(space_versions.c.study == self.study)
        return [
            SpaceVersion(
                row.number,
                SearchSpace.from_dict(json.loads(row.space)),
                row.parent,
                row.author,
                row.reason,
                row.created,
                row.proposal,
            )
            for row in connection.execute(query.order_by(space_versions.c.number))
        ]

    def version_of(self, space: SearchSpace, author: str) -> SpaceVersion:
        """The latest version if it is this space, else a new version of it by that author.

        Raises StoreError for a version that says it comes from a proposal that nobody approved.
        """
        lineage = self.versions()
        latest = lineage[-1] if lineage else None
        if latest and latest.space.fingerprint == space.fingerprint:
            self._vouch_for(latest)
            return latest
        version = SpaceVersion(
            number=latest.number + 1 if latest else 1,
            space=space,
            parent=latest.number if latest else None,
            author=author,
            reason="edited by hand" if latest else "first version",
            created=time.time(),
        )
        with self.store.begin() as connection:
            self._add(connection, version)
        return version

    def _vouch_for(self, version: SpaceVersion) -> None:
        if version.proposal is None:
            return
        of_it = (revisions.c.study == self.study, revisions.c.proposal == version.proposal)
        with self.store.begin() as connection:
            led_to = connection.scalar(select(revisions.c.version).where(*of_it))
        if led_to != version.number:
            raise StoreError(
                f"space version {version.number} of study '{self.name}' says that it comes from "
                f"proposal {version.proposal}, which nobody approved: the record was changed by "
                "another program; restore it from a backup"
            )

    def _add(self, connection: Connection, version: SpaceVersion) -> None:
        plain = ("number", "parent", "author", "reason", "created", "proposal")
        connection.execute(
            insert(space_versions).values(
                study=self.study,
                space=json.dumps(version.space.to_dict()),
                fingerprint=version.space.fingerprint,
                **{field: getattr(version, field) for field in plain},
            )
        )

"""The proposals in a study's record, and what was decided about their edits."""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, func, insert, select, update

from tunesmith.edits import apply, phrase
from tunesmith.errors import ConfigError, StoreError, did_you_mean
from tunesmith.history import Reviewed
from tunesmith.lineage import Lineage, SpaceVersion
from tunesmith.proposals import Decision, Edit, Proposal, Tier
from tunesmith.space import SearchSpace
from tunesmith.tables import decisions, proposals, revisions, rounds


class Ledger(Lineage):
    """The proposals of one study.

    A space version that comes from a proposal is made in one place, `save_decisions`, out of the
    decisions that are in the record.
    """

    def proposals(self) -> list[Reviewed]:
        """All proposals by number, each with what was decided.

        Raises StoreError for one that was applied although not every edit is decided.
        """
        with self.store.begin() as connection:
            return self._proposals(connection)

    def _proposals(self, connection: Connection) -> list[Reviewed]:
        decided: dict[int, list[Decision]] = defaultdict(list)
        query = select(decisions).where(decisions.c.study == self.study)
        for row in connection.execute(query.order_by(decisions.c.at, decisions.c.edit)):
            decided[row.proposal].append(Decision.model_validate_json(row.content))
        query = select(revisions).where(revisions.c.study == self.study)
        versions = {row.proposal: row.version for row in connection.execute(query)}
        query = select(proposals).where(proposals.c.study == self.study)
        found = [
            Reviewed(
                Proposal.model_validate_json(row.content),
                tuple(decided[row.number]),
                versions.get(row.number),
                row.round,
            )
            for row in connection.execute(query.order_by(proposals.c.number))
        ]
        for reviewed in found:
            if reviewed.version is not None and (reviewed.undecided or not reviewed.approved):
                raise StoreError(
                    f"proposal {reviewed.proposal.number} of study '{self.name}' is applied, but "
                    "not approved: the record was changed by another program; restore it from a "
                    "backup"
                )
        return found

    def proposal(self, number: int) -> Reviewed:
        """The proposal by that number. Raises ConfigError where there is none."""
        return self._proposal(number, self.proposals())

    def _proposal(self, number: int, known: Sequence[Reviewed]) -> Reviewed:
        for reviewed in known:
            if reviewed.proposal.number == number:
                return reviewed
        raise ConfigError(
            f"study '{self.name}' has no proposal {number}; 'tunesmith proposals list' shows them"
        )

    def save_proposal(self, proposal: Proposal) -> Reviewed:
        """Write a proposal down under the next number; one that is there already stays as it is."""
        hash = proposal.hash
        with self.alone() as connection:
            mine = proposals.c.study == self.study
            known = connection.scalar(
                select(proposals.c.number).where(mine, proposals.c.hash == hash)
            )
            if known is None:
                last = connection.scalar(select(func.max(proposals.c.number)).where(mine))
                number = (last or 0) + 1
                proposal = proposal.model_copy(update={"number": number})
                latest = select(func.max(rounds.c.number)).where(rounds.c.study == self.study)
                connection.execute(
                    insert(proposals).values(
                        study=self.study,
                        number=number,
                        hash=hash,
                        space_version=proposal.space_version,
                        round=connection.scalar(latest),
                        made=proposal.made,
                        advisor=proposal.advisor,
                        content=proposal.model_dump_json(),
                    )
                )
        return self.proposal(known or number)

    def save_decisions(
        self, connection: Connection, number: int, new: Sequence[Decision], applies: bool = True
    ) -> Reviewed:
        """Write decisions down, in a transaction from `alone`.

        With the last one the proposal takes effect, if it still `applies`: a new space version, or
        the present one where only tests were approved. Raises ConfigError for an edit that is not
        there or was decided before, and where the space is another one by now.
        """
        reviewed = self._proposal(number, self._proposals(connection))
        check_open(reviewed, new)
        for decision in new:
            reviewed = replace(reviewed, decisions=(*reviewed.decisions, decision))
            connection.execute(
                insert(decisions).values(
                    study=self.study,
                    proposal=number,
                    edit=decision.edit,
                    verdict=decision.verdict.value,
                    author=decision.author,
                    reason=decision.reason,
                    at=decision.at,
                    content=decision.model_dump_json(),
                )
            )
        if not (new and applies and reviewed.approved) or reviewed.undecided:
            return reviewed
        version = self._revise(connection, reviewed, new[-1])
        connection.execute(
            insert(revisions).values(
                study=self.study, proposal=number, version=version, made=time.time()
            )
        )
        return replace(reviewed, version=version)

    def _revise(self, connection: Connection, reviewed: Reviewed, last: Decision) -> int:
        """The number of the space version that the approved edits lead to."""
        proposal = reviewed.proposal
        latest = self._versions(connection)[-1]
        if latest.number != proposal.space_version:
            raise ConfigError(
                f"proposal {proposal.number} is against space version {proposal.space_version}, "
                f"but version {latest.number} is the present one; run 'tunesmith advise' again"
            )
        space, phrases = revised(latest.space, reviewed.approved)
        if space.fingerprint == latest.space.fingerprint:
            return latest.number
        version = SpaceVersion(
            number=latest.number + 1,
            space=space,
            parent=latest.number,
            author=last.author,
            reason=f"proposal {proposal.number}: {'; '.join(phrases)}",
            created=time.time(),
            proposal=proposal.number,
        )
        self._add(connection, version)
        return version.number

    def unwritten(self) -> Reviewed | None:
        """The approved proposal whose space the study file has not got yet."""
        query = select(func.max(revisions.c.proposal)).where(
            revisions.c.study == self.study, revisions.c.written.is_(None)
        )
        with self.store.begin() as connection:
            number = connection.scalar(query)
        return None if number is None else self.proposal(number)

    def mark_written(self) -> None:
        """Remember that the study file has got the space."""
        waiting = (revisions.c.study == self.study, revisions.c.written.is_(None))
        with self.store.begin() as connection:
            connection.execute(update(revisions).where(*waiting).values(written=time.time()))


def revised(space: SearchSpace, edits: Sequence[Edit]) -> tuple[SearchSpace, list[str]]:
    """The space after the recommended ones of these edits, and a phrase for each of them."""
    phrases = []
    for edit in edits:
        if edit.tier is Tier.RECOMMENDED:
            phrases.append(phrase(space, edit))
            space = apply(space, [edit])
    return space, phrases


def check_open(reviewed: Reviewed, decisions: Sequence[Decision]) -> None:
    """Raise ConfigError for a decision on an edit that is not there, or that is decided."""
    number, ids = reviewed.proposal.number, [edit.id for edit in reviewed.proposal.edits]
    made = {decision.edit: decision for decision in reviewed.decisions}
    for decision in decisions:
        edit = decision.edit
        if edit not in ids:
            raise ConfigError(f"proposal {number} has no edit '{edit}'{did_you_mean(edit, ids)}")
        if edit in made:
            before = made[edit]
            at = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(before.at))
            raise ConfigError(
                f"edit '{edit}' of proposal {number} is decided already: '{before.verdict}' by "
                f"{before.author} at {at}; a decision stands, 'tunesmith advise' proposes anew"
            )
        made[edit] = decision

"""Rounds and trials through MLflow's client: works with every store, a call at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mlflow.entities import Metric, Param, Run, RunTag

from tunesmith.trial import Trial
from tunesmith_mlflow._client import MlflowClient
from tunesmith_mlflow._rows import PARENT, ROUND, STUDY, TERMINATED, TRIAL, Row, from_tags

_PAGE = 5000
_ITEMS = 100
"""Params and tags in one request; MLflow takes 100 of each."""
_METRICS = 900
"""Metrics in one request; MLflow takes 1,000 items in all."""
_BYTES = 500_000
"""Size of the params and tags in one request; MLflow takes a million bytes in all."""


@dataclass(frozen=True, slots=True)
class Child:
    """A trial's run; one that is not `complete` was left behind in the middle of writing."""

    number: int
    run_id: str
    complete: bool


@dataclass(slots=True)
class Content:
    """What a run holds, whoever made it; times in milliseconds, of each metric the latest value."""

    run_id: str
    status: str
    started: int | None
    ended: int | None
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    digests: set[str] = field(default_factory=set)
    """Of the datasets that were logged as its inputs."""


class Runs:
    """The runs of one MLflow experiment."""

    def __init__(self, client: MlflowClient, experiment_id: str) -> None:
        self._client, self.experiment_id = client, experiment_id

    def search(self, tags: dict[str, str]) -> Iterator[Run]:
        """Runs with all of these tags, deleted ones left out."""
        filters = " AND ".join(f"tags.`{key}` = '{value}'" for key, value in tags.items())
        token: str | None = ""
        while token is not None:
            page = self._client.search_runs(
                [self.experiment_id], filters, max_results=_PAGE, page_token=token or None
            )
            yield from page
            token = page.token or None

    def contents(self) -> Iterator[Content]:
        """All runs but deleted ones."""
        for run in self.search({}):
            info, data = run.info, run.data
            inputs = run.inputs.dataset_inputs if run.inputs else ()
            digests = {each.dataset.digest for each in inputs}
            yield Content(
                *(info.run_id, info.status, info.start_time, info.end_time),
                *(dict(data.params), dict(data.tags), dict(data.metrics)),
                digests,
            )

    def children(self, parent: str) -> list[Child]:
        """The runs of a round's trials."""
        return [
            Child(int(run.data.tags[TRIAL]), run.info.run_id, run.info.status in TERMINATED)
            for run in self.search({PARENT: parent})
            if TRIAL in run.data.tags
        ]

    def write(self, row: Row, run_id: str | None = None) -> None:
        """Write a trial, or complete the run of one; the last call is what makes it complete."""
        tags = dict(row.tags)
        essential = {key: tags.pop(key) for key in (PARENT, STUDY, ROUND, TRIAL)}
        if run_id is None:
            created = self._client.create_run(
                self.experiment_id, start_time=row.started, run_name=row.name, tags=essential
            )
            run_id = created.info.run_id
        metrics = [
            Metric(key=key, value=value, timestamp=timestamp, step=step)
            for key, value, timestamp, step in row.points
        ]
        items: list[Param | RunTag] = [Param(key, value) for key, value in row.params.items()]
        items += [RunTag(key, value) for key, value in tags.items()]
        for batch in _batches(items):
            self._client.log_batch(
                run_id,
                metrics=metrics[:_METRICS],
                params=[item for item in batch if isinstance(item, Param)],
                tags=[item for item in batch if isinstance(item, RunTag)],
            )
            metrics = metrics[_METRICS:]
        for start in range(0, len(metrics), _METRICS):
            self._client.log_batch(run_id, metrics=metrics[start : start + _METRICS])
        self._client.set_terminated(run_id, row.status, row.finished)

    def history(self, study: str, alone: bool) -> Iterator[tuple[str, Trial]]:
        """The round's run and the trial, of all that were written completely, in no order.

        `alone`: the experiment is the study's own, and the search is quicker without a filter.
        """
        for run in self.search({} if alone else {STUDY: study}):
            tags = run.data.tags
            if run.info.status in TERMINATED and tags.get(STUDY) == study:
                trial = from_tags(tags)
                if trial:
                    yield tags[PARENT], trial


def _batches(items: Iterable[Param | RunTag]) -> Iterator[list[Param | RunTag]]:
    """The items in order, in requests that are small enough for MLflow."""
    batch: list[Param | RunTag] = []
    size = 0
    for item in items:
        added = len(json.dumps([item.key, item.value]))
        if batch and (len(batch) == _ITEMS or size + added > _BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += added
    if batch:
        yield batch

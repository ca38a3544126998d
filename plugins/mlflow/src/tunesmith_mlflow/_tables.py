"""Trials straight into and out of MLflow's own tables: the same rows, a hundred times cheaper.

These tables are private to MLflow, so this is used only on schema revisions that were compared row
by row with what MLflow's client writes (`tests/test_bulk.py`).
"""

from __future__ import annotations

import math
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import event

from tunesmith.trial import Trial
from tunesmith_mlflow._rows import (
    PARENT,
    RECORD,
    STUDY,
    TERMINATED,
    TRIAL,
    Point,
    Row,
    from_parts,
)
from tunesmith_mlflow._runs import Child, Content

KNOWN_REVISIONS = frozenset({"dc11669786a5"})
"""Schema of MLflow 3.17."""

LARGEST = 1.7976931348623157e308
"""What MLflow writes for infinity, which SQL does not know."""


def _table(name: str, columns: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(column) for column in columns.split()))


_RUNS = _table(
    "runs",
    "run_uuid name source_type source_name entry_point_name user_id status start_time end_time "
    "deleted_time source_version lifecycle_stage artifact_uri experiment_id",
)
_TAGS = _table("tags", "key value run_uuid")
_PARAMS = _table("params", "key value run_uuid")
_METRICS = _table("metrics", "key value timestamp step is_nan run_uuid")
_LATEST = _table("latest_metrics", "key value timestamp step is_nan run_uuid")
_INPUTS = _table("inputs", "source_type source_id destination_type destination_id")
_DATASETS = _table("datasets", "dataset_uuid digest")


class Tables:
    """MLflow's tables in one SQLite file."""

    def __init__(self, uri: str) -> None:
        # as patient as MLflow itself, whose pages may be reading the same file
        self._engine = sa.create_engine(uri, connect_args={"timeout": 20})
        event.listen(self._engine, "connect", _manual_transactions)

    def revision(self) -> str | None:
        """The schema's revision, as MLflow's migrations left it."""
        with self._engine.connect() as connection:
            query = sa.text("SELECT version_num FROM alembic_version")
            return cast("str | None", connection.scalar(query))

    def close(self) -> None:
        self._engine.dispose()

    def write(self, rows: Sequence[Row], parent: str, artifacts: str, experiment_id: str) -> None:
        """Insert trials in one transaction; `artifacts` is the artifact URI of the parent run.

        Run ids follow from the parent and the number: a trial that is there already is an
        IntegrityError, whoever wrote it in the meantime.
        """
        records: dict[sa.TableClause, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            run = uuid.uuid5(uuid.UUID(parent), str(row.number)).hex
            records[_RUNS].append(
                _run(row, run, artifacts.replace(parent, run))
                | {"experiment_id": int(experiment_id)}
            )
            tags = row.tags | {"mlflow.runName": row.name}
            records[_TAGS] += [{"key": k, "value": v, "run_uuid": run} for k, v in tags.items()]
            records[_PARAMS] += [
                {"key": k, "value": v, "run_uuid": run} for k, v in row.params.items()
            ]
            records[_METRICS] += [_metric(point, run) for point in row.points]
            records[_LATEST] += [_metric(point, run) for point in _latest(row.points)]
        with self._engine.begin() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            for table, values in records.items():
                if values:
                    connection.execute(table.insert(), values)

    def children(self, parent: str) -> list[Child]:
        """The runs of a round's trials."""
        number, of = _TAGS.alias("number"), _TAGS.alias("parent")
        query = (
            sa.select(number.c.value, _RUNS.c.run_uuid, _RUNS.c.status)
            .join_from(of, _RUNS, of.c.run_uuid == _RUNS.c.run_uuid)
            .join(number, number.c.run_uuid == _RUNS.c.run_uuid)
            .where(of.c.key == PARENT, of.c.value == parent, number.c.key == TRIAL)
            .where(_RUNS.c.lifecycle_stage == "active")
        )
        with self._engine.connect() as connection:
            return [
                Child(int(value), run, status in TERMINATED)
                for value, run, status in connection.execute(query)
            ]

    def history(self, study: str, experiment_id: str) -> Iterator[tuple[str, Trial]]:
        """The round's run and the trial, of all that were written completely, in no order."""
        named, tags = _TAGS.alias("named"), _TAGS.alias("found")
        query = (
            sa.select(tags.c.run_uuid, tags.c.key, tags.c.value)
            .join_from(named, _RUNS, named.c.run_uuid == _RUNS.c.run_uuid)
            .join(tags, tags.c.run_uuid == _RUNS.c.run_uuid)
            .where(named.c.key == STUDY, named.c.value == study)
            .where(_RUNS.c.experiment_id == int(experiment_id), _RUNS.c.lifecycle_stage == "active")
            .where(_RUNS.c.status.in_(TERMINATED))
            .where((tags.c.key == PARENT) | tags.c.key.startswith(RECORD))
        )
        found: dict[str, dict[str, str]] = defaultdict(dict)
        with self._engine.connect() as connection:
            for run, key, value in connection.execute(query):
                found[run][key] = value
        for parts in found.values():
            parent = parts.pop(PARENT, None)
            if parent and parts:
                yield parent, from_parts(parts.items())

    def contents(self, experiment_id: str) -> Iterable[Content]:
        """All runs of an experiment but deleted ones."""
        here = (
            _RUNS.c.experiment_id == int(experiment_id),
            _RUNS.c.lifecycle_stage == "active",
        )
        columns = (_RUNS.c[name] for name in ("run_uuid", "status", "start_time", "end_time"))
        digests = (
            sa.select(_INPUTS.c.destination_id, _DATASETS.c.digest)
            .join_from(_INPUTS, _RUNS, _INPUTS.c.destination_id == _RUNS.c.run_uuid)
            .join(_DATASETS, _DATASETS.c.dataset_uuid == _INPUTS.c.source_id)
            .where(_INPUTS.c.source_type == "DATASET", _INPUTS.c.destination_type == "RUN", *here)
        )
        with self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")  # all queries see the same runs
            rows = connection.execute(sa.select(*columns).where(*here))
            found = {row.run_uuid: Content(*row) for row in rows}
            for table, place in ((_PARAMS, "params"), (_TAGS, "tags"), (_LATEST, "metrics")):
                query = sa.select(table).join(_RUNS, _RUNS.c.run_uuid == table.c.run_uuid)
                for row in connection.execute(query.where(*here)):
                    nan = place == "metrics" and row.is_nan
                    getattr(found[row.run_uuid], place)[row.key] = math.nan if nan else row.value
            for run, digest in connection.execute(digests):
                found[run].digests.add(digest)
        return found.values()

    def analyze(self) -> None:
        """Let the database count its rows: sorting by a metric gets a hundred times faster."""
        with self._engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")


def _manual_transactions(connection: Any, _: object) -> None:
    connection.isolation_level = None


def _run(row: Row, run: str, artifacts: str) -> dict[str, Any]:
    return {
        "run_uuid": run,
        "name": row.name,
        "source_type": "UNKNOWN",
        "source_name": "",
        "entry_point_name": "",
        "user_id": "unknown",
        "status": row.status,
        "start_time": row.started,
        "end_time": row.finished,
        "deleted_time": None,
        "source_version": "",
        "lifecycle_stage": "active",
        "artifact_uri": artifacts,
    }


def _metric(point: Point, run: str) -> dict[str, Any]:
    """SQL knows neither NaN nor infinity: MLflow's stand-ins for them."""
    nan = math.isnan(point.value)
    value = 0.0 if nan else max(min(point.value, LARGEST), -LARGEST)
    return {
        "key": point.key,
        "value": value,
        "timestamp": point.timestamp,
        "step": point.step,
        "is_nan": nan,
        "run_uuid": run,
    }


def _latest(points: Iterable[Point]) -> Iterable[Point]:
    latest: dict[str, Point] = {}
    for point in points:
        held = latest.get(point.key)
        if held is None or (point.step, point.timestamp) > (held.step, held.timestamp):
            latest[point.key] = point
    return latest.values()

"""A round as MLflow's parent run: its tags, its space, its reports and its scores."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlflow.entities import Dataset, DatasetInput, Metric, Run, RunTag
from ruamel.yaml import YAML

from tunesmith.finished import Finished
from tunesmith.study import Study
from tunesmith.trial import Round, best_trial, pareto_front
from tunesmith_mlflow._client import MlflowClient
from tunesmith_mlflow._rows import PROPOSAL, ROUND, SPACE, STUDY, Fitting

# what MLflow takes at most for a dataset, in characters
_NAME, _DIGEST = 500, 36


def round_id(study: Study, round: Round) -> tuple[tuple[str, str], ...]:
    """Tags that tell the round's run from all others.

    The time is among them, because another record may have a study by the same name.
    """
    return (
        (STUDY, study.name),
        (ROUND, str(round.number)),
        ("tunesmith.started", repr(round.started)),
    )


def create_round(client: MlflowClient, experiment_id: str, study: Study, round: Round) -> Run:
    """Make the round's run, with what is known at its start in tags."""
    tags = {
        SPACE: str(round.space_version),
        "tunesmith.space_fingerprint": round.space.fingerprint,
        PROPOSAL: None if round.proposal is None else str(round.proposal),
        "tunesmith.sampler": _named(round.sampler),
        "tunesmith.objective": _named(round.objective),
        "tunesmith.goals": ", ".join(f"{goal.direction} {goal.metric}" for goal in round.goals),
        "tunesmith.limits": ", ".join(round.limits) or None,
        "tunesmith.budget": json.dumps(round.budget),
        "tunesmith.seed": str(round.seed),
        "tunesmith.dataset": round.dataset,
        "mlflow.source.git.commit": round.commit,
        **{f"tunesmith.dataset.{name}": text for name, text in round.dataset_version.items()},
    }
    fitting = Fitting()
    return client.create_run(
        experiment_id,
        start_time=int((round.started or 0) * 1000) or None,
        run_name=f"round-{round.number}",
        tags=dict(round_id(study, round))
        | {
            fitting.name(key): fitting.tag(key, value)
            for key, value in tags.items()
            if value is not None
        },
    )


def keep_settings(client: MlflowClient, parent: Run, round: Round) -> None:
    """Keep the space, and the round's settings in full, as files of its run."""
    settings = {
        name: getattr(round, name)
        for name in (
            "number",
            "space_version",
            "proposal",
            "sampler",
            "objective",
            "budget",
            "seed",
        )
    }
    settings["goals"] = {goal.metric: goal.direction.value for goal in round.goals}
    settings |= {"limits": [*round.limits], "dataset": round.dataset, "commit": round.commit}
    settings |= {"dataset_version": round.dataset_version} if round.dataset_version else {}
    client.log_text(parent.info.run_id, _yaml(settings), "round.yaml")
    client.log_text(parent.info.run_id, _yaml(round.space.to_dict()), "space.yaml")
    if round.dataset_version:
        client.log_inputs(parent.info.run_id, datasets=[_input(round)])


def _input(round: Round) -> DatasetInput:
    """The round's data as MLflow lists it; the same again where it is there already."""
    version, fitting = round.dataset_version, Fitting()
    digest = version.get("md5") or round.dataset or ""
    # MLflow reads the type `code` back as tags, and has none for a version control system
    source = json.dumps({"tags": {f"tunesmith.dataset.{name}": version[name] for name in version}})
    return DatasetInput(
        Dataset(
            name=fitting.text("dataset", version.get("path") or "dataset", _NAME),
            digest=digest[:_DIGEST],
            source_type="code",
            source=source,
        )
    )


def _named(table: Mapping[str, Any]) -> str:
    """A component's table in one line: the bare name where it has no options."""
    return table["use"] if table.keys() == {"use"} else json.dumps(table)


def _yaml(data: Mapping[str, Any]) -> str:
    text = io.StringIO()
    YAML().dump(data, text)
    return text.getvalue()


def scores(round: Round) -> dict[str, float]:
    """Metrics of the round's best trial, and those of the final model over them."""
    best = best_trial(round.trials, round.goals)
    return {**(best.metrics if best else {}), **round.final}


def finish_round(client: MlflowClient, parent: Run, finished: Finished, root: Path) -> None:
    """Keep reports and scores in the round's run, and end it.

    `root` is the folder of the round's reports; below it they keep their places.
    """
    run_id, fitting, round = parent.info.run_id, Fitting(), finished.round
    for file in finished.files:
        place = file.parent.relative_to(root) if file.is_relative_to(root) else Path()
        client.log_artifact(run_id, str(file), (Path("reports") / place).as_posix())
    ended = int((round.finished or 0) * 1000) or parent.info.start_time
    front = pareto_front(round.trials, round.goals)
    tags = {
        "tunesmith.reason": round.reason,
        "tunesmith.best_trial": ", ".join(str(trial.number) for trial in front) or None,
    }
    client.log_batch(
        run_id, tags=[RunTag(key, fitting.tag(key, text)) for key, text in tags.items() if text]
    )
    keep_scores(client, parent, round)
    client.set_terminated(run_id, "FINISHED", ended)


def keep_scores(client: MlflowClient, parent: Run, round: Round) -> None:
    """Keep the metrics of the round's best trial, and the final ones, in its run."""
    ended = int((round.finished or 0) * 1000) or parent.info.start_time
    fitting = Fitting()
    metrics = [
        Metric(key=fitting.name(name), value=value, timestamp=ended, step=0)
        for name, value in scores(round).items()
    ]
    client.log_batch(parent.info.run_id, metrics=metrics)

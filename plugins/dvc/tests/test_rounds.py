"""Rounds on versioned data: recorded with the version, and kept apart when the data changes."""

import pytest

from tunesmith import builtin
from tunesmith.components import Objective
from tunesmith.history import comparable
from tunesmith.study import check_study
from tunesmith.tuner import Tuner


class Reading(Objective):
    """Scores the data, whatever the params."""

    def prepare(self, study, dataset):
        self._rows = len(dataset.load(study.folder).y)

    def evaluate(self, params, trial):
        return 1 / self._rows


@pytest.fixture
def rounds(project, registry):
    """Runs a round of a study, and returns all rounds with their trials."""
    builtin.register_samplers(lambda name, kind: registry.add("sampler", "builtin", name, kind))
    builtin.register_executors(lambda name, kind: registry.add("executor", "builtin", name, kind))
    registry.add("objective", "tests", "reading", Reading)

    def run():
        data = {
            "name": "versioned",
            "goals": {"loss": "minimize"},
            "dataset": {"use": "dvc", "path": "data/train.csv", "target": "y"},
            "space": {"parameters": {"x": {"type": "float", "low": 0, "high": 1}}},
            "objective": "reading",
            "sampler": "random",
            "executor": "inline",
            "budget": {"trials": 2},
        }
        study = check_study(data, project.folder, registry)
        with Tuner(study, registry=registry) as tuner:
            while trial := tuner.ask():
                tuner.tell(trial, tuner.objective.evaluate(trial.params, trial))
            found = tuner.record.rounds()
            for round in found:
                round.trials = tuner.record.trials(round.number)
        return found

    return run


def test_a_round_records_the_version_and_a_changed_one_is_a_group_of_its_own(project, rounds):
    project.add("data/train.csv")
    commit = project.commit()
    (first,) = rounds()
    version = project.dataset().version(project.folder)
    assert first.dataset_version == version
    assert (version["revision"], version["remote"]) == (commit, "storage")

    project.write("data/train.csv", "a,b,y\n1,2,0\n3,4,1\n5,6,1\n")
    project.add("data/train.csv")
    project.commit()
    both = rounds()
    assert [len(round.trials) for round in both] == [2, 2]
    assert both[0].dataset != both[1].dataset
    assert both[1].dataset_version == project.dataset().version(project.folder)
    same, why = comparable(both)
    assert [round.number for round in same] == [2]
    assert why == [
        "round 1 with 2 trials: not the same dataset, so its scores do not compare with the "
        "latest ones"
    ]


def test_the_same_data_in_another_commit_goes_on_with_the_round(project, rounds):
    project.add("data/train.csv")
    project.commit()
    (before,) = rounds()
    project.write("notes.txt", "hello")
    project.commit()
    (after,) = rounds()
    assert after.dataset_version == before.dataset_version
    assert project.dataset().version(project.folder) != before.dataset_version

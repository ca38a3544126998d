"""A model is promoted when its gates hold, and where it beats the champion if they ask for that."""

from typing import ClassVar

import pytest
from tuning import parabola, registry_of, study_of

from tunesmith.afterwards import promote, rollback
from tunesmith.components import Tracker
from tunesmith.errors import ConfigError, GatesError, TrackerError
from tunesmith.finished import Fitted, Gain
from tunesmith.gates import check_gates
from tunesmith.objectives import Function
from tunesmith.tuner import Tuner

BEATS = "beats: champion"


class Registry(Tracker):
    """Keeps models in memory; `down` while it does not answer."""

    @property
    def keeps_models(self):
        return True

    champions: ClassVar[list] = []
    owner = None
    down = False

    def destination(self, study):
        return "registry"

    def write(self, study, round, trials):
        pass

    def finish(self, study, finished):
        pass

    def history(self, study):
        return []

    def champion(self, study, rival):
        if type(self).down:
            raise TrackerError("nobody answers at 'registry'; start it")
        found = type(self).champions
        return (len(found), found[-1]) if found else None

    def is_champion(self, study, round):
        return (study.name, round.number) == type(self).owner

    def promote(self, study, finished):
        type(self).owner = (study.name, finished.round.number)
        type(self).champions.append(finished.fitted.model)
        return f"version {len(type(self).champions)} is the champion"

    def rollback(self, study):
        type(self).champions.pop()
        return f"version {len(type(self).champions)} is the champion again"


class Guess(Function):
    """Its models are numbers, and are better by their difference, give or take 1."""

    model = 1.0

    def refit(self, params, seed):
        return Fitted(type(self).model, "numbers", [], {"test_loss": 0.5})

    def gain(self, fitted, other, goal):
        if other == "old":
            raise ValueError("it knows other columns")
        better = fitted.model - other
        return Gain(better, better - 1, better + 1)


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(Registry, "champions", [])
    monkeypatch.setattr(Registry, "owner", None)
    monkeypatch.setattr(Registry, "down", False)
    monkeypatch.setattr(Guess, "model", 1.0)


def a_study(folder, *gates, **options):
    options = {"trackers": ["registry"], "gates": [*gates]} | options
    return study_of(folder, registry_of(Registry), **options)


def ended(study):
    """The study after a round with a model."""
    with Tuner(study, Guess(function=parabola), registry_of(Registry)) as tuner:
        while trial := tuner.ask():
            tuner.tell(trial, parabola(trial.params))
    return tuner


def promoted(study, number=None):
    return promote(study, number, Guess(function=parabola), registry_of(Registry))


def test_the_first_model_has_no_champion_to_beat(tmp_path):
    study = a_study(tmp_path, "test_loss < 1", {"beats": "champion"})
    tuner = ended(study)
    assert tuner.round.final == {"test_loss": 0.5, "champion_version": 0.0}
    assert promoted(study) == "version 1 is the champion"
    assert promoted(study) == "the model of round 1 is the champion"  # not compared with itself
    assert Registry.champions == [1.0]


def test_a_model_has_to_be_better_than_the_champion_beyond_chance(tmp_path, monkeypatch):
    Registry.champions.append(1.0)
    study = a_study(tmp_path, BEATS)
    monkeypatch.setattr(Guess, "model", 1.5)
    tuner = ended(study)
    wanted = {
        "champion_version": 1.0,
        "champion_gain": 0.5,
        "champion_gain_low": -0.5,
        "champion_gain_high": 1.5,
    }
    assert tuner.round.final == {"test_loss": 0.5, **wanted}
    with pytest.raises(GatesError, match=r"round 1 is not promoted: beats: champion: against ver"):
        promoted(study)
    assert Registry.champions == [1.0]
    monkeypatch.setattr(Guess, "model", 2.5)
    assert promoted(study) == "version 2 is the champion"


def test_a_registry_that_is_down_at_the_end_of_a_round_is_a_note_and_promote_compares_later(
    tmp_path, monkeypatch
):
    study = a_study(tmp_path, BEATS)
    monkeypatch.setattr(Registry, "down", True)
    tuner = ended(study)
    assert tuner.made.notes == [
        "not compared with the champion: nobody answers at 'registry'; start it"
    ]
    (gate,) = check_gates(study.gates, tuner.round.final)
    assert gate.obstacle == ("it was not compared with a champion; 'tunesmith promote' does that")
    with pytest.raises(TrackerError, match="nobody answers"):
        promoted(study)
    assert Registry.champions == []
    monkeypatch.setattr(Registry, "down", False)
    assert promoted(study) == "version 1 is the champion"


def test_a_champion_that_does_not_know_these_rows_is_told_with_a_way_out(tmp_path):
    Registry.champions.append("old")
    study = a_study(tmp_path, BEATS)
    assert "ValueError: it knows other columns" in ended(study).made.notes[0]
    with pytest.raises(
        GatesError, match=r"cannot judge this round's rows.*leave 'beats: champion'"
    ):
        promoted(study)


def test_an_objective_that_compares_no_models_is_told(tmp_path):
    Registry.champions.append(1.0)
    study = a_study(tmp_path, BEATS)
    ended(study)
    objective = type("Mute", (Guess,), {"gain": Function.gain})(function=parabola)
    with pytest.raises(Exception, match="'function' cannot compare two models"):
        promote(study, None, objective, registry_of(Registry))


def test_a_gate_that_does_not_hold_keeps_a_model_from_promotion(tmp_path):
    study = a_study(tmp_path, "test_loss < 0.1")
    ended(study)
    with pytest.raises(GatesError, match=r"test_loss < 0.1: it does not hold with test_loss = 0.5"):
        promoted(study)
    assert Registry.champions == []


def test_without_gates_or_a_registry_nothing_is_promoted(tmp_path):
    study = a_study(tmp_path)
    ended(study)
    with pytest.raises(ConfigError, match="has no gates; add what must hold under 'gates'"):
        promoted(study)
    with pytest.raises(ConfigError, match="registers no model"):
        promoted(study_of(tmp_path, gates=["loss < 1"]))
    with pytest.raises(ConfigError, match="registers no model"):
        rollback(study_of(tmp_path), registry_of())


def test_a_champion_to_beat_needs_a_registry_before_the_first_trial(tmp_path):
    with pytest.raises(ConfigError, match="'beats: champion' of study 'parabola' needs a tr"):
        Tuner(study_of(tmp_path, gates=[BEATS]), Guess(function=parabola), registry_of())


def test_rollback_asks_the_registry(tmp_path):
    Registry.champions += [1.0, 2.0]
    assert rollback(a_study(tmp_path), registry_of(Registry)) == "version 1 is the champion again"

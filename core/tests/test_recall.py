"""A round's model is had again from what the round had, or not at all."""

from pathlib import Path
from typing import ClassVar

import pytest
from tuning import parabola, registry_of, study_of
from writing import Where

from tunesmith.afterwards import promote, report
from tunesmith.components import Dataset, Tracker
from tunesmith.errors import ConfigError, TrackerError
from tunesmith.finished import Fitted
from tunesmith.objectives import Function
from tunesmith.sync import sync
from tunesmith.tuner import Tuner

GONE = "the model of round 1 is not fitted again: its {} is not the study's of today"


class Rows(Dataset):
    """Its content is the option."""

    content: str = "old"
    """What it holds."""

    def load(self, folder):
        return None

    def fingerprint(self, folder):
        return self.content


class Books(Tracker):
    """Has models, and remembers what it was given; `down` while it does not answer."""

    given: ClassVar[list] = []
    down = False

    @property
    def keeps_models(self):
        return True

    def destination(self, study):
        return "books"

    def write(self, study, round, trials):
        pass

    def finish(self, study, finished):
        if type(self).down:
            raise TrackerError("nobody answers")
        type(self).given.append(finished)

    def promote(self, study, finished):
        type(self).given.append(finished)
        return "done"

    def history(self, study):
        return []


class Model(Function):
    """Keeps one, unless its fit fails."""

    fails = False

    def prepare(self, study, dataset):
        """Takes any dataset."""

    def refit(self, params, seed):
        if type(self).fails:
            raise ValueError("no such column")
        return Fitted("model", "words", [], {"test_loss": 0.5})


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(Books, "given", [])
    monkeypatch.setattr(Books, "down", False)
    monkeypatch.setattr(Model, "fails", False)


COMPONENTS = registry_of(Rows, Books, Where)


def a_study(folder: Path, content="old", **options):
    given = {"dataset": {"use": "rows", "content": content}, "trackers": ["books"]}
    options = {"reporters": ["where"], "gates": ["test_loss < 1"]} | given | options
    return study_of(folder, COMPONENTS, **options)


def ended(study):
    with Tuner(study, Model(function=parabola), COMPONENTS) as tuner:
        while trial := tuner.ask():
            tuner.tell(trial, parabola(trial.params))
    return tuner


def again(study):
    return report(study, None, Model(function=parabola), COMPONENTS)


@pytest.mark.parametrize(
    ("what", "change"), [("dataset", {"content": "new"}), ("seed", {"seed": 5})]
)
def test_a_model_is_not_fitted_to_what_its_round_did_not_have(tmp_path, what, change):
    ended(a_study(tmp_path))
    made = again(a_study(tmp_path, **change))
    assert made.fitted is None
    assert made.notes == [GONE.format(what)]
    assert made.reports["where"].files  # which needs no model
    assert made.round.final == {"test_loss": 0.5}


def test_a_fit_that_fails_is_a_note_and_the_reports_are_there(tmp_path, monkeypatch):
    ended(a_study(tmp_path))
    monkeypatch.setattr(Model, "fails", True)
    made = again(a_study(tmp_path))
    assert made.notes == ["the best model could not be fitted again: ValueError: no such column"]
    assert made.reports["where"].files


def test_what_is_delivered_late_comes_without_the_model_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(Books, "down", True)
    study = a_study(tmp_path)
    assert "nobody answers" in ended(study).delivered[0].error
    monkeypatch.setattr(Books, "down", False)
    changed = a_study(tmp_path, "new")
    (synced,) = sync(changed, Model(function=parabola), COMPONENTS)
    assert synced.notes == [GONE.format("dataset")]
    (given,) = Books.given
    assert given.fitted is None
    assert [path.name for path in given.files] == ["index.html", "pid.txt"]


def test_only_what_the_reporters_wrote_is_delivered_late(tmp_path, monkeypatch):
    monkeypatch.setattr(Books, "down", True)
    study = a_study(tmp_path)
    index = ended(study).made.index
    monkeypatch.setattr(Books, "down", False)
    other = index.parent / "monitor"
    other.mkdir()
    (other / "drift.html").write_text("not the round's")
    assert [synced.notes for synced in sync(study, Model(function=parabola), COMPONENTS)] == [[]]
    assert [path.name for path in Books.given[0].files] == ["index.html", "pid.txt"]
    assert Books.given[0].fitted


def test_a_champion_is_not_beaten_by_a_model_that_is_not_there(tmp_path):
    ended(a_study(tmp_path))
    changed = a_study(tmp_path, "new", gates=["test_loss < 1", "beats: champion"])
    with pytest.raises(ConfigError, match=GONE.format("dataset")):
        promote(changed, None, Model(function=parabola), COMPONENTS)


def test_a_registry_may_promote_a_model_that_it_has_already(tmp_path):
    ended(a_study(tmp_path))
    said = promote(a_study(tmp_path, "new"), None, Model(function=parabola), COMPONENTS)
    assert said == "done"
    assert Books.given[-1].fitted is None


def test_reports_that_are_made_again_say_so_to_trackers(tmp_path):
    ended(a_study(tmp_path))
    again(a_study(tmp_path))
    assert [given.again for given in Books.given] == [False, True]

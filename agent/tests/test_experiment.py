"""`tunesmith advise --experiment`: runs that tunesmith never made, and a study file out of them."""

import math
from random import Random

import pytest
from deciding import call, from_json

from tunesmith.components import Tracker
from tunesmith.errors import TrackerError
from tunesmith.plugins import Offer, installed
from tunesmith.study import load_study
from tunesmith.trial import LoggedRun, TrialState


class Elsewhere(Tracker):
    """Has one experiment, best at high learning rates."""

    def destination(self, study):
        return "elsewhere"

    def write(self, study, round, trials):
        raise AssertionError("nothing is written")

    def finish(self, study, finished):
        raise AssertionError("nothing is written")

    def history(self, study):
        return []

    def logged(self, experiment):
        if experiment != "old sweep":
            raise TrackerError(f"there is no experiment '{experiment}'")
        random = Random(0)
        runs = []
        for number in range(60):
            rate = 10 ** random.uniform(-5, -2)
            params = {"lr": str(rate), "kind\x1b[2J": random.choice(["a", "b\x1b[2J"])}
            score = 0.9 + 0.02 * math.log10(rate) + random.gauss(0, 0.001)
            runs.append(
                LoggedRun(str(number), params, {"auc": score}, TrialState.COMPLETE, started=number)
            )
        return runs


@pytest.fixture(autouse=True)
def tracker(tmp_path, monkeypatch):
    offer = Offer("tracker", "elsewhere", Elsewhere, "tests")
    monkeypatch.setitem(installed().offers, ("tracker", "elsewhere"), offer)
    monkeypatch.chdir(tmp_path)
    return tmp_path


ADVISE = ("advise", "--tracker", "elsewhere", "--experiment", "old sweep", "--metric", "auc")


def test_the_evidence_is_shown_and_a_study_file_has_the_proposed_space(tracker):
    (tracker / "objective.py").write_text("def train(params, trial):\n    return 0.5\n")
    found = call(*ADVISE, "--html", "page.html")
    assert found.code == 0, found.err
    assert "Assumed, to be checked" in found.out
    assert "lr: high" in found.out
    assert "Next round" not in found.out
    assert "wrote study.yaml; give it an objective, then: tunesmith run study.yaml" in found.err
    assert "lr: high" in (tracker / "page.html").read_text()
    study = load_study(tracker / "study.yaml")
    assert study.space.parameters["lr"].high > 0.01
    assert not (tracker / "tunesmith.db").exists()


def test_names_and_values_from_a_tracker_do_not_move_the_cursor():
    found = call(*ADVISE)
    assert "\x1b" not in found.out + found.err


def test_programs_get_the_draft_the_assumptions_and_the_space():
    data = from_json(*ADVISE, "--goal", "maximize")
    assert data["experiment"] == "old sweep"
    assert any("lr" in text for text in data["assumptions"])
    assert data["space"]["parameters"]["lr"]["high"] > 0.01
    assert data["edits"]


def test_a_file_that_is_there_is_not_overwritten(tracker):
    (tracker / "study.yaml").write_text("mine")
    found = call(*ADVISE)
    assert found.code == 2
    assert "'study.yaml' is there already; name another file after --output" in found.err
    assert call(*ADVISE, "--output", "other.yaml").code == 0
    assert (tracker / "study.yaml").read_text() == "mine"


def test_mistakes_are_told():
    assert "name the experiment's --metric" in call(*ADVISE[:-2]).err
    assert (
        "no tracker named 'elsewere'; did you mean 'elsewhere'?"
        in call("advise", "--tracker", "elsewere", "--experiment", "x", "--metric", "auc").err
    )
    assert call("advise", "--tracker", "elsewhere", "--experiment", "x", "--metric", "a").code == 8
    assert call(*ADVISE, "--output", "no/folder.yaml").code == 2

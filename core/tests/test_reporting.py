"""What reporters made stands on one page, can be made again, and costs nothing but itself."""

import os
import threading
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tuning import parabola, play, registry_of, study_of
from writing import Crash, Litter, Page, Picky, Share, Slow, Where

from tunesmith.afterwards import report
from tunesmith.components import Tracker
from tunesmith.errors import ConfigError, TrackerError
from tunesmith.finished import Finished, Fitted
from tunesmith.objectives import Function
from tunesmith.store import Store
from tunesmith.study import store_url
from tunesmith.tuner import Tuner

ALL = (Crash, Page, Picky, Slow, Where)


class Links(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found, self.pictures = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.found.append(dict(attrs)["href"])
        if tag == "img":
            self.pictures.append(dict(attrs)["src"])


def finished_study(folder, *names, components=ALL, **options):
    study = study_of(folder, registry_of(*components), reporters=list(names), **options)
    tuner, _ = play(study, *components)
    return study, tuner


def again(study, number=None, components=ALL):
    return report(study, number, Function(function=parabola), registry_of(*components))


def test_the_page_links_every_file_and_shows_what_reporters_say(tmp_path):
    _, tuner = finished_study(tmp_path, "page", gates=["loss <= 1", "drift_share <= 0.2"])
    index = tuner.made.index
    text = index.read_text()
    links = Links(text)
    assert links.found == ["page/page.html", "page/dot.png"]
    assert all((index.parent / link).is_file() for link in links.found)
    assert links.pictures[0].startswith("data:image/png;base64,")
    assert "All is &lt;b&gt;well&lt;/b&gt;." in text
    assert "loss &lt;= 1: passed" in text
    assert "drift_share &lt;= 0.2: it does not hold with drift_share = 0.25" in text
    assert "://" not in text


def test_numbers_of_reporters_are_final_metrics_of_the_round(tmp_path):
    study, _ = finished_study(tmp_path, "page")
    store = Store(store_url(study))
    assert store.record(study.name).rounds()[0].final == {"drift_share": 0.25}
    store.close()


def test_a_reporter_named_twice_reports_twice(tmp_path):
    _, tuner = finished_study(tmp_path, "page", "page")
    assert [*tuner.made.reports] == ["page", "page 2"]
    assert Links(tuner.made.index.read_text()).found[2] == "page 2/page.html"


def test_reporters_stay_in_this_process_where_the_trials_do(tmp_path):
    _, tuner = finished_study(tmp_path, "where", executor="inline")
    assert int(tuner.made.reports["where"].files[0].read_text()) == os.getpid()


def test_a_reporter_that_takes_its_process_down_costs_its_own_report(tmp_path):
    names = ("crash", "page", "picky", "where")
    _, tuner = finished_study(tmp_path, *names, executor="processes")
    made = tuner.made
    assert [*made.reports] == [*names]
    assert [name for name in names if made.reports[name].files] == ["page", "where"]
    assert int(made.reports["where"].files[0].read_text()) != os.getpid()
    crashed, picky = made.notes
    if "picky" in crashed:
        crashed, picky = picky, crashed
    assert "reporter 'crash' failed: WorkerDiedError: its process was killed by SIGKILL" in crashed
    assert picky == (
        "reporter 'picky' failed: there is no model to look at; use an objective that keeps one"
    )
    text = made.index.read_text()
    assert "SIGKILL" in text and "there is no model to look at" in text


def test_a_reporter_that_does_not_end_is_ended(tmp_path):
    slow = {"use": "slow", "seconds": 0.5}
    _, tuner = finished_study(tmp_path, slow, "page", executor="processes")
    assert tuner.made.notes == ["reporter 'slow' failed: it took longer than 0.5 s"]
    assert tuner.made.reports["page"].files


def test_a_reporter_that_is_ended_leaves_no_rows_of_the_data_behind(tmp_path):
    litter = {"use": "litter", "seconds": 3}
    study = {"components": (Litter,), "executor": "processes"}
    _, tuner = finished_study(tmp_path, litter, **study)
    assert tuner.made.notes == ["reporter 'litter' failed: it took longer than 3 s"]
    (told,) = tmp_path.rglob("where.txt")
    assert not Path(told.read_text()).exists()


def test_of_two_reporters_with_one_number_the_first_in_the_file_gives_it(tmp_path):
    slow, quick = {"use": "share", "value": 1, "wait": 2}, {"use": "share", "value": 2}
    study = {"components": (Share,), "executor": "processes"}
    _, tuner = finished_study(tmp_path, slow, quick, **study)
    assert tuner.round.final == {"share": 1}
    assert tuner.made.notes == [
        "'champion_version' of reporter 'share' is left out: the comparison has one of that name",
        "'share' of reporter 'share 2' is left out: reporter 'share' has one of that name",
        "'champion_version' of reporter 'share 2' is left out: the comparison has one of that name",
    ]


def test_a_model_that_no_process_can_be_sent_is_reported_on_in_this_one(tmp_path):
    class Locked(Function):
        def refit(self, params, seed):
            return Fitted(threading.Lock(), "lock", [], {})

    study = study_of(tmp_path, registry_of(*ALL), reporters=["where"], executor="processes")
    with Tuner(study, Locked(function=parabola), registry_of(*ALL)) as tuner:
        while trial := tuner.ask():
            tuner.tell(trial, parabola(trial.params))
    assert tuner.made.notes == []
    assert int(tuner.made.reports["where"].files[0].read_text()) == os.getpid()


def test_a_folder_that_cannot_be_written_costs_the_reports_and_nothing_else(tmp_path):
    (tmp_path / "reports").write_text("a file is in the way")
    study, tuner = finished_study(tmp_path, "page")
    first, second = tuner.made.notes
    assert first.startswith("reporter 'page' failed: ") and "Not a directory" in first
    assert second.startswith("the page of the reports was not written: ")
    store = Store(store_url(study))
    assert store.record(study.name).rounds()[0].finished
    store.close()


def test_reports_are_made_again_of_any_round_that_is_over(tmp_path):
    study, _ = finished_study(tmp_path, components=(Where,))
    play(study, new_round=True)
    wanted = study_of(tmp_path, registry_of(*ALL), reporters=["where", "page"])
    made = again(wanted)
    assert made.round.number == 2
    assert made.reports["where"].summary == ["after rounds [1]"]
    assert made.index.parent.name == "round-2"
    first = again(wanted, 1)
    assert first.index.parent.name == "round-1"
    assert first.reports["page"].files[0].read_text() == "5 trials"
    store = Store(store_url(study))
    assert [round.final for round in store.record(study.name).rounds()] == [
        {"drift_share": 0.25},
        {"drift_share": 0.25},
    ]
    store.close()


class Keeps(Function):
    """Keeps a model, which costs something and has a score."""

    def refit(self, params, seed):
        return Fitted("model", "words", [], {"test_loss": 0.5}, costs={"model_mb": 2.0})


def test_numbers_of_a_reporter_that_is_gone_are_gone_and_the_models_own_stay(tmp_path):
    study = study_of(tmp_path, registry_of(*ALL), reporters=["page"])
    kept = Keeps(function=parabola)
    with Tuner(study, kept, registry_of(*ALL)) as tuner:
        while trial := tuner.ask():
            tuner.tell(trial, parabola(trial.params))
    assert tuner.round.final == {"model_mb": 2.0, "test_loss": 0.5, "drift_share": 0.25}
    other = study_of(tmp_path, registry_of(*ALL), reporters=["where"])
    made = report(other, None, kept, registry_of(*ALL))
    assert made.round.final == {"model_mb": 2.0, "test_loss": 0.5}


def test_a_round_that_is_not_there_is_told_with_those_that_are(tmp_path):
    study, _ = finished_study(tmp_path, "page")
    with pytest.raises(ConfigError, match=r"no round 7 that is over; there are 1$"):
        again(study, 7)


def test_without_a_round_or_a_reporter_there_is_nothing_to_report(tmp_path):
    study = study_of(tmp_path, registry_of(*ALL), reporters=["page"])
    with pytest.raises(ConfigError, match="no round that is over; end one with 'tunesmith run'"):
        again(study)
    assert not list(tmp_path.iterdir())
    with pytest.raises(ConfigError, match="names no reporter; add one under 'reporters'"):
        again(study_of(tmp_path))


def test_a_tracker_that_is_away_is_a_note_and_the_reports_are_there(tmp_path):
    class Away(Tracker):
        def destination(self, study):
            return "away"

        def write(self, study, round, trials):
            raise TrackerError("nobody answers")

        def finish(self, study, finished: Finished):
            raise TrackerError("nobody answers")

        def history(self, study):
            return []

    finished_study(tmp_path, "page")
    study = study_of(tmp_path, registry_of(Away, *ALL), reporters=["page"], trackers=["away"])
    made = again(study, components=(Away, *ALL))
    assert made.notes == ["not kept at away: nobody answers"]
    assert made.index.is_file()

"""The tuner by ask and tell: what it hands out, what it takes, and how it goes on."""

import math
import threading

import pytest
from tuning import SPACE, Listening, X, parabola, play, registry_of, study_of, tuner_of

from tunesmith.components import Dataset, Reporter, Sampler
from tunesmith.errors import ConfigError, PluginError, StudyBusyError
from tunesmith.finished import Fitted, Report
from tunesmith.hookspecs import hookimpl
from tunesmith.objectives import Function
from tunesmith.store import Store
from tunesmith.study import store_url
from tunesmith.trial import INTERRUPTED, Origin, TrialState
from tunesmith.tuner import Tuner

DEFAULT = {"parameters": {"x": X | {"default": 0.5}}}


def recorded(study):
    store = Store(store_url(study))
    try:
        return store.record(study.name).trials()
    finally:
        store.close()


def test_hands_out_trials_until_the_budget_is_used_up(tmp_path):
    tuner, trials = play(study_of(tmp_path))
    assert [trial.number for trial in trials] == [0, 1, 2, 3, 4]
    assert tuner.reason == "all 5 trials are done"
    assert recorded(tuner.study) == trials
    assert all(trial.metrics == {"loss": parabola(trial.params)} for trial in trials)


def test_a_result_is_in_the_record_before_the_sampler_hears_of_it(tmp_path):
    class Curious(Listening):
        def tell(self, trials):
            states.append(recorded(study)[trials[0].number].state)

    states = []
    study = study_of(tmp_path, registry_of(Curious), sampler="curious")
    play(study, Curious)
    assert states == [TrialState.COMPLETE] * 5


@pytest.mark.parametrize(
    ("result", "error"),
    [
        (math.nan, "the objective returned nan for 'loss'"),
        (-math.inf, "the objective returned -inf for 'loss'"),
        ("0.5", "the objective returned '0.5' for 'loss', which is not a number"),
        (10**400, "which is not a number"),
        (None, "the objective returned nothing; return 'loss'"),
        ({"accuracy": 1}, "the objective returned no 'loss', only accuracy"),
        ({"loss": 1, "note": None}, "the objective returned None for 'note'"),
        ({}, "the objective returned no 'loss', only an empty dict"),
    ],
    ids=str,
)
def test_a_result_that_is_no_finite_number_is_a_failed_trial(tmp_path, result, error):
    with tuner_of(study_of(tmp_path)) as tuner:
        trial = tuner.tell(tuner.ask(), result)
    assert trial.state is TrialState.FAILED
    assert error in trial.error


def test_takes_an_error_instead_of_a_result(tmp_path):
    with tuner_of(study_of(tmp_path)) as tuner:
        trial = tuner.tell(tuner.ask(), None, error="the robot fell over")
    assert (trial.state, trial.error) == (TrialState.FAILED, "the robot fell over")


def test_refuses_a_trial_that_was_told_before(tmp_path):
    with tuner_of(study_of(tmp_path)) as tuner:
        trial = tuner.ask()
        tuner.tell(trial, 1.0)
        with pytest.raises(ConfigError, match="trial 0 is not running here"):
            tuner.tell(trial, 2.0)
    assert recorded(tuner.study)[0].metrics == {"loss": 1.0}


def test_takes_params_of_your_own(tmp_path):
    with tuner_of(study_of(tmp_path)) as tuner:
        trial = tuner.ask({"x": 1.5})
        assert (trial.params, trial.origin) == ({"x": 1.5}, Origin.USER)
        with pytest.raises(ConfigError, match="x = 9 is outside"):
            tuner.ask({"x": 9})
        assert tuner.ask().origin is Origin.SAMPLER


def test_params_of_your_own_that_come_too_early_are_forgotten(tmp_path):
    with tuner_of(study_of(tmp_path, budget={"trials": 2})) as tuner:
        first, second = tuner.ask(), tuner.ask()
        assert tuner.ask({"x": 1.5}) is None
        assert tuner.reason is None
        tuner.tell(first, None, INTERRUPTED)
        assert tuner.ask().origin is Origin.SAMPLER
        tuner.tell(second, 1.0)


def test_hands_out_no_more_than_the_budget_while_results_are_awaited(tmp_path):
    with tuner_of(study_of(tmp_path, budget={"trials": 3})) as tuner:
        assert len(tuner.ask_many(10)) == 3
        assert tuner.ask() is None
        assert tuner.reason is None


def test_the_default_comes_first_and_once(tmp_path):
    study = study_of(tmp_path, space=DEFAULT)
    _, trials = play(study)
    assert (trials[0].params, trials[0].origin) == ({"x": 0.5}, Origin.DEFAULT)
    _, trials = play(study, new_round=True)
    assert {trial.origin for trial in trials} == {Origin.SAMPLER}


def test_the_default_can_be_switched_off(tmp_path):
    _, trials = play(study_of(tmp_path, space=DEFAULT, default_first=False))
    assert {trial.origin for trial in trials} == {Origin.SAMPLER}


def test_goes_on_where_it_was(tmp_path):
    study = study_of(tmp_path, sampler="listening", registry=registry_of(Listening))
    with tuner_of(study, Listening) as tuner:
        first = [tuner.tell(tuner.ask(), 1.0) for _ in range(2)]
    assert tuner.reason is None
    with tuner_of(study, Listening) as tuner:
        assert tuner.round.number == 1
        assert tuner._sampler.told == first
        assert tuner.ask().number == 2


def test_trials_in_flight_at_the_end_are_interrupted_and_run_again_within_the_budget(tmp_path):
    study = study_of(tmp_path)
    with tuner_of(study) as tuner:
        tuner.tell(tuner.ask(), 1.0)
        lost = tuner.ask_many(2)
    assert [trial.error for trial in recorded(study)] == [None, INTERRUPTED, INTERRUPTED]
    tuner, trials = play(study)
    assert [trial.params for trial in trials[:2]] == [trial.params for trial in lost]
    assert [trial.origin for trial in trials] == [Origin.RETRY] * 2 + [Origin.SAMPLER] * 2
    assert [trial.number for trial in trials] == [3, 4, 5, 6]
    assert sum(trial.counts for trial in recorded(study)) == 5


def test_a_retry_that_is_interrupted_is_retried_once_more_and_not_twice(tmp_path):
    study = study_of(tmp_path)
    for _ in range(2):
        with tuner_of(study) as tuner:
            lost = tuner.ask()
    _, trials = play(study)
    assert [trial.params for trial in trials].count(lost.params) == 1
    assert [trial.origin for trial in trials].count(Origin.RETRY) == 1


def test_marks_as_interrupted_what_a_killed_process_left_running(tmp_path):
    study = study_of(tmp_path)
    tuner = tuner_of(study)
    tuner.__enter__()
    running = tuner.ask()
    tuner._lease._write(None, None)  # as if it had died
    with tuner_of(study) as other:
        assert other.round.trials[0].error == INTERRUPTED
        assert other.ask().params == running.params
    tuner._lease.release()
    tuner._store.close()


def test_random_params_and_seeds_depend_on_the_number_alone(tmp_path):
    many = study_of(tmp_path, name="many", budget={"trials": 12})
    with tuner_of(many) as tuner:
        together = tuner.ask_many(12)
    _, single = play(study_of(tmp_path, name="one", budget={"trials": 12}))
    assert [(t.params, t.seed) for t in together] == [(t.params, t.seed) for t in single]
    assert len({trial.seed for trial in single}) == 12
    _, other = play(study_of(tmp_path, name="other", seed=1))
    assert other[0].seed != single[0].seed


def test_two_tuners_on_one_study_are_one_too_many(tmp_path):
    study = study_of(tmp_path)
    with tuner_of(study) as tuner:
        with pytest.raises(StudyBusyError, match="is being run by process"), tuner_of(study):
            pass
        tuner.tell(tuner.ask(), 1.0)  # the first one does not mind
    with tuner_of(study):
        pass


def test_a_tuner_that_lost_its_study_leaves_the_record_alone(tmp_path):
    study = study_of(tmp_path)
    with pytest.raises(StudyBusyError, match="taken over"), tuner_of(study) as tuner:
        tuner.ask()
        tuner._lease.lost = StudyBusyError("another process has taken over study 'parabola'")
        tuner.ask()
    assert recorded(study)[0].state is TrialState.RUNNING


def test_a_listener_that_breaks_at_the_start_frees_the_study(tmp_path):
    class Broken:
        @hookimpl
        def round_started(self, study, round):
            raise RuntimeError("no screen")

    study = study_of(tmp_path)
    with pytest.raises(RuntimeError, match="no screen"), tuner_of(study, listeners=[Broken()]):
        pass
    assert "tunesmith-lease" not in {thread.name for thread in threading.enumerate()}
    with tuner_of(study):
        pass


def test_a_misspelt_hook_of_a_component_is_an_error(tmp_path):
    class Typo:
        @hookimpl
        def trial_finnished(self, study, trial):
            pass

    with pytest.raises(PluginError, match="trial_finnished"):
        tuner_of(study_of(tmp_path), listeners=[Typo()])


def test_a_component_may_end_the_round(tmp_path):
    class Enough(Listening):
        @hookimpl
        def should_stop(self, study, round):
            return "that will do" if len(round.trials) == 2 else None

    study = study_of(tmp_path, registry_of(Enough), sampler="enough")
    tuner, trials = play(study, Enough)
    assert (tuner.reason, len(trials)) == ("that will do", 2)


def test_events_come_in_order(tmp_path):
    class Witness:
        def __init__(self):
            self.seen = []

        @hookimpl
        def round_started(self, study, round):
            self.seen.append(f"round {round.number}")

        @hookimpl
        def trial_finished(self, study, trial):
            self.seen.append(trial.number)

        @hookimpl
        def round_finished(self, study, round):
            self.seen.append(round.reason)

    witness = Witness()
    play(study_of(tmp_path, budget={"trials": 2}), listeners=[witness])
    assert witness.seen == ["round 1", 0, 1, "all 2 trials are done"]


class Lost(Listening):
    def ask(self, numbers):
        return [{"x": 3.0}]


class Endless(Listening):
    def ask(self, numbers):
        return []


class Patient(Listening):
    """Wants to know how each trial went before it names the next one."""

    def ask(self, numbers):
        asked = getattr(self, "asked", 0)
        if asked > len(self.told) or (asked == 0 and not self.told):
            return []
        self.asked = asked + 1
        return super().ask(numbers[:1])


class Spent(Listening):
    def ask(self, numbers):
        return super().ask(numbers) if len(self.told) < 2 else None


def test_a_sampler_that_leaves_the_space_is_named(tmp_path):
    study = study_of(tmp_path, registry_of(Lost), sampler="lost")
    message = r"sampler 'lost' left the space with \{'x': 3.0\}: x = 3.0 is outside"
    with pytest.raises(PluginError, match=message):
        play(study, Lost)


def test_a_sampler_that_waits_for_ever_is_named(tmp_path):
    study = study_of(tmp_path, registry_of(Endless), sampler="endless")
    with pytest.raises(PluginError, match="sampler 'endless' waits for results, but no trial"):
        play(study, Endless)


def test_a_sampler_may_wait_for_the_default(tmp_path):
    study = study_of(tmp_path, registry_of(Patient), sampler="patient", space=DEFAULT)
    with tuner_of(study, Patient) as tuner:
        (default,) = tuner.ask_many(2)
        assert tuner.ask_many(2) == []
        tuner.tell(default, 1.0)
        assert len(tuner.ask_many(2)) == 1


def test_a_sampler_that_has_nothing_left_ends_the_round(tmp_path):
    study = study_of(tmp_path, registry_of(Spent), sampler="spent")
    with tuner_of(study, Spent) as tuner:
        running = [tuner.ask(), tuner.ask()]
        for trial in running:
            tuner.tell(trial, 1.0)
        assert tuner.ask() is None
        assert tuner.reason == "sampler 'spent' has nothing left to try"
    assert tuner.round.finished is not None


def test_nothing_is_over_while_results_may_bring_more(tmp_path):
    study = study_of(tmp_path, registry_of(Spent), sampler="spent", budget={"trials": 9})
    with tuner_of(study, Spent) as tuner:
        first, second, third = (tuner.ask() for _ in range(3))
        tuner.tell(first, 1.0)
        tuner.tell(second, 1.0)
        assert tuner.ask() is None
        assert tuner.reason is None
        tuner.tell(third, 1.0)
        assert tuner.ask() is None
        assert tuner.reason is not None


def test_a_grid_ends_by_itself_and_goes_on_without_repeating(tmp_path):
    study = study_of(tmp_path, sampler={"use": "grid", "points": 4}, budget={"trials": 50})
    with tuner_of(study) as tuner:
        first = tuner.tell(tuner.ask(), 1.0)
    tuner, trials = play(study)
    assert tuner.reason == "sampler 'grid' has nothing left to try"
    assert len({trial.params["x"] for trial in [first, *trials]}) == 4 == len(trials) + 1


def test_a_raised_budget_extends_the_round(tmp_path):
    play(study_of(tmp_path))
    tuner, trials = play(study_of(tmp_path, budget={"trials": 7}))
    assert (tuner.round.number, len(trials)) == (1, 2)
    assert tuner.round.reason == "all 7 trials are done"


def test_there_is_nothing_to_do_twice(tmp_path):
    tuner, _ = play(study_of(tmp_path))
    finished = tuner.round.finished
    tuner, trials = play(study_of(tmp_path))
    assert (trials, tuner.reason) == ([], "all 5 trials are done")
    assert (tuner.round.number, tuner.round.finished) == (1, finished)


def test_a_new_round_begins_on_demand_and_knows_the_old_trials(tmp_path):
    play(study_of(tmp_path))
    tuner, trials = play(study_of(tmp_path), new_round=True)
    assert (tuner.round.number, tuner.round.space_version, len(trials)) == (2, 1, 5)
    assert {item.fate for item in tuner.carried} == {"kept"}
    assert [trial.number for trial in trials] == [5, 6, 7, 8, 9]


@pytest.mark.parametrize(
    ("change", "fates", "version"),
    [
        ({"sampler": {"use": "grid", "points": 9}}, {"kept"}, 1),
        ({"seed": 3}, {"kept"}, 1),
        ({"space": {"parameters": {"x": X | {"low": -9}}}}, {"kept"}, 2),
        ({"goals": {"loss": "maximize"}}, {"dropped"}, 1),
        ({"objective": {"use": "function", "function": "other"}}, {"dropped"}, 1),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_changed_study_is_a_new_round(tmp_path, change, fates, version):
    play(study_of(tmp_path))
    with tuner_of(study_of(tmp_path, **change)) as tuner:
        assert (tuner.round.number, tuner.round.space_version) == (2, version)
        assert {item.fate for item in tuner.carried} == fates
        assert tuner.round.trials == []


@pytest.mark.parametrize(
    "change", [{"gates": ["loss < 1"]}, {"executor": "threads"}, {"default_first": False}], ids=str
)
def test_what_changes_no_score_continues_the_round(tmp_path, change):
    play(study_of(tmp_path))
    with tuner_of(study_of(tmp_path, **change)) as tuner:
        assert tuner.round.number == 1


def test_an_edited_space_is_a_version_and_the_sampler_is_told_what_fits(tmp_path):
    before = {"parameters": {"x": X, "y": {"type": "int", "low": 0, "high": 9, "default": 4}}}
    after = {"parameters": {"x": X | {"high": 0}, "z": {**X, "default": 1}}}
    study = study_of(tmp_path, space=before)
    with tuner_of(study) as tuner:
        for params in ({"x": -1.0, "y": 4}, {"x": 1.0, "y": 4}, {"x": -1.5, "y": 5}):
            tuner.tell(tuner.ask(params), 1.0)
    study = study_of(tmp_path, registry_of(Listening), space=after, sampler="listening")
    with tuner_of(study, Listening) as tuner:
        assert [str(item.fate) for item in tuner.carried] == ["re-expressed", "dropped", "dropped"]
        assert [trial.params for trial in tuner._sampler.told] == [{"x": -1.0, "z": 1}]
        version = tuner.record.versions()[-1]
        assert (version.number, version.parent, version.reason) == (2, 1, "edited by hand")


class Failing(Reporter):
    def report(self, study, finished, folder):
        raise RuntimeError("no ink")


class Page(Reporter):
    def report(self, study, finished, folder):
        page = folder / "page.html"
        page.write_text(f"{len(finished.round.trials)} trials")
        return Report([page])


class Stubborn(Function):
    def refit(self, params, seed):
        raise ValueError("no second time")


class Keeping(Function):
    def refit(self, params, seed):
        return Fitted(params, "parabola", [params], {"test_loss": 0.25})


def finish(study, objective, *components):
    with Tuner(study, objective, registry_of(*components)) as tuner:
        while trial := tuner.ask():
            tuner.tell(trial, parabola(trial.params))
    return tuner


def test_a_reporter_that_fails_is_a_note_and_the_others_work(tmp_path):
    registry = registry_of(Failing, Page)
    study = study_of(tmp_path, registry, reporters=["failing", "page"])
    tuner = finish(study, Function(function=parabola), Failing, Page)
    assert tuner.made.notes == ["reporter 'failing' failed: RuntimeError: no ink"]
    index, page = tuner.made.files
    assert page.read_text() == "5 trials"
    assert "reporter &#x27;failing&#x27; failed: RuntimeError: no ink" in index.read_text()
    assert tuner.round.finished is not None


def test_a_refit_that_fails_is_a_note(tmp_path):
    tuner = finish(study_of(tmp_path), Stubborn(function=parabola))
    assert tuner.made.notes == [
        "the best model could not be fitted again: ValueError: no second time"
    ]
    assert tuner.round.finished is not None


def test_the_final_metrics_are_recorded(tmp_path):
    study = study_of(tmp_path)
    finish(study, Keeping(function=parabola))
    with tuner_of(study) as tuner:
        assert tuner.round.final == {"test_loss": 0.25}


def test_several_goals_have_a_front(tmp_path):
    study = study_of(tmp_path, goals={"loss": "minimize", "size": "maximize"})
    score = {"loss": 1.0, "size": 1.0}
    _, trials = play(study, score=lambda params: score | {"loss": params["x"] ** 2})
    assert all(set(trial.metrics) == {"loss", "size"} for trial in trials)
    with tuner_of(study, new_round=True) as tuner:
        failed = tuner.tell(tuner.ask(), 3.0)
    assert "several goals need a dict of metrics" in failed.error


def test_space_without_a_default_has_no_default_trial(tmp_path):
    _, trials = play(study_of(tmp_path, space=SPACE))
    assert trials[0].origin is Origin.SAMPLER


def test_a_sampler_that_cannot_start_leaves_no_record(tmp_path):
    class Picky(Sampler):
        def start(self, space, goals, seed):
            raise PluginError("sampler 'picky' wants two parameters")

        def ask(self, numbers):
            return None

        def tell(self, trials):
            pass

    study = study_of(tmp_path, registry_of(Picky), sampler="picky")
    with pytest.raises(PluginError, match="two parameters"), tuner_of(study, Picky):
        pass
    assert not (tmp_path / "tunesmith.db").exists()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_store_that_keeps_nothing_is_refused(tmp_path, url):
    with pytest.raises(ConfigError, match="keeps nothing; name a file"):
        play(study_of(tmp_path, store=url))


def test_a_reporter_without_a_place_to_write_is_a_note(tmp_path):
    class Page(Reporter):
        def report(self, study, finished, folder):
            raise AssertionError("there is no folder")

    (tmp_path / "reports").write_text("a file where the folder should be")
    registry = registry_of(Page)
    tuner, trials = play(study_of(tmp_path, registry, reporters=["page"]), Page)
    assert len(trials) == 5
    assert tuner.made.notes[0].startswith("reporter 'page' failed: NotADirectoryError")


def test_params_that_take_the_tuner_down_are_tried_three_times_and_no_more(tmp_path):
    study = study_of(tmp_path, budget={"trials": 3})
    for _ in range(5):
        with tuner_of(study) as tuner:
            first = tuner.ask()  # and leave it in the middle
    tuner, _ = play(study)
    tried = [trial.params for trial in tuner.round.trials if trial.error == INTERRUPTED]
    assert tried.count(tried[0]) == 3
    assert first.params != tried[0]


class Reading(Function):
    def prepare(self, study, dataset):
        """Takes any data."""


class Versioned(Dataset):
    """Data whose content and commit are options."""

    content: str = "a"
    """What is in it."""
    commit: str = "1"
    """Where it is from."""

    def load(self, folder):
        raise NotImplementedError

    def fingerprint(self, folder):
        return self.content

    def version(self, folder):
        return {"path": "größe.csv", "revision": self.commit}


def test_a_round_keeps_the_version_of_its_data_and_only_other_content_begins_a_new_one(tmp_path):
    registry = registry_of(Versioned)

    def open_with(**options):
        study = study_of(tmp_path, registry, dataset={"use": "versioned", **options})
        with Tuner(study, Reading(function=parabola), registry) as tuner:
            return [(round.dataset, round.dataset_version) for round in tuner.record.rounds()]

    first = ("a", {"path": "größe.csv", "revision": "1"})
    assert open_with() == [first]
    assert open_with(commit="2") == [first]
    changed = ("b", {"path": "größe.csv", "revision": "3"})
    assert open_with(content="b", commit="3") == [first, changed]

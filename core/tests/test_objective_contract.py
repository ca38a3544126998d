"""The objective contract: our own objectives pass it, and broken ones do not."""

import subprocess
import sys
from pathlib import Path

import pytest

from tunesmith.objectives import Command, Python
from tunesmith.study import Study
from tunesmith.testing import ObjectiveContract

HERE = Path(__file__).parent
sys.path.append(str(HERE))  # other processes have to find the module too

import broken_objectives as broken  # noqa: E402


def parabola_study(folder: Path, goal: str = "loss") -> Study:
    space = {
        "x": {"type": "float", "low": 0, "high": 2, "default": 0.5},
        "y": {"type": "int", "low": 1, "high": 3},
    }
    return Study.model_validate(
        {
            "name": "parabola",
            "goals": {goal: "minimize"},
            "objective": "parabola",
            "space": {"parameters": space},
            "folder": folder,
        }
    )


class TestSound(ObjectiveContract):
    def make(self):
        return broken.Sound()

    def study(self, folder):
        return parabola_study(folder)


class TestPython(ObjectiveContract):
    any_parameter = True

    def make(self):
        return Python(function="parabola_of_it:loss")

    def study(self, folder):
        text = "def loss(params, trial): return params['x'] ** 2 + trial.seed % 7"
        (folder / "parabola_of_it.py").write_text(text)
        return parabola_study(folder)


class TestCommand(ObjectiveContract):
    any_parameter = True

    def make(self):
        return Command(command=[sys.executable, "-c", "import sys; print({x})", "{y}"])

    def study(self, folder):
        return parabola_study(folder)


BREACHES = [
    (broken.Infinite, "test_gives_a_finite_value_for_every_goal"),
    (broken.Silent, "test_gives_a_finite_value_for_every_goal"),
    (broken.Unseeded, "test_equal_params_and_seed_give_equal_metrics"),
    (broken.Remembering, "test_equal_params_and_seed_give_equal_metrics"),
    (broken.Unseeded, "test_gives_equal_metrics_in_another_process"),
    (broken.HomeBody, "test_gives_equal_metrics_in_another_process"),
    (broken.Greedy, "test_leaves_the_params_as_they_are"),
    (broken.Credulous, "test_refuses_a_parameter_that_means_nothing"),
    (broken.Laconic, "test_refuses_a_parameter_that_means_nothing"),
    (broken.Heavy, "test_a_trial_is_cheap_to_hand_to_a_worker"),
    (broken.Fickle, "test_refit_is_deterministic_and_scored_on_its_own_metrics"),
    (broken.Mixed, "test_refit_is_deterministic_and_scored_on_its_own_metrics"),
    (broken.Unscored, "test_refit_is_deterministic_and_scored_on_its_own_metrics"),
]


@pytest.mark.parametrize(("kind", "promise"), BREACHES)
def test_a_broken_promise_is_caught(kind, promise, tmp_path):
    contract = TestSound()
    contract.make = kind
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        getattr(contract, promise)(tmp_path)


def test_an_objective_that_does_not_pickle_is_caught(tmp_path):
    contract = TestSound()
    contract.make = broken.Unpicklable
    with pytest.raises(AttributeError, match="lambda"):
        contract.test_gives_equal_metrics_in_another_process(tmp_path)


def test_a_heavy_import_is_caught(tmp_path, monkeypatch):
    (tmp_path / "numpy.py").write_text("")
    (tmp_path / "heavy_plugin.py").write_text(
        "import numpy\nfrom broken_objectives import Sound\nclass Heavy(Sound): pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    heavy = type("Heavy", (broken.Sound,), {"__module__": "heavy_plugin"})
    contract = TestSound()
    contract.make = heavy
    with pytest.raises(AssertionError, match=r"\['numpy'\] are imported"):
        contract.test_importing_it_imports_no_heavy_library()


def test_every_promise_has_an_objective_that_breaks_it():
    promises = {name for name in dir(ObjectiveContract) if name.startswith("test_")}
    covered = {promise for _, promise in BREACHES}
    assert promises - covered == {"test_importing_it_imports_no_heavy_library"}


def test_a_third_party_needs_a_dozen_lines(tmp_path):
    (tmp_path / "test_theirs.py").write_text(
        "from broken_objectives import Sound\n"
        "from tunesmith.study import Study\n"
        "from tunesmith.testing import ObjectiveContract\n\n\n"
        "class TestTheirs(ObjectiveContract):\n"
        "    def make(self):\n        return Sound()\n\n"
        "    def study(self, folder):\n"
        "        space = {'parameters': {'x': {'type': 'float', 'low': 0, 'high': 1}}}\n"
        "        return Study(name='a', goals={'loss': 'minimize'}, objective='theirs',\n"
        "                     space=space, folder=folder)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(
        [*command, f"--rootdir={tmp_path}", "-o", f"pythonpath={HERE}"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert "8 passed" in done.stdout, done.stdout

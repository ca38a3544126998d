import sys
from pathlib import Path

import pytest

# helpers beside the tests
sys.path.append(str(Path(__file__).parent))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory: a study of `deciding` that was run once."""
    from deciding import DRAFT, OBJECTIVE, STUDY, Written, call

    from tunesmith.plugins import Offer, installed

    offer = Offer("advisor", "written", Written, "agent")
    monkeypatch.setitem(installed().offers, ("advisor", "written"), offer)
    monkeypatch.setattr(Written, "draft", DRAFT)
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "objective_of_the_review.py").write_text(OBJECTIVE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert call("run").code == 0
    yield tmp_path
    sys.modules.pop("objective_of_the_review", None)


@pytest.fixture(scope="session")
def talk_study(tmp_path_factory):
    """A folder with the study of `talked`, which was run; to be copied."""
    from talked import run_in

    path = tmp_path_factory.mktemp("talk")
    run_in(path)
    return path


@pytest.fixture
def talk_folder(talk_study, tmp_path, monkeypatch):
    """The working directory: a copy of that folder."""
    from talked import copied

    copied(talk_study, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path

"""What was approved stands: after a crash, against rivals and forgers, in old records."""

import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import pytest
import revising
from revising import (
    FILE,
    Scripted,
    a_study,
    adopted,
    approve,
    decide,
    decision,
    opened,
    proposals,
    propose,
    tuned,
    versions,
    with_a_round,
    x_of,
)
from sqlalchemy import create_engine, insert, inspect, text, update
from tuning import registry_of

from tunesmith import tables
from tunesmith.errors import ConfigError, StoreError
from tunesmith.parameters import Float
from tunesmith.proposals import Fix, Source
from tunesmith.revision import load_settled, settle
from tunesmith.space import SearchSpace
from tunesmith.store import Store


@pytest.fixture
def study(tmp_path, url, monkeypatch):
    return with_a_round(tmp_path, url, monkeypatch)


@pytest.fixture
def path(study):
    """The study's file."""
    path = study.folder / "study.yaml"
    path.write_text(FILE)
    return path


def settled(study, path):
    with opened(study) as record:
        return settle(path, study, record)


# forged


def test_a_version_of_a_proposal_that_nobody_approved_does_not_run(study):
    propose(study)
    space = SearchSpace({"x": Float(-9, 9)})
    with opened(study) as record, record.store.begin() as connection:
        forged = replace(versions(study)[0], number=2, space=space, parent=1, proposal=1)
        record._add(connection, forged)
    with pytest.raises(StoreError, match=r"space version 2 .* proposal 1, which nobody approved"):
        tuned(study.model_copy(update={"space": space}))


def test_an_applied_proposal_without_decisions_is_refused(study):
    propose(study)
    approve(study, 1, "e1")
    with opened(study) as record, record.store.begin() as connection:
        row = {"study": record.study, "proposal": 1, "version": 1, "made": 0.0}
        connection.execute(insert(tables.revisions).values(row))
    with pytest.raises(StoreError, match=r"proposal 1 .* is applied, but not approved"):
        tuned(study)


def test_a_decision_cannot_be_written_twice_even_without_the_lock(study):
    propose(study)
    approve(study, 1, "e1")
    row = {"proposal": 1, "edit": "e1", "verdict": "reject", "author": "eve", "reason": ""}
    with opened(study) as record, pytest.raises(StoreError), record.store.begin() as connection:
        row |= {"study": record.study, "at": 0.0, "content": "{}"}
        connection.execute(insert(tables.decisions).values(row))
    assert [made.author for made in proposals(study)[0].decisions] == ["ada"]


def test_a_forged_edit_in_the_record_meets_the_policy(study):
    proposal = propose(study).proposal
    forged = proposal.edits[0].model_copy(update={"high": 1e9, "source": Source.HUMAN})
    worse = Fix(id="e2", parameter="x", value=1.99)
    content = proposal.model_copy(update={"edits": (forged, worse)}).model_dump_json()
    with opened(study) as record, record.store.begin() as connection:
        connection.execute(update(tables.proposals).values(content=content))
    with pytest.raises(ConfigError, match="e2: "):
        approve(study, 1, "e2")


def test_texts_of_people_are_kept_as_they_were_written(study):
    propose(study)
    reason = "naïve 🐘\nline 2 \0 'quoted' %"
    decide(study, 1, decision("e1", author="Zoë 🐘", reason=reason))
    (made,) = proposals(study)[0].decisions
    assert (made.author, made.reason) == ("Zoë 🐘", reason)


# several processes


def another(*words, **pipes):
    command = [sys.executable, revising.__file__, *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **pipes)


def test_of_two_processes_that_approve_at_once_one_is_told_who_was_faster(study, url):
    propose(study)
    rivals = [
        another("rival", study.folder, url, name, stdin=subprocess.PIPE) for name in ("ada", "bob")
    ]
    for rival in rivals:
        assert rival.stdout.readline() == "ready\n"
    for rival in rivals:
        rival.stdin.write("go\n")
        rival.stdin.flush()
    told = [rival.communicate(timeout=60)[0] for rival in rivals]
    assert sorted(line == "won\n" for line in told) == [False, True]
    winner = "ada" if told[0] == "won\n" else "bob"
    (lost,) = [line for line in told if line != "won\n"]
    assert lost.startswith("ConfigError: edit 'e1' of proposal 1 is decided already: 'approve' by")
    assert f" by {winner} at " in lost
    assert [version.author for version in versions(study)[1:]] == [winner]


def test_the_next_command_finishes_what_a_killed_one_decided(study, url, path):
    propose(study)
    died = another("die", study.folder, url)
    assert (died.communicate(timeout=60)[0], died.returncode) == ("decided\n", -9)
    assert path.read_text() == FILE
    assert len(versions(study)) == 2
    assert settled(study, path)
    assert path.read_text() == FILE.replace("low: -2, high: 2", "low: -4.0, high: 4.0")
    assert not settled(study, path)
    assert tuned(adopted(study))[0].round.proposal == 1


# the study file


def test_an_approved_space_is_written_once_and_hand_edits_after_it_stay(study, path):
    propose(study)
    assert not settled(study, path)
    approve(study, 1, "e1", "e2")
    assert settled(study, path)
    path.write_text(path.read_text().replace("high: 4.0", "high: 5"))
    assert not settled(study, path)
    assert "high: 5" in path.read_text()


def test_a_space_that_stands_in_the_file_already_is_left_as_it_is(study, path):
    propose(study)
    approve(study, 1, "e1", "e2")
    by_hand = FILE.replace("low: -2, high: 2", "low: -4, high: 4")
    path.write_text(by_hand)
    assert not settled(study, path)
    assert path.read_text() == by_hand
    with opened(study) as record:
        assert record.unwritten() is None


def test_a_file_edited_in_between_is_left_and_its_author_told(study, path):
    propose(study)
    approve(study, 1, "e1", "e2")
    edited = FILE.replace("high: 2", "high: 3")
    path.write_text(edited)
    with pytest.raises(ConfigError, match=r"was edited after proposal 1 .*put back the space of"):
        settled(study, path)
    assert path.read_text() == edited
    path.write_text(FILE)
    assert settled(study, path)


def test_a_broken_space_is_told_with_its_line(study, path):
    propose(study)
    approve(study, 1, "e1", "e2")
    path.write_text(FILE.replace("high: 2", "hihg: 2"))
    with pytest.raises(ConfigError, match=r"study.yaml:6: space.parameters.x.hihg: unknown option"):
        settled(study, path)


def test_a_study_is_loaded_with_what_was_approved(study, path, url, monkeypatch):
    monkeypatch.setenv("TUNESMITH_STORE", url)
    propose(study)
    approve(study, 1, "e1", "e2")
    assert x_of(load_settled(path, registry_of(Scripted)).space) == (-4, 4)
    assert "high: 4.0" in path.read_text()
    assert x_of(load_settled(path, registry_of(Scripted)).space) == (-4, 4)


# records of earlier versions

LATER = {
    "space_versions": ["proposal"],
    "rounds": ["proposal", "limits"],
    "trials": ["violation"],
    "deliveries": ["proposals"],
}


def test_a_record_from_before_there_were_proposals_and_limits_goes_on(tmp_path, url):
    study = a_study(tmp_path, store=url)
    tuned(study)
    with closing(Store(url)) as store, store.begin() as connection:
        for table in ("decisions", "revisions", "proposals"):
            connection.execute(text(f"DROP TABLE {table}"))
        for table, columns in LATER.items():
            for column in columns:
                connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
    assert propose(study).proposal.number == 1
    approve(study, 1, "e1", "e2")
    tuner, trials = tuned(adopted(study))
    assert (tuner.round.proposal, len(trials)) == (1, 5)
    assert versions(study)[0].proposal is None


def test_opening_a_record_again_changes_nothing(tmp_path):
    url = f"sqlite:///{tmp_path}/record.db"
    for _ in range(2):
        with closing(Store(url)):
            engine = create_engine(url)
            found = {
                table: [column["name"] for column in inspect(engine).get_columns(table)]
                for table in tables.metadata.tables
            }
            engine.dispose()
        assert found == {
            name: [column.name for column in table.columns]
            for name, table in tables.metadata.tables.items()
        }

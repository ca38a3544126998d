"""`tunesmith chat` without a language model: what people say, and what comes of it."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from contextlib import suppress

import pytest
from deciding import call
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from talked import STUDY, copied

from tunesmith.errors import TunesmithError
from tunesmith_agent.chat.grammar import COMMANDS, LeftError, understand
from tunesmith_agent.chat.memory import Memory, memory_file
from tunesmith_agent.chat.session import Session
from tunesmith_agent.desk import open_desk

pytestmark = pytest.mark.slow


def say(*lines):
    """A whole session from a pipe; what it printed."""
    result = call("chat", "--as", "anna", typed="\n".join(lines) + "\n")
    assert result.code == 0 and result.err == "", result.err
    return result.out


def edits():
    return re.findall(r"^  e\d (.+) \[", say("show"), re.MULTILINE)


def test_the_draft_is_the_statistics_own_at_first(talk_folder):
    out = say()
    assert "talk: space v1, 60 trials" in out and "the draft has 1 edit" in out
    assert edits() == ["learning_rate: high 0.01 -> 1"]


def test_questions_are_answered_from_the_trials(talk_folder):
    assert "the best 12 trials" in say("why lr")
    assert "no evidence is about 'kind'" in say("why kind")
    assert say("show best 2").count("trial ") == 2
    assert "kind 'a'  trials" in say("show kind")
    assert "kind 'b'" in say("show lr kind")
    assert "0 of 60 trials failed" in say("failures")
    assert "nothing was decided yet" in say("what did we reject in March?")
    assert "E001" in say("evidence")


@pytest.mark.parametrize(
    ("line", "draft"),
    [
        ("widen lr to 0.1", ["learning_rate: high 0.01 -> 0.1"]),
        ("widen LEARNING_RATE low to 1e-6", ["learning_rate: low 1e-05 -> 1e-06"]),
        ("widen depth to 15", ["learning_rate: high 0.01 -> 1", "depth: high 12 -> 15"]),
        ("narrow lr to 1e-4..0.01", ["learning_rate: low 1e-05 -> 0.0001"]),
        ("leave out e1", []),
        ("without lr", []),
        ("Try it more conservatively!", ["learning_rate: high 0.01 -> 0.1"]),
    ],
)
def test_the_draft_is_changed_and_the_change_lasts_and_is_taken_back(talk_folder, line, draft):
    say(line)
    assert edits() == draft
    assert "taken back" in say("undo")
    assert edits() == ["learning_rate: high 0.01 -> 1"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("widen depth to 10", "cannot apply"),
        ("narrow depth to 3..10", "no evidence is about 'depth'"),
        ("drop b from kind", "no evidence is about 'kind'"),
        ("drop d from kind", "'kind' has no choice 'd' (known: a, b, c)"),
        ("fix depth = 99", "99 is not one of its values"),
        ("narrow lr to 1e-5..1e-4", "trial"),
        ("widen kind to 3", "has choices, no bounds"),
        ("widen lrate to 3", "there is no parameter 'lrate'"),
        ("leave out depth", "the draft has no edit on 'depth'"),
        ("leave out e7", "there is no parameter 'e7'"),
        ("never below 3 for depth", "low 2 is below hard_low 3"),
        ("never below 3 for kind", "has choices, no bounds"),
        ("undo", "there is nothing to take back"),
        ("approve e4", "has no edit 'e4'"),
        ("wieden lr", "Did you mean 'widen'?"),
        ("what is love", "is not understood"),
        ("help wieden", "there is no command 'wieden'"),
    ],
)
def test_what_may_not_be_is_told_and_changes_nothing(talk_folder, line, told):
    assert told in say(line)
    assert edits() == ["learning_rate: high 0.01 -> 1"]
    assert (talk_folder / "study.yaml").read_text() == STUDY


def test_a_lock_is_written_to_the_study_file_and_the_draft_keeps_to_it(talk_folder):
    assert "learning_rate has locked: true" in say("lock lr", "show")
    text = (talk_folder / "study.yaml").read_text()
    assert "high: 0.01, log: true, locked: true}  # a guess" in text
    assert edits() == []
    say("unlock lr")
    assert edits() == ["learning_rate: high 0.01 -> 1"]
    out = say("widen depth to 30", "never go above 20 for depth")
    assert "'depth: high 12 -> 30' does not hold any more" in out
    assert "hard_high: 20}" in (talk_folder / "study.yaml").read_text()


def test_only_what_a_person_approves_changes_the_space_and_it_is_recorded(talk_folder):
    out = say("widen depth to 15", "propose", "reject e2 because it takes too long", "approve e1")
    assert "proposal 1 is pending: e1 e2" in out
    assert "space v2 is written to study.yaml" in out
    assert "high: 1" in (talk_folder / "study.yaml").read_text()
    told = "depth: high 12 -> 15: reject by anna, because it takes too long"
    assert told in say("what did we reject")
    shown = json.loads(call("proposals", "show", "1", "-f", "json").out)
    assert [edit["source"] for edit in shown["edits"]] == ["statistical", "human"]
    assert shown["advisor"] == "chat"
    assert "no round was run with it" in say("propose")


def test_a_proposal_of_a_session_may_be_decided_elsewhere(talk_folder):
    say("propose")
    assert call("proposals", "approve", "--as", "bob").code == 0
    assert "talk: space v2" in say()


def test_trials_run_since_make_the_draft_anew(talk_folder):
    say("widen depth to 15")
    assert call("run", "--new-round", "--trials", "5").code == 0
    assert "the draft is made anew" in say()
    assert "depth: high 12 -> 15" in edits()


def test_a_session_file_is_private_and_a_broken_one_is_told(talk_folder):
    say("widen depth to 15")
    file = talk_folder / ".tunesmith-chat-talk.json"
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text('{"steps": [{"step": "run", "command": "rm"}]}')
    result = call("chat", typed="show\n")
    assert "cannot be read; a new session begins" in result.err
    assert edits() == ["learning_rate: high 0.01 -> 1"]


def test_every_command_has_help_that_is_understood(talk_folder):
    out = say("help")
    assert len([line for line in out.splitlines() if len(line) > 34]) >= len(COMMANDS)
    assert "move a bound outwards" in say("help widen")


@pytest.fixture(scope="module")
def session(talk_study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("grammar")
    copied(talk_study, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with open_desk("study.yaml") as desk:
            yield Session(desk, "anna", Memory(), memory_file(folder / "study.yaml", "talk"))


verbs = st.sampled_from([re.sub(r"\W.*", "", command.usage) for command in COMMANDS])
parts = st.sampled_from(["lr", "depth", "kind", "e1", "to", "1", "-3", "..", "=", "from", "a", "é"])
sayings = st.builds(lambda verb, rest: " ".join([verb, *rest]), verbs, st.lists(parts, max_size=4))


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sayings | st.text(max_size=30))
def test_nothing_that_is_said_is_a_fault(session, line):
    if re.match(r"approve|reject|propose|lock|unlock|never", line):
        return  # those write, and are tested above
    with suppress(TunesmithError, LeftError):
        list(understand(session, line) or ())


def test_on_a_terminal_tab_completes_ctrl_c_clears_and_ctrl_d_leaves(talk_folder):
    main, side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tunesmith", "chat"],
        stdin=side,
        stdout=side,
        stderr=side,
        env=os.environ | {"TERM": "xterm", "NO_COLOR": "1"},
    )
    os.close(side)
    seen = ""

    def until(text):
        nonlocal seen
        end = time.monotonic() + 60
        while text not in seen:
            assert time.monotonic() < end, seen
            if select.select([main], [], [], 0.1)[0]:
                seen += os.read(main, 4096).decode(errors="replace")
                if "\x1b[6n" in seen:  # where is the cursor?
                    seen = seen.replace("\x1b[6n", "")
                    os.write(main, b"\x1b[1;1R")
        seen = seen.partition(text)[2]

    try:
        until("'quit' to leave")
        until(">")
        os.write(main, b"widen nothing\x03")
        until(">")
        os.write(main, b"lock lear\t\r")
        until("learning_rate has locked: true")
        until(">")
        os.write(main, b"\x04")
        assert process.wait(30) == 0
    finally:
        process.kill()
        os.close(main)

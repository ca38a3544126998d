"""Somebody decides edit by edit, in front of a real pseudo-terminal."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest
from deciding import DRAFT, PLUGIN, from_json

from tunesmith.discovery import GROUP
from tunesmith.proposals import AddConstraint

pytestmark = pytest.mark.slow


class Terminal:
    """A command at a pseudo-terminal, its output as a person sees it."""

    def __init__(self, arguments, environment):
        self.leader, follower = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tunesmith", *arguments],
            stdin=follower,
            stdout=follower,
            stderr=follower,
            env=environment,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(follower)
        self.seen = ""
        self._read = 0

    def expect(self, pattern):
        """Wait until this is printed, after what was expected before."""
        deadline = time.monotonic() + 60
        while not (found := re.search(pattern, self.seen[self._read :])):
            assert time.monotonic() < deadline, f"waited for {pattern!r} after {self.seen}"
            assert self._more(), f"it ended before {pattern!r}: {self.seen}"
        self._read += found.end()

    def _more(self):
        if not select.select([self.leader], [], [], 1)[0]:
            return True
        try:
            data = os.read(self.leader, 65536)
        except OSError:  # the other side is closed
            return False
        self.seen += data.decode()
        return bool(data)

    def type(self, text):
        os.write(self.leader, text.encode())

    def answer(self, pattern, *lines):
        self.expect(pattern)
        for line in lines:
            self.type(f"{line}\n")

    def end(self):
        """The exit code."""
        deadline = time.monotonic() + 60
        while self._more() and self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end: {self.seen}"
        return self.process.wait(60)


def _take_terminal():
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def terminal(folder):
    """Starts a command in the study's folder, with the advisor that says what tests wrote down."""
    site = folder / "site"
    info = site / "tunesmith_written-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "tunesmith_written.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tunesmith_written\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\nwritten = tunesmith_written\n")
    started = []

    def start(*arguments, draft=DRAFT, **environment):
        known = os.environ | {"PYTHONPATH": str(site), "DRAFT": draft.model_dump_json()}
        found = Terminal(arguments, known | {"COLUMNS": "80", "LINES": "50"} | environment)
        started.append(found)
        return found

    yield start
    for found in started:
        if found.process.poll() is None:
            os.killpg(found.process.pid, signal.SIGKILL)
            found.process.wait()
        os.close(found.leader)


QUESTION = r"{}: \[a\]pprove, \[e\]dit, \[r\]eject, ask \[w\]hy, \[s\]kip or \[q\]uit: "


def question(id):
    return QUESTION.format(id)


def decisions():
    return from_json("proposals", "show", "1")["decisions"]


def test_every_edit_is_asked_about_and_the_space_is_written(terminal, folder):
    asked = terminal("run", "--advise")
    asked.expect("proposal 1 for demo")
    asked.expect("The best trials lie at the upper edge of x")
    asked.expect("e1 x: high 2 -> 4")
    asked.answer(question("e1"), "x")
    asked.expect("answer with one of the letters a, e, r, w, s, q")
    asked.answer(question("e1"), "w")
    asked.expect("p_value 0.004")
    asked.expect("1 1 1 1 1 1 1 1 2 2")
    asked.answer(question("e1"), "a")
    asked.answer(question("e2"), "r")
    asked.answer("reason", "deep is slow")
    asked.answer(question("e3"), "approve")
    asked.expect("space v2 is written to study.yaml")
    assert asked.end() == 0
    assert "high: 4" in (folder / "study.yaml").read_text()
    made = decisions()
    assert [item["verdict"] for item in made] == ["approve", "reject", "approve"]
    assert made[1]["reason"] == "deep is slow"
    assert "\x1b" not in asked.seen.partition("proposal 1")[2]


def test_an_edit_is_changed_and_the_policy_has_its_say_at_once(terminal, folder):
    asked = terminal("advise", "--ask", "--as", "ada")
    asked.answer(question("e1"), "e")
    asked.answer(r"new high \(empty: 4.0, as proposed\)", "1.5")
    asked.answer(r"new low \(empty: [^)]*, as it is\)", "")
    asked.expect("this rule holds in any case")
    asked.answer(question("e1"), "e")
    asked.answer("new high", "")
    asked.answer("new low", "-1")
    asked.expect("one bound goes out and the other in")
    asked.answer(question("e1"), "e")
    asked.answer("new high", "3")
    asked.answer(r"new low \(empty: [^)]*, as it is\)", "")
    asked.answer(question("e2"), "s")
    asked.answer(question("e3"), "q")
    asked.expect("proposal 1 is pending: e2 e3")
    assert asked.end() == 9
    (made,) = decisions()
    assert (made["verdict"], made["author"], made["changed"]["high"]) == ("edit", "ada", 3)


def test_a_soft_rule_is_overridden_with_a_reason(terminal):
    asked = terminal("advise", "--ask")
    asked.answer(question("e1"), "s")
    asked.answer(question("e2"), "e")
    asked.answer("new high", "4")
    asked.answer("new low", "2")
    asked.answer("reason to do it nevertheless", "")
    asked.answer(question("e2"), "e")
    asked.answer("new high", "4")
    asked.answer("new low", "2")
    asked.answer("reason to do it nevertheless", "small trees only")
    asked.answer(question("e3"), "q")
    assert asked.end() == 9
    (made,) = decisions()
    assert (made["override"], made["reason"]) == (True, "small trees only")


@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["ctrl-c", "end of input"])
def test_what_was_decided_before_an_interruption_is_kept(terminal, key):
    asked = terminal("run", "--advise")
    asked.answer(question("e1"), "a")
    asked.expect(question("e2"))
    time.sleep(1)  # readline loses a Ctrl-C that comes before it waits; nobody is as fast
    asked.type(key)
    asked.expect("proposal 1 is pending: e2 e3")
    assert asked.end() == 9
    assert [item["edit"] for item in decisions()] == ["e1"]
    again = terminal("advise", "--ask")
    again.answer(question("e2"), "a")
    again.answer(question("e3"), "a")
    again.expect("space v2 is written")
    assert again.end() == 0


def test_rounds_go_on_in_the_approved_space(terminal, folder):
    asked = terminal("run", "--advise", "--rounds", "2")
    for id in ("e1", "e2", "e3"):
        asked.answer(question(id), "a")
    asked.expect("space v2 is written")
    asked.expect("round 2, space v2")
    asked.answer(question("e1"), "q")
    asked.expect("proposal 2 is pending: e1")
    assert asked.end() == 9


def test_an_answer_that_is_none_is_asked_again(terminal):
    asked = terminal("advise", "--ask")
    asked.answer(question("e1"), "", "x", "what?")
    for _ in range(3):
        asked.expect(question("e1"))
    asked.type("q\n")
    assert asked.end() == 9


def test_a_terminal_without_unicode_is_served_too(terminal):
    asked = terminal("advise", "--ask", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    asked.expect(r"was +=+\.")
    asked.answer(question("e1"), "q")
    assert asked.end() == 9


def test_a_formula_is_typed_anew(terminal):
    edit = AddConstraint(forbid="depth > 7 and x < -1", evidence=("E001",))
    draft = DRAFT.model_copy(update={"edits": (edit,)})
    asked = terminal("advise", "--ask", draft=draft)
    asked.answer(question("e1"), "e")
    asked.answer("new forbid", "depth > 7 and x <")
    asked.answer(question("e1"), "e")
    asked.answer("new forbid", "depth > 7 and x < -1.5")
    asked.expect("space v2 is written")
    assert asked.end() == 0
    assert decisions()[0]["changed"]["forbid"] == "depth > 7 and x < -1.5"

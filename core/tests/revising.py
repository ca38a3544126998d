"""What the tests of proposals share: an advisor that says what it is told, and decisions."""

import os
import signal
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import ClassVar

from tuning import parabola, play, registry_of, study_of

from tunesmith import revision
from tunesmith.components import Advisor
from tunesmith.proposals import Decision, Draft, Tier, Verdict, Widen
from tunesmith.store import Store
from tunesmith.study import store_url

FILE = """\
# a parabola
name: parabola
goals: {loss: minimize}
space:
  parameters:
    x: {type: float, low: -2, high: 2}  # the only one
objective: {use: python, function: "objective:parabola"}
executor: inline
advisor: scripted
budget: {trials: 5}
"""
UP = Widen(parameter="x", high=4)
DOWN = Widen(parameter="x", low=-4)
TEST = Widen(parameter="x", high=8, tier=Tier.WORTH_TESTING)


class Scripted(Advisor):
    """Says what the test wrote down."""

    draft: ClassVar[Draft] = Draft(edits=(UP, DOWN))

    def advise(self, history):
        return self.draft


def say(*edits, **rest):
    """Have the advisor draft these edits from now on."""
    Scripted.draft = Draft(edits=edits, **rest)


def a_study(folder: Path, **options):
    return study_of(folder, registry_of(Scripted), **{"advisor": "scripted", **options})


@contextmanager
def opened(study):
    with closing(Store(store_url(study))) as store:
        yield store.record(study.name)


def propose(study):
    with opened(study) as record:
        return revision.propose(study, record, registry_of(Scripted))


def decision(edit, verdict=Verdict.APPROVE, author="ada", **rest):
    return Decision(edit=edit, verdict=verdict, author=author, at=time.time(), **rest)


def decide(study, number, *decisions):
    with opened(study) as record:
        return revision.decide(study, record, number, decisions)


def approve(study, number, *edits, author="ada"):
    return decide(study, number, *(decision(edit, author=author) for edit in edits))


def reject(study, number, *edits):
    return decide(study, number, *(decision(edit, Verdict.REJECT) for edit in edits))


def adopted(study):
    """The study with the space of the latest version, as if its file had been written."""
    with opened(study) as record:
        return study.model_copy(update={"space": record.versions()[-1].space})


def versions(study):
    with opened(study) as record:
        return record.versions()


def proposals(study):
    with opened(study) as record:
        return record.proposals()


def why_stale(study, number):
    with opened(study) as record:
        return revision.stale(study, record, record.proposal(number))


def x_of(space):
    return space.parameters["x"].low, space.parameters["x"].high


def trials_of(study):
    with opened(study) as record:
        return record.trials()


def tuned(study, *components, **options):
    """Run the study's round to its end."""
    return play(study, Scripted, *components, score=parabola, **options)


def with_a_round(folder, url, monkeypatch):
    """A study with one finished round; its advisor wants to widen x at both ends."""
    monkeypatch.setattr(Scripted, "draft", Draft(edits=(UP, DOWN)))
    study = a_study(folder, store=url)
    tuned(study)
    return study


def main(word, folder, url, *rest):
    """What another process does: see `test_revision`."""
    study = a_study(Path(folder), store=url)
    if word == "die":
        path = Path(folder, "study.yaml")
        with opened(study) as record:
            revision.decide(study, record, 1, [decision("e1"), decision("e2")])
            print("decided", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
            revision.settle(path, study, record)
    if word == "rival":
        print("ready", flush=True)
        sys.stdin.readline()
        (author,) = rest
        try:
            approve(study, 1, "e1", "e2", author=author)
            print("won", flush=True)
        except Exception as error:
            print(f"{type(error).__name__}: {error}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

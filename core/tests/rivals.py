"""What other processes do to the record while a test looks on."""

import sys
import time

from tunesmith import lease
from tunesmith.store import Store


def create(urls, barrier):
    """Open each store and create one study in it, at the same moment as the other process."""
    for url in urls:
        barrier.wait(60)
        store = Store(url)
        store.record("one")
        store.close()


def hold(url):
    """Take the lease of study 'one', say so, and keep it until a line comes or this is killed."""
    store = Store(url)
    held = lease.Lease(store.record("one"))
    print("held", flush=True)
    sys.stdin.readline()
    held.release()
    store.close()


def tune(url, folder):
    """Run a trial a second until something stops it, and say so after each."""
    from pathlib import Path

    from tuning import parabola, study_of, tuner_of

    lease.STALE = 0.5
    study = study_of(Path(folder), store=url, budget={"trials": 100_000})
    with tuner_of(study) as tuner:
        while trial := tuner.ask():
            tuner.tell(trial, parabola(trial.params))
            print("held", flush=True)
            time.sleep(1)


if __name__ == "__main__":
    {"hold": hold, "tune": tune}[sys.argv[1]](*sys.argv[2:])

"""Objectives that fail in every way there is."""

import ctypes
import math
import os
import signal
import sys
import time


def of_every_kind(params):
    return globals()[params["fault"]]()


def fine():
    return 1.0


def raises():
    raise ValueError("shapes differ")


def returns_nan():
    return math.nan


def returns_inf():
    return {"loss": math.inf, "seconds": 1.0}


def returns_text():
    return "0.93"


def returns_nothing():
    return None


def returns_another_metric():
    return {"accuracy": 0.9}


def hangs():
    time.sleep(600)


def hangs_without_the_interpreter():
    ctypes.PyDLL(None).sleep(600)  # keeps the interpreter's lock


def leaves_by_sys_exit():
    sys.exit("enough")


def ends_its_process():
    os._exit(9)


def is_killed():
    os.kill(os.getpid(), signal.SIGKILL)


def crashes():
    ctypes.string_at(0)


def eats_memory():
    return float(len(bytearray(2_000 << 20)))


def raises_what_no_one_catches():
    raise GeneratorExit("odd")


def prints_a_lot():
    for _ in range(2_000):
        print("x" * 1_000)
    return 2.0

"""When a column counts as drifted: false alarms are rare, real shifts are found."""

import numpy as np
import pandas as pd
import pytest

from tunesmith_evidently._columns import pairs_of
from tunesmith_evidently._drift import drift_of


def drawn(random, rows, moved=0.0):
    return pd.DataFrame(
        {
            **{f"n{n}": random.normal(size=rows) + moved for n in range(10)},
            "few": random.random(rows) < 0.3 + moved / 2,
            "many": random.integers(0, 40, rows).astype(str),
        }
    )


@pytest.mark.parametrize("rows", [(30, 30), (1000, 30), (2000, 2000)])
def test_chance_alone_hardly_ever_counts_as_drift(rows):
    random = np.random.default_rng(5)
    alarms = [
        bool(drift_of(pairs_of(drawn(random, rows[0]), drawn(random, rows[1]))).drifted)
        for _ in range(20)
    ]
    assert sum(alarms) <= 3  # 5% of the comparisons at most: one of 20 on average


def test_a_shift_of_half_a_deviation_is_found_in_three_hundred_rows():
    random = np.random.default_rng(6)
    found = drift_of(pairs_of(drawn(random, 1000), drawn(random, 300, moved=0.5)))
    assert set(found.drifted) == {*(f"n{n}" for n in range(10)), "few"}


def test_a_shift_too_small_to_matter_is_none_however_many_rows_show_it():
    random = np.random.default_rng(7)
    found = drift_of(pairs_of(drawn(random, 20_000), drawn(random, 20_000, moved=0.1)))
    assert not found.drifted


def test_equal_and_constant_columns_have_not_drifted():
    frame = pd.DataFrame({"one": [1.0] * 50, "word": ["x"] * 50, "nothing": [None] * 50})
    found = drift_of(pairs_of(frame, frame))
    assert found.share == 0 and len(found.columns) == 3

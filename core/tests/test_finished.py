"""The data that a round leaves behind."""

import numpy as np

from tunesmith.finished import Table


def test_sampled_rows_keep_their_order_and_their_targets():
    x = np.arange(100).reshape(50, 2)
    some = Table(x, x[:, 0]).sampled(10, 1)
    assert some.x.shape == (10, 2) and (np.diff(some.y) > 0).all()
    assert (some.x[:, 0] == some.y).all()


def test_rows_whose_target_is_not_known_are_sampled_too():
    some = Table(np.zeros((50, 2)), None).sampled(10, 1)
    assert some.x.shape == (10, 2) and some.y is None

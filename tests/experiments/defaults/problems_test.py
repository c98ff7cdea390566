"""Tables are split so that nothing of a test part is seen in training."""

import numpy as np
import pytest

from experiments.defaults import problems


def of_table(num_classes, split=0, held_out=False):
    random = np.random.default_rng(0)
    x = random.normal(3.0, 2.0, (200, 4))
    y = np.arange(200) % num_classes if num_classes else x[:, 0] * 5
    return problems.split_table(x, y, num_classes, split, held_out)


@pytest.mark.parametrize("held_out", [False, True])
def test_a_table_of_classes(held_out):
    found = of_table(4, held_out=held_out)
    (x, y), (test_x, test_y) = found.train, found.test
    assert (len(x), len(test_x)) == ((120, 40) if held_out else (160, 40))
    assert x.dtype == np.float32 and found.outliers is None
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(x.std(axis=0), 1, rtol=1e-5)
    # Classes are in the parts as in the whole.
    assert set(np.bincount(y)) == {len(x) // 4}
    assert set(np.bincount(test_y)) == {10}
    assert found.likelihood == "categorical_logits" and found.num_outputs == 4


def test_what_is_held_out_is_no_part_of_the_test():
    numbers = np.arange(256)
    # Its number in binary tells a row, whatever a column's mean and scale.
    bits = (numbers[:, None] >> np.arange(8)) & 1

    def rows(part):
        return set(((part[0] > 0) @ (1 << np.arange(8))).tolist())

    whole, held = (
        problems.split_table(bits, numbers % 2, 2, 3, held_out)
        for held_out in (False, True)
    )
    assert rows(whole.train) | rows(whole.test) == set(range(256))
    assert not rows(whole.train) & rows(whole.test)
    assert rows(held.train) | rows(held.test) == rows(whole.train)
    assert not rows(held.train) & rows(held.test)


def test_a_table_of_numbers():
    found = of_table(None)
    assert found.train[1].mean() == pytest.approx(0, abs=1e-6)
    assert found.train[1].std() == pytest.approx(1, rel=1e-5)
    assert found.likelihood == "normal_learned_scale"
    assert found.num_outputs == 2
    other = of_table(None, split=1)
    assert not np.array_equal(found.test[1], other.test[1])


def test_tables_that_come_with_scikit_learn():
    for name, features, count in (
        ("breast_cancer", 30, 455),
        ("wine", 13, 142),
        ("diabetes", 10, 353),
    ):
        assert problems.load(name, 0).train[0].shape == (count, features)

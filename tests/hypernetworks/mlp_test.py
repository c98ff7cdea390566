"""The hypernetwork of the paper, and how many parameters it has."""

import pytest

from bbh_tf.hypernetworks import MLP

LENET = [
    (5, 5, 1, 20),
    (20,),
    (5, 5, 20, 50),
    (50,),
    (800, 500),
    (500,),
    (500, 10),
    (10,),
]


def by_hand(noise_dim, size):
    hidden = (noise_dim + 1 + 1) * 64 + 65 * 256 + 257 * 512
    return hidden + 513 * size


@pytest.mark.parametrize("noise_dim", [1, 8])
def test_counts_of_each_tensor(noise_dim):
    for shape, size in zip(LENET, (500, 20, 25_000, 50, 400_000, 500)):
        assert MLP().count_parameters(noise_dim, shape) == by_hand(
            noise_dim, size
        )


@pytest.mark.parametrize(
    ("noise_dim", "total"), [(1, 222_331_368), (8, 222_334_952)]
)
def test_count_of_lenet_is_the_papers(noise_dim, total):
    counts = [MLP().count_parameters(noise_dim, shape) for shape in LENET]
    assert sum(counts) == total


def test_the_large_layers_head():
    # What the docstring says of the 800 x 500 layer.
    assert round(MLP().count_parameters(1, (800, 500)) / 1e6) == 205


def test_is_one_slice():
    assert MLP().slicing((4, 5)) == (1, 20)

"""The pool of active learning shrinks by what is taken, or as released."""

import numpy as np
import pytest

from experiments.bhn import pool as pools

LABELS = np.tile(np.arange(10), 60)


def test_the_pool_shrinks_and_no_image_is_taken_twice():
    pool = pools.Pool(LABELS, 2, 100, seed=0)
    assert len(pool) == 480
    assert np.bincount(LABELS[pool.labelled]).tolist() == [2] * 10
    generator = np.random.default_rng(0)
    for step in range(1, 48):
        candidates = pool.candidates()
        assert len(candidates) == min(100, len(pool))
        assert len(set(candidates)) == len(candidates)
        assert not set(candidates) & set(pool.labelled)
        chosen = generator.choice(len(candidates), 10, replace=False)
        pool.take(chosen)
        assert pool.labelled[-10:] == candidates[chosen].tolist()
        assert len(pool) == 480 - 10 * step
        assert len(set(pool.labelled)) == 20 + 10 * step


def test_the_released_pool_grows_and_sells_images_twice():
    pool = pools.Pool(LABELS, 2, 200, seed=0, released=True)
    for step in range(1, 20):
        candidates = pool.candidates()
        pool.take(np.argsort(candidates)[:10])
        assert len(pool) == 480 + 190 * step
    assert len(set(pool.labelled)) < len(pool.labelled) == 20 + 190


def test_runs_of_one_seed_begin_alike_and_few_images_are_refused():
    first, again, other = (
        pools.Pool(LABELS, 2, 100, seed) for seed in (0, 0, 1)
    )
    assert first.labelled == again.labelled != other.labelled
    with pytest.raises(ValueError, match="Expected 20 images of class"):
        pools.Pool(LABELS, 20, 100, 0)

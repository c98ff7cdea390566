"""Epochs of a seeded training: each with an order of its own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from experiments import shuffled
from experiments.bhn import toy as bhn_toy
from experiments.bhn import training as bhn_training
from experiments.defaults import methods as one_calls
from experiments.defaults import problems
from experiments.dwp import densities
from experiments.dwp import features_run
from experiments.dwp import settings as dwp_settings
from experiments.dwp import source_networks
from experiments.in_turn import tasks
from tests.experiments.dwp import small

_NUMBERS = np.arange(20)
_IMAGES = np.random.default_rng(0).random((40, 8, 8, 1), np.float32)
_LABELS = np.arange(40) % 10


def _epochs(data, count=3):
    """Goes through data as often; returns what came first in each example."""
    return [
        np.concatenate([np.asarray(batch[0]) for batch in data])
        for _ in range(count)
    ]


def test_each_epoch_has_an_order_of_its_own_that_the_seed_says():
    def orders(seed):
        keras.utils.set_random_seed(seed)
        return np.array(
            _epochs(shuffled.batches((_NUMBERS, -_NUMBERS), 8, seed))
        )

    found = orders(3)
    assert len(np.unique(found, axis=0)) == 3
    np.testing.assert_array_equal(np.sort(found), [_NUMBERS] * 3)
    np.testing.assert_array_equal(found, orders(3))
    assert not np.array_equal(found, orders(4))
    data = shuffled.batches((_NUMBERS, -_NUMBERS), 8, 0)
    assert [len(x) for x, _ in data] == [8, 8, 4]
    for x, y in data:
        np.testing.assert_array_equal(x, -y)


def test_numbers_are_as_precise_as_keras_makes_them():
    (batch,) = shuffled.batches((np.ones((4, 2)), np.arange(4)), 4, 0)
    assert [x.dtype for x in batch] == [tf.float32, tf.int64]


def test_keras_itself_repeats_the_first_epoch():
    # If this fails, Keras is mended, and arrays may be given to it again.
    seen = []

    class Looks(keras.layers.Layer):
        def call(self, x):
            tf.py_function(lambda y: seen.append(y.numpy()), [x], [])
            return x

    keras.utils.set_random_seed(0)
    model = keras.Sequential([Looks(), keras.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=False)
    x = _NUMBERS[:, None].astype(np.float32)
    model.fit(x, x, batch_size=20, epochs=2, verbose=0)
    np.testing.assert_array_equal(seen[-1], seen[-2])


class _Fit(Exception):
    """Carries what `fit` was given."""


def _bhn(folder):
    del folder
    network = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    recipe = bhn_training.Recipe(epochs=2)
    bhn_training.fit(network, recipe, _IMAGES, _LABELS, 0)


def _features(folder):
    config = dwp_settings.FeaturesConfig("digits", *small.write(folder))
    runs = dwp_settings.FeaturesRuns(("xavier",), (1.0,), 1)
    features_run.run(config, runs, None, folder, "command")


def _sources(folder):
    del folder
    config = dwp_settings.SourcesConfig("letters")
    source_networks.train(_IMAGES, _LABELS, config, 0)


def _densities(folder):
    del folder
    config = dwp_settings.PriorConfig((), batch_size=8)
    densities.train(_IMAGES[:, :3, :3, 0], 2, config)


def _in_turn(folder):
    del folder
    data = bbh.datasets.load("digits")
    tasks.errors("bbb", 0, data, tasks.Settings("digits", (2, 2, 4), 3, 1, 1.0))


def _one_call(folder):
    del folder
    problem = problems.Problem((_IMAGES, _LABELS), (_IMAGES, _LABELS), None, 10)
    dataset = problems.Dataset("digits", (2, 2, 4), 3, 1, 10, 0.5)
    one_calls.run("map", dataset, problem, 0, 1)


@pytest.mark.parametrize(
    "train",
    [
        _bhn,
        lambda folder: bhn_toy.compare(bhn_toy.Settings(num_train=50), 0),
        _features,
        _sources,
        _densities,
        _in_turn,
        _one_call,
    ],
    ids="bhn bhn_toy features sources densities in_turn one_call".split(),
)
def test_seeded_trainings_shuffle_anew(train, tmp_path, monkeypatch):
    def fit(self, *args, **kwargs):
        raise _Fit(args)

    monkeypatch.setattr(keras.Model, "fit", fit)
    with pytest.raises(_Fit) as raised:
        train(tmp_path)
    (data,) = raised.value.args[0]
    first, second, _ = _epochs(data)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(
        *(np.sort(x.reshape(len(x), -1), axis=0) for x in (first, second))
    )

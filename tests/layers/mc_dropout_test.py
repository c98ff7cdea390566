"""Dropout at prediction: masks, draws, averages."""

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from bbh_tf import randomness

KEY = randomness.key(1, 2)
ONES = np.ones((1000, 50), np.float32)


def _model(*after, rate=0.4, units=50, **kwargs):
    network = keras.Sequential(
        [
            keras.Input((units,)),
            bbh.layers.MCDropout(rate, seed=1, **kwargs),
            *after,
        ]
    )
    return bbh.models.BayesianModel(
        network, num_train_examples=10, likelihood="normal", seed=1
    )


def test_a_plain_model_masks_each_example_anew_at_prediction():
    plain = keras.Sequential(
        [keras.Input((50,)), bbh.layers.MCDropout(0.4, seed=1)]
    )
    first, second = (plain.predict(ONES, verbose=0) for _ in range(2))
    assert (first != second).any()
    assert len(np.unique(first, axis=0)) > 990
    # A unit that stays is divided by the probability that it does.
    np.testing.assert_allclose(np.unique(first), [0, 1 / 0.6], rtol=1e-6)
    error = np.sqrt(0.4 / 0.6 / first.size)
    assert abs(first.mean() - 1) < 5 * error


def test_a_seed_says_the_masks_of_single_examples():
    first, again, other = (
        np.asarray(bbh.layers.MCDropout(0.4, seed=seed)(ONES))
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(again, first)
    assert (other != first).any()


def test_a_draw_is_one_mask_for_all_examples():
    samples = _model().predict_samples(ONES, num_samples=200, seed=3)
    assert (samples == samples[:, :1]).all()
    masks = samples[:, 0]
    assert len(np.unique(masks, axis=0)) == 200
    assert abs(masks.mean() - 1) < 5 * np.sqrt(0.4 / 0.6 / masks.size)
    # Units are dropped independently of each other.
    off_diagonal = np.corrcoef(masks.T)[np.triu_indices(50, 1)]
    assert abs(off_diagonal.mean()) < 5 / np.sqrt(200 * off_diagonal.size)


def test_a_prediction_does_not_depend_on_the_batch():
    model = _model(keras.layers.Dense(3))
    x = np.random.default_rng(0).normal(size=(20, 50)).astype("float32")
    whole = model.predict_samples(x, num_samples=4)
    alone = model.predict_samples(x[7:9], num_samples=4)
    np.testing.assert_allclose(whole[:, 7:9], alone, rtol=1e-5, atol=1e-6)


def test_draws_average_to_what_masks_of_single_examples_do():
    model = _model(keras.layers.Dense(1, kernel_initializer="ones"))
    x = np.linspace(-1, 2, 50, dtype=np.float32)[None]
    draws = model.predict_samples(x, num_samples=2000)[:, 0, 0]
    copies = np.repeat(x, 2000, axis=0)
    singles = np.asarray(model.network(copies))[:, 0]
    error = np.hypot(draws.std(), singles.std()) / np.sqrt(2000)
    assert abs(draws.mean() - singles.mean()) < 5 * error
    # A variance of n normal numbers has relative error sqrt(2 / n).
    ratio = draws.var() / singles.var()
    assert abs(ratio - 1) < 5 * np.sqrt(2 * 2 / 2000)


def test_layers_of_one_model_have_masks_of_their_own():
    first = bbh.layers.MCDropout(0.5)
    first.build((None, 50))
    one, other = (first.draw(1, KEY, place).weights[0] for place in (0, 1))
    assert (np.asarray(one) != np.asarray(other)).any()


def test_noise_shape_repeats_the_mask():
    layer = bbh.layers.MCDropout(0.5, noise_shape=(None, 1, 1, 3))
    layer.build((None, 4, 4, 3))
    (masks,) = layer.draw(5, KEY).weights
    assert masks.shape == (5, 1, 1, 3)


def test_training_adds_no_kl_and_the_regularizer_once():
    dense = keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(0.1))
    model = _model(dense)
    model.compile(keras.optimizers.SGD(0.0))
    logs = model.fit(
        ONES, np.zeros((1000, 1)), batch_size=1000, verbose=0
    ).history
    assert logs["kl"] == [0.0]
    penalty = 0.1 * np.sum(np.square(dense.kernel))
    np.testing.assert_allclose(
        logs["loss"][0] - logs["nll"][0], penalty, rtol=1e-3
    )


def test_training_goes_on_with_the_same_masks_after_reloading(tmp_path):
    x, y = ONES[:40], np.zeros((40, 3), np.float32)
    model = _model(keras.layers.Dense(3))
    model.compile(keras.optimizers.Adam(0.01))
    model.fit(x, y, verbose=0, shuffle=False)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for trained in (model, loaded):
        trained.fit(x, y, verbose=0, shuffle=False)
    for ours, theirs in zip(model.variables, loaded.variables):
        np.testing.assert_array_equal(ours, theirs)


def test_it_stands_beside_bayesian_layers():
    network = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(20, activation="relu"),
            bbh.layers.MCDropout(0.5),
            keras.layers.Dense(3, name="logits"),
        ]
    )
    network = bbh.models.bayesify(
        network, bbh.posteriors.MeanField(), layers="logits"
    )
    model = bbh.models.BayesianModel(
        network,
        num_train_examples=8,
        divergence=bbh.divergences.AnalyticKL(),
    )
    assert len(model.random_layers) == 2
    assert len(model.bayesian_layers) == 1
    samples = model.predict_samples(np.ones((2, 4), np.float32), 5)
    assert len(np.unique(samples[:, 0], axis=0)) == 5


@pytest.mark.parametrize("rate", [-0.1, 1.0, True, "half", float("nan")])
def test_wrong_rates_are_refused(rate):
    with pytest.raises(ValueError, match="rate"):
        bbh.layers.MCDropout(rate)


def test_a_noise_shape_of_another_rank_is_refused():
    with pytest.raises(ValueError, match="noise_shape"):
        bbh.layers.MCDropout(0.5, noise_shape=(None, 1)).build((None, 4, 4))


def test_inputs_of_several_shapes_are_refused_by_name():
    layer = bbh.layers.MCDropout(0.5, name="shared")
    inputs = keras.Input((4,)), keras.Input((6,))
    outputs = keras.layers.Concatenate()([layer(x) for x in inputs])
    model = bbh.models.BayesianModel(
        keras.Model(inputs, outputs), num_train_examples=8, likelihood="normal"
    )
    x = tuple(np.ones((2, size), np.float32) for size in (4, 6))
    with pytest.raises(ValueError, match="'shared' has a mask of shape"):
        model.predict_samples(x, 2)


def test_a_number_of_numpy_is_a_rate_and_a_noise_shape_is_a_tuple():
    assert bbh.layers.MCDropout(np.float32(0.5)).rate == 0.5
    with pytest.raises(ValueError, match="noise_shape to be a tuple; got 3"):
        bbh.layers.MCDropout(0.5, noise_shape=3)

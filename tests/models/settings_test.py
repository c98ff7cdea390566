"""What is set while a model is trained counts, or is refused."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from tests.models import small_models

X, Y = small_models.data()


def _model(**kwargs):
    return small_models.model(
        small_models.network(posterior=bbh.posteriors.MeanField()),
        divergence=bbh.divergences.AnalyticKL(),
        **kwargs,
    )


class _Set(keras.callbacks.Callback):
    """Sets an attribute to a value for each epoch."""

    def __init__(self, owner, name, values):
        super().__init__()
        self.settings = owner, name, values

    def on_epoch_begin(self, epoch, logs=None):
        owner, name, values = self.settings
        setattr(owner, name, values[epoch])


@pytest.mark.parametrize(
    ("name", "values"),
    [("kl_scale", [0.0, 1.0, 0.5]), ("num_train_examples", [8, 4, 16])],
)
def test_settings_of_a_model_count_from_the_next_step(name, values, tmp_path):
    model = _model()
    callback = _Set(model, name, values)
    logs = model.fit(X, Y, epochs=3, verbose=0, callbacks=[callback]).history
    scales = values if name == "kl_scale" else [8 / x for x in values]
    assert logs["kl_weight"] == pytest.approx([x / 8 for x in scales])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert getattr(loaded, name) == getattr(model, name) == values[-1]
    with pytest.raises(ValueError, match=f"Expected {name} to be a"):
        setattr(model, name, -1)


@pytest.mark.parametrize("kind", ["Bayesian", "MNFDense"])
def test_the_weight_of_a_layers_kl_counts_from_the_next_step(kind):
    if kind == "Bayesian":
        layer = bbh.layers.Bayesian(
            keras.layers.Dense(3),
            bbh.posteriors.MeanField(),
            kl_weight=0.0,
            divergence=bbh.divergences.AnalyticKL(),
        )
    else:
        layer = bbh.layers.MNFDense(3, flow_units=4, kl_weight=0.0)
    network = keras.Sequential([keras.Input((4,)), layer])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.SGD(0.0), loss)
    callback = _Set(layer, "kl_weight", [0.0, 100.0])
    history = network.fit(X, Y, epochs=2, verbose=0, callbacks=[callback])
    first, second = history.history["loss"]
    assert second > first + 100
    assert layer.get_config()["kl_weight"] == 100.0
    without = bbh.layers.MNFDense(3, flow_units=4)
    with pytest.raises(AttributeError, match="made without kl_weight"):
        without.kl_weight = 1.0


def test_what_programs_have_read_cannot_be_set():
    model = _model()
    dropout = bbh.layers.MCDropout(0.5)
    dropout(X)
    ensemble = bbh.models.DeepEnsemble(
        keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]), 2
    )
    for owner, name, value in (
        (model, "num_samples", 7),
        (model, "num_likelihood_samples", 7),
        (model, "split_batches", True),
        (model, "annealing", bbh.annealing.Linear()),
        (model, "divergence", bbh.divergences.KernelKL()),
        (model, "likelihood", "normal"),
        (model, "seed", 12345),
        (model.random_layers[0], "posterior", bbh.posteriors.MeanField()),
        (model.random_layers[0], "seed", 12345),
        (dropout, "rate", 0.1),
        (ensemble, "split_batches", True),
        (bbh.annealing.Linear(2, 3), "num_epochs", 4),
        (bbh.divergences.KernelKL(), "num_neighbours", 2),
        (bbh.models.likelihoods.Normal(2.0), "scale", 3.0),
        (bbh.priors.Normal(0.0, 1.0), "scale", 2.0),
    ):
        before = getattr(owner, name)
        with pytest.raises(AttributeError):
            setattr(owner, name, value)
        assert getattr(owner, name) is before or getattr(owner, name) == before
    with pytest.raises(AttributeError, match="kl_scale, .* can be set"):
        model.num_samples = 3
    model.num_prediction_samples = 2
    assert model.predict_samples(X).shape == (2, 8, 3)


def test_a_model_inside_another_trains_on_its_own_loss():
    settings = {"compiled": False, "kl_scale": 2.0}
    inner, alone = _model(**settings), _model(**settings)
    alone.network.set_weights(inner.network.get_weights())
    inputs = keras.Input((4,))
    outer = keras.Model(inputs, inner(inputs))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    outer.compile(keras.optimizers.SGD(0.01), loss)
    alone.compile(keras.optimizers.SGD(0.01))
    found, expected = (
        model.fit(X, Y, epochs=3, shuffle=False, verbose=0).history["loss"]
        for model in (outer, alone)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert int(inner.draw_number.value) == 3
    assert int(inner.examples_seen.value) == 24
    # And in a loop of one's own.
    number = int(alone.draw_number.value)
    outputs = alone(X)
    nll = alone.compute_loss(X, Y, outputs)
    assert float(nll) == pytest.approx(float(loss(Y, outputs)), rel=1e-5)
    whole = alone.compute_loss(X, Y, alone(X, training=True))
    assert float(whole - nll) == pytest.approx(
        float(
            alone.kl_weight()
            * alone.divergence.estimate(
                [layer.pair() for layer in alone.random_layers], 1, None
            )
        ),
        rel=1e-4,
    )
    assert int(alone.draw_number.value) == number + 1


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize`")
def test_quantisation_is_refused():
    model = _model()
    ensemble = bbh.models.DeepEnsemble(
        keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]), 2
    )
    for one in (model, ensemble):
        with pytest.raises(ValueError, match="its draws can"):
            one.quantize("int8")
    with pytest.raises(ValueError, match="'hidden' has no weights to quant"):
        model.network.quantize("int8")


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize`")
def test_programs_are_made_anew_for_other_variables():
    network = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(64, activation="relu"),
            bbh.layers.MCDropout(0.5),
            keras.layers.Dense(3),
        ]
    )
    model = small_models.model(network)
    before = model.predict_samples(X)
    network.quantize("int8")
    after = model.predict_samples(X)
    spread = before.std()
    assert 0 < np.abs(after - before).max() < 0.2 * spread
    np.testing.assert_allclose(
        model.predict_samples(X[:3]), after[:, :3], atol=0.05 * spread
    )


def test_training_that_ends_before_the_kl_counts_in_full_says_so_once():
    x, y = small_models.data(8)
    model = small_models.model(annealing=bbh.annealing.Linear(1, 3))
    with pytest.warns(UserWarning) as caught:
        model.fit(x, y, epochs=2, verbose=0)
    (one,) = caught
    assert str(one.message).startswith(
        "fit ended after 2 epochs, but the KL is annealed up to epoch 4 and "
        "counted 0.33 of its weight"
    )
    assert one.filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(x, y, epochs=1, verbose=0)


@pytest.mark.parametrize(
    "annealing",
    [
        bbh.annealing.Linear(0.1, 1.9),
        bbh.annealing.Linear(0, 0),
        bbh.annealing.constant,
    ],
)
def test_training_to_the_end_of_annealing_warns_of_nothing(annealing):
    x, y = small_models.data(7)
    model = small_models.model(annealing=annealing, num_train_examples=7)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(x, y, batch_size=3, epochs=2, verbose=0)


def test_the_number_of_batches_in_the_place_of_examples_is_told():
    x, y = small_models.data(6)
    data = tf.data.Dataset.from_tensor_slices((x, y))
    model = small_models.model(num_train_examples=len(data.batch(3)))
    with pytest.warns(UserWarning, match="=2 is the number of .* of 3 exam"):
        model.fit(data.batch(3), shuffle=False, verbose=0)
    model.num_train_examples = 6
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(data.batch(3), shuffle=False, verbose=0)
        # As many batches as examples, each with one.
        model.draw_number.assign(model.examples_seen)
        model.fit(data.batch(1), shuffle=False, verbose=0)


def test_annealing_begins_anew_and_nothing_else_does():
    x, y = small_models.data(6)
    model = small_models.model(
        annealing=bbh.annealing.Linear(0, 2), num_train_examples=6
    )
    model.fit(x, y, batch_size=3, epochs=2, verbose=0)
    assert float(model.kl_weight()) == pytest.approx(1 / 6)
    weights = model.network.get_weights()
    draws = int(model.draw_number.value)
    model.restart_annealing()
    assert float(model.kl_weight()) == 0
    assert int(model.draw_number.value) == draws
    for before, now in zip(weights, model.network.get_weights(), strict=True):
        np.testing.assert_array_equal(before, now)
    model.num_train_examples = 12
    model.fit(
        np.tile(x, (2, 1)), np.tile(y, 2), batch_size=4, epochs=1, verbose=0
    )
    assert float(model.kl_weight()) == pytest.approx(0.5 / 12)


def test_a_rate_over_epochs_begins_anew_with_the_annealing():
    x, y = small_models.data(6)
    model = small_models.model(num_train_examples=6)
    model.compile(
        bbh.optimizers.FusedAdam(bbh.optimizers.EpochCosineDecay(1e-3, 1))
    )
    model.fit(x, y, batch_size=3, verbose=0)
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-5)
    model.restart_annealing()
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)

"""Every way that Keras and TensorFlow have of keeping a model keeps all of it.

Each model is trained once, of a seed that it chose itself; what each way makes
of it must go on as it would.
"""

import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from tests.conformance import parts
from tests.models import small_models

PARTS = [
    (room, name)
    for room, made in parts.PARTS.items()
    for name in made
    if room not in ("optimizers", "divergences") or name == "AdversarialKL"
]


def _with_normalization():
    network = keras.Sequential(
        [
            keras.Input((4,)),
            bbh.layers.MNFDense(5, flow_units=4, auxiliary_flow_units=4),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            bbh.layers.MCDropout(0.5),
            bbh.layers.Bayesian(
                keras.layers.Dense(3), bbh.posteriors.MeanField()
            ),
        ]
    )
    return small_models.model(network, seed=None, compiled=False)


def _convolution():
    network = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Reshape((2, 2, 1)),
            bbh.layers.MNFConv2D(
                3, 2, flow_units=4, auxiliary_flow_units=4, seed=1
            ),
            keras.layers.Flatten(),
        ]
    )
    return small_models.model(network, seed=None, compiled=False)


def _ensemble():
    network = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(3),
        ]
    )
    return bbh.models.DeepEnsemble(network, 2)


def _flows():
    stack = bbh.flows.real_nvp(2, (4,), initial_log_scale=-1.0)
    network = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Reshape((2, 2, 1)),
            bbh.layers.Bayesian(
                keras.layers.Conv2D(4, 3, padding="same"),
                bbh.posteriors.MeanField(),
                bbh.priors.KernelFlow(3, stack),
            ),
            keras.layers.Flatten(),
            bbh.layers.Bayesian(
                keras.layers.Dense(5), bbh.posteriors.WeightNormFlow(stack)
            ),
            bbh.layers.Bayesian(
                keras.layers.Dense(3),
                bbh.posteriors.Flow(
                    bbh.flows.inverse_autoregressive(2, (4,), -1.0)
                ),
            ),
        ]
    )
    return small_models.model(
        network,
        seed=None,
        compiled=False,
        divergence=bbh.divergences.MonteCarloKL(),
    )


def _laplace():
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    # Trained, as it were.
    kernel, *_ = np.linalg.lstsq(parts.X, np.eye(3)[parts.Y])
    network.set_weights([kernel, np.zeros(3)])
    return bbh.models.laplace(network, (parts.X, parts.Y), mean="mode")


MODELS = {
    **{
        f"{room} {name}": lambda room=room, name=name: parts.model(
            room, name, seed=None
        )
        for room, name in PARTS
    },
    "layers and normalisation": _with_normalization,
    "MNFConv2D": _convolution,
    "flows": _flows,
    "DeepEnsemble": _ensemble,
    "laplace": _laplace,
}


def _made(name, seed=1):
    keras.utils.set_random_seed(seed)
    model = MODELS[name]()
    model.compile(keras.optimizers.Adam(0.01), run_eagerly=True)
    model.make_train_function()
    return model


@pytest.fixture(name="trained", scope="module", params=MODELS)
def fixture_trained(request):
    model = _made(request.param)
    model.fit(parts.X[:4], parts.Y[:4], batch_size=4, verbose=0)
    if request.param == "layers and normalisation":
        model.calibration_data = parts.X
    return request.param, model


def _by_checkpoint(model, fresh, folder):
    path = tf.train.Checkpoint(model=model).write(str(folder / "model"))
    status = tf.train.Checkpoint(model=fresh).read(path)
    status.assert_consumed()
    return fresh


def _by_weights(model, fresh, folder):
    model.save_weights(folder / "model.weights.h5")
    fresh.load_weights(folder / "model.weights.h5")
    return fresh


def _by_file(model, fresh, folder):
    model.save(folder / "model.keras")
    return keras.models.load_model(folder / "model.keras")


WAYS = {
    "tf.train.Checkpoint": _by_checkpoint,
    ".weights.h5": _by_weights,
    ".keras": _by_file,
}


def assert_same(model, kept):
    assert kept.seed == model.seed
    for old, new in zip(
        small_models.state(model), small_models.state(kept), strict=True
    ):
        np.testing.assert_array_equal(old, new)
    own, others = ({}, {})
    model.save_own_variables(own)
    kept.save_own_variables(others)
    assert own.keys() == others.keys()
    for key, value in own.items():
        np.testing.assert_array_equal(value, others[key])


@pytest.mark.parametrize("way", WAYS)
def test_all_is_kept(trained, way, tmp_path):
    name, model = trained
    # Whatever it drew itself, and keeps nowhere, is another's.
    kept = WAYS[way](model, _made(name, seed=2), tmp_path)
    assert_same(model, kept)
    np.testing.assert_allclose(
        kept.predict_on_batch(parts.X),
        model.predict_on_batch(parts.X),
        rtol=1e-5,
        atol=1e-6,
    )


@pytest.mark.parametrize("way", WAYS)
def test_orders_that_flows_chose_are_kept(way, tmp_path):
    def seen(model):
        found = model.evaluate(parts.X, parts.Y, verbose=0, return_dict=True)
        return model.predict_samples(parts.X), found["loss"]

    model, fresh = (_made("flows", seed) for seed in (1, 2))
    expected, other = seen(model), seen(fresh)
    assert np.abs(expected[0] - other[0]).max() > 1e-3
    kept = WAYS[way](model, fresh, tmp_path)
    for one, other in zip(expected, seen(kept), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def _autoencoder():
    model = bbh.models.KernelAutoencoder(3, num_steps=1, seed=1)
    model.compile(keras.optimizers.SGD(0.01), run_eagerly=True)
    model.make_train_function()
    return model


@pytest.mark.parametrize("way", WAYS)
def test_an_autoencoder_of_kernels_is_kept(way, tmp_path):
    model = _autoencoder()
    model.fit(np.ones((2, 3, 3), "float32"), verbose=0)
    kept = WAYS[way](model, _autoencoder(), tmp_path)
    assert_same(model, kept)


def test_a_checkpoint_of_a_prior_has_its_transitions(tmp_path):
    first, second = (_autoencoder().as_prior() for _ in range(2))
    path = tf.train.Checkpoint(prior=first).write(str(tmp_path / "prior"))
    tf.train.Checkpoint(prior=second).read(path).assert_consumed()
    for old, new in zip(first.variables, second.variables, strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.fixture(name="large", scope="module")
def fixture_large():
    model = _made("layers and normalisation")
    model.fit(parts.X, parts.Y, batch_size=4, verbose=0)
    model.calibration_data = parts.X
    return model


def test_programs_read_the_seed_that_was_loaded(large, tmp_path):
    samples = large.predict_samples(parts.X)
    for way in (_by_checkpoint, _by_weights):
        fresh = _made("layers and normalisation")
        # Compiled for the seed that it chose.
        assert (fresh.predict_samples(parts.X) != samples).any()
        kept = way(large, fresh, tmp_path)
        np.testing.assert_array_equal(kept.predict_samples(parts.X), samples)


def test_a_seed_that_was_asked_for_does_not_go_in_silence(tmp_path):
    path = tmp_path / "model.weights.h5"
    small_models.model(seed=3, compiled=False).save_weights(path)
    other = small_models.model(seed=4, compiled=False)
    with pytest.warns(UserWarning, match="weights, 3, takes the place .* 4"):
        other.load_weights(path)
    assert other.seed == other.get_config()["seed"] == 3


def test_by_pickle(large):
    assert_same(large, pickle.loads(pickle.dumps(large)))


@pytest.mark.parametrize("name", ["all.keras", "all.weights.h5"])
def test_by_model_checkpoint(name, tmp_path):
    model = _made("layers and normalisation")
    model.calibration_data = parts.X
    callback = keras.callbacks.ModelCheckpoint(
        tmp_path / name, save_weights_only=name.endswith(".h5")
    )
    model.fit(parts.X, parts.Y, batch_size=4, callbacks=[callback], verbose=0)
    if name.endswith(".keras"):
        kept = keras.models.load_model(tmp_path / name)
    else:
        kept = _made("layers and normalisation")
        kept.load_weights(tmp_path / name)
    assert_same(model, kept)


def test_a_run_that_was_killed_goes_on_by_backup_and_restore(tmp_path):
    def fit(model, *others):
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
        data = {"x": parts.X, "y": parts.Y, "batch_size": 4, "verbose": 0}
        model.fit(**data, epochs=3, shuffle=False, callbacks=[backup, *others])
        return model

    class Kill(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    killed = _made("layers and normalisation")
    reference = _by_weights(killed, _made("layers and normalisation"), tmp_path)
    fit(reference, keras.callbacks.Callback())
    with pytest.raises(KeyboardInterrupt):
        fit(killed, Kill())
    assert_same(reference, fit(_made("layers and normalisation")))


def test_a_whole_model_in_hdf5_is_refused(large, tmp_path):
    for save in (large.save, lambda p: keras.saving.save_model(large, p)):
        with pytest.raises(ValueError, match="ends in .keras"):
            save(tmp_path / "model.h5")


@pytest.mark.parametrize("way", ["ckpt", ".weights.h5", ".h5"])
def test_a_plain_model_keeps_the_seeds_of_its_layers(way, tmp_path):
    def make():
        layer = bbh.layers.Bayesian(
            keras.layers.Dense(3), bbh.posteriors.MeanField(), kl_weight=0
        )
        others = [
            bbh.layers.MNFDense(5, flow_units=4, kl_weight=0),
            bbh.layers.MCDropout(0.5),
        ]
        return keras.Sequential([keras.Input((4,)), *others, layer])

    model, path = make(), str(tmp_path / f"model{way}")
    model(parts.X, training=True)
    if way == "ckpt":
        path = tf.train.Checkpoint(model=model).write(path)
        kept = make()
        tf.train.Checkpoint(model=kept).read(path).assert_consumed()
    elif way == ".h5":
        model.save(path)
        kept = keras.models.load_model(path)
    else:
        model.save_weights(path)
        kept = make()
        kept.load_weights(path)
    for old, new in zip(model.variables, kept.variables, strict=True):
        if way != ".h5" or "seed" not in old.name:
            np.testing.assert_array_equal(old, new)
    assert kept.layers[-1].seed == model.layers[-1].seed


def test_a_checkpoint_that_is_read_before_a_layer_is_built(tmp_path):
    def layer():
        return bbh.layers.Bayesian(
            keras.layers.Dense(3), bbh.posteriors.MeanField()
        )

    first, second = layer(), layer()
    expected = first(parts.X)
    path = tf.train.Checkpoint(layer=first).write(str(tmp_path / "layer"))
    tf.train.Checkpoint(layer=second).read(path)
    np.testing.assert_array_equal(second(parts.X), expected)

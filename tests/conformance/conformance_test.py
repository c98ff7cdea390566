"""Every kind of layer: build, fit, save, load, draw."""

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from tests.conformance import cases

# One network in two programs: float32 sums in another order.
CLOSE = {"rtol": 1e-4, "atol": 1e-5}
SLOW = {"keras.applications"}


def _layers_of_ours(network):
    return {
        name
        for name in bbh.layers.__all__
        for layer in network._flatten_layers()
        if type(layer) is getattr(bbh.layers, name)
    }


def test_every_public_layer_has_a_case():
    covered = {name for case in cases.CASES.values() for name in case.public}
    assert covered == set(bbh.layers.__all__) - {"MNF", "RandomLayer"}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else [])
        for name in cases.CASES
    ],
)
def test_fit_save_load_draw(name, tmp_path):
    case = cases.CASES[name]
    network = case.network()
    assert _layers_of_ours(network) == set(case.public)
    model = bbh.models.BayesianModel(
        network,
        num_train_examples=4,
        num_samples=2,
        num_prediction_samples=2,
        seed=1,
    )
    model.compile(keras.optimizers.Adam(0.01))
    before = [np.array(variable) for variable in model.trainable_variables]
    for layer in model.random_layers:
        own = layer.kl(bbh.randomness.key(1, bbh.randomness.PRIOR, 0))
        assert layer.has_kl == (layer.pair() is not None or own is not None)
    history = model.fit(
        case.x, np.arange(4) % 3, batch_size=2, epochs=1, verbose=0
    )
    assert np.isfinite(history.history["loss"]).all()
    changed = [
        (old != np.array(new)).any()
        for old, new in zip(before, model.trainable_variables)
    ]
    assert np.mean(changed) > 0.9

    samples = model.predict_samples(case.x, seed=2)
    assert samples.shape == (2, 4, 3)
    assert np.abs(samples[0] - samples[1]).max() > 1e-5
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        loaded.predict_samples(case.x, seed=2), samples
    )

    if not case.drawable:
        with pytest.raises(ValueError, match="no ordinary layer"):
            model.draw(seed=2, index=1)
        return
    plain = model.draw(seed=2, index=1)
    modules = {type(layer).__module__ for layer in plain._flatten_layers()}
    assert not any(module.startswith("bbh_tf") for module in modules)
    np.testing.assert_allclose(
        plain.predict(case.x, verbose=0), samples[1], **CLOSE
    )

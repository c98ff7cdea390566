"""Calibration data of networks with several inputs."""

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from tests.models import small_models

X, _ = small_models.data(40)
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def _network_of_two_inputs():
    inputs = {
        name: keras.Input((4,), name=name) for name in ("first", "second")
    }
    joined = keras.layers.Concatenate()(list(inputs.values()))
    normal = keras.layers.BatchNormalization(name="normal")(joined)
    return keras.Model(inputs, keras.layers.Dense(3)(normal))


def test_wrong_structures_are_refused():
    update = bbh.models.update_batch_normalization
    two = _network_of_two_inputs()
    with pytest.raises(ValueError, match="structure of the network's inputs"):
        update(two, X)
    with pytest.raises(ValueError, match="as many examples for each input"):
        update(two, {"first": X, "second": X[:-1]})


def test_several_inputs_are_calibrated_on_and_kept(tmp_path):
    def make():
        network = bbh.models.bayesify(
            _network_of_two_inputs(), bbh.posteriors.MeanField()
        )
        return small_models.model(network, num_prediction_samples=1)

    model, data = make(), {"first": X, "second": 2 * X + 1}
    model.calibration_data = data
    normal = model.draw().get_layer("normal")
    both = np.concatenate([X, 2 * X + 1], axis=1)
    np.testing.assert_allclose(normal.moving_mean, both.mean(0), **CLOSE)
    np.testing.assert_allclose(normal.moving_variance, both.var(0), **CLOSE)
    model.save_weights(tmp_path / "model.weights.h5")
    other = make()
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(other.calibration_data["second"], 2 * X + 1)

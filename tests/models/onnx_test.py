"""As ONNX, a draw and a whole model say what they say in Keras."""

import importlib.util

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from bbh_tf.models import onnx_format
from tests.conformance import cases
from tests.models import ensembles
from tests.models import small_models

NETWORKS = ["Conv2D", "MultiHeadAttention", "masked LSTM"]
X, _ = small_models.data(20)


def _runtime():
    *_, runtime = [
        pytest.importorskip(package, reason=f"{package} writes or runs ONNX")
        for package in ("tf2onnx", "onnx", "onnxruntime")
    ]
    return runtime


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning")
def test_a_draw_as_onnx(name, tmp_path):
    runtime = _runtime()
    keras.utils.set_random_seed(1)
    case = cases.CASES[name]
    model = bbh.models.BayesianModel(
        case.network(), 4, num_prediction_samples=2, seed=1
    )
    drawn = model.draw(seed=2, index=1)
    # Keras exports what has been called.
    drawn.predict(case.x, verbose=0)
    drawn.export(tmp_path / "drawn.onnx", format="onnx", verbose=False)
    session = runtime.InferenceSession(tmp_path / "drawn.onnx")
    (argument,) = session.get_inputs()
    dtype = "int32" if "int32" in argument.type else "float32"
    (found,) = session.run(None, {argument.name: case.x.astype(dtype)})
    np.testing.assert_allclose(
        found, model.predict_samples(case.x, seed=2)[1], atol=1e-5
    )


def _calibrated():
    network = small_models.network(keras.layers.BatchNormalization())
    model = small_models.model(network)
    model.calibration_data = X
    return model


MODELS = {
    "classes": _calibrated,
    "numbers": small_models.regression,
    "ensemble": ensembles.ensemble,
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_as_onnx(name, tmp_path):
    runtime = _runtime()
    model = MODELS[name]()
    model.temperature = 2.0
    model.export(str(tmp_path / "served.onnx"), format="onnx")
    session = runtime.InferenceSession(tmp_path / "served.onnx")
    (argument,) = session.get_inputs()
    names = [output.name for output in session.get_outputs()]
    for x in (X, X[:7]):
        found = session.run(None, {argument.name: x})
        expected = model.predict_uncertainty(x)
        assert set(names) == set(expected)
        for key, values in zip(names, found):
            np.testing.assert_allclose(values, expected[key], atol=1e-5)


def test_several_inputs(tmp_path):
    runtime = _runtime()
    inputs = {
        "a": keras.Input((4,), name="a"),
        "b": keras.Input((4,), name="b"),
    }
    joined = keras.layers.Concatenate()(list(inputs.values()))
    network = keras.Model(inputs, keras.layers.Dense(3)(joined))
    network = bbh.models.bayesify(network, bbh.posteriors.MeanField(-3.0))
    model = small_models.model(network)
    model.export(tmp_path / "served.onnx", format="onnx", opset_version=17)
    session = runtime.InferenceSession(tmp_path / "served.onnx")
    x = {"a": X, "b": -X}
    assert {argument.name for argument in session.get_inputs()} == set(x)
    (entropy,) = session.run(["entropy"], x)
    np.testing.assert_allclose(
        entropy, model.predict_uncertainty(x)["entropy"], atol=1e-5
    )


def test_what_onnx_lacks_is_told(tmp_path, monkeypatch):
    model = small_models.model()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ImportError, match="needs tf2onnx and onnx: pip inst"):
        model.export(tmp_path / "served.onnx", format="onnx")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    with pytest.raises(ValueError, match="at most 2 GB.*; got 3 GB. Export"):
        onnx_format.check(3e9)
    network = keras.Sequential(
        [
            keras.Input((1,), dtype="string"),
            keras.layers.TextVectorization(
                output_sequence_length=2, vocabulary=["good", "bad"]
            ),
            keras.layers.Embedding(4, 2),
            keras.layers.Flatten(),
            bbh.layers.Bayesian(
                keras.layers.Dense(3), bbh.posteriors.MeanField()
            ),
        ]
    )
    with pytest.raises(ValueError, match="has no vocabularies"):
        small_models.model(network).export(
            tmp_path / "served.onnx", format="onnx"
        )

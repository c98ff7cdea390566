"""What is served says what the model says, without the library."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf import memory
from tests.models import small_models

X, Y = small_models.data(20)
# One network in two programs: float32 sums in another order.
CLOSE = {"rtol": 1e-5, "atol": 1e-5}
# Runs in a process of its own, which has imported nothing else.
SERVE = """
import sys
import numpy as np
import tensorflow as tf
x = np.load("x.npy")
for folder in sys.argv[1:]:
    served = tf.saved_model.load(folder)
    outputs = served.serve(x)
    serve = served.signatures["serving_default"]
    (name,) = serve.structured_input_signature[1]
    for key, value in serve(**{name: tf.constant(x[:7])}).items():
        np.testing.assert_allclose(
            value, outputs[key][:7], rtol=1e-4, atol=1e-5
        )
    np.savez(folder + ".npz", **{k: v.numpy() for k, v in outputs.items()})
strangers = {"bbh_tf", "tensorflow_probability"} & set(sys.modules)
assert not strangers, strangers
"""


def _check_same(served, expected):
    assert served.keys() == expected.keys()
    for name, values in expected.items():
        assert served[name].dtype == np.float32
        np.testing.assert_allclose(served[name], values, **CLOSE)


def _calibrated():
    model = small_models.model(
        small_models.network(
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.Dense(4, activation="relu"),
            bbh.layers.MCDropout(0.4, seed=1),
            posterior=bbh.posteriors.MeanField(initial_log_variance=-2.0),
        )
    )
    model.fit(X, Y, batch_size=8, verbose=0)
    without = model.predict_uncertainty(X)
    model.calibration_data = X
    with_data = model.predict_uncertainty(X)
    assert np.abs(with_data["entropy"] - without["entropy"]).max() > 1e-3
    return model


def _ensemble():
    network = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(5, activation="tanh"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(3),
        ]
    )
    return bbh.models.DeepEnsemble(network, 3, seed=1)


MODELS = {
    "classes": small_models.model,
    "calibrated": _calibrated,
    "regression": small_models.regression,
    "ensemble": _ensemble,
}


def test_a_fresh_process_says_the_same(tmp_path):
    expected = {}
    for name, make in MODELS.items():
        model = make()
        model.export(tmp_path / name, num_samples=3, seed=5)
        expected[name] = model.predict_uncertainty(X, num_samples=3, seed=5)
    np.save(tmp_path / "x.npy", X)
    subprocess.run(
        [sys.executable, "-c", SERVE, *MODELS], check=True, cwd=tmp_path
    )
    for name, values in expected.items():
        _check_same(dict(np.load(tmp_path / f"{name}.npz")), values)


def _served(model, folder, x, **kwargs):
    model.export(folder, **kwargs)
    served = tf.saved_model.load(folder)
    return {name: value.numpy() for name, value in served.serve(x).items()}


def test_draws_and_seeds(tmp_path):
    model = small_models.model()
    model.compile("sgd", jit_compile=True)
    model.num_prediction_samples = 9
    _check_same(
        _served(model, tmp_path / "all", X, seed=1),
        model.predict_uncertainty(X, num_samples=9, seed=1),
    )
    one = _served(model, tmp_path / "one", X, num_samples=1)
    _check_same(one, model.predict_uncertainty(X, num_samples=1))
    assert one["mutual_information"].max() < 1e-6


def test_several_inputs(tmp_path):
    inputs = {
        "a": keras.Input((4,), name="a"),
        "b": keras.Input((4,), name="b"),
    }
    joined = keras.layers.Concatenate()(list(inputs.values()))
    network = keras.Model(inputs, keras.layers.Dense(3)(joined))
    network = bbh.models.bayesify(network, bbh.posteriors.MeanField(-3.0))
    model = small_models.model(network)
    x = {"a": tf.constant(X), "b": tf.constant(-X)}
    expected = model.predict_uncertainty(x)
    _check_same(_served(model, str(tmp_path / "served"), x), expected)
    served = tf.saved_model.load(tmp_path / "served")
    outputs = served.signatures["serving_default"](**x)
    np.testing.assert_allclose(outputs["entropy"], expected["entropy"], **CLOSE)


def test_a_signature_of_one_s_own(tmp_path):
    model = small_models.model()
    signature = tf.TensorSpec((20, 4), tf.float32, "images")
    served = _served(
        model, tmp_path / "served", X, input_signature=signature, verbose=False
    )
    _check_same(served, model.predict_uncertainty(X))
    loaded = tf.saved_model.load(tmp_path / "served")
    loaded.signatures["serving_default"](images=tf.constant(X))
    spec = keras.InputSpec(shape=(None, 4), dtype="float32")
    served = _served(model, tmp_path / "any", X[:3], input_signature=spec)
    _check_same(served, model.predict_uncertainty(X[:3]))


def test_only_draws_are_written(tmp_path):
    """The hypernetworks, far larger than a draw, stay behind."""
    posterior = bbh.posteriors.Implicit(bbh.hypernetworks.MLP(units=(200,)))
    model = small_models.model(small_models.network(posterior=posterior))
    model.export(tmp_path / "served", num_samples=3)
    loaded = tf.saved_model.load(tmp_path / "served")
    sizes = [tuple(variable.shape) for variable in loaded.draws]
    assert sizes == [(3, 1, 4, 5), (3, 1, 5), (3, 1, 5, 3), (3, 1, 3)]
    files = [x for x in (tmp_path / "served").rglob("*") if "data" in x.name]
    assert 0 < sum(x.stat().st_size for x in files) < 20_000
    graph = loaded.signatures["serving_default"].graph
    kinds = {
        node.op
        for part in (
            graph.as_graph_def().node,
            *(f.node_def for f in graph.as_graph_def().library.function),
        )
        for node in part
    }
    assert "While" in kinds or "StatelessWhile" in kinds
    assert not any("Random" in k or "Xla" in k or k == "Bitcast" for k in kinds)


def test_refusals(tmp_path, monkeypatch):
    model = small_models.model()
    with pytest.raises(ValueError, match="or \"onnx\"; got 'litert'. .For TFL"):
        model.export(tmp_path / "served", format="litert")
    with pytest.raises(ValueError, match="num_samples .* got 0"):
        model.export(tmp_path / "served", num_samples=0)
    monkeypatch.setattr(memory, "available_bytes", lambda: 1000)
    with pytest.raises(
        MemoryError, match="100 draws of 172 bytes each; export"
    ):
        model.export(tmp_path / "served", num_samples=100)
    assert not (tmp_path / "served").exists()

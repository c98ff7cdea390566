"""A draw as ONNX says what the draw says."""

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from tests.conformance import cases

NETWORKS = ["Conv2D", "MultiHeadAttention", "masked LSTM"]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning")
def test_a_draw_as_onnx(name, tmp_path):
    *_, runtime = [
        pytest.importorskip(package, reason=f"{package} writes or runs ONNX")
        for package in ("tf2onnx", "onnx", "onnxruntime")
    ]
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

"""The Python in the README runs as it stands."""

import pathlib
import re

import keras
import numpy as np
import pytest

_README = pathlib.Path(__file__).resolve().parents[1] / "README.md"
_MOST_LINES = 150


def test_is_read_in_one_sitting():
    assert len(_README.read_text().splitlines()) <= _MOST_LINES


# A thousand images are few for such a network, as the call says.
@pytest.mark.filterwarnings("ignore:.* random weights for:UserWarning")
def test_code_blocks_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", _README.read_text(), re.S)
    assert len(blocks) == 3
    generator = np.random.default_rng(0)
    names = {
        "images": generator.random((1000, 28, 28, 1), np.float32),
        "labels": generator.integers(0, 10, 1000),
        "test_images": generator.random((6, 28, 28, 1), np.float32),
        "my_model": keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.Dense(3, activation="relu"),
                keras.layers.Dense(2, name="predictions"),
            ]
        ),
    }
    for block in blocks:
        # Small and short, but otherwise to the letter.
        block = block.replace("epochs=20)\nmodel.p", "verbose=0)\nmodel.p")
        block = block.replace("Implicit()", "Implicit(_small)")
        exec(
            "import bbh_tf\n_small = bbh_tf.hypernetworks.MLP((4,))\n" + block,
            names,
        )
    np.testing.assert_allclose(
        names["plain"](names["test_images"]), names["outputs"][7], atol=1e-5
    )
    assert (tmp_path / "model.keras").exists()
    assert [x.name for x in names["head"].random_layers] == ["predictions"]
    assert len(names["model"].random_layers) == 3

"""The bar of one training."""

import keras
import numpy as np

from experiments import epoch_bar


def _train(name):
    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    network.compile("sgd", "mse")
    network.fit(
        np.ones((4, 3)),
        np.ones((4, 2)),
        epochs=3,
        callbacks=[epoch_bar.EpochBar(name)],
        verbose=0,
    )


def test_short_trainings_show_nothing(capsys, monkeypatch):
    monkeypatch.setattr(epoch_bar, "_SECONDS_BEFORE", 1e6)
    monkeypatch.setattr(epoch_bar, "_SECONDS_BETWEEN", 0)
    _train("network of seed 5")
    assert capsys.readouterr() == ("", "")


def test_long_trainings_show_name_epochs_and_losses(capsys, monkeypatch):
    monkeypatch.setattr(epoch_bar, "_SECONDS_BEFORE", 0)
    monkeypatch.setattr(epoch_bar, "_SECONDS_BETWEEN", 0)
    _train("network of seed 5")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("network of seed 5:") >= 3
    assert "3/3" in err
    assert "loss=" in err
    # Nothing stays on the line.
    assert err.split("\r")[-2].strip() == ""

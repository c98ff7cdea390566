"""Draws of weights are those that the model predicts with, in its order."""

import numpy as np
import pytest

from experiments import building
from experiments import config as configs
from experiments import run_config
from experiments import runner
from experiments.posterior import draws as posterior_draws

_DRAWS = 3


def _model(table, row):
    config = configs.Config(
        table=table,
        dataset="digits",
        rows=(row,),
        seeds=(0,),
        scale="smoke",
        preset="paper",
        output_dir="nowhere",
        num_members=_DRAWS,
    )
    data = runner.load_data(config)
    return building.build(run_config.make(config, row, 0), data)


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("mnist_methods", "ensemble"),
        ("mnist_methods", "mnf"),
        ("mnist_architectures", "single"),
    ],
)
def test_they_are_the_weights_of_plain_networks(table, row):
    model = _model(table, row)
    found = posterior_draws.collect(model, _DRAWS, num_chosen=40)
    plain = [model.draw(index=index) for index in range(_DRAWS)]
    every = np.array(
        [
            np.concatenate([np.ravel(v) for v in network.get_weights()])
            for network in plain
        ]
    )
    # Filters of 3 x 3 for one channel: row-major, the filter fastest.
    first = np.array([network.get_weights()[0] for network in plain])
    assert first.shape[1:] == (3, 3, 1, found.num_filters)
    np.testing.assert_array_equal(
        found.kernel, first.reshape(_DRAWS, -1)[:, :500]
    )
    np.testing.assert_allclose(
        found.std, every.std(axis=0, ddof=1, dtype=np.float64), atol=1e-9
    )
    assert found.chosen.shape == (_DRAWS, 40)
    columns = {column.tobytes() for column in every.T.copy()}
    assert all(column.tobytes() in columns for column in found.chosen.T.copy())
    # All weights are chosen where there are no more.
    found = posterior_draws.collect(model, _DRAWS, num_chosen=10**6)
    np.testing.assert_array_equal(found.chosen, every)

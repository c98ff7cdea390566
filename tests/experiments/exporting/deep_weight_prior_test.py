"""Training under a deep weight prior, as a program, beside training here."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from experiments.exporting import lowering as export_lowering
from experiments.exporting import runtime
from tests.priors import linear_gaussian

_NUM_STEPS = 3


def _model():
    keras.utils.set_random_seed(1)
    network = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Conv2D(4, 3, activation="relu", name="kernels"),
            keras.layers.Flatten(),
            keras.layers.Dense(3),
        ]
    )
    model = bbh.models.BayesianModel(
        bbh.models.bayesify(
            network,
            bbh.posteriors.MeanField(kernels_only=True),
            prior=linear_gaussian.prior(error=0.3, num_slices=2),
            layers=["kernels"],
            local_reparameterization=True,
        ),
        20,
        divergence=bbh.divergences.MonteCarloKL(),
        num_samples=1,
        seed=2,
    )
    model.compile(keras.optimizers.Adam(0.01), metrics=["accuracy"])
    return model


def _data():
    random = np.random.default_rng(3)
    images = random.normal(size=(20, 6, 6, 1)).astype(np.float32)
    return images, random.integers(0, 3, 20).astype(np.int32)


def test_its_steps_there_are_those_here():
    jax = pytest.importorskip("jax", reason="Exported programs are run by JAX.")
    images, labels = _data()
    here = _model()
    for _ in range(_NUM_STEPS):
        wanted = here.train_on_batch(images, labels, return_dict=True)
    model = _model()
    model.compute_metrics(None, labels[:1], np.zeros((1, 3), np.float32))
    model.optimizer.build(model.trainable_variables)

    @tf.function(jit_compile=True, autograph=False)
    def train(images, labels):
        def step(number):
            model.reset_metrics()
            model.train_step((images, labels))
            return [number + 1]

        tf.while_loop(lambda n: n < _NUM_STEPS, step, [tf.constant(0)])
        return dict(model.get_metrics_result())

    held = [variable for x in model.metrics for variable in x.variables]
    variables = {
        id(variable): getattr(variable, "value", variable)
        for variable in (*model.variables, *model.optimizer.variables, *held)
    }
    program = export_lowering.lower(
        train,
        [tf.TensorSpec(x.shape, x.dtype) for x in (images, labels)],
        list(variables.values()),
    )
    given = {"images": images, "labels": labels}
    jax = runtime.start()
    outputs = runtime.compiled(jax, program.text)(
        [
            runtime.put(jax, given[x] if isinstance(x, str) else np.asarray(x))
            for x in program.parameters
        ]
    )
    updated = {output for _, output in program.updates}
    rest = [x for number, x in enumerate(outputs) if number not in updated]
    found = {key: float(x) for key, x in zip(program.results, rest)}
    assert found["kl"] > 0
    for key in ("loss", "nll", "kl", "accuracy"):
        assert found[key] == pytest.approx(float(wanted[key]), rel=1e-4), key
    # The reverse model has trained with the posterior.
    values = {id(variable): None for variable in variables.values()}
    for parameter, output in program.updates:
        values[id(program.parameters[parameter])] = np.asarray(outputs[output])
    for one, other in zip(
        here.trainable_variables, model.trainable_variables, strict=True
    ):
        np.testing.assert_allclose(
            values[id(other.value)], one, rtol=1e-3, atol=1e-5
        )

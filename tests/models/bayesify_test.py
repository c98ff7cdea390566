"""Existing models made Bayesian: what is chosen, kept and left alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from tests.models import small_models

layers = keras.layers
X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")


@pytest.fixture
def network():
    inner = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(4, name="inner_dense"),
            layers.BatchNormalization(name="norm"),
        ],
        name="inner",
    )
    inputs = keras.Input((4,))
    hidden = layers.Dense(5, name="first")(inputs)
    outputs = layers.EinsumDense("ab,bc->ac", 3, name="last")(inner(hidden))
    made = keras.Model(inputs, outputs)
    for index, variable in enumerate(made.variables):
        if "norm" in variable.path:
            variable.assign(tf.fill(variable.shape, 2.0 + index))
    return made


def _random_names(network):
    return {
        variable.path.split("/")[-2]
        for layer in network._flatten_layers()
        if isinstance(layer, bbh.layers.Bayesian)
        for variable in layer.replaced_variables
    }


@pytest.mark.parametrize("scope", ["layer", "network"])
@pytest.mark.parametrize(
    "chosen, expected",
    [
        (None, {"first", "inner_dense", "last"}),
        ("inner_dense", {"inner_dense"}),
        (layers.EinsumDense, {"last"}),
        (lambda layer: "dense" in layer.name, {"inner_dense"}),
        ([layers.Dense], {"first", "inner_dense"}),
        (["first", layers.EinsumDense], {"first", "last"}),
    ],
    ids=["all", "name", "type", "callable", "list of types", "mixed list"],
)
def test_layers_are_chosen(network, scope, chosen, expected):
    bayesian = bbh.models.bayesify(
        network, small_models.implicit(), scope=scope, layers=chosen
    )
    assert _random_names(bayesian) == expected
    count = sum(
        isinstance(layer, bbh.layers.Bayesian)
        for layer in bayesian._flatten_layers()
    )
    assert count == (1 if scope == "network" else len(expected))


@pytest.mark.parametrize("scope", ["layer", "network"])
def test_point_estimates_keep_their_values(network, scope):
    before = [np.array(v) for v in network.variables]
    bayesian = bbh.models.bayesify(
        network, small_models.implicit(), scope=scope, layers="last"
    )
    kept = {"first", "inner_dense", "norm"}
    old, new = (
        {
            tuple(v.path.split("/")[-2:]): v
            for v in model.variables
            if v.path.split("/")[-2] in kept
        }
        for model in (network, bayesian)
    )
    assert len(old) == 8 and old.keys() == new.keys()
    for name, variable in old.items():
        np.testing.assert_array_equal(np.array(variable), np.array(new[name]))
    model = small_models.model(bayesian)
    model.fit(X, np.arange(6) % 3, verbose=0)
    for value, variable in zip(before, network.variables, strict=True):
        np.testing.assert_array_equal(value, np.array(variable))
    # Both statistics and scales of the copy have moved.
    moved = [(np.array(old[name]) != np.array(new[name])).any() for name in old]
    assert all(moved)
    np.testing.assert_allclose(
        model.draw(index=1)(X),
        model.predict_samples(X)[1],
        rtol=1e-4,
        atol=1e-5,
    )


def test_frozen_layers_keep_their_values(network):
    network.get_layer("first").trainable = False
    bayesian = bbh.models.bayesify(network, small_models.implicit())
    assert _random_names(bayesian) == {"inner_dense", "last"}
    assert not bayesian.get_layer("first").trainable


def test_names_and_outputs_stay(network):
    bayesian = bbh.models.bayesify(network, small_models.implicit())
    assert bayesian.name == network.name
    assert [x.name for x in bayesian.layers[1:]] == [
        x.name for x in network.layers[1:]
    ]
    assert bayesian.output_shape == network.output_shape


def test_a_compiled_model_gives_one_that_is_not(network):
    network.compile(keras.optimizers.Adam(), "mse")
    bayesian = bbh.models.bayesify(network, small_models.implicit())
    assert not bayesian.compiled
    assert network.compiled


def test_shared_layers_stay_shared():
    inputs = keras.Input((4,))
    dense = layers.Dense(4)
    network = keras.Model(inputs, dense(dense(inputs)))
    bayesian = bbh.models.bayesify(network, small_models.implicit())
    shared = [
        layer
        for layer in bayesian.layers
        if isinstance(layer, bbh.layers.Bayesian)
    ]
    assert len(shared) == 1
    plain = small_models.model(bayesian).draw()
    kernel, bias = plain.layers[1].get_weights()
    np.testing.assert_allclose(
        plain(X), (X @ kernel + bias) @ kernel + bias, rtol=1e-4, atol=1e-5
    )


@keras.saving.register_keras_serializable("bbh_tests")
class Tied(layers.Layer):
    """Multiplies by the transpose of another layer's embeddings."""

    def __init__(self, embedding, **kwargs):
        super().__init__(**kwargs)
        self.embedding = embedding

    def call(self, inputs):
        return inputs @ keras.ops.transpose(self.embedding.embeddings)

    def get_config(self):
        embedding = keras.saving.serialize_keras_object(self.embedding)
        return {**super().get_config(), "embedding": embedding}

    @classmethod
    def from_config(cls, config):
        embedding = keras.saving.deserialize_keras_object(config["embedding"])
        return cls(**{**config, "embedding": embedding})


def _held_by_a_wrapper():
    dense = layers.Dense(3, name="shared")
    one, many = keras.Input((4,)), keras.Input((2, 4))
    steps = layers.Flatten()(layers.TimeDistributed(dense)(many))
    hidden = layers.Concatenate()([dense(one), steps])
    return keras.Model([one, many], layers.Dense(3)(hidden))


def _held_by_a_layer():
    words = keras.Input((5,), dtype="int32")
    embedding = layers.Embedding(7, 3, name="shared")
    hidden = layers.GlobalAveragePooling1D()(embedding(words))
    return keras.Model(words, Tied(embedding)(hidden))


@pytest.mark.parametrize("make", [_held_by_a_wrapper, _held_by_a_layer])
@pytest.mark.parametrize(
    "copy",
    [
        lambda network: bbh.models.bayesify(
            network, bbh.posteriors.MeanField()
        ),
        lambda network: bbh.models.bayesify(
            network, bbh.posteriors.MeanField(), scope="network"
        ),
        lambda network: bbh.models.DeepEnsemble(network, 2),
    ],
    ids=["layers", "network", "ensemble"],
)
def test_a_layer_held_by_another_is_refused(make, copy):
    # A copy would have two of it, with weights of their own.
    with pytest.raises(
        ValueError, match="a weight of .*'shared'|'shared' and of"
    ) as error:
        copy(make())
    assert "\n" not in str(error.value)


def test_operations_in_the_graph():
    inputs = keras.Input((4,))
    hidden = keras.ops.tanh(layers.Dense(3)(inputs)) * 2.0
    network = keras.Model(inputs, layers.Dense(3)(hidden))
    bayesian = bbh.models.bayesify(network, small_models.implicit())
    model = small_models.model(bayesian)
    np.testing.assert_allclose(
        model.draw(index=1)(X),
        model.predict_samples(X)[1],
        rtol=1e-4,
        atol=1e-5,
    )


def _mlp(name):
    hypernetwork = {
        "sliced": bbh.hypernetworks.Sliced,
        "matrices": bbh.hypernetworks.MatrixProduct,
    }.get(name, bbh.hypernetworks.MLP)
    initializer = keras.initializers.GlorotUniform(seed=1)
    return bbh.posteriors.Implicit(
        hypernetwork(units=(3,), kernel_initializer=initializer)
    )


def _couplings():
    features = keras.layers.Dense(
        3, kernel_initializer=keras.initializers.GlorotUniform(seed=1)
    )
    coupling = bbh.flows.Coupling(keras.Sequential([features]))
    return bbh.posteriors.Flow(
        bbh.flows.Chain([coupling]), mean_initializer="zeros"
    )


@pytest.mark.parametrize(
    "posterior",
    [
        bbh.posteriors.MeanField(
            mean_initializer=keras.initializers.HeNormal(seed=1)
        ),
        bbh.posteriors.Flow(
            mean_initializer=keras.initializers.HeNormal(
                seed=keras.random.SeedGenerator(1)
            )
        ),
        *map(_mlp, ("mlp", "sliced", "matrices")),
        _couplings(),
    ],
    ids=["mean field", "flow", "mlp", "sliced", "matrices", "couplings"],
)
def test_layers_of_one_seeded_recipe_begin_apart(posterior):
    """Yet as the seed says: two calls make the same."""
    plain = keras.Sequential(
        [
            keras.Input((4,)),
            *[keras.layers.Dense(4, name=name) for name in "abc"],
        ]
    )
    found = []
    for _ in range(2):
        layers = bbh.models.bayesify(plain, posterior).layers
        found.append(
            [
                next(
                    x.numpy()
                    for x in layer.posterior.variables
                    if len(x.shape) == 2 and np.ptp(x) > 0
                )
                for layer in layers
            ]
        )
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][2], found[1][2])
    for one, two in ((0, 1), (0, 2), (1, 2)):
        assert not np.isclose(found[0][one], found[0][two]).all()
    # The first layer's is what the recipe itself makes.
    alone = bbh.layers.Bayesian(keras.layers.Dense(4), posterior)
    alone.build((None, 4))
    assert any(
        np.array_equal(found[0][0], x) for x in alone.posterior.variables
    )


def test_one_posterior_for_the_network(network):
    bayesian = bbh.models.bayesify(
        network, small_models.implicit(), scope="network"
    )
    (layer,) = [
        layer
        for layer in bayesian._flatten_layers()
        if isinstance(layer, bbh.layers.Bayesian)
    ]
    size = sum(np.prod(v.shape) for v in layer.replaced_variables)
    assert len(layer.posterior.parameter_report()) == 1
    # Noise and the constant to 4 units to all weights.
    assert layer.posterior.count_params() == 3 * 4 + 5 * size


class _Subclassed(keras.Model):
    def call(self, inputs):
        return inputs


def _same_names():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, name="a")])
    return keras.Sequential(
        [keras.Input((4,)), inner, layers.Dense(4, name="a")]
    )


def _plain():
    return keras.Sequential([keras.Input((4,)), layers.Dense(3, name="only")])


def _diverged():
    network = _plain()
    network.layers[0].bias.assign([0.0, np.nan, 0.0])
    return network


def _tied():
    inputs = keras.Input((), dtype="int32")
    embedding = layers.Embedding(3, 3, name="embedding")
    outputs = keras.ops.matmul(embedding(inputs), embedding.embeddings)
    return keras.Model(inputs, outputs, name="tied")


@pytest.mark.parametrize(
    "make, arguments, message",
    [
        (_plain, {"layers": "nobody"}, "no layer for 'nobody'.*only"),
        (_plain, {"layers": layers.Conv2D}, "no layer for .*Conv2D"),
        (_plain, {"layers": lambda _: False}, "no layer for"),
        (_plain, {"layers": []}, "no layer to make Bayesian among only"),
        (_plain, {"layers": 3}, "a name, a class, a callable"),
        (_plain, {"layers": layers.Dense(3)}, "a name, a class, a callable"),
        (_plain, {"scope": "tensor"}, "scope.*got 'tensor'"),
        (_plain, {"posterior": "implicit"}, "Expected a posterior"),
        (
            lambda: keras.Sequential([keras.Input((4,)), layers.ReLU()]),
            {},
            "no layer to make Bayesian",
        ),
        (_Subclassed, {}, "subclass of keras.Model"),
        (_tied, {}, "operation 'matmul.*' of 'tied' takes 'embedding"),
        (_diverged, {"start": "pretrained"}, "finite weights; .*only/bias"),
        (
            lambda: keras.Sequential([keras.Input((4,)), _Subclassed()]),
            {},
            "subclass of keras.Model",
        ),
        (lambda: keras.Sequential([layers.Dense(3)]), {}, "not built"),
        (lambda: layers.Dense(3), {}, "Expected a functional or Sequential"),
        (
            small_models.network,
            {},
            "'hidden' is Bayesian already.*wrap each",
        ),
        (_plain, {"prior": 3}, "A prior is"),
    ],
)
def test_refusals(make, arguments, message):
    arguments = {"posterior": small_models.implicit(), **arguments}
    with pytest.raises(ValueError, match=message) as error:
        bbh.models.bayesify(make(), **arguments)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("scope", ["layer", "network"])
def test_names_need_not_tell_layers_apart(scope, tmp_path):
    network = _same_names()
    first = network.layers[0].layers[0]
    random = bbh.models.bayesify(
        network,
        small_models.implicit(),
        scope=scope,
        layers=lambda layer: layer is first,
    )
    _check_size(random, first.count_params(), tmp_path)


@pytest.mark.parametrize("scope", ["layer", "network"])
def test_a_name_is_that_of_layers_and_not_of_models(scope, tmp_path):
    inner = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(5, name="block"),
            keras.layers.Dense(3, name="other"),
        ],
        name="block",
    )
    inputs = keras.Input((4,))
    network = keras.Model(inputs, inner(inputs))
    random = bbh.models.bayesify(
        network, small_models.implicit(), scope=scope, layers="block"
    )
    _check_size(random, 4 * 5 + 5, tmp_path)


def _check_size(network, expected, folder):
    """Looks at what is random, before and after saving."""
    model = small_models.model(network)
    assert sum(x.draw_size() for x in model.bayesian_layers) == expected
    model.save(folder / "model.keras")
    loaded = keras.models.load_model(folder / "model.keras")
    assert sum(x.draw_size() for x in loaded.bayesian_layers) == expected
    x, _ = small_models.data()
    np.testing.assert_array_equal(
        loaded.predict_samples(x), model.predict_samples(x)
    )

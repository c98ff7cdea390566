"""What `summary` tells, and memory refused before it is taken."""

import keras
import pytest

import bbh_tf as bbh
from bbh_tf import memory
from tests.models import small_models


def test_summary():
    lines = []
    model = small_models.model(kl_scale=0.5, num_train_examples=55_000)
    model.summary(print_fn=lines.append)
    text = "\n".join(lines)
    # 2 x 4 to the units, then (4 + 1) for each weight.
    assert "MLP of kernel" in text
    rows = [line.split() for line in text.splitlines()]
    kernel = next(row for row in rows if row[:2] == ["hidden", "MLP"])
    assert kernel[4:] == ["20", "112", "448", "bytes"]
    total = next(row for row in rows if row[:1] == ["all"])
    assert total[1:] == ["43", "263", "1.05", "kB"]
    assert "0.5 / 55,000 training examples" in text
    assert "KernelKL of 2 posterior and 2 prior samples" in text


def _last_line(divergence, **kwargs):
    network = small_models.network(posterior=bbh.posteriors.MeanField())
    lines = []
    model = small_models.model(network, divergence=divergence, **kwargs)
    model.summary(print_fn=lines.append)
    return lines[-1].splitlines()[-1].partition("; ")[2]


def test_summary_tells_the_samples_that_are_used():
    divergences = bbh.divergences
    assert _last_line(divergences.AnalyticKL()) == "AnalyticKL"
    entropy = divergences.NearestNeighbourEntropy(1)
    assert (
        _last_line(entropy, num_samples=4)
        == "NearestNeighbourEntropy of 4 posterior samples"
    )
    assert (
        _last_line(divergences.MonteCarloKL(), num_samples=1)
        == "MonteCarloKL of 1 posterior sample"
    )
    assert (
        _last_line(divergences.KernelKL(), num_prior_samples=1)
        == "KernelKL of 2 posterior and 1 prior sample"
    )
    assert (
        _last_line(divergences.AdversarialKL())
        == "AdversarialKL of 2 posterior and 2 prior samples"
    )


@pytest.fixture
def made(monkeypatch):
    """The shapes of all variables that are made from here on."""
    shapes = []
    add_weight = keras.layers.Layer.add_weight

    def counted(self, *args, **kwargs):
        variable = add_weight(self, *args, **kwargs)
        shapes.append((type(self).__name__, variable.shape))
        return variable

    monkeypatch.setattr(keras.layers.Layer, "add_weight", counted)
    return shapes


def _refused(call):
    with pytest.raises(MemoryError) as error:
        call()
    message = str(error.value)
    assert "\n" not in message
    assert "needed" in message and "Sliced()" in message
    return message


@pytest.mark.parametrize("scope", ["layer", "network"])
def test_bayesify_refuses_before_it_allocates(scope, monkeypatch, made):
    network = bbh.models.lenet()
    del made[:]
    monkeypatch.setattr(memory, "available_bytes", lambda: 10**8)
    message = _refused(
        lambda: bbh.models.bayesify(
            network, bbh.posteriors.Implicit(), scope=scope
        )
    )
    assert "100 MB are free" in message
    if scope == "layer":
        assert "222,331,368" in message and "'fc1'" in message
        assert "0.889 GB" in message or "889 MB" in message
    assert made == []


def test_the_layer_refuses_before_it_makes_a_posterior(monkeypatch, made):
    layer = bbh.layers.Bayesian(
        keras.layers.Dense(500), bbh.posteriors.Implicit()
    )
    monkeypatch.setattr(memory, "available_bytes", lambda: 10**8)
    message = _refused(lambda: layer.build((None, 800)))
    assert "kernel (800, 500)" in message
    # The wrapped layer's own, which have the shapes.
    assert made == [("Dense", (800, 500)), ("Dense", (500,))]
    assert layer.posterior.variables == []


@pytest.mark.parametrize(
    "optimizer, copies", [("sgd", 2), ("adam", 3), ("lion", 2)]
)
def test_compile_counts_gradients_and_moments(monkeypatch, optimizer, copies):
    model = small_models.model(compiled=False)
    needed = 4 * copies * 263
    monkeypatch.setattr(memory, "available_bytes", lambda: needed - 1)
    message = _refused(lambda: model.compile(optimizer))
    assert "263 posterior parameters" in message
    assert not model.compiled
    monkeypatch.setattr(memory, "available_bytes", lambda: needed)
    model.compile(optimizer)

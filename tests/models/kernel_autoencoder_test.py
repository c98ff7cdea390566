"""Autoencoders of kernels."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf import weights
from bbh_tf.models import kernel_log_prob


def _kernels(count=400):
    """Kernels 3 x 3 of one direction each, which no factorised normal knows."""
    generator = np.random.default_rng(0)
    forms = generator.normal(size=(2, 3, 3))
    places = generator.normal(size=(count, 2))
    noise = 0.1 * generator.normal(size=(count, 3, 3))
    return (np.einsum("nk,kij->nij", places, forms) + noise).astype("float32")


@pytest.mark.parametrize(
    ("size", "dim", "encoder", "decoder"),
    [(7, 2, 56_004, 56_674), (5, 4, 260_040, 304_194)],
)
def test_the_paper_s_networks_have_the_paper_s_parameters(
    size, dim, encoder, decoder
):
    model = bbh.models.KernelAutoencoder(size)
    assert model.latent_dim == dim
    assert model.encoder.count_params() == encoder
    assert model.decoder.count_params() == decoder


def test_kernels_have_one_layout_whatever_keras_is_set_to():
    previous = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    try:
        model = bbh.models.KernelAutoencoder(5, seed=0)
        for make in (bbh.models.lenet, lambda: bbh.models.resnet(1)):
            with pytest.raises(ValueError, match="'channels_last'; got"):
                make()
    finally:
        keras.config.set_image_data_format(previous)
    assert model.encoder.count_params() == 260_040
    assert model(np.zeros((4, 5, 5), np.float32)).shape == (4,)


@pytest.mark.parametrize("size", [3, 9])
def test_other_odd_sizes_have_networks_too(size):
    model = bbh.models.KernelAutoencoder(size, latent_dim=3, seed=0)
    kernels = np.zeros((4, size, size), np.float32)
    assert model(kernels).shape == (4,)
    drawn = model.as_prior().sample_slices(2, 3, bbh.randomness.key(0))
    assert drawn.shape == (2, 3, size, size)


@pytest.fixture(scope="module")
def trained():
    keras.utils.set_random_seed(0)
    model = bbh.models.KernelAutoencoder(3, num_steps=1, seed=0)
    model.compile(keras.optimizers.Adam(3e-3))
    model.fit(_kernels(), batch_size=50, epochs=25, verbose=0)
    return model


def test_training_finds_what_pixels_have_in_common(trained):
    kernels = _kernels(600)[400:]
    std = _kernels().std(axis=0)
    factorised = -0.5 * (kernels / std) ** 2 - np.log(std * 2.50663)
    found = trained.log_prob(kernels, 20)
    assert found.mean() > factorised.sum(axis=(1, 2)).mean() + 1.0
    tighter = trained.log_prob(kernels, 50, importance_weighted=True)
    assert (tighter - found).mean() > 0.0
    # The loss is minus the bound, with one sample of z.
    loss = trained.evaluate(kernels, batch_size=200, verbose=0)
    error = found.std() / np.sqrt(len(found))
    assert abs(loss + found.mean()) < 3 * error


def test_evaluation_does_not_depend_on_its_blocks(trained, monkeypatch):
    kernels = _kernels(10)
    found = trained.log_prob(kernels, 7, importance_weighted=True)
    monkeypatch.setattr(kernel_log_prob, "_SAMPLES", 3)
    again = trained.log_prob(kernels, 7, importance_weighted=True)
    np.testing.assert_allclose(found, again, rtol=1e-5)
    fewer = trained.log_prob(kernels[:4], 7, importance_weighted=True)
    assert fewer.shape == (4,)


def test_seeds_say_the_noise(trained, monkeypatch):
    kernels = np.repeat(_kernels(1), 4, axis=0)
    one, other = (trained.log_prob(kernels, 1, seed=seed) for seed in (0, 1))
    assert (one != other).all()
    # Equal kernels have noise of their own, in other blocks too.
    monkeypatch.setattr(kernel_log_prob, "_KERNELS", 2)
    assert len(set(trained.log_prob(kernels, 1))) == 4
    made = [bbh.models.KernelAutoencoder(3, seed=seed) for seed in (0, 0, 1)]
    for model in made[1:]:
        model.set_weights(made[0].get_weights())
    one, again, other = (np.array(model(kernels)) for model in made)
    np.testing.assert_array_equal(one, again)
    assert (one != other).all()


def test_the_prior_is_the_autoencoder(trained):
    kernels = _kernels(300)
    others = bbh.priors.Normal(0.0, 2.0)
    prior = trained.as_prior(
        num_importance_samples=1500, others=others, num_slices=7
    )
    assert prior.others is others
    assert prior.num_slices == 7
    key = bbh.randomness.key(0)
    found = np.asarray(prior.slice_log_prob(tf.constant(kernels[:20]), key))
    expected = trained.log_prob(kernels[:20], 1500, importance_weighted=True)
    # Of a slice that the reverse model does not know, few samples count.
    assert np.median(np.abs(found - expected)) < 0.2
    before = [np.array(v) for v in trained.variables]
    assert all(v.trainable for v in trained.decoder.variables)
    prior.reverse.set_weights([0 * v for v in prior.reverse.get_weights()])
    for old, new in zip(before, trained.variables):
        np.testing.assert_array_equal(old, new)


def test_a_saved_one_goes_on_as_the_other_would(trained, tmp_path):
    trained.save(tmp_path / "autoencoder.keras")
    loaded = keras.models.load_model(tmp_path / "autoencoder.keras")
    kernels = _kernels(20)
    np.testing.assert_array_equal(
        trained.log_prob(kernels), loaded.log_prob(kernels)
    )
    assert loaded.get_config() == trained.get_config()
    loaded.fit(kernels, epochs=1, verbose=0)


def test_weights_and_losses_are_refused(trained):
    kernels, ones = _kernels(4), np.ones(4)
    for call, labels, name in (
        # Without labels Keras drops weights, unseen.
        (trained.fit, (), "sample_weight"),
        (trained.evaluate, (), "sample_weight"),
        (trained.test_on_batch, (ones,), "sample_weight"),
        (trained.train_on_batch, (np.zeros(4),), "class_weight"),
    ):
        given = {0: 2.0} if name == "class_weight" else ones
        with pytest.raises(ValueError, match="expected no sample_weight"):
            call(kernels, *labels, **{name: given})
    for call in (trained.fit, trained.evaluate, trained.train_on_batch):
        with pytest.raises(ValueError, match="expected no labels y"):
            call(kernels, ones)
    with pytest.raises(ValueError, match="expected no loss; got 'mse'"):
        trained.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"expected no metrics; got \['mae"):
        trained.compile("sgd", metrics=["mae"])


def test_what_is_no_kernel_is_refused(trained):
    with pytest.raises(ValueError, match=r"kernels \(count, 3, 3\); got shape"):
        trained.fit(np.zeros((5, 5, 5)), verbose=0)
    with pytest.raises(ValueError, match="1 numbers that are not finite"):
        trained.log_prob([[[0, 0, 0], [0, np.inf, 0], [0, 0, 0]]])
    for size in (4, 1, 2.0):
        with pytest.raises(ValueError, match="to be an odd integer, at least"):
            bbh.models.KernelAutoencoder(size)
    for steps in (-1, None, 0.5):
        with pytest.raises(ValueError, match="num_steps to be a positive"):
            bbh.models.KernelAutoencoder(3, num_steps=steps)
    for call in (trained.fit, trained.evaluate, trained.predict):
        with pytest.raises(ValueError, match=r"kernels \(count, 3, 3\); got s"):
            call(np.zeros((2, 5, 5)), verbose=0)
        with pytest.raises(ValueError, match="that are not finite"):
            call(np.full((2, 3, 3), np.nan), verbose=0)
        with pytest.raises(ValueError, match="of which no such array can be"):
            call([np.zeros((3, 3)), np.zeros((5, 5))], verbose=0)


def test_a_list_of_slices_is_an_array_of_them():
    def trained(kernels):
        model = bbh.models.KernelAutoencoder(3, seed=1)
        model.compile(keras.optimizers.Adam(0.01))
        model.set_weights(start)
        losses = model.fit(
            kernels, shuffle=False, batch_size=4, verbose=0
        ).history["loss"]
        return (
            losses,
            model.evaluate(kernels, verbose=0),
            model.predict(kernels, verbose=0),
        )

    start = bbh.models.KernelAutoencoder(3, seed=1).get_weights()
    kernels = _kernels(6)
    expected = trained(kernels)
    for given in (list(kernels), tuple(kernels), kernels.tolist()):
        for one, other in zip(expected, trained(given), strict=True):
            np.testing.assert_array_equal(one, other)


def test_slices_of_a_layer_are_its_kernels():
    layer = keras.layers.Conv2D(4, (3, 5))
    layer.build((None, 8, 8, 2))
    kernel = np.array(layer.kernel)
    slices = bbh.models.kernel_slices(layer)
    assert slices.shape == (8, 3, 5)
    # Outputs fastest: the sixth is of the second input and second output.
    np.testing.assert_array_equal(slices[5], kernel[:, :, 1, 1])
    np.testing.assert_array_equal(
        slices, weights.to_kernel_slices(kernel[None])[0]
    )
    norms = np.linalg.norm(slices, axis=(1, 2))
    least = np.median(norms)
    kept = bbh.models.kernel_slices(kernel, min_norm=least)
    np.testing.assert_array_equal(kept, slices[norms >= least])
    with pytest.raises(ValueError, match="expects a built Conv2D; got Dense"):
        bbh.models.kernel_slices(keras.layers.Dense(3))
    with pytest.raises(ValueError, match=r"got shape \(4, 2\)"):
        bbh.models.kernel_slices(np.zeros((4, 2)))


def test_a_scale_is_a_change_of_variables(tmp_path):
    plain = bbh.models.KernelAutoencoder(5, latent_dim=2, seed=1)
    scaled = bbh.models.KernelAutoencoder(5, latent_dim=2, seed=1, scale=0.1)
    scaled.set_weights(plain.get_weights())
    kernels = np.random.default_rng(0).normal(0, 0.3, (6, 5, 5))
    expected = plain.log_prob(kernels) - 25 * np.log(0.1)
    np.testing.assert_allclose(
        scaled.log_prob(0.1 * kernels), expected, rtol=1e-4
    )
    draws, small = (
        x.as_prior().sample_slices(1, 4, bbh.randomness.key(3))
        for x in (plain, scaled)
    )
    np.testing.assert_allclose(small, 0.1 * np.array(draws), rtol=1e-4)
    scaled.save(tmp_path / "scaled.keras")
    loaded = keras.models.load_model(tmp_path / "scaled.keras")
    np.testing.assert_array_equal(
        loaded.log_prob(kernels), scaled.log_prob(kernels)
    )


@pytest.mark.parametrize("scale", [0, -1.0, np.nan, "unit"])
def test_a_scale_that_is_none_is_refused(scale):
    with pytest.raises(ValueError, match="Expected scale to be a finite"):
        bbh.models.KernelAutoencoder(5, scale=scale)


def test_kernels_that_are_small_for_the_networks_are_told(tmp_path):
    kernels = np.random.default_rng(0).normal(0, 0.03, (40, 3, 3))
    model = bbh.models.KernelAutoencoder(3, seed=0)
    model.compile("adam")
    with pytest.warns(UserWarning, match=r"of 0\.03.*Autoencoder\(scale=0\.1"):
        model.fit(kernels, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    with pytest.warns(UserWarning, match="are small for the"):
        loaded.fit(kernels, verbose=0)
    model.fit(5 * kernels, verbose=0)
    scaled = bbh.models.KernelAutoencoder(3, seed=0, scale=1)
    scaled.compile("adam")
    scaled.fit(kernels, verbose=0)

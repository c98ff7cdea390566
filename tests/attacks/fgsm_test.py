"""The fast gradient sign method against foolbox and against formulas."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from bbh_tf import attacks
from tests.models import small_models

GENERATOR = np.random.default_rng(0)
IMAGES = GENERATOR.random((23, 4)).astype(np.float32)
LABELS = GENERATOR.integers(0, 3, 23)


def plain(seed=0):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, activation="tanh"),
            keras.layers.Dense(3),
        ]
    )


@pytest.mark.parametrize("mode", ["expected_gradient", "paper"])
@pytest.mark.parametrize("epsilon", [0.0, 0.05, 0.4])
def test_equals_foolbox_on_one_network(mode, epsilon):
    foolbox = pytest.importorskip("foolbox")
    model = plain()
    attack = foolbox.attacks.LinfFastGradientAttack(random_start=False)
    _, expected, _ = attack(
        foolbox.TensorFlowModel(model, bounds=(0, 1)),
        tf.constant(IMAGES),
        tf.constant(LABELS),
        epsilons=epsilon,
    )
    found = attacks.fgsm([model], IMAGES, LABELS, epsilon, mode)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found.dtype == np.float32


def test_the_expected_gradient_is_that_of_the_mean_probability():
    models = [plain(seed) for seed in range(5)]
    x = tf.constant(IMAGES)
    with tf.GradientTape() as tape:
        tape.watch(x)
        mean = tf.reduce_mean([tf.nn.softmax(model(x)) for model in models], 0)
        loss = -tf.math.log(tf.gather(mean, LABELS, batch_dims=1))
    expected = np.sign(tape.gradient(loss, x))
    found = attacks.fgsm_direction(models, IMAGES, LABELS)
    np.testing.assert_array_equal(found, expected)
    # In any order, and in any batches.
    again = attacks.fgsm_direction(models[::-1], IMAGES, LABELS, batch_size=7)
    np.testing.assert_array_equal(again, expected)


def test_a_draw_that_is_sure_and_wrong_does_not_drown_the_rest():
    # p(y) of the first network underflows in float32, and its gradient is
    # large: the mean probability hardly depends on it.
    weak = plain()

    def sure(x):
        return tf.stack([1e3 * x[:, 0], -1e3 * x[:, 0], 0.0 * x[:, 0]], 1)

    labels = np.ones(len(IMAGES), np.int64)
    alone = attacks.fgsm_direction([weak], IMAGES + 0.5, labels)
    both = attacks.fgsm_direction([sure, weak], IMAGES + 0.5, labels)
    np.testing.assert_array_equal(alone, both)


def test_the_paper_s_mode_averages_images():
    models = [plain(seed) for seed in range(4)]
    each = [
        attacks.fgsm([model], IMAGES, LABELS, 0.3, clip_range=None)
        for model in models
    ]
    found = attacks.fgsm(
        models, IMAGES, LABELS, 0.3, mode="paper", clip_range=None
    )
    np.testing.assert_allclose(found, np.mean(each, 0), atol=1e-6)
    # Where draws disagree the step is shorter: that is what is wrong with it.
    assert np.abs(found - IMAGES).min() < 0.29
    assert np.abs(np.abs(each[0] - IMAGES) - 0.3).max() < 1e-6


@pytest.mark.parametrize("clip_range", [(0.0, 1.0), (-0.2, 1.1), None])
def test_pixels_stay_in_range(clip_range):
    found = attacks.fgsm([plain()], IMAGES, LABELS, 0.4, clip_range=clip_range)
    low, high = clip_range or (-0.4, 1.4)
    assert found.min() >= low and found.max() <= high
    if clip_range is None:
        assert found.min() < 0 and found.max() > 1


def test_raises_the_loss_of_a_bayesian_model():
    model = small_models.model()

    def nll(images):
        return model.evaluate(images, LABELS, num_samples=20, return_dict=True)[
            "nll"
        ]

    moved = attacks.fgsm(
        model.networks(20), IMAGES, LABELS, 0.4, clip_range=None
    )
    noise = 0.4 * np.sign(GENERATOR.standard_normal(IMAGES.shape))
    assert nll(moved) > nll(IMAGES) + 0.01
    assert nll(moved) > nll(IMAGES + noise.astype(np.float32)) + 0.01


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epsilon": -0.1}, "finite number >= 0; got -0.1"),
        ({"epsilon": float("nan")}, "finite number >= 0; got nan"),
        ({"batch_size": 0}, "batch_size to be a positive integer; got 0"),
        ({"mode": "pgd"}, "one of expected_gradient, paper; got 'pgd'"),
        ({"networks": []}, "at least one network; got none"),
        ({"networks": plain()}, r"such as \[model\] or .*; got <Seq"),
        ({"networks": ["network"]}, "callables, .*; got 'network'"),
        (
            {"networks": [lambda x: tf.nn.softmax(plain()(x))]},
            "return logits; got probabilities, rows that sum to 1",
        ),
        ({"labels": LABELS[:5]}, r"labels of shape \(5,\)"),
        ({"labels": LABELS.astype(float)}, "one integer label"),
        # Of one logit, and labels that are all 0, nothing would move.
        (
            {
                "networks": [lambda x: plain()(x)[:, :1]],
                "labels": np.zeros(23, int),
            },
            r"logits \(batch, classes\) of two classes or more; .* \(23, 1\)",
        ),
        ({"networks": [lambda x: plain()(x)[:, 0]]}, r"or more; .* \(23,\)"),
        ({"labels": LABELS + 1}, "labels from 0 to 2, .*; got 3"),
        ({"labels": LABELS - 1}, "labels from 0 to 2, .*; got -1"),
        ({"clip_range": 1.0}, r"clip_range to be \(lowest, highest\); got 1"),
        ({"images": np.full((23, 4), np.nan)}, "finite gradients"),
        # It showed the weights, over many lines.
        (
            {
                "images": np.full((23, 4), np.nan),
                "networks": [functools.partial(lambda x, w: plain()(x), w=0)],
            },
            r"some that are not, of a draw of the weights\.$",
        ),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    arguments = {
        "networks": [plain()],
        "images": IMAGES,
        "labels": LABELS,
        "epsilon": 0.1,
        **changes,
    }
    with pytest.raises(ValueError, match=message):
        attacks.fgsm(**arguments)


@pytest.mark.parametrize("mode", ["expected_gradient", "paper"])
def test_no_images_are_moved_to_none(mode):
    moved = attacks.fgsm([plain()], IMAGES[:0], LABELS[:0], 0.1, mode)
    assert moved.shape == IMAGES[:0].shape


def test_small_gradients_of_half_precision_are_not_lost():
    dense = keras.layers.Dense(2, dtype="mixed_float16")
    network = keras.Sequential([keras.Input((3,)), dense])
    # Sure of class 0: the gradient is some 1e-8, below what float16 holds.
    dense.kernel.assign([[1.0, -1.0], [-1.0, 1.0], [0.0, 0.0]])
    dense.bias.assign([9.5, -9.5])
    direction = attacks.fgsm_direction([network], np.zeros((1, 3)), [0])
    np.testing.assert_array_equal(direction, [[-1.0, 1.0, 0.0]])


def test_images_outside_of_the_range_are_refused():
    def network(x):
        return tf.stack([x[:, 0], -x[:, 0]], axis=1)

    images = np.array([[-1.5], [0.5], [2.0]], "float32")
    labels = np.zeros(3, int)
    with pytest.raises(ValueError, match="some from -1.5 to 2: give clip_rang"):
        attacks.fgsm([network], images, labels, 0.1)
    moved = attacks.fgsm([network], images, labels, 0.1, clip_range=(-1.5, 2))
    np.testing.assert_allclose(moved, [[-1.5], [0.4], [1.9]], rtol=1e-6)


def test_networks_without_a_gradient_are_refused():
    network = keras.Sequential(
        [
            keras.Input((3,), dtype="int32"),
            keras.layers.Embedding(5, 2),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )
    words = np.ones((2, 3))
    with pytest.raises(ValueError, match="have a gradient with respect to"):
        attacks.fgsm([network], words, [0, 1], 0.1)

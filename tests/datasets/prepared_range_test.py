"""What black and white become in a prepared image."""

import numpy as np

from bbh_tf.datasets import prepare
from bbh_tf.datasets import prepared_range


def test_black_and_white_pixels_are_the_ends():
    images = np.random.default_rng(0).random((3, 32, 32, 3), np.float32)
    images[:, 10, 10] = 0.0
    images[:, 11, 11] = 1.0
    prepared = np.asarray(prepare(images))
    lowest, highest = prepared_range(images)
    assert lowest.shape == highest.shape == (3, 1, 1, 1)
    # The middle begins at the fourth pixel.
    for place, end in ((6, lowest), (7, highest)):
        pixels = prepared[:, place, place]
        np.testing.assert_allclose(
            pixels, np.broadcast_to(end[:, 0, 0], pixels.shape), rtol=1e-4
        )

"""The convolutional autoencoder of images of Figures 4(a) and 7."""

import typing

import keras
import tensorflow as tf

from bbh_tf import randomness

_SLOPE = 0.01


class Form(typing.NamedTuple):
    """What an autoencoder is for one size of images.

    Attributes:
        image_size: height and width.
        encoder: list of `(filters, kernel size, stride)`.
        decoder: likewise, transposed, from one pixel on; what is more than an
            image at the end is cut off.
        latent_dim: dimension of z.
    """

    image_size: int
    encoder: tuple
    decoder: tuple
    latent_dim: int


# That of MNIST is the paper's (App. G). No size of z gives the 1,641,665
# parameters that it states; 78, the nearest, gives 1,642,909. That of the
# digits is not the paper's.
FORMS = {
    "mnist": Form(
        28,
        ((64, 7, 2), (128, 5, 1)),
        ((128, 5, 1), (64, 5, 2), (1, 5, 2)),
        78,
    ),
    "digits": Form(
        8, ((16, 3, 1), (32, 3, 1)), ((32, 3, 1), (16, 3, 2), (1, 3, 1)), 8
    ),
}


class ImageAutoencoder(keras.Model):
    """Learns a density of images in [0, 1], each pixel a Bernoulli's mean.

    Called on images, it returns the bound on log p(x) of each, nats, from one
    sample of z; `fit` minimises its mean with the sign turned. Convolutions
    are `conv1` and `conv2`, transposed ones `transposed1` to `transposed3`.

    Args:
        form: a `Form`.
        seed: seed of the samples of z, and of the dense layers.

    References:
        Atanov et al., The Deep Weight Prior, arXiv:1810.06943, App. E and G.
    """

    def __init__(self, form, seed=0):
        super().__init__(dtype="float32")
        self.form = form
        self.seed_generator = keras.random.SeedGenerator(seed)
        inputs = keras.Input((form.image_size, form.image_size, 1))
        x = inputs
        for index, (filters, size, stride) in enumerate(form.encoder, 1):
            x = keras.layers.Conv2D(filters, size, stride, name=f"conv{index}")(
                x
            )
            x = keras.layers.LeakyReLU(_SLOPE)(x)
        x = keras.layers.Flatten()(x)
        heads = [
            keras.layers.Dense(
                form.latent_dim,
                activation,
                kernel_initializer=keras.initializers.GlorotUniform(
                    seed + 1 + index
                ),
                name=name,
            )(x)
            for index, (name, activation) in enumerate(
                (("mean", None), ("variance", "softplus"))
            )
        ]
        self.encoder = keras.Model(inputs, heads)
        inputs = keras.Input((form.latent_dim,))
        x = keras.layers.Reshape((1, 1, form.latent_dim))(inputs)
        for index, (filters, size, stride) in enumerate(form.decoder, 1):
            if index > 1:
                x = keras.layers.LeakyReLU(_SLOPE)(x)
            x = keras.layers.Conv2DTranspose(
                filters, size, stride, name=f"transposed{index}"
            )(x)
        logits = x[:, : form.image_size, : form.image_size]
        self.decoder = keras.Model(inputs, logits)
        self.built = True

    def call(self, images):
        """Bounds log p(x); see the class."""
        mean, variance = self.encoder(images)
        variance = tf.maximum(variance, 1e-10)
        noise = randomness.example_normal(tf.shape(mean), self.seed_generator)
        logits = self.decoder(mean + tf.sqrt(variance) * noise)
        each = tf.nn.sigmoid_cross_entropy_with_logits(images, logits)
        kl = 0.5 * tf.reduce_sum(
            variance + tf.square(mean) - 1.0 - tf.math.log(variance), axis=1
        )
        return -tf.reduce_sum(each, axis=(1, 2, 3)) - kl

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """Returns minus the mean bound."""
        del x, y, sample_weight, training
        return -tf.reduce_mean(y_pred)

    def kernels(self):
        """Returns the variables of the convolutions, by their names."""
        return {
            layer.name: layer.kernel
            for part in (self.encoder, self.decoder)
            for layer in part.layers
            if isinstance(
                layer, keras.layers.Conv2D | keras.layers.Conv2DTranspose
            )
        }

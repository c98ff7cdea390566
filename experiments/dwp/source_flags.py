"""The flags that say where images, kernels and autoencoders are."""

from absl import flags

# They are in the --help of the command that has them.
flags.disclaim_key_flags()


def define():
    """Defines `--data_dir`, `--kernels` and `--autoencoders`.

    Returns:
        Their holders, in this order.
    """
    return (
        flags.DEFINE_string(
            "data_dir", None, "Folder of MNIST or CIFAR-10; none: the default."
        ),
        flags.DEFINE_list(
            "kernels",
            [],
            "A file of learned kernels for each convolution; none, for the "
            "digits: made here.",
        ),
        flags.DEFINE_list(
            "autoencoders",
            [],
            "An autoencoder of kernels for each convolution: .keras of "
            "dwp_prior, or a released .npz; none: trained here.",
        ),
    )

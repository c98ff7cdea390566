"""Kernels and autoencoders for the digits that took no training."""

import numpy as np

import bbh_tf as bbh


def write(folder):
    """Writes them; returns the paths of the kernels and the autoencoders."""
    generator = np.random.default_rng(0)
    kernels, autoencoders = [], []
    for index in range(2):
        kernels.append(str(folder / f"{index}.npy"))
        np.save(kernels[-1], generator.normal(0, 0.3, (40, 3, 3)))
        autoencoders.append(str(folder / f"{index}.keras"))
        bbh.models.KernelAutoencoder(3, 2, seed=index).save(autoencoders[-1])
    return tuple(kernels), tuple(autoencoders)

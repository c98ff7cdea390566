"""Bayes by Hypernet as this library advises it.

What `bbh_tf.models.bayes_by_hypernet` chooses; docs/choosing.md says why.
"""

import dataclasses

from experiments.methods import bbh

METHOD = dataclasses.replace(
    bbh.METHOD,
    name="bbh_advised",
    title="Bayes by Hypernet, advised",
    color="#CC79A7",
    settings={
        "learned_prior_scale": True,
        "divergence": "entropy",
        "num_neighbours": 3,
        "hypernetwork_units": (64, 256, 4),
        "noise_dim": 8,
        "hypernetwork_initializer": "hyperfan",
        "start": "network",
        "learning_rate": 3e-4,
        "learning_rate_decay": "cosine",
        "global_clipnorm": 100.0,
        "anneals": (0.05, 0.45),
    },
    # Few examples are few steps, over which the noise of one draw does not
    # average out, and a small rate does not get far.
    datasets={
        "digits": {
            "hypernetwork_units": (64, 256, 16),
            "num_likelihood_samples": 5,
            "learning_rate": 1e-3,
        }
    },
    # The authors have no such row.
    released={},
    released_datasets={},
    tables=("mnist_methods",),
)

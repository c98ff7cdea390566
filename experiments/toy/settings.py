"""What each method of Figure 1 is trained with."""

import dataclasses

METHODS = {
    "map": "MAP",
    "ensemble": "Deep ensemble",
    "dropout": "MC dropout",
    "bbb": "Bayes by Backprop",
    "mnf": "MNF",
    "bbh": "Bayes by Hypernet",
}
DIVERGENCES = ("kernel", "full_kernel", "entropy", "constant_entropy")
UNITS = 100


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of one method; those of other methods are left unused.

    Attributes:
        num_steps: training steps, each on all 20 points.
        learning_rate: Adam's.
        decays: whether it falls to zero along a cosine.
        epsilon: Adam's.
        clipnorm: largest norm of the gradient of all parameters together;
            None or 0 for no limit. Distances between nearest neighbours come
            near zero, and gradients of their logarithms near infinity.
        has_prior: whether MAP, ensemble and dropout have the N(0, 1) prior
            of the weights as L2.
        kl_scale: factor on the KL; 1 is Bayes' rule.
        anneals_to_zero: whether the KL is switched off as in the authors'
            code.
        num_likelihood_samples: draws under which the likelihood is taken.
            Those of dropout and MNF have noise of its own for each point.
        num_members: members of the ensemble.
        adversarial_epsilon: how far its adversarial examples are moved.
        dropout_rate: rate behind the hidden layer.
        initial_log_variance: where BbB's log-variances start.
        max_std: bound of MNF's standard deviations, or None.
        initial_log_std: where their logarithms start.
        initial_z_mean: where MNF's factors start.
        divergence: estimate of BbH's KL, one of `DIVERGENCES`.
        num_samples: samples of q, and of the prior, in that estimate.
        num_prior_samples: samples of the prior, where they are more; or None.
        noise_dim: dimension of BbH's noise.
        shared_noise: whether its four hypernetworks share the noise.
        hypernetwork_units: widths of their hidden layers.
    """

    num_steps: int
    learning_rate: float
    decays: bool = True
    epsilon: float = 1e-7
    clipnorm: float | None = None
    has_prior: bool = False
    kl_scale: float = 1.0
    anneals_to_zero: bool = False
    num_likelihood_samples: int = 1
    num_members: int = 10
    adversarial_epsilon: float = 0.01
    dropout_rate: float = 0.5
    initial_log_variance: float = -3.0
    max_std: float | None = None
    initial_log_std: float = -1.5
    initial_z_mean: float = 1.0
    divergence: str = "kernel"
    num_samples: int = 5
    num_prior_samples: int | None = None
    noise_dim: int = 1
    shared_noise: bool = True
    hypernetwork_units: tuple = (16, 32, 64)


_RELEASED_CODE = Settings(
    num_steps=40,
    learning_rate=0.1,
    decays=False,
    epsilon=1e-5,
    # The mean of the likelihood over the points, beside the whole KL.
    kl_scale=20.0,
    anneals_to_zero=True,
    max_std=0.5,
    initial_log_std=-9.0,
    initial_z_mean=0.0,
    divergence="constant_entropy",
)
_POINT = Settings(num_steps=2000, learning_rate=0.01, has_prior=True)
_PAPER = {
    "map": _POINT,
    "ensemble": dataclasses.replace(_POINT, has_prior=False),
    "dropout": _POINT,
    "bbb": Settings(
        num_steps=4000, learning_rate=0.02, num_likelihood_samples=5
    ),
    "mnf": Settings(num_steps=2000, learning_rate=0.01),
    "bbh": Settings(
        num_steps=5000,
        learning_rate=0.005,
        clipnorm=1.0,
        num_likelihood_samples=5,
    ),
}
_PRESETS = {
    "paper": _PAPER,
    "released_code": {
        **dict.fromkeys(METHODS, _RELEASED_CODE),
        "bbh": dataclasses.replace(_RELEASED_CODE, learning_rate=0.02),
    },
}
PRESETS = tuple(_PRESETS)
SCALES = ("full", "smoke")
_SMOKE = {"num_steps": 20, "num_members": 2}
_NUM_PREDICTION_SAMPLES = {"paper": 500, "released_code": 100}


def of(preset, method, scale="full", **changes):
    """Returns the settings of a method.

    Args:
        preset: one of `PRESETS`.
        method: one of `METHODS`.
        scale: one of `SCALES`.
        **changes: settings in place of the preset's; None leaves one as it
            is.

    Returns:
        A `Settings`.
    """
    given = {k: v for k, v in changes.items() if v is not None}
    if scale == "smoke":
        given = {**_SMOKE, **given}
    return dataclasses.replace(_PRESETS[preset][method], **given)


def num_prediction_samples(preset, number=None):
    """Returns how many draws are predicted: a number given, or the preset's."""
    return number or _NUM_PREDICTION_SAMPLES[preset]

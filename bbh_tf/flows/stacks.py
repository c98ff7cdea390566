"""The flows of Bayesian hypernetworks, as recipes."""

from bbh_tf import checks
from bbh_tf import randomness
from bbh_tf.flows import chain
from bbh_tf.flows import coupling
from bbh_tf.flows import elementwise_affine
from bbh_tf.flows import inverse_autoregressive as autoregressive
from bbh_tf.flows import permutation
from bbh_tf.flows import scales


def real_nvp(
    num_layers=8,
    units=(200,),
    mixing="random",
    initial_log_scale=-6.25,
    weight_norm=False,
    seed=None,
    max_log_scale=scales.MAX_LOG_SCALE,
):
    """Returns an elementwise affine map, then RealNVP couplings.

    Args:
        num_layers: number of couplings, 0 or more; 8 in the paper's MNIST and
            CIFAR rows. With none, a posterior by it is factorised.
        units: widths of the hidden layers of a coupling.
        mixing: order of the elements between couplings: `"random"` or
            `"reversed"`.
        initial_log_scale: see `ElementwiseAffine`.
        weight_norm: see `Coupling`.
        seed: seed of random orders; None for a random one.
        max_log_scale: see `Coupling`; None for the authors' form.

    Returns:
        A `Chain`, unbuilt.

    Raises:
        ValueError: if an argument is invalid.

    References:
        Krueger et al., Bayesian Hypernetworks, arXiv:1710.04759.
    """
    checks.check_count("num_layers", num_layers, fewest=0)
    seed = randomness.seed_or_random(seed)
    flows = [elementwise_affine.ElementwiseAffine(initial_log_scale)]
    for index in range(num_layers):
        flows += [
            coupling.Coupling(
                units=units,
                weight_norm=weight_norm,
                max_log_scale=max_log_scale,
            ),
            permutation.Permutation(mixing, seed + index),
        ]
    return chain.Chain(flows)


def inverse_autoregressive(
    num_layers=4,
    units=(200,),
    initial_log_scale=-6.25,
    seed=None,
    max_log_scale=scales.MAX_LOG_SCALE,
):
    """Returns an elementwise affine map, then inverse autoregressive flows.

    Each of these has a random ordering of its own.

    Args:
        num_layers: number of autoregressive flows, 0 or more.
        units: widths of the hidden layers of one.
        initial_log_scale: see `ElementwiseAffine`.
        seed: seed of random orderings; None for a random one.
        max_log_scale: see `InverseAutoregressive`.

    Returns:
        A `Chain`, unbuilt.

    Raises:
        ValueError: if an argument is invalid.

    References:
        Krueger et al., Bayesian Hypernetworks, arXiv:1710.04759.
    """
    checks.check_count("num_layers", num_layers, fewest=0)
    seed = randomness.seed_or_random(seed)
    return chain.Chain(
        [
            elementwise_affine.ElementwiseAffine(initial_log_scale),
            *(
                autoregressive.InverseAutoregressive(
                    units, seed=seed + index, max_log_scale=max_log_scale
                )
                for index in range(num_layers)
            ),
        ]
    )

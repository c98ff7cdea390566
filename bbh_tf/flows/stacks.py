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
    couple = coupling.Coupling(
        units=units, weight_norm=weight_norm, max_log_scale=max_log_scale
    )
    return _stack(
        initial_log_scale,
        lambda seed: [couple, permutation.Permutation(mixing, seed)],
        num_layers,
        seed,
    )


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
    return _stack(
        initial_log_scale,
        lambda seed: [
            autoregressive.InverseAutoregressive(
                units, seed=seed, max_log_scale=max_log_scale
            )
        ],
        num_layers,
        seed,
    )


def _stack(initial_log_scale, make_layer, num_layers, seed):
    checks.check_count("num_layers", num_layers, fewest=0)
    seed = randomness.seed_or_random(seed)
    # One at least is made: wrong arguments are refused if none is asked for.
    layers = [
        make_layer((seed + index) % 2**63)
        for index in range(max(num_layers, 1))
    ]
    flows = [elementwise_affine.ElementwiseAffine(initial_log_scale)]
    for layer in layers[:num_layers]:
        flows += layer
    return chain.Chain(flows)

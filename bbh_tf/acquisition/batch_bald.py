"""BatchBALD: examples whose labels together tell most."""

import numpy as np

from bbh_tf import checks as counts
from bbh_tf import uncertainty
from bbh_tf.acquisition import checks

# Examples looked at together: bounds memory to some 100 MB.
_BLOCK = 128
# Products of probabilities below it are scaled up, long before they underflow.
_SMALL = 2.0**-500


def batch_bald(sample_probabilities, count, num_outcomes=10_000, seed=0):
    """Chooses examples greedily by what their labels jointly tell.

    The score of a batch is the mutual information of all its labels and the
    weights, so that a second example that would tell the same as the first
    counts little. While the labels chosen so far have at most `num_outcomes`
    joint outcomes it is exact (for the draws given); beyond, as many outcomes
    are sampled from the draws, and it is an estimate, with their noise.

    Args:
        sample_probabilities: array-like, `(num_samples, examples,
            classes)`.
        count: how many examples, a positive integer.
        num_outcomes: most joint outcomes that are gone through.
        seed: of what is sampled, an integer >= 0, or a
            `numpy.random.Generator`.

    Returns:
        `(indices, values)`: int64 `(count,)`, in the order in which they were
        chosen, and float64 `(count,)`, the mutual information of the batch up
        to each, nats, from 0 to log of the number of draws.

    Raises:
        ValueError: if the draws are not distributions or fewer than two,
            `count` is not from 1 to the number of examples, `num_outcomes` is
            not a positive integer, or the seed is none.

    References:
        Kirsch et al., BatchBALD, arXiv:1906.08158, Algorithm 1 and Sec. 3.3.
    """
    draws = checks.check_draws(sample_probabilities, 2)
    num_draws, num_examples, num_classes = draws.shape
    checks.check_number(count, num_examples)
    counts.check_count("num_outcomes", num_outcomes)
    generator = checks.generator(seed)
    conditional = uncertainty.expected_entropy(draws)
    # Joint probabilities of outcomes of the labels chosen, under each draw;
    # outcomes sampled with probability `mean` each count 1 / (m mean).
    joint = np.ones((1, num_draws))
    weights = np.ones(1)
    log_scales = np.zeros(1)
    chosen, values = [], []
    for _ in range(count):
        entropies = _joint_entropies(draws, joint, weights, log_scales)
        information = entropies - conditional - np.sum(conditional[chosen])
        information[chosen] = -np.inf
        best = int(np.argmax(information))
        chosen.append(best)
        # Noise may take it beyond: labels tell no more than which draw it is.
        values.append(np.clip(information[best], 0.0, np.log(num_draws)))
        if len(weights) * num_classes <= num_outcomes:
            joint = (joint[:, None] * draws[:, best].T).reshape(-1, num_draws)
            weights = np.ones(len(joint))
            log_scales = np.zeros(len(joint))
        else:
            joint, weights, log_scales = _sample(
                draws[:, chosen], num_outcomes, generator
            )
    return np.array(chosen, np.int64), np.array(values)


def _joint_entropies(draws, joint, weights, log_scales):
    """Entropy of the chosen labels and one more, for each example."""
    num_draws, num_examples, _ = draws.shape
    entropies = np.empty(num_examples)
    for start in range(0, num_examples, _BLOCK):
        block = draws[:, start : start + _BLOCK]
        flat = block.reshape(num_draws, -1)
        total = np.zeros(flat.shape[1])
        # A few outcomes at a time: all of them would be gigabytes.
        for rows in range(0, len(joint), 1024):
            mean = joint[rows : rows + 1024] @ flat / num_draws
            logs = np.log(np.where(mean > 0, mean, 1.0))
            logs += log_scales[rows : rows + 1024, None]
            total -= weights[rows : rows + 1024] @ (mean * logs)
        entropies[start : start + _BLOCK] = total.reshape(
            block.shape[1], -1
        ).sum(axis=1)
    return entropies


def _sample(draws, num_outcomes, generator):
    """Draws outcomes of several labels.

    Returns:
        Their joint probabilities `(outcomes, draws)`, scaled; what each counts,
        of the scaled ones; and the logarithms of what takes the scales back.
    """
    num_draws, num_labels, num_classes = draws.shape
    # Of each draw as many, and which have one more, or any, is chance.
    of_draw = generator.permutation(num_draws)
    of_draw = np.resize(of_draw, num_outcomes)
    cumulative = np.cumsum(draws, axis=-1)
    uniform = generator.random((num_outcomes, num_labels, 1))
    outcomes = np.sum(uniform > cumulative[of_draw], axis=-1)
    outcomes = np.minimum(outcomes, num_classes - 1)
    joint = np.ones((num_outcomes, num_draws))
    log_scales = np.zeros(num_outcomes)
    for label in range(num_labels):
        joint *= draws[:, label, :].T[outcomes[:, label]]
        is_small = joint.max(axis=1) < _SMALL
        joint[is_small] /= _SMALL
        log_scales[is_small] += np.log(_SMALL)
    mean = np.mean(joint, axis=1)
    return joint, 1.0 / (num_outcomes * mean), log_scales

"""Settings of a run that `--set name=value` puts in place of its row's."""

import difflib
import typing

from absl import flags

from experiments import setting_kinds as kinds
from experiments.errors import ExperimentError

# They are in the --help of the command that has them.
flags.disclaim_key_flags()

_DIVERGENCES = ("kernel", "full_kernel", "entropy", "adversarial", "analytic")
_OPTIMIZERS = ("adam", "tf1_rmsprop")
_ARCHITECTURES = ("layerwise", "sliced", "single", "matrix_product")


class Change(typing.NamedTuple):
    """A setting that can be changed.

    Attributes:
        help: what it is, in a few words.
        kind: a `Kind`.
        applies: function that says whether a run with given settings, a
            dictionary with `"method"`, has it.
    """

    help: str
    kind: kinds.Kind
    applies: typing.Callable


def _of(*methods):
    return lambda found: found["method"] in methods


_is_hypernetwork = _of("bbh", "bbh_advised")


def _estimated_by(*divergences):
    return lambda found: found.get("divergence") in divergences


def _always(found):
    del found
    return True


def _has_network(name):
    return lambda found: found.get("network", "lenet") == name


KERNEL = ("kernel", "full_kernel")
# Estimates that look at neighbours among the draws.
BY_NEIGHBOURS = (*KERNEL, "entropy")
CHANGES = {
    "optimizer": Change("the optimiser", kinds.texts(*_OPTIMIZERS), _always),
    "learning_rate": Change("its step size", kinds.POSITIVE, _always),
    "learning_rate_decay": Change(
        "how that falls over the epochs",
        kinds.one_of({"none": None, "cosine": "cosine"}),
        # Members of ensembles count no epochs.
        lambda found: found["method"] not in ("map", "ensemble"),
    ),
    "epsilon": Change("its constant", kinds.POSITIVE, _always),
    "batch_size": Change("examples in a batch", kinds.COUNT, _always),
    "prior_scale": Change(
        "standard deviation of the weights' prior",
        kinds.POSITIVE,
        # The authors' MNF has a prior of its own.
        lambda found: (
            found["method"] != "ensemble"
            and not (found["method"] == "mnf" and found.get("released_mnf"))
        ),
    ),
    "learned_prior_scale": Change(
        "whether each tensor's is learnt, from prior_scale on",
        kinds.BOOL,
        _of("bbh", "bbh_advised", "bbb"),
    ),
    "annealing_start": Change(
        "epoch at which the KL sets in",
        kinds.POSITIVE,
        lambda found: found.get("anneals", False),
    ),
    "annealing_epochs": Change(
        "epochs until it counts in full",
        kinds.POSITIVE,
        lambda found: found.get("anneals", False),
    ),
    "num_likelihood_samples": Change(
        "draws under which a step takes the likelihood",
        kinds.COUNT,
        lambda found: found["method"] not in ("map", "ensemble"),
    ),
    "split_batches": Change(
        "whether each of these sees a part of the batch, not all",
        kinds.BOOL,
        lambda found: found.get("num_likelihood_samples", 1) > 1,
    ),
    "divergence": Change(
        "estimate of the KL",
        kinds.texts(*_DIVERGENCES),
        lambda found: found.get("divergence") is not None,
    ),
    "num_samples": Change(
        "posterior samples of that estimate",
        kinds.COUNT,
        _estimated_by(*BY_NEIGHBOURS, "adversarial"),
    ),
    "num_neighbours": Change(
        "which neighbour it looks at; the paper's is 1",
        kinds.COUNT,
        _estimated_by(*BY_NEIGHBOURS),
    ),
    "num_prior_samples": Change(
        "prior samples of the kernel and adversarial estimates",
        kinds.COUNT,
        _estimated_by(*KERNEL, "adversarial"),
    ),
    "released_kernel": Change(
        "whether the kernel estimates have the authors' 1e-8 terms",
        kinds.BOOL,
        _estimated_by(*KERNEL),
    ),
    "discriminator_steps": Change(
        "steps of the adversarial estimate's discriminator for one of training",
        kinds.COUNT,
        _estimated_by("adversarial"),
    ),
    "architecture": Change(
        "form of the hypernetworks",
        kinds.texts(*_ARCHITECTURES),
        _is_hypernetwork,
    ),
    "start": Change(
        "where their posteriors begin: at random, or around the weights that "
        "a plain network begins with",
        kinds.texts("random", "network"),
        _is_hypernetwork,
    ),
    "hypernetwork_units": Change(
        "widths of their hidden layers; the paper's are 64,256,512",
        kinds.COUNTS,
        _is_hypernetwork,
    ),
    "hypernetwork_initializer": Change(
        "initialiser of their kernels; the authors' is glorot_uniform",
        kinds.texts("glorot_uniform", "hyperfan"),
        _is_hypernetwork,
    ),
    "noise_dim": Change(
        "dimension of their noise", kinds.COUNT, _is_hypernetwork
    ),
    "shared_noise": Change(
        "whether they share it", kinds.BOOL, _is_hypernetwork
    ),
    "kernel_initializer": Change(
        "initialiser of kernels without a posterior; the authors' is "
        "lecun_normal",
        kinds.texts("glorot_uniform", "lecun_normal"),
        _of("map", "dropout", "ensemble"),
    ),
    "initial_log_variance": Change(
        "where those of Bayes by Backprop start", kinds.NUMBER, _of("bbb")
    ),
    "dropout_rate": Change("rate of MC dropout", kinds.SHARE, _of("dropout")),
    "max_std": Change("bound on MNF's deviations", kinds.POSITIVE, _of("mnf")),
    "adversarial_epsilon": Change(
        "how far an ensemble's adversarial training moves a pixel",
        kinds.POSITIVE,
        _of("ensemble"),
    ),
    "units": Change("widths of the LeNet", kinds.THREE, _has_network("lenet")),
    "kernel_size": Change(
        "size of its filters", kinds.COUNT, _has_network("lenet")
    ),
    "strides": Change(
        "strides of the ResNet's stages; the authors' are 2,2,2",
        kinds.THREE,
        _has_network("resnet"),
    ),
    "normalization": Change(
        "where its normalisation has statistics from at prediction: a part of "
        "the training set, the images predicted together, or each image, as "
        "in the authors' code",
        kinds.texts("calibrated", "batch", "image"),
        _has_network("resnet"),
    ),
}


def define_flag():
    """Defines `--set`."""
    names = "; ".join(f"{k}: {change.help}" for k, change in CHANGES.items())
    flags.DEFINE_multi_string(
        "set",
        [],
        "name=value, any number of times: a setting in place of that of every "
        f"row that has it. {names}.",
    )


def from_texts(texts):
    """Returns what `--set` changes.

    Args:
        texts: list of texts, `"name=value"`.

    Returns:
        Tuple of pairs of a name and a value, in the order of `CHANGES`.

    Raises:
        ExperimentError: if a name is not known, comes twice, or its value is
            not as it should be.
    """
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ExperimentError(f"--set: expected name=value; got {text!r}.")
        if name not in CHANGES:
            near = difflib.get_close_matches(name, CHANGES, 1, 0.0)
            raise ExperimentError(
                f"--set: expected one of {', '.join(CHANGES)}; got {name!r}. "
                f"Did you mean {near[0]}?"
            )
        if name in found:
            raise ExperimentError(f"--set: expected {name} once; got it twice.")
        kind = CHANGES[name].kind
        try:
            found[name] = kind.parse(value)
        except ValueError as error:
            raise ExperimentError(
                f"--set {name}: expected {kind.expected}; got {value!r}."
            ) from error
    return tuple((name, found[name]) for name in CHANGES if name in found)


def check(changes, rows):
    """Refuses a change that no row has, or that a row sets itself.

    Args:
        changes: what `from_texts` returns.
        rows: key of a row -> `(settings, own)`: its settings without the
            changes, a dictionary with `"method"`, and the names of those that
            tell it from the table's other rows.

    Raises:
        ExperimentError: naming the setting.
    """
    for name, value in changes:
        for row, (_, own) in rows.items():
            if name in own:
                raise ExperimentError(
                    f"--set {name}: expected none in this table, whose rows "
                    f"set it; got {value} beside {row}."
                )
        if not any(name in kept(found, changes) for found, _ in rows.values()):
            raise ExperimentError(
                f"--set {name}: expected a row that has it among "
                f"{', '.join(rows)}; none does."
            )


def kept(found, changes):
    """Returns the changes that a run with given settings has.

    Args:
        found: dictionary of settings, with `"method"`.
        changes: what `from_texts` returns.

    Returns:
        Dictionary of settings.
    """
    own = {}
    for name, value in changes:
        if CHANGES[name].applies({**found, **own}):
            own[name] = value
    return own


def as_texts(changes):
    """Returns changes as texts that `from_texts` takes."""

    def text(value):
        if isinstance(value, tuple):
            return ",".join(map(str, value))
        return str(value).lower()

    return [f"{name}={text(value)}" for name, value in changes]

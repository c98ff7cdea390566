"""The methods that the tasks of Bayesian hypernetworks compare, by name.

`mle`, `dropout`, `no_coupling`, `real_nvp_8`, `iaf_8` (any number of layers)
and `bbh`, Bayes by Hypernet in the form that this library advises.
"""

import re
import typing

from experiments.errors import ExperimentError

_FLOWS = {"real_nvp": "RealNVP", "iaf": "IAF"}
_FLOW_NAME = re.compile(r"(real_nvp|iaf)_([1-9]\d?)")
_COLORS = {
    "mle": "#000000",
    "dropout": "#009E73",
    "no_coupling": "#0072B2",
    "real_nvp": "#882255",
    "iaf": "#CC79A7",
    "bbh": "#D55E00",
}
_TITLES = {
    "mle": "Maximum likelihood",
    "dropout": "MC dropout",
    "no_coupling": "BHN, no coupling",
    "bbh": "Bayes by Hypernet",
}


class Method(typing.NamedTuple):
    """A method.

    Attributes:
        name: what flags and files call it.
        title: what tables call it.
        color: its colour in figures.
        flow: `"real_nvp"` or `"iaf"` where the scales come out of a flow (no
            coupling is a RealNVP of none), else None.
        num_layers: couplings or autoregressive flows.
    """

    name: str
    title: str
    color: str
    flow: str | None = None
    num_layers: int = 0


def parse(name):
    """Returns the `Method` of a name, or None where there is none."""
    found = _FLOW_NAME.fullmatch(name)
    if found:
        flow, count = found[1], int(found[2])
        title = f"BHN, {_FLOWS[flow]} {count}"
        return Method(name, title, _COLORS[flow], flow, count)
    if name not in _TITLES:
        return None
    flow = "real_nvp" if name == "no_coupling" else None
    return Method(name, _TITLES[name], _COLORS[name], flow)


def check(names):
    """Returns the `Method` of each name.

    Args:
        names: list of names.

    Raises:
        ExperimentError: if there are none, one is unknown, or one comes twice.
    """
    found = [parse(name) for name in names]
    if not names or None in found or len(set(names)) < len(names):
        raise ExperimentError(
            "--methods: expected some of mle, dropout, no_coupling, "
            "real_nvp_<layers>, iaf_<layers>, bbh, each once; got "
            f"{','.join(names) or 'none'}."
        )
    return found


def own_settings(names, falls=True):
    """Says what settings some methods have instead of those of the others.

    Args:
        names: of the methods that were trained.
        falls: whether learning rates fall.

    Returns:
        A list of sentences.
    """
    if "bbh" not in names:
        return []
    rate = "learning rate" if falls else "learning rate (constant here)"
    return [
        "Bayes by Hypernet has what models.bayes_by_hypernet advises: its own "
        f"{rate}, clipping, prior, start, and annealing of the KL."
    ]


def order(method):
    """Returns what methods are sorted by in tables and figures."""
    return list(_COLORS).index(_base(method)), method.num_layers


def _base(method):
    return method.name.removesuffix(f"_{method.num_layers}")

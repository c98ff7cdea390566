"""The authors' four scores of how unsure a prediction is."""

from experiments import lazy

bbh = lazy.import_module("bbh_tf")

SCORES = {
    "bald": "BALD",
    "max_entropy": "maximum entropy",
    "variation_ratio": "1 - largest probability",
    "mean_std": "mean STD",
}


def of(draws):
    """Scores predictions.

    Args:
        draws: `(draws, examples, classes)`, probabilities; two draws or more.

    Returns:
        Dictionary from the keys of `SCORES` to float64 arrays `(examples,)`,
        higher where less sure.
    """
    return {name: one_of(name, draws) for name in SCORES}


def one_of(name, draws):
    """Scores predictions in one way, a key of `SCORES`; see `of`."""
    # The authors' name, by which results are kept; the library's is another.
    if name == "variation_ratio":
        name = "least_confidence"
    return getattr(bbh.acquisition, name)(draws)

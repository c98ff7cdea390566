"""Shows what the objective of Bayes by Hypernet is, and what it leaves out.

python -m experiments.objective --output_dir=runs/objective

On a Gaussian posterior the KL, the sum of the weights' own KLs and the
estimate of training are compared as the noise of each weight goes to 0. On the
cubic of Figure 1 the objective stands beside an honest bound of the evidence
and Bayes by Backprop, and the posterior itself. See docs/objective.md.
"""

import dataclasses

from absl import flags

from experiments import command_line
from experiments import files
from experiments import flag_checks
from experiments import lazy
from experiments import provenance
from experiments.bound import gaussian
from experiments.reporting import exhibit

figure = lazy.import_module("experiments.bound.figure")
toy = lazy.import_module("experiments.bound.toy")

_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for results.json and the figure."
)
_NUM_STEPS = flags.DEFINE_integer(
    "num_steps", 5000, "Training steps on the cubic."
)
_CHAIN_DRAWS = flags.DEFINE_integer(
    "chain_draws", 300, "Draws of each of 16 chains of the No-U-Turn Sampler."
)
_NUM_WEIGHTS = flags.DEFINE_integer(
    "num_weights", 1000, "Weights of the Gaussian posterior."
)
_NOISE_DIM = flags.DEFINE_integer(
    "noise_dim", 8, "Dimension of the Gaussian posterior's noise z."
)
_SIGMAS = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
# Samples of an estimate, as in the paper, and estimates.
_NUM_SAMPLES, _NUM_REPEATS = 5, 50
_SEED = 0


def run():
    """Computes, trains, and writes numbers, table and figure."""
    flag_checks.check_output_dir(_OUTPUT_DIR.value)
    flag_checks.check_fewest(
        # Two draws of a chain, and a step in each tenth of a training.
        (
            (_NUM_STEPS, 10),
            (_CHAIN_DRAWS, 2),
            (_NUM_WEIGHTS, 1),
            (_NOISE_DIM, 1),
        )
    )
    with files.only_user(_OUTPUT_DIR.value) as folder:
        settings = toy.Settings(
            num_steps=_NUM_STEPS.value,
            chain_draws=_CHAIN_DRAWS.value,
            seed=_SEED,
        )
        files.check_results(folder, {"settings": dataclasses.asdict(settings)})
        known = _gaussian(_NUM_WEIGHTS.value, _NOISE_DIM.value)
        reference, diagnostics = toy.posterior(settings)
        functions, found = {}, {}
        for variant in toy.VARIANTS:
            functions[variant], numbers = toy.train(variant, settings)
            found[variant] = {
                **numbers,
                "measures": toy.measure(functions[variant], reference),
            }
        _write(folder, known, settings, found, diagnostics)
        heading, rows = _table(found)
        name = figure.write(
            known, functions, reference, _panel_notes(found), folder
        )
        exhibit.write(
            folder,
            "What the objective is: marginals, dependence, and a bound",
            [exhibit.Figure(name, figure.CAPTION)],
            [
                exhibit.Table(
                    "The cubic under each objective; a | b: where there are "
                    "data, and outside.",
                    heading,
                    rows,
                )
            ],
            _notes(known, diagnostics),
            command_line.command(),
        )
        exhibit.show(folder)


def _gaussian(num_weights, noise_dim):
    matrix = gaussian.generator(num_weights, noise_dim, _SEED)
    found = {
        "num_weights": num_weights,
        "noise_dim": noise_dim,
        "sigma": list(_SIGMAS),
        "estimate": [],
        "error": [],
    }
    for sigma in _SIGMAS:
        for name, value in gaussian.closed_forms(matrix, sigma).items():
            found.setdefault(name, []).append(value)
        mean, error = gaussian.estimate(
            matrix, sigma, _NUM_SAMPLES, _NUM_REPEATS, _SEED
        )
        found["estimate"].append(mean)
        found["error"].append(error)
    return found


def _write(folder, known, settings, found, diagnostics):
    files.write_json(
        folder / "results.json",
        {
            "gaussian": known,
            "settings": dataclasses.asdict(settings),
            "variants": found,
            "reference": diagnostics,
            "provenance": provenance.describe(),
        },
    )


def _table(found):
    heading = [
        "",
        "NLL, 20 points",
        "KL",
        "I(w; z)",
        "W1 to NUTS",
        "std / NUTS's",
        "NLL, test",
    ]
    rows = []
    for variant, numbers in found.items():
        seen, unseen = (numbers["measures"][k] for k in ("seen", "unseen"))
        gain = numbers["information"]
        rows.append(
            [
                toy.VARIANTS[variant][0],
                f"{numbers['nll']:.1f}",
                f"{numbers['kl']:.1f}",
                "" if gain is None else f"{gain:.1f}",
                f"{seen['distance_to_reference']:.1f} | "
                f"{unseen['distance_to_reference']:.1f}",
                f"{seen['std_ratio']:.2f} | {unseen['std_ratio']:.2f}",
                f"{seen['nll']:.2f} | {unseen['nll']:.1f}",
            ]
        )
    return heading, rows


def _panel_notes(found):
    return {
        variant: "std / NUTS's: "
        f"{numbers['measures']['seen']['std_ratio']:.2f} inside, "
        f"{numbers['measures']['unseen']['std_ratio']:.2f} outside"
        for variant, numbers in found.items()
    }


def _notes(known, diagnostics):
    last = {name: known[name][-1] for name in ("sigma", "kl", "marginals")}
    count, gain = known["num_weights"], known["information"][-1]
    return [
        f"The Gaussian posterior of {count:,} weights at σ = "
        f"{last['sigma']:g}: a KL of {last['kl']:,.0f} nats, the weights' own "
        f"together {last['marginals']:.2g}, the estimate "
        f"{known['estimate'][-1]:.0f} ± {known['error'][-1]:.0f}, I(w; z) "
        f"{gain:.0f}.",
        "KL: as each objective has it, in the last tenth of training, nats; "
        "that of marginals is no KL of the posterior, which has none. I(w; z): "
        "what the mixture gains, bounded by log 20,001 = 9.9 nats as measured.",
        f"NUTS: R-hat {diagnostics['r_hat']:.3f}, "
        f"{diagnostics['divergences']} divergences.",
    ]


if __name__ == "__main__":
    command_line.start(run)

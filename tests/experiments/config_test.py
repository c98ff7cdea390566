"""What flags mean in numbers, and what is refused."""

import dataclasses

import pytest

import bbh_tf as bbh
from experiments import changes
from experiments import config as configs
from experiments import methods
from experiments.errors import ExperimentError
from experiments.reporting import tables

_DEFAULTS = {
    "table": "mnist_methods",
    "dataset": "mnist",
    "rows": ("map", "bbb", "bbh"),
    "seeds": (0,),
    "scale": "full",
    "preset": "paper",
    "output_dir": "somewhere",
}


def _run(method, **changes):
    config = configs.Config(**{**_DEFAULTS, "rows": (method,), **changes})
    return config.runs()[0]


def test_paper_preset_is_the_papers():
    bbh = _run("bbh")
    assert (bbh.epochs, bbh.batch_size, bbh.num_samples) == (100, 100, 5)
    assert (bbh.optimizer, bbh.learning_rate) == ("adam", 1e-4)
    assert (bbh.annealing_start, bbh.annealing_epochs) == (5, 15)
    assert (bbh.units, bbh.kernel_size) == ((20, 50, 500), 5)
    assert not bbh.released_kernel
    assert bbh.kl_scale == 1.0
    for method in ("map", "bbb"):
        other = _run(method)
        assert (other.optimizer, other.learning_rate) == ("adam", 1e-3)
        assert other.annealing_start is None


def test_released_code_preset_is_the_authors():
    bbh = _run("bbh", preset="released_code")
    assert (bbh.optimizer, bbh.learning_rate) == ("tf1_rmsprop", 1e-4)
    assert bbh.epsilon == 1e-5
    assert bbh.released_kernel
    assert _run("bbb", preset="released_code").optimizer == "adam"


@pytest.mark.parametrize("scale", ["full", "short", "smoke"])
def test_annealing_is_in_proportion(scale):
    run = _run("bbh", scale=scale)
    assert run.annealing_start == pytest.approx(0.05 * run.epochs)
    assert run.annealing_epochs == pytest.approx(0.15 * run.epochs)


def test_clipping_reaches_the_optimizer():
    for preset in configs.PRESETS:
        settings = {"dataset": "digits", "preset": preset, "scale": "smoke"}
        runs = [
            _run("bbh", **settings),
            _run("bbh", **settings, global_clipnorm=2.0),
        ]
        made = [methods._optimizer(run) for run in runs]
        assert [x.global_clipnorm for x in made] == [None, 2.0]
        assert "clipped at 2" in methods.settings(runs[1])


def test_steps_in_place_of_epochs():
    run = _run("bbh", num_steps=275)
    assert run.num_steps == 275
    assert run.epochs == 1
    assert run.annealing_start == pytest.approx(0.05 * 0.5)


def test_all_methods_and_seeds():
    config = configs.Config(**{**_DEFAULTS, "seeds": (3, 1)})
    pairs = [(run.method, run.seed) for run in config.runs()]
    assert pairs == [
        (method, seed) for method in ("map", "bbb", "bbh") for seed in (3, 1)
    ]


def test_configs_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        _run("map").epochs = 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dataset": "cifar"}, "--dataset: expected one of digits, mnist"),
        ({"scale": "tiny"}, "--scale: expected one of"),
        ({"preset": "mine"}, "--preset: expected one of"),
        ({"rows": ("mcmc",)}, "--methods: expected one of"),
        ({"rows": ()}, "--methods: expected at least one"),
        ({"rows": ("map", "map")}, "--methods: expected each once"),
        ({"seeds": ()}, "--seeds: expected at least one"),
        ({"seeds": (1, 1)}, "--seeds: expected each once"),
        ({"seeds": (-1,)}, "--seeds: expected integers from 0"),
        ({"seeds": (2**31,)}, "--seeds: expected integers from 0"),
        ({"global_clipnorm": 0.0}, "--global_clipnorm: expected a finite"),
        (
            {"global_clipnorm": 1.0, "rows": ("ensemble",)},
            "expected no ensemble beside it",
        ),
        ({"kl_scale": -1.0}, "--kl_scale: expected a finite number"),
        ({"kl_scale": float("nan")}, "--kl_scale: expected a finite"),
        ({"kl_scale": float("inf")}, "--kl_scale: expected a finite"),
        ({"num_steps": 0}, "--num_steps: expected at least 1"),
        ({"num_prediction_samples": 0}, "--num_prediction_samples"),
        ({"num_validation": 9}, "--num_validation: only digits"),
        (
            {"dataset": "digits", "num_validation": 1437},
            "--num_validation: expected an integer from 0 to 1436",
        ),
        (
            {"dataset": "digits", "num_validation": -5},
            "--num_validation: expected an integer from 0 to 1436",
        ),
        (
            {"dataset": "digits", "outlier_dir": "x"},
            "--outlier_dir: only mnist",
        ),
        ({"output_dir": ""}, "--output_dir: expected a folder"),
        (
            {"table": "cifar5_methods"},
            "--dataset: expected one of cifar5; got 'mnist'",
        ),
        (
            {"steps_per_execution": 7},
            "--steps_per_execution: expected a divisor of .* of 550; got 7",
        ),
        (
            {"steps_per_execution": 10, "num_steps": 25},
            "--steps_per_execution: expected a divisor of .* of 25; got 10",
        ),
    ],
)
def test_refuses(changes, message):
    with pytest.raises(ExperimentError, match=message) as caught:
        configs.Config(**{**_DEFAULTS, **changes})
    assert "\n" not in str(caught.value)


NARROW = (("hypernetwork_units", (64, 256, 16)),)
THIRD = (("divergence", "entropy"), ("num_neighbours", 3))


def test_changes_reach_the_rows_that_have_them():
    config = configs.Config(**_DEFAULTS, changes=(*NARROW, *THIRD))
    point, backprop, hypernet = config.runs()
    assert point.changed == ()
    assert point.divergence is None
    assert backprop.changed == ("divergence", "num_neighbours")
    assert hypernet.changed == (
        "hypernetwork_units",
        "divergence",
        "num_neighbours",
    )
    assert hypernet.hypernetwork_units == (64, 256, 16)
    divergence = methods._divergence(hypernet)
    assert isinstance(divergence, bbh.divergences.NearestNeighbourEntropy)
    assert divergence.num_neighbours == 3
    assert "hypernetworks 64, 256, 16 wide" in methods.settings(hypernet)
    assert "entropy KL, neighbour 3" in methods.settings(hypernet)
    name = tables.name_of(dataclasses.asdict(hypernet))
    assert name == (
        "Bayes by Hypernet, hypernetwork units 64-256-16, divergence entropy, "
        "num neighbours 3"
    )


@pytest.mark.parametrize("architecture", ["single", "sliced", "layerwise"])
def test_widths_reach_all_hypernetworks(architecture):
    config = configs.Config(
        **{
            **_DEFAULTS,
            "table": "mnist_architectures",
            "dataset": "digits",
            "scale": "smoke",
            "rows": (architecture,),
        },
        changes=(("hypernetwork_units", (4, 5)), ("noise_dim", 2)),
    )
    (run,) = config.runs()
    model = methods.build(run, bbh.datasets.load("digits").take(20, 10))
    (first, *_) = model.trainable_variables
    assert first.shape[1] == 4
    assert first.shape[0] > 2


def test_flags_become_changes_and_a_command():
    given = {
        "noise_dim": "8",
        "hypernetwork_units": "64,16",
        "divergence": None,
    }
    found = changes.from_flags(given)
    assert found == (("hypernetwork_units", (64, 16)), ("noise_dim", 8))
    assert changes.as_texts(found) == {
        "hypernetwork_units": "64,16",
        "noise_dim": "8",
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"noise_dim": "0"}, "--noise_dim: expected a positive integer"),
        ({"num_neighbours": "x"}, "--num_neighbours: .*; got 'x'"),
        ({"hypernetwork_units": "64,"}, "--hypernetwork_units: .*64,256,16"),
        ({"divergence": "kl"}, "--divergence: expected one of kernel, full"),
    ],
)
def test_a_wrong_flag_is_told(given, message):
    with pytest.raises(ExperimentError, match=message):
        changes.from_flags(given)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"rows": ("map", "bbb"), "changes": NARROW},
            "--hypernetwork_units: expected a row that has it among map, bbb",
        ),
        (
            {"rows": ("bbb",), "changes": THIRD[1:]},
            "--num_neighbours: expected a row that has it",
        ),
        (
            {
                "table": "mnist_divergences",
                "rows": ("kernel",),
                "changes": THIRD[:1],
            },
            "--divergence: expected none in this table.* beside kernel",
        ),
        (
            {"rows": ("bbh",), "changes": (("num_neighbours", 5),)},
            "--num_neighbours: expected fewer than the posterior's 5.*got 5",
        ),
        (
            {
                "rows": ("bbh",),
                "changes": (("num_neighbours", 3), ("num_prior_samples", 2)),
            },
            "--num_prior_samples: expected at least --num_neighbours, 3; got 2",
        ),
        (
            {
                "rows": ("bbh",),
                "preset": "released_code",
                "changes": (("num_neighbours", 3),),
            },
            "--num_neighbours: expected 1 with --preset=released_code",
        ),
    ],
)
def test_a_change_that_fits_no_row_is_refused(settings, message):
    with pytest.raises(ExperimentError, match=message):
        configs.Config(**{**_DEFAULTS, **settings})

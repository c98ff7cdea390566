"""What flags mean in numbers, and what is refused."""

import dataclasses
import json

import numpy as np
import pytest

import bbh_tf as bbh
from experiments import building
from experiments import changes
from experiments import config as configs
from experiments import networks
from experiments import paper_tables
from experiments import run_config
from experiments.errors import ExperimentError
from experiments.methods import parts
from experiments.reporting import tables
from experiments.run_config import RunConfig

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


@pytest.mark.parametrize(("one", "other"), list(paper_tables.SAME_RUNS.items()))
def test_rows_that_are_one_run_have_the_same_settings(one, other):
    figures, settings = [], []
    for table, row in (one, other):
        figures.append(paper_tables.TABLES[table].rows[row].figures)
        found = dataclasses.asdict(_run(row, table=table))
        settings.append({**found, "table": None, "row": None})
    assert figures[0] == figures[1]
    assert settings[0] == settings[1]


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
        made = [building._optimizer(run) for run in runs]
        assert [x.global_clipnorm for x in made] == [None, 2.0]
        assert "clipped at 2" in building.settings(runs[1])
    # The row's own, and none in its place.
    advised = _run("bbh_advised", dataset="mnist")
    assert advised.global_clipnorm == 100
    free = _run("bbh_advised", dataset="mnist", global_clipnorm=0.0)
    assert free.global_clipnorm is None
    assert "clipped" not in building.settings(free)
    assert _run("ensemble", global_clipnorm=0.0).global_clipnorm is None


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
        ({"global_clipnorm": -1.0}, "--global_clipnorm: expected a finite"),
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
        (
            {"dataset": "digits", "data_dir": "x"},
            "--data_dir: expected none with digits, which read no folder",
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
    divergence = parts.divergence(hypernet)
    assert isinstance(divergence, bbh.divergences.NearestNeighbourEntropy)
    assert divergence.num_neighbours == 3
    assert "hypernetworks 64, 256, 16 wide" in building.settings(hypernet)
    assert "entropy KL, neighbour 3" in building.settings(hypernet)
    name = tables.name_of(dataclasses.asdict(hypernet))
    assert name == (
        "Bayes by Hypernet, hypernetwork units 64-256-16, divergence entropy, "
        "num neighbours 3"
    )


def test_a_change_that_is_the_rows_own_by_now_is_not_named():
    def name(**settings):
        (run,) = configs.Config(
            **{**_DEFAULTS, "rows": ("bbh_advised",)},
            changes=tuple(settings.items()),
        ).runs()
        # As a run's file has it.
        return tables.name_of(json.loads(json.dumps(dataclasses.asdict(run))))

    plain = "Bayes by Hypernet, advised"
    assert name(hypernetwork_units=(64, 256, 4), learning_rate=3e-4) == plain
    assert name(hypernetwork_units=(64, 256, 4), learning_rate=1e-3) == (
        f"{plain}, learning rate 0.001"
    )
    assert name(hypernetwork_units=(64, 256, 16)) == (
        f"{plain}, hypernetwork units 64-256-16"
    )


@pytest.mark.filterwarnings("ignore:.* random weights for:UserWarning")
@pytest.mark.parametrize(
    ("dataset", "count", "side"), [("digits", 64, 8), ("mnist", 10_001, 28)]
)
def test_the_advised_row_is_what_one_call_makes(dataset, count, side):
    images = np.zeros((count, side, side, 1), np.float32)
    labels = np.zeros(count, np.int32)
    data = bbh.datasets.ImageData(
        dataset, "none", 10, *(images, labels) * 3, images
    )
    (run,) = configs.Config(
        **{**_DEFAULTS, "dataset": dataset, "rows": ("bbh_advised",)}
    ).runs()
    found = building.build(run, data)
    expected = bbh.models.bayes_by_hypernet(
        networks.build(run, data),
        count,
        num_epochs=run.epochs,
        print_fn=None,
    )

    def chosen(model):
        rate = model.optimizer.get_config()["learning_rate"]
        posterior = model.bayesian_layers[0].posterior.get_config()
        posterior["hypernetwork"]["config"].pop("name")
        return (
            posterior,
            [
                (type(part), part.get_config())
                for part in (model.divergence, model.annealing)
            ],
            (model.num_samples, model.num_likelihood_samples),
            model.split_batches,
            type(model.bayesian_layers[0].prior),
            model.bayesian_layers[0].prior.get_config(),
            (rate["config"], model.optimizer.global_clipnorm),
        )

    assert chosen(found) == chosen(expected)


def test_matrix_products_have_sizes_of_their_own():
    def built(*changes):
        product = ("architecture", "matrix_product")
        config = configs.Config(
            **{**_DEFAULTS, "dataset": "digits", "rows": ("bbh_advised",)},
            changes=(product, *changes),
        )
        (run,) = config.runs()
        data = bbh.datasets.load("digits").take(20, 10)
        layer = building.build(run, data).bayesian_layers[0]
        made = layer.posterior.get_config()["hypernetwork"]
        assert made["class_name"] == "MatrixProduct"
        return made["config"]["units"], building.settings(run)

    units, told = built()
    assert units == [16, 64] and "matrix_product" in told
    assert "wide" not in told and "initialised by hyperfan" not in told
    units, told = built(("hypernetwork_units", (8,)))
    assert units == [8] and "hypernetworks 8 wide" in told


def test_one_vector_of_all_weights_begins_as_glorot_has_it():
    told = {
        architecture: building.settings(
            _run("bbh_advised", changes=(("architecture", architecture),))
        )
        for architecture in ("layerwise", "single")
    }
    assert "initialised by hyperfan" in told["layerwise"]
    assert "initialised by hyperfan" not in told["single"]


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
    model = building.build(run, bbh.datasets.load("digits").take(20, 10))
    (first, *_) = model.trainable_variables
    assert first.shape[1] == 4
    assert first.shape[0] > 2


@pytest.mark.parametrize("start", ["network", "random"])
@pytest.mark.parametrize("architecture", ["single", "sliced", "layerwise"])
def test_posteriors_begin_around_a_plain_network(architecture, start):
    changed = (
        ("architecture", architecture),
        ("start", start),
        ("hypernetwork_units", (8, 4)),
    )
    run = _run("bbh", dataset="digits", changes=changed)
    model = building.build(run, bbh.datasets.load("digits").take(20, 10))
    one, two = (
        next(w for w in model.draw(index=k).weights if w.shape == (32, 32))
        for k in range(2)
    )
    one, two = one.numpy(), two.numpy()
    # A plain network's; and not, of which a random start has as much.
    glorot = (2 / sum(one.shape)) ** 0.5
    is_around = np.std(one) == pytest.approx(glorot, rel=0.1)
    is_around &= np.sqrt(np.mean(np.square(one - two))) < 0.2 * glorot
    assert is_around == (start == "network")


def test_the_learning_rate_falls_over_the_steps_of_a_run():
    changed = (("learning_rate_decay", "cosine"), ("batch_size", 10))
    run = _run("bbb", dataset="digits", num_steps=3, changes=changed)
    data = bbh.datasets.load("digits").take(20, 10)
    schedule = building.build(run, data).optimizer.get_config()["learning_rate"]
    expected = 3 / run_config.steps_per_epoch(run)
    assert schedule["config"]["decay_epochs"] == pytest.approx(expected)
    with pytest.raises(ExperimentError, match="learning_rate_decay"):
        _run("map", changes=changed)


def test_texts_become_changes_and_texts_again():
    texts = [
        "noise_dim=8",
        "hypernetwork_units=64,16",
        "shared_noise=true",
        "learning_rate=0.01",
    ]
    found = changes.from_texts(texts)
    assert found == (
        ("learning_rate", 0.01),
        ("hypernetwork_units", (64, 16)),
        ("noise_dim", 8),
        ("shared_noise", True),
    )
    assert changes.from_texts(changes.as_texts(found)) == found


def test_all_settings_of_a_run_are_reached():
    # Not: what a run is of, what flags of their own set, and what only the
    # presets know.
    others = {
        *("table", "row", "dataset", "outliers", "method", "seed", "scale"),
        *("preset", "epochs", "num_steps", "kl_scale", "changed"),
        *("num_prediction_samples", "num_validation", "mixed_precision"),
        *("num_members", "divergence_weights", "global_clipnorm"),
        *("network", "units_per_stage", "final_normalization"),
        *("released_slices", "released_mnf"),
    }
    fields = {field.name for field in dataclasses.fields(RunConfig)}
    assert set(changes.CHANGES) == fields - others


def test_the_authors_kernel_is_a_change_of_its_own():
    run = _run("bbh", changes=(("released_kernel", True),))
    assert (run.preset, run.optimizer, run.epsilon) == ("paper", "adam", None)
    text = "kernel KL, with the authors' 1e-8 terms"
    assert text in parts.describe_kl(run)
    with pytest.raises(ExperimentError, match="released_kernel=true, which"):
        _run("bbh", changes=(("released_kernel", True), ("num_neighbours", 3)))


def test_the_authors_mnf_is_told():
    scale = ("prior_scale", 2.0)
    said = building.settings(_run("mnf", changes=(scale,)))
    assert "N(0, 4) prior" in said
    assert "z around 0" not in said
    said = building.settings(_run("mnf", preset="released_code"))
    assert "N(0, 2.72) prior, no KL of convolutions, z around 0" in said
    # Beside a row that has it.
    runs = configs.Config(
        **{
            **_DEFAULTS,
            "rows": ("bbb", "mnf"),
            "preset": "released_code",
            "changes": (scale,),
        }
    ).runs()
    assert {run.method: run.prior_scale for run in runs} == {
        "bbb": 2.0, "mnf": 1.0
    }  # fmt: skip


def test_a_changed_batch_changes_steps_and_annealing():
    run = _run("bbh", num_steps=220, changes=(("batch_size", 250),))
    assert run.batch_size == 250
    assert run_config.steps_per_epoch(run) == 220
    assert (run.epochs, run.annealing_start) == (1, pytest.approx(0.05))
    run = _run("bbh", changes=(("annealing_start", 7.0),))
    assert (run.annealing_start, run.annealing_epochs) == (7.0, 15)


@pytest.mark.parametrize("method", ["map", "dropout", "ensemble"])
@pytest.mark.parametrize("preset", configs.PRESETS)
def test_kernels_without_a_posterior_start_as_the_preset_says(method, preset):
    run = _run(method, dataset="digits", preset=preset)
    model = building.build(run, bbh.datasets.load("digits").take(20, 10))
    network = getattr(model, "members", [getattr(model, "network", None)])[0]
    kernel = np.array(network.get_layer("conv2").kernel)
    height, width, channels, filters = kernel.shape
    released = preset == "released_code"
    fan = height * width * (channels if released else (channels + filters) / 2)
    # Four times as many filters as channels: the other would be 2.5 times off.
    assert filters == 4 * channels
    assert kernel.var() * fan == pytest.approx(1, rel=0.15)
    assert ("kernels start lecun_normal" in building.settings(run)) == released


def test_the_prior_scale_reaches_every_method():
    data = bbh.datasets.load("digits").take(20, 10)
    for method in ("map", "bbb", "dropout", "mnf", "bbh"):
        run = _run(
            method,
            dataset="digits",
            kl_scale=0.1,
            changes=(("prior_scale", 0.5),),
        )
        assert run.changed == ("prior_scale",)
        model = building.build(run, data)
        network = getattr(model, "members", [getattr(model, "network", None)])
        layer = network[0].get_layer("fc1")
        if method in ("map", "dropout"):
            expected = 0.1 / (2 * 0.25 * 20)
            found = float(layer.kernel_regularizer.l2)
            assert found == pytest.approx(expected)
        elif method == "mnf":
            assert layer.prior_variance == 0.25
        else:
            (density, *_) = layer.pair().prior.distributions(layer.pair().specs)
            assert float(density.stddev()) == 0.5


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["noise_dim=0"], "--set noise_dim: expected a positive integer"),
        (["units=3"], "--set units: expected three positive integers"),
        (["num_neighbours=x"], "--set num_neighbours: .*; got 'x'"),
        (["hypernetwork_units=64,"], "hypernetwork_units: .*64,256,16"),
        (["divergence=kl"], "--set divergence: expected one of kernel, full"),
        (["learning_rate=nan"], "learning_rate: expected a finite number > 0"),
        (["dropout_rate=1"], "expected a number between 0 and 1; got '1'"),
        (["shared_noise=yes"], "expected one of true, false; got 'yes'"),
        (["learning_rat=1"], "got 'learning_rat'. Did you mean learning_rate"),
        (["noise=1"], "Did you mean noise_dim?"),
        (["noise_dim"], "--set: expected name=value; got 'noise_dim'"),
        (["noise_dim=1", "noise_dim=2"], "expected noise_dim once"),
    ],
)
def test_a_wrong_setting_is_told(texts, message):
    with pytest.raises(ExperimentError, match=message) as caught:
        changes.from_texts(texts)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"rows": ("map", "bbb"), "changes": NARROW},
            "--set hypernetwork_units: expected a row that has it among map",
        ),
        (
            {"rows": ("bbb",), "changes": THIRD[1:]},
            "--set num_neighbours: expected a row that has it",
        ),
        (
            {
                "table": "mnist_divergences",
                "rows": ("kernel",),
                "changes": THIRD[:1],
            },
            "--set divergence: expected none in this table.* beside kernel",
        ),
        (
            {"rows": ("bbh",), "changes": (("num_neighbours", 5),)},
            "--set num_neighbours: expected fewer than .* 5 samples; got 5",
        ),
        (
            {
                "rows": ("bbh",),
                "changes": (("num_neighbours", 3), ("num_prior_samples", 2)),
            },
            "num_prior_samples: expected at least num_neighbours, 3; got 2",
        ),
        (
            {
                "rows": ("bbh",),
                "preset": "released_code",
                "changes": (("num_neighbours", 3),),
            },
            "--set num_neighbours: expected 1 with the kernel estimate",
        ),
        (
            {
                "rows": ("mnf",),
                "preset": "released_code",
                "changes": (("prior_scale", 2.0),),
            },
            "--set prior_scale: expected a row that has it among mnf",
        ),
    ],
)
def test_a_change_that_fits_no_row_is_refused(settings, message):
    with pytest.raises(ExperimentError, match=message):
        configs.Config(**{**_DEFAULTS, **settings})

"""Table 4 and Figure 4 on a few small images and a small ResNet."""

import dataclasses
import json

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from experiments import building
from experiments import checkpoints
from experiments import config as configs
from experiments import data_sets
from experiments import inputs
from experiments import paper_tables
from experiments import run_config
from experiments import runner
from experiments import trained_runs
from experiments.execution import Execution
from experiments.methods import METHODS
from experiments.robustness import measures as robustness

_NUM_TRAIN, _NUM_TEST = 24, 10
# Before any test makes it small.
_FULL_SIZE = data_sets.DATASETS["cifar5"]
_FULL_METHODS = dict(METHODS)
_ROWS = tuple(paper_tables.TABLES["cifar5_methods"].rows)


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(0)

    def part(count):
        # Of large patches, so that images differ in their statistics.
        patches = random.uniform(size=(count, 2, 2, 3)).astype(np.float32)
        images = patches.repeat(16, axis=1).repeat(16, axis=2)
        return images, (np.arange(count) % 5).astype(np.int32)

    train, validation, test = part(_NUM_TRAIN), part(0), part(_NUM_TEST)
    return bbh.datasets.ImageData(
        "cifar5", "others", 5, *train, *validation, *test, part(_NUM_TEST)[0]
    )


def make_full_size(monkeypatch):
    monkeypatch.setitem(data_sets.DATASETS, "cifar5", _FULL_SIZE)
    for name, method in _FULL_METHODS.items():
        monkeypatch.setitem(METHODS, name, method)


@pytest.fixture(autouse=True)
def small(monkeypatch, data):
    there = data_sets.DATASETS["cifar5"]
    # One residual unit: the time goes into tracing, layer by layer.
    small = {"units": (4,), "units_per_stage": 1, "strides": (2,)}
    monkeypatch.setitem(
        data_sets.DATASETS,
        "cifar5",
        there._replace(network={**there.network, **small}),
    )
    for name in _ROWS:
        method = METHODS[name]
        released = {**method.released_datasets["cifar5"], "strides": (1,)}
        changed = dataclasses.replace(
            method, released_datasets={"cifar5": released}
        )
        monkeypatch.setitem(METHODS, name, changed)
    monkeypatch.setattr(data_sets, "SMOKE_EXAMPLES", (_NUM_TRAIN, _NUM_TEST))
    monkeypatch.setattr(run_config, "_BATCH_SIZE", 4)
    monkeypatch.setattr(runner, "load_data", lambda _: data)


def _config(folder, *rows, **changes):
    return configs.Config(
        **{
            "table": "cifar5_methods",
            "dataset": "cifar5",
            "rows": rows,
            "seeds": (0,),
            "scale": "smoke",
            "preset": "paper",
            "output_dir": str(folder),
            "num_steps": 2,
            "num_members": 2,
            "num_prediction_samples": 2,
            **changes,
        }
    )


def _build(row, data, **changes):
    (config,) = _config("unused", row, **changes).runs()
    return config, building.build(config, data)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Returns what gives the folder of a run, which runs once."""
    folders = {}

    def run(row, preset="paper"):
        if (row, preset) not in folders:
            folder = tmp_path_factory.mktemp("runs")
            runner.run(_config(folder, row, preset=preset))
            folders[row, preset] = folder / row / "seed_0"
        return folders[row, preset]

    return run


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Returns what gives a run of six steps, one by one, which runs once."""
    results = []

    def run(config, data):
        if not results:
            folder = tmp_path_factory.mktemp("plain")
            results.append(_run(config, data, folder, Execution()))
        return results[0]

    return run


def _run(config, data, folder, execution, progress=lambda *_: None):
    return runner._run_one(config, data, folder, progress, execution)


@pytest.mark.parametrize(
    ("row", "preset", "depends"),
    [
        *[(row, "paper", False) for row in _ROWS],
        *[(row, "released_code", False) for row in ("map", "mnf")],
        # The authors' layer-wise hypernetworks alone.
        ("bbh", "released_code", True),
    ],
)
def test_every_row_runs_and_predicts(done, data, row, preset, depends):
    folder = done(row, preset)
    result = json.loads((folder / "results.json").read_text())
    assert 0 <= result["measures"]["error_percent"] <= 100
    assert result["num_test"] == _NUM_TEST
    normalization = result["config"]["normalization"]
    assert f"{normalization} normalisation" in result["settings"]
    # A prediction depends on its image alone.
    config = run_config.read(result["config"])
    model = trained_runs.load(folder)
    images = inputs.for_prediction(config, data.test_images)
    order = np.random.default_rng(1).permutation(len(images))
    together = building.predict_samples(model, images)
    shuffled = building.predict_samples(model, images[order])
    few = building.predict_samples(model, images[:3])
    np.testing.assert_allclose(shuffled, together[:, order], atol=1e-5)
    if depends:
        assert np.abs(few - together[:, :3]).max() > 1e-4
    else:
        np.testing.assert_allclose(few, together[:, :3], atol=1e-5)


@pytest.mark.parametrize("row", ["map", "ensemble"])
def test_fixed_weights_end_with_statistics_of_training_images(done, data, row):
    model = trained_runs.load(done(row))
    images = bbh.datasets.prepare(data.train_images)
    for network in model.members:
        before = network.predict(images, verbose=0)
        bbh.models.update_batch_normalization(network, images)
        after = network.predict(images, verbose=0)
        np.testing.assert_allclose(before, after, atol=1e-5)


@pytest.mark.parametrize("preset", ["paper", "released_code"])
def test_bbh_has_the_papers_weights(data, preset, monkeypatch):
    make_full_size(monkeypatch)
    (config,) = _config("unused", "bbh", preset=preset).runs()
    config = dataclasses.replace(config, architecture="sliced")
    layers = building.build(config, data).random_layers
    # Scales and offsets of normalisation are none of them.
    assert len(layers) == 32
    assert sum(layer.draw_size() for layer in layers) == 462_693


def test_settings_are_those_of_the_paper_and_the_authors(monkeypatch):
    make_full_size(monkeypatch)
    full = {"scale": "full", "num_steps": None, "num_members": None}
    for preset, strides, normalization, final in (
        ("paper", (1, 2, 2), "calibrated", True),
        ("released_code", (2, 2, 2), "batch", False),
    ):
        (bbh_run,) = _config("x", "bbh", preset=preset, **full).runs()
        assert bbh_run.epochs == 200
        assert (bbh_run.annealing_start, bbh_run.annealing_epochs) == (20, 15)
        assert bbh_run.strides == strides
        assert bbh_run.units == (16, 32, 64)
        assert bbh_run.units_per_stage == 5
        assert bbh_run.normalization == normalization
        assert bbh_run.final_normalization is final
    runs = {run.method: run for run in _config("x", *_ROWS, **full).runs()}
    assert runs["ensemble"].num_members == 5
    assert runs["bbb"].initial_log_variance == -30
    assert runs["mnf"].max_std == 0.3
    assert runs["dropout"].dropout_rate == 0.5
    assert runs["bbh"].learning_rate == 1e-4
    assert runs["map"].final_normalization


def test_the_network_departs_from_the_authors_in_one_thing(monkeypatch):
    make_full_size(monkeypatch)

    def run(preset, name, value):
        changes = ((name, value),)
        config = _config("x", "map", preset=preset, changes=changes)
        (found,) = config.runs()
        return found.strides, found.normalization

    assert run("paper", "strides", (2, 2, 2)) == ((2, 2, 2), "calibrated")
    assert run("released_code", "strides", (1, 2, 2)) == ((1, 2, 2), "image")
    found = run("released_code", "normalization", "calibrated")
    assert found == ((2, 2, 2), "calibrated")


def test_execution_changes_nothing_but_rounding(tmp_path, data, plain):
    (config,) = _config(tmp_path, "bbb", num_steps=6).runs()
    execution = Execution(steps_per_execution=3, jit=True)
    at_once = _run(config, data, tmp_path / "at_once", execution)
    one_by_one = plain(config, data)
    assert at_once["final"]["nll"] == pytest.approx(
        one_by_one["final"]["nll"], rel=1e-3
    )
    assert at_once["final"]["kl"] == pytest.approx(
        one_by_one["final"]["kl"], rel=1e-4
    )


def test_a_run_goes_on_under_another_execution(tmp_path, data, plain):
    (config,) = _config(tmp_path, "bbb", num_steps=6).runs()
    whole = plain(config, data)

    def stop(_, stage, epochs):
        if stage == "training" and epochs >= 2 / 6:
            raise KeyboardInterrupt

    parts = tmp_path / "parts"
    with pytest.raises(KeyboardInterrupt):
        _run(config, data, parts, Execution(checkpoint_seconds=0.0), stop)
    state = json.loads((parts / "state.json").read_text())
    assert state["step"] == 1
    # Five steps are left, which three do not divide.
    result = _run(config, data, parts, Execution(steps_per_execution=3))
    assert result["final"] == whole["final"]
    assert result["measures"] == whole["measures"]


@pytest.mark.parametrize("row", ["ensemble", "mnf", "bbh"])
def test_mixed_precision_keeps_draws_and_kl_in_float32(data, row):
    before = keras.config.dtype_policy()
    config, model = _build(row, data, mixed_precision=True)
    assert keras.config.dtype_policy() == before
    assert {v.dtype for v in model.trainable_variables} == {"float32"}
    if row == "bbh":
        convolution = model.random_layers[0]
        assert convolution.layer.compute_dtype == "bfloat16"
        hypernetworks = [
            layer
            for layer in convolution._flatten_layers()
            if isinstance(layer, bbh.hypernetworks.Hypernetwork)
        ]
        assert len(hypernetworks) == 2
        assert {x.compute_dtype for x in hypernetworks} == {"float32"}
    images = inputs.for_prediction(config, data.train_images[:8])
    history = model.fit(
        images,
        data.train_labels[:8],
        batch_size=4 * config.num_members,
        verbose=0,
    )
    assert np.isfinite(history.history["loss"][0])
    assert np.isfinite(building.predict_samples(model, images)).all()


def test_the_attack_stays_within_what_an_image_can_be(done, data):
    folder = done("map")
    config = run_config.read(json.loads((folder / "config.json").read_text()))
    images = inputs.for_prediction(config, data.test_images)
    lowest, highest = inputs.limits(config, data.test_images)
    # Black and white images in the place of each: the standardisation kept.
    crops = data.test_images[:, 4:28, 4:28]
    std = crops.std(axis=(1, 2, 3), keepdims=True)
    np.testing.assert_allclose(highest - lowest, 1 / std, rtol=1e-4)
    assert (images >= lowest - 1e-4).all() and (images <= highest + 1e-4).all()
    seen = []

    class Model:
        members = property(lambda _: ensemble.members)
        networks = property(lambda _: ensemble.networks)

        def predict_samples(self, x, **_):
            seen.append(x)
            return ensemble.predict_samples(x)

    ensemble, _ = checkpoints.Checkpoints(folder).load()
    robustness.curves(
        Model(), images, data.test_labels, (lowest, highest), [5.0], 5, 1
    )
    clipped = seen[list(robustness.ATTACKS).index("expected_gradient")]
    assert (clipped >= lowest).all() and (clipped <= highest).all()
    assert np.abs(clipped - images).max() < 5.0

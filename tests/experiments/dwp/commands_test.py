"""From source networks to a density of their kernels, in small."""

import dataclasses

import keras
import numpy as np
import pytest

from experiments import files
from experiments.dwp import densities
from experiments.dwp import prior_run
from experiments.dwp import settings
from experiments.dwp import source_networks
from experiments.dwp import sources_run
from experiments.errors import ExperimentError
from experiments.reporting import exhibit
from tests.experiments import commands


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    config = settings.SourcesConfig(
        "letters", num_networks=1, epochs=1, max_examples=100
    )
    return folder, config, sources_run.run(config, folder, "command")


def test_kernels_of_networks_are_kept(sources):
    folder, config, results = sources
    assert results["layers"]["conv2"]["num_slices"] == 2048
    found = np.load(folder / "kernels_conv2.npz")
    kept = found["seed_0"]
    assert len(kept) == results["layers"]["conv2"]["num_kept"]
    assert kept.shape[1:] == (3, 3)
    assert np.linalg.norm(kept, axis=(1, 2)).min() >= 0.1
    assert exhibit.read(folder)["figures"][0].file == "kernels.png"
    # A network that is there is not trained again; one more is added.
    before = (folder / "seed_0.json").read_text()
    more = settings.SourcesConfig(
        "letters", num_networks=2, epochs=1, max_examples=100
    )
    sources_run.run(more, folder, "command")
    assert (folder / "seed_0.json").read_text() == before
    both = np.load(folder / "kernels_conv2.npz")
    np.testing.assert_array_equal(both["seed_0"], kept)
    assert len(both.files) == 2
    # Nor for another threshold, which keeps other slices of it.
    all_of_it = np.load(folder / "seed_0.npz")["conv2"]
    assert len(all_of_it) == 2048
    norms = np.linalg.norm(all_of_it, axis=(1, 2))
    high = float(np.quantile(norms, 0.75))
    found = sources_run.run(
        dataclasses.replace(config, min_norm=high), folder, "command"
    )["layers"]["conv2"]
    assert (found["num_slices"], found["num_kept"]) == (2048, 512)
    assert found["median_norm"] == pytest.approx(np.median(norms))
    assert (folder / "seed_0.json").read_text() == before
    np.testing.assert_array_equal(
        np.load(folder / "kernels_conv2.npz")["seed_0"],
        all_of_it[norms >= high],
    )
    sources_run.run(more, folder, "command")
    other = settings.SourcesConfig("letters", epochs=2, max_examples=100)
    with pytest.raises(ExperimentError, match="seed_0.json is of other set"):
        sources_run.run(other, folder, "command")


def test_l2_is_the_papers_or_what_is_asked_for():
    images, labels = np.zeros((10, 8, 8, 1)), np.zeros(10)
    for l2, expected in ((None, 1e-3), (0.25, 0.25), (0.0, 0.0)):
        config = settings.SourcesConfig("letters", epochs=1, l2=l2)
        network, _ = source_networks.train(images, labels, config, 0)
        for name in ("conv1", "conv2"):
            layer = network.get_layer(name)
            assert float(layer.kernel_regularizer.l2) == expected
            assert float(layer.bias_regularizer.l2) == expected


def test_a_density_is_fitted_and_measured(sources, tmp_path, capsys):
    config = settings.PriorConfig(
        (str(sources[0] / "kernels_conv1.npz"),),
        latent_dims=(2,),
        epochs=1,
        batch_size=16,
    )
    results = prior_run.run(config, tmp_path, "command")
    trained, held_out = results["num_kernels"]
    assert held_out == round(0.2 * (trained + held_out))
    found = results["autoencoders"]["2"]["held_out"]
    assert np.isfinite([*found["bound"], *found["importance_weighted"]]).all()
    printed = capsys.readouterr().out
    assert "normal, full covariance" in printed
    # All that the page says, and where the pictures are.
    told = exhibit.read(tmp_path)
    assert len(told["tables"]) == 2
    for text in (
        *(table.caption for table in told["tables"]),
        *told["notes"],
        *(f"Figure: {tmp_path / x.file}" for x in told["figures"]),
    ):
        assert text in printed.splitlines()
    flow = results["flow"]
    assert f"normalizing flow, of {flow['epochs']} epochs (exact)" in printed
    normal, _ = results["normals"]["full_covariance"]
    assert flow["held_out"][0] > normal - 1
    page = exhibit.read(tmp_path)
    assert len(page["figures"]) == 3
    loaded = keras.models.load_model(tmp_path / "z2.keras")
    kernels = np.load(sources[0] / "kernels_conv1.npz")["seed_0"]
    assert np.isfinite(loaded.log_prob(kernels[:5])).all()
    # Draws, not the decoder's means, are set beside the kernels' norms.
    learned, draws = page["tables"][1].rows
    drawn, _ = densities.samples(loaded, 1000, config.seed)
    assert draws[0] == "draws, z of 2"
    assert float(draws[2]) == pytest.approx(
        np.median(np.linalg.norm(drawn, axis=(1, 2))), abs=1e-3
    )
    assert results["norms"]["learned"][0] < results["norms"]["learned"][1]
    low, high = np.quantile(np.linalg.norm(kernels, axis=(1, 2)), (0, 1))
    assert low <= float(learned[1]) <= float(learned[3]) <= high
    # What is there is measured beside others, not trained again.
    record = files.read_json(tmp_path / "z2.json")
    again = prior_run.run(config, tmp_path, "command")
    assert again["autoencoders"]["2"] == record


def test_a_density_of_other_kernels_is_not_gone_on_with(tmp_path, monkeypatch):
    # A file of kernels grows where dwp_sources adds networks.
    path = tmp_path / "kernels.npy"
    kernels = np.random.default_rng(0).normal(size=(20, 3, 3))
    config = settings.PriorConfig((str(path),), latent_dims=(2,), epochs=1)
    one = [0.0, 0.0]
    found = {"bound": one, "importance_weighted": one, "kl": None}
    flow = {"held_out": one, "train": one, "epochs": 1}
    for name, value in (("autoencoder", found), ("flow", flow)):
        monkeypatch.setattr(
            densities, f"measure_{name}", lambda *_, value=value: value
        )
    monkeypatch.setattr(prior_run, "_draw", lambda *_: None)
    np.save(path, kernels)
    prior_run.run(config, tmp_path, "command")
    np.save(path, np.concatenate([kernels, kernels]))
    with pytest.raises(ExperimentError, match="z2.json is of other settings"):
        prior_run.run(config, tmp_path, "command")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--kernels=a.npy,./a.npy", "--kernels: expected each file once; got"),
        (
            "--kernels=a.npy --held_out=a.npy",
            "--held_out: expected a file that is not of --kernels",
        ),
        (
            "--kernels=a.npy --held_out=b.npy --held_out_fraction=0.3",
            "--held_out_fraction: expected none beside --held_out",
        ),
        ("--kernels=a.npy --latent_dims=", "from 1, each once; got none."),
    ],
)
def test_wrong_flags_are_told_in_one_line(tmp_path, flags, message):
    done = commands.call(
        "dwp_prior", *flags.split(), f"--output_dir={tmp_path / 'none'}"
    )
    commands.check_refused(done, message)


def test_letters_read_no_folder():
    flags = ("--dataset=letters", "--data_dir=b", "--output_dir=a")
    done = commands.call("dwp_sources", *flags)
    commands.check_refused(done, "--data_dir: expected none with letters")


def test_a_missing_file_is_told_with_its_flag_before_training(tmp_path):
    path, none = str(tmp_path / "a.npy"), str(tmp_path / "none.npz")
    np.save(path, np.random.default_rng(0).normal(size=(20, 3, 3)))
    for config, flag in (
        (settings.PriorConfig((none,)), "kernels"),
        (settings.PriorConfig((path,), held_out=none), "held_out"),
        (settings.PriorConfig((path,), released=none), "released"),
    ):
        with pytest.raises(ExperimentError, match=f"^--{flag}: .*none.npz"):
            prior_run.run(config, tmp_path, "command")
    assert not (tmp_path / "z4.keras").exists()


def test_kernels_of_two_sizes_are_refused(tmp_path):
    paths = []
    for size in (3, 5):
        paths.append(str(tmp_path / f"{size}.npy"))
        np.save(paths[-1], np.ones((4, size, size)))
    config = settings.PriorConfig(tuple(paths))
    with pytest.raises(ExperimentError, match=r"one size; got \(3, 3\), \(5"):
        prior_run.run(config, tmp_path, "command")
    config = settings.PriorConfig((paths[0],), held_out=paths[1])
    with pytest.raises(ExperimentError, match="--held_out: expected kernels"):
        prior_run.run(config, tmp_path, "command")


def test_kernels_are_scaled_to_the_root_mean_square_asked_for():
    kernels = 0.01 * np.random.default_rng(0).normal(size=(20, 3, 3))
    for rms, scale in ((None, 1.0), (0.2, np.sqrt((kernels**2).mean()) / 0.2)):
        config = settings.PriorConfig((), epochs=1, rms=rms)
        model, _ = densities.train(kernels, 2, config)
        assert model.scale == pytest.approx(scale)


def test_the_bar_says_which_dimension_is_the_papers(monkeypatch):
    names = []

    class Bar(keras.callbacks.Callback):
        def __init__(self, name):
            super().__init__()
            names.append(name)

    monkeypatch.setattr(densities.epoch_bar, "EpochBar", Bar)
    config = settings.PriorConfig(("kernels.npy",), epochs=1, batch_size=16)
    kernels = np.random.default_rng(0).normal(size=(16, 3, 3))
    densities.train(kernels.astype("float32"), None, config)
    assert names == ["z of 4"]

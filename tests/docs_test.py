"""The Python in the documents runs as it stands."""

import ast
import pathlib
import re
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

import bbh_tf as bbh

_DOCS = pathlib.Path(__file__).resolve().parents[1] / "docs"


# Packages that a page's data ship with.
_NEEDS = {"transformer.md": ["babel"], "tabular.md": ["sklearn"]}


def _blocks(path):
    return re.findall(r"```python\n(.*?)```", path.read_text(), re.S)


# Of Keras, where it exports to ONNX.
@pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning")
@pytest.mark.parametrize(
    "path",
    sorted(path for path in _DOCS.glob("*.md") if _blocks(path)),
    ids=lambda path: path.name,
)
def test_a_page_runs_from_top_to_bottom(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for package in _NEEDS.get(path.name, ()):
        pytest.importorskip(package, reason=f"{path.name} reads its data")
    keras.utils.set_random_seed(0)
    names = {}
    for block in _blocks(path):
        exec(block, names)
    if path.name == "tutorial.md":
        printed = capsys.readouterr().out
        accuracy, auroc, inside = (
            float(re.search(pattern, printed).group(1))
            for pattern in (
                r"accuracy ([\d.]+)",
                r"letters from digits: ([\d.]+)",
                r"([\d.]+) of the points",
            )
        )
        assert accuracy > 0.93
        assert auroc > 0.75
        assert 0.8 < inside <= 1.0
        assert "['entropy', 'mutual_information', 'probabilities']" in printed
    if path.name == "tabular.md":
        printed = capsys.readouterr().out
        inside = re.findall(r"([\d.]+) inside", printed)
        assert len(inside) == 5
        assert all(0.75 < float(share) <= 1.0 for share in inside)
        (promised,) = re.findall(r"promised: ([\d.]+)", printed)
        # One split is off by 0.04; 0.01 is four standard errors of the mean.
        assert abs(float(inside[-1]) - float(promised)) < 0.01
        errors = re.findall(r"RMSE ([\d.]+)", printed)
        # The labels' standard deviation is 77.
        assert all(float(error) < 68 for error in errors)
    if path.name == "transformer.md":
        printed = capsys.readouterr().out
        first, plain, laplace, second, nll, doubt, cooler, holds = (
            float(re.search(pattern, printed).group(1))
            for pattern in (
                r"first task: accuracy ([\d.]+)",
                r"NLL ([\d.]+) nats by the network",
                r"([\d.]+) by Laplace",
                r"second task: accuracy ([\d.]+)",
                r"NLL ([\d.]+) nats, of five",
                r"wrong from right: ([\d.]+)",
                r"NLL ([\d.]+) nats under it",
                r"([\d.]+) hold the right one",
            )
        )
        # Of ten languages, and of five.
        assert first > 0.35 and second > 0.33
        assert laplace < plain + 0.1 and nll < 1.5
        assert doubt > 0.55
        assert cooler < nll + 0.05
        # 50 territories: three standard errors, here and in the held-out ones.
        assert 0.75 < holds < 0.99
    if path.name == "after_training.md":
        printed = capsys.readouterr().out
        before, after = re.search(
            r"test NLL ([\d.]+), then ([\d.]+)", printed
        ).groups()
        assert float(after) <= float(before) + 0.005
        before, after = re.search(
            r"NLL of new labels (-?[\d.]+), then (-?[\d.]+) nats", printed
        ).groups()
        assert float(after) <= float(before) + 0.005
        coverages = re.findall(r"([\d.]+) hold the true class", printed)
        assert len(coverages) == 2
        assert all(0.9 < float(coverage) < 0.99 for coverage in coverages)
        inside = re.search(r"([\d.]+) of new labels", printed).group(1)
        assert 0.85 < float(inside) < 0.95


def _names():
    """What the examples of docstrings take for granted."""
    random = np.random.default_rng(0)
    network = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(3, name="fc1")]
    )
    small = bbh.posteriors.Implicit(bbh.hypernetworks.MLP((4,)))
    images, labels = random.random((8, 6), np.float32), np.arange(8) % 3
    trained = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
    kernel, *_ = np.linalg.lstsq(images, np.eye(3)[labels])
    trained.set_weights([kernel, np.zeros(3)])
    model = bbh.models.BayesianModel(
        bbh.models.bayesify(network, small),
        num_train_examples=8,
        num_prediction_samples=2,
    )
    model.compile("adam")
    names = {
        "bbh_tf": bbh,
        "keras": keras,
        "np": np,
        "tf": tf,
        "tfp": tfp,
        "tfd": tfp.distributions,
        "network": network,
        "network_with_dropout": keras.Sequential(
            [keras.Input((6,)), keras.layers.Dropout(0.5)]
        ),
        "model": model,
        "old_model": model,
        "layer": keras.layers.Dense(2),
        "posterior": small,
        "images": images,
        "trained_network": trained,
        "test_images": random.random((4, 6), np.float32),
        "labels": labels,
        "kernels_7x7": random.normal(size=(60, 7, 7)).astype("float32"),
        "name_of_input": model.network.inputs[0].name,
        "num_epochs": 1,
        "run_seed": 0,
        "data": types.SimpleNamespace(
            train_images=random.random((4, 32, 32, 3), np.float32)
        ),
    }
    for room in (bbh.datasets, bbh.postprocessing, bbh.uncertainty):
        names.update({name: getattr(room, name) for name in room.__all__})
    return names


# The labels are random.
@pytest.mark.filterwarnings("ignore:The .*est temperature that is tried")
@pytest.mark.parametrize(
    ("page", "block"),
    [
        (path.name, block)
        for path in sorted(_DOCS.glob("api/*.md"))
        for block in _blocks(path)
    ],
)
def test_an_example_of_the_reference_runs(page, block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # Small and short, and without a download.
    for old, new in (
        (
            "keras.applications.ResNet50(classifier_activation=None)",
            "keras.Sequential([keras.Input((6,)), "
            'keras.layers.Dense(2, name="predictions")])',
        ),
        ("posteriors.Implicit()", "posteriors.Implicit(_small)"),
        ("epochs=100", "epochs=1, verbose=0"),
        ("epochs=10)", "epochs=1, verbose=0)"),
        ("num_samples=30", "num_samples=2"),
        ("800, 500", "8, 5"),
    ):
        block = block.replace(old, new)
    names = {**_names(), "_small": bbh.hypernetworks.MLP((4,))}
    *statements, last = ast.parse(block).body
    exec(compile(ast.Module(statements, []), page, "exec"), names)
    if not isinstance(last, ast.Expr):
        exec(compile(ast.Module([last], []), page, "exec"), names)
        return
    found = eval(compile(ast.Expression(last.value), page, "eval"), names)
    says = re.search(r"  # ([-\d.\[\], ()]+)$", block.rstrip())
    if says:
        # The comment is what the expression gives.
        expected = ast.literal_eval(says.group(1))
        np.testing.assert_allclose(np.asarray(found), expected, atol=1e-4)

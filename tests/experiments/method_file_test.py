"""A method is a file: nothing else needs to know of it."""

import pathlib
import shutil
import subprocess
import sys

from tests.experiments import command_process

ROOT = pathlib.Path(__file__).resolve().parents[2]
METHOD = '''"""Bayes by Backprop with a wide start."""

from experiments import lazy
from experiments import networks
from experiments.methods import method
from experiments.methods import parts

bbh = lazy.import_module("bbh_tf")


def _build(config, data):
    posterior = bbh.posteriors.MeanField(-2.0)
    network = networks.build(config, data, posterior)
    return parts.model(
        config, data, network, divergence=parts.divergence(config)
    )


METHOD = method.Method(
    name="wide",
    title="Wide Backprop",
    color="#123456",
    build=_build,
    describe=lambda config: ["starts wide"],
    settings={"divergence": "analytic"},
    datasets={"digits": {"learning_rate": 0.002}},
    tables=("mnist_methods",),
)
'''


def test_a_new_file_is_a_row(tmp_path):
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments")
    (tmp_path / "experiments" / "methods" / "wide.py").write_text(METHOD)

    def run(module, *flags):
        done = command_process.call(f"experiments.{module}", flags, tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    told = run(
        "mnist_methods",
        "--methods=bbb,wide",
        "--seeds=0",
        "--scale=smoke",
        "--num_prediction_samples=2",
        "--output_dir=run",
    )
    assert "Wide Backprop: adam 0.002, starts wide;" in told
    table = run("report", "--runs=run", "--format=markdown")
    assert "| Wide Backprop |" in table
    color = (
        "from experiments import paper_tables;"
        "print(paper_tables.color_of({'table': 'mnist_methods', "
        "'row': 'wide', 'method': 'wide'}))"
    )
    found = subprocess.run(
        [sys.executable, "-c", color],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "#123456"

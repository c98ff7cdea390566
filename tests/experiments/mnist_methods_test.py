"""The command line, as a person uses it."""

import pytest

from experiments import config as configs
from experiments import paper_tables
from experiments import table_command
from tests.experiments import commands


def test_smoke_run_prints_the_table_and_writes_one_page(tmp_path, capsys):
    config = configs.Config(
        table="mnist_methods",
        dataset="digits",
        rows=("map", "bbh"),
        seeds=(0, 1),
        scale="smoke",
        preset="released_code",
        output_dir=str(tmp_path),
        num_prediction_samples=3,
    )
    table_command.run(config)
    printed = capsys.readouterr().out
    assert "Bayes by Hypernet" in printed
    assert "±" in printed
    page = (tmp_path / "report.html").read_text()
    # Curves, entropies, reliability, risk; and images of each row.
    assert page.count("data:image/png;base64,") == 6
    assert "<script" not in page
    assert 'src="http' not in page
    assert "--preset=released_code" in page


def test_help_can_be_read():
    result = commands.call("mnist_methods", "--help")
    assert "Compares the methods of Table 3" in result.stdout
    for flag in ("--dataset", "--methods", "--kl_scale", "--output_dir"):
        assert flag in result.stdout


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("mnist_architectures", "single: Single G; sliced: Sliced layer-wise"),
        ("mnist_noise", "shared_1: Shared, d = 1; independent_1: Independent"),
        ("mnist_divergences", "analytic: Closed form; adversarial: Adversar"),
        ("cifar5_methods", "cifar5: full 200, short 20"),
    ],
)
def test_each_command_names_its_rows(table, line):
    help_text = " ".join(commands.call(table, "--help").stdout.split())
    assert line in help_text
    assert f"--{paper_tables.TABLES[table].flag}" in help_text


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--dataset=cifar"], "--dataset: expected one of digits, mnist"),
        (
            ["--methods=map", "--num_members=3"],
            "--num_members: expected a row that has it; none of map does.",
        ),
        (["--seeds=one"], "--seeds: expected integers; got one"),
        (["--num_steps=many"], "num_steps"),
        (["--epocs=3"], "epocs"),
        (["digits"], "expected flags only; got 'digits'"),
        ([], "--output_dir: expected a folder; got none"),
        (["--methods=mcmc"], "--methods: expected one of map, ensemble, bbb,"),
        (["--epochs=0"], "--epochs: expected at least 1"),
        (["--epochs=1", "--num_steps=5"], "--num_steps: expected no --epochs"),
    ],
)
def test_a_mistake_is_one_line_and_status_1(tmp_path, flags, message):
    if flags:
        flags = [*flags, f"--output_dir={tmp_path}/out"]
    result = commands.call("mnist_methods", *flags)
    commands.check_refused(result, message)
    assert result.stdout == ""
    assert not (tmp_path / "out").exists()

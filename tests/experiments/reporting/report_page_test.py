"""The page of all results: one file, whole, and readable on a phone."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from experiments import files
from experiments.errors import ExperimentError
from experiments.reporting import exhibit
from experiments.reporting import figures
from experiments.reporting import found as founds
from experiments.reporting import report_page

_RESULTS = pathlib.Path(__file__).resolve().parents[3] / "results"
_BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


def _exhibit(folder, **changes):
    figure, _ = figures.pyplot.subplots(figsize=(3, 2))
    (folder / "one.png").write_bytes(figures.as_png(figure))
    exhibit.write(
        **{
            "folder": folder,
            "title": "A finding <of ours>",
            "figures": [exhibit.Figure("one.png", "An empty panel.")],
            "tables": [exhibit.Table("Two rows", ["", "x"], [["a", "1.5"]])],
            "notes": ["Nothing is to be seen."],
            "command": "python -m experiments.something --output_dir=x",
            **changes,
        }
    )


@pytest.fixture(name="page")
def fixture_page(tmp_path):
    _exhibit(tmp_path)
    every = [
        founds.find(str(folder))
        for folder in (
            _RESULTS / "mnist_methods",
            _RESULTS / "mnist_adversarial",
            tmp_path,
        )
    ]
    path = tmp_path / "report.html"
    report_page.write(path, every)
    return path


def test_it_has_everything_and_needs_nothing(page):
    text = page.read_text()
    for heading in (
        "Methods (Table 3)",
        "Fast gradient sign method (Figure 3)",
        "A finding &lt;of ours&gt;",
    ):
        assert f"<h2>{heading}</h2>" in text
    assert "paper, MNIST" in text
    assert "python -m experiments.something --output_dir=x" in text
    # Learning curves, curves under attack, the picture of the finding.
    assert text.count("data:image/png;base64,") == 3
    for outside in ("<script", "<link", 'src="http', "url("):
        assert outside not in text
    # Every table is closed and its rows are as long as its heading.
    for table in re.findall("<table>.*?</table>", text):
        rows = re.findall("<tr.*?</tr>", table)
        assert len({len(re.findall("<t[hd]>", row)) for row in rows}) == 1


def test_a_finding_is_read_as_written(tmp_path):
    _exhibit(tmp_path)
    found = exhibit.read(tmp_path)
    assert found["figures"] == [exhibit.Figure("one.png", "An empty panel.")]
    assert found["tables"][0].rows == [["a", "1.5"]]
    assert exhibit.read(tmp_path / "elsewhere") is None
    files.write_json(tmp_path / "exhibit.json", {"title": "half"})
    with pytest.raises(ExperimentError, match="expected a finding with"):
        exhibit.read(tmp_path)


def test_a_finding_that_is_not_whole_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="Expected a picture"):
        _exhibit(tmp_path, figures=[exhibit.Figure("none.png", "")])
    with pytest.raises(ValueError, match="as long as the heading"):
        _exhibit(tmp_path, tables=[exhibit.Table("", ["", "x"], [["a"]])])
    assert exhibit.read(tmp_path) is None


@pytest.mark.skipif(_BROWSER is None, reason="no Chromium to look at it with")
def test_in_a_browser_of_a_phones_width(page, tmp_path):
    # The script says how wide the page wants to be.
    measured = tmp_path / "measured.html"
    measured.write_text(
        page.read_text()
        + "<script>document.title = 'wide ' + "
        + "document.documentElement.scrollWidth + ' of ' + innerWidth;</script>"
    )
    command = [
        _BROWSER,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--window-size=500,1500",
        f"--user-data-dir={tmp_path / 'profile'}",
    ]
    dom = subprocess.run(
        [*command, "--dump-dom", measured.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    wanted, there = map(
        int, re.search(r"<title>wide (\d+) of (\d+)", dom).groups()
    )
    assert wanted <= there
    folder = pathlib.Path(os.environ.get("BBH_TF_ARTIFACTS_DIR", tmp_path))
    picture = folder / "report.png"
    subprocess.run(
        [*command, f"--screenshot={picture}", page.as_uri()],
        capture_output=True,
        timeout=120,
        check=True,
    )
    with Image.open(picture) as image:
        pixels = np.asarray(image.convert("L"), np.float32)
    # Text and figures on white.
    assert 150 < pixels.mean() < 254
    assert pixels.std() > 10


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a/seed_0/results.json", "{}", "lacks, or does not know, 'config'"),
        ("a/seed_0/results.json", "{", "expected a JSON file"),
        (
            "a/seed_0/results.json",
            '{"config": {"method": "x"}}',
            "does not know",
        ),
    ],
)
def test_a_file_that_is_not_whole_is_named(tmp_path, name, text, message):
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(ExperimentError, match=message) as caught:
        founds.find(str(tmp_path), whole=True)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"measures": {"nll": "0.1"}}, "expected a number for nll; got '0.1'"),
        ({"measures": None}, "expected a number for measures; got None"),
        ({"final": ...}, "the results of a run of a table; lacks final."),
    ],
)
def test_results_without_their_numbers_are_named(tmp_path, changes, message):
    config = {"method": "map", "seed": 0}
    names = ("settings", "final", "provenance", "outliers", "num_parameters")
    result = dict.fromkeys((*names, "num_train", "num_test", "num_outliers"), 1)
    result |= {"config": config, "measures": {"nll": 0.1}, "seconds": 1.0}
    folder = tmp_path / "map" / "seed_0"
    folder.mkdir(parents=True)
    path = folder / "results.json"
    path.write_text(json.dumps(result))
    assert len(founds.find(str(tmp_path), whole=True).results) == 1
    result = {k: v for k, v in {**result, **changes}.items() if v is not ...}
    path.write_text(json.dumps(result))
    with pytest.raises(ExperimentError, match=message) as caught:
        founds.find(str(tmp_path), whole=True)
    assert str(path) in str(caught.value)


def test_a_finding_whose_picture_is_gone_is_named(tmp_path):
    _exhibit(tmp_path)
    (tmp_path / "one.png").unlink()
    with pytest.raises(ExperimentError, match="Expected a picture"):
        founds.find(str(tmp_path))

"""Real files of tensorflow-datasets, for the tests of this folder.

They are looked for in the folder that the environment variable BBH_TF_DATA_DIR
names.
"""

import os
import pathlib

import pytest

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_DATA_DIR = pathlib.Path(
    os.environ.get("BBH_TF_DATA_DIR", _ROOT / "../shared/data/tfds")
)


def find(name, title):
    """Returns the folder of a data set's files; skips where there is none."""
    found = sorted(_DATA_DIR.glob(f"{name}/3.*/dataset_info.json"))
    if not found:
        pytest.skip(f"no prepared {title}; set BBH_TF_DATA_DIR to its folder")
    return found[-1].parent


def link(prepared, data_dir):
    """Links to the real files in a folder of its own, to be spoilt."""
    folder = data_dir / prepared.parent.name / prepared.name
    folder.mkdir(parents=True)
    for path in prepared.iterdir():
        (folder / path.name).symlink_to(path.resolve())
    return folder


def replace(path, content):
    """Puts a file with other content in the place of a link."""
    path.unlink()
    path.write_bytes(content)

"""Fills the figures of the README and of docs/*.md from results/.

python -m experiments.results_pages           # write what has changed
python -m experiments.results_pages --check   # write nothing; 1 if any would

A page is prose with fields, see `experiments/page_fields.py` and, for what a
field can say, `experiments/result_fields.py`. A new paper's page is a file
docs/results_<paper>.md with fields in it.
"""

import pathlib

from absl import flags

from experiments import command_line
from experiments import files
from experiments import page_fields
from experiments import result_fields
from experiments.errors import ExperimentError

_CHECK = flags.DEFINE_boolean(
    "check", False, "Whether to say what is out of date, and write nothing."
)
_ROOT = pathlib.Path(__file__).resolve().parent.parent


def pages():
    """Returns the pages of this checkout as they should be.

    Returns:
        Dictionary from the path of each page that has fields to its text.

    Raises:
        ExperimentError: if a field cannot be filled.
    """
    filled = {}
    for path in [_ROOT / "README.md", *sorted(_ROOT.glob("docs/*.md"))]:
        text = path.read_text("utf-8")
        if page_fields.has_any(text):
            filled[path] = page_fields.fill(
                text,
                result_fields.functions(_ROOT / "results", path),
                path.relative_to(_ROOT).as_posix(),
            )
    return filled


def run():
    """Writes or checks, as the flag says."""
    changed = {
        path: text
        for path, text in pages().items()
        if path.read_text("utf-8") != text
    }
    for path, text in changed.items():
        name = path.relative_to(_ROOT).as_posix()
        print(f"{name}: out of date{'' if _CHECK.value else '; written anew'}")
        if not _CHECK.value:
            files.write_text(path, text)
    if _CHECK.value and changed:
        raise ExperimentError(
            "`python -m experiments.results_pages` writes them anew."
        )


if __name__ == "__main__":
    command_line.start(run)

"""The API reference says what the docstrings say."""

import pathlib
import re
import subprocess
import sys

_ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_the_reference_is_as_the_tool_writes_it():
    done = subprocess.run(
        [sys.executable, _ROOT / "tools/api_reference.py", "--check"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_it_has_all_that_is_public():
    import bbh_tf as bbh

    for room in ("layers", "models", "posteriors", "divergences"):
        text = (_ROOT / "docs/api" / f"{room}.md").read_text()
        for name in getattr(bbh, room).__all__:
            assert f"`bbh_tf.{room}.{name}`" in text
    assert "num_train_examples" in (_ROOT / "docs/api/models.md").read_text()


def test_it_refers_to_nothing_that_it_leaves_out():
    texts = [path.read_text() for path in (_ROOT / "docs/api").glob("*.md")]
    text = "\n".join(texts)
    known = set(re.findall(r"^###? `bbh_tf\.\w+\.([\w.]+)`$", text, re.M))
    owners = re.findall(r"\bsee\s+`(?:bbh_tf\.)?([\w.]*[A-Z]\w*)", text)
    missing = {
        owner
        for owner in owners
        if not owner.startswith("keras.") and owner.split(".")[-1] not in known
    }
    assert not missing

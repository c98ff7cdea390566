"""Holds the BUILD files against the tree, without the tool that writes them.

The checker below shares no code with tools/build_files.py: it reads each
BUILD file as the Python syntax that it is, and each import anew.
"""

import ast
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = re.compile(r"^(\..*|build|dist|runs|node_modules|__pycache__)$")
RULES = ("py_library", "py_binary", "py_test")
# Import names that differ from the name of what one installs.
RENAMED = {
    "PIL": "pillow",
    "absl": "absl-py",
    "google": "protobuf",
    "jaxlib": "jax",
    "mpl_toolkits": "matplotlib",
    "sklearn": "scikit-learn",
}


def project_files(root, pattern):
    """Yields the relative paths that match, past what is no part of it."""
    for path in sorted(root.rglob(pattern)):
        relative = path.relative_to(root)
        folders = relative.parts[:-1]
        if any(SKIPPED.match(x) or x.endswith(".egg-info") for x in folders):
            continue
        inside = relative.parents
        if any((root / f / "pyvenv.cfg").exists() for f in inside):
            continue
        yield relative.as_posix()


def read_build(root, build):
    """Returns {label: (rule, sources, deps)} of one BUILD file."""
    package = build.rpartition("/")[0]
    targets = {}
    for node in ast.parse((root / build).read_text(encoding="utf-8")).body:
        call = node.value
        if not isinstance(call, ast.Call) or call.func.id not in RULES:
            continue
        given = {word.arg: word.value for word in call.keywords}
        label = f"//{package}:{ast.literal_eval(given['name'])}"
        assert label not in targets, f"{label} stands twice"
        sources = {
            f"{package}/{source}".lstrip("/")
            for source in ast.literal_eval(given["srcs"])
        }
        deps = [
            full_label(x, package)
            for x in getattr(given.get("deps"), "elts", [])
        ]
        targets[label] = (call.func.id, sources, deps)
    return targets


def full_label(node, package):
    """Returns //folder:name for a string, @name for a requirement."""
    if isinstance(node, ast.Call):
        assert node.func.id == "requirement"
        return "@" + node.args[0].value
    if node.value.startswith(":"):
        return f"//{package}{node.value}"
    if ":" not in node.value:
        return f"{node.value}:{node.value.rpartition('/')[2]}"
    return node.value


def imported(root, path):
    """Returns the files and @distributions that a file imports."""
    names = set()
    for node in ast.walk(ast.parse((root / path).read_text("utf-8"))):
        match node:
            case ast.Import():
                names.update(alias.name for alias in node.names)
            case ast.ImportFrom():
                names.update(f"{node.module}.{a.name}" for a in node.names)
            case ast.Call(
                func=ast.Attribute(attr="import_module" | "importorskip"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                names.add(name)
    found = {resolved(root, name) for name in names}
    if path.endswith("_test.py"):
        found.update(
            (folder / "conftest.py").as_posix()
            for folder in pathlib.PurePosixPath(path).parents
            if (root / folder / "conftest.py").exists()
        )
    return found - {None, path}


def resolved(root, name):
    """Returns the file or @distribution of a dotted name; None for Python's."""
    parts = name.split(".")
    if parts[0] in sys.stdlib_module_names:
        return None
    if (
        not (root / parts[0]).is_dir()
        and not (root / f"{parts[0]}.py").exists()
    ):
        return "@" + RENAMED.get(parts[0], parts[0].replace("_", "-"))
    for length in (len(parts), len(parts) - 1):
        place = "/".join(parts[:length])
        for path in (f"{place}.py", f"{place}/__init__.py"):
            if place and (root / path).is_file():
                return path
    return f"{name} (not in the tree)"


def complaints(root):
    """Returns a line for each way in which BUILD and tree differ."""
    targets = {}
    for build in project_files(root, "BUILD"):
        targets.update(read_build(root, build))
    owners = {}
    for label, (_, sources, _) in targets.items():
        for source in sources:
            owners.setdefault(source, []).append(label)
    files = set(project_files(root, "*.py"))
    lines = [f"{path}: no target" for path in files - owners.keys()]
    lines += [f"{path}: no such file" for path in owners.keys() - files]
    lines += [f"{p}: {len(o)} targets" for p, o in owners.items() if len(o) > 1]
    for label, (rule, sources, deps) in targets.items():
        if len(sources) != 1:
            lines.append(f"{label}: {len(sources)} sources")
        has = set()
        for dep in deps:
            if dep.startswith("@"):
                has.add("@" + dep[1:].replace("_", "-"))
            elif dep in targets:
                has.update(targets[dep][1])
            else:
                lines.append(f"{label}: no such target {dep}")
        if len(deps) != len(set(deps)):
            lines.append(f"{label}: a dep stands twice")
        for source in sources & files:
            needs = imported(root, source)
            lines += [f"{label}: lacks {x}" for x in needs - has]
            lines += [f"{label}: has {x} for nothing" for x in has - needs]
            if source.endswith("_test.py") != (rule == "py_test"):
                lines.append(f"{label}: is a {rule}")
    return sorted(lines)


def run_tool(root, *flags):
    return subprocess.run(
        [sys.executable, ROOT / "tools/build_files.py", "--root", root, *flags],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def small(tmp_path):
    """A project of three files and its BUILD files."""
    for path, text in {
        "setup.py": 'REQUIRED = ["numpy>=1.26"]\n',
        "bbh_tf/__init__.py": "from bbh_tf.room import one\n",
        "bbh_tf/room/one.py": "import os\n\nfrom bbh_tf.room import two\n",
        "bbh_tf/room/two.py": "def f():\n    import numpy as np\n",
        "tests/conftest.py": "",
        "tests/one_test.py": "from bbh_tf.room.one import two\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    done = run_tool(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    return tmp_path


def edit(root, path, old, new):
    text = (root / path).read_text()
    assert old in text
    (root / path).write_text(text.replace(old, new, 1))


def test_build_files_say_what_the_tree_imports():
    assert complaints(ROOT) == []


def test_build_files_are_as_the_tool_writes_them():
    done = run_tool(ROOT, "--check")
    assert (done.returncode, done.stdout) == (0, "")


def test_a_written_project_is_in_order(small):
    assert complaints(small) == []
    assert run_tool(small, "--check").returncode == 0
    assert run_tool(small).stdout == ""


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('":two"', "", "//bbh_tf/room:one: lacks bbh_tf/room/two.py"),
        ('requirement("numpy")', "", "//bbh_tf/room:two: lacks @numpy"),
        (
            '":two"',
            '":two", requirement("numpy")',
            "//bbh_tf/room:one: has @numpy for nothing",
        ),
        ('":two"', '":three"', "//bbh_tf/room:one: no such target"),
        ('"two.py"', '"three.py"', "bbh_tf/room/two.py: no target"),
        ('"two.py"', '"three.py"', "bbh_tf/room/three.py: no such file"),
    ],
)
def test_a_wrong_build_file_is_found(small, old, new, complaint):
    edit(small, "bbh_tf/room/BUILD", old, new)
    assert any(line.startswith(complaint) for line in complaints(small))
    assert "bbh_tf/room/BUILD: out of date" in run_tool(small, "--check").stdout


def test_a_missing_build_file_is_found(small):
    (small / "bbh_tf/room/BUILD").unlink()
    assert "bbh_tf/room/one.py: no target" in complaints(small)
    assert "bbh_tf/room/BUILD: missing" in run_tool(small, "--check").stdout


def test_a_build_file_without_sources_is_found_and_removed(small):
    shutil.rmtree(small / "tests")
    (small / "tests").mkdir()
    (small / "tests/BUILD").write_text("# Nothing is here.\n")
    done = run_tool(small, "--check")
    assert done.returncode == 1
    assert "tests/BUILD: its folder has no Python file" in done.stdout
    assert "make build-files" in done.stdout
    run_tool(small)
    assert not (small / "tests/BUILD").exists()


def test_a_test_depends_on_its_conftest(small):
    edit(small, "tests/BUILD", '":conftest",', "")
    assert complaints(small) == ["//tests:one_test: lacks tests/conftest.py"]


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("import sklearn\n", "no list in setup.py has scikit-learn"),
        ("import unheard_of\n", "unknown to tools/build_files.py"),
        ("import bbh_tf.attic\n", "which is not in the tree"),
        ("from . import two\n", "relative import"),
        ("from bbh_tf.room import one\n", "in a ring"),
    ],
)
def test_an_import_that_cannot_be_built_is_refused(small, source, complaint):
    (small / "bbh_tf/room/two.py").write_text(source)
    done = run_tool(small)
    assert done.returncode == 1
    assert complaint in done.stdout
    assert len(done.stdout.splitlines()) == 1


def test_a_target_is_seen_only_where_it_is_used(small):
    room = (small / "bbh_tf/room/BUILD").read_text()
    one, two = room.split('name = "two"')
    assert 'default_visibility = ["//visibility:private"]' in one
    assert '"//bbh_tf:__subpackages__"' in one
    assert '"//tests:__subpackages__"' not in two


def test_the_text_is_the_same_whatever_the_hash_seed(small):
    texts = set()
    for seed in "012":
        for build in project_files(small, "BUILD"):
            (small / build).unlink()
        subprocess.run(
            [sys.executable, ROOT / "tools/build_files.py", "--root", small],
            env={"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        )
        texts.add(
            "".join(
                (small / b).read_text() for b in project_files(small, "BUILD")
            )
        )
    assert len(texts) == 1

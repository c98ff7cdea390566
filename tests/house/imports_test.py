"""Holds the rooms and stairs: imports run downward only.

The table says on which floor each room of the library stands. A file may
import from its own room and from the floors below, from nowhere else.
"""

import ast
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLOORS = {
    "bbh_tf.workers": -1,
    "bbh_tf.memory": 0,
    "bbh_tf.normal": 0,
    "bbh_tf.randomness": 0,
    "bbh_tf.settings": 0,
    "bbh_tf.checkpointing": 0,
    "bbh_tf.checks": 0,
    "bbh_tf.fixed": 0,
    "bbh_tf.version": 0,
    "bbh_tf.weights": 0,
    "bbh_tf.layer_draw": 0,
    "bbh_tf.annealing": 1,
    "bbh_tf.attacks": 1,
    "bbh_tf.datasets": 1,
    "bbh_tf.divergences": 1,
    "bbh_tf.flows": 1,
    "bbh_tf.hypernetworks": 1,
    "bbh_tf.optimizers": 1,
    "bbh_tf.uncertainty": 1,
    "bbh_tf.acquisition": 2,
    "bbh_tf.plots": 2,
    "bbh_tf.postprocessing": 2,
    "bbh_tf.priors": 2,
    "bbh_tf.posteriors": 3,
    "bbh_tf.layers": 4,
    "bbh_tf.models": 5,
    "bbh_tf.callbacks": 6,
    # The front door, which shows every room.
    "bbh_tf": 5,
    "benchmarks": 7,
    "experiments": 7,
}
# The floors of the experiments' folders, above what stands in none.
FOLDERS = {
    "methods": 0,
    "papers": 1,
    "exporting": 2,
    "reporting": 2,
    "defaults": 3,
    "dwp": 3,
    "in_turn": 3,
    "posterior": 3,
    "robustness": 3,
    "shift": 3,
    "toy": 3,
    "bhn": 4,
    "bound": 4,
}
FRONT_DOOR = "bbh_tf/__init__.py"
HOUSES = ("bbh_tf", "benchmarks", "experiments")
MOST_LINES = 300
# The library itself needs no more than what setup.py always installs.
STARTS_LATE = {"bbh_tf", "experiments", "keras", "tensorflow"}
LAZY_ONLY = {"PIL", "matplotlib", "psutil", "rich", "sklearn", "tqdm"}


def sources(root, *folders):
    """Yields (relative path, text) of the Python files in some folders."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            yield path.relative_to(root).as_posix(), path.read_text("utf-8")


def room_of(module):
    """Returns the room of a dotted name: a.b within bbh_tf, else a."""
    parts = module.split(".")
    return ".".join(parts[: 2 if parts[0] == "bbh_tf" else 1])


def imported(nodes):
    """Yields (line, dotted name) of every import among some nodes."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"
        elif (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", None) == "import_module"
            and isinstance(node.args[0], ast.Constant)
        ):
            # Imports at first use run downward as well.
            yield node.lineno, node.args[0].value


def upward_imports(root):
    """Returns a line for each import that does not run downward."""
    lines = []
    for path, text in sources(root, *HOUSES):
        if path == FRONT_DOOR:
            continue
        room = room_of(path.removesuffix(".py").replace("/", "."))
        if room not in FLOORS:
            lines.append(f"{path}: {room} is not in the table of floors")
            continue
        for line, name in imported(ast.walk(ast.parse(text))):
            house = name.split(".")[0]
            other = room_of(name) if room_of(name) in FLOORS else house
            if house not in HOUSES or other == room:
                continue
            if FLOORS[other] >= FLOORS[room]:
                lines.append(f"{path}:{line}: {room} may not import {name}")
    return lines


def upward_imports_of_experiments(root):
    """Returns a line for each import of a folder of the same floor or above."""
    lines = []
    for path, text in sources(root, "experiments"):
        folder = path.split("/")[1]
        if folder.endswith(".py"):
            continue
        if folder not in FOLDERS:
            lines.append(f"{path}: {folder} is not in the table of folders")
            continue
        for line, name in imported(ast.walk(ast.parse(text))):
            house, *parts = name.split(".")
            other = parts[0] if parts else ""
            if house != "experiments" or other not in FOLDERS:
                continue
            if other != folder and FOLDERS[other] >= FOLDERS[folder]:
                lines.append(f"{path}:{line}: {folder} may not import {name}")
    return lines


def flag_imports(root):
    """Returns a line for each import of absl.flags within the library."""
    return [
        f"{path}:{line}: absl.flags belongs in experiments/"
        for path, text in sources(root, "bbh_tf")
        for line, name in imported(ast.walk(ast.parse(text)))
        if name.startswith("absl.flags")
    ]


def eager_imports(root):
    """Returns a line for each import of an extra outside a function."""
    lines = []
    for path, text in sources(root, "bbh_tf"):
        nodes = list(ast.walk(ast.parse(text)))
        inside = {
            inner
            for node in nodes
            if isinstance(node, ast.FunctionDef)
            for inner in ast.walk(node)
        }
        for line, name in imported(
            node for node in nodes if node not in inside
        ):
            if name.split(".")[0] in LAZY_ONLY:
                lines.append(f"{path}:{line}: import {name} where it is used")
    return lines


def late_imports(root):
    """Returns a line for each import in a function of what starts late.

    `experiments/lazy.py` is the one way to do without TensorFlow until it is
    needed.
    """
    lines = []
    for path, text in sources(root, "experiments"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                statements = (
                    inner
                    for inner in ast.walk(node)
                    if isinstance(inner, ast.Import | ast.ImportFrom)
                )
                for line, name in imported(statements):
                    if name.split(".")[0] in STARTS_LATE:
                        lines.append(f"{path}:{line}: {name} by lazy.py")
    return lines


def crowded_files(root):
    """Returns a line for each library file that holds too much."""
    lines = []
    for path, text in sources(root, "bbh_tf"):
        length = len(text.splitlines())
        if length > MOST_LINES:
            lines.append(f"{path}: {length} lines")
        classes = [
            node.name
            for node in ast.parse(text).body
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        ]
        if len(classes) > 1:
            lines.append(f"{path}: public classes {', '.join(classes)}")
    return lines


def drawers_of_odds_and_ends(root):
    """Returns the files that no name could be found for."""
    return [
        path
        for path, _ in sources(root, *HOUSES, "tests", "tools")
        if re.search(r"(^|/)_?(utils?|helpers|misc)\.py$", path)
    ]


def folders_left_behind(root):
    """Returns the folders of code that packaging would pass over."""
    folders = {(root / path).parent for path, _ in sources(root, *HOUSES[::2])}
    return [
        folder.relative_to(root).as_posix()
        for folder in sorted(folders)
        if not (folder / "__init__.py").exists()
    ]


@pytest.fixture
def house(tmp_path):
    """Returns a function that writes a file and gives back the root."""

    def write(path, text):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
        return tmp_path

    return write


@pytest.mark.parametrize(
    "rule",
    [
        upward_imports,
        upward_imports_of_experiments,
        flag_imports,
        eager_imports,
        crowded_files,
        drawers_of_odds_and_ends,
        late_imports,
        folders_left_behind,
    ],
    ids=lambda rule: rule.__name__,
)
def test_the_tree_keeps_the_rule(rule):
    assert rule(ROOT) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("bbh_tf/priors/a.py", "from bbh_tf import posteriors\n"),
        ("bbh_tf/priors/a.py", "from bbh_tf.posteriors import Implicit\n"),
        ("bbh_tf/priors/a.py", "import bbh_tf.posteriors.implicit\n"),
        ("bbh_tf/priors/a.py", "import bbh_tf as bbh\n"),
        ("bbh_tf/priors/a.py", "def f():\n    import experiments.a\n"),
        ("bbh_tf/flows/a.py", "from bbh_tf.attacks import fgsm\n"),
        ("bbh_tf/weights.py", "from bbh_tf import randomness\n"),
        ("bbh_tf/layers/deep/a.py", "from bbh_tf import models\n"),
        ("bbh_tf/priors/a.py", "from bbh_tf import attic\n"),
        ("bbh_tf/attic/a.py", ""),
        ("experiments/a.py", "from benchmarks import a\n"),
    ],
)
def test_an_upward_import_is_caught(house, path, text):
    assert len(upward_imports(house(path, text))) == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("experiments/papers/a.py", "from experiments.reporting import b\n"),
        ("experiments/toy/a.py", "import experiments.shift.b\n"),
        (
            "experiments/toy/a.py",
            'b = lazy.import_module("experiments.shift.b")\n',
        ),
        ("experiments/attic/a.py", ""),
    ],
)
def test_an_upward_import_of_experiments_is_caught(house, path, text):
    assert len(upward_imports_of_experiments(house(path, text))) == 1
    house("experiments/attic/a.py", "")
    below = house("experiments/toy/a.py", "from experiments.methods import b\n")
    assert not any(
        "toy" in line for line in upward_imports_of_experiments(below)
    )


def test_a_late_import_is_caught(house):
    inside = "def f():\n    from experiments import files\n"
    assert len(late_imports(house("experiments/a.py", inside))) == 1
    other = "def f():\n    import sklearn\n"
    assert late_imports(house("experiments/a.py", other)) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("bbh_tf/posteriors/a.py", "from bbh_tf.priors import standard\n"),
        ("bbh_tf/priors/a.py", "from bbh_tf.priors import b\n"),
        ("bbh_tf/priors/a.py", "from bbh_tf import randomness, version\n"),
        ("bbh_tf/__init__.py", "from bbh_tf import models\n"),
        ("experiments/a.py", "import bbh_tf as bbh\n"),
        ("experiments/a.py", "from bbh_tf import __version__\n"),
        ("bbh_tf/layers/a.py", "import keras\nimport experiments_of_mine\n"),
    ],
)
def test_a_downward_import_is_let_through(house, path, text):
    assert upward_imports(house(path, text)) == []


@pytest.mark.parametrize(
    "text", ["from absl import flags\n", "import absl.flags\n"]
)
def test_flags_are_caught_in_the_library_alone(house, text):
    house("experiments/a.py", text)
    assert flag_imports(house("bbh_tf/priors/a.py", "")) == []
    assert len(flag_imports(house("bbh_tf/priors/a.py", text))) == 1


def test_an_extra_at_module_level_is_caught(house):
    lazy = "def f():\n    import sklearn\n"
    assert eager_imports(house("bbh_tf/datasets/a.py", lazy)) == []
    eager = "from sklearn import datasets\n"
    assert len(eager_imports(house("bbh_tf/datasets/a.py", eager))) == 1


@pytest.mark.parametrize(
    "text",
    ["x = 1\n" * 301, "class A:\n    pass\n\n\nclass B:\n    pass\n"],
    ids=["long", "two classes"],
)
def test_a_crowded_file_is_caught(house, text):
    assert len(crowded_files(house("bbh_tf/priors/a.py", text))) == 1


def test_a_long_list_and_a_private_class_are_let_through(house):
    text = "class A:\n    pass\n\n\nclass _B:\n    pass\n" + "x = 1\n" * 290
    assert crowded_files(house("bbh_tf/priors/a.py", text)) == []


def test_a_drawer_of_odds_and_ends_is_caught(house):
    assert drawers_of_odds_and_ends(house("bbh_tf/priors/utils.py", ""))
    assert len(drawers_of_odds_and_ends(house("bbh_tf/weights.py", ""))) == 1


def test_a_folder_without_init_is_caught(house):
    house("bbh_tf/__init__.py", "")
    root = house("bbh_tf/priors/a.py", "")
    assert folders_left_behind(root) == ["bbh_tf/priors"]
    house("bbh_tf/priors/__init__.py", "")
    assert folders_left_behind(root) == []

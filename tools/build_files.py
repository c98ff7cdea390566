"""Writes the BUILD files from the imports that the sources really have.

    python tools/build_files.py           # write what has changed
    python tools/build_files.py --check   # write nothing; 1 if any would change

Every Python file becomes one target, named after it. Its deps are the files
and distributions that it imports, at the top or inside a function. A target
can be seen from its own folder only, unless a file elsewhere imports it.
"""

import argparse
import ast
import collections
import dataclasses
import graphlib
import os
import pathlib
import re
import sys
from collections.abc import Iterator

HEADER = "# Written by tools/build_files.py from the imports. Do not edit.\n"
LOAD = "//tools:build_defs.bzl"
SKIPPED = {"build", "dist", "node_modules", "runs", "__pycache__"}
# Folders whose modules are commands where they have a `main`.
COMMANDS = ("benchmarks", "experiments", "tools")
PUBLIC = {"bbh_tf/__init__.py"}
# Tests that look at the whole tree, which a sandbox does not hold.
MANUAL = "tests/house"
# Import name -> distribution, for every third party that may be imported.
DISTRIBUTIONS = {
    "PIL": "pillow",
    "absl": "absl-py",
    "foolbox": "foolbox",
    "google": "protobuf",
    "h5py": "h5py",
    "importlib_resources": "importlib_resources",
    "jax": "jax",
    "jaxlib": "jax",
    "keras": "keras",
    "matplotlib": "matplotlib",
    "mpl_toolkits": "matplotlib",
    "numpy": "numpy",
    "pandas": "pandas",
    "psutil": "psutil",
    "pytest": "pytest",
    "rich": "rich",
    "scipy": "scipy",
    "setuptools": "setuptools",
    "sklearn": "scikit-learn",
    "tensorflow": "tensorflow",
    "tensorflow_datasets": "tensorflow-datasets",
    "tensorflow_probability": "tensorflow-probability",
    "tf_keras": "tf-keras",
    "tqdm": "tqdm",
}


@dataclasses.dataclass
class Target:
    """One Python file as Bazel sees it."""

    path: str
    kind: str
    name: str
    locals: set[str] = dataclasses.field(default_factory=set)
    distributions: set[str] = dataclasses.field(default_factory=set)
    users: set[str] = dataclasses.field(default_factory=set)

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]

    def label(self, seen_from: str) -> str:
        """Returns the shortest label, as buildifier would write it."""
        if seen_from == self.folder:
            return f":{self.name}"
        if self.folder.rpartition("/")[2] == self.name:
            return f"//{self.folder}"
        return f"//{self.folder}:{self.name}"


def folders(root: pathlib.Path) -> Iterator[tuple[str, list[str]]]:
    """Yields every folder of the project with the names of its files."""
    for where, inner, names in os.walk(root):
        inner[:] = sorted(
            name
            for name in inner
            if not name.startswith(".")
            and name not in SKIPPED
            and not name.endswith(".egg-info")
            and not os.path.exists(os.path.join(where, name, "pyvenv.cfg"))
        )
        folder = pathlib.Path(where).relative_to(root).as_posix()
        yield "" if folder == "." else folder, sorted(names)


def declared(root: pathlib.Path) -> set[str]:
    """Returns the distributions that the lists of setup.py name."""
    found = set()
    tree = ast.parse((root / "setup.py").read_text(encoding="utf-8"))
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(
            statement.value, ast.List
        ):
            for item in ast.literal_eval(statement.value):
                found.add(normal(re.match(r"[\w.-]+", item).group()))
    return found


def normal(distribution: str) -> str:
    """Returns the name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def imports(tree: ast.AST) -> Iterator[tuple[int, str, str | None]]:
    """Yields the line, the module, and the name taken from it if any."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, None
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                yield node.lineno, module, alias.name
        elif (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", None)
            in ("import_module", "importorskip")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield node.lineno, node.args[0].value, None


def kind_of(path: str, tree: ast.Module) -> str:
    """Returns the rule for a file."""
    if path.endswith("_test.py"):
        return "py_test"
    has_main = any(
        isinstance(node, ast.FunctionDef) and node.name == "main"
        for node in tree.body
    )
    if has_main and path.startswith(COMMANDS):
        return "py_binary"
    return "py_library"


def read(root: pathlib.Path) -> tuple[dict[str, Target], list[str]]:
    """Returns the targets by path, and a line for each thing amiss."""
    trees = {}
    errors = []
    for folder, names in folders(root):
        for name in names:
            if name.endswith(".py"):
                path = f"{folder}/{name}".lstrip("/")
                text = (root / path).read_text(encoding="utf-8")
                try:
                    trees[path] = ast.parse(text)
                except SyntaxError as error:
                    errors.append(f"{path}:{error.lineno}: does not parse")
    targets = {}
    for path, tree in trees.items():
        folder, _, file = path.rpartition("/")
        name = file.removesuffix(".py")
        if name == "__init__":
            package = folder.rpartition("/")[2]
            name = name if f"{folder}/{package}.py" in trees else package
        targets[path] = Target(path, kind_of(path, tree), name)
    known = declared(root)
    for path, tree in trees.items():
        for line, module, name in imports(tree):
            problem = add_import(targets, targets[path], module, name, known)
            if problem:
                errors.append(f"{path}:{line}: {problem}")
    add_conftests(targets)
    for target in targets.values():
        for path in target.locals:
            targets[path].users.add(target.folder)
    return targets, errors + cycles(targets)


def add_import(
    targets: dict[str, Target],
    target: Target,
    module: str,
    name: str | None,
    known: set[str],
) -> str | None:
    """Books one import on a target; returns what is wrong with it, if so."""
    top = module.partition(".")[0]
    if not top:
        return "relative import; name the module in full"
    base = module.replace(".", "/")
    if f"{top}.py" in targets or any(p.startswith(f"{top}/") for p in targets):
        wanted = [f"{base}.py", f"{base}/__init__.py"]
        if name:
            wanted[:0] = [f"{base}/{name}.py", f"{base}/{name}/__init__.py"]
        found = next((path for path in wanted if path in targets), None)
        if found is None:
            return f"imports {module}, which is not in the tree"
        if found != target.path:
            target.locals.add(found)
        return None
    if top in sys.stdlib_module_names:
        return None
    distribution = DISTRIBUTIONS.get(top)
    if distribution is None:
        return f"imports {top}, unknown to tools/build_files.py: add it there"
    if normal(distribution) not in known and target.path != "setup.py":
        return f"imports {top}, but no list in setup.py has {distribution}"
    target.distributions.add(distribution)
    return None


def add_conftests(targets: dict[str, Target]) -> None:
    """Lets every test depend on the conftest.py files that pytest loads."""
    for target in targets.values():
        if target.kind == "py_test":
            for folder in pathlib.PurePosixPath(target.path).parents:
                conftest = (folder / "conftest.py").as_posix()
                if conftest in targets:
                    target.locals.add(conftest)


def cycles(targets: dict[str, Target]) -> list[str]:
    """Returns a line for a ring of imports, which Bazel would refuse."""
    graph = {path: target.locals for path, target in sorted(targets.items())}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return [f"{error.args[1][0]}: in a ring, {' < '.join(error.args[1])}"]
    return []


def listed(name: str, items: list[str]) -> str:
    """Returns an attribute that holds a list."""
    if len(items) == 1:
        return f"    {name} = [{items[0]}],\n"
    lines = "".join(f"        {item},\n" for item in items)
    return f"    {name} = [\n{lines}    ],\n"


def render_target(target: Target, targets: dict[str, Target]) -> str:
    """Returns one rule."""
    text = f'\n{target.kind}(\n    name = "{target.name}",\n'
    if target.path.startswith("tests/") and target.kind != "py_test":
        text += "    testonly = True,\n"
    text += listed("srcs", [f'"{target.path.rpartition("/")[2]}"'])
    if target.kind == "py_test" and target.folder == MANUAL:
        text += listed("tags", ['"manual"'])
    users = {user.partition("/")[0] for user in target.users - {target.folder}}
    if target.path in PUBLIC:
        text += listed("visibility", ['"//visibility:public"'])
    elif users:
        labels = [f'"//{user}:__subpackages__"' for user in sorted(users)]
        text += listed("visibility", labels)
    labels = [targets[path].label(target.folder) for path in target.locals]
    labels.sort(key=lambda x: (x[0] != ":", x.replace(":", ".").split(".")))
    deps = [f'"{label}"' for label in labels]
    deps += [f'requirement("{name}")' for name in sorted(target.distributions)]
    if deps:
        text += listed("deps", deps)
    return text + ")\n"


def render(targets: dict[str, Target]) -> dict[str, str]:
    """Returns the text of every BUILD file by its path."""
    packages = collections.defaultdict(list)
    for target in targets.values():
        packages[target.folder].append(target)
    packages.setdefault("", [])
    files = {}
    for folder, members in packages.items():
        rules = sorted({target.kind for target in members})
        if any(target.distributions for target in members):
            rules.append("requirement")
        names = "".join(f', "{rule}"' for rule in rules)
        text = HEADER + (f'\nload("{LOAD}"{names})\n' if rules else "")
        text += '\npackage(default_visibility = ["//visibility:private"])\n'
        if not folder:
            text += '\nexports_files(["LICENSE"])\n'
        if folder == "tools":
            text += '\nexports_files(["run_pytest.py"])\n'
        for target in sorted(members, key=lambda target: target.name):
            text += render_target(target, targets)
        files[f"{folder}/BUILD".lstrip("/")] = text
    return files


def differences(root: pathlib.Path, files: dict[str, str]) -> list[str]:
    """Returns a line for each BUILD file that is not as it should be."""
    lines = []
    for path, text in sorted(files.items()):
        if not (root / path).exists():
            lines.append(f"{path}: missing")
        elif (root / path).read_text(encoding="utf-8") != text:
            lines.append(f"{path}: out of date")
    for folder, names in folders(root):
        path = f"{folder}/BUILD".lstrip("/")
        if "BUILD" in names and path not in files:
            lines.append(f"{path}: its folder has no Python file")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument(
        "--root",
        type=pathlib.Path,
        default=pathlib.Path(__file__).resolve().parent.parent,
        help="the project, by default the one this file is in",
    )
    options = parser.parse_args()
    targets, errors = read(options.root)
    if errors:
        print("\n".join(sorted(errors)))
        return 1
    files = render(targets)
    lines = differences(options.root, files)
    if options.check:
        for line in lines:
            print(f"{line}; mend it with: make build-files")
        return 1 if lines else 0
    for line in lines:
        path = options.root / line.partition(":")[0]
        if line.partition(":")[0] in files:
            path.write_text(files[line.partition(":")[0]], encoding="utf-8")
        else:
            path.unlink()
        print(f"{line}; mended")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The rules of every BUILD file, so that what they do is said in one place.

`make test` needs no Bazel. A workspace that builds with it provides
rules_python as `@rules_python` and, through its pip extension, the
distributions that setup.py names as the hub `@pypi`.
"""

load("@rules_python//python:py_binary.bzl", _py_binary = "py_binary")
load("@rules_python//python:py_library.bzl", _py_library = "py_library")
load("@rules_python//python:py_test.bzl", _py_test = "py_test")

def requirement(distribution):
    """Returns the label of a distribution from the package index.

    Args:
        distribution: its name there, such as "absl-py".

    Returns:
        A label in the hub, whose names are in lower case with underscores.
    """
    return "@pypi//" + distribution.lower().replace("-", "_").replace(".", "_")

def py_library(name, **kwargs):
    """A file that others import.

    Args:
        name: the stem of the file.
        **kwargs: passed on.
    """
    _py_library(name = name, **kwargs)

def py_binary(name, **kwargs):
    """A file that is a command.

    Args:
        name: the stem of the file.
        **kwargs: passed on.
    """
    _py_binary(name = name, **kwargs)

def py_test(name, srcs, deps = [], **kwargs):
    """A file of pytest tests, run by pytest.

    Args:
        name: the stem of the file.
        srcs: the file.
        deps: what it imports.
        **kwargs: passed on.
    """
    runner = "//tools:run_pytest.py"
    pytest = requirement("pytest")
    _py_test(
        name = name,
        srcs = srcs + [runner],
        args = ["$(location %s)" % src for src in srcs],
        main = runner,
        deps = deps + ([] if pytest in deps else [pytest]),
        **kwargs
    )

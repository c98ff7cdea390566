"""Packaging of bbh_tf: what it is called and what it needs."""

import pathlib
import re

import setuptools

ROOT = pathlib.Path(__file__).parent

# Tested with tensorflow 2.21.0, keras 3.15.1, tensorflow-probability 0.25.0
# and tensorflow-datasets 4.9.10. Newer minor versions are let in, since a
# library that forbids them is hard to install beside others.
REQUIRED = [
    "absl-py>=2.1",
    # Imported, but not asked for, by tensorflow-datasets 4.9.10.
    "importlib_resources>=6.0",
    # Keras left Python 3.10 behind at 3.13; 3.12 is what that Python gets.
    'keras>=3.12,<3.13; python_version < "3.11"',
    'keras>=3.15,<4; python_version >= "3.11"',
    "numpy>=1.26,<3",
    "tensorflow>=2.21,<3",
    "tensorflow-datasets>=4.9.10,<5",
    # The extra brings tf-keras, which names the tensorflow minor version it
    # belongs to, so that pip keeps the two in step.
    "tensorflow-probability[tf]>=0.25,<1",
    "tf-keras>=2.21,<3",
]

# What the experiments use besides: the handwritten digits and the letters of
# the default data, figures, progress bars, tables, and memory in use.
EXPERIMENTS = [
    "matplotlib>=3.8",
    "pillow>=10.1",
    "psutil>=5.9",
    "rich>=13",
    "scikit-learn>=1.4",
    "scipy>=1.11",
    "tqdm>=4.66",
]

PLOTS = [
    "matplotlib>=3.8",
]

# What the tutorials' data ship with: names in many languages, and tables.
TUTORIALS = [
    "babel>=2.14",
    "scikit-learn>=1.4",
]

# The formatter's taste changes between minor versions, hence its ceiling.
DEV = [
    "foolbox>=3.3.4",
    # Runs exported programs; it has left Python 3.10 behind.
    'jax>=0.10; python_version >= "3.11"',
    "pytest>=8.2",
    "ruff>=0.17,<0.18",
]

CUDA = [
    "tensorflow[and-cuda]>=2.21,<3",
]


def version() -> str:
    """Reads the version without importing the package."""
    text = (ROOT / "bbh_tf" / "version.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise ValueError("bbh_tf/version.py names no __version__.")
    return found.group(1)


def long_description() -> str:
    """Returns the README, or nothing where there is none."""
    readme = ROOT / "README.md"
    return readme.read_text(encoding="utf-8") if readme.exists() else ""


setuptools.setup(
    name="bbh_tf",
    version=version(),
    description=(
        "Bayes by Hypernet: implicit distributions over the weights of "
        "Keras networks"
    ),
    long_description=long_description(),
    long_description_content_type="text/markdown",
    author="The bbh_tf authors",
    license="Apache-2.0",
    packages=setuptools.find_packages(
        include=["bbh_tf", "bbh_tf.*", "experiments", "experiments.*"]
    ),
    python_requires=">=3.10,<3.14",
    install_requires=REQUIRED,
    extras_require={
        "experiments": EXPERIMENTS,
        "plots": PLOTS,
        "tutorials": TUTORIALS,
        "dev": EXPERIMENTS + TUTORIALS + DEV,
        "cuda": CUDA,
    },
    classifiers=[
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)

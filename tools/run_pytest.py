"""Runs pytest on the files it is given: what a py_test target starts."""

import sys

import pytest

if __name__ == "__main__":
    sys.exit(pytest.main(sys.argv[1:]))

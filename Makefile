# One command for each thing; `make` alone lists them.

# The interpreter that .venv is made with: the first of these that is of a
# version in range, or the one you name, as in `make test PYTHON=python3.12`.
PYTHON ?=
PYTHONS = python3 python3.13 python3.12 python3.11 python3.10

# What `make demo` trains, and where it writes.
DEMO_FLAGS ?= --dataset=digits --methods=map,bbb,bbh,bbh_advised --seeds=0,1 \
    --scale=short --kl_scale=0.1 --output_dir=runs/demo

# How `make test` calls pytest: how many processes at a time, and its flags;
# add -m 'not slow' for a quick look.
PYTEST_FLAGS ?= -j 2
# Imported once for all of these processes.
PRELOAD = tensorflow,keras,tensorflow_probability,sklearn.metrics

BIN = .venv/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALLS = It takes about a minute, longer on a slow line.

# Quiet logs, no grab at a whole GPU, and caches that stay in here.
export TF_CPP_MIN_LOG_LEVEL = 3
export TF_FORCE_GPU_ALLOW_GROWTH = true
export KERAS_HOME = $(CURDIR)/.venv/cache/keras
export MPLCONFIGDIR = $(CURDIR)/.venv/cache/matplotlib

.DEFAULT_GOAL := help
.ONESHELL:
.SHELLFLAGS = -euc
.DELETE_ON_ERROR:
.PHONY: help demo test lint build-files api-reference results-pages clean

help:
	@echo "make demo         train on the digits and print the table (minutes)"
	echo "make test         lint, then run the tests"
	echo "make lint         check style, format and BUILD files"
	echo "make build-files  write the BUILD files anew from the imports"
	echo "make api-reference  write docs/api anew from the docstrings"
	echo "make results-pages  write the figures of README and docs/"
	echo "make clean        remove .venv, caches and builds; runs/ stays"

demo: .venv/.installed-experiments
	@$(BIN)/python -m experiments.mnist_methods $(DEMO_FLAGS)

test: lint
	@$(BIN)/python tools/run_tests.py --preload=$(PRELOAD) $(PYTEST_FLAGS)

lint: .venv/.installed-dev
	@$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tools/build_files.py --check

build-files: .venv/.installed-dev
	@$(BIN)/python tools/build_files.py

api-reference: .venv/.installed-dev
	@$(BIN)/python tools/api_reference.py

results-pages: .venv/.installed-experiments
	@$(BIN)/python -m experiments.results_pages

clean:
	@rm -rf .venv build dist *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is written last, so that an install cut short is begun again.
.venv/.installed-dev: setup.py pyproject.toml .venv/.made
	@echo "Installing bbh_tf[dev] into .venv. $(INSTALLS)"
	$(PIP) install -e ".[dev]"
	touch .venv/.installed-experiments $@

.venv/.installed-experiments: setup.py pyproject.toml .venv/.made
	@echo "Installing bbh_tf[experiments] into .venv. $(INSTALLS)"
	$(PIP) install -e ".[experiments]"
	touch $@

.venv/.made:
	@fits='import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))'
	python=
	for name in $(or $(PYTHON),$(PYTHONS)); do
	    if "$$name" -c "$$fits" 2>/dev/null; then python=$$name; break; fi
	done
	if [ -z "$$python" ]; then
	    echo "No Python 3.10 to 3.13 among: $(or $(PYTHON),$(PYTHONS))." \
	        "Install one, or name one: make PYTHON=/path/to/python" >&2
	    exit 1
	fi
	echo "Making .venv with $$("$$python" --version) ($$python)."
	make_venv() { rm -rf .venv; "$$python" -m venv .venv >/dev/null 2>&1; }
	install() {
	    sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo
	    command -v apt-get >/dev/null || return 1
	    echo "It has no venv module yet; trying: apt-get install $$*"
	    $$sudo apt-get update -qq >/dev/null 2>&1 || true
	    DEBIAN_FRONTEND=noninteractive \
	        $$sudo apt-get install -y -qq "$$@" >/dev/null 2>&1
	}
	number=$$("$$python" -c \
	    'import sys; print("%d.%d" % sys.version_info[:2])')
	make_venv || { install "python$$number-venv" && make_venv; } ||
	    { install python3-venv && make_venv; } || {
	    rm -rf .venv
	    echo "Cannot make .venv: $$python has no venv module. Install it" \
	        "(Debian, Ubuntu: apt-get install python3-venv)." >&2
	    exit 1
	}
	touch $@

# Everything runs in a local environment, .venv, which the first target that is made
# creates. After that no target needs the network.
#
#   make demo       train on real digits; needs git, python3 >= 3.11 and make only
#   make test       all but the kernels' tests       make soak    minutes of random programs
#   make agreement SEED=1  fresh programs: the same result as on TensorFlow?
#   make lint       ruff: rules and format           make types   mypy
#   make examples   run every example                make bench   speed beside NumPy
#   make bench-peers   speed beside TensorFlow, PyTorch, JAX: results/ and the README's figures
#   make kernels    the CUDA kernels without a card: on the CPU (needs g++), and compiled
#                   for every chip
#   make null-card  the tests for a real card on one that computes nothing (needs cc)
#   make on-gpu     all that takes a real card, in 10 minutes: tests, sanitizer, speed
#   make clean      remove what these targets made

PYTHON3 ?= python3
WORKERS ?= 2
VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip --disable-pip-version-check install -qq

# Empty files that say: these packages are installed.
TOOLS := $(VENV)/.installed-tools
CUPY := $(VENV)/.installed-cupy
NVRTC := $(VENV)/.installed-nvrtc

# Only a machine with an NVIDIA driver needs CuPy. Sought anew on each run, so a driver
# that arrives later is found.
DRIVER := $(strip $(wildcard /dev/nvidiactl /dev/dxg) $(shell command -v nvidia-smi 2>/dev/null))
GPU := $(if $(DRIVER),cupy)

# Each peer has an environment of its own, which only `make agreement` and
# `make bench-peers` need. Another Python that has the peer can be named instead.
TENSORFLOW := .venv-tensorflow/bin/python
TENSORVAR_BENCH_TENSORFLOW ?= $(TENSORFLOW)
TENSORVAR_BENCH_TORCH ?= .venv-torch/bin/python
TENSORVAR_BENCH_JAX ?= .venv-jax/bin/python
PEERS = TENSORVAR_BENCH_TENSORFLOW TENSORVAR_BENCH_TORCH TENSORVAR_BENCH_JAX

REQUIREMENT_tensorflow := tensorflow-cpu==2.21.*
REQUIREMENT_torch := torch numpy
REQUIREMENT_jax := jax

# An environment of its own, too: where CuPy is installed, tests look for a card.
REQUIREMENT_null-card := --editable .[dev,kernels] cupy-cuda13x==14.2.*
NULL_CARD_PYTHON ?= .venv-null-card/bin/python

SEED ?= 0
RECORD := output/agreement-$(SEED).json.gz

EXAMPLES := $(sort $(wildcard examples/*.py))

.PHONY: demo test soak agreement lint types bench bench-peers on-gpu null-card kernels \
    examples clean cupy
.DELETE_ON_ERROR:
.NOTPARALLEL:

demo: $(TOOLS) $(GPU)
	@$(PYTHON) examples/digits.py

test: $(TOOLS) $(GPU)
	$(PYTHON) -m pytest -n $(WORKERS) --ignore=tests/kernels

soak: $(TOOLS) $(GPU)
	$(PYTHON) -m pytest -n $(WORKERS) -m 'soak or hypothesis' --hypothesis-profile=soak \
	    --timeout=3600

agreement: $(TOOLS) $(TENSORFLOW)
	@mkdir -p output
	$(TENSORFLOW) -m benchmarks.agreement record --seed $(SEED) --output $(RECORD)
	$(PYTHON) -m benchmarks.agreement check --record $(RECORD)

kernels: $(NVRTC)
	$(PYTHON) -m pytest -n $(WORKERS) -rs tests/kernels

null-card: $(NULL_CARD_PYTHON)
	$(NULL_CARD_PYTHON) -m tests.null_card.libraries
	$(NULL_CARD_PYTHON) -m pytest -n $(WORKERS) -p tests.null_card.plugin \
	    -m 'gpu and not soak'

lint: $(TOOLS)
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

types: $(TOOLS)
	$(PYTHON) -m mypy

bench: $(TOOLS) $(GPU)
	$(PYTHON) -m benchmarks $(BENCH)

bench-peers: $(TOOLS) $(foreach peer,$(PEERS),$($(peer)))
	$(foreach peer,$(PEERS),$(peer)=$($(peer))) $(PYTHON) -m benchmarks --save $(BENCH)
	$(PYTHON) -m benchmarks.readme_table

on-gpu: $(TOOLS) $(GPU)
	$(PYTHON) -m benchmarks.on_gpu $(BENCH)

examples: $(TOOLS) $(GPU)
	@set -e; for example in $(EXAMPLES); do \
	    echo "== $$example"; $(PYTHON) -W error $$example; done

# On a failure this says in one line what is missing and leaves no stamp: the simulated
# GPU takes over, and the next run tries again.
cupy: | $(TOOLS)
	@test -e $(CUPY) || ! $(PYTHON) .ci/install_cupy.py || touch $(CUPY)

$(NVRTC): pyproject.toml | $(TOOLS)
	@echo 'installing NVRTC and its disassembler into $(VENV)'
	@$(PIP) --editable '.[kernels]'
	@touch $@

$(TOOLS): pyproject.toml | $(PYTHON)
	@echo 'first run: installing tensorvar and its tools into $(VENV)'
	@$(PIP) --editable '.[dev]'
	@touch $@

$(PYTHON):
	@$(PYTHON3) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit( \
	    f"tensorvar needs Python 3.11 or newer, $(PYTHON3) is {v[0]}.{v[1]}; " \
	    "name a newer one: make PYTHON3=python3.12")'
	@$(PYTHON3) -m venv $(VENV)

.venv-%/bin/python:
	@echo 'first run: installing $(REQUIREMENT_$*) into .venv-$*'
	@$(PYTHON3) -m venv .venv-$*
	@$@ -m pip install --disable-pip-version-check -qq $(patsubst %,'%',$(REQUIREMENT_$*)) \
	    || { rm -rf .venv-$*; exit 1; }

clean:
	rm -rf $(VENV) .venv-tensorflow .venv-torch .venv-jax .venv-null-card build dist output \
	    .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

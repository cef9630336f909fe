# cnnmem. `make lab` opens the kit, `make test` checks it; both set up what they need.
# Variables:  PYTHON=python3.12   the Python that makes the environment
#             TORCH_INDEX=...     where torch alone comes from (README.md: the CPU build on Linux)
#             PYTEST_ARGS="-x -k vgg"   more arguments for the unit tests
#             LAB_ARGS=--no-browser     more arguments for JupyterLab

SHELL := /bin/sh
VENV := .venv
VENV_LIGHT := .venv-light
PY := $(VENV)/bin/python
FIRST := notebooks/00-start-here.ipynb
# JupyterLab refuses to run as root, which in a container is who one is.
ROOT_FLAG := $(if $(filter 0,$(shell id -u)),--allow-root)
# Small messages at once: a slider's step is shown up to 40 ms earlier (docs/latency.md).
PROMPT := kernel_websocket_connection_class=cnnmem.jupyter.server.PromptConnection
# A notebook that is opened again shows its stored pictures where its widgets are gone.
LIVE := contents_manager_class=cnnmem.jupyter.server.LiveWidgetContents
# The first page is in the address that is printed, for those whose browser is elsewhere.
LAB := -m jupyterlab $(ROOT_FLAG) --ServerApp.root_dir=. --ServerApp.$(PROMPT) \
	--ServerApp.$(LIVE) --LabApp.default_url=/lab/tree/$(FIRST) $(LAB_ARGS)

export PYTHON TORCH_INDEX
# TensorFlow is silent on stderr, and the same on every CPU.
export TF_CPP_MIN_LOG_LEVEL := 3
export TF_ENABLE_ONEDNN_OPTS := 0

set_up = python=$$(sh tools/find_python.sh) && "$$python" tools/setup_venv.py

unit_tests = $(PY) -m pytest -n 2 --ignore=tests/browser $(PYTEST_ARGS)
# Strict nbval: every stored output is compared. In its own run, because it takes over the collection
# of notebooks, and other packages' warnings in its process are not ours.
notebook_tests = $(PY) -m pytest -W default --nbval --nbval-current-env --nbval-cell-timeout=300 \
	notebooks

.DEFAULT_GOAL := help
.PHONY: help setup setup-light lab lab-light test test-unit test-notebooks test-browser \
	test-audit test-offline notebooks figures pages voila slides screenshot bench bench-latency lint format \
	freeze clean distclean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' Makefile

setup:  ## make or repair .venv; a moment if it is current
	@$(set_up) $(VENV) full

setup-light:  ## the same for .venv-light, without torch and TensorFlow
	@$(set_up) $(VENV_LIGHT) light

lab: setup  ## open the kit in JupyterLab
	$(PY) $(LAB)

lab-light: setup-light  ## open the kit without the two frameworks
	$(VENV_LIGHT)/bin/python $(LAB)

test: setup  ## unit tests, doctests, and every number printed in the notebooks
	@status=0; $(unit_tests) || status=$$?; $(notebook_tests) || status=$$?; exit $$status

test-unit: setup
	$(unit_tests)

test-notebooks: setup
	$(notebook_tests)

test-browser: setup  ## the notebooks in a real browser, every control moved
	@chromium=$$(sh tools/find_chromium.sh) && \
	CHROMIUM="$$chromium" $(PY) -m pytest tests/browser $(PYTEST_ARGS)

# Beside the environment, not in it: thop and ptflops would ask for a torchvision of their own.
beside = $(PY) -m pip install -q --no-deps --upgrade -c constraints.txt --target
AUDITED := fvcore iopath portalocker ptflops tabulate termcolor thop torchinfo torchprofile tqdm yacs
test-audit: setup  ## the conventions of lesson 08 against the real tools
	$(beside) build/audit $(AUDITED)
	PYTHONPATH=build/audit $(PY) -m pytest tests/count/test_tools.py

test-offline: setup  ## core tests and a lesson where there is no network (Linux)
	@unshare -rn true || { echo "make test-offline needs Linux with user namespaces, or root" >&2; exit 1; }
	unshare -rn $(PY) tools/offline.py

notebooks: setup  ## run every notebook from a fresh kernel and store its outputs
	$(PY) tools/run_notebooks.py

figures: setup  ## draw the charts of the lessons into figures/
	$(PY) tools/figures.py

pages: setup  ## every lesson as an HTML file that needs no kernel, in build/pages
	$(PY) -m nbconvert --to html --no-input --output-dir build/pages notebooks/*.ipynb

voila: setup  ## open the lessons as live pages without code
	$(PY) -m voila notebooks --Voila.$(PROMPT) \
		--VoilaConfiguration.extension_denylist=@jupyter-notebook/lab-extension

slides: setup  ## every notebook as slides with speaker notes, in slides/
	$(PY) tools/slides.py

screenshot: setup  ## photograph the kit for the README
	@chromium=$$(sh tools/find_chromium.sh) && CHROMIUM="$$chromium" $(PY) tools/screenshot.py

lint: setup  ## ruff on code and notebooks, mypy, the stored form of the notebooks
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) tools/run_notebooks.py --check

format: setup  ## let ruff repair what it can, and tidy the notebooks without running them
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .
	$(PY) tools/run_notebooks.py --normalise

bench: setup  ## how long counting takes beside other tools; writes docs/benchmark.md (20 minutes)
	$(beside) build/bench $(AUDITED) graphviz torchview
	PYTHONPATH=build/bench $(PY) benchmarks/counters.py --write docs/benchmark.md

bench-latency: setup  ## slider to chart, beside interact and matplotlib; writes docs/latency.md
	@chromium=$$(sh tools/find_chromium.sh) && \
	CHROMIUM="$$chromium" $(PY) benchmarks/latency.py --write docs/latency

freeze: setup  ## write to constraints.txt what pip chose (CONTRIBUTING.md)
	$(PY) -m pip install -c constraints.txt -e ".[all,bench]"
	$(PY) tools/freeze.py

clean:  ## remove caches and build results, not the environments
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -path './.venv*' -prune -o \( -name __pycache__ -o -name .ipynb_checkpoints \) \
		-exec rm -rf {} +

distclean: clean  ## the same, and both environments
	rm -rf $(VENV) $(VENV_LIGHT) $(VENV).lock $(VENV_LIGHT).lock

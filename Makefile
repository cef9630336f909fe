# cnnmem. `make lab` opens the kit, `make test` checks it; both set up what they need.
# Variables:  PYTHON=python3.12   the Python that makes the environment
#             TORCH_INDEX=...     where torch alone comes from (README.md: the CPU build on Linux)
#             PYTEST_ARGS="-x -k vgg"   more arguments for the unit tests
#             LAB_ARGS=--no-browser     more arguments for JupyterLab

SHELL := /bin/sh
PY := .venv/bin/python
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

# TensorFlow is silent on stderr, and the same on every CPU.
export TF_CPP_MIN_LOG_LEVEL := 3
export TF_ENABLE_ONEDNN_OPTS := 0

# Set up an environment: $(call set_up,FOLDER,INSTALLATION). Its stamp, written last, holds a checksum
# of what pip was asked for, and the folder. Without a stamp (interrupted) or with another folder
# (moved) the environment is rebuilt; if only the checksum differs, pip updates what is there.
# A second set-up waits for the first, where there is flock (macOS has none).
define set_up
set -e; exec 9<Makefile; ! command -v flock >/dev/null || flock 9; \
folder=$$(pwd -P)/$(1); python=$(1)/bin/python; stamp=$(1)/cnnmem-stamp; \
wanted="$$(cat pyproject.toml constraints.txt | cksum) $$folder"; \
found=$$($$python -c "import pip" 2>/dev/null && cat $$stamp 2>/dev/null) || found=; \
[ -z "$$PYTHON" ] || [ "$$("$$PYTHON" -V)" = "$$($$python -V 2>/dev/null)" ] || found=; \
case "$$found" in \
    "$$wanted") exit 0 ;; \
    *" $$folder") rm $$stamp ;; \
    *) $(find_python); echo "==> building $(1) with $$base"; "$$base" -m venv --clear $(1) ;; \
esac; \
pip="$$python -m pip install --disable-pip-version-check -c constraints.txt"; \
$(2); \
echo "$$wanted" >$$stamp; echo "==> $(1) is ready"
endef

# Each candidate is run: a name on the path may be an empty shim, and Debian's Python lacks venv.
define find_python
if [ "$$PYTHON" ]; then set -- "$$PYTHON"; \
else set -- python3 python3.13 python3.12 python3.11 python; fi; \
for base; do "$$base" -c "$(suitable)" 2>/dev/null && break; base=; done; \
[ "$$base" ] || { printf "%s\n" "cnnmem needs Python 3.11, 3.12 or 3.13 with venv; not suitable: $$*" \
    "Install one (Debian, Ubuntu: with python3-venv), or name it: make lab PYTHON=/path/to/python" \
    >&2; exit 1; }
endef
suitable := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))

# The pinned torch may come from an index of its own, which is asked for nothing else. torchvision
# is only compared with in tests; its dependencies could bring a second torch.
install_all = [ -z "$$TORCH_INDEX" ] || $$pip --no-deps --index-url "$$TORCH_INDEX" torch; \
    $$pip -e ".[all]"; $$pip --no-deps torchvision
install_lab = $$pip -e ".[lab]"

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
	@$(call set_up,.venv,$(install_all))

setup-light:  ## the same for .venv-light, without torch and TensorFlow
	@$(call set_up,.venv-light,$(install_lab))

lab: setup  ## open the kit in JupyterLab
	$(PY) $(LAB)

lab-light: setup-light  ## open the kit without the two frameworks
	.venv-light/bin/python $(LAB)

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

# Names and versions only: no editable kit, no local builds (2.13.0+cpu), no addresses.
freeze: setup  ## write to constraints.txt what pip chose (CONTRIBUTING.md)
	$(PY) -m pip install -c constraints.txt -e ".[all,bench]"
	{ grep "^#" constraints.txt; $(PY) -m pip list --format=freeze --exclude-editable --exclude=pip \
		--exclude=wheel | tr A-Z_ a-z- | sed "s/+.*//" | LC_ALL=C sort; } >.venv/constraints.txt
	mv .venv/constraints.txt .

clean:  ## remove caches and build results, not the environments
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -path './.venv*' -prune -o \( -name __pycache__ -o -name .ipynb_checkpoints \) \
		-exec rm -rf {} +

distclean: clean  ## the same, and both environments
	rm -rf .venv .venv-light

# cnnmem. `make lab` opens the kit, `make test` checks it; both set up what they need.
# Variables:  PYTHON=python3.12         the Python of the environment
#             TORCH_INDEX=<address>     an index for torch only (docs/installation.md)
#             PYTEST_ARGS="-x -k vgg"   extra arguments for the unit tests
#             MODELS_ARGS="--only timm/*vit*"  fewer models for test-models
#             LAB_ARGS=--no-browser     extra arguments for JupyterLab

SHELL := /bin/sh
PY := .venv/bin/python
FIRST := notebooks/00-start-here.ipynb
# Containers run as root, which JupyterLab refuses without this flag.
ROOT_FLAG := $(if $(filter 0,$(shell id -u)),--allow-root)
# Sends small messages at once, so a slider's step shows up to 40 ms earlier (docs/latency.md).
PROMPT := kernel_websocket_connection_class=cnnmem.jupyter.server.PromptConnection
# A notebook that is opened again shows its stored pictures where its widgets are gone.
LIVE := contents_manager_class=cnnmem.jupyter.server.LiveWidgetContents
# As default_url, the first page is in the printed address, for a browser on another machine.
LAB := -m jupyterlab $(ROOT_FLAG) --ServerApp.root_dir=. --ServerApp.$(PROMPT) \
	--ServerApp.$(LIVE) --LabApp.default_url=/lab/tree/$(FIRST) $(LAB_ARGS)

# Keep TensorFlow silent on stderr, and its results the same on every CPU.
export TF_CPP_MIN_LOG_LEVEL := 3
export TF_ENABLE_ONEDNN_OPTS := 0

# $(call set_up,FOLDER,INSTALLATION) sets up an environment. Its stamp, written last, holds a
# checksum of pyproject.toml and constraints.txt, and the folder. No stamp (interrupted) or another
# folder (moved): rebuild. Another checksum: pip updates the environment.
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
else set -- python3 python3.14 python3.13 python3.12 python3.11 python; fi; \
for base; do "$$base" -c "$(suitable)" 2>/dev/null && break; base=; done; \
[ "$$base" ] || { printf "%s\n" "cnnmem needs Python 3.11 or newer, with venv; not suitable: $$*" \
    "Install one (Debian, Ubuntu: with python3-venv), or name it: make lab PYTHON=/path/to/python" \
    >&2; exit 1; }
endef
suitable := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))

# The pinned torch may come from an index of its own, which is asked for nothing else. torchvision
# is only compared with in tests; its dependencies could bring a second torch.
# The markers in pyproject.toml leave out what has no wheels for a new Python; here it is said.
install_all = if $$python -c "$(has_torch)"; then \
    [ -z "$$TORCH_INDEX" ] || $$pip --no-deps --index-url "$$TORCH_INDEX" torch; \
    $$pip -e ".[all]"; $$pip --no-deps torchvision; \
    else $$pip -e ".[all]"; fi
has_torch := import sys; new = sys.version_info[:2]; missing = 'PyTorch, Keras and TensorFlow' \
    if new >= (3, 15) else 'TensorFlow (Keras runs on PyTorch)'; new < (3, 14) or print( \
    '==> set up without', missing + ': no wheels for this Python yet'); sys.exit(new >= (3, 15))
install_lab = $$pip -e ".[lab]"

unit_tests = $(PY) -m pytest -n 2 --ignore=tests/browser $(PYTEST_ARGS)
# Strict nbval compares every stored output. It has a run of its own because it takes over the
# collection of notebooks, and because warnings of other packages in its process are not ours.
notebook_tests = $(PY) -m pytest -W default --nbval --nbval-current-env --nbval-cell-timeout=300 \
	notebooks

.DEFAULT_GOAL := help
.PHONY: help setup setup-light lab lab-light test test-unit test-notebooks test-answered test-browser \
	test-audit test-models test-offline test-resolution notebooks figures pages voila slides \
	screenshot lint format bench bench-latency bench-soak freeze clean distclean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' Makefile

setup:  ## create, update or repair .venv; instant if it is current
	@$(call set_up,.venv,$(install_all))

setup-light:  ## the same for .venv-light, without torch and TensorFlow
	@$(call set_up,.venv-light,$(install_lab))

lab: setup  ## open the kit in JupyterLab
	@$(PY) -m cnnmem.jupyter.home
	$(PY) $(LAB)

lab-light: setup-light  ## open the kit without the two frameworks
	@.venv-light/bin/python -m cnnmem.jupyter.home
	.venv-light/bin/python $(LAB)

test: setup  ## run unit tests and doctests, and recompute every number in the notebooks
	@status=0; $(unit_tests) || status=$$?; $(notebook_tests) || status=$$?; exit $$status

test-unit: setup
	$(unit_tests)

test-notebooks: setup
	$(notebook_tests)

test-answered: setup  ## compare the notebooks for a reader who has answered everything
	$(PY) tools/answer_all.py build/answered
	CNNMEM_DATA=$$(pwd -P)/build/answered $(notebook_tests)

test-browser: setup  ## run the notebooks in a real browser and move every control
	@chromium=$$(sh tools/find_chromium.sh) && \
	CHROMIUM="$$chromium" $(PY) -m pytest tests/browser $(PYTEST_ARGS)

# Outside the environment, because thop and ptflops would bring their own torchvision.
beside = $(PY) -m pip install -q --no-deps --upgrade -c constraints.txt --target
AUDITED := fvcore iopath portalocker ptflops tabulate termcolor thop torchinfo torchprofile torchstat tqdm yacs
test-audit: setup  ## compare the conventions of lesson 08 with the real tools
	$(beside) build/audit $(AUDITED)
	PYTHONPATH=build/audit $(PY) -m pytest tests/count/test_tools.py tests/count/test_tool_corpus.py

# Beside the environment too: building its models needs none of what timm requires.
TIMM := timm==1.0.31
test-models: setup  ## trace, record and execute known models, for docs/traced-models.md (6 minutes)
	$(beside) build/timm $(TIMM)
	PYTHONPATH=build/timm $(PY) tools/test_models.py $(MODELS_ARGS)

test-offline: setup  ## run the core tests and a lesson without a network (Linux)
	@unshare -rn true || \
	{ echo "make test-offline needs Linux with user namespaces, or root" >&2; exit 1; }
	unshare -rn $(PY) tools/offline.py

# uv can resolve for a Python and a system that are not here. The first release of each Python is
# asked for: a package that needs 3.11.5 would shut out Debian 12. PyTorch needs macOS 14.
test-resolution: setup  ## resolve the pinned versions for every promised Python and system
	@set -e; export MACOSX_DEPLOYMENT_TARGET=14.0; \
	for python in 3.11.0 3.12.0 3.13.0 3.14.0 3.15.0; do \
	for system in linux aarch64-unknown-linux-gnu macos windows; do \
		$(dir $(PY))uv pip compile --quiet --only-binary :all: -c constraints.txt --extra all \
			--python-version $$python --python-platform $$system pyproject.toml >/dev/null; \
		echo "Python $$python, $$system: resolves"; \
	done; done

notebooks: setup  ## run every notebook from a fresh kernel and store its outputs
	$(PY) tools/run_notebooks.py

figures: setup  ## draw the charts of the lessons into figures/
	$(PY) tools/figures.py

pages: setup  ## write every lesson to build/pages, as HTML that needs no kernel
	$(PY) -m nbconvert --to html --no-input --output-dir build/pages notebooks/*.ipynb

voila: setup  ## open the lessons as live pages without code
	CNNMEM_DATA=memory $(PY) -m voila notebooks --Voila.$(PROMPT) \
		--VoilaConfiguration.extension_denylist=@jupyter-notebook/lab-extension

slides: setup  ## write every notebook to slides/, as slides with speaker notes
	$(PY) tools/slides.py

screenshot: setup  ## take the screenshot in the README
	@chromium=$$(sh tools/find_chromium.sh) && CHROMIUM="$$chromium" $(PY) tools/screenshot.py

lint: setup  ## ruff on code and notebooks, mypy, the direction of imports, the form of the notebooks
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(dir $(PY))lint-imports --no-cache
	$(PY) tools/run_notebooks.py --check

format: setup  ## fix what ruff can fix, and tidy the notebooks without running them
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .
	$(PY) tools/run_notebooks.py --normalise

bench: setup  ## time counting beside other tools, for docs/benchmark.md (20 minutes)
	$(beside) build/bench $(AUDITED) graphviz torchview
	PYTHONPATH=build/bench $(PY) benchmarks/counters.py --write docs/benchmark.md

bench-latency: setup  ## time a slider beside interact and matplotlib, for docs/latency.md
	@chromium=$$(sh tools/find_chromium.sh) && \
	CHROMIUM="$$chromium" $(PY) benchmarks/latency.py --write docs/latency

bench-soak: setup  ## half an hour of sliders and questions in three lessons: what memory does
	@chromium=$$(sh tools/find_chromium.sh) && CHROMIUM="$$chromium" $(PY) benchmarks/soak.py

# Names and versions only: no editable kit, no local builds (2.13.0+cpu), no addresses. Lines with a
# marker stay: they name the versions of Pythons that are not here.
freeze: setup  ## pin the installed versions in constraints.txt (CONTRIBUTING.md)
	$(PY) -m pip install -c constraints.txt -e ".[all,bench]"
	{ grep "[\#;]" constraints.txt; $(PY) -m pip list --format=freeze --exclude-editable \
		--exclude=pip --exclude=wheel | tr A-Z_ a-z- | sed "s/+.*//" | LC_ALL=C sort | awk -F== \
		'NR == FNR { if (/;/) marked[$$1]; next } !($$1 in marked)' constraints.txt -; \
	} >.venv/constraints.txt
	mv .venv/constraints.txt .

clean:  ## remove caches and build results, but no environment
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -path './.venv*' -prune -o \( -name __pycache__ -o -name .ipynb_checkpoints \) \
		-exec rm -rf {} +

distclean: clean  ## remove both environments too
	rm -rf .venv .venv-light

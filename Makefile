# `make demo` and `make test` make the environment if it is missing, then do their job.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
LOG := $(VENV)/install.log
PACKAGES := records perception motion sim policies pretrain apprentice
PYTHON312 ?= $(firstword $(wildcard $(HOME)/.pyenv/versions/3.12.*/bin/python3.12) python3.12)
GPU := $(VENV)/python3.12
GPU_TORCH := $(VENV)/python3.12-torch
MEDIAPIPE := mediapipe==0.10.21
POSE := @mediapipe/pose@0.5.1675469404
export OMP_NUM_THREADS ?= 1

.PHONY: demo test slow check gpu-machine gpu-tests format bench clean

demo: $(VENV)/.installed
	$(BIN)/apprentice demo

test: $(VENV)/.installed
	$(BIN)/python -m pytest -n 2 --dist loadfile

slow: $(VENV)/.installed
	$(BIN)/python -m pytest -m slow

check: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/typos

# Whether a GPU machine with Python 3.12 and without Pinocchio and PyBullet could use what it must. Skipped where there is
# no Python 3.12, and where its packages cannot be had, unless CI is set: there that is a failure.
gpu-machine: $(VENV)/.installed
	@if ! $(PYTHON312) -c 'import sys; raise SystemExit(sys.version_info[:2] != (3, 12))' 2>/dev/null; then \
	  echo "skipped: no Python 3.12 (make gpu-machine PYTHON312=/path/to/python3.12)"; \
	elif { { [ -x $(GPU)/bin/pip ] || $(PYTHON312) -m venv $(GPU) ; } && $(GPU)/bin/python -m pip install --quiet --disable-pip-version-check \
	    $$(grep -E '^(numpy|jaxtyping|wadler-lindig|av|packaging)==' requirements.lock) ; } > $(GPU).log 2>&1; then \
	  $(GPU)/bin/python -B .ci/gpu_machine.py; \
	else \
	  echo "$(if $(CI),error,skipped): the packages of Python 3.12 cannot be installed (no network?):" \
	    "$$(grep -i error $(GPU).log | tail -n 1); log in $(GPU).log"; \
	  exit $(if $(CI),1,0); \
	fi

# The tests of records and pretrain on such a machine, with torch: 7 GB of packages, some minutes.
gpu-tests:
	$(PYTHON312) -m venv $(GPU_TORCH)
	$(GPU_TORCH)/bin/python -m pip install --quiet --disable-pip-version-check \
	  $$(grep -vE '^(#|cmeel|(lib)?coal=|eigenpy|(lib)?pin|pybullet)' requirements.lock) > $(GPU_TORCH).log 2>&1 \
	  || { grep -i error $(GPU_TORCH).log | tail -n 1 >&2; exit 1; }
	$(GPU_TORCH)/bin/python -m pytest tests/records tests/pretrain

format: $(VENV)/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) build *.egg-info

# MediaPipe's larger pose network is only in its package for browsers; without it joints are some millimetres less exact.
define LARGER_POSE
	@{ (cd $(VENV) && npm pack --silent $(POSE)) && $(BIN)/python -m perception.detectors.heavy $(VENV)/mediapipe-pose-*.tgz ; } >> $(LOG) 2>&1 \
	  || echo "note: without npm and its registry people are found by the smaller pose network alone (log in $(LOG))"
	@rm -f $(VENV)/mediapipe-pose-*.tgz
endef

# torch comes first so that no other package pulls one of its own; mediapipe declares an old numpy that it does not need.
$(VENV)/.installed: requirements.lock
	@$(PYTHON) -c 'import sys; raise SystemExit(sys.version_info[:2] != (3, 11))' 2>/dev/null \
	  || { echo "error: $(PYTHON) is not a working Python 3.11; install it or say make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "making $(VENV) (about 3 minutes; log in $(LOG))"
	@$(PYTHON) -m venv $(VENV)
	@{ $(BIN)/python -m pip install --upgrade pip setuptools \
	  && $(BIN)/python -m pip install "$$(grep '^torch==' requirements.lock)" \
	  && $(BIN)/python -m pip install -r requirements.lock \
	  && $(BIN)/python -m pip install --no-deps $(MEDIAPIPE) \
	  && $(BIN)/python -m pip install --no-deps --no-build-isolation -e . ; } > $(LOG) 2>&1 \
	  || { echo "error: the packages could not be installed (no network?): $$(grep -i error $(LOG) | tail -n 1); log in $(LOG)" >&2; exit 1; }
	$(LARGER_POSE)
	@touch $@

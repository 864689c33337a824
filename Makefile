# make demo   reconstructs the sample photo into head.blend and preview.png
# make test   checks the code and runs the tests
# Both install what they need: into .venv, and system libraries with apt-get where they are missing.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
# Blender 5.0's module has an environment of its own.
VENV_5 ?= .venv-5.0
# Compiling what is installed takes longer than compiling what is then imported.
PIP_INSTALL := -m pip --disable-pip-version-check install --quiet --no-compile --constraint
PIP := $(BIN)/python $(PIP_INSTALL) constraints.txt
PYTEST := $(BIN)/python -m pytest
SAMPLE := docs/samples/eileen_collins.jpg

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-blender-5 test-window lint types extension clean

help:
	@sed -n 's/^# //p' Makefile | head -n 3

demo: $(VENV)/.demo
	$(BIN)/likeness reconstruct $(SAMPLE) --output head.blend --preview preview.png

test: $(VENV)/.test lint types
	$(PYTEST)

test-slow: $(VENV)/.test
	$(PYTEST) -m slow

test-blender-5: $(VENV_5)/.test
	$(VENV_5)/bin/python -m pytest -m 'not window' tests/blender_addon tests/end_to_end

test-window: $(VENV)/.test
	PYTHON=$(BIN)/python scripts/window_test.sh

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

extension: $(VENV)/.demo
	$(BIN)/python scripts/build_extension.py

clean:
	rm -rf $(VENV) $(VENV_5) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache

%/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 is missing: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "Blender's module needs Python 3.11, this is $$($(PYTHON) --version): make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv $* || { rm -rf $*; echo "Is Python's venv missing? apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.demo: pyproject.toml constraints.txt scripts/system_libraries.sh | $(BIN)/python
	scripts/system_libraries.sh
	$(PIP) --editable '.[cpu,blender]'
	@touch $@

$(VENV)/.test: $(VENV)/.demo scripts/install_torch.py
	$(BIN)/python scripts/install_torch.py
	$(PIP) --editable '.[cpu,blender,training,tests]'
	@touch $@

$(VENV_5)/.test: pyproject.toml constraints.txt | $(VENV_5)/bin/python
	scripts/system_libraries.sh
	sed '/^bpy==/d' constraints.txt > $(VENV_5)/constraints.txt
	$(VENV_5)/bin/python $(PIP_INSTALL) $(VENV_5)/constraints.txt --editable '.[cpu,blender,tests]' bpy==5.0.1 onnx
	@touch $@

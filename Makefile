# make demo   reconstructs the sample photo into head.blend and preview.png
# make test   checks the code and runs the tests
# Both install what they need: into .venv, and system libraries with apt-get where they are missing.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
PYTEST := $(BIN)/python -m pytest
SAMPLE := docs/samples/eileen_collins.jpg

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow lint types clean

help:
	@sed -n 's/^# //p' Makefile | head -n 3

demo: $(VENV)/.demo
	$(BIN)/likeness reconstruct $(SAMPLE) --output head.blend --preview preview.png

test: $(VENV)/.test lint types
	$(PYTEST)

test-slow: $(VENV)/.test
	$(PYTEST) -m slow

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 is missing: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "Blender's module needs Python 3.11, this is $$($(PYTHON) --version): make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Is Python's venv missing? apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.demo: pyproject.toml constraints.txt scripts/system_libraries.sh | $(BIN)/python
	scripts/system_libraries.sh
	$(PIP) --editable '.[cpu,blender]'
	@touch $@

$(VENV)/.test: $(VENV)/.demo scripts/install_torch.py
	$(BIN)/python scripts/install_torch.py
	$(PIP) --editable '.[cpu,blender,training,tests]'
	@touch $@

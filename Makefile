# Everything installs into .venv first; a stamp per requirements file makes repeated calls cost nothing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
TESTS ?= tests
# More than the cores of a small machine: many tests wait, for a service to start or for a client to be cut off.
JOBS ?= 3

# The tests start Python by the dozen: each module is compiled once, wherever this is set.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install install-dev demo serve test tests lint format bench soak docs clean

help:
	@echo "make demo     install, start, symbolicate a real crash, stay up"
	@echo "make serve    install and start the service on http://127.0.0.1:8000"
	@echo "make test     every check: format, lint, types, imports, migrations, schema, docs, tests"
	@echo "make lint     the checks without the tests"
	@echo "make bench    ratios against something fixed, in one run"
	@echo "make soak     ten minutes of load of every kind, then too much of it"

install: $(STAMPS)/runtime
install-dev: $(STAMPS)/dev

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "symbolsvc needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(STAMPS)/runtime: requirements.txt | $(BIN)/python
	@echo "Installing what the service needs …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-compile -r requirements.txt
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: requirements-dev.txt $(STAMPS)/runtime
	@echo "Installing what the tests need …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-compile -r requirements-dev.txt
	@mkdir -p $(STAMPS) && touch $@

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

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache

# `make demo` and `make test` each do all their own set-up.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo up test check format chaos bench fuzz clean

help: ## Say what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

setup: $(READY) ## Make .venv with the exact tested packages

$(READY): setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "Python 3.11 to 3.13 is needed; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[test,check,redis]'
	@touch $@

demo: $(READY) ## Run the whole pipeline on sample files, with everything embedded
	$(BIN)/cvms demo

up: $(READY) ## Run the pipeline
	$(BIN)/cvms up

test: $(READY) ## Pass the tests: unit, integration, acceptance
	$(BIN)/pytest --numprocesses 2 --dist loadgroup --cov --cov-fail-under 95

check: $(READY) ## ruff, format, mypy, import-linter, bandit, secrets, known faults
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive cvms_pipeline .ci
	$(BIN)/python .ci/find_secrets.py
	$(BIN)/python .ci/find_advisories.py

format: $(READY) ## Mend what ruff can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

chaos: $(READY) ## 500 uploads, 100 kills: nothing lost, nothing doubled
	$(BIN)/python -m tests.chaos --seconds 1500 --uploads 500 --kills 100 --json

fuzz: $(READY) ## Read and judge odd files for a minute
	$(BIN)/python -m tests.fuzz --seconds 60

bench: $(READY) ## Measure (see benchmarks/README.md)
	$(BIN)/python -m benchmarks

clean: ## Remove .venv and what tools left, but no data
	rm -rf .venv build *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .coverage

# `make demo` and `make test` each do all their own set-up.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
SYSTEMS := x86_64-manylinux_2_28 aarch64-manylinux_2_28 aarch64-apple-darwin # supported

.DEFAULT_GOAL := help
.PHONY: help setup lock sbom demo up test check format docs translations screenshots chaos bench fuzz mutants repeat clean

help: ## Say what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

setup: $(READY) ## Make .venv with the exact tested packages

$(READY): setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "Python 3.11 to 3.13 is needed; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Installing Python packages and an embedded Postgres into .venv (about 850 MB)."
	@echo "This happens once and takes 1 to 10 minutes, depending on network and disk."
	$(PYTHON) -m venv .venv
	$(INSTALL) --require-hashes --only-binary :all: --requirement constraints.txt
	$(INSTALL) --quiet --no-index --no-build-isolation --editable .
	$(BIN)/python -m pip check
	@touch $@
	@echo "Installed."

lock: | $(BIN)/uv ## Write constraints.txt again: what setup.py asks for, with hashes
	$(BIN)/uv pip compile setup.py --all-extras --universal --python-version 3.11 \
	  --python $(BIN)/python --no-build-isolation --generate-hashes --quiet \
	  --annotation-style line --custom-compile-command 'make lock' \
	  --output-file constraints.txt $(UPGRADE)
	@for system in $(SYSTEMS); do for version in 3.11 3.12 3.13; do \
	  echo "Is there a wheel of each for $$system, Python $$version?"; \
	  $(BIN)/uv pip install --dry-run --quiet --no-deps --only-binary :all: --require-hashes \
	    --requirement constraints.txt --python $(BIN)/python --target build/none \
	    --python-platform $$system --python-version $$version || exit 1; \
	done; done

$(BIN)/uv:
	$(MAKE) setup

sbom: $(READY) ## Write build/sbom.json: every package of .venv (CycloneDX)
	@mkdir -p build
	$(BIN)/cyclonedx-py environment --validate --output-reproducible --output-file build/sbom.json $(BIN)/python

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

format: $(READY) ## Fix what ruff can fix
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: $(READY) ## Write the generated documents again
	$(BIN)/python -m docs.generate

translations: $(READY) ## Collect what pages say for its Spanish, and compile that
	$(BIN)/python .ci/translations.py

screenshots: $(READY) ## Take the pictures in docs/pictures again (needs chromium)
	$(BIN)/python -m docs.screenshots

chaos: $(READY) ## 500 uploads, 100 kills: nothing may be lost or doubled
	$(BIN)/python -m tests.chaos --seconds 1500 --uploads 500 --kills 100 --json

fuzz: $(READY) ## Read and check unusual files for a minute
	$(BIN)/python -m tests.fuzz --seconds 60

mutants: $(READY) ## Break the code in small ways, and see whether tests notice (ONLY=quick: ten)
	$(BIN)/python -m tests.mutants --only $(or $(ONLY),all)

repeat: $(READY) ## Run the acceptance and chaos tiers N=20 times, and count failures
	$(BIN)/python .ci/repeat.py --times $(or $(N),20)

bench: $(READY) ## Measure (see benchmarks/README.md)
	$(BIN)/python -m benchmarks

clean: ## Remove .venv and what tools left, but no data
	rm -rf .venv build *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .coverage

# Every command of this project; `make help` lists them.
#
#   PYTHON=python3.12   the interpreter that .venv is built with (only where .venv must be built)
#   ARGS="-k mastodon"  handed on to pytest

BIN := .venv/bin
REAL := build/real
# One more than this project is built for cores: the tests that kill processes mostly wait.
WORKERS ?= 3

export PYTHON

.DEFAULT_GOAL := help
.PHONY: help setup dev run test check real real-servers bench format lock upgrade clean

help: ## List these commands
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

setup: ## Build .venv from requirements.lock: everything that .venv/bin/fullcircle needs
	@scripts/venv

dev: ## Build .venv with what the checks and tests need as well
	@scripts/venv dev

run: setup ## Start the service with the rehearsal channel and tracker ready to play on
	@$(BIN)/fullcircle serve --rehearsal

test: dev ## Run the tests (on PostgreSQL too, where its server is installed)
	$(BIN)/pytest -n $(WORKERS) --dist worksteal $(ARGS)

check: dev ## Lint, formatting, types, import contracts, dependencies
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

real-servers: ## Install the servers and contracts that `make real` tests against, into build/real
	@scripts/real-servers

real: dev ## Run the tests against real servers; those that are not installed are skipped
	$(BIN)/pytest tests/real $(ARGS)

bench: dev ## Measure against bare sides, on SQLite and PostgreSQL; kept in build/bench.json and build/bench.md
	$(BIN)/python -m bench $(ARGS)

format: dev ## Let ruff put the code in order
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: ## Pin what pyproject.toml asks for, keeping the pins that still fit
	@scripts/lock

upgrade: ## Pin the newest releases of everything
	@scripts/lock --upgrade

clean: ## Remove .venv, build and caches (never ./data)
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find app tests -name __pycache__ -type d -prune -exec rm -rf {} +

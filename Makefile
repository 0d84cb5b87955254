# Everything starts here: `make run` and `make test` do all set-up. They need Python 3.11 or newer, with venv.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
JOBS ?= 2
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test lint bench faults demo-email demo-voice clean

help: ## Show this
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

run: $(VENV)/.installed ## Serve the demo shop (ARGS="--config shop.yaml" for your own; FRONTDESK_WEB__PORT=9000 moves it)
	@$(BIN)/frontdesk run $(ARGS)

test: $(VENV)/.developing ## Run all tests
	$(BIN)/pytest -n $(JOBS) $(ARGS)

lint: $(VENV)/.developing ## Check style, types and who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.developing ## Measure replies per second against a bare HTTP handler; results in reports/
	$(BIN)/python -m benchmarks $(ARGS)

faults: $(VENV)/.developing ## Kill the process 200 times under load and count what was lost
	FAULT_KILLS=200 $(BIN)/pytest tests/faults $(ARGS)

demo-email: $(VENV)/.developing ## Write an e-mail to the demo shop on a mail server of its own, and read the answer (ARGS=--stay to go on)
	@$(BIN)/python -m frontdesk.testing.demo_email $(ARGS)

demo-voice: $(VENV)/.developing ## Say "I want to cancel my order." to the demo shop on four channels (ARGS="--model base" for a published model)
	@$(BIN)/python -m frontdesk.testing.demo_voice $(ARGS)

clean: ## Remove the virtual environment and all caches; data/ stays
	rm -rf $(VENV) dist build reports .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Frontdesk needs Python 3.11 or newer, but '$(PYTHON)' is $$($(PYTHON) -V 2>&1)."; \
		echo "Name another one: make run PYTHON=python3.12"; exit 1; }
	@echo "Making a virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "'$(PYTHON) -m venv' failed; on Debian and Ubuntu: apt install python3-venv"; exit 1; }

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "Installing Frontdesk and what it needs (once, and when pyproject.toml changes) ..."
	@$(BIN)/python -m pip install --disable-pip-version-check -e .
	@touch $@

# Groups of dependencies are known to pip from 25.1 on.
$(VENV)/.developing: pyproject.toml | $(VENV)/.installed
	@echo "Installing the tools for tests ..."
	@$(BIN)/python -c 'import sys, pip; sys.exit(tuple(map(int, pip.__version__.split(".")[:2])) < (25, 1))' \
		|| $(BIN)/python -m pip install --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --disable-pip-version-check -e ".[slack,telegram,email,voice,local-models,remote-models]" --group dev
	@touch $@

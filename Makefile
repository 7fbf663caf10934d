# farfield: `make help` lists what there is.

PYTHON ?= python3
VENV   ?= .venv
DEMO   ?= demo-report
EXTRAS := mace,graphpes,chgnet,xtb,rdkit,data,dev

BIN   := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP   := $(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt

# One thread per process: more are slower for small molecules, and pytest runs two processes.
export OMP_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1

.DEFAULT_GOAL := help
.PHONY: help install demo test unit lint format tables clean

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | \
		awk -F ':.*## ' '{ printf "make %-8s %s\n", $$1, $$2 }'

install: $(STAMP) ## create the environment .venv (VENV=... for another); once done, does nothing

demo: $(STAMP) ## run the example and write its report to demo-report/
	@$(BIN)/farfield demo -o $(DEMO)
	@echo "The report is in $(DEMO): open $(DEMO)/report.html in a browser."

test: lint unit ## everything that CI checks: lint, then the tests

unit: $(STAMP) ## the tests alone
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile

lint: $(STAMP) ## style, format and types
	@$(BIN)/ruff check src tests tools benchmarks
	@$(BIN)/ruff format --check src tests tools benchmarks
	@$(BIN)/mypy

format: $(STAMP) ## put the code into the common format
	@$(BIN)/ruff check --fix src tests tools benchmarks
	@$(BIN)/ruff format src tests tools benchmarks

tables: $(STAMP) ## put the tables of the studies into README and docs
	@$(BIN)/python tools/tables.py

clean: ## remove caches, build results and the demo's report; the environment stays
	@rm -rf $(DEMO) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is written last, so an interrupted installation starts again.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "farfield needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>/dev/null || echo missing):" \
		     "name another one, for example  make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Installing into $(VENV) (once, some minutes) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) torch
	@$(PIP) -e '.[$(EXTRAS)]'
	@touch $@

# Everything a newcomer or CI types. `make` alone lists it.

VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= python3
SHOP ?= demo/shop
STYLE ?= orchestration
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "archgen needs Python 3.11 or later; try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --group dev -e .
	@touch $@

setup: $(VENV)/.installed ## install archgen and its tools into .venv

demo: setup ## generate the shop, run it, show a saga that completes and one that is undone
	rm -rf $(SHOP)
	$(BIN)/archgen new shop $(SHOP) --defaults --data style=$(STYLE)
	$(BIN)/archgen architect run $(SHOP)/system.yaml
	$(MAKE) --no-print-directory -C $(SHOP) demo PYTHON="$(PYTHON)"
	$(BIN)/archgen checklist audit $(SHOP) --fail-on never

test: setup ## all tests, those of generated projects and a short torture run included, on all cores
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: setup ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

torture: setup ## a long run of faults against both styles of the shop: make torture ORDERS=300 SEED=1 STORE=postgres
	$(BIN)/python -m tests.torture --orders $(or $(ORDERS),300) $(if $(SEED),--seed $(SEED)) $(if $(STORE),--store $(STORE))

mutants: setup ## break generated projects one pattern at a time, and rewrite the table in docs/mutants.md
	$(BIN)/python -m tests.mutants --write

bench: setup ## measure, and rewrite the tables in docs/benchmarks.md: make bench ONLY="posts sagas"
	$(BIN)/python -m benchmarks $(ONLY)

wheel: setup ## build the wheel and the source archive into dist/
	rm -rf dist
	$(BIN)/python -m build --quiet
	ls -l dist

clean: ## remove what the targets above made
	rm -rf demo dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

.PHONY: help setup demo test lint torture mutants bench wheel clean

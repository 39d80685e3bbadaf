# Every target sets up what it needs, also on a bare machine with Python >= 3.11, and does nothing twice.
PYTHON ?= python3
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install demo test bench lock format clean
MAKEFLAGS += --no-print-directory

help: ## show the targets
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1	\2/p' Makefile

install: ## build .venv with .venv/bin/whyheap
	@$(PYTHON) scripts/prepare.py install

demo: install ## put examples/oomshop under load and ask why its memory grows
	@$(PYTHON) scripts/demo.py $(ARGS)

test: ## style, types, layers, front end, all tests; ARGS go to pytest
	@$(PYTHON) scripts/prepare.py test
	@$(PYTHON) scripts/check.py $(ARGS)

bench: ## measure against peers and print ratios
	@$(PYTHON) scripts/prepare.py test
	@for part in bench/*_speed.py; do .venv/bin/python -m bench.$$(basename $$part .py) $(ARGS) || exit 1; done

format: ## format the Python sources
	@.venv/bin/ruff check --fix --quiet
	@.venv/bin/ruff format --quiet

lock: ## lock all dependencies anew; ARGS=--upgrade takes newer ones
	@$(PYTHON) scripts/lock.py $(ARGS)

clean: ## remove everything that was built or downloaded
	@rm -rf .venv .cache build dist out web/node_modules src/whyheap/report/page
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

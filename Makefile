# Ringback's commands. Each target sets up what it needs the first time and is quick afterwards.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
# A command that must exist, and the Debian package that brings it.
SYSTEM_COMMANDS := mmdebstrap:mmdebstrap flite:flite
# The small disks that tests and benches let fail.
test bench: SYSTEM_COMMANDS += mount:mount chattr:e2fsprogs
# The voices of who answers in the screening bench.
test bench: SYSTEM_COMMANDS += espeak-ng:espeak-ng

.PHONY: help demo test bench lint docs setup system clean

help:  ## what each target does
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

demo: setup system  ## real callbacks on a real Asterisk, explained; leaves nothing running
	@$(BIN)/ringback demo $(DEMO)

test: setup system  ## every test, live calls included
	@made=$$(mktemp -d); trap 'rm -rf "$$made"' EXIT; $(BIN)/pytest --basetemp="$$made/pytest" $(TESTS)

bench: setup system  ## measure beside a rival; NAME=restart for one bench, SCALE=0.1 for a short run
	@SCALE='$(SCALE)' SPLIT='$(SPLIT)' KEEP='$(KEEP)' $(BIN)/python -m tests.bench $(NAME)

lint: setup  ## style, types, import directions
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

docs: setup  ## generate the parts of docs/ that are made from the code
	@$(BIN)/python -m docs.generate

clean:  ## remove what the targets made in this folder
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

setup: $(VENV)/.ready  ## Python packages, in .venv

$(VENV)/.ready: pyproject.toml constraints.txt
	@command -v python3 >/dev/null || { echo "python3 (3.11 or newer) is needed: apt-get install python3" >&2; exit 1; }
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; this is $$(python3 --version)" >&2; exit 1; }
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { echo "setup: installing python3-venv"; $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends python3-venv >/dev/null; }
	@echo "setup: Python packages into $(VENV) (about half a minute)"
	@python3 -m venv --clear $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

system:
	@missing=""; \
	for pair in $(SYSTEM_COMMANDS); do command -v "$${pair%%:*}" >/dev/null || missing="$$missing $${pair##*:}"; done; \
	if [ -n "$$missing" ]; then \
	  echo "setup: Debian packages$$missing"; \
	  $(SUDO) apt-get update -qq; \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi

# The only entry points a newcomer needs: `make up`, `make down`, `make test`.
# Everything lands in ignored folders: .venv, .edgewright, tools/bin.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STACK ?= local
JOBS ?= 2
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet

# What is installed is marked by a stamp, so that a second run asks pip nothing.
LOCAL := $(VENV)/.local.stamp
DEV := $(VENV)/.dev.stamp

.DEFAULT_GOAL := help
.PHONY: help up down preview test lint lint-workflows format check plan coverage docs bench engine clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

up: $(LOCAL) ## bring the sample edge up on this machine, and print requests to try
	@$(BIN)/edgewright up $(STACK) --yes

down: ## stop it, and leave nothing running
	@if [ -x $(BIN)/edgewright ]; then $(BIN)/edgewright down $(STACK); else echo "$(STACK) was not up"; fi

preview: $(LOCAL) ## what `make up` would change
	@$(BIN)/edgewright preview $(STACK)

test: lint lint-workflows engine ## everything: lint, types, unit and golden tests first, then real processes and the real engine
	$(BIN)/python -m pytest -n $(JOBS) tests/unit tests/golden
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup $(addprefix --ignore=tests/,unit golden) tests

lint: $(DEV) ## ruff and the type checker
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright --pythonpath $(BIN)/python

lint-workflows: $(DEV) tools/bin/actionlint ## the workflows: actionlint with shellcheck, pedantic zizmor
	tools/bin/actionlint -shellcheck $(BIN)/shellcheck
	$(BIN)/zizmor --offline --no-progress --quiet --persona=pedantic --strict-collection .github

format: $(DEV) ## let ruff format and fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: $(LOCAL) ## check every spec of this repository
	@$(BIN)/edgewright check stacks/*.edge.yaml $(wildcard examples/*/*.edge.yaml)

plan: $(LOCAL) ## what each cloud stack of this repository would be, offline
	@for stack in stacks/Pulumi.*.yaml; do \
	  name=$${stack#stacks/Pulumi.}; name=$${name%.yaml}; \
	  [ "$$name" = local ] || $(BIN)/edgewright plan "$$stack" || exit 1; \
	done

coverage: $(DEV) ## what the unit and golden tests reach
	$(BIN)/python -m pytest -n $(JOBS) --cov=edgewright --cov-report=term:skip-covered tests/unit tests/golden

docs: $(LOCAL) ## write the documents that come from the code
	$(BIN)/edgewright schema > docs/edge.schema.json
	$(BIN)/edgewright schema --reference > docs/spec.md
	$(BIN)/edgewright schema --local > docs/local.md
	$(BIN)/edgewright schema --aws > docs/aws.md
	$(BIN)/edgewright schema --azure > docs/azure.md
	$(BIN)/edgewright schema --policies > docs/policies.md
	$(BIN)/edgewright schema --policy-config > docs/policies.schema.json

bench: $(DEV) ## CPU per request against a hand-written Envoy configuration, and what plans cost
	$(BIN)/python -m bench

engine: $(LOCAL) # a Pulumi CLI: the one on PATH, or one in tools/bin
	@$(BIN)/python -m edgewright.engine > /dev/null

tools/bin/actionlint: tools/actionlint/go.mod tools/actionlint/go.sum
	@command -v go > /dev/null || { echo "error: actionlint is built with Go: https://go.dev/doc/install" >&2; exit 1; }
	@echo "actionlint: building it, half a minute" >&2
	@mkdir -p tools/bin && cd tools/actionlint && go build -o ../bin/actionlint github.com/rhysd/actionlint/cmd/actionlint

clean: down ## remove what was installed and built, and all local state
	rm -rf $(VENV) .edgewright tools/bin .pytest_cache .ruff_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: Python 3.11 or newer is needed; say which with make PYTHON=python3.12" >&2; exit 1; }
	@echo "python: making $(VENV)" >&2
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "error: no virtual environment; on Debian: apt install python3-venv" >&2; exit 1; }

$(LOCAL): requirements.txt pyproject.toml | $(BIN)/python
	@echo "python: installing what the local target needs" >&2
	@$(PIP) -r requirements.txt -e '.[local]'
	@touch $@

$(DEV): requirements-dev.txt $(LOCAL)
	@echo "python: installing what the tests need" >&2
	@$(PIP) -r requirements-dev.txt
	@touch $@

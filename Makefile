# Every target does its own set-up: it finds a Python, makes a virtual environment and installs when something changed.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTEST_FLAGS ?=
MARKS ?= not slow
BENCH_FLAGS ?=
PEERS_FLAGS ?=
FUZZ_FLAGS ?= -max_total_time=600

# $(call find_python,3.11 3.10 3.12 3.13): the first Python of these versions that runs, looked for on PATH and under pyenv.
find_python = $(shell for version in $(1); do \
	for python in python$$version $$HOME/.pyenv/versions/$$version.*/bin/python python3 python; do \
		"$$python" -c "import sys, venv; sys.exit('%d.%d' % sys.version_info[:2] != '$$version')" \
			>/dev/null 2>&1 && { echo "$$python"; exit; }; \
	done; done)

.PHONY: help setup setup-312 setup-313 demo demo-web test test-web test-312 test-313 test-both test-all fuzz docs docs-serve lint format bench peers results clean

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# $(call install,folder,versions,extras): a virtual environment, made once, with the package and these extras.
define install
	python="$(call find_python,$(2))"; \
	if [ -z "$$python" ]; then echo "lic needs a Python of: $(2). None was found on PATH or under pyenv." >&2; exit 1; fi; \
	echo "Setting up $(1) with $$("$$python" --version)"; \
	{ [ -x $(1)/bin/python ] || "$$python" -m venv $(1); } && \
	$(1)/bin/python -m pip install --quiet --disable-pip-version-check -e '.$(3)' && \
	touch $@
endef

.venv/.installed: pyproject.toml
	@$(call install,.venv,3.11 3.10 3.12 3.13,[dev])

# The demo needs no extra; an environment that has them serves it, too.
.venv/.demo: pyproject.toml
	@if [ .venv/.installed -nt pyproject.toml ]; then touch $@; else $(call install,.venv,3.11 3.10 3.12 3.13); fi

.venv-312/.installed: pyproject.toml
	@$(call install,.venv-312,3.12,[dev])

.venv-313/.installed: pyproject.toml
	@$(call install,.venv-313,3.13,[dev])

setup: .venv/.installed ## Make .venv
setup-312: .venv-312/.installed ## Make .venv-312 (Python 3.12, Keras 3)
setup-313: .venv-313/.installed ## Make .venv-313 (Python 3.13, Keras 3, numba in place of the coder's operations)

demo: .venv/.demo ## Compress the sample photograph, decode it, draw it beside JPEG
	@.venv/bin/python -m lic.cli.demo

demo-web: .venv/.installed ## Serve a page that decodes streams in the browser; onnxruntime-web comes from the npm registry
	@.venv/bin/python -m lic.cli.demo_web .web

test: .venv/.installed ## Run the tests but those marked slow; MARKS= runs these too
	.venv/bin/python -m pytest -m "$(MARKS)" $(PYTEST_FLAGS)

# $(call test_where_there,3.12,312): the tests in the environment of a Python, where that Python is there.
define test_where_there
	@if [ -n "$(call find_python,$(1))" ]; then \
		$(MAKE) --no-print-directory setup-$(2) && .venv-$(2)/bin/python -m pytest -m "$(MARKS)" $(PYTEST_FLAGS); \
	else echo "Python $(1) was not found: its environment was not tested"; fi
endef

test-312: ## Run the tests in .venv-312, where Python 3.12 is there
	$(call test_where_there,3.12,312)

test-313: ## Run the tests in .venv-313, where Python 3.13 is there
	$(call test_where_there,3.13,313)

test-web: .venv/.installed ## Run the tests of the page that decodes streams, where Chromium and npm are found
	@if command -v npm >/dev/null && { command -v chromium || command -v chromium-browser; } >/dev/null; then \
		.venv/bin/python -m pytest -n0 -m "" tests/interop/portable/test_page.py $(PYTEST_FLAGS); \
	else echo "Chromium or npm was not found: the page that decodes streams was not tested"; fi

test-both: test test-312 ## Run the tests in both environments that have the coder's operations

test-all: export LIC_FUZZ = 20000
test-all: export LIC_MATRIX = 1
test-all: MARKS =
test-all: test test-312 test-313 ## Run all tests in all environments, the slow ones too, with 20,000 mutated streams

.venv/.fuzz: .venv/.installed
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -e '.[fuzz]' && touch $@

fuzz: .venv/.fuzz ## Search for streams that break the decoder, guided by coverage; FUZZ_FLAGS=-max_total_time=600
	LIC_CODER=numba NUMBA_DISABLE_JIT=1 .venv/bin/python -m tests.codec.fuzz_guided $(FUZZ_FLAGS) .fuzz

.venv/.docs: .venv/.installed
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -e '.[docs]' && touch $@

docs: .venv/.docs ## Write the documentation's site into site/
	NO_MKDOCS_2_WARNING=1 .venv/bin/python -m mkdocs build --strict

docs-serve: .venv/.docs ## Serve the documentation, following changes
	NO_MKDOCS_2_WARNING=1 .venv/bin/python -m mkdocs serve

lint: .venv/.installed ## Check style, formatting, public types and the direction of imports
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

format: .venv/.installed ## Format the code
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench: .venv/.installed ## Measure all that is registered; BENCH_FLAGS=--quick takes minutes
	.venv/bin/python benchmarks/suite.py $(BENCH_FLAGS)

peers: .venv/.installed ## Measure CompressAI beside lic in .venv-peers, which is made and removed (6 GB; KEEP=1 keeps it)
	@trap '[ -n "$(KEEP)" ] || rm -rf .venv-peers' EXIT; \
	{ [ -x .venv-peers/bin/python ] || .venv/bin/python -m venv .venv-peers; } && \
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check compressai==1.2.8 && \
	(cd benchmarks && ../.venv/bin/python -m peers.run --python ../.venv-peers/bin/python $(PEERS_FLAGS))

results: .venv/.installed ## Write the tables and results of both READMEs from benchmarks/results
	.venv/bin/python benchmarks/page.py

clean: ## Remove the virtual environments, caches and the site
	rm -rf .venv .venv-312 .venv-313 .venv-peers .fuzz .web .ruff_cache .mypy_cache .import_linter_cache .hypothesis build dist site

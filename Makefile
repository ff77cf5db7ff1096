# Verbs of the project. Each works alone and first: whatever is missing is set up in .venv.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo viz test lint format lock bundled-autoencoder clean

help:
	@echo "make demo    set up, render scenes, train, evaluate, write data/08_reporting/report.html"
	@echo "make viz     write build/index.html: the chain with its results, for any browser"
	@echo "make test    set up, lint, and run the tests"
	@echo "make setup   set up .venv only"
	@echo "make lint    formatting, import contracts, types"
	@echo "make format  put the code into shape"
	@echo "make bundled-autoencoder   train the shipped autoencoder anew (about 20 minutes)"
	@echo "make clean   remove what the pipelines made (data/ except 01_raw)"

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed (set PYTHON=...)" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY)
	$(BIN)/kedro run --pipelines demo

# One file that opens without a server.
viz: $(READY)
	rm -rf build/api
	$(BIN)/kedro viz build --include-previews
	$(BIN)/python -m albedo_pipeline.offline_viz build

test: lint
	$(BIN)/pytest --numprocesses auto --dist loadfile --cov

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PYTHONPATH=src $(BIN)/lint-imports
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The versions in use now, all of them; a local build's suffix (+cpu) is not part of the pin.
lock: $(READY)
	$(BIN)/pip freeze --all --exclude-editable | grep -v '^pip==' | sed 's/+cpu$$//' > requirements.lock

bundled-autoencoder: $(READY)
	$(BIN)/kedro run --env bundled --pipelines synthesize
	$(BIN)/kedro run --env bundled --pipelines ingest
	$(BIN)/kedro run --env bundled --pipelines autoencoder
	$(BIN)/python -m albedo_pipeline.models.bundle data/bundled/06_models/autoencoder

clean:
	find data -mindepth 2 -not -path 'data/01_raw/*' -not -name .gitkeep -delete

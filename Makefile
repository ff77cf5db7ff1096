# Commands of the project. Each works in a new clone: it sets up .venv first if that is missing.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo viz dvc test lint format lock bundled-autoencoder clean

help:
	@echo "make demo    render scenes, train, evaluate and write data/08_reporting/report.html"
	@echo "make viz     write build/index.html: the pipelines and their results, for any browser"
	@echo "make dvc     write the code that each stage depends on into dvc.yaml"
	@echo "make test    run the linters and the tests"
	@echo "make setup   install the packages into .venv, which the other commands do if needed"
	@echo "make lint    check formatting, imports between packages, and types"
	@echo "make format  format the code"
	@echo "make lock    write the installed versions to requirements.lock"
	@echo "make bundled-autoencoder   train the autoencoder of the package (about 20 minutes)"
	@echo "make clean   remove the results of the pipelines (data/ except data/01_raw)"

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

# One file, which opens without a server and without a network.
viz: $(READY)
	rm -rf build/api
	$(BIN)/kedro viz build --include-previews
	$(BIN)/python -m tools.viz_page build

dvc: $(READY)
	$(BIN)/python -m tools.dvc_dependencies

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

# All installed versions, without the suffix of a local build (+cpu), which PyPI does not have.
lock: $(READY)
	$(BIN)/pip freeze --all --exclude-editable | grep -v '^pip==' | sed 's/+cpu$$//' > requirements.lock

bundled-autoencoder: $(READY)
	$(BIN)/kedro run --env bundled --pipelines synthesize
	$(BIN)/kedro run --env bundled --pipelines ingest
	$(BIN)/kedro run --env bundled --pipelines autoencoder
	$(BIN)/python -m tools.bundle_autoencoder data/bundled/06_models/autoencoder

clean:
	find data -mindepth 2 -not -path 'data/01_raw/*' -not -name .gitkeep -delete

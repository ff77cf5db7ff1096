# The project's commands. Each works in a fresh clone: it sets up .venv first if that is missing.

SHELL := bash
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo app viz examples notebooks example-run test test-all lint format dvc lock bundled-autoencoder bundled-estimator clean

help:
	@echo "make demo                  render scenes, train, evaluate, and write data/08_reporting/report.html"
	@echo "make app                   predict in the browser, and watch the running training"
	@echo "make viz                   write build/index.html: the pipelines with their results, for any browser"
	@echo "make examples              write docs/examples and the pictures of the README, after make demo and make viz"
	@echo "make test                  lint, and run the tests but for the slow ones"
	@echo "make test-all              lint, and run all tests"
	@echo "make setup                 set up .venv"
	@echo "make lint                  check formatting, import contracts and types"
	@echo "make format                format the code"
	@echo "make dvc                   write the code dependencies of dvc.yaml from the import graph"
	@echo "make lock                  write requirements.lock from the installed packages"
	@echo "make notebooks             run the notebooks and store their outputs"
	@echo "make example-run           make the run that notebooks/compare_runs.ipynb compares with again"
	@echo "make bundled-autoencoder   train the shipped autoencoder again (about 20 minutes)"
	@echo "make bundled-estimator     train the shipped estimator again (about 3 hours)"
	@echo "make clean                 remove what the pipelines wrote (data/ except 01_raw)"

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed (set PYTHON=...)" >&2; exit 1; }
	@echo "Setting up .venv (once): installing $$(grep -c '==' requirements.lock) packages, some of them large"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --disable-pip-version-check --progress-bar off -r requirements.lock | \
		grep --line-buffered '^Collecting \|^Installing ' | cut -c 1-78; \
		test "$${PIPESTATUS[0]}" = 0
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY)
	@echo "Rendering, training and evaluating the demo; this took 26 minutes on two cores of an AMD EPYC"
	@$(BIN)/kedro run --pipelines demo

app: $(READY)
	@$(BIN)/kedro run --pipelines app

# One file, which opens without a server.
viz: $(READY)
	rm -rf build/api
	$(BIN)/kedro viz build --include-previews
	$(BIN)/python -m tools.viz_page build

# The example pages and pictures of the docs, from the demo's results; needs Chromium.
examples: $(READY)
	$(BIN)/kedro run --pipelines report
	$(BIN)/python -m tools.example_pages
	$(BIN)/python -m tools.readme_pictures

test: lint
	$(BIN)/pytest --numprocesses auto --dist loadfile

test-all: lint
	$(BIN)/pytest --numprocesses auto --dist loadfile -m ""

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PYTHONPATH=src $(BIN)/lint-imports
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

dvc: $(READY)
	$(BIN)/python -m tools.dvc_dependencies

# Pins every installed package, without the suffix of a local build (+cpu).
lock: $(READY)
	$(BIN)/pip freeze --all --exclude-editable | grep -v '^pip==' | sed 's/+cpu$$//' > requirements.lock

notebooks: $(READY)
	$(BIN)/kedro run --pipelines export
	$(BIN)/python -m tools.notebooks

# The demo after 750 of its 1,000 steps; then the results of all steps are back.
example-run: $(READY)
	$(BIN)/kedro run --pipelines evaluate --params evaluate.checkpoint=750
	mkdir -p notebooks/example_run
	cp data/08_reporting/metrics.json data/08_reporting/per_sample.parquet notebooks/example_run
	$(BIN)/kedro run --pipelines evaluate

bundled-autoencoder: $(READY)
	$(BIN)/kedro run --env bundled_autoencoder --pipelines synthesize
	$(BIN)/kedro run --env bundled_autoencoder --pipelines ingest
	$(BIN)/kedro run --env bundled_autoencoder --pipelines autoencoder
	$(BIN)/python -m tools.bundle autoencoder data/bundled_autoencoder/06_models/autoencoder

bundled-estimator: $(READY)
	$(BIN)/kedro run --env bundled_estimator --pipelines synthesize
	$(BIN)/kedro run --env bundled_estimator --pipelines __default__
	$(BIN)/kedro run --env bundled_estimator --pipelines export
	$(BIN)/python -m tools.bundle estimator data/bundled_estimator/06_models/export
	$(BIN)/kedro run --env bundled_estimator_pixels --pipelines train,evaluate,export
	$(BIN)/python -m tools.bundle estimator data/bundled_estimator/06_models/export

clean:
	find data -mindepth 2 -not -path 'data/01_raw/*' -not -name .gitkeep -delete

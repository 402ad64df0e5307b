# Everything a developer or a CI needs. Nothing but Python >= 3.11 and make is asked for; Java with Maven,
# Node, nginx and Go are used where they exist.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
ARGS   ?=
# Tests mostly wait, so that more of them than there are cores run side by side. Each worker has a broker.
WORKERS ?= 6
PYTEST := $(BIN)/python -m pytest -n $(WORKERS)

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all test-cluster bench bench-scale bench-startup bench-stall bench-rotations bench-guard soak chaos lint generate lock clean

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: $(READY) ## Install the connector and its tools, with hashes, into $(VENV)

$(READY): requirements-dev.lock pyproject.toml
	@echo "installing into $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11 ...")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY) ## Run the whole product on this machine; ARGS="--seconds 20 --json"
	@$(BIN)/connector demo $(ARGS)

test: $(READY) ## Run the tests but for those that take long; ARGS is passed to pytest
	$(PYTEST) -m "not slow" $(ARGS)

test-all: $(READY) ## Run every test; ARGS="-m slow": those that take long
	$(PYTEST) $(ARGS)

test-cluster: $(READY) ## Install the chart on the cluster of KUBECONFIG and count rows
	@test -n "$(KUBECONFIG)" || { echo "KUBECONFIG must name a cluster; see docs/kubernetes.md" >&2; exit 2; }
	$(BIN)/python -m pytest tests/cluster -m cluster $(ARGS)

bench: $(READY) ## Measure it against others (an hour; ARGS=--quick: minutes)
	@$(BIN)/python -m tests.bench $(ARGS)

bench-scale: $(READY) ## Measure 1 to 500 subscriptions in one worker
	@$(BIN)/python -m tests.bench.scale $(ARGS)

bench-startup: $(READY) ## Measure how long it takes to begin
	@$(BIN)/python -m tests.bench.startup $(ARGS)

bench-stall: $(READY) ## Watch memory while Kafka stands still; ARGS=--kafka: Apache Kafka
	@$(BIN)/python -m tests.bench.stall $(ARGS)

bench-rotations: $(READY) ## Count rows while tokens end every 5 s for SECONDS (300), on Apache Kafka
	@$(BIN)/python -m tests.bench.rotations --seconds $(or $(SECONDS),300) $(ARGS)

bench-guard: $(READY) ## Fail where most of the speed is gone
	@$(BIN)/python -m tests.bench.guard $(ARGS)

soak: $(READY) ## Half load for SECONDS (600), a new session every minute; slopes of memory and more
	@$(BIN)/python -m tests.bench.soak --seconds $(or $(SECONDS),600) $(ARGS)

CHAOS = $(if $(SECONDS),--seconds=$(SECONDS)) $(if $(SEED),--seed=$(SEED)) $(if $(DELIVERY),--delivery=$(DELIVERY)) \
	$(if $(ROTATION),--rotation=$(ROTATION)) $(if $(KINDS),--kinds=$(KINDS)) $(if $(RATE),--rate=$(RATE))
chaos: $(READY) ## Faults for SECONDS (300), drawn by SEED, and rows counted; DELIVERY ROTATION KINDS RATE
	@$(BIN)/python -m tests.chaos $(CHAOS) $(ARGS)

CHART_SCHEMA := helm/graphql-kafka-connector/values.schema.json

lint: $(READY) ## Check style, types, floors, generated files and docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m connector.config.schema --check schemas/config.schema.json
	$(BIN)/python -m connector.config.chart_schema --check $(CHART_SCHEMA)
	$(BIN)/python -m connector.config.reference --check docs/configuration.md
	$(BIN)/python -m connector.publish.event_schema --check schemas/event.schema.json
	$(BIN)/python -m connector.refusals.reference --check docs/refusals.md
	$(BIN)/python -m connector.kafka.error_reference --check docs/kafka-errors.md
	$(BIN)/python -m tests.docs

generate: $(READY) ## Write the JSON Schemas, the config's reference, and the tables of refusals and Kafka's errors, anew
	$(BIN)/python -m connector.config.schema > schemas/config.schema.json
	$(BIN)/python -m connector.config.chart_schema $(CHART_SCHEMA)
	$(BIN)/python -m connector.config.reference > docs/configuration.md
	$(BIN)/python -m connector.publish.event_schema > schemas/event.schema.json
	$(BIN)/python -m connector.refusals.reference > docs/refusals.md
	$(BIN)/python -m connector.kafka.error_reference > docs/kafka-errors.md

lock: $(READY) ## Resolve the locks anew (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --quiet -o requirements.lock --extra uvloop
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --quiet -o requirements-dev.lock --all-extras
	echo 'hatchling>=1.27' | uv pip compile - --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet -o requirements-build.lock

clean: ## Remove what was installed and cached here
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

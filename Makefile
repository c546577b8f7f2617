# The two commands of the README are `make serve` and `make test`; both bring what they need.
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help serve demo test lint docs docs-serve isolation soak benchmarks

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: $(UV)  ## run Turnout at http://127.0.0.1:8000, its data in ./turnout-data; ARGS="--port 9000" adds options
	$(UV) run turnout serve $(ARGS)

demo: $(UV)  ## run Turnout with an account, a site, a year of visits and live traffic, in ./turnout-demo
	$(UV) run turnout serve --demo --data turnout-demo $(ARGS)

test: $(UV)  ## run the tests; those that need Chromium or Node are left out where these are missing
	$(UV) run pytest $(ARGS)

lint: $(UV)  ## format check, lint, types, layers
	$(UV) run --group lint ruff format --check .
	$(UV) run --group lint ruff check .
	$(UV) run --group lint mypy
	$(UV) run --group lint lint-imports

docs: $(UV)  ## build the documentation into site/; a broken link, a lost page or a request to elsewhere fails it
	NO_MKDOCS_2_WARNING=1 $(UV) run --group docs mkdocs build --strict --quiet

docs-serve: $(UV)  ## show the documentation at http://127.0.0.1:8001 while you write it
	NO_MKDOCS_2_WARNING=1 $(UV) run --group docs mkdocs serve --dev-addr 127.0.0.1:8001

isolation: $(UV)  ## install seawall alone into an empty environment and run its tests there, with pytest and hypothesis only
	$(UV) run python tools/isolation.py $(ARGS)

soak: $(UV)  ## the long tests: 50 rounds of SIGKILL twice over, 1,000 random stores, 10⁶ cancels of each lock and pool and of a gate, 30 simulated minutes of the adaptive limit; SOAK_S=3600 for an hour of them
	SOAK=1 $(UV) run --all-groups pytest -m soak $(ARGS)
	QUERY_EXAMPLES=1000 $(UV) run --all-groups pytest packages/turnout/tests/property $(ARGS)

benchmarks: $(UV)  ## measure ingest, restart, pages, a crowd and the gate on this machine, one JSON object a line; 30 minutes
	$(UV) run python -m benchmarks.ingest
	$(UV) run python -m benchmarks.restart
	$(UV) run python -m benchmarks.dashboard
	$(UV) run python -m benchmarks.opening
	$(UV) run --group lab python -m benchmarks.admission
	$(UV) run --group lab python -m benchmarks.admission --limits

.uv/bin/uv:
	$(PYTHON) -m venv .uv
	.uv/bin/pip install --quiet "uv>=0.13,<0.14"

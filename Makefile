# Two commands: `make gates` runs the release gate on the embedded sandbox, `make test` proves the code.
# Both set themselves up from a bare checkout with python3 (3.11 or later, with venv) and make.

PYTHON ?= python3
ENVIRONMENT ?= sandbox
ARGS ?=
# Without byte code every process of the sandbox would compile its imports again, a second each.
undefine PYTHONDONTWRITEBYTECODE
export UV_PYTHON_DOWNLOADS := never
export UV_NO_CONFIG := 1
UV := .tools/bin/uv

.DEFAULT_GOAL := help
.PHONY: gates test lint lock clean help bench defects

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

gates: .venv/.stamp ## Run the release gate: every feature against the embedded sandbox
	.venv/bin/python -m pytest features/ --environment $(ENVIRONMENT) $(ARGS)

test: .venv-dev/.stamp lint ## Prove the code: lint, types, unit, contract, architecture, then end to end and planted defects
	.venv-dev/bin/python -m pytest tests sandbox/service/tests --ignore=tests/e2e --ignore=tests/defects \
	  -n 2 --timeout 900 --cov --cov-report=term:skip-covered --cov-report=json:build/coverage.json $(ARGS)
	@# Whole sandboxes under load, one after the other: two at a time would judge each other's response times.
	.venv-dev/bin/python -m pytest tests/e2e tests/defects --timeout 900 $(ARGS)

lint: .venv-dev/.stamp ## Check style and types
	.venv-dev/bin/ruff check .
	.venv-dev/bin/ruff format --check .
	.venv-dev/bin/mypy rollout gate evidence probes sandbox rehearsal

defects: .venv-dev/.stamp ## Plant every defect and watch exactly the expected scenarios turn red (long)
	.venv-dev/bin/python -m pytest tests/defects --all-defects $(ARGS)

bench: .venv-dev/.stamp ## Measure speed (never part of the tests)
	.venv-dev/bin/python -m benchmarks

lock: .tools/.stamp ## Resolve requirements/*.in anew into hash-pinned locks
	for name in main dev policies tools; do \
	  $(UV) pip compile -q requirements/$$name.in --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-annotate --upgrade -o requirements/$$name.lock || exit 1; done

clean: ## Stop what a sandbox left running and remove everything that was made
	@for place in build/sandbox/*/; do \
	  if [ -e "$$place/sandbox.json" ]; then .venv/bin/python -m sandbox down --directory "$$place"; fi; done
	rm -rf build .tools .venv .venv-dev .pytest_cache .mypy_cache .ruff_cache .hypothesis

.tools/.stamp: requirements/tools.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "release-gates needs Python 3.11 or later; set PYTHON=/path/to/python3"; exit 2; }
	@echo "Setting up the installer ..."
	@$(PYTHON) -m venv .tools && .tools/bin/python -m pip install -q --require-hashes --no-deps -r $<
	@touch $@

.venv/.stamp: requirements/main.lock .tools/.stamp
	@echo "Installing what the gate runs with ..."
	@$(UV) venv -q --clear --python $(PYTHON) .venv && $(UV) pip sync -q --python .venv/bin/python --require-hashes $<
	@touch $@

.venv-dev/.stamp: requirements/dev.lock .tools/.stamp
	@echo "Installing what the tests run with ..."
	@$(UV) venv -q --clear --python $(PYTHON) .venv-dev && $(UV) pip sync -q --python .venv-dev/bin/python --require-hashes $<
	@touch $@

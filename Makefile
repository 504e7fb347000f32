# Two commands: `make gates` runs the release gate on the embedded sandbox, `make test` proves the code.
# Both set themselves up from a bare checkout with python3 (3.11 or later, with venv) and make.

PYTHON ?= python3
ENVIRONMENT ?= sandbox
ARGS ?=
N ?= 2
# Without byte code every process of the sandbox would compile its imports again, a second each.
undefine PYTHONDONTWRITEBYTECODE
export UV_PYTHON_DOWNLOADS := never
export UV_NO_CONFIG := 1
UV := .tools/bin/uv

.DEFAULT_GOAL := help
.PHONY: gates test coverage lint lock clean help bench defects policies infra-drill infra-record hosts load load-workers

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

# Scenarios name policies, and checkov has an interpreter of its own.
gates: .venv/.stamp .venv-policies/.stamp ## Run the release gate: every feature against the embedded sandbox
	.venv/bin/python -m pytest features/ --environment $(ENVIRONMENT) $(ARGS)

# Tests of the policies ask checkov, so they need its interpreter; what needs Terraform or root skips itself and says so.
test: .venv-dev/.stamp .venv-policies/.stamp lint ## Prove the code: lint, types, unit, contract, architecture, then end to end and planted defects
	.venv-dev/bin/python -m pytest tests sandbox/service/tests --ignore=tests/e2e --ignore=tests/defects \
	  -m "not throw_away_root" -n 2 --timeout 900 $(ARGS)
	@# Whole sandboxes under load, one after the other: two at a time would judge each other's response times.
	.venv-dev/bin/python -m pytest tests/e2e tests/defects --timeout 900 $(ARGS)

lint: .venv-dev/.stamp .venv-policies/.stamp ## Check style and types
	.venv-dev/bin/ruff check .
	.venv-dev/bin/ruff format --check .
	.venv-dev/bin/mypy rollout gate evidence probes sandbox rehearsal infrastructure loadtests
	@# Against checkov's own types, which only its interpreter has.
	.venv-dev/bin/mypy --python-executable .venv-policies/bin/python policies

# Apart from the tests: measured, every one of them takes two thirds longer, which is three minutes of all.
coverage: .venv-dev/.stamp ## Measure which lines and branches of rollout/ and probes/ the tests run
	.venv-dev/bin/python -m pytest tests/unit tests/contract -m "not throw_away_root" -n 2 --timeout 900 \
	  --cov --cov-report=term:skip-covered --cov-report=json:build/coverage.json --cov-fail-under=95 $(ARGS)

policies: .venv/.stamp .venv-policies/.stamp ## Judge infrastructure/ by every policy, worst first
	.venv/bin/python -m policies $(ARGS)

infra-drill: .venv/.stamp ## Apply production to an emulated account, plan again, check it, destroy (long; needs Terraform)
	.venv/bin/python -m infrastructure.drill $(ARGS)

infra-record: .venv/.stamp ## Record production's apply anew after a change of infrastructure/ (long; needs Terraform)
	.venv/bin/python -m infrastructure.record $(ARGS)

hosts: .venv-dev/.stamp .venv-ansible/.stamp ## Configure throw-away hosts with Ansible and ask them (long; needs root and debootstrap)
	.venv-dev/bin/python -m infrastructure.ansible.verify $(ARGS)
	.venv-dev/bin/python -m pytest tests/contract/test_hosts_verification.py

load: .venv/.stamp ## Send the expected traffic and judge it: make load ARGS="--host https://staging.shop.example"
	.venv/bin/python -m loadtests run $(ARGS)

load-workers: .venv/.stamp ## The same from N processes, one for each core: make load-workers N=4 ARGS="--host ..."
	.venv/bin/python -m loadtests run --workers $(N) $(ARGS)

defects: .venv-dev/.stamp ## Plant every defect and watch exactly the expected scenarios turn red (long)
	.venv-dev/bin/python -m pytest tests/defects --all-defects $(ARGS)

bench: .venv-dev/.stamp ## Measure speed (never part of the tests)
	.venv-dev/bin/python -m benchmarks

# main first: what load generators have installed is constrained by its lock.
lock: .tools/.stamp ## Resolve requirements/*.in anew into hash-pinned locks
	for name in main $(filter-out main,$(basename $(notdir $(wildcard requirements/*.in)))); do \
	  $(UV) pip compile -q requirements/$$name.in --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-annotate --upgrade -o requirements/$$name.lock || exit 1; done

clean: ## Stop what a sandbox left running and remove everything that was made
	@for place in build/sandbox/*/; do \
	  if [ -e "$$place/sandbox.json" ]; then .venv/bin/python -m sandbox down --directory "$$place"; fi; done
	rm -rf build .tools .venv .venv-dev .venv-policies .venv-ansible .pytest_cache .mypy_cache .ruff_cache .hypothesis

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

.venv-policies/.stamp: requirements/policies.lock .tools/.stamp
	@echo "Installing what judges the policies ..."
	@$(UV) venv -q --clear --python $(PYTHON) .venv-policies && $(UV) pip sync -q --python .venv-policies/bin/python --require-hashes $<
	@touch $@

.venv-ansible/.stamp: requirements/ansible.lock .tools/.stamp
	@echo "Installing what configures hosts ..."
	@$(UV) venv -q --clear --python $(PYTHON) .venv-ansible && $(UV) pip sync -q --python .venv-ansible/bin/python --require-hashes $<
	@touch $@

# Everything sets itself up: an environment of its own, from a lock with hashes, made once.
.DEFAULT_GOAL := help
SHELL := /bin/bash -euo pipefail
.DELETE_ON_ERROR:
.PHONY: help demo up down test check audit bench screenshots browser datamap access lock clean

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
RUN := $(BIN)/python
READY := .venv/.ready
READY_DEV := .venv/.ready-dev
READY_POLICY := .venv-policy/.ready
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --no-input --no-deps --require-hashes

help: ## say what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

demo: $(READY) ## play requests, the DPO's desk and a retention sweep on a stack of its own
	@$(RUN) -m infra.local.demo

up: $(READY) ## start the stack and leave it running
	@$(RUN) -m infra.local.up

down: $(READY) ## stop it
	@$(RUN) -m infra.local.down

test: browser ## run the whole suite
	@$(RUN) -m pytest -n 2 --dist loadgroup --quiet $(PYTEST_ARGS)

bench: $(READY_DEV) ## run the benchmarks
	@$(RUN) -m tests.bench

screenshots: browser ## draw the pages of the privacy centre into docs/screenshots
	@$(RUN) -m tests.web.screenshots

check: $(READY_DEV) $(READY_POLICY) ## format, lint, types, imports, templates, policy, data map
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-logo
	$(RUN) -m rightful datamap check infra/datamap.yaml > /dev/null
	$(RUN) -m rightful datamap access infra/datamap.yaml | diff -u infra/store_access.yaml - \
		|| { echo 'infra/store_access.yaml is out of date: run `make access`'; exit 1; }
	$(BIN)/cfn-lint template.yaml infra/store_access.yaml infra/sample/template.yaml
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-west-1 $(BIN)/sam validate --lint > /dev/null
	.venv-policy/bin/checkov --config-file .checkov.yaml -f template.yaml infra/store_access.yaml

# One that is there is used; the tests would fetch one too, but out of sight.
browser: $(READY_DEV)
	@$(RUN) -m tests.web.chromium

audit: $(READY_DEV) ## look the locked packages up in the advisory database (needs the internet)
	$(BIN)/pip-audit --disable-pip --require-hashes -r requirements.txt

datamap: $(READY) ## check infra/datamap.yaml
	@$(RUN) -m rightful datamap check infra/datamap.yaml

access: $(READY) ## write infra/store_access.yaml from the data map
	$(RUN) -m rightful datamap access infra/datamap.yaml infra/store_access.yaml

lock: .venv-lock/bin/uv ## resolve requirements*.in anew
	for name in requirements requirements-dev requirements-policy; do \
		.venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
			--no-emit-index-url --no-emit-find-links --no-header $$name.in -o $$name.txt; done

clean: ## remove all that was made here
	rm -rf build .aws-sam .venv .venv-policy .venv-lock .mypy_cache .ruff_cache .pytest_cache .hypothesis

# The package is put on the path by one line in a .pth file: nothing to build, nothing to download.
$(READY): requirements.txt
	@test -n "$(PYTHON)" || { echo 'Rightful needs Python 3.11 or later; name one: make PYTHON=/path/to/python'; exit 1; }
	@echo 'setting up .venv (once) ...'
	@test -x $(RUN) || $(PYTHON) -m venv .venv
	@$(RUN) $(PIP_INSTALL) -r requirements.txt
	@printf '%s\n' "$(CURDIR)" "$(CURDIR)/layers/core" \
		> "$$($(RUN) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/rightful.pth"
	@touch $@

$(READY_DEV): requirements-dev.txt $(READY)
	@echo 'setting up what tests and checks need (once) ...'
	@$(RUN) $(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

$(READY_POLICY): requirements-policy.txt $(READY)
	@echo 'setting up the policy linter (once) ...'
	@test -x .venv-policy/bin/python || $(PYTHON) -m venv .venv-policy
	@.venv-policy/bin/python $(PIP_INSTALL) -r requirements-policy.txt
	@touch $@

.venv-lock/bin/uv:
	@$(PYTHON) -m venv .venv-lock
	@.venv-lock/bin/python -m pip install --quiet uv

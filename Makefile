# Cardmill: `make demo` and `make test` do all their set-up themselves.  ARGS="…" is passed on.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Errors only: what pip warns of is how a machine's package index is set up, and nothing of ours
PIP := $(BIN)/pip --disable-pip-version-check -qq
STAMP := $(VENV)/.installed
TEST_STAMP := $(VENV)/.installed-test
DEBIAN_PACKAGES := strace chromium fonts-droid-fallback
# Files of tests to processes, the slow ones first (tests/conftest.py): docs/decisions/0025.  Half of their time tests
# wait: two for each processor
WORKERS := $$(( 2 * $$(nproc) ))
SHARED_OUT := -n $(WORKERS) --maxprocesses 8 --dist loadfile --no-loadscope-reorder

.PHONY: demo test check docs release bench-short storm audit

demo: $(STAMP)
	@$(BIN)/cardmill-sim demo $(ARGS)

# Bytecode is kept, whatever the environment says: tests start some hundred processes
test: export PYTHONDONTWRITEBYTECODE =
test: $(TEST_STAMP) debian-packages promtool
	$(BIN)/python -m pytest $(SHARED_OUT) $(ARGS)

check: docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# The site, into build/site; a link that leads nowhere is an error.  The variable takes an advertisement out of the log
docs: $(TEST_STAMP)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

release: $(TEST_STAMP)
	$(BIN)/python -m bench release $(ARGS)

# Known weaknesses of the pinned packages; asks the network, so it is no part of the gate
AUDIT := $(VENV)/audit
audit: $(VENV)/bin/python
	@test -x $(AUDIT)/bin/pip-audit || { $(BIN)/python -m venv $(AUDIT) && $(AUDIT)/bin/pip --disable-pip-version-check -qq install pip-audit; }
	$(AUDIT)/bin/pip-audit --strict --no-deps --disable-pip -r constraints.txt $(ARGS)

# A thousand seeds of faults, then every planted bug must be found
storm: $(STAMP)
	$(BIN)/cardmill-sim storm --seeds 0:1000 $(ARGS)
	$(BIN)/cardmill-sim storm --seeds 0:1000 --mutant all $(ARGS)

bench-short: $(TEST_STAMP)
	$(BIN)/python -m bench release --short $(ARGS)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Cardmill needs Python 3.11 or newer: set PYTHON=…"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(STAMP): pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install -c constraints.txt -e .
	@echo "Compiling the kernels, once (about 30 s) …"
	$(BIN)/python -c 'from encoders import background, portrait, text_record; from controller.checks import pixels; background.warm_up(); portrait.warm_up(); text_record.warm_up(); pixels.warm_up()'
	@touch $@

$(TEST_STAMP): $(STAMP)
	$(PIP) install -c constraints.txt -e '.[test,bench]'
	@touch $@

# Debian packages that tests need: installed when we may, else named
.PHONY: debian-packages
debian-packages:
	@missing=""; for package in $(DEBIAN_PACKAGES); do \
	  dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; done; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	  else echo "Tests need these Debian packages:"; echo "  sudo apt-get install$$missing"; exit 2; fi; fi

# Checks and plays the rules of deploy/prometheus.  Taken out of Debian's package (19 MB), which as a whole would be a
# server that starts; where it cannot be had, the tests that need it say so and are left out
PROMTOOL := $(BIN)/promtool
FETCHED := $(VENV)/promtool
.PHONY: promtool
promtool: | $(VENV)/bin/python
	@test -x $(PROMTOOL) || command -v promtool >/dev/null || { rm -rf $(FETCHED) && mkdir -p $(FETCHED) && \
	  { ( cd $(FETCHED) && apt-get download -qq prometheus && dpkg-deb -x prometheus_*.deb . ) >/dev/null 2>&1 && \
	    mv $(FETCHED)/usr/bin/promtool $(PROMTOOL) || echo "promtool cannot be fetched: Prometheus itself does not check the rules"; }; \
	  rm -rf $(FETCHED); }

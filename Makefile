# Two commands set everything up on a machine with Python 3.11 or later, pip and make:
#   make demo    the whole line on the bundled day, into a local outbox
#   make test    the whole suite
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# One more than the two cores that the suite is made for: some tests wait.
WORKERS ?= 3
# The suite starts hundreds of processes, which begin sooner with what others compiled.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test check lint types contracts docs-check docs bench torture truth lock browser pictures gallery node inbox format clean

help:  ## Show what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

demo: $(VENV)/.run  ## Send the bundled day to three sample subscribers into demo/outbox
	@$(BIN)/newsletter demo demo

test: $(VENV)/.test  ## Run the whole suite (real PostgreSQL included)
	$(BIN)/pytest -n $(WORKERS) --dist loadfile

check: lint types contracts docs-check test  ## Everything that CI runs

lint: $(VENV)/.dev  ## Style
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.dev  ## Types
	$(BIN)/mypy

contracts: $(VENV)/.dev  ## Who may import whom
	$(BIN)/lint-imports --no-cache

docs-check: $(VENV)/.dev  ## Docs that are made from the code are up to date
	$(BIN)/python -m tools.docs --check
	$(BIN)/python -m tools.messages --check

docs: $(VENV)/.dev  ## Make the docs and catalogues that come from the code
	$(BIN)/python -m tools.docs
	$(BIN)/python -m tools.messages

bench: $(VENV)/.test  ## Print ratios measured in one run
	$(BIN)/python -m benchmarks

torture: $(VENV)/.test  ## Run what `make test` runs a short form of at its full length
	TORTURE=1 $(BIN)/pytest -n 2 --timeout 900 tests/ingestion/test_faulted_days.py tests/browser/test_pages.py \
	  tests/delivery/test_events.py tests/delivery/test_machine.py tests/providers/test_mailbox.py tests/providers/test_postmark_events.py tests/providers/test_sendgrid_events.py \
	  tests/providers/test_ses_events.py tests/subscribers/test_export.py \
	  tests/subscribers/test_machine.py tests/test_clock.py tests/test_day_sequences.py tests/test_schedule.py tests/web/test_events.py tests/web/test_sign_up.py
	TORTURE=1 $(BIN)/pytest -q -s --timeout 900 tests/delivery/test_kills.py tests/delivery/test_faults.py \
	  tests/delivery/test_sendgrid_faults.py tests/delivery/test_sendgrid_kills.py tests/cli/test_run_ses.py

truth: $(VENV)/.test  ## Measure how true summaries are, and what the checks find (docs/truth.md has the figures)
	$(BIN)/python -m tools.truth

format: $(VENV)/.dev  ## Format the code
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

browser: $(VENV)/.browser  ## Get what the browser tests need (and Debian's chromium, by apt)

pictures: $(VENV)/.browser $(VENV)/.run  ## Draw the pictures of the letter for the README
	$(BIN)/newsletter preview --out build/pictures --no-open
	$(BIN)/python -m tools.pictures docs/pictures --html build/pictures/issue.html --height 820

gallery: $(VENV)/.browser $(VENV)/.run  ## Draw the gallery of letters into docs/gallery
	$(BIN)/python -m tools.gallery.draw

node: tools/node/node_modules/.package-lock.json  ## Get what checks and measurements use of Node (20.19 or later)

inbox: node $(VENV)/.run  ## Send the gallery to MailDev, an inbox on this machine, until Ctrl-C
	@$(BIN)/python -m tools.gallery.inbox

lock: $(VENV)-lock/.uv  ## Refresh the pinned, hashed lock files
	./requirements/lock.sh $(VENV)-lock/bin/uv

clean:  ## Remove everything that was made
	rm -rf $(VENV) $(VENV)-lock tools/node/node_modules build dist demo .mypy_cache .ruff_cache .pytest_cache

# Each environment adds to the one before; all of them live in .venv.
$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Python 3.11 or later is needed; name it: make PYTHON=python3.12 ...' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check

$(VENV)/.run: requirements/run.txt pyproject.toml $(VENV)/.python
	$(INSTALL) --require-hashes -r requirements/run.txt
	$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.run
	$(INSTALL) --require-hashes -r requirements/test.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.test
	$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.browser: requirements/browser.txt $(VENV)/.test
	$(INSTALL) --require-hashes -r requirements/browser.txt
	@touch $@

tools/node/node_modules/.package-lock.json: tools/node/package.json tools/node/package-lock.json
	@command -v npm >/dev/null || \
	  { echo 'npm is missing: apt-get install nodejs npm, or https://nodejs.org (Node 20.19 or later)' >&2; exit 1; }
	cd tools/node && npm ci --ignore-scripts --loglevel=error
	@touch $@

$(VENV)-lock/.uv:
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install --quiet uv==0.13.9
	@touch $@

# Everything starts from the system's Python; the rest is made under ./var. See README.md.
PYTHON ?= python3
export PYTHON
BOOTSTRAP = $(PYTHON) -I src/trunkline/runtime/bootstrap.py
BIN = var/venv/bin
# two at once: tests with engines take turns in one, the others run in the other
PYTEST = $(BIN)/python -m pytest -n 2 --dist loadgroup

.PHONY: run setup setup-test test test-all lint format lock screenshots bench clean

run: setup            ## installs what is missing, loads the demo company, starts everything; Ctrl-C ends it
	@exec ./trunkline run

setup:
	@$(BOOTSTRAP) run

setup-test:
	@$(BOOTSTRAP) test
	@./trunkline engines build engine lab

# the browser has processes of its own: its driver leaves an event loop in the thread, and Django other connections
test: lint            ## lint, types, import directions, and all tests but the slow ones
	@$(PYTEST) -m "not slow" tests/browser
	@$(PYTEST) -m "not slow" --ignore=tests/browser

test-all: lint        ## the slow ones too
	@$(PYTEST) tests/browser
	@$(PYTEST) --ignore=tests/browser

lint: setup-test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup-test    ## what `ruff` can put right by itself
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock:                 ## resolves pyproject.toml's dependencies anew
	@$(BOOTSTRAP) lock

screenshots: setup-test ## walks through the tutorial and takes its pictures anew
	@WRITE_SCREENSHOTS=1 $(BIN)/python -m pytest -q tests/browser/test_tutorial.py

bench: setup-test     ## one run, last line on its output is one JSON object
	@$(BIN)/python -m bench

clean:                ## ends a running instance and removes what can be made anew; the store, its key and its journals stay in ./var
	@if [ -x $(BIN)/python ]; then ./trunkline down; fi
	@rm -rf var/venv var/lock-venv var/engines var/log var/run .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find src tests bench -name __pycache__ -prune -exec rm -rf {} +

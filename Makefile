# From nothing but a Python and make: `make run` starts the server, `make test` passes the tests.
PYTHON ?= python3
PORT ?= 8000
HOST ?= 127.0.0.1
BIN := .venv/bin
STYLES := "*/static/**/*.css"
HAS_NODE := test -d node_modules/prettier && node -e "process.exit(+(process.versions.node.split('.')[0] < 20))"

run: .venv/run  ## start the server, with a Valkey of its own if there is none
	@DEBUG=$${DEBUG:-on} $(BIN)/python manage.py migrate --verbosity 0
	@DEBUG=$${DEBUG:-on} exec $(BIN)/python manage.py serve --host $(HOST) --port $(PORT)

test: .venv/dev node_modules  ## run the tests
	$(BIN)/python -m pytest $(ARGS)

check: shape .venv/bench node_modules  ## everything that can be checked without running it
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	DEBUG=on $(BIN)/mypy .
	$(BIN)/djangofmt --check .
	$(BIN)/djangofmt check .
	@if $(HAS_NODE); then set -ex; \
		npx prettier --check --log-level warn .; npx eslint .; npx stylelint $(STYLES); npx tsc -p .; \
	else echo "THE JAVASCRIPT AND THE CSS WERE NOT CHECKED: install Node.js 20 or newer and npm."; fi
	DEBUG=on $(BIN)/python manage.py makemigrations --check --dry-run
	SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))') ALLOWED_HOSTS=chat.example.com \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

coverage: .venv/dev node_modules  ## run the tests and print how much of the server they run, line by line and branch by branch
	@rm -f .coverage .coverage.*
	@status=0; $(BIN)/coverage run -m pytest $(ARGS) || status=$$?; \
	$(BIN)/coverage combine --quiet && $(BIN)/coverage report && exit $$status

shape:  ## count what is too long: modules, classes, functions; and names that are used twice
	@$(PYTHON) -m tools.shape

format: .venv/dev node_modules  ## make the code look as it should
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/djangofmt .
	@if $(HAS_NODE); then set -ex; \
		npx prettier --write --log-level warn .; npx eslint --fix .; npx stylelint --fix $(STYLES); \
	else echo "THE JAVASCRIPT AND THE CSS WERE NOT FORMATTED: install Node.js 20 or newer and npm."; fi

test-clocks: .venv/dev  ## run tests with the clock at the ends of hours, days and years; ARGS="--short" for a quick look
	@$(BIN)/python -m tools.clocks $(ARGS)

mutants: .venv/bench node_modules  ## put small faults in, one at a time; ARGS="repeats" tries those that mention a word
	@$(BIN)/python -m tools.mutants $(ARGS)

screenshots: .venv/dev  ## take the pictures in docs/screenshots anew
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -m tests.page.screenshots

bench: .venv/bench benchmarks/peers/node/node_modules  ## ours and others side by side; ARGS="--rounds 1" for a quick look
	@$(BIN)/python -m benchmarks $(ARGS)

bench-pairing: .venv/run  ## what a pair of callers costs, with 1000 and with 10 000 waiting
	@$(BIN)/python -m benchmarks.pairing

.venv/run: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Aleatoria needs Python 3.11 or newer; name one with PYTHON=…")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

# For development only; without Node.js what needs it is left out, and says so.
node_modules: package.json package-lock.json
	@if command -v npm > /dev/null; then npm ci --silent --no-audit --no-fund && touch $@; fi

.venv/dev: requirements-dev.txt .venv/run
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

.venv/bench: requirements-bench.txt .venv/dev
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@

benchmarks/peers/node/node_modules: benchmarks/peers/node/package.json benchmarks/peers/node/package-lock.json
	@if command -v npm > /dev/null; then cd $(@D) && npm ci --silent --no-audit --no-fund && touch $(@F); fi

help:  ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/'

.PHONY: run test test-clocks check coverage shape format screenshots bench bench-pairing help mutants

# Two commands do everything: `make serve` and `make test`. Both make .venv and install what is locked.

PYTHON ?= python3
BIN := .venv/bin
LOCKED := pyproject.toml constraints.txt hatch_build.py

.PHONY: serve test lint types bench generated lock clean

serve: .venv/serve.stamp
	$(BIN)/labs-mock serve

test: .venv/dev.stamp
	$(BIN)/pytest -n auto

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev.stamp
	$(BIN)/mypy

bench: .venv/dev.stamp
	$(BIN)/python -m benchmarks

# Files that a program writes: schemas, examples, two pages of the documentation.
generated: .venv/dev.stamp
	$(BIN)/python -m tests.generated

# The lock file: names and versions only, for every platform, and no address of an index.
lock: .venv/dev.stamp
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --upgrade --quiet \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links --output-file constraints.txt

clean:
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "labs-mock needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	touch $@

.venv/serve.stamp: .venv/python.stamp $(LOCKED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

.venv/dev.stamp: .venv/python.stamp $(LOCKED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@ .venv/serve.stamp

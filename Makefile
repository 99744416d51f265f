# `make serve` and `make test` do most; both make .venv and install what is locked.

PYTHON ?= python3
# Tests start hundreds of processes, each of which would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
LOCKED := pyproject.toml constraints.txt hatch_build.py

QUIET := --quiet --disable-pip-version-check
PIP := -m pip install $(QUIET) --no-compile
COMPILE := uv pip compile --universal --python-version 3.11 --upgrade --quiet \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links --output-file

# $(call install,ENVIRONMENT,WHAT): with uv, which needs seconds where pip needs minutes, and unpacks once what several environments
# have; with pip where uv fails, as behind an index that only pip is configured for.
WHEELS := .wheels
COMMA := ,
install = $(BIN)/uv pip install --quiet --python $(1)/bin/python --find-links $(WHEELS) $(2) \
	|| $(BIN)/python -m pip --python $(1)/bin/python install $(QUIET) --no-compile $(2)

# An environment of `make trainers` is a line here with what pytest runs in it, and in pyproject.toml an extra of that name.
# It is .venv-NAME, and its lock is constraints-NAME.txt.
TESTS-trainers := tests/trainers/test_loading.py tests/trainers/test_used_rewards.py tests/trainers/trl

# Trainers that share no environment. What their tested modules import is in tests/trainers/NAME/requirements.txt; the packages of
# ALONE-NAME are installed without their dependencies, of which those that are named there need a GPU or much space:
OTHERS := openrlhf verl verifiers verifiers01 nemo
ALONE-openrlhf := openrlhf==0.11.2  # vllm, deepspeed, flash-attn, bitsandbytes
ALONE-verl := verl==0.9.1 areal==1.0.4  # verl: wandb, peft, accelerate, torchdata; areal: another torch, and sixty packages for agents
ALONE-nemo := 'nemo-gym==0.4.0; python_version >= "3.12"'  # mlflow, datasets, anthropic; with an older Python it is not installed
# Where there is Python 3.12, pyenv's too, it is what nemo's environment has.
PYTHON-.venv-nemo = $(firstword $(foreach python,python3.12 $(wildcard $(HOME)/.pyenv/versions/3.12.*/bin/python), \
	$(shell $(python) -c 'print("$(python)")' 2> /dev/null)) $(PYTHON))

ENVIRONMENTS := $(patsubst TESTS-%,%,$(sort $(filter TESTS-%,$(.VARIABLES))))

STATEFUL := tests/http/control $(addprefix tests/http/test_,$(addsuffix .py,episodes evaluate batch datasets dataset_exports \
	determinism concurrency normalisation key faults fault_plans fault_endings secrecy delivery every_operation))

# What has servers in its own process. The other tests of `testing` have them in others, which no option of this one reaches, or have none.
SERVED := tests/http tests/examples $(addprefix tests/testing/test_,$(addsuffix .py,handle expectations assertions own_connections))

.PHONY: serve test test-all trainers trainers-oldest $(ENVIRONMENTS:%=trainers-%) $(OTHERS:%=trainers-%) lint types bench bench-peers bench-readme profile generated screenshots docs dist release-check lock clean

serve: .venv/serve.stamp
	$(BIN)/labs-mock serve

# What one runs before each commit.
test: .venv/dev.stamp
	$(BIN)/pytest -n auto --dist worksteal -m "not slow"

# All tests; those over HTTP once more with a store that suspends at every operation and keeps nothing but bytes, and those of
# what has state with one in Redis, where that is installed.
test-all: .venv/dev.stamp
	$(BIN)/pytest -n auto --dist worksteal
	$(BIN)/pytest -n auto --dist worksteal -m "not slow" --store suspending $(SERVED)
	! command -v redis-server > /dev/null || $(BIN)/pytest -n auto --dist worksteal -m "not slow" --store redis $(STATEFUL)

# Real trainers on exports and rewards, and the oldest supported version of datasets.
trainers: $(ENVIRONMENTS:%=trainers-%) $(OTHERS:%=trainers-%) trainers-oldest

$(ENVIRONMENTS:%=trainers-%): trainers-%: .venv-%/stamp
	.venv-$*/bin/pytest -m trainers --durations 5 $(TESTS-$*)

$(OTHERS:%=trainers-%): trainers-%: .venv-%/stamp
	.venv-$*/bin/pytest -m trainers --durations 5 tests/trainers/$*

trainers-oldest: .venv-oldest/stamp
	.venv-oldest/bin/pytest -m trainers tests/trainers/test_loading.py

# The image of the Containerfile, built without a registry and run: on Debian, as root.
.PHONY: image
image: .venv/dev.stamp
	$(BIN)/pytest -m image --durations 5 tests/containers

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev.stamp
	$(BIN)/mypy

# Ratios to a ceiling, or, as `make bench BASE=<commit>`, to another commit; see benchmarks/README.md. BEFORE is the commit before
# the path of a request was made faster.
BEFORE := 558c13d
bench: .venv/dev.stamp
	BASE=$(or $(BASE),$(BEFORE)) $(BIN)/python -m benchmarks $(if $(BASE),base,bench) $(OPTIONS)

# Against other mock servers, which it installs into benchmarks/.peers: it needs npm and Java for two of them.
bench-peers: .venv/dev.stamp
	$(BIN)/python -m benchmarks peers $(OPTIONS)

# Where the time of an evaluation and of a turn goes, by module; with OPTIONS=--functions by function.
profile: .venv/dev.stamp
	$(BIN)/python -m benchmarks.profile $(OPTIONS)

# What both measured last, into the tables of benchmarks/README.md, and what follows from it into docs/scaling.md.
bench-readme: .venv/dev.stamp
	$(BIN)/python -m benchmarks --readme

# Files that a program writes: schemas, examples, two pages of the documentation.
generated: .venv/dev.stamp
	$(BIN)/python -m tests.generated

# The pictures of the documentation, which look like the fonts of the machine that takes them: it needs a Chromium.
screenshots: .venv/dev.stamp
	$(BIN)/python -m tests.http.inspector.pictures

# The documentation site, in build/site; any warning fails. Then `python3 -m http.server -d build/site` shows it.
docs: .venv/dev.stamp
	$(BIN)/python -m website

# The sdist and the wheel, in dist/, checked; a second build gives the same bytes.
dist: .venv/dev.stamp
	rm -rf dist build/again
	$(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl
	$(BIN)/python -m build --no-isolation --outdir build/again
	for file in dist/*; do cmp $$file build/again/$${file#dist/} || exit; done

# What is missing for a release, and then the gate; see RELEASING.md. It publishes nothing.
release-check: .venv/dev.stamp
	$(BIN)/python -m tests.packaging.release_check

# The lock files: names and versions only, for every platform, and no address of an index.
lock: .venv/dev.stamp
	$(BIN)/$(COMPILE) constraints.txt --extra dev pyproject.toml
	$(BIN)/$(COMPILE) constraints-lowest.txt --resolution lowest-direct --extra conformance --extra pytest --extra redis pyproject.toml
	for name in $(ENVIRONMENTS); do \
		$(BIN)/$(COMPILE) constraints-$$name.txt --constraint constraints.txt --extra dev --extra $$name pyproject.toml || exit; \
	done
	for name in $(OTHERS); do \
		$(BIN)/$(COMPILE) constraints-$$name.txt --extra conformance pyproject.toml tests/trainers/$$name/requirements.txt || exit; \
	done
	sed -n 's/^    "\(datasets>=[0-9.]*\)".*/\1/p' pyproject.toml \
		| $(BIN)/$(COMPILE) constraints-oldest.txt --constraint constraints.txt --resolution lowest-direct -

clean:
	rm -rf .venv .venv-* $(WHEELS) benchmarks/.peers dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/python.stamp .venv-oldest/python.stamp $(ENVIRONMENTS:%=.venv-%/python.stamp) $(OTHERS:%=.venv-%/python.stamp): %/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "labs-mock needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	$(or $(PYTHON-$*),$(PYTHON)) -m venv $(if $(filter .venv,$*),,--without-pip) $*
	touch $@

.venv/serve.stamp: .venv/python.stamp $(LOCKED)
	$(BIN)/python $(PIP) --constraint constraints.txt --editable .
	touch $@

.venv/dev.stamp: .venv/python.stamp $(LOCKED)
	mkdir -p $(WHEELS)
	$(BIN)/python $(PIP) --constraint constraints.txt uv
	$(call install,.venv,--constraint constraints.txt --editable '.[dev]')
	touch $@ .venv/serve.stamp

# pip finds torch, since its configuration may name a place with a build that is small, for processors only.
$(WHEELS)/stamp: $(wildcard constraints-*.txt) | .venv/dev.stamp
	cat $^ | grep '^torch==' | sort -u > $(WHEELS)/torch.txt
	$(BIN)/python -m pip download $(QUIET) --no-deps --dest $(WHEELS) --requirement $(WHEELS)/torch.txt
	touch $@

$(ENVIRONMENTS:%=.venv-%/stamp): .venv-%/stamp: .venv-%/python.stamp constraints-%.txt $(LOCKED) | $(WHEELS)/stamp
	$(call install,.venv-$*,--constraint constraints-$*.txt --editable '.[dev$(COMMA)$*]')
	touch $@

$(OTHERS:%=.venv-%/stamp): .venv-%/stamp: .venv-%/python.stamp constraints-%.txt tests/trainers/%/requirements.txt $(LOCKED) | $(WHEELS)/stamp
	$(call install,.venv-$*,--constraint constraints-$*.txt \
		--editable '.[conformance]' --requirement tests/trainers/$*/requirements.txt)
	$(if $(ALONE-$*),$(call install,.venv-$*,--no-deps $(ALONE-$*)))
	touch $@

.venv-oldest/stamp: .venv-oldest/python.stamp $(LOCKED) constraints-oldest.txt | $(WHEELS)/stamp
	$(call install,.venv-oldest,--constraint constraints.txt --constraint constraints-oldest.txt \
		--editable . datasets httpx hypothesis pytest)
	touch $@

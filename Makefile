# Two commands: `make demo` solves a PDE from a text file, `make test` runs the tests.
# Both install what they need into .venv; only Python and make are required.
# `make bench` has a .venv-bench of its own, with the peers it compares with.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
BENCH  ?= .venv-bench

.PHONY: demo test lint typecheck bench clean

demo: $(VENV)/.installed
	$(BIN)/nablax run pde_examples/burgers.pde -o build/burgers.zarr

# Bytecode is kept even where the environment says otherwise: four workers and the processes that tests start
# share what they import and what pytest rewrites. The second command looks only into files that it needs.
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -q -n auto --dist worksteal -m "not (slow and optimised)"
	$(BIN)/python -m pytest -q -n auto --dist worksteal -m "slow and optimised" --optimised \
	  $$(grep -rl --include='*.py' 'mark\.optimised' tests)

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

typecheck: $(VENV)/.installed-test
	$(BIN)/python .ci/link_packages.py
	$(BIN)/mypy

bench: $(BENCH)/.installed
	$(BENCH)/bin/python -m benchmarks.run $(BENCHFLAGS)

$(BENCH)/.installed: pyproject.toml benchmarks/requirements.txt
	test -x $(BENCH)/bin/python || $(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --editable .
	sed '/^#/d' benchmarks/requirements.txt | while read -r peer; do \
	  $(BENCH)/bin/python -m pip install --quiet "$$peer" || echo "$$peer: not installed, its rows will say so"; \
	done
	touch $@

$(VENV)/.installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.installed-test: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[test]"
	touch $@ $(VENV)/.installed

clean:
	rm -rf build .typecheck *.egg-info

# The verbs of this repository. Each sets up what it needs: a virtual environment in .venv.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# Files of tests that run side by side, each process of 3 GB; 0: all in one process, as a debugger
# needs it.
PROCESSES ?= 2
export OMP_WAIT_POLICY = PASSIVE

.PHONY: quickstart test slow drill lint types bench docs wheel setup dev clean

## quickstart: product photos to shopping lists of held-out trays on the embedded store
quickstart: setup
	$(BIN)/python tools/quickstart.py

## test: the fast tests
test: $(VENV)/.test
	$(BIN)/python -m pytest -n $(PROCESSES) --dist loadfile --no-loadscope-reorder

## slow: the tests that take minutes
slow: $(VENV)/.test
	$(BIN)/python -m pytest -m slow

## drill: ten thousand changed inputs, and every job stopped at twenty moments; an hour
drill: $(VENV)/.test
	$(BIN)/python -m tests.fuzz.run --inputs 10000 --out out/drill
	$(BIN)/python -m tests.drill.sweep --points 20 --signals SIGKILL SIGTERM SIGINT --out out/drill/signals.json

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: dev
	$(BIN)/mypy

bench: $(VENV)/.test
	$(BIN)/python tools/benchmark/compose.py

## docs: the API's pages from its docstrings, in out/docs/
docs: dev
	$(BIN)/python -m pdoc --docformat google --output-directory out/docs rpc synth

## wheel: the package with its configs, weights and example store, in dist/
wheel: setup
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		--wheel-dir dist .
	rm -rf build

setup: $(VENV)/.run
dev: $(VENV)/.dev

# opencv-python (mmcv asks for it) and opencv-python-headless (albumentations asks for it) share one
# folder; the one written last is imported. The headless one needs no libGL: it goes last.
define install
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e "$(1)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall \
		"opencv-python-headless==$$($(BIN)/python -m pip show opencv-python-headless | sed -n 's/^Version: //p')"
	touch $(2)
endef

$(VENV)/.run: pyproject.toml
	$(call install,.[all],$@)

$(VENV)/.test: pyproject.toml
	$(call install,.[test],$@)

$(VENV)/.dev: pyproject.toml
	$(call install,.[dev],$@)

clean:
	rm -rf $(VENV) out build dist *.egg-info

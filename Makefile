# Every target sets up what it needs in .venv, once.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test lint docs figures benchmark clean

$(READY): pyproject.toml constraints.txt
	@echo "Setting up .venv: torch and what else is needed, one to three minutes the first time."
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(READY)
	@echo "Training C2GAN on embedded faces for 800 steps, about six minutes on two CPU cores; results in runs/demo."
	$(BIN)/python examples/c2gan/train.py --out runs/demo --resume --steps 800 --learning-rate 1e-3 --pixel-weight 100

test: $(READY)
	$(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# The tables and pictures of the site that code makes; tests tell when the tables are stale.
figures: $(READY)
	for script in docs/figures/*.py; do $(BIN)/python $$script || exit 1; done

benchmark: $(READY)
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

clean:
	rm -rf .venv site runs .pytest_cache .ruff_cache .hypothesis

# Every target sets up what it needs in .venv, once.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo family test slow lint docs figures benchmark clean

$(READY): pyproject.toml constraints.txt
	@echo "Setting up .venv: torch and what else is needed, one to three minutes the first time."
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(READY)
	@echo "Training C2GAN on embedded faces for 1,800 steps, about four minutes on two CPU cores; results in runs/demo."
	$(BIN)/python examples/c2gan/train.py --out runs/demo --resume --preset supervised --steps 1800

family: $(READY)
	@echo "Training twelve models of the family, about half an hour on one CPU core; results in runs/family and docs/family.md."
	$(BIN)/python examples/family/run.py
	$(BIN)/python examples/family/page.py

# Two at a time, each with one thread: files of tests are divided between two processes.
test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

# What `make test` skips: the same questions asked much more often.
slow: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --slow -m slow

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

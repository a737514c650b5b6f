# `make` builds the environment and runs the whole workflow; `make help` lists the targets.

# Snakemake writes the path of its Python into shell commands as it is, and Python's search path is
# a list with colons. The characters are white space and !"#$&'()*:;<>?[\]`{|}.
unsafe := $(shell printf %s "$$(pwd -P)" | \
    tr -cd ' \t\r\n\041-\044\046-\052\072-\074\076\077\133-\135\140\173-\175' | wc -c | tr -d ' ')
ifneq ($(unsafe),0)
$(error The workflow cannot run in a folder whose path has white space or one of the characters \
    !"#$$&'()*:;<>?[\]`{|} in it: move the repository to another folder, then run make again)
endif

PYTHON ?= python3
CORES ?= all

environment := .venv
bin := $(environment)/bin
stamp := $(environment)/requirements.installed
# There while packages are installed. If it was left behind, pip may have been killed in the middle of
# one, which it would then take for installed.
unfinished := $(environment)/requirements.unfinished

environment-rivals := .venv-benchmark
stamp-rivals := $(environment-rivals)/requirements.installed

export PYTHONPATH := $(CURDIR)
# Modules are compiled when they are first imported, which most of what is installed never is. The
# compiled files must be kept for that.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.PHONY: all smoke report notebooks check test lint env readme benchmark clean help

pytest := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(bin)/python -m pytest

# Snakemake 9 warns of a coroutine of its own when it makes a report.
make-report := PYTHONWARNINGS=ignore::RuntimeWarning $(bin)/snakemake --report results/.report.html && \
    mv results/.report.html results/report.html

all: env  ## environment, then every figure, table and report at default scale (22 minutes, two cores)
	$(bin)/snakemake --cores $(CORES)
	$(make-report)

smoke: env  ## the same at the smallest scale (minutes)
	$(bin)/snakemake --cores $(CORES) --config scale=smoke

report: env  ## results/report.html from finished results: figures and tables with captions, runtimes
	$(make-report)

notebooks: env  ## experiments/notebooks/*.ipynb from the sources, to open and play with
	$(bin)/jupytext --to notebook experiments/notebooks/*.py

check: lint  ## linters, type checker, and the tests that were quick at their last run (a minute)
	$(pytest) --quick --numprocesses 2

test: lint  ## environment, linters, type checker and every test, the smoke workflow included
	$(pytest) -m "not slow" --numprocesses 2
	$(pytest) -m slow

lint: env  ## linters and type checker alone
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/mypy
	$(bin)/snakefmt --check Snakefile experiments
	$(bin)/snakemake --lint

env: $(stamp)  ## the environment alone, in .venv; installed again when requirements.txt changes

# All pins stand on one command line, so that no package can bring another version of torch.
$(stamp): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo 'Python 3.11 or newer is needed. Name one: make PYTHON=/path/to/python3.11' >&2; exit 1; }
	$(PYTHON) -m venv $(if $(wildcard $(unfinished)),--clear) $(environment)
	touch $(unfinished)
	$(bin)/python -m pip install --disable-pip-version-check --quiet --no-compile \
	    --requirement requirements.txt
	$(bin)/python -m pip check
	mv $(unfinished) $@

environment.yml: requirements.txt  ## the pins of requirements.txt, copied for conda
	{ sed '/- pip:/q' $@; sed -n 's/^[A-Za-z].*==.*/      - &/p' $<; } > $@.new
	mv $@.new $@

# The rivals of the benchmark have an environment of their own.
$(stamp-rivals): $(stamp) experiments/benchmark/requirements.txt
	$(PYTHON) -m venv $(environment-rivals)
	$(environment-rivals)/bin/python -m pip install --disable-pip-version-check --quiet \
	    --requirement experiments/benchmark/requirements.txt
	$(environment-rivals)/bin/python -m pip check
	touch $@

readme: env  ## after a run at default scale: its verdicts and headline figure into the README
	$(bin)/python -m paper.readme

benchmark: $(stamp-rivals)  ## times chain-steps beside BlackJAX and diffrax (11 minutes, two cores)
	$(bin)/python -m experiments.benchmark.measure

clean:  ## remove everything generated: results, caches, the workflow's records (not the environments)
	rm -rf results .snakemake .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -path "./$(environment)*" -prune -o -name __pycache__ -type d -exec rm -rf {} +

help:  ## this list
	@awk -F ':.*  ## ' '/^[a-z.]+:.*  ## / { printf "%-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

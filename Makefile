# The commands of the project; `make help` lists them. Everything runs in .venv, which the first of them makes; test-cluster in its own.

PYTHON ?= python3
CORES ?= all
BIN := .venv/bin
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES)
# For builds from nothing: see profiles/default. Snakemake waits as long at its end.
LONG := --max-jobs-per-timespan 1000000/10s

.DEFAULT_GOAL := help
.PHONY: help report quick assignment study test test-fast test-long test-cluster check bench times verify diff why seconds gallery schemas clean

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | awk -F'\t' '{ printf "make %-12s %s\n", $$1, $$2 }'

report: .venv/installed ## build the whole report
	$(SNAKEMAKE) $(LONG)
	@echo "The report: $(CURDIR)/results/report/report.html"
	@echo "            $(CURDIR)/results/report/report.pdf"

quick: .venv/installed ## the whole report in some minutes, from few updates and replicas, under results/quick
	$(SNAKEMAKE) $(LONG) --configfile config/quick.yaml
	@echo "The report: $(CURDIR)/results/quick/report/report.html"
	@echo "            $(CURDIR)/results/quick/report/report.pdf"

assignment: .venv/installed ## the questions alone, to hand out, under results/assignment
	$(SNAKEMAKE) --config edition=assignment results=results/assignment
	@echo "The assignment: $(CURDIR)/results/assignment/report/report.html"
	@echo "                $(CURDIR)/results/assignment/report/report.pdf"

study: .venv/installed ## write a new study to start from: make study NAME=my_study
	@$(BIN)/python -m scripts.study "$(NAME)"

test: .venv/installed ## all checks and tests but the long ones
	$(MAKE) check
	$(BIN)/pytest -m "not long" --numprocesses 2 --dist loadgroup

test-fast: .venv/installed ## the tests of the inner loop
	$(BIN)/pytest -m fast --numprocesses 2 --dist loadgroup

test-long: .venv/installed ## all tests, with full counts and full builds
	$(MAKE) check
	$(BIN)/pytest --numprocesses 2 --dist loadgroup

test-cluster: .venv-cluster/installed ## build through a Slurm on this machine, as root; FULL=1 for the whole quick report
	.venv-cluster/bin/pytest tests/cluster --capture=no

check: .venv/installed ## what is checked without running it: style, types, the workflow
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/mypy
	$(BIN)/snakemake --lint

bench: .venv/installed ## the speed figures, each against a plain implementation in the same run
	$(BIN)/python -m pip install --quiet --requirement benchmarks/requirements.txt
	$(BIN)/python -m benchmarks

times: .venv/installed ## how long each step of the last build took
	$(BIN)/python -m benchmarks.steps

verify: .venv/installed ## build the last commit from nothing, and compare with RESULTS=folder or REPORT=published.html; COMMIT=, CONFIG=config/quick.yaml
	$(BIN)/python -m scripts.verify --cores $(CORES) $(if $(CONFIG),--configfile $(CONFIG)) $(if $(RESULTS),--results "$(RESULTS)") $(if $(REPORT),--report "$(REPORT)") $(if $(COMMIT),--commit "$(COMMIT)")

diff: .venv/installed ## what changed since another report: make diff AGAINST=folder or revision; RESULTS=, CONFIG=config/quick.yaml
	$(BIN)/python -m scripts.diff --cores $(CORES) $(if $(CONFIG),--configfile $(CONFIG)) $(if $(RESULTS),--results "$(RESULTS)") -- "$(AGAINST)"

why: .venv/installed ## why each job of the next build would run, and how long it takes; CONFIG=config/quick.yaml for another configuration
	$(BIN)/python -m scripts.why --cores $(CORES) $(if $(CONFIG),--configfile $(CONFIG))

seconds: .venv/installed ## measure the seconds of a step of those variants whose times are compared
	$(BIN)/python -m benchmarks.seconds

gallery: .venv/installed ## write docs/gallery.md anew, from what is built in RESULTS="results results/init_sweep"
	$(BIN)/python -m scripts.gallery $(or $(RESULTS),results results/init_sweep)

schemas: .venv/installed ## write workflow/schemas anew, for editors
	$(BIN)/python -m scripts.common.schemas

clean: ## remove what was built
	rm -rf results .snakemake

.venv/installed: requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed, this is " + sys.version.split()[0] + "; name another one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.txt --constraint constraints.txt
	@touch $@

.venv-cluster/installed: requirements-cluster.txt requirements.txt constraints.txt
	$(PYTHON) -m venv .venv-cluster
	.venv-cluster/bin/python -m pip install --quiet --requirement requirements-cluster.txt --constraint constraints.txt
	@touch $@

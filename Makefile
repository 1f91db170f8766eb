# On a fresh machine with Python 3.11: `make demo`, `make test`. Everything is made inside the checkout, in .venv.

VENV := .venv
BIN := $(VENV)/bin

# Parts that are compiled where a compiler is found (Cython's pure-Python mode): a change there needs a new build.
TYPED := $(shell find src -name '*.pxd')
DECLARED := pyproject.toml setup.py $(TYPED) $(wildcard $(TYPED:.pxd=.py))

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Compiled tests are kept: else pytest rewrites 430 modules at each run, seven seconds a worker.
unexport PYTHONDONTWRITEBYTECODE
# Debian keeps some servers where the PATH of an ordinary user does not look.
export PATH := $(PATH):/usr/sbin:/sbin

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Targets share one environment, one checkout and the machine's ports of their servers.
.NOTPARALLEL:
.PHONY: demo test unit process integration lint format bench bench-incidents docs packages spark-stores writers guard-soak guard-demo redis-next lab-story clean help

demo: FIRST := [1/3] 
demo: $(VENV)/.installed-demo ## replay the incident of 2019 and examine it: a verdict in the terminal, a page in demo/
	@tools/timed '[3/3] Staging the incident and examining it' $(BIN)/necropsy demo

test: packages unit process integration ## run every test: fast ones first, then those with real servers and a browser

unit: $(VENV)/.installed-dev ## run the tests that start no process
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not integration and not process"

process: $(VENV)/.installed-dev ## run the tests of whole investigations, and those that feed readers random files
	@$(BIN)/python -m pytest tests -n 2 -m "process and not integration"

integration: $(VENV)/.installed-dev ## run the tests that start real servers, a browser, a compiler
	@tools/integration $(BIN)/python

lint: $(VENV)/.installed-dev ## check the code: ruff, mypy --strict, import contracts
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check --quiet || { echo 'help: make format' >&2; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.installed-dev ## format the code with ruff
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

bench: $(VENV)/.installed-dev ## run every benchmark, as ratios to a peer in the same run; make bench-NAME runs one
	@$(BIN)/python bench/run.py

spark-stores: $(VENV)/.installed-dev ## read logs on S3 (moto) and HDFS with Spark (downloads 650 MB from Maven)
	@$(BIN)/python bench/spark_stores.py

bench-%: $(VENV)/.installed-dev
	@$(BIN)/python bench/run.py $*

bench-incidents: $(VENV)/.installed-dev ## measure how often the verdict is right, on generated incidents (N=60 SEED= KINDS= WITHHOLD= CAPTURED= TREE= RESULTS= KEEP=)
	@PYTHONPATH=src:bench $(BIN)/python -m incidents --count $(or $(N),60) $(if $(SEED),--seed $(SEED)) $(if $(CAPTURED),--captured $(CAPTURED)) $(if $(KINDS),--kinds $(KINDS)) \
		$(if $(WITHHOLD),--withhold $(WITHHOLD)) $(foreach tree,$(TREE),--tree $(tree)) $(if $(RESULTS),--results $(RESULTS)) $(if $(KEEP),--keep $(KEEP))

docs: $(VENV)/.installed-dev ## write the generated documentation again (a test fails when it is stale)
	@$(BIN)/python tools/docs.py --demo

writers: $(VENV)/.installed-dev ## record anew the sessions that real frameworks write (once a year; WRITERS=laravel: one)
	@tests/writers/install
	@cd tests && PYTHONPATH=. ../$(BIN)/python -m writers.harness $(WRITERS)

guard-soak: packages $(VENV)/.installed-dev ## run the guard for a day at 60 times the speed, with servers that die, hang and lie (MINUTES=24)
	@PYTHONPATH=tests $(BIN)/python -m guard.soak --minutes $(or $(MINUTES),24)

redis-next: packages $(VENV)/.installed-dev ## test exporter, census and prober on the newest Redis in Debian
	@PYTHONPATH=tests $(BIN)/python -m guard.exporter.next_redis

lab-story: packages $(VENV)/.installed-dev ## replay the whole incident with the real components, in seven minutes (LENGTH=short: in four, as CI does)
	@NECROPSY_LAB_STORY_LENGTH=$(or $(LENGTH),long) $(BIN)/python -m pytest -q -s -o faulthandler_timeout=1800 tests/lab/live/test_whole_story.py

packages: | $(BIN)/pip
	@tools/debian-packages

guard-demo: packages $(VENV)/.installed-dev ## replay the incident with the guard watching: what it reports, and when
	@tools/debian-release 11 && tools/debian-release 14
	@$(BIN)/necropsy lab guarded

clean: ## remove the environment and everything that was built
	rm -rf $(VENV) .tools build dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src -name '*.so' -delete
	find src tests tools bench -name __pycache__ -type d -prune -exec rm -rf {} +
	find src -name '*.egg-info' -type d -prune -exec rm -rf {} +

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BIN)/pip:
	@tools/timed '$(FIRST)Making a virtual environment in $(VENV)' tools/make-venv $(VENV)

# The demo needs no compiled code: installed as it is, it is there in the time of the download.
$(VENV)/.installed-demo: pyproject.toml setup.py | $(BIN)/pip
	@NECROPSY_UNCOMPILED=1 tools/timed '[2/3] Installing necropsy, uncompiled, and what the demo needs' \
	  $(BIN)/python -m pip install --quiet --no-compile --editable '.[demo]'
	@touch $@

# pip fetches what the build needs by itself (build isolation); without a C compiler the same source runs uncompiled.
$(VENV)/.installed-dev: $(DECLARED) | $(BIN)/pip
	@tools/timed 'Installing necropsy and the tools of its developers into $(VENV)' \
	  $(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $(VENV)/.installed-demo $@

# make demo   set up, train the demo brand, open the web chat on 127.0.0.1:7860
# make test   set up, then all tests

PYTHON ?= python3
PERSONA ?= lighthouse
PORT ?= 7860
RUN := .venv/bin
MODELS := smollm2-135m-instruct gemma-3-270m all-minilm-l6-v2

.PHONY: demo test setup lint bench chromium postgres emulate clean

demo: setup
	$(RUN)/brandbot check $(PERSONA)
	$(RUN)/brandbot train $(PERSONA) --if-changed
	$(RUN)/brandbot serve --port $(PORT) --open

test: setup chromium postgres emulate
	$(RUN)/pytest

setup: .venv/.ready
	@$(RUN)/brandbot models get $(MODELS)

.venv/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "brandbot needs Python 3.11 or newer. Name one with: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(RUN)/python -m pip install --quiet --constraint constraints.txt torch
	$(RUN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

# The browser tests drive Debian's Chromium.
chromium:
	@command -v chromium >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && apt-get install -y -qq chromium; \
	  else \
	    echo "The browser tests need Chromium. Install it with: sudo apt-get install chromium"; exit 1; \
	  fi; }

# The log's tests run on a PostgreSQL of their own, too.
postgres:
	@command -v pg_ctl >/dev/null || ls /usr/lib/postgresql/*/bin/pg_ctl >/dev/null 2>&1 || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && apt-get install -y -qq postgresql; \
	  else \
	    echo "The log's tests need PostgreSQL. Install it with: sudo apt-get install postgresql"; exit 1; \
	  fi; }

# A Slack that others wrote, for one test: Vercel's emulate, from npm.
EMULATE := .brandbot/emulate
emulate:
	@test -f $(EMULATE)/node_modules/emulate/dist/index.js || { \
	  command -v npm >/dev/null || { \
	    if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	      apt-get update -qq && apt-get install -y -qq nodejs npm; \
	    else \
	      echo "A Slack test needs Node.js. Install it with: sudo apt-get install nodejs npm"; exit 1; \
	    fi; }; \
	  mkdir -p $(EMULATE) && npm install --silent --no-audit --no-fund --prefix $(EMULATE) emulate@0.11.2; }

lint: setup
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy

bench: setup
	$(RUN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(RUN)/python benchmarks/training.py
	$(RUN)/python benchmarks/replies.py
	$(RUN)/python benchmarks/evaluation.py
	$(RUN)/python benchmarks/search.py
	$(RUN)/python benchmarks/answers.py lighthouse
	$(RUN)/python benchmarks/answers.py letraclara
	$(RUN)/python benchmarks/slack.py
	$(RUN)/python benchmarks/review.py
	$(RUN)/python benchmarks/month.py

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache

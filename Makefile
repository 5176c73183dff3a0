# make demo   set up, train the demo brand, open the web chat on 127.0.0.1:7860
# make test   set up, then all tests

PYTHON ?= python3
PERSONA ?= lighthouse
PORT ?= 7860
RUN := .venv/bin
MODELS := smollm2-135m-instruct gemma-3-270m all-minilm-l6-v2

.PHONY: demo test setup lint bench chromium clean

demo: setup
	$(RUN)/brandbot check $(PERSONA)
	$(RUN)/brandbot train $(PERSONA) --if-changed
	$(RUN)/brandbot serve --port $(PORT) --open

test: setup chromium
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

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache

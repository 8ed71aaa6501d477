# The commands of a working day; `make help` lists them. CMake (CMakePresets.json) does the building.

BUILD_JOBS ?= $(shell nproc)
TEST_JOBS ?= $(BUILD_JOBS)
FUZZ_SECONDS ?= 3600
SHORT_FUZZ_SECONDS ?= 25
LINT_SECONDS ?= 420
ATTACK_SECONDS ?= 60
ATTACK_OPTIONS ?=
# ALL makes the first build quick; TESTS lets a change of one file compile that file alone: for daily work.
COMPILE_IN_GROUPS ?= ALL

RELEASE := build/release
LINT := build/lint
KEYVIGIL := $(RELEASE)/keyvigil
BUILD := cmake --build --parallel $(BUILD_JOBS) --preset
CONFIGURE_RELEASE := cmake --preset release -DKEYVIGIL_COMPILE_IN_GROUPS=$(COMPILE_IN_GROUPS)
REPORTS := $(CURDIR)/build/reports

.DEFAULT_GOAL := keyvigil
.PHONY: keyvigil demo test package test-clients check format format-check lint layering sanitize thread-sanitize \
        fuzz-short fuzz bench load attack \
        bless set-up-build set-up-test set-up-check set-up-bench set-up-package clean help

keyvigil: set-up-build ## build build/release/keyvigil (the default)
	@test -f $(RELEASE)/build.ninja || $(CONFIGURE_RELEASE) -DKEYVIGIL_TESTS=OFF
	$(BUILD) release --target keyvigil

demo: keyvigil ## simulate weeks of an estate under attack, detect, print the alerts
	tools/demo.sh $(KEYVIGIL)

test: set-up-build set-up-test ## build everything and run every test
	$(CONFIGURE_RELEASE) -DKEYVIGIL_TESTS=ON
	$(BUILD) release
	@mkdir -p $(REPORTS)
	ctest --preset release --parallel $(TEST_JOBS) --output-junit $(REPORTS)/release.xml

package: keyvigil set-up-package ## the Debian package, in build/package
	cd $(RELEASE) && cpack -G DEB

# Clients that nobody here wrote, unmodified, against the running service. They come from package registries: what
# cannot be had is said, and the suites that need it are skipped.
test-clients: keyvigil ## clients of others (Azure's for npm and Python, az, schemathesis) against keyvigil serve
	tools/test_clients.sh $(KEYVIGIL)

# What a change must pass before it is merged, besides `make test`. Each part can be run alone.
check: ## format, lint, layering, sanitizers, short fuzz
	$(MAKE) format-check
	$(MAKE) layering
	$(MAKE) lint
	$(MAKE) sanitize
	$(MAKE) thread-sanitize
	$(MAKE) fuzz-short

format: set-up-check ## format every C++ file in place
	git ls-files '*.h' '*.cpp' | xargs clang-format-14 -i

format-check: set-up-check ## fail where `make format` would change something
	git ls-files '*.h' '*.cpp' | xargs clang-format-14 --dry-run -Werror

layering: set-up-test ## the house rules: who may include whom, names, words
	python3 tests/layering/layering_test.py

# Each file as it is compiled alone, so that one that forgot to include something is found.
lint: set-up-build set-up-test set-up-check ## clang-tidy on src/, changed files first, for at most LINT_SECONDS
	cmake --preset lint >/dev/null
	tools/lint.py --build $(LINT) --seconds $(LINT_SECONDS) --jobs $(BUILD_JOBS)

# Tests and fuzzers share one instrumented build.
sanitize: set-up-build set-up-test set-up-check ## every test with AddressSanitizer and UndefinedBehaviorSanitizer
	cmake --preset dev
	$(BUILD) dev
	@mkdir -p $(REPORTS)
	ctest --preset dev --parallel $(TEST_JOBS) --output-junit $(REPORTS)/dev.xml

thread-sanitize: set-up-build set-up-test set-up-check ## the tests that start threads, with ThreadSanitizer
	cmake --preset tsan
	$(BUILD) tsan --target threaded_tests
	@mkdir -p $(REPORTS)
	ctest --preset tsan --parallel $(TEST_JOBS) --output-junit $(REPORTS)/tsan.xml

fuzz-short: set-up-build set-up-test set-up-check ## every fuzzer for SHORT_FUZZ_SECONDS
	cmake --preset dev
	$(BUILD) dev --target fuzzers
	tools/fuzz.sh $(SHORT_FUZZ_SECONDS) $(BUILD_JOBS)

fuzz: set-up-build set-up-test set-up-check ## every fuzzer for FUZZ_SECONDS (an hour each)
	cmake --preset dev
	$(BUILD) dev --target fuzzers
	tools/fuzz.sh $(FUZZ_SECONDS) $(BUILD_JOBS)

bench: set-up-build set-up-bench ## build and run the benchmarks; figures go to docs/performance.md by hand
	cmake --preset bench
	$(BUILD) bench
	tools/bench.sh build/bench

load: keyvigil ## the load test of keyvigil serve: events a second, waiting times, memory
	tests/bench/serve_load.py $(KEYVIGIL)

attack: keyvigil ## attack keyvigil serve for ATTACK_SECONDS: kills, broken disks, hostile bodies; a table of counts
	python3 tests/attack/attack.py $(KEYVIGIL) --seconds $(ATTACK_SECONDS) $(ATTACK_OPTIONS)

bless: set-up-build set-up-test ## rewrite the expected outputs of tests, then look at the diff
	$(CONFIGURE_RELEASE) -DKEYVIGIL_TESTS=ON
	$(BUILD) release
	KEYVIGIL_BLESS=1 ctest --preset release --parallel $(TEST_JOBS)
	git --no-pager diff --stat -- tests

set-up-build set-up-test set-up-check set-up-bench set-up-package: set-up-%:
	@tools/set_up.sh $*

clean: ## remove everything that was built
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | while IFS="$$(printf '\t')" read -r name what; do \
	  printf '  make %-16s %s\n' "$$name" "$$what"; done

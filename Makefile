# hubhome. The two commands of the README are `make run` and `make test`.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)
# The same for all commands, so that each package is compiled once.
export CGO_ENABLED ?= 0
export GOFLAGS ?= -trimpath
# The modules that are vetted and tested, each by itself: what only a test needs does not become what hubhome needs.
MODULES := . test/cluster test/terraform
each = @set -e; for module in $(MODULES); do echo "$$module: $(1)"; (cd $$module && $(1)); done
# Go repeats a result when nothing that a test read has changed since. It looks in the test's own module alone, and these
# read the charts and the Terraform modules, and build the commands.
anew = $$([ $$module = . ] || echo -count=1)
# How long each fuzz target runs in `make test`.
FUZZTIME ?= 3s
# How many files the home has that `make bench` counts.
BENCHFILES ?= 1000000

.PHONY: run build check test race fuzz bench lint clean

# Build, serve two hubs on a free loopback port, take the tour, go on serving until Ctrl-C.
run: build
	bin/hubhome demo

build:
	$(GO) build -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

# Everything that is quick: build, vet, lint, unit tests.
check: build lint
	$(call each,$(GO) test $(anew) -short ./...)

lint:
	$(call each,$(GO) vet ./...)
	$(call each,$(GO) tool -modfile=$(CURDIR)/tools/go.mod staticcheck ./...)
	@test -z "$$(gofmt -l .)" || { echo "gofmt these:"; gofmt -l .; exit 1; }

# Everything: the quick part, the decoders fuzzed for a moment, and a real Linux client in a guest.
# The guest installs the packages it needs where it runs as root; elsewhere it says what is missing and is skipped.
test: build lint
	$(call each,$(GO) test $(anew) -timeout 25m ./...)
	$(MAKE) fuzz

race:
	CGO_ENABLED=1 $(GO) test -race -short ./...

# Each fuzz target for FUZZTIME, from the corpus in the tree.
fuzz:
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "fuzz $$pkg $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$pkg; \
	  done; \
	done

# Ours and Debian's NFS-Ganesha on the same directory tree, same client, same run; scans of homes; and what the ledger costs,
# in a home of BENCHFILES files: ratios. Needs root.
bench: build
	$(GO) run ./test/bench
	$(GO) run ./test/bench -scan
	HUBHOME_BENCH_FILES=$(BENCHFILES) $(GO) test -run '^$$' -bench 'Recount|Start|SetQuota|Write' -benchtime 10s -timeout 30m ./store
	$(GO) test -run '^$$' -bench List20000 ./console

clean:
	rm -rf bin

# What a developer does here. `make` lists the targets; GNU make and Go are
# needed, `make tools` installs the rest on Debian.

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
.NOTPARALLEL:

GO        ?= go
ARGS      ?= help
FUZZTIME  ?= 30s
BENCH     ?= .
BENCHTIME ?= 1s
COUNT     ?= 1
BENCHED   ?= ./relay/... ./playback/... ./tree/... ./ingest/...
# What testdata/bench.txt has: the work for each tag and chunk, from the encoder to what viewers get.
CHOSEN    := CutSign|Verify|RingAppend|Convert|Join
SEEDS     ?= 2
N         ?= 1000
MIX       ?= cdn,lan,uniform4
FAULTS    ?=
SIM       ?=
NODES     ?= 30
RUNS      ?= 20
LOOPS     ?= 100000000
LOAD      ?=
PAGE      ?=

# The tags let the end-to-end tests and `make throttle` in.
ALL := -tags e2e,netns ./...

.PHONY: help
help: ## List the targets (default)
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' Makefile
	@echo "Variables: ARGS (run), FUZZTIME (fuzz), BENCH BENCHTIME COUNT (bench),"
	@echo "           SEEDS N MIX FAULTS SIM (sim; SIM=-help lists what else), LOOPS (loops),"
	@echo "           NODES RUNS FAULTS (netns), LOAD (load; LOAD=-help lists what there is), GO"

# Neither symbols for a debugger, which traces and profiles do without; nor what makes manual pages
# in a library of which nobody asks for one (cli/manual has its own); nor HTTP/2, which nobody speaks without
# TLS, and which whoever is asked with it need not speak; nor, in packages that do nothing for each tag, or far more
# than calling costs (readers of files, TLS), copies of functions in each other (-l): a tenth of the program.
COLD  := $(shell cat cli/deploy/release/cold.txt)
COMMA := ,
# The tags besides are $(1).
SMALL  = -trimpath -ldflags '-s -w' -tags urfave_cli_no_docs,nethttpomithttp2$(1:%=$(COMMA)%) $(foreach p,$(COLD),-gcflags='$(p)=-l')

.PHONY: build
build: ## Build bin/relay
	CGO_ENABLED=0 $(GO) build $(call SMALL) -o bin/relay ./cli/relay

# For routers and small boards: without the libraries of SRT, RTSP and WebRTC, and without relay abuse.
.PHONY: lean
lean: ## Build bin/relay-lean, which is smaller
	CGO_ENABLED=0 $(GO) build $(call SMALL,lean) -o bin/relay-lean ./cli/relay

# What the programs may have, in bytes. slices.SortFunc is there anew for each type that it sorts, with 25 KB;
# SortStableFunc has a third of that.
MOST      := 27000000
LEAN_MOST := 20000000

.PHONY: size
size: build lean ## Check that bin/relay and bin/relay-lean are small
	@for of in relay:$(MOST) relay-lean:$(LEAN_MOST); do \
		size=$$(wc -c <bin/$${of%:*}); [ "$$size" -le "$${of#*:}" ] || { \
			echo "bin/$${of%:*} has $$size bytes, at most $${of#*:} are meant to be: go tool nm -size -sort size says what is in a build without -ldflags" >&2; exit 1; }; done

.PHONY: release
release: ## Build what people install, for every system, the same bytes anywhere; bin/release
	$(GO) run ./cli/deploy/release

.PHONY: demo
demo: ## Broadcast a bundled clip through a source and six relays on this machine
	$(GO) run ./cli/relay demo

.PHONY: run
run: ## Run relay with ARGS, e.g. make run ARGS="watch relay://..."
	$(GO) run ./cli/relay $(ARGS)

# With CI set, a test whose tools are missing fails instead of skipping.
.PHONY: test
test: export CI = true
test: tools ## Everything CI wants: tools, lint, race, e2e
	@# What need not run alone takes the time of the processors that the end-to-end tests
	@# leave: lint and compile that of one, as the first of these tests measure delays, and
	@# race what is left beside the faults between namespaces, which mostly wait. If they
	@# were nicer than this, they would never end beside programs of others that take all
	@# they can get.
	@mkdir -p bin; GOMAXPROCS=1 nice -n 5 $(MAKE) --no-print-directory lint treetest allocs e2e-units dht encoders compile >bin/lint.log 2>&1 & lint=$$!; \
	failed=; $(MAKE) --no-print-directory e2e-here || failed=1; \
	wait $$lint || failed=1; cat bin/lint.log; [ -z "$$failed" ]
	@nice -n 5 $(MAKE) --no-print-directory race >bin/race.log 2>&1 & race=$$!; \
	failed=; $(MAKE) --no-print-directory e2e-netns || failed=1; \
	wait $$race || failed=1; cat bin/race.log; [ -z "$$failed" ]

# The race detector, which does not look into packages that share nothing and do little but compute: the arithmetic of
# keys takes ten times as long under it, and was half of what nodes do in these tests.
UNSHARED := $(addprefix crypto/internal/fips140/,edwards25519/... bigmod mlkem nistec/... sha3) compress/flate regexp/...
RACE     := -race $(UNSHARED:%=-gcflags=%=-race=false)
# The simulator starts no goroutine: its tests, the longest of all, run without.
RACED     = $$($(GO) list ./... | grep -v '/tree/treetest$$')

# The tests of race, compiled and neither linked nor run.
.PHONY: compile
compile:
	$(GO) list $(RACE) -test -export $(RACED) >/dev/null

# lint vets all packages, so go test need not. The longest tests come first, and three packages
# are tested at a time, so that no processor waits for one that waits itself.
.PHONY: race
race: ## Run the tests, without the end-to-end ones and those of the simulator, under the race detector
	$(GO) test $(RACE) -vet=off -p 3 -timeout 30m ./relay ./ingest/rtmp ./relay/membership $(RACED)

.PHONY: treetest
treetest: ## Run the tests of the simulator: crowds, liars, faults
	$(GO) test -vet=off -timeout 30m ./tree/treetest

# The tests that call testing.AllocsPerRun or do less under the race detector, without it: pools forget under it.
PLAIN := AllocsPerRun|relaytest.Raced
.PHONY: allocs
allocs: ## Count what a tag, a chunk, a child and a viewer allocate
	files=$$(grep -rlE --include='*_test.go' '$(PLAIN)' .); \
	tests=$$(awk '/^func Test/ { sub(/\(.*/, "", $$2); test = $$2 } /$(PLAIN)/ { print test }' $$files | sort -u | paste -sd '|'); \
	$(GO) test -count=1 -vet=off -run "^($$tests)\$$" $$(dirname $$files | sort -u)

.PHONY: e2e
e2e: e2e-units encoders e2e-here e2e-netns ## Run the end-to-end tests: real processes, real ffmpeg, a real browser

.PHONY: e2e-units e2e-here e2e-netns
e2e-units: size # and what these tests measure with, and what is released
	$(GO) test -tags e2e -count=1 -vet=off ./cli/e2e/internal/... ./cli/e2e/load ./cli/deploy/...

# The other implementation brings modules of its own.
.PHONY: dht
dht: ## Find a channel by its ID among nodes of another implementation of the DHT, and play it
	cd relay/dht/interop && $(GO) mod tidy -diff && $(GO) vet ./... && $(GO) test -count=1 -vet=off -v -timeout 5m ./...

# A real decoder counts the frames of every output, and streams last for hours in virtual time.
.PHONY: encoders
encoders: tools ## Play what all sorts of encoders send on every output; table in bin/encoders.txt
	@mkdir -p bin
	ENCODERS_TABLE=$(CURDIR)/bin/encoders.txt $(GO) test -tags e2e -count=1 -vet=off -timeout 30m \
		-run 'TestWhateverAnEncoderSendsIsPlayed|TestTwoHoursOfAnythingGrowNothing|TestAFileOfMoreThan4GiBIsReadToItsEnd' ./playback ./ingest/flv
	@cat bin/encoders.txt
e2e-here: tools
	rm -rf bin/screens; mkdir -p bin/screens
	$(GO) test -tags e2e -count=1 -vet=off -v -timeout 60m -artifacts -outputdir $(CURDIR)/bin/screens ./cli/e2e
e2e-netns: tools
	$(GO) test -tags e2e -count=1 -vet=off -v -timeout 30m $(AS_ROOT) ./cli/e2e/netns
	$(MAKE) --no-print-directory portmap

# Real routers' software, between network namespaces.
.PHONY: portmap
portmap: tools ## Map ports in a real miniupnpd, by each protocol
	$(GO) test -tags e2e -count=1 -vet=off -v -timeout 5m -run TestAReal $(AS_ROOT) ./relay/portmap

# The page of a node in every situation, the frame that other sites have of it, and the page that films, in each language
# and theme, on a phone and on a desk, with a sheet of each; PAGE=/embed or PAGE=/broadcast/de- is a part of that.
.PHONY: screens
screens: tools ## Take pictures of the pages in all they can say, into bin/screens
	rm -rf bin/screens; mkdir -p bin/screens
	$(GO) test -tags e2e -count=1 -vet=off -v -timeout 90m -artifacts -outputdir $(CURDIR)/bin/screens -run 'TestPageSaysEverySituation$(PAGE)' ./cli/e2e -screens || failed=$$?; \
	mv bin/screens/_artifacts/*/* bin/screens/; exit $${failed:-0}

# What all of these encoders send, in a browser; some of it is part of e2e-here.
.PHONY: pages
pages: tools ## Watch on the page what all sorts of encoders send
	$(GO) test -tags e2e -count=1 -vet=off -v -timeout 60m -run TestPageSurvivesWhateverAnEncoderSends ./cli/e2e -encoders

# Network namespaces need root.
AS_ROOT = $(if $(filter-out 0,$(shell id -u)),-exec 'sudo -E env PATH=$(PATH):/usr/sbin:/sbin')

.PHONY: netns
netns: tools ## Break a swarm in network namespaces RUNS times per fault; figures in bin/netns
	rm -rf bin/netns; mkdir -p bin/netns
	$(GO) test -tags e2e -count=1 -v -timeout 6h $(AS_ROOT) ./cli/e2e/netns \
		-args -nodes=$(NODES) -runs=$(RUNS) -faults=$(FAULTS) -keep=$(CURDIR)/bin/netns

.PHONY: peercast
peercast: tools ## Kill each of those through whom a channel goes by PeerCast into another tree, for half an hour
	$(GO) test -tags e2e -count=1 -vet=off -v -timeout 45m $(AS_ROOT) -run TestAStreamGoesThroughPeerCast ./cli/e2e/netns -args -peercast 30m

.PHONY: throttle
throttle: tools ## Measure links and uploads that are too narrow, between network namespaces
	$(GO) test -tags netns -run '^$$' -bench 'Throttled|Shared' -benchtime 1x $(AS_ROOT) ./relay

.PHONY: lint
lint: ## Check formatting (gofumpt), vet, also for other systems, staticcheck
	@unformatted=$$($(GO) tool gofumpt -l .); \
	if [ -n "$$unformatted" ]; then \
		printf 'make fmt would change:\n%s\n' "$$unformatted" >&2; exit 1; \
	fi
	$(GO) mod verify
	$(GO) mod tidy -diff
	$(GO) vet $(ALL)
	$(GO) run -tags e2e ./cli/e2e/internal/crossvet windows darwin freebsd
	$(GO) tool staticcheck $(ALL)

.PHONY: fmt
fmt: ## Format the Go code
	$(GO) tool gofumpt -l -w .

# A target whose time ends just then can fail with "context deadline exceeded" before Go 1.27
# (go.dev/issue/75804). That is no finding: what is found is written beside the test, and says so.
# What is found may take a minute to be made smaller, unless that is bounded.
# Two targets at a time, each with one worker: they share nothing, and the processors are busy.
.PHONY: fuzz
fuzz: ## Fuzz each target for FUZZTIME (30s, or a count such as 20000x); inputs that fail are kept beside the test
	@rm -rf bin/fuzz; mkdir -p bin/fuzz; \
	for dir in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -r dirname | sort -u); do \
		binary=$(CURDIR)/bin/fuzz/$$(echo "$${dir#./}" | tr / -).test; \
		$(GO) test -c -fuzz . -o "$$binary" "$$dir"; \
		cd "$$dir"; "$$binary" -test.list '^Fuzz' | sed "s|^|$$dir $$binary |"; cd $(CURDIR); \
	done | xargs -r -P 2 -L 1 bash -c 'cd "$$0"; echo "fuzz $$0 $$2"; \
		"$$1" -test.run "^$$" -test.fuzz "^$$2\$$" -test.fuzztime $(FUZZTIME) -test.fuzzminimizetime 200x \
			-test.parallel 1 -test.fuzzcachedir "$$1.corpus" >"$$1.$$2.log" 2>&1 || { \
			! grep -q "Failing input\|panic:\|fatal error:" "$$1.$$2.log" && grep -qx " *context deadline exceeded" "$$1.$$2.log"; \
		} || { cat "$$1.$$2.log"; exit 255; }; \
		tail -2 "$$1.$$2.log"'

.PHONY: bench
bench: ## Run the benchmarks into bin/bench.txt; the last run stays as bin/bench.old.txt
	@mkdir -p bin; if [ -f bin/bench.txt ]; then mv bin/bench.txt bin/bench.old.txt; fi
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime $(BENCHTIME) -count $(COUNT) \
		$(BENCHED) | tee bin/bench.txt

.PHONY: benchcmp
benchcmp: ## Compare the last two runs of bench (COUNT=10 for figures that mean something)
	$(GO) tool benchstat bin/bench.old.txt bin/bench.txt

# Times are of one machine: elsewhere, compare allocations, or begin with a baseline of your own.
.PHONY: benchbase
benchbase: ## Compare those benchmarks with testdata/bench.txt that are there
	$(MAKE) --no-print-directory bench BENCH='$(CHOSEN)' BENCHED='./relay/stream ./playback/remux ./ingest/rtmp' BENCHTIME=0.2s COUNT=10
	$(GO) tool benchstat testdata/bench.txt bin/bench.txt

.PHONY: load
load: build load-tools ## Send one stream to crowds of viewers, beside a bare loop and nginx-rtmp (bin/load.md, .svg)
	$(GO) build -tags e2e -o bin/load ./cli/e2e/load
	bin/load $(LOAD)

# Per cent of a core, by the kernel's exact counts. INPUTS='-relay FILE' measures another program.
.PHONY: inputs
inputs: build ## Measure what a source uses for a stream of 6 Mb/s over each input, and idle
	$(GO) build -tags e2e -o bin/load ./cli/e2e/load
	bin/load -share -inputs all -rate 6000000 -for 24s $(INPUTS)

NGINX := bin/nginx/usr/sbin/nginx

# Debian's nginx and nginx-rtmp, unpacked and not installed: that would start a server.
.PHONY: load-tools
load-tools: $(NGINX)

$(NGINX):
	@if ! command -v apt-get >/dev/null; then \
		echo "relay: error: there is no apt-get, which fetches nginx and nginx-rtmp" >&2; \
		echo "relay: hint: make build, then bin/load -nginx FILE -module FILE, or bin/load -servers loop,flv" >&2; exit 1; \
	fi
	mkdir -p bin/nginx
	cd bin/nginx; apt-get download -qq nginx libnginx-mod-rtmp || { \
		sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; $$sudo apt-get update -qq; apt-get download -qq nginx libnginx-mod-rtmp; }
	cd bin/nginx; for deb in *.deb; do dpkg-deb -x "$$deb" .; done

.PHONY: sim
sim: ## Simulate a crowd of N under churn, one behind routers, and FAULTS (bin/sim.svg)
	$(GO) run ./tree/treetest/sim -seeds $(SEEDS) -n $(N) -mix $(MIX) -faults $(or $(FAULTS),all) -svg bin/sim.svg $(SIM)

.PHONY: loops
loops: ## Make LOOPS moves that only the labels guard, and look for a loop
	$(GO) run ./tree/treetest/sim -loops $(LOOPS)

.PHONY: cover
cover: ## Measure test coverage; bin/cover.html shows it line by line
	@mkdir -p bin
	$(GO) test -coverpkg=./... -coverprofile=bin/cover.out ./...
	$(GO) tool cover -html=bin/cover.out -o bin/cover.html
	@$(GO) tool cover -func=bin/cover.out | tail -n 1

.PHONY: clip
clip: tools ## Make the sample streams in testdata/flv anew
	testdata/flv/clip.sh

FONT := /usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf
# What the page in Japanese and Chinese is measured with.
FONT_CJK := /usr/share/fonts/truetype/wqy/wqy-microhei.ttc

# What drives the browser, from npm.
DRIVER := cli/e2e/browser/node_modules/.package-lock.json

.PHONY: tools
tools: packages $(DRIVER) ## Install by apt and npm what the tests need and this machine lacks

$(DRIVER): cli/e2e/browser/package-lock.json | packages
	npm ci --prefix cli/e2e/browser --no-audit --no-fund
	touch $@

.PHONY: packages
packages:
	@missing=; PATH=$$PATH:/usr/sbin:/sbin; \
	command -v ffmpeg >/dev/null && command -v ffprobe >/dev/null || missing+=' ffmpeg'; \
	[ -f $(FONT) ] || missing+=' fonts-dejavu-core'; \
	[ -f $(FONT_CJK) ] || missing+=' fonts-wqy-microhei'; \
	command -v ip >/dev/null && command -v tc >/dev/null || missing+=' iproute2'; \
	command -v nft >/dev/null || missing+=' nftables'; \
	command -v miniupnpd >/dev/null || missing+=' miniupnpd'; \
	command -v $$($(GO) env CC) >/dev/null || missing+=' gcc libc6-dev'; \
	command -v systemd-analyze >/dev/null || missing+=' systemd'; \
	command -v vlc >/dev/null || missing+=' vlc-bin vlc-plugin-base'; \
	command -v mpv >/dev/null || missing+=' mpv'; \
	command -v chromium-headless-shell >/dev/null || missing+=' chromium-headless-shell'; \
	command -v node >/dev/null && command -v npm >/dev/null || missing+=' nodejs npm'; \
	[ -n "$$missing" ] || exit 0; \
	if ! command -v apt-get >/dev/null; then \
		echo "relay: error: please install:$$missing" >&2; exit 1; \
	fi; \
	sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	set -x; \
	$$sudo apt-get update -qq; \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing

.PHONY: clean
clean: ## Remove bin and what test runs leave behind
	rm -rf bin cli/e2e/browser/node_modules
	find . -path ./.git -prune -o -type f \( -name '*.test' -o -name '*.prof' \) -exec rm -f {} +

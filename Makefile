# The one entry point. `make help` lists what there is.
#
# FLAGS are the same everywhere: an import that Package.swift does not declare is an error, and so is every warning.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

SWIFT ?= swift
FLAGS := --explicit-target-dependency-import-check error
RELEASE := -c release $(FLAGS)
BIN := .build/release
EVENTS ?= 20000
FAULTS ?= none
SEED ?= 1
SEEDS ?= 1000
SANITIZER ?= address thread
FIRST ?= 0
RECORDS ?= 1000000
ROUNDS ?= 3
RECORDED := Sources/forwarder-bench/instructions.txt
SECTIONS ?=
STEPS := parse decode hash map-capi map-offline intake-both intake-shop neutral verdict settle watermark path
BROKER ?= noida-db
# SECONDS counts by itself in a shell; only one that was given is meant.
GIVEN_SECONDS := $(if $(filter command environment,$(origin SECONDS)),$(SECONDS))
FUZZ_SECONDS := $(or $(GIVEN_SECONDS),60)
CHAOS_SECONDS := $(or $(GIVEN_SECONDS),40)

# Every target is a deed, none a file.
.PHONY: $(shell sed -nE 's/^([a-z0-9-]+):.*/\1/p' $(MAKEFILE_LIST))

help: ## this list
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 14

setup: ## install what the build needs (as root), or print the command
	@deploy/setup.sh

build: setup ## debug build of everything
	$(SWIFT) build $(FLAGS)

release: setup ## release build of the daemon and its tools, Swift's libraries linked in
	$(SWIFT) build $(RELEASE) --static-swift-stdlib

demo: release ## a Kafka, a Microsoft and a shop on this machine [EVENTS= FAULTS=none|mixed SEED=]
	$(BIN)/conversion-forwarder demo --events $(EVENTS) --faults $(FAULTS) --seed $(SEED)

test: setup ## every test
	$(SWIFT) build --build-tests $(FLAGS)
	$(SWIFT) test --skip-build $(FLAGS)

check: lint test demo ## what must hold before a commit

lint: ## format rules
	$(SWIFT) format lint --strict --recursive Sources Tests Package.swift

format: ## write the format
	$(SWIFT) format --in-place --recursive Sources Tests Package.swift

golden: setup ## write the golden files anew; the review is the diff
	UPDATE_GOLDEN=1 $(SWIFT) test $(FLAGS)
	git status --short Tests/Fixtures deploy/SIGNALS.md

broker: ## a real broker on loopback until Ctrl-C [BROKER=noida-db|tansu PORT=]
	@Tests/RealBroker/broker.sh $(BROKER) $(PORT)

broker-test: setup ## scenarios with two real brokers, with Debian's librdkafka and with a newer one
	$(SWIFT) build --build-tests $(FLAGS)
	SWIFT=$(SWIFT) Tests/RealBroker/test.sh noida-db debian
	SWIFT=$(SWIFT) Tests/RealBroker/test.sh noida-db newer
	SWIFT=$(SWIFT) Tests/RealBroker/test.sh tansu newer

admin-check: setup ## the admin pages in a real browser (Debian's chromium), pictures in downloads/admin
	$(SWIFT) build --build-tests $(FLAGS)
	SWIFT=$(SWIFT) Tests/Admin/check.sh

test-newer-kafka: setup ## the tests that use Kafka's mock, with a newer librdkafka
	$(SWIFT) build --build-tests $(FLAGS)
	. Tests/RealBroker/downloads.sh && fetch_librdkafka && LD_LIBRARY_PATH=$$downloads/lib \
		$(SWIFT) test --skip-build $(FLAGS) --filter 'KafkaClientTests|EndToEndTests'

broker-run: release ## 200,000 events through a real broker, killed in the middle, judged [EVENTS=200000]
	Tests/RealBroker/run.sh $(if $(filter-out 20000,$(EVENTS)),$(EVENTS),200000) --faults $(FAULTS) --seed $(SEED)

simulate: release ## whole lives of the daemon in virtual time, from seeds [SEEDS=1000 FIRST=0]
	$(BIN)/forwarder-simulation $(FIRST) $(SEEDS)

chaos: release ## everything goes wrong at once, judged [SECONDS=40 SEED=1, or "1 2 3", or old: seeds that once failed]
	Tests/Chaos/run.sh $(CHAOS_SECONDS) $(SEED)

broker-chaos: release ## the same with a real broker in place of the mock [SECONDS=40 SEED=1]
	REAL=1 Tests/Chaos/run.sh $(CHAOS_SECONDS) $(SEED)

soak: release ## hours of a shop in minutes, the second destination dead: memory, descriptors, latency [SECONDS=360]
	$(BIN)/forwarder-trial --soak --seconds $(or $(GIVEN_SECONDS),360)

fuzz: setup ## any bytes for records, answers, configuration and admin port, with libFuzzer [SECONDS=60]
	Tests/Fuzz/run.sh $(FUZZ_SECONDS)

sanitize: setup ## the tests under AddressSanitizer and ThreadSanitizer [SANITIZER=address|thread]
	for one in $(SANITIZER); do Tests/Sanitize/run.sh $$one; done

bench: release ## what each step costs, in ns and instructions, beside what was recorded [SECTIONS=]
	$(BIN)/forwarder-bench --instructions --recorded $(RECORDED) $(SECTIONS)

bench-count: release ## the instructions of the steps that need no disk, beside what was recorded
	$(BIN)/forwarder-bench --untimed --recorded $(RECORDED) $(STEPS)

bench-record: release ## record the instructions of each step
	$(BIN)/forwarder-bench --untimed --record $(RECORDED)

bench-e2e: release ## the daemon with a real broker and a sink over TLS, the floor beside it [RECORDS=1000000 ROUNDS=3]
	Tests/Bench/end-to-end.sh --records $(RECORDS) --rounds $(ROUNDS)

bench-debian: release ## the daemon with Debian's librdkafka and its mock of a broker, 300,000 records [ROUNDS=3]
	$(BIN)/forwarder-bench end-to-end --rounds $(ROUNDS)

bench-peers: release ## the same work by what a team would pick instead; installs it [RECORDS=1000000 ROUNDS=3]
	Tests/Bench/peers.sh --records $(RECORDS) --rounds $(ROUNDS)

bench-scale: release ## cost by partitions, destinations, length of the queue (10 GB of disk) [RECORDS=1000000 ROUNDS=3]
	Tests/Bench/scale.sh --records $(RECORDS) --rounds $(ROUNDS)

deb: release ## the Debian package, in .build/deb (needs debhelper)
	deploy/debian/build.sh

deploy-test: release ## package, systemd, container, Kubernetes, examples: as root on Debian 12, installs what it needs
	Tests/Deploy/examples.sh
	Tests/Deploy/kubernetes.sh
	Tests/Deploy/container.sh
	Tests/Deploy/deb.sh

clean: ## remove what was built
	rm -rf .build

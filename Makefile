# The front door: what people and machines say. CMake does the work (CMakePresets.json), scripts/ the rest.
PREFIX  ?= /usr/local
DESTDIR ?=
JOBS    ?= $(shell nproc)

.PHONY: help build test check bench demo install clean

help:
	@echo "make build      release build: build/thingward, build/thingward_mosquitto.so"
	@echo "make test       installs what is missing, builds with sanitizers, runs every test"
	@echo "make check      what takes longer: linters, both compilers, races, fuzzing, crashes; CHECK_ONLY=STEP for one"
	@echo "make bench      figures beside a bare broker and bare parsers: ratios, and build/bench.json"
	@echo "make demo       a broker, a daemon and a small fleet; DEMO_ONCE=1 ends by itself"
	@echo "make install    DESTDIR= PREFIX=/usr/local"

build:
	@scripts/setup build
	@cmake --preset release >/dev/null
	@cmake --build build/release -j $(JOBS) --target thingward thingward_mosquitto
	@install -m 0755 build/release/thingward build/release/thingward_mosquitto.so build/

test:
	@scripts/setup test
	@JOBS=$(JOBS) scripts/test

check:
	@scripts/setup check
	@JOBS=$(JOBS) scripts/check

bench:
	@scripts/setup bench
	@cmake --preset bench >/dev/null
	@cmake --build build/bench -j $(JOBS)
	@tests/bench/run build/bench build/bench.json

demo: build
	@scripts/setup demo
	@scripts/demo

install: build
	install -D -m 0755 build/thingward $(DESTDIR)$(PREFIX)/bin/thingward
	install -D -m 0755 build/thingward_mosquitto.so $(DESTDIR)$(PREFIX)/lib/thingward/thingward_mosquitto.so

clean:
	rm -rf build

# SPDX-License-Identifier: Apache-2.0
# One non-recursive Makefile. `make help` lists the targets.
#   SAN=address,undefined | thread   sanitizer build      CI=1  warnings are errors      V=1  show commands
#   LTO=   link in a fifth of the time: for work on the sources
comma := ,
SAN ?=
PROFILE := $(if $(SAN),san-$(subst $(comma),-,$(SAN)),release)
B := build/$(PROFILE)
PREFIX ?= /usr/local
CC := gcc
# clang 14 where there is one (Debian 12, Ubuntu 22.04), else the system's.
CLANG_TOOL = $(notdir $(firstword $(shell command -v $(1)-14 $(1)-15 $(1)) $(1)-14))
FUZZ_CC := $(call CLANG_TOOL,clang)
VERSION := 0.1.0
Q := $(if $(V),,@)

KAFKA_LIBS := $(shell pkg-config --libs rdkafka)
MYSQL_PKG := $(if $(shell pkg-config --exists libmariadb && echo y),libmariadb,mysqlclient)
PKGS := libzstd liblz4 snappy zlib yaml-0.1 lua5.4 jansson libssl libcrypto libxxhash
CFLAGS_PKGS := $(subst -I,-isystem ,$(shell pkg-config --cflags $(PKGS)))
LIBS := $(shell pkg-config --libs $(PKGS)) -lisal -lpthread -lm -ldl
MYSQL_CFLAGS := $(patsubst -I%,-isystem%,$(shell pkg-config --cflags $(MYSQL_PKG)))
MYSQL_LIBS := $(shell pkg-config --libs $(MYSQL_PKG))

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
  -Wold-style-definition -Wformat=2 -Wundef -Wvla -Wimplicit-fallthrough -Wwrite-strings $(if $(CI),-Werror)
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all)
BASEFLAGS := -std=c17 -D_GNU_SOURCE -DFC_VERSION='"$(VERSION)"' -I. -I$(B)/gen -Irunner/include -fvisibility=hidden -fPIC -MMD -MP $(CFLAGS_PKGS)
CFLAGS ?= $(if $(SAN),-O2,-O3) -g
# Programs and connectors are optimised as a whole; tests link the objects as they are, which takes less time.
LTO := $(if $(SAN),,-flto=auto -ffat-lto-objects)
ALL_CFLAGS = $(CFLAGS) $(LTO) $(BASEFLAGS) $(WARN) $(SANFLAGS)
LDFLAGS += $(SANFLAGS)

# The messages of core/wire are written by a program from core/wire/schema.
GENERATOR := $(B)/wire-generator
GEN_C := $(B)/gen/core/wire/messages.c
GEN_H := $(GEN_C:.c=.h)
# Archives and programs appear whole, under a name of their maker's first: another make in this tree may be using them.
PUT = && mv -f $@.$$$$ $@
# One archive a folder; programs' main.c stand apart.
DIRS := core/base core/wire core/log core/cluster core/link core/stream core/cli \
  core/server \
  core/spu core/spu/group core/spu/txn core/spu/auth \
  catalog runner/envelope runner/restore runner/bridge runner transforms \
  connectors/mysql connectors/kafka tests/support
SRC_OF = $(filter-out %/main.c,$(wildcard $(1)/*.c)) $(filter $(B)/gen/$(1)/%.c,$(GEN_C))
AR_OF = $(B)/lib/$(subst /,-,$(1)).a
define archive
$(call AR_OF,$(1)): $(patsubst %.c,$(B)/obj/%.o,$(call SRC_OF,$(1)))
	@mkdir -p $$(@D)
	$(Q)ar rcs $$@.$$$$$$$$ $$^ $$(PUT)
endef
$(foreach d,$(DIRS),$(eval $(call archive,$(d))))

# What may be linked with what: a folder's tests see the folder and what it may depend on.
LINK_core/base := core/base
LINK_core/wire := core/wire $(LINK_core/base)
LINK_core/link := core/link core/wire $(LINK_core/base)
LINK_core/cli := core/cli $(LINK_core/link)
LINK_core/log := core/log $(LINK_core/base)
LINK_core/cluster := core/cluster $(LINK_core/base)
LINK_core/stream := core/stream core/cluster $(LINK_core/log)
LINK_core/server := core/server core/wire core/log catalog $(LINK_core/base)
LINK_core/spu/group := core/spu/group $(LINK_core/base)
LINK_core/spu/txn := core/spu/txn $(LINK_core/base)
LINK_core/spu/auth := core/spu/auth catalog $(LINK_core/base)
LINK_core/spu := core/spu core/spu/group core/spu/txn core/spu/auth catalog core/server core/wire core/log $(LINK_core/base)
LINK_catalog := catalog $(LINK_core/base)
LINK_transforms := transforms $(LINK_core/base)
LINK_runner/envelope := runner/envelope $(LINK_catalog)
LINK_runner/restore := runner/restore runner/bridge runner transforms runner/envelope catalog core/link $(LINK_core/stream) $(LINK_core/spu)
LINK_runner := $(LINK_runner/restore)
LINK_connectors/mysql := connectors/mysql $(LINK_core/base)
LINK_connectors/kafka := connectors/kafka core/cluster $(LINK_core/link)
LINK_runner/bridge := $(LINK_runner/restore)
LINK_tests/support := tests/support $(LINK_core/base)
link_ars = $(foreach d,$(LINK_$(1)),$(call AR_OF,$(d)))

RUNNER := $(B)/fluvio-connect
SPU := $(B)/fluvio-spu
CLI := $(B)/fluvio
PLUGINS := $(B)/connectors/mysql.so $(B)/connectors/kafka.so
UNIT_SRC := $(shell find tests/unit -name 'test_*.c' 2>/dev/null)
UNIT := $(UNIT_SRC:%.c=$(B)/%)
FUZZ := $(patsubst %.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
TOOLS := $(patsubst %.c,$(B)/%,$(wildcard tests/integration/*.c tests/crash/*.c tests/bench/*.c))

.SECONDARY:
.DELETE_ON_ERROR:
.PHONY: all check mysqlclient integration crash history fuzz fuzz-build bench tidy format format-check style coverage install uninstall clean help tools
all: $(RUNNER) $(SPU) $(CLI) $(PLUGINS) ## build the programs and the connectors

$(B)/obj/connectors/mysql/%.o $(B)/obj/tests/support/%.o $(B)/obj/tests/unit/connectors/mysql/%.o: ALL_CFLAGS += $(MYSQL_CFLAGS)
$(GENERATOR): $(wildcard core/wire/generator/*.c core/wire/generator/*.h)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE -O1 -g -I. $(WARN) -o $@.$$$$ $(filter %.c,$^) $(PUT)
$(GEN_C) $(GEN_H) &: $(GENERATOR) $(wildcard core/wire/schema/*.txt)
	@mkdir -p $(@D)
	$(Q)$(GENERATOR) $(GEN_H) $(GEN_C) $(filter %.txt,$^)
$(B)/obj/%.o: %.c | $(GEN_H)
	@mkdir -p $(@D)
	@$(if $(V),,echo "  CC    $<")
	$(Q)$(CC) $(ALL_CFLAGS) -c $< -o $@

$(SPU): $(B)/obj/core/spu/main.o $(call link_ars,core/spu)
$(CLI): $(B)/obj/core/cli/main.o $(call link_ars,core/cli)
$(RUNNER): $(B)/obj/runner/main.o $(call link_ars,runner)
$(RUNNER): EXPORTS := -rdynamic
$(CLI) $(RUNNER): CLIENT_LIBS = $(KAFKA_LIBS)
$(SPU) $(CLI) $(RUNNER):
	@$(if $(V),,echo "  LINK  $@")
	$(Q)$(CC) $(CFLAGS) $(LTO) $(LDFLAGS) $(EXPORTS) -o $@.$$$$ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(CLIENT_LIBS) $(LIBS) $(PUT)

$(B)/connectors/mysql.so: $(call link_ars,connectors/mysql)
$(B)/connectors/kafka.so: $(call link_ars,connectors/kafka)
$(B)/connectors/mysql.so: CLIENT_LIBS = $(MYSQL_LIBS)
$(B)/connectors/kafka.so: CLIENT_LIBS = $(KAFKA_LIBS)
$(B)/connectors/kafka.so: PLUGIN_LDFLAGS = -Wl,-z,nodelete # librdkafka's threads may outlive it (fc_cluster_destroy)
$(PLUGINS):
	@mkdir -p $(@D)
	@$(if $(V),,echo "  LINK  $@")
	$(Q)$(CC) $(CFLAGS) $(LTO) $(LDFLAGS) -shared $(PLUGIN_LDFLAGS) $(if $(SAN),,-Wl$(comma)-z$(comma)defs) -o $@.$$$$ -Wl,--whole-archive $< -Wl,--no-whole-archive $(filter-out $<,$^) $(CLIENT_LIBS) $(LIBS) $(PUT)

# The same plugin with libmysqlclient, which Debian 12 lacks: headers and library are unpacked beside the system.
mysqlclient: ## build the MySQL connector with libmysqlclient, too
	$(Q)root=$$(tests/support/mysql9-fetch) && $(MAKE) SAN= B=build/mysqlclient build/mysqlclient/connectors/mysql.so \
	  MYSQL_CFLAGS="-isystem $$root/usr/include/mysql -idirafter $$root/usr/include" \
	  MYSQL_LIBS="$$root/usr/lib/x86_64-linux-gnu/libmysqlclient.so.24"

# tests/unit/<folder>/test_x.c is linked with what <folder> may see.
define unit_rule
$(1): $(patsubst $(B)/%,$(B)/obj/%.o,$(1)) $(call link_ars,$(patsubst $(B)/tests/unit/%/,%,$(dir $(1)))) $(call AR_OF,tests/support)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) -fno-lto $$(LDFLAGS) -o $$@.$$$$$$$$ $$< -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group -lcmocka $(if $(findstring connectors/mysql,$(1)),$(MYSQL_LIBS)) $(KAFKA_LIBS) $(LIBS) $$(PUT)
endef
$(foreach t,$(UNIT),$(eval $(call unit_rule,$(t))))

# Programs that tests and benches drive; they may see everything but the connectors' insides.
tools: $(TOOLS)
$(TOOLS): $(B)/%: $(B)/obj/%.o $(call link_ars,runner) $(call AR_OF,core/server) $(call AR_OF,core/wire) $(call AR_OF,tests/support)
	@mkdir -p $(@D)
	$(Q)$(CC) -fno-lto $(LDFLAGS) -rdynamic -o $@.$$$$ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group -lcmocka $(MYSQL_LIBS) $(KAFKA_LIBS) $(LIBS) $(PUT)
$(TOOLS:$(B)/%=$(B)/obj/%.o): ALL_CFLAGS += $(MYSQL_CFLAGS)

check: all $(UNIT) ## run the unit tests
	$(Q)scripts/run-unit $(UNIT)
integration: all tools mysqlclient ## run the tests against real servers
	$(Q)BUILD=$(B) tests/integration/run
crash: all tools ## run the crash loop (ROUNDS=50)
	$(Q)tests/crash/run
history: all ## kill the SPU under clients and check what they saw (KILLS=50)
	$(Q)BUILD=$(B) tests/crash/history
fuzz-build: $(FUZZ) ## build the fuzz targets
fuzz: $(FUZZ) ## run each fuzz target (SECONDS_EACH=60)
	$(Q)tests/fuzz/run $(FUZZ)
bench: all tools ## print every figure beside its floor and its bar
	$(Q)tests/bench/run
bench-log: all tools ## print the log's figures beside Apache Kafka's
	$(Q)tests/bench/run-log

# Fuzz targets are compiled in one go with everything they may need, by clang with its sanitizers.
FUZZ_SRC := $(foreach d,core/base core/wire core/log core/cluster core/link core/stream core/server core/spu core/spu/group core/spu/txn core/spu/auth catalog transforms runner/envelope runner/restore runner/bridge runner,$(call SRC_OF,$(d))) \
  $(filter-out %/plugin.c,$(call SRC_OF,connectors/mysql)) $(wildcard tests/support/*.c)
build/fuzz/obj/%.o: %.c | $(GEN_H)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) -O1 -g $(BASEFLAGS) $(MYSQL_CFLAGS) -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all -c $< -o $@
build/fuzz/libfuzzed.a: $(FUZZ_SRC:%.c=build/fuzz/obj/%.o)
	$(Q)ar rcs $@.$$$$ $^ $(PUT)
build/fuzz/tests/fuzz/%: build/fuzz/obj/tests/fuzz/%.o build/fuzz/libfuzzed.a
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) -fsanitize=address,undefined,fuzzer -o $@.$$$$ $^ $(MYSQL_LIBS) $(KAFKA_LIBS) $(LIBS) $(PUT)

C_FILES = $(shell git ls-files -co --exclude-standard '*.c' '*.h')
tidy: $(GEN_H) ## clang-tidy over the sources
	$(Q)printf '%s\n' $(filter %.c,$(filter-out tests/%,$(C_FILES))) | xargs -P "$$(nproc)" -I{} $(call CLANG_TOOL,clang-tidy) --quiet {} -- $(BASEFLAGS) $(MYSQL_CFLAGS)
format: ## format the sources
	$(Q)$(call CLANG_TOOL,clang-format) -i $(C_FILES)
format-check: ## fail when a source is not formatted
	$(Q)$(call CLANG_TOOL,clang-format) --dry-run --Werror $(C_FILES)
style: $(GEN_H) ## sizes, banned calls, include directions
	$(Q)GEN=$(B)/gen tests/style/check.sh
coverage: ## line coverage of the unit tests
	$(Q)$(MAKE) SAN= LTO= B=build/coverage CFLAGS='-O0 -g --coverage' LDFLAGS=--coverage check && scripts/coverage build/coverage

install: all ## install into PREFIX (/usr/local)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/fluvio/connectors $(DESTDIR)$(PREFIX)/share/fluvio/transforms \
	  $(DESTDIR)$(PREFIX)/include/fluvio/fc $(DESTDIR)$(PREFIX)/include/fluvio/core/base
	install -m 755 $(RUNNER) $(SPU) $(CLI) $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(PLUGINS) $(DESTDIR)$(PREFIX)/lib/fluvio/connectors/
	install -m 644 transforms/*.lua $(DESTDIR)$(PREFIX)/share/fluvio/transforms/
	install -m 644 runner/include/fc/*.h $(DESTDIR)$(PREFIX)/include/fluvio/fc/
	install -m 644 core/base/error.h core/base/options.h core/base/slice.h $(DESTDIR)$(PREFIX)/include/fluvio/core/base/
uninstall: ## remove what install put there
	rm -rf $(DESTDIR)$(PREFIX)/bin/fluvio-connect $(DESTDIR)$(PREFIX)/bin/fluvio-spu $(DESTDIR)$(PREFIX)/bin/fluvio $(DESTDIR)$(PREFIX)/lib/fluvio $(DESTDIR)$(PREFIX)/share/fluvio $(DESTDIR)$(PREFIX)/include/fluvio
clean: ## remove build/
	rm -rf build
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

-include $(shell find build -name '*.d' 2>/dev/null)

# SPDX-License-Identifier: GPL-2.0-or-later
#
# make            build/nfq-ftp-helper, and build/nfq-ftp-helper-tools, which it becomes for replay, explain and top
# make test       scripts/test: installs what it needs, builds, runs every suite
# make test-vm    the part of it that runs on stock kernels in virtual machines
# make demo       scripts/demo
# make bench      tests/bench: engine and lab figures
# make format     all C sources as .clang-format says
# make install    uninstall, too: DESTDIR, PREFIX (or prefix), sbindir, mandir, unitdir and the others below are honoured; DESTDIR may be
#                 relative, and have blanks
# make dist       an archive of what is committed
#
# SANITIZE=1 builds with ASan and UBSan into build-sanitize/; FUZZER=1 by clang, for libFuzzer besides, into build-fuzz/.

CC ?= cc
ifdef FUZZER
CC := clang
CFLAGS ?= -O2 -g
endif
PKG_CONFIG ?= pkg-config
PREFIX ?= /usr/local
prefix ?= $(PREFIX)
sbindir ?= $(prefix)/sbin
# Where the program looks for its tools: command/tools.c.
libexecdir = $(dir $(patsubst %/,%,$(sbindir)))libexec
mandir ?= $(prefix)/share/man
sysconfdir ?= /etc
unitdir ?= $(prefix)/lib/systemd/system
sysusersdir ?= $(prefix)/lib/sysusers.d
tmpfilesdir ?= $(prefix)/lib/tmpfiles.d
bashcompletiondir ?= $(prefix)/share/bash-completion/completions
zshcompletiondir ?= $(prefix)/share/zsh/site-functions

BUILD ?= build$(if $(FUZZER),-fuzz,$(if $(SANITIZE),-sanitize))
# DKMS reads it there, and can read it nowhere else.
VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' kmod/dkms.conf)

CFLAGS ?= -O3 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
CPPFLAGS_ALL := -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -DSYSCONFDIR='"$(sysconfdir)"' -Infq-ftp-helper $(CPPFLAGS)
# Where it is built stands in no object, so that two builds are the same to the byte.
CFLAGS_ALL := -std=c11 $(WARN) -fno-strict-aliasing -ffile-prefix-map=$(CURDIR)=. -pthread $(CFLAGS)
ifdef SANITIZE
CFLAGS_ALL += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif
ifdef FUZZER
CFLAGS_ALL += -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
endif

LIBS_DAEMON = $(shell $(PKG_CONFIG) --libs libnetfilter_queue libmnl libnfnetlink inih jansson) -pthread
LIBS_TOOLS = $(LIBS_DAEMON) $(shell $(PKG_CONFIG) --libs libpcap ncurses)
# The daemon alone gives up system calls.
LIBS_SECCOMP = $(shell $(PKG_CONFIG) --libs libseccomp)
LIBS_CMOCKA = $(shell $(PKG_CONFIG) --libs cmocka)

# obj/: the program itself is build/nfq-ftp-helper, which would be its sources' folder.
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard $(1)/*.c))

# core's rooms, from below to above.
CORE_ROOMS := wire table engine dialogue stream session
CORE := $(foreach room,$(CORE_ROOMS),$(call objects,nfq-ftp-helper/core/$(room)))
# The kernel module's alone: the daemon does without.
PLAIN := $(call objects,nfq-ftp-helper/core/plain)

# A packet goes through many of core's files, and a call from one to the other costs more than most of them have to do for it. So in the
# daemon's program, and where that is measured, the linker puts core together as if it were one file (LTO, by gcc). That takes it seconds: all
# else is linked as ever, from the same objects.
LTO := $(if $(SANITIZE)$(FUZZER),,$(shell $(CC) -dM -E -x c /dev/null | grep -q __clang__ || echo -flto=auto))
# The assembler has to be told what the compiler calls this folder, which gcc does not tell it where an object is of both kinds.
FAT := $(LTO) -ffat-lto-objects -Wa,--debug-prefix-map=$(CURDIR)=.
$(CORE): CFLAGS_ALL += $(if $(LTO),$(FAT))
$(BUILD)/nfq-ftp-helper-tools $(foreach suite,unit sim dialogue fuzz,$(BUILD)/tests/$(suite)/%): private LDFLAGS += -fno-lto
$(BUILD)/nfq-ftp-helper $(BUILD)/tests/bench/engine: private LDFLAGS += $(LTO)

MODEL := $(call objects,nfq-ftp-helper/model)
# What is said to people, by everybody.
OUTPUT := $(call objects,nfq-ftp-helper/output)

# All others, from above to below. What needs more libraries is a program of its own, so that the daemon has no libpcap, and no ncurses.
ROOMS := command check asking settle ruleset daemon trial watch isolation host figures kernel output
PROGRAM := $(foreach room,$(ROOMS),$(call objects,nfq-ftp-helper/$(room))) $(patsubst %,$(BUILD)/obj/nfq-ftp-helper/%.o,explain/format model/nat) $(CORE)

# What reads options, and what it takes its words from.
OPTION_SOURCES := $(wildcard nfq-ftp-helper/command/option*.c nfq-ftp-helper/asking/question.c nfq-ftp-helper/daemon/options.c nfq-ftp-helper/explain/format.c nfq-ftp-helper/model/nat.c nfq-ftp-helper/ruleset/*.c \
	nfq-ftp-helper/host/*.c nfq-ftp-helper/kernel/*.c nfq-ftp-helper/output/*.c)
OPTION := $(OPTION_SOURCES:%.c=$(BUILD)/obj/%.o)

TOOLS_ROOMS := tools explain playback capture model
# It asks the daemon as others do.
ASKER := $(patsubst %,$(BUILD)/obj/nfq-ftp-helper/%.o,$(addprefix asking/,client hearing place tell tell_sessions tell_status) daemon/log daemon/logring)
TOOLS := $(sort $(ASKER) $(foreach room,$(TOOLS_ROOMS),$(call objects,nfq-ftp-helper/$(room))) \
	$(BUILD)/obj/nfq-ftp-helper/command/command.o $(OPTION) $(CORE))

.PHONY: all kmod tests test test-vm demo bench fuzz fuzz-targets format install install-dkms uninstall dist clean print-unit print-fuzz
all: $(BUILD)/nfq-ftp-helper $(BUILD)/nfq-ftp-helper-tools

$(BUILD)/nfq-ftp-helper: $(PROGRAM)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(LIBS_DAEMON) $(LIBS_SECCOMP)

$(BUILD)/nfq-ftp-helper-tools: $(TOOLS)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(LIBS_TOOLS)

# The units know where the program is, and two objects where its configuration is: made anew when that is another place, and only then, as
# `make install' may be another user's.
$(BUILD)/sbindir $(BUILD)/sysconfdir: $(BUILD)/%: FORCE
	@mkdir -p $(@D)
	@echo '$($*)' | cmp -s - $@ || echo '$($*)' >$@
FORCE:

$(patsubst %,$(BUILD)/obj/nfq-ftp-helper/command/%.o,option option_file): $(BUILD)/sysconfdir

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# Tests: every tests/unit/test_NAME.c is a program with core, the model and cmocka, and what it asks for besides; sim and bench
# are one program a folder. What suites have in common is in tests/common: packet_bytes is everybody's, the rest wants cmocka.
TESTS_COMMON := $(call objects,tests/common)
PACKET_BYTES := $(BUILD)/obj/tests/common/packet_bytes.o

comma := ,

$(BUILD)/obj/tests/%.o: CPPFLAGS_ALL += -Itests

UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))

$(BUILD)/tests/unit/%: $(BUILD)/obj/tests/unit/%.o $(TESTS_COMMON) $(MODEL) $(OUTPUT) $(PLAIN) $(CORE)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(LIBS_CMOCKA) $(LIBS_UNIT)

$(BUILD)/tests/unit/test_ctmessage: $(patsubst %,$(BUILD)/obj/nfq-ftp-helper/kernel/%.o,attributes ctmessage)
$(BUILD)/tests/unit/test_ctmessage: LIBS_UNIT = $(shell $(PKG_CONFIG) --libs libmnl)

$(BUILD)/tests/unit/test_log: $(patsubst %,$(BUILD)/obj/nfq-ftp-helper/daemon/%.o,log logring)

$(BUILD)/tests/unit/test_exchange: $(patsubst %,$(BUILD)/obj/nfq-ftp-helper/kernel/%.o,exchange netlink ctmessage attributes)
$(BUILD)/tests/unit/test_exchange: LIBS_UNIT = $(shell $(PKG_CONFIG) --libs libmnl) \
	$(patsubst %,-Wl$(comma)--wrap=%,mnl_socket_open2 writev recvmmsg recvmsg)

$(BUILD)/tests/unit/test_ctnetlink: $(filter-out %/nfqueue.o %/nfqueue_packet.o %/nfqueue_stat.o %/verdicts.o,$(call objects,nfq-ftp-helper/kernel))
$(BUILD)/tests/unit/test_ctnetlink: LIBS_UNIT = $(shell $(PKG_CONFIG) --libs libmnl) \
	$(patsubst %,-Wl$(comma)--wrap=%,mnl_socket_open2 writev recvmmsg recvmsg clock_gettime)

$(BUILD)/tests/unit/test_cthelper: $(patsubst %,$(BUILD)/obj/nfq-ftp-helper/kernel/%.o,cthelper exchange netlink ctmessage attributes)
$(BUILD)/tests/unit/test_cthelper: LIBS_UNIT = $(shell $(PKG_CONFIG) --libs libmnl) $(patsubst %,-Wl$(comma)--wrap=%,exchange_run_one exchange_walk fopen)

$(BUILD)/tests/unit/test_nfqueue_stat: $(BUILD)/obj/nfq-ftp-helper/kernel/nfqueue_stat.o

$(BUILD)/tests/unit/test_nfqueue_packet: $(patsubst %,$(BUILD)/obj/nfq-ftp-helper/kernel/%.o,nfqueue_packet attributes ctmessage)
$(BUILD)/tests/unit/test_nfqueue_packet: LIBS_UNIT = $(shell $(PKG_CONFIG) --libs libnetfilter_queue libmnl)

$(BUILD)/tests/unit/test_verdicts: $(patsubst %,$(BUILD)/obj/nfq-ftp-helper/kernel/%.o,verdicts netlink)
$(BUILD)/tests/unit/test_verdicts: LIBS_UNIT = $(shell $(PKG_CONFIG) --libs libnetfilter_queue libmnl) -Wl,--wrap=writev

HOST := $(call objects,nfq-ftp-helper/host) $(call objects,nfq-ftp-helper/kernel)

$(BUILD)/tests/unit/test_host: $(BUILD)/obj/nfq-ftp-helper/command/command.o $(HOST)
$(BUILD)/tests/unit/test_host: LIBS_UNIT = $(LIBS_DAEMON)

$(BUILD)/tests/unit/test_place: $(BUILD)/obj/nfq-ftp-helper/asking/place.o $(patsubst %,$(BUILD)/obj/nfq-ftp-helper/daemon/%.o,log logring)
$(BUILD)/tests/unit/test_hearing: $(BUILD)/obj/nfq-ftp-helper/asking/hearing.o
# The programs that list rules are the test's own.
$(BUILD)/tests/unit/test_findings: $(call objects,nfq-ftp-helper/ruleset) $(HOST)
$(BUILD)/tests/unit/test_findings: LIBS_UNIT = $(LIBS_DAEMON) $(patsubst %,-Wl$(comma)--wrap=%,program_run module_is_loaded)

$(BUILD)/tests/unit/test_settle: $(BUILD)/obj/nfq-ftp-helper/settle/settle.o $(BUILD)/obj/nfq-ftp-helper/trial/probe.o $(call objects,nfq-ftp-helper/ruleset) $(HOST)
$(BUILD)/tests/unit/test_settle: LIBS_UNIT = $(LIBS_DAEMON) $(patsubst %,-Wl$(comma)--wrap=%,program_run module_is_loaded helper_offered helper_look \
	probes_run probes_changed_are_dropped route_rules_read)

$(BUILD)/tests/unit/test_notify: $(BUILD)/obj/nfq-ftp-helper/host/notify.o

$(BUILD)/tests/unit/test_calls: $(patsubst %,$(BUILD)/obj/nfq-ftp-helper/%.o,isolation/calls isolation/landlock daemon/interfaces kernel/netlink host/notify)
$(BUILD)/tests/unit/test_calls: LIBS_UNIT = $(LIBS_DAEMON) $(LIBS_SECCOMP)

$(BUILD)/tests/unit/test_takeover: $(patsubst %,$(BUILD)/obj/nfq-ftp-helper/daemon/%.o,guard state statefile log logring) \
	$(patsubst %,$(BUILD)/obj/nfq-ftp-helper/host/%.o,error queue_range)

FIGURES := $(call objects,nfq-ftp-helper/figures)

$(BUILD)/tests/unit/test_say: $(BUILD)/obj/nfq-ftp-helper/check/report.o

$(BUILD)/tests/unit/test_worker: $(patsubst %,$(BUILD)/obj/nfq-ftp-helper/daemon/%.o,worker notices orders reporter throttle interfaces \
	state statefile options settings log logring) $(FIGURES) $(filter-out %/nfqueue.o,$(HOST))
$(BUILD)/tests/unit/test_worker: LIBS_UNIT = $(LIBS_DAEMON) $(patsubst %,-Wl$(comma)--wrap=%,ctnetlink_open ctnetlink_close ctnetlink_flush)

$(BUILD)/tests/unit/test_option: $(OPTION)
$(BUILD)/tests/unit/test_option: LIBS_UNIT = $(LIBS_DAEMON)

$(BUILD)/tests/unit/test_config: $(OPTION) $(BUILD)/obj/nfq-ftp-helper/command/reload.o \
	$(patsubst %,$(BUILD)/obj/nfq-ftp-helper/%.o,daemon/settings daemon/log daemon/logring figures/snapshot)
$(BUILD)/tests/unit/test_config: LIBS_UNIT = $(LIBS_DAEMON)

$(BUILD)/tests/unit/test_oneway: $(patsubst %,$(BUILD)/obj/nfq-ftp-helper/daemon/%.o,reporter throttle interfaces log logring) $(HOST)
$(BUILD)/tests/unit/test_oneway: LIBS_UNIT = $(LIBS_DAEMON)

$(BUILD)/tests/unit/test_asking: $(call objects,nfq-ftp-helper/asking) $(FIGURES) $(BUILD)/obj/nfq-ftp-helper/watch/standing.o \
	$(patsubst %,$(BUILD)/obj/nfq-ftp-helper/daemon/%.o,reporter throttle interfaces options log logring) $(HOST)
$(BUILD)/tests/unit/test_asking: LIBS_UNIT = $(LIBS_DAEMON) -Wl,--wrap=clock_gettime

$(BUILD)/tests/unit/test_reporter: $(patsubst %,$(BUILD)/obj/nfq-ftp-helper/daemon/%.o,reporter throttle interfaces log logring) $(HOST)
$(BUILD)/tests/unit/test_reporter: LIBS_UNIT = $(LIBS_DAEMON) -Wl,--wrap=nlif_catch

$(BUILD)/tests/unit/test_guard: $(patsubst %,$(BUILD)/obj/nfq-ftp-helper/daemon/%.o,guard log logring) \
	$(BUILD)/obj/nfq-ftp-helper/host/error.o

$(BUILD)/tests/unit/test_rulekeeper: $(patsubst %,$(BUILD)/obj/nfq-ftp-helper/%.o,isolation/rulekeeper isolation/child isolation/capabilities host/rights)

watch_objects = $(patsubst %,$(BUILD)/obj/nfq-ftp-helper/watch/%.o,$(1))

$(BUILD)/tests/unit/test_course: $(call watch_objects,judge course standing)

$(BUILD)/tests/unit/test_standing: $(call watch_objects,standing target nft_rule nft_ruleset xt_table) $(BUILD)/obj/nfq-ftp-helper/kernel/attributes.o
$(BUILD)/tests/unit/test_standing: LIBS_UNIT = $(shell $(PKG_CONFIG) --libs libmnl)

$(BUILD)/tests/unit/test_capture: $(call objects,nfq-ftp-helper/capture)
$(BUILD)/tests/unit/test_capture: LIBS_UNIT = $(shell $(PKG_CONFIG) --libs libpcap)

$(BUILD)/tests/unit/test_explain: $(call objects,nfq-ftp-helper/explain) $(call objects,nfq-ftp-helper/playback) $(call objects,nfq-ftp-helper/capture)
$(BUILD)/tests/unit/test_explain: LIBS_UNIT = $(shell $(PKG_CONFIG) --libs libpcap)

$(BUILD)/tests/unit/test_statefile: $(patsubst %,$(BUILD)/obj/nfq-ftp-helper/daemon/%.o,state statefile log logring) \
	$(BUILD)/obj/nfq-ftp-helper/host/queue_range.o
$(BUILD)/tests/unit/test_statefile: LIBS_UNIT = -Wl,--wrap=fstatvfs

$(BUILD)/tests/sim/sim: $(call objects,tests/sim) $(PACKET_BYTES) $(MODEL) $(CORE)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^

$(BUILD)/tests/dialogue/dialogue: $(call objects,tests/dialogue) $(PACKET_BYTES) $(MODEL) $(CORE)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^

# The benchmarks: three programs in one folder.
bench_objects = $(patsubst %,$(BUILD)/obj/tests/bench/%.o,$(1))

$(BUILD)/tests/bench/engine: $(call bench_objects,engine dialogues captures scale stage traffic measure) $(PACKET_BYTES) $(MODEL) $(CORE)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(shell $(PKG_CONFIG) --libs libpcap)

$(BUILD)/tests/bench/load: $(call bench_objects,load load_server load_client) $(BUILD)/obj/nfq-ftp-helper/core/wire/endpoint.o $(BUILD)/obj/nfq-ftp-helper/core/wire/text.o
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^

$(BUILD)/tests/bench/accept-all: $(BUILD)/obj/tests/bench/accept-all.o
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(shell $(PKG_CONFIG) --libs libnetfilter_queue libmnl)

# For tests/lab: a kernel short of memory, as a library to be loaded before the program's own.
$(BUILD)/tests/lab/nomemory.so: tests/lab/nomemory.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS) -fPIC -shared -o $@ $< -ldl

# A kernel that drops what is changed: a library likewise.
$(BUILD)/tests/lab/unchanged.so: tests/lab/unchanged.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS) -fPIC -shared -o $@ $< -ldl

# Calls that nobody who works makes, to see what stops them: a library likewise.
$(BUILD)/tests/lab/planted.so: tests/lab/planted.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS) -fPIC -shared -o $@ $< -ldl

# And what attacks there, a program a file.
LAB := $(patsubst %,$(BUILD)/tests/lab/%,flood hostile)

$(LAB): $(BUILD)/tests/lab/%: $(BUILD)/obj/tests/lab/%.o $(PACKET_BYTES)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^

tests: $(UNIT) $(LAB) $(patsubst %,$(BUILD)/tests/lab/%,nomemory.so planted.so unchanged.so) $(BUILD)/tests/sim/sim $(BUILD)/tests/dialogue/dialogue $(patsubst %,$(BUILD)/tests/bench/%,engine load accept-all)

# For scripts/test and tests/fuzz.
print-unit:
	@echo $(UNIT)
print-fuzz:
	@echo $(FUZZ)

# tests/fuzz/test_NAME.c is a target with core, the model, and what it asks for besides: with FUZZER=1 for libFuzzer, which tests/fuzz/run starts
# (make fuzz SECONDS=30); and without it, to run the corpus again, by any compiler.
SECONDS ?= 30
FUZZ := $(patsubst tests/fuzz/test_%.c,%,$(wildcard tests/fuzz/test_*.c))
FUZZ_TARGETS := $(patsubst %,$(BUILD)/tests/fuzz/test_%,$(FUZZ))
fuzz_targets = $(addprefix $(BUILD)/tests/fuzz/test_,$(1))
wrapped = $(patsubst %,-Wl$(comma)--wrap=%,$(1))
# What has its home in tests/fuzz/large.h, file.h and described.h.
LARGE := malloc calloc realloc free
IN_MEMORY := fopen fdopen fileno open close dup fstat stat lseek pread
DESCRIBED := table_layout_describe table_layout_is_own

$(call fuzz_targets,capture frame pcapng): $(call objects,nfq-ftp-helper/capture)
$(call fuzz_targets,capture frame pcapng): LIBS_FUZZ = $(shell $(PKG_CONFIG) --libs libpcap)
$(call fuzz_targets,capture): LIBS_FUZZ += $(call wrapped,$(LARGE) $(IN_MEMORY) whole_begin whole_end)
$(call fuzz_targets,option): $(OPTION)
$(call fuzz_targets,option): LIBS_FUZZ = $(LIBS_DAEMON) $(call wrapped,$(IN_MEMORY))
$(call fuzz_targets,explain): $(call objects,nfq-ftp-helper/explain)
$(call fuzz_targets,play): $(foreach room,explain playback capture,$(call objects,nfq-ftp-helper/$(room)))
$(call fuzz_targets,play): LIBS_FUZZ = $(shell $(PKG_CONFIG) --libs libpcap) $(call wrapped,$(LARGE) $(IN_MEMORY) $(DESCRIBED) mmap munmap table_open)
$(call fuzz_targets,asking): $(patsubst %,$(BUILD)/obj/nfq-ftp-helper/%.o,$(addprefix asking/,question client tell tell_status tell_sessions tell_metrics tell_follow))
$(call fuzz_targets,asking): LIBS_FUZZ = $(shell $(PKG_CONFIG) --libs jansson)
$(call fuzz_targets,message): $(patsubst %,$(BUILD)/obj/nfq-ftp-helper/kernel/%.o,nfqueue_packet ctmessage attributes)
$(call fuzz_targets,message): LIBS_FUZZ = $(shell $(PKG_CONFIG) --libs libnetfilter_queue libmnl)
$(call fuzz_targets,standing): $(call watch_objects,standing target nft_rule nft_ruleset xt_table) $(BUILD)/obj/nfq-ftp-helper/kernel/attributes.o
$(call fuzz_targets,standing): LIBS_FUZZ = $(shell $(PKG_CONFIG) --libs libmnl)
$(call fuzz_targets,session table): LIBS_FUZZ = $(call wrapped,$(DESCRIBED))
$(call fuzz_targets,rules): $(call objects,nfq-ftp-helper/ruleset) $(HOST)
$(call fuzz_targets,rules): LIBS_FUZZ = $(LIBS_DAEMON) $(call wrapped,program_run module_is_loaded attach_adopt_module helper_look sysctl_number route_rules_read)

# Which comparisons are noted, tests/fuzz/noted.c says, which is not looked at itself.
NOTED := LLVMFuzzerTestOneInput $(patsubst %,__sanitizer_cov_trace_%,cmp1 cmp2 cmp4 cmp8 const_cmp1 const_cmp2 const_cmp4 const_cmp8 switch) \
	$(patsubst %,__sanitizer_weak_hook_%,strcmp strcasecmp strstr strcasestr memcmp strncmp strncasecmp)
$(BUILD)/obj/tests/fuzz/noted.o: CFLAGS_ALL += -fno-sanitize=all
# These rooms deal with texts, whose comparisons ASan tells of; of their numbers nobody need be told, who would be told of each letter.
ifdef FUZZER
$(foreach room,command ruleset explain output,$(call objects,nfq-ftp-helper/$(room))): CFLAGS_ALL += -fno-sanitize-coverage=trace-cmp
endif

$(FUZZ_TARGETS): $(BUILD)/tests/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/obj/tests/fuzz/$(if $(FUZZER),noted,replay).o $(PACKET_BYTES) $(MODEL) $(OUTPUT) $(PLAIN) $(CORE)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(if $(FUZZER),-fsanitize=fuzzer $(call wrapped,$(NOTED))) $(LDFLAGS) -o $@ $^ $(LIBS_FUZZ)

fuzz-targets: $(FUZZ_TARGETS)

fuzz:
	tests/fuzz/run $(SECONDS)

# The kernel module, built in a copy of its sources, as DKMS does. make kmod KDIR=/usr/src/linux-headers-... [TOOLCHAIN=COMMAND]
# A command that runs others with the tools that KDIR asks for: tests/vm/toolchain. None: this machine's.
TOOLCHAIN ?=
KDIR ?= /lib/modules/$(shell uname -r)/build
KMOD := $(BUILD)/kmod/$(notdir $(realpath $(KDIR)))
KMOD_OWN := $(wildcard kmod/*.[ch]) $(patsubst %,kmod/%,Kbuild Makefile README dkms.conf probe)
KMOD_CORE := $(patsubst %,nfq-ftp-helper/core/wire/%,scan.c scan.h scan_lines.c scan_lines.h scan_own.c scan_own.h scan_state.h belief.c belief.h pairing.c pairing.h ftp.c ftp.h ftp_word.c ftp_word.h bytes.h proxy.c proxy.h \
	direction.h endpoint.c endpoint.h text.c text.h tuple.h seqadj.h types.h)
KMOD_PLAIN := $(patsubst %,nfq-ftp-helper/core/plain/%,plain.c plain.h pace.c pace.h lease.h part.h place.h)

kmod:
	@mkdir -p $(KMOD)/core/wire $(KMOD)/core/plain
	cp -pu $(KMOD_OWN) $(KMOD)/
	cp -pu $(KMOD_CORE) $(KMOD)/core/wire/
	cp -pu $(KMOD_PLAIN) $(KMOD)/core/plain/
	$(TOOLCHAIN) $(MAKE) -C $(KMOD) KDIR=$(abspath $(KDIR)) modules

# All sources as .clang-format says.
format:
	git ls-files -z '*.c' '*.h' | xargs -0 clang-format -i

test:
	scripts/test
# On stock kernels in virtual machines, which takes some minutes.
test-vm: $(BUILD)/nfq-ftp-helper
	tests/vm/test_vm.py
demo:
	scripts/demo
bench:
	scripts/bench

# What is installed, a line each: mode, file, place. `uninstall' takes away the same, and no folder: others may have something in them.
COMPLETION := $(BUILD)/completion/nfq-ftp-helper $(BUILD)/completion/_nfq-ftp-helper
define INSTALLED
755 $(BUILD)/nfq-ftp-helper $(sbindir)/nfq-ftp-helper
755 $(BUILD)/nfq-ftp-helper-tools $(libexecdir)/nfq-ftp-helper-tools
644 doc/nfq-ftp-helper.8 $(mandir)/man8/nfq-ftp-helper.8
644 doc/nfq-ftp-helper.conf.5 $(mandir)/man5/nfq-ftp-helper.conf.5
644 doc/nfq-ftp-helper-replay.1 $(mandir)/man1/nfq-ftp-helper-replay.1
644 $(BUILD)/systemd/nfq-ftp-helper.service $(unitdir)/nfq-ftp-helper.service
644 $(BUILD)/systemd/nfq-ftp-helper-rules.service $(unitdir)/nfq-ftp-helper-rules.service
644 systemd/sysusers.conf $(sysusersdir)/nfq-ftp-helper.conf
644 systemd/tmpfiles.conf $(tmpfilesdir)/nfq-ftp-helper.conf
644 $(BUILD)/completion/nfq-ftp-helper $(bashcompletiondir)/nfq-ftp-helper
644 $(BUILD)/completion/_nfq-ftp-helper $(zshcompletiondir)/_nfq-ftp-helper
endef
# The shell has them as they are, blanks and quotes in them too.
export INSTALLED DESTDIR CONFIGURATION DKMS DIST
export PLACE_OF_PROGRAM := $(sbindir)
export PLACE_OF_CONFIGURATION := $(sysconfdir)

$(BUILD)/completion/nfq-ftp-helper: $(BUILD)/nfq-ftp-helper
	@mkdir -p $(@D)
	$< completion bash >$@
$(BUILD)/completion/_nfq-ftp-helper: $(BUILD)/nfq-ftp-helper
	@mkdir -p $(@D)
	$< completion zsh >$@

UNITS := $(patsubst %,$(BUILD)/systemd/%.service,nfq-ftp-helper nfq-ftp-helper-rules)
$(BUILD)/systemd/%.service: systemd/%.service.in $(BUILD)/sbindir
	@mkdir -p $(@D)
	sed 's,@sbindir@,$(sbindir),' $< >$@

# Nobody's work is written over, or taken away.
CONFIGURATION := $(DESTDIR)$(sysconfdir)/nfq-ftp-helper.conf

# Units name the program, as a word of a command line; and the program names its configuration, wherever it is started.
.PHONY: places
places:
	@case "$$PLACE_OF_PROGRAM" in ""|[!/]*|*[!A-Za-z0-9/._+@=:~-]*) echo "PREFIX, or sbindir, makes it \`$$PLACE_OF_PROGRAM': units" \
		"name it, so it must be an absolute path of letters, digits and /._+@=:~-; DESTDIR may be any" >&2; exit 1; esac
	@case "$$PLACE_OF_CONFIGURATION" in ""|[!/]*) echo "sysconfdir is \`$$PLACE_OF_CONFIGURATION': it must be an absolute path; DESTDIR" \
		"may be any" >&2; exit 1; esac

install: places all $(COMPLETION) $(UNITS)
	@echo "$$INSTALLED" | while read -r mode file place; do \
		install -D -m "$$mode" "$$file" "$$DESTDIR$$place" || exit 1; \
	done
	@[ -e "$$CONFIGURATION" ] || [ -L "$$CONFIGURATION" ] || install -D -m 644 doc/examples/nfq-ftp-helper.conf "$$CONFIGURATION"

# The kernel module's sources, for DKMS.
DKMS := $(DESTDIR)$(prefix)/src/nfq-ftp-helper-$(VERSION)
install-dkms:
	install -d "$$DKMS/core/wire" "$$DKMS/core/plain"
	install -m 644 $(KMOD_OWN) "$$DKMS/"
	install -m 644 $(KMOD_CORE) "$$DKMS/core/wire/"
	install -m 644 $(KMOD_PLAIN) "$$DKMS/core/plain/"

uninstall:
	@echo "$$INSTALLED" | while read -r mode file place; do rm -f "$$DESTDIR$$place"; done
	@! cmp -s doc/examples/nfq-ftp-helper.conf "$$CONFIGURATION" || rm -f "$$CONFIGURATION"

# What is committed, as an archive that is the same wherever and whenever it is made.
DIST ?= .
dist:
	@mkdir -p "$$DIST"
	git archive --format=tar --prefix=nfq-ftp-helper-$(VERSION)/ --output="$$DIST/nfq-ftp-helper-$(VERSION).tar" HEAD || \
		{ rm -f "$$DIST/nfq-ftp-helper-$(VERSION).tar"; exit 1; }
	gzip -9nf "$$DIST/nfq-ftp-helper-$(VERSION).tar"

clean:
	rm -rf build build-sanitize build-fuzz

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

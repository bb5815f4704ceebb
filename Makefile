# assay: build, test, install. `make help` lists what there is to say.
#
# Layers of flags: what the code needs, then warnings, then the mode (SANITIZE=), then yours
# (CFLAGS=, LDFLAGS=), which come last and win.

CC      ?= gcc
PREFIX  ?= /usr/local
DESTDIR ?=
VERSION := 0.1.0
B       ?= build

PACKAGES := openssl libsodium libunbound libevent libidn2 libpsl liburcu-qsbr liburcu-cds
PKGFLAGS  = $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
LIBS      = $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lpthread
TESTLIBS  = $(shell pkg-config --libs criterion jansson yaml-0.1 2>/dev/null)

WARNINGS := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 \
            -Wcast-qual -Wvla -Wpointer-arith -Wundef -Wwrite-strings -Wswitch-enum
ifeq ($(findstring clang,$(CC)),)
WARNINGS += -Wlogical-op -Wduplicated-branches -Wduplicated-cond
endif
ifdef CI
WERROR := 1
endif
ifdef WERROR
WARNINGS += -Werror
endif

comma := ,
MODE := -O2 -g -fstack-protector-strong
ifdef SANITIZE
B    := build/$(subst $(comma),-,$(SANITIZE))
MODE := -O1 -g -fno-omit-frame-pointer -fsanitize=$(SANITIZE) -fno-sanitize-recover=all
LDMODE := -fsanitize=$(SANITIZE)
else
FRAMES := -Wframe-larger-than=8192
# What is shipped is optimized as a whole (gcc): judging a message is many short functions in many files. Objects
# have code of their own besides, which tests link. LTO= leaves it out: links take seconds less.
ifeq ($(findstring clang,$(CC)),)
LTO ?= -flto=auto
JOINED := -Wframe-larger-than=16384 # what is inlined across files shares a frame
endif
# gcc clears and copies structs with "rep stos" and "rep movs", which take 10 ns before they get going (Zen 4; 280
# octets: 12 ns, by a call of memset 5). clang does not, and does not know the options.
STRINGS := -mmemset-strategy=libcall:-1:noalign -mmemcpy-strategy=libcall:-1:noalign
MODE += $(shell $(CC) $(STRINGS) -E -x c /dev/null >/dev/null 2>&1 && echo $(STRINGS))
# Order and choice of instructions as for Skylake; all of them run on every x86-64. Zen 4 likes it better than gcc's
# generic choice and than that for Zen 2 and 3 (10 KB messages: 7.43 us, 7.54, 7.58 and 7.57).
TUNE := $(if $(findstring clang,$(CC)),,$(if $(findstring x86_64,$(shell $(CC) -dumpmachine)),-mtune=skylake))
MODE += $(TUNE)
endif
ifneq ($(findstring clang,$(CC)),)
B := $(B)$(if $(SANITIZE),-,/)clang
endif

NEEDS = -std=gnu11 -D_GNU_SOURCE -D_LGPL_SOURCE -DASSAY_VERSION='"$(VERSION)"' -Iengine -I. -Itests -fPIC \
        -fvisibility=hidden $(PKGFLAGS)
COMPILE = $(CC) $(NEEDS) $(WARNINGS) $(MODE) $(LTO:%=% -ffat-lto-objects) $(ISA) $(CPPFLAGS) $(CFLAGS) -MMD -MP
LINK    = $(CC) $(MODE) $(LTO:%=-fno-lto) $(LDMODE) $(LDFLAGS)
SHIP    = $(CC) $(MODE) $(LTO) $(if $(LTO),$(JOINED) $(filter -Werror,$(WARNINGS))) $(LDMODE) $(LDFLAGS)
# One object whose hidden symbols are local: $(call ONE_OBJECT,OUT,OBJECTS)
ONE_OBJECT = $(SHIP) -r -nostdlib $(LTO:%=-flinker-output=nolto-rel) -o $1 $2 && objcopy --localize-hidden $1

FRONT   := $(wildcard engine/front/*.c)
ENGINE  := $(filter-out $(FRONT),$(wildcard engine/*.c engine/*/*.c engine/simd/*/*.c cache/*.c))
SUPPORT := $(wildcard tests/support/*.c)
SUITES  := $(patsubst tests/%/,%,$(filter-out tests/support/ tests/fuzz/ tests/stress/ tests/diff/,$(wildcard tests/*/)))
TOOL    := $(wildcard tools/assay/*.c)
DAEMON  := $(wildcard tools/assayd/*.c)
CLIENT  := $(wildcard client/*.c)
BENCHES := $(filter-out bench/assay_bench.c,$(wildcard bench/*_bench.c))
STRESS  := $(wildcard tests/stress/*.c)

ENGINE_OBJECTS  := $(ENGINE:%.c=$B/%.o)
FRONT_OBJECTS   := $(FRONT:%.c=$B/%.o)
SUPPORT_OBJECTS := $(SUPPORT:%.c=$B/%.o)
TOOL_OBJECTS    := $(TOOL:%.c=$B/%.o)
DAEMON_OBJECTS  := $(DAEMON:%.c=$B/%.o)
CLIENT_OBJECTS  := $(CLIENT:%.c=$B/%.o)
TESTS  := $(SUITES:%=$B/tests/%.test)
SCRIPTS := tests/attack-rows tests/diff/run
DIFFS  := $B/diff-signer $B/diff-spf $B/diff-dmarc $B/diff-rsa
FUZZ   := $(wildcard tests/fuzz/*.c)
# What fuzz targets share, parts of the suites among it.
FUZZ_SHARED := $(wildcard tests/fuzz/support/*.c) tests/verdict/reader.c tests/verdict/sample.c \
               tests/mail/canon_reference.c $(wildcard tools/assay/capsule*.c)
BENCH  := $(BENCHES:bench/%.c=$B/bench/%)
STRESSES := $(STRESS:tests/stress/%.c=$B/stress/%) $B/stress/cache_no_grace_control \
            $B/stress/pool_quiescent_control
V ?= 0
JOBS ?= $(shell nproc)
Q := $(if $(filter 1,$V),,@)

.DEFAULT_GOAL := all
.SECONDARY: # keep what is made on the way; its removal would be the last thing a run prints
.PHONY: all help run samples test tests test-kernels diff fuzz fuzzers stress bench install clean deps settings format

# Completion scripts, written by the tool from its own tables.
COMPLETIONS := $B/completion/bash $B/completion/zsh $B/completion/fish

all: $(COMPLETIONS) $B/libassay.a $B/libassay.so $B/libassay-client.a $B/libassay-client.so $(if $(TOOL),$B/assay) $B/assayd

help:
	@sed -n 's/^#: //p' Makefile
#: make                    build the libraries (static, shared), assay and assayd into build/
#: make run                install what is missing, build, judge the sample messages through assayd
#: make test               install what is missing, build, run all tests ("N passed, N failed")
#: make tests              build and run all tests, install nothing
#: make test-NAME          build and run one suite of tests/, e.g. make test-spf
#: make test-kernels       all suites with ASSAY_KERNEL=scalar and =avx2
#: make diff               compare verdicts with other people's verifiers; DIFF_CASES=3000 SEED=1
#: make fuzz               build the fuzzers with clang, run each FUZZ_SECONDS=10
#: make stress             build and run the stress programs; also with SANITIZE=thread
#: make bench              build and run the benchmarks
#: make samples            make the sample messages and their zone anew
#: make install            PREFIX=/usr/local DESTDIR=
#: make settings           print compiler, flags and file lists
#: make clean              remove build/
#:
#: CC=clang                another compiler (its own build folder)
#: SANITIZE=address,undefined   sanitizers (their own build folder)
#: LTO=                    without optimizing across files (gcc): links are faster
#: WERROR=1                warnings are errors (CI sets it)
#: CFLAGS= LDFLAGS= V=1    yours come last; V=1 shows the commands

deps:
	@tools/deps

settings:
	@echo "CC       $(CC)"; echo "compile  $(COMPILE)"; echo "link     $(LINK)"; echo "libs     $(LIBS)"
	@echo "suites   $(SUITES)"; echo "build    $B"

# Frames are bounded where mail is handled (security.md L13); tests may keep large tables in theirs.
$B/tests/%.o $B/tools/samples/%.o: FRAMES :=
$B/tests/%.o: LTO :=
# What runs for every message is many short functions: more of them inlined cost 10 KB messages 1 % less.
$(foreach folder,base mail dkim spf dmarc arc dns crypto run,$B/engine/$(folder)/%.o) $B/engine/message.o: ISA := -O3
# Masks of 64 octets are loops over registers: all of them unrolled.
$B/engine/simd/scalar/%.o $B/engine/simd/neon/%.o: ISA := -O3
# Kernels are compiled for their instruction set; whoever calls them has asked the processor
# (engine/simd/kernel.c). Nothing else may use these flags.
ifneq ($(findstring x86_64,$(shell $(CC) -dumpmachine)),)
$B/engine/simd/sse/%.o:    ISA := -O3 -mssse3 -msse4.2 -mpopcnt
$B/engine/simd/avx2/%.o:   ISA := -O3 -mavx2 -mbmi -mbmi2 -mlzcnt -mpopcnt
$B/engine/simd/avx512/%.o: ISA := -O3 -mavx2 -mbmi -mbmi2 -mlzcnt -mpopcnt -mavx512f -mavx512bw -mavx512dq \
                                 -mavx512vl -mavx512vbmi -mavx512vbmi2
# (Debugging places of variables in the unrolled loops: most of the time that compiling takes. The frame pointer and
# the tuning: as when the 10^8 differential cases ran, whose machine code this is; and for the same reason no LTO below.)
LANES := -fno-omit-frame-pointer $(TUNE:%=-mtune=generic) $(if $(findstring clang,$(CC)),,-fno-var-tracking)
$B/engine/crypto/rsa_ifma%.o: ISA := $(LANES) -mavx512f -mavx512vl -mavx512dq -mavx512bw -mavx512vbmi -mavx512ifma -mbmi2
$B/engine/crypto/rsa_avx2.o: ISA := $(LANES) -mavx2 -mbmi2
# What tests and differential cases ran on is what ships.
$B/engine/crypto/rsa_ifma%.o $B/engine/crypto/rsa_avx2.o: LTO :=
endif
$B/%.o: %.c
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC    $<")
	$Q$(COMPILE) $(FRAMES) -c $< -o $@

# The static library is one object whose hidden symbols are local: only assay_* can clash with a caller's.
$B/libassay.a: $(ENGINE_OBJECTS)
	$(if $(Q),@echo "  AR    $@")
	$Q$(call ONE_OBJECT,$B/libassay.o,$^) && rm -f $@ && ar rcs $@ $B/libassay.o

$B/libassay.so: $(ENGINE_OBJECTS)
	$(if $(Q),@echo "  LD    $@")
	$Q$(SHIP) -shared -Wl,-soname,libassay.so.0 -Wl,-z,relro,-z,now -o $@ $^ $(LIBS)

# The client library knows nothing of the engine and needs libc alone.
$B/libassay-client.a: $(CLIENT_OBJECTS)
	$(if $(Q),@echo "  AR    $@")
	$Q$(call ONE_OBJECT,$B/libassay-client.o,$^) && rm -f $@ && ar rcs $@ $B/libassay-client.o

$B/libassay-client.so: $(CLIENT_OBJECTS)
	$(if $(Q),@echo "  LD    $@")
	$Q$(SHIP) -shared -Wl,-soname,libassay-client.so.0 -Wl,-z,relro,-z,now -o $@ $^

# What test programs and benches link: they take only the objects they use.
$B/engine.a: $(ENGINE_OBJECTS) $(FRONT_OBJECTS) $(CLIENT_OBJECTS)
	$(if $(Q),@echo "  AR    $@")
	$Qrm -f $@ && ar rcs $@ $^

$B/assay: $(TOOL_OBJECTS) $(ENGINE_OBJECTS) $(CLIENT_OBJECTS)
	$(if $(Q),@echo "  LD    $@")
	$Q$(SHIP) -o $@ $^ $(LIBS) $(shell pkg-config --libs jansson 2>/dev/null)

# The daemon with kernels that say of every signature that it matches: it must be caught.
$B/rsa_batch_fault.o: engine/crypto/rsa_batch.c
	$(if $(Q),@echo "  CC    $< (every signature matches)")
	$Q$(COMPILE) -DRSA_KERNEL_FAULT -c $< -o $@

$B/assayd-kernel-fault: $(DAEMON_OBJECTS) $(FRONT_OBJECTS) $(filter-out %/rsa_batch.o,$(ENGINE_OBJECTS)) $B/rsa_batch_fault.o
	$(if $(Q),@echo "  LD    $@")
	$Q$(LINK) -o $@ $^ $(LIBS) $(shell pkg-config --libs jansson libconfuse 2>/dev/null)

$B/completion/%: $B/assay
	@mkdir -p $(@D)
	$(if $(Q),@echo "  GEN   $@")
	$Q$B/assay completion $* >$@.new && mv $@.new $@

# Parts of the tool that tests look at alone; main.o stays out.
$B/tool.a: $(filter-out $B/tools/assay/main.o,$(TOOL_OBJECTS))
	$(if $(Q),@echo "  AR    $@")
	$Qrm -f $@ && ar rcs $@ $^

$B/assayd: $(DAEMON_OBJECTS) $(FRONT_OBJECTS) $(ENGINE_OBJECTS)
	$(if $(Q),@echo "  LD    $@")
	$Q$(SHIP) -o $@ $^ $(LIBS) $(shell pkg-config --libs jansson libconfuse 2>/dev/null)

# One test program per folder of tests/, with parts of other programs and suites where it needs them.
PARTS_client     := $(addprefix bench/,load_run.c load_mail.c bench.c draw.c mail_text.c)
PARTS_explain    := tests/dkim/signing.c
PARTS_crypto     := tests/diff/rsa_cases.c
PARTS_e2e        := tests/dkim/signing.c tests/arc/chain_build.c
PARTS_replay     := tests/client/samples.c
PARTS_simd       := tests/mail/canon_reference.c
PARTS_fuzzreplay := $(FUZZ) $(FUZZ_SHARED)
define SUITE
$B/tests/$(1).test: $(patsubst %.c,$B/%.o,$(wildcard tests/$(1)/*.c) $(PARTS_$(1))) \
    $(SUPPORT_OBJECTS) $B/tool.a $B/engine.a
	$$(if $$(Q),@echo "  LD    $$@")
	$$Q$$(LINK) -o $$@ $$^ $$(LIBS) $$(TESTLIBS) -lm
endef
$(foreach suite,$(SUITES),$(eval $(call SUITE,$(suite))))

# The suite of engine/simd for ARM64, where there is a compiler for it; tests/simd/arm_test.c runs it.
ARM64_CC     := aarch64-linux-gnu-gcc
ARM64_SOURCE := $(filter-out tests/simd/arm_test.c tests/simd/kernel_test.c,$(wildcard tests/simd/*.c)) \
                tests/simd/stub/main.c tests/mail/canon_reference.c tests/support/guard.c \
                $(wildcard engine/simd/*.c engine/simd/*/*.c) engine/mail/canon_body.c engine/base/base64.c
$B/simd-arm64: $(ARM64_SOURCE) $(wildcard engine/simd/*.h engine/simd/*/*.h engine/mail/canon.h)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC    $@")
	$Q$(ARM64_CC) -static -std=gnu11 -D_GNU_SOURCE -Itests/simd/stub -Iengine -I. -Itests -O2 -Wall -Wextra \
	    $(if $(WERROR),-Werror) -o $@ $(ARM64_SOURCE)
ifneq ($(shell command -v $(ARM64_CC)),)
$B/tests/simd.test: | $B/simd-arm64
endif

BENCH_OBJECTS := $(addprefix $B/bench/,bench.o cache_measure.o draw.o mail_text.o)

$B/bench/%: $B/bench/%.o $(BENCH_OBJECTS) $B/engine.a
	$(if $(Q),@echo "  LD    $@")
	$Q$(SHIP) -o $@ $^ $(LIBS) -lm

LOAD_OBJECTS := $(patsubst %.c,$B/%.o,$(wildcard bench/load_*.c) bench/assay_load.c)

$B/bench/assay-load: $(LOAD_OBJECTS) $(BENCH_OBJECTS) $B/engine.a
	$(if $(Q),@echo "  LD    $@")
	$Q$(SHIP) -o $@ $^ $(LIBS) -lm $(shell pkg-config --libs jansson 2>/dev/null)

BENCH_ALL := $(filter-out $B/bench/assay_load.o,$(LOAD_OBJECTS)) $(addprefix $B/bench/,assay_bench.o bench_engine.o \
    bench_limit.o contest.o full_run.o mail_set.o peer_opendkim.o quick_sets.o quick_socket.o)

$B/bench/assay-bench: $(BENCH_ALL) $(BENCH_OBJECTS) $B/engine.a
	$(if $(Q),@echo "  LD    $@")
	$Q$(SHIP) -o $@ $^ $(LIBS) -lm -lopendkim $(shell pkg-config --libs jansson 2>/dev/null)

$B/bench/peers/libspf2: bench/peers/libspf2.c
	@mkdir -p $(@D)
	$(if $(Q),@echo "  LD    $@")
	$Q$(COMPILE) $(FRAMES) $(LDFLAGS) -o $@ $< -lspf2

$B/stress/%: $B/tests/stress/%.o $B/engine.a
	@mkdir -p $(@D)
	$(if $(Q),@echo "  LD    $@")
	$Q$(LINK) -o $@ $^ $(LIBS)

# The same program with the grace period left out: it must be caught.
$B/stress/store_no_grace.o: cache/store.c
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC    $< (no grace period)")
	$Q$(COMPILE) -DCACHE_NO_GRACE_PERIOD -c $< -o $@

$B/stress/cache_no_grace_control: $B/tests/stress/cache_stress.o $B/stress/store_no_grace.o $B/engine.a
	$(if $(Q),@echo "  LD    $@")
	$Q$(LINK) -o $@ $^ $(LIBS)

run: deps
	@$(MAKE) --no-print-directory -s -j$(JOBS) all
	@tools/run-samples $B/assay $B/assayd

# The pool with a quiescent state in the middle of each round, while cached keys are in use.
$B/stress/worker_quiescent.o: engine/run/worker.c
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC    $< (quiescent state in the round)")
	$Q$(COMPILE) -DPOOL_QUIESCENT_IN_ROUND -c $< -o $@

$B/stress/pool_quiescent_control: $B/tests/stress/pool_stress.o $B/stress/worker_quiescent.o $B/engine.a
	$(if $(Q),@echo "  LD    $@")
	$Q$(LINK) -o $@ $^ $(LIBS)

$B/make-samples: $B/tools/samples/make_samples.o $B/engine.a
	$(if $(Q),@echo "  LD    $@")
	$Q$(LINK) -o $@ $^ $(LIBS)

# The engine's signer and SPF judge behind pipes, for the differential tests.
$B/diff-rsa: $B/tests/diff/rsa_cases.o
$B/diff-%: $B/tests/diff/%.o $B/tests/diff/requests.o $B/engine.a
	$(if $(Q),@echo "  LD    $@")
	$Q$(LINK) -o $@ $^ $(LIBS)

samples: $B/make-samples
	$B/make-samples share/samples

# Suites that reach the kernels, once more at lower levels; tests/simd goes through all by itself.
LEVELS       := scalar avx2
KERNEL_TESTS := $(filter mail dkim arc e2e crypto verify,$(SUITES))
KERNEL_TESTS := $(foreach level,$(LEVELS),$(KERNEL_TESTS:%=$(level)=$B/tests/%.test))

tests: all $(TESTS) $(DIFFS) $B/assayd-kernel-fault
	@ASSAY=$B/assay ASSAYD=$B/assayd tests/run $(TESTS) $(SCRIPTS) $(KERNEL_TESTS)

test-kernels: all $(TESTS) $(DIFFS)
	@ASSAY=$B/assay ASSAYD=$B/assayd tests/run $(foreach level,$(LEVELS),$(TESTS:%=$(level)=%))

# A browser is a large thing: without one the tests of pages are skipped.
test:
	@tools/deps test
	@tools/deps browser || echo "make test: there is no browser to look at pages with"
	@$(MAKE) --no-print-directory -j$(JOBS) tests

test-assayd: $B/assayd-kernel-fault
test-%: $B/tests/%.test all
	@ASSAY=$B/assay ASSAYD=$B/assayd tests/run $<

DIFF_CASES ?= 3000
diff: all $(DIFFS)
	@tools/deps diff
	@ASSAY=$B/assay DKIM_CASES=$(DIFF_CASES) ARC_CASES=$(DIFF_CASES) SPF_CASES=$(DIFF_CASES) \
	    DMARC_CASES=$(DIFF_CASES) RESULTS_CASES=$(DIFF_CASES) tests/diff/run

# Fuzzers have a build folder of their own; what they found before is kept there and gone on with.
FUZZ_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
$B/fuzz/%: $B/tests/fuzz/%.o $(FUZZ_SHARED:%.c=$B/%.o) $B/engine.a
	@mkdir -p $(@D)
	$(if $(Q),@echo "  LD    $@")
	$Q$(CC) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS) $(shell pkg-config --libs jansson)

fuzz:
	@tools/deps fuzz
	@$(MAKE) --no-print-directory -j$(JOBS) CC=clang B=build/fuzz FRAMES= LDMODE= \
	    MODE='$(FUZZ_FLAGS) -fsanitize=fuzzer-no-link' CPPFLAGS='-DFUZZ_ENTRY -Itests/fuzz/stub' fuzzers

fuzzers: $(FUZZ:tests/fuzz/%.c=$B/fuzz/%)
	@tests/fuzz/run $B/corpus $^

stress: $(STRESSES)
	@tests/stress/run $(STRESSES)

bench: $(BENCH) $B/bench/assay-load $B/assayd
	@tools/deps bench
	@$(MAKE) --no-print-directory -s $B/bench/assay-bench $B/bench/peers/libspf2
	@for b in $(BENCH); do $$b || exit 1; done

LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR     ?= $(PREFIX)/share/man
BASHDIR    ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR     ?= $(PREFIX)/share/zsh/site-functions
FISHDIR    ?= $(PREFIX)/share/fish/vendor_completions.d
# A pkg-config file from its template: $(call PC,FOLDER/NAME.pc)
define PC
sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@INCLUDEDIR@|$(INCLUDEDIR)|; s|@VERSION@|$(VERSION)|' \
	    -e 's|@LIBS@|$(LIBS)|' $(1).in >$(DESTDIR)$(LIBDIR)/pkgconfig/$(notdir $(1))
	chmod 644 $(DESTDIR)$(LIBDIR)/pkgconfig/$(notdir $(1))
endef

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR)
	install -m 755 $B/assay $(DESTDIR)$(PREFIX)/bin/assay
	install -d $(DESTDIR)$(PREFIX)/sbin
	install -m 755 $B/assayd $(DESTDIR)$(PREFIX)/sbin/assayd
	install -m 644 $B/libassay.a $(DESTDIR)$(LIBDIR)/libassay.a
	install -m 755 $B/libassay.so $(DESTDIR)$(LIBDIR)/libassay.so.$(VERSION)
	ln -sf libassay.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libassay.so.0
	ln -sf libassay.so.0 $(DESTDIR)$(LIBDIR)/libassay.so
	install -m 644 engine/assay.h $(DESTDIR)$(INCLUDEDIR)/assay.h
	install -m 644 $B/libassay-client.a $(DESTDIR)$(LIBDIR)/libassay-client.a
	install -m 755 $B/libassay-client.so $(DESTDIR)$(LIBDIR)/libassay-client.so.$(VERSION)
	ln -sf libassay-client.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libassay-client.so.0
	ln -sf libassay-client.so.0 $(DESTDIR)$(LIBDIR)/libassay-client.so
	install -m 644 client/assay_client.h $(DESTDIR)$(INCLUDEDIR)/assay_client.h
	install -d $(DESTDIR)$(BASHDIR) $(DESTDIR)$(ZSHDIR) $(DESTDIR)$(FISHDIR)
	install -m 644 $B/completion/bash $(DESTDIR)$(BASHDIR)/assay
	install -m 644 $B/completion/zsh $(DESTDIR)$(ZSHDIR)/_assay
	install -m 644 $B/completion/fish $(DESTDIR)$(FISHDIR)/assay.fish
	for n in 1 3 5 8; do install -d $(DESTDIR)$(MANDIR)/man$$n && \
	    install -m 644 man/*.$$n $(DESTDIR)$(MANDIR)/man$$n || exit 1; done
	install -d $(DESTDIR)$(PREFIX)/share/assay/profiles
	install -m 644 share/profiles/*.conf $(DESTDIR)$(PREFIX)/share/assay/profiles
	$(call PC,engine/assay.pc)
	$(call PC,client/assay-client.pc)

format:
	clang-format -i $(wildcard engine/*.[ch] engine/*/*.[ch] engine/simd/*/*.[ch] cache/*.[ch] client/*.[ch] tests/*/*.[ch] tools/*/*.[ch] bench/*.[ch])

clean:
	rm -rf build

-include $(patsubst %.c,$B/%.d,$(ENGINE) $(FRONT) $(DAEMON) $(CLIENT) $(SUPPORT) $(TOOL) $(wildcard bench/*.c) $(wildcard tests/*/*.c tests/fuzz/support/*.c)) \
         $B/stress/store_no_grace.d $B/stress/worker_quiescent.d $B/rsa_batch_fault.d

# One line a target: NAME.c holds FUZZ_TARGET(NAME), its seeds are in corpus/NAME/. See fuzz.h.
fuzz_targets = \
	%D%/clean.c \
	%D%/hostile.c %D%/hostile.h \
	%D%/journal.c \
	%D%/policy.c \
	%D%/reference.c \
	%D%/result.c

check_PROGRAMS += tests/fuzz/replay
tests_fuzz_replay_SOURCES = %D%/replay.c %D%/fuzz.c %D%/fuzz.h $(fuzz_targets)
if !HAVE_CHECK
TESTS += tests/fuzz/replay
endif

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzzer
tests_fuzz_fuzzer_SOURCES = %D%/fuzzer.c %D%/fuzz.c %D%/fuzz.h $(fuzz_targets)
tests_fuzz_fuzzer_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif

EXTRA_DIST += %D%/corpus %D%/run.sh

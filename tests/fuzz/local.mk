# One line a target: NAME.c holds FUZZ_TARGET(NAME), its seeds are in corpus/NAME/. See fuzz.h.
fuzz_targets = \
	%D%/challenge.c \
	%D%/clean.c \
	%D%/config.c \
	%D%/content.c \
	%D%/credentials.c \
	%D%/dockerfile.c \
	%D%/frames.c \
	%D%/glob.c \
	%D%/image_facts.c \
	%D%/journal.c \
	%D%/junit_read.c \
	%D%/ledger.c \
	%D%/link.c \
	%D%/manifest.c \
	%D%/packages.c \
	%D%/policy.c \
	%D%/progress.c \
	%D%/redact.c \
	%D%/reference.c \
	%D%/regex.c \
	%D%/result.c \
	%D%/sightings.c \
	%D%/tagfilter.c \
	%D%/tags.c \
	%D%/text.c \
	%D%/untar.c \
	%D%/yaml.c

# What targets share.
fuzz_helpers = \
	%D%/fuzz.c %D%/fuzz.h \
	%D%/hostile.c %D%/hostile.h \
	%D%/pins.c %D%/pins.h \
	tests/golden/moved.c tests/golden/moved.h

check_PROGRAMS += tests/fuzz/replay
tests_fuzz_replay_SOURCES = %D%/replay.c $(fuzz_helpers) $(fuzz_targets)
if !HAVE_CHECK
TESTS += tests/fuzz/replay
endif

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzzer
tests_fuzz_fuzzer_SOURCES = %D%/fuzzer.c $(fuzz_helpers) $(fuzz_targets)
tests_fuzz_fuzzer_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif

EXTRA_DIST += %D%/corpus %D%/run.sh

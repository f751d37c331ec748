# tests: `make check` runs what needs neither engine nor registry; tests/run.sh runs everything.
AM_TESTS_ENVIRONMENT = \
	CK_TAP_LOG_FILE_NAME=-; CK_VERBOSITY=silent; CK_DEFAULT_TIMEOUT=120; LC_ALL=C.UTF-8; \
	PINGATE_TEST_SOURCE='$(abs_top_srcdir)'; PINGATE_TEST_BUILD='$(abs_top_builddir)'; \
	PINGATE_TEST_COMPILE='$(CC) $(lint_flags)'; \
	export CK_TAP_LOG_FILE_NAME CK_VERBOSITY CK_DEFAULT_TIMEOUT LC_ALL PINGATE_TEST_SOURCE PINGATE_TEST_BUILD PINGATE_TEST_COMPILE;

# How the sources are read by what only looks at them.
lint_flags = -std=gnu17 -D_GNU_SOURCE -DHAVE_CONFIG_H -I$(abs_top_srcdir) -I$(abs_top_builddir) \
	$(CURL_CFLAGS) $(JANSSON_CFLAGS) $(YAML_CFLAGS) $(ARCHIVE_CFLAGS) $(EXPAT_CFLAGS) $(CRYPTO_CFLAGS) $(PCRE2_CFLAGS) $(CHECK_CFLAGS)
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
SH_LOG_DRIVER = $(LOG_DRIVER)
TEST_EXTENSIONS = .sh

EXTRA_DIST += tests/unit/answers.h tests/unit/entry_rows.h tests/unit/fake_engine.h tests/unit/pty.h tests/unit/tree.h tests/unit/unit.h

# The bench around the program: a private engine and registry, what they need.
TESTS += %D%/layers.sh
EXTRA_DIST += %D%/layers.sh %D%/lint.sh .clang-format .clang-tidy .shellcheckrc .ci/run
EXTRA_DIST += %D%/debian.sh %D%/engine.sh %D%/images.sh %D%/packages %D%/packages.sh %D%/run.sh

lint: all ## format, static analysis and scripts (tests/lint.sh)
	@PINGATE_LINT_FLAGS='$(lint_flags)' PINGATE_TEST_BUILD='$(abs_top_builddir)' $(top_srcdir)/tests/lint.sh
.PHONY: lint

# End to end: real engine, real registry, the built program.
EXTRA_DIST += %D%/e2e

# Golden cases of the scanner; the helper moves pins there and back.
TESTS += %D%/golden.sh
EXTRA_DIST += %D%/golden.sh %D%/golden/scan
EXTRA_PROGRAMS += tests/golden/move_pins
tests_golden_move_pins_SOURCES = %D%/golden/move_pins.c %D%/golden/moved.c %D%/golden/moved.h
tests/golden.log: tests/golden/move_pins$(EXEEXT)
CLEANFILES += tests/golden/move_pins$(EXEEXT)

# Scripted registries and engines; tests/run.sh runs each table.
EXTRA_DIST += %D%/faults/scripted.py %D%/faults/harness.py %D%/faults/registry.py %D%/faults/engine.py %D%/faults/engine_api.py %D%/faults/services.py \
	%D%/faults/inject.py %D%/faults/plain.py %D%/valgrind.sh

# Speed against peers: tests/run.sh bench compiles what it needs.
EXTRA_DIST += %D%/ledger.py
EXTRA_DIST += %D%/bench/bare.c %D%/bench/common.bash %D%/bench/delay.c %D%/bench/ledger %D%/bench/lookup %D%/bench/measure.c %D%/bench/trials

# Stops promotions half way; needs strace, so tests/run.sh runs it and not `make check`.
EXTRA_PROGRAMS += tests/crash/promote_driver
EXTRA_DIST += %D%/crash/crash.sh %D%/crash/kill.sh %D%/crash/stages.sh
CLEANFILES += tests/crash/promote_driver$(EXEEXT)

# A copy of the program in which a chosen call fails; tests/run.sh builds and runs it.
EXTRA_PROGRAMS += tests/faults/pingate-inject
CLEANFILES += tests/faults/pingate-inject$(EXEEXT)
tests_faults_pingate_inject_SOURCES = pipelines/main.c tests/faults/inject.c
tests_faults_pingate_inject_LDADD = $(layer_libraries) $(outside_libraries)
comma = ,
inject_calls = malloc calloc realloc vasprintf asprintf read pread write open openat fsync fstat fchmod fchown lseek mkdir \
	mkdirat rename renameat unlink unlinkat mkostemp memfd_create opendir fdopendir fopen fwrite
tests_faults_pingate_inject_LDFLAGS = $(AM_LDFLAGS) $(inject_calls:%=-Wl$(comma)--wrap=%)

# Ready-made CI definitions against the published schemas, and against what would make them unsafe.
TESTS += %D%/ci.sh
EXTRA_DIST += %D%/ci.sh %D%/ci.py %D%/data/github-action.json %D%/data/github-workflow.json %D%/data/gitlab-ci.json

# A copy of the program whose clock a test sets; tests/run.sh builds it.
EXTRA_PROGRAMS += tests/e2e/pingate-clock
CLEANFILES += tests/e2e/pingate-clock$(EXEEXT)
tests_e2e_pingate_clock_SOURCES = pipelines/main.c tests/e2e/clock.c
tests_e2e_pingate_clock_LDADD = $(layer_libraries) $(outside_libraries)
tests_e2e_pingate_clock_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_now_ms

# Reports as their readers take them, machine forms against their schemas.
TESTS += %D%/docs.sh %D%/reports.sh %D%/schemas.sh
EXTRA_DIST += %D%/docs.sh %D%/complete.py
EXTRA_DIST += %D%/reports.sh %D%/hostile.py %D%/markdown.py %D%/schemas.sh %D%/schemas.py \
	%D%/data/junit.xsd %D%/data/decision.json %D%/data/explain.json %D%/data/history.json %D%/data/history_at.json %D%/data/history_verify.json %D%/data/plan.json %D%/data/scan.json %D%/data/status.json \
	%D%/golden/config %D%/golden/reports
noinst_PROGRAMS += tests/yaml_to_json

if HAVE_CHECK
TESTS += $(check_PROGRAMS)

# One program a module: tests/unit/test_NAME.c. A program whose only source is NAME.c needs no _SOURCES line.
# gate/base
check_PROGRAMS += tests/unit/test_array
check_PROGRAMS += tests/unit/test_base64
check_PROGRAMS += tests/unit/test_beneath
check_PROGRAMS += tests/unit/test_cancel
check_PROGRAMS += tests/unit/test_clock
check_PROGRAMS += tests/unit/test_error
check_PROGRAMS += tests/unit/test_file
check_PROGRAMS += tests/unit/test_hash
check_PROGRAMS += tests/unit/test_text
check_PROGRAMS += tests/unit/test_glob
check_PROGRAMS += tests/unit/test_http
check_PROGRAMS += tests/unit/test_json_read
tests_unit_test_json_read_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc
check_PROGRAMS += tests/unit/test_json_walk
check_PROGRAMS += tests/unit/test_process
check_PROGRAMS += tests/unit/test_redact
check_PROGRAMS += tests/unit/test_process_link
check_PROGRAMS += tests/unit/test_regex
check_PROGRAMS += tests/unit/test_words
check_PROGRAMS += tests/unit/test_untar
check_PROGRAMS += tests/unit/test_yaml

# gate
check_PROGRAMS += tests/unit/test_digest
check_PROGRAMS += tests/unit/test_pin
check_PROGRAMS += tests/unit/test_platform
check_PROGRAMS += tests/unit/test_reference
check_PROGRAMS += tests/unit/test_selector
check_PROGRAMS += tests/unit/test_set
check_PROGRAMS += tests/unit/test_update
check_PROGRAMS += tests/unit/test_verdict

# gate/pins
check_PROGRAMS += tests/unit/test_diff
check_PROGRAMS += tests/unit/test_formats
check_PROGRAMS += tests/unit/test_rewrite
check_PROGRAMS += tests/unit/test_scan

# gate/policy
check_PROGRAMS += tests/unit/test_cooldown
check_PROGRAMS += tests/unit/test_policy
check_PROGRAMS += tests/unit/test_sightings
check_PROGRAMS += tests/unit/test_tagfilter
check_PROGRAMS += tests/unit/test_version

# gate/registry
check_PROGRAMS += tests/unit/test_auth
check_PROGRAMS += tests/unit/test_content
check_PROGRAMS += tests/unit/test_credentials
check_PROGRAMS += tests/unit/test_manifest
check_PROGRAMS += tests/unit/test_registry
check_PROGRAMS += tests/unit/test_retry
check_PROGRAMS += tests/unit/test_tags
check_PROGRAMS += tests/unit/test_token

# runners
check_PROGRAMS += tests/unit/test_about
check_PROGRAMS += tests/unit/test_alone
check_PROGRAMS += tests/unit/test_artifact_names
check_PROGRAMS += tests/unit/test_address
check_PROGRAMS += tests/unit/test_build_context
check_PROGRAMS += tests/unit/test_build_stream
check_PROGRAMS += tests/unit/test_build_trace
check_PROGRAMS += tests/unit/test_changes
check_PROGRAMS += tests/unit/test_container_facts
check_PROGRAMS += tests/unit/test_container_spec
check_PROGRAMS += tests/unit/test_dockerignore
check_PROGRAMS += tests/unit/test_trial_build
check_PROGRAMS += tests/unit/test_difference
check_PROGRAMS += tests/unit/test_inside
check_PROGRAMS += tests/unit/test_deny
check_PROGRAMS += tests/unit/test_frames
check_PROGRAMS += tests/unit/test_progress
check_PROGRAMS += tests/unit/test_schedule
check_PROGRAMS += tests/unit/test_image_packages
check_PROGRAMS += tests/unit/test_labels
check_PROGRAMS += tests/unit/test_grants
check_PROGRAMS += tests/unit/test_ready
check_PROGRAMS += tests/unit/test_package_list
check_PROGRAMS += tests/unit/test_reproduce
check_PROGRAMS += tests/unit/test_user
check_PROGRAMS += tests/unit/test_ssh
check_PROGRAMS += tests/unit/test_workspace
check_PROGRAMS += tests/unit/test_workspace_hash

# reports
check_PROGRAMS += tests/unit/test_clean
check_PROGRAMS += tests/unit/test_junit_read
check_PROGRAMS += tests/unit/test_reports
check_PROGRAMS += tests/unit/test_result
check_PROGRAMS += tests/unit/test_screen
check_PROGRAMS += tests/unit/test_terminal

# pipelines
check_PROGRAMS += tests/unit/test_checkout
check_PROGRAMS += tests/unit/test_stage
check_PROGRAMS += tests/unit/test_state
check_PROGRAMS += tests/unit/test_config
check_PROGRAMS += tests/unit/test_evidence
check_PROGRAMS += tests/unit/test_compact
check_PROGRAMS += tests/unit/test_history
check_PROGRAMS += tests/unit/test_ledger
check_PROGRAMS += tests/unit/test_ledger_actor
check_PROGRAMS += tests/unit/test_ledger_files
check_PROGRAMS += tests/unit/test_decision
check_PROGRAMS += tests/unit/test_entry
check_PROGRAMS += tests/unit/test_lookup
check_PROGRAMS += tests/unit/test_journal
check_PROGRAMS += tests/unit/test_options
check_PROGRAMS += tests/unit/test_plan
check_PROGRAMS += tests/unit/test_plan_build
check_PROGRAMS += tests/unit/test_promotion
check_PROGRAMS += tests/unit/test_trial_junit
check_PROGRAMS += tests/unit/test_recover
check_PROGRAMS += tests/unit/test_judge
check_PROGRAMS += tests/unit/test_writable
endif

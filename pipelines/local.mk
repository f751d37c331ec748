# pipelines: the use cases, configuration, promotion, the command line and main.
noinst_LIBRARIES += pipelines/libpipelines.a
pipelines_libpipelines_a_SOURCES = \
	%D%/attributes.c %D%/attributes.h \
	%D%/config.c %D%/config.h \
	%D%/config_build.c %D%/config_deny.c %D%/config_services.c %D%/config_services.h %D%/config_stages.c %D%/config_state.c \
	%D%/config_surroundings.c %D%/config_surroundings.h %D%/config_tables.h %D%/config_tests.c \
	%D%/config_values.c %D%/config_values.h \
	%D%/gate.c %D%/gate.h \
	%D%/gate_builds.c %D%/gate_changes.c %D%/gate_difference.c %D%/gate_evidence.c %D%/gate_kept.c %D%/gate_ledger.c \
	%D%/gate_grants.c %D%/gate_output.c %D%/gate_platform.c %D%/gate_promote.c %D%/gate_result.c %D%/gate_rollback.c %D%/gate_since.c %D%/gate_state.c %D%/gate_outside.c %D%/gate_stages.c %D%/gate_trials.c \
	%D%/journal.c %D%/journal.h \
	%D%/gate_fallback.c %D%/gate_judge.c \
	%D%/judge.c %D%/judge.h \
	%D%/judge_parts.h \
	%D%/judge_questions.c \
	%D%/judge_search.c \
	%D%/config_judging.c \
	%D%/lock.c %D%/lock.h \
	%D%/lookup.c %D%/lookup.h \
	%D%/lookup_cooldown.c %D%/lookup_parts.h \
	%D%/plan.c %D%/plan.h \
	%D%/plan_build.c %D%/plan_build.h \
	%D%/promotion.c %D%/promotion.h \
	%D%/pull.c %D%/pull.h \
	%D%/recover.c \
	%D%/refusal.c %D%/refusal.h \
	%D%/target.c %D%/target.h \
	%D%/trial_junit.c %D%/trial_junit.h \
	%D%/writable.c %D%/writable.h

# pipelines/stages: staging, then production: sets, the ledger, the rule for entering a stage
pipelines_libpipelines_a_SOURCES += \
	%D%/stages/decision.c %D%/stages/decision.h \
	%D%/stages/earlier.c %D%/stages/earlier.h \
	%D%/stages/entry.c %D%/stages/entry.h %D%/stages/entry_parts.h \
	%D%/stages/entry_changes.c \
	%D%/stages/entry_decisions.c \
	%D%/stages/entry_evidence.c \
	%D%/stages/entry_judge.c \
	%D%/stages/entry_pause.c \
	%D%/stages/entry_timeline.c \
	%D%/stages/entry_world.c \
	%D%/stages/checkout.c %D%/stages/checkout.h \
	%D%/stages/evidence.c %D%/stages/evidence.h \
	%D%/stages/compact.h %D%/stages/compact_choose.c %D%/stages/ledger_compact.c \
	%D%/stages/history.h %D%/stages/history_findings.c %D%/stages/history_select.c %D%/stages/history_stood.c \
	%D%/stages/ledger.c %D%/stages/ledger.h %D%/stages/ledger_parts.h \
	%D%/stages/ledger_actor.c %D%/stages/ledger_canonical.c %D%/stages/ledger_fields.c \
	%D%/stages/ledger_json.c %D%/stages/ledger_json.h \
	%D%/stages/ledger_files.c %D%/stages/ledger_format.c %D%/stages/ledger_parse.c \
	%D%/stages/ledger_write.c %D%/stages/ledger_write.h \
	%D%/stages/stage.c %D%/stages/stage.h \
	%D%/stages/subject.c %D%/stages/subject.h

# pipelines/state: what is remembered from run to run, and is no part of the project
pipelines_libpipelines_a_SOURCES += \
	%D%/state/state.c %D%/state/state.h %D%/state/state_parts.h \
	%D%/state/state_branch.c %D%/state/state_folder.c

# pipelines/commands: one file a command; the list is in command.c
pipelines_libpipelines_a_SOURCES += \
	%D%/commands/command.c %D%/commands/command.h \
	%D%/commands/completion.c \
	%D%/commands/decide.c %D%/commands/decide.h \
	%D%/commands/decide_approve.c %D%/commands/decide_deny.c %D%/commands/decide_release.c \
	%D%/commands/doctor.c %D%/commands/doctor_engine.c %D%/commands/doctor_parts.h \
	%D%/commands/gated.c %D%/commands/gated.h \
	%D%/commands/help.c %D%/commands/help.h \
	%D%/commands/history.c %D%/commands/history.h %D%/commands/history_json.c %D%/commands/history_print.c \
	%D%/commands/init.c \
	%D%/commands/listing.c %D%/commands/listing.h \
	%D%/commands/man.c \
	%D%/commands/options.c %D%/commands/options.h \
	%D%/commands/plan_print.c %D%/commands/plan_print.h \
	%D%/commands/promote.c \
	%D%/commands/record.c \
	%D%/commands/report.c \
	%D%/commands/rollback.c \
	%D%/commands/run.c \
	%D%/commands/scan.c \
	%D%/commands/shells.c \
	%D%/commands/stages.c %D%/commands/stages.h \
	%D%/commands/status.c \
	%D%/commands/updates.c %D%/commands/updates.h

bin_PROGRAMS += pingate
pingate_SOURCES = %D%/main.c
pingate_LDADD = $(layer_libraries) $(outside_libraries)

# pipelines/ci: ready-made CI. The steps that it calls are installed, for the image that GitLab's jobs run in.
cidir = $(pkgdatadir)/ci
dist_ci_SCRIPTS = %D%/ci/steps/comment.sh %D%/ci/steps/gate.sh %D%/ci/steps/propose.sh
dist_ci_DATA = %D%/ci/steps/forge.sh
EXTRA_DIST += %D%/ci/steps/install.sh %D%/ci/README.md %D%/ci/github %D%/ci/gitlab

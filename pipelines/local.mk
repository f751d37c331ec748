# pipelines: the use cases, configuration, promotion, the command line and main.
noinst_LIBRARIES += pipelines/libpipelines.a
pipelines_libpipelines_a_SOURCES = \
	%D%/attributes.c %D%/attributes.h \
	%D%/config.c %D%/config.h \
	%D%/gate.c %D%/gate.h \
	%D%/gate_promote.c %D%/gate_result.c %D%/gate_since.c %D%/gate_trials.c \
	%D%/journal.c %D%/journal.h \
	%D%/judge.c %D%/judge.h \
	%D%/lock.c %D%/lock.h \
	%D%/lookup.c %D%/lookup.h \
	%D%/plan.c %D%/plan.h \
	%D%/promotion.c %D%/promotion.h \
	%D%/recover.c \
	%D%/refusal.c %D%/refusal.h \
	%D%/target.c %D%/target.h

# pipelines/commands: one file a command; the list is in command.c
pipelines_libpipelines_a_SOURCES += \
	%D%/commands/command.c %D%/commands/command.h \
	%D%/commands/completion.c \
	%D%/commands/doctor.c \
	%D%/commands/help.c %D%/commands/help.h \
	%D%/commands/init.c \
	%D%/commands/listing.c %D%/commands/listing.h \
	%D%/commands/options.c %D%/commands/options.h \
	%D%/commands/report.c \
	%D%/commands/run.c \
	%D%/commands/scan.c \
	%D%/commands/status.c

bin_PROGRAMS += pingate
pingate_SOURCES = %D%/main.c
pingate_LDADD = $(layer_libraries) $(outside_libraries)

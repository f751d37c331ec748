# runners: the Engine API client, trials and their schedule; knows nothing of registries' tags, reports or configuration.
noinst_LIBRARIES += runners/librunners.a
runners_librunners_a_SOURCES = \
	%D%/schedule.h \
	%D%/test.c %D%/test.h \
	%D%/trial.h \
	%D%/workspace.h

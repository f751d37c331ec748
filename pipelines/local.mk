# pipelines: the use cases, configuration, promotion, the command line and main.
noinst_LIBRARIES += pipelines/libpipelines.a
pipelines_libpipelines_a_SOURCES = \
	%D%/judge.c %D%/judge.h \
	%D%/attributes.c %D%/attributes.h \
	%D%/journal.c %D%/journal.h \
	%D%/lock.c %D%/lock.h \
	%D%/promotion.c %D%/promotion.h \
	%D%/recover.c \
	%D%/refusal.c %D%/refusal.h \
	%D%/target.c %D%/target.h

bin_PROGRAMS += pingate
pingate_SOURCES = %D%/main.c
pingate_LDADD = $(layer_libraries) $(outside_libraries)

# pipelines: the use cases, configuration, promotion, the command line and main.
noinst_LIBRARIES += pipelines/libpipelines.a
pipelines_libpipelines_a_SOURCES = \
	%D%/judge.c %D%/judge.h \
	%D%/promotion.h

bin_PROGRAMS += pingate
pingate_SOURCES = %D%/main.c
pingate_LDADD = $(layer_libraries) $(outside_libraries)

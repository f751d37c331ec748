# reports: the result model and its sinks; knows nothing of the engine.
noinst_LIBRARIES += reports/libreports.a
reports_libreports_a_SOURCES = \
	%D%/clean.c %D%/clean.h \
	%D%/clean_markdown.c \
	%D%/clean_stream.c %D%/clean_stream.h \
	%D%/headline.c \
	%D%/report.h \
	%D%/result.c %D%/result.h \
	%D%/terminal.h

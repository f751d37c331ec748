# reports: the result model and its sinks; knows nothing of the engine.
noinst_LIBRARIES += reports/libreports.a
reports_libreports_a_SOURCES = \
	%D%/clean.c %D%/clean.h \
	%D%/clean_markdown.c \
	%D%/clean_stream.c %D%/clean_stream.h \
	%D%/diff.c \
	%D%/headline.c \
	%D%/json.c %D%/json.h \
	%D%/junit.c \
	%D%/junit_case.c %D%/junit_case.h \
	%D%/junit_trial.c \
	%D%/junit_keep.c %D%/junit_keep.h \
	%D%/junit_read.c %D%/junit_read.h \
	%D%/markdown.c %D%/markdown.h \
	%D%/markdown_changes.c \
	%D%/markdown_failures.c \
	%D%/markdown_shell.c \
	%D%/markdown_parts.c %D%/markdown_parts.h \
	%D%/report.c %D%/report.h \
	%D%/result.c %D%/result.h %D%/result_parts.h \
	%D%/result_json.c \
	%D%/result_read.c %D%/result_redact.c \
	%D%/result_words.c \
	%D%/screen.c %D%/screen.h \
	%D%/summary.c %D%/summary.h %D%/summary_parts.h \
	%D%/summary_failures.c \
	%D%/table.c %D%/table.h \
	%D%/terminal.c %D%/terminal.h

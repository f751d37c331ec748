# reports: the result model and its sinks; knows nothing of the engine.
noinst_LIBRARIES += reports/libreports.a
reports_libreports_a_SOURCES = \
	%D%/clean.h \
	%D%/report.h \
	%D%/result.h \
	%D%/terminal.h

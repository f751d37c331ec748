# gate/base: errors, text, files, and one wrapper a library; knows nothing of images.
noinst_LIBRARIES += gate/base/libbase.a
gate_base_libbase_a_SOURCES = \
	%D%/arena.c %D%/arena.h \
	%D%/array.c %D%/array.h \
	%D%/base64.c %D%/base64.h \
	%D%/beneath.c %D%/beneath.h \
	%D%/cancel.c %D%/cancel.h \
	%D%/clock.c %D%/clock.h \
	%D%/error.c %D%/error.h \
	%D%/file.c %D%/file.h \
	%D%/glob.c %D%/glob.h \
	%D%/hash.c %D%/hash.h \
	%D%/http.c %D%/http.h %D%/http_parts.h \
	%D%/http_transfer.c %D%/http_url.c \
	%D%/index.c %D%/index.h \
	%D%/json_read.c %D%/json_read.h \
	%D%/json_write.c %D%/json_write.h \
	%D%/json_walk.c %D%/json_walk.h \
	%D%/redact.c %D%/redact_forms.c %D%/redact.h \
	%D%/process.c %D%/process.h %D%/process_parts.h \
	%D%/process_link.c %D%/process_link.h %D%/process_spawn.c \
	%D%/regex.c %D%/regex.h \
	%D%/source_map.c %D%/source_map.h \
	%D%/tar.c %D%/tar.h \
	%D%/text.c %D%/text.h \
	%D%/trace.c %D%/trace.h \
	%D%/untar.c %D%/untar.h \
	%D%/utf8.c %D%/utf8.h \
	%D%/words.c %D%/words.h \
	%D%/xml.c %D%/xml.h \
	%D%/yaml.c %D%/yaml.h

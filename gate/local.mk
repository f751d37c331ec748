# gate: references, pins, registries, policies, verdicts; knows nothing of containers, reports or the command line.
noinst_LIBRARIES += gate/libgate.a
gate_libgate_a_SOURCES = \
	%D%/digest.c %D%/digest.h \
	%D%/pin.c %D%/pin.h \
	%D%/platform.c %D%/platform.h \
	%D%/reference.c %D%/reference.h \
	%D%/selector.c %D%/selector.h \
	%D%/set.c %D%/set.h \
	%D%/update.c %D%/update.h \
	%D%/verdict.c %D%/verdict.h

# gate/pins
gate_libgate_a_SOURCES += \
	%D%/pins/add.c %D%/pins/add.h \
	%D%/pins/diff.c %D%/pins/diff.h \
	%D%/pins/dockerfile.c %D%/pins/dockerfile.h \
	%D%/pins/formats.c %D%/pins/formats.h \
	%D%/pins/list.c %D%/pins/list.h \
	%D%/pins/rewrite.c %D%/pins/rewrite.h \
	%D%/pins/scan.c %D%/pins/scan.h \
	%D%/pins/scan_bytes.c \
	%D%/pins/scan_json.c %D%/pins/scan_json.h \
	%D%/pins/text.c %D%/pins/text.h \
	%D%/pins/yaml_places.c %D%/pins/yaml_places.h

# gate/policy
gate_libgate_a_SOURCES += \
	%D%/policy/cooldown.c %D%/policy/cooldown.h \
	%D%/policy/policy.c %D%/policy/policy.h \
	%D%/policy/sightings.c %D%/policy/sightings.h \
	%D%/policy/tagfilter.c %D%/policy/tagfilter.h \
	%D%/policy/version.c %D%/policy/version.h

# gate/registry
gate_libgate_a_SOURCES += \
	%D%/registry/auth.c %D%/registry/auth.h \
	%D%/registry/credentials.c %D%/registry/credentials.h \
	%D%/registry/answer.c \
	%D%/registry/blobs.c \
	%D%/registry/content.c %D%/registry/content.h \
	%D%/registry/grant.c \
	%D%/registry/helper.c %D%/registry/helper.h \
	%D%/registry/manifest.c %D%/registry/manifest.h \
	%D%/registry/question.h \
	%D%/registry/registry.c %D%/registry/registry.h \
	%D%/registry/retry.c %D%/registry/retry.h \
	%D%/registry/tags.c %D%/registry/tags.h \
	%D%/registry/token.c %D%/registry/token.h

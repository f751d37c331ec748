# gate: references, pins, registries, policies, verdicts; knows nothing of containers, reports or the command line.
noinst_LIBRARIES += gate/libgate.a
gate_libgate_a_SOURCES = \
	%D%/digest.c %D%/digest.h \
	%D%/pin.c %D%/pin.h \
	%D%/reference.c %D%/reference.h \
	%D%/selector.c %D%/selector.h \
	%D%/update.c %D%/update.h \
	%D%/verdict.c %D%/verdict.h

# gate/pins
gate_libgate_a_SOURCES += \
	%D%/pins/diff.c %D%/pins/diff.h \
	%D%/pins/formats.h \
	%D%/pins/rewrite.h \
	%D%/pins/scan.h

# gate/policy
gate_libgate_a_SOURCES += \
	%D%/policy/policy.c %D%/policy/policy.h \
	%D%/policy/version.c %D%/policy/version.h

# gate/registry
gate_libgate_a_SOURCES += \
	%D%/registry/auth.c %D%/registry/auth.h \
	%D%/registry/credentials.c %D%/registry/credentials.h \
	%D%/registry/manifest.c %D%/registry/manifest.h \
	%D%/registry/registry.c %D%/registry/registry.h

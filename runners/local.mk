# runners: the Engine API client, trials and their schedule; knows nothing of registries' tags, reports or configuration.
noinst_LIBRARIES += runners/librunners.a
runners_librunners_a_SOURCES = \
	%D%/artifact_names.c %D%/artifact_names.h \
	%D%/artifacts.c %D%/artifacts.h \
	%D%/build_context.c %D%/build_context.h \
	%D%/changes.c %D%/changes.h \
	%D%/command_log.c %D%/command_log.h \
	%D%/command_outcome.c %D%/command_outcome.h \
	%D%/container_spec.c %D%/container_spec.h \
	%D%/container_wish.c %D%/container_wish.h \
	%D%/dockerignore.c %D%/dockerignore.h \
	%D%/difference.c %D%/difference.h \
	%D%/grants.c %D%/grants.h \
	%D%/inside.c %D%/inside.h %D%/inside/bytes.S \
	%D%/deny.c %D%/deny.h \
	%D%/image_facts.c %D%/image_facts.h \
	%D%/image_packages.c %D%/image_packages.h \
	%D%/package_list.c %D%/package_list.h \
	%D%/pulled.c %D%/pulled.h \
	%D%/ready.c %D%/ready.h %D%/ready_parts.h %D%/ready_net.c %D%/ready_net.h \
	%D%/ready_exec.c %D%/ready_exit.c %D%/ready_healthy.c %D%/ready_log.c %D%/ready_none.c %D%/ready_tcp.c \
	%D%/service.c %D%/service.h \
	%D%/service_log.c %D%/service_log.h \
	%D%/service_spec.c %D%/service_spec.h \
	%D%/reproduce.c %D%/reproduce.h %D%/reproduce_parts.h %D%/reproduce_services.c \
	%D%/schedule.c %D%/schedule.h %D%/schedule_parts.h \
	%D%/schedule_attempts.c %D%/schedule_images.c %D%/schedule_look.c %D%/schedule_trials.c \
	%D%/secrets.c %D%/secrets.h \
	%D%/spool.c %D%/spool.h \
	%D%/sweep.c %D%/sweep.h \
	%D%/test.c %D%/test.h \
	%D%/test_service.c %D%/test_service.h \
	%D%/trial.c %D%/trial.h %D%/trial_run.h \
	%D%/trial_build.c %D%/trial_build.h \
	%D%/trial_container.c %D%/trial_container.h \
	%D%/user.c %D%/user.h \
	%D%/workspace.c %D%/workspace.h \
	%D%/workspace_hash.c %D%/workspace_hash.h \
	%D%/workspace_open.c %D%/workspace_open.h

# runners/engine
runners_librunners_a_SOURCES += \
	%D%/engine/about.c %D%/engine/about.h \
	%D%/engine/address.c %D%/engine/address.h \
	%D%/engine/alone.c %D%/engine/alone.h \
	%D%/engine/build.c %D%/engine/build.h \
	%D%/engine/build_stream.c %D%/engine/build_stream.h \
	%D%/engine/build_trace.c %D%/engine/build_trace.h \
	%D%/engine/container.c %D%/engine/container.h \
	%D%/engine/context.c %D%/engine/context.h \
	%D%/engine/container_facts.c %D%/engine/container_facts.h \
	%D%/engine/engine.c %D%/engine/engine.h \
	%D%/engine/exec.c %D%/engine/exec.h \
	%D%/engine/frames.c %D%/engine/frames.h \
	%D%/engine/image.c %D%/engine/image.h \
	%D%/engine/labels.c %D%/engine/labels.h \
	%D%/engine/network.c %D%/engine/network.h \
	%D%/engine/progress.c %D%/engine/progress.h \
	%D%/engine/reach.c %D%/engine/reach.h \
	%D%/engine/ssh.c %D%/engine/ssh.h \
	%D%/engine/volume.c %D%/engine/volume.h

# The helper program of inside.h: static, for containers; the assembler takes it into the library as bytes.
noinst_PROGRAMS += runners/inside/pingate-inside
runners_inside_pingate_inside_SOURCES = %D%/inside/inside.c
runners_inside_pingate_inside_CPPFLAGS = -D_GNU_SOURCE
runners_inside_pingate_inside_CFLAGS = $(INSIDE_CFLAGS)
runners_inside_pingate_inside_LDFLAGS = -static -s
runners_inside_pingate_inside_LDADD =
runners/inside/bytes.$(OBJEXT): runners/inside/pingate-inside$(EXEEXT)

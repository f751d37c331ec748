#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "gate/base/file.h"
#include "pipelines/commands/doctor_parts.h"
#include "runners/engine/about.h"

#define GIB ((double)(1 << 30))
#define DISK_LOW                                                                                   \
    (2ll << 30) /* bytes: an image of some size and its copy for a build do not fit any more */

/* Emulators of other processors, which the kernel starts by itself; on this machine. */
#define BINFMT "/proc/sys/fs/binfmt_misc"

static void say_way(struct doctor *doctor, const struct engine_location *way) {
    if (way->unverified)
        doctor_say(doctor, NOTE, "engine",
                   "its certificate is not verified, since the docker context says SkipTLSVerify: "
                   "whoever is between can be the engine");
    else if (way->tls)
        doctor_say(doctor, GOOD, "engine", "TLS: authority %s, %s%s",
                   way->ca != NULL ? way->ca : "as the system has it",
                   way->cert != NULL ? "own certificate " : "no certificate of our own",
                   way->cert != NULL ? way->cert : "");
    else if (way->socket == NULL && way->ssh.host == NULL && !way->loopback)
        doctor_say(doctor, NOTE, "engine",
                   "plain tcp: whoever can reach that port is root there, and whoever is between "
                   "sees and changes all; use ssh:// or TLS");
}

static void say_api(struct doctor *doctor, const struct engine_about *about) {
    doctor_say(
        doctor, GOOD, "engine", "API 1.%d is spoken, of %s to %s; pingate knows 1.%d to 1.%d",
        about->spoken, about->oldest != NULL ? about->oldest : "?",
        about->newest != NULL ? about->newest : "?", ENGINE_OLDEST_MINOR, ENGINE_NEWEST_MINOR);
}

static void say_rights(struct doctor *doctor, const struct engine_about *about) {
    doctor_say(doctor, GOOD, "engine", "%s, cgroups %s, confined by %s",
               about->rootless ? "rootless" : "runs as root",
               about->cgroups != NULL ? about->cgroups : "of a version that is not told",
               about->security[0] != '\0' ? about->security : "nothing that it tells");
    if (!about->confined)
        doctor_say(doctor, NOTE, "engine",
                   "neither AppArmor nor SELinux confines its containers: its kernel has none, or "
                   "it is switched off there");
}

/* What the engine cannot limit, a test may take from the machine. */
static void say_limits(struct doctor *doctor, const struct engine_about *about) {
    const struct {
        const char *name;
        enum told told;
        const char *then;
    } limits[] = {
        {"memory", about->memory, "a test may then take all there is"},
        {"swap", about->swap, "a test with a limit of memory may take as much swap beside"},
        {"cpus", about->cpus, "a test may then take all there is"},
        {"pids", about->pids, "a test may then take all there is"},
    };
    _cleanup_(text_clear) struct text kept = {0};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        if (limits[i].told == TOLD_NO)
            doctor_say(doctor, strcmp(limits[i].name, "swap") == 0 ? NOTE : PROBLEM, "limits",
                       "the engine cannot limit %s: %s, and %s", limits[i].name,
                       about->rootless && string_equal(about->cgroups, "1")
                           ? "rootless needs cgroups of version 2 for it"
                       : about->rootless ? "that cgroup controller is not delegated to its user"
                                         : "its kernel or its rights lack that cgroup controller",
                       limits[i].then);
        else if (limits[i].told == TOLD_YES)
            text_printf(&kept, "%s%s", kept.length > 0 ? ", " : "", limits[i].name);
    }
    if (kept.length > 0)
        doctor_say(doctor, GOOD, "limits", "%s; the machine has %lld processors and %.1f GiB",
                   text_string(&kept), (long long)about->processors,
                   (double)about->memory_bytes / GIB);
    else
        doctor_say(doctor, NOTE, "limits", "the engine does not tell what it can limit");
}

/* Only on this machine: the folder is the engine's, and over there it may be another's. */
static void say_disk(struct doctor *doctor, const struct engine_about *about,
                     const struct engine_location *way) {
    struct statvfs disk;
    if (way->socket == NULL || about->folder == NULL || statvfs(about->folder, &disk) < 0) {
        doctor_say(doctor, NOTE, "disk",
                   "how much room the engine has in %s is not told: it is on another machine, or "
                   "only root sees its folder",
                   about->folder != NULL ? about->folder : "its folder");
        return;
    }
    long long left = (long long)disk.f_bavail * (long long)disk.f_frsize;
    doctor_say(doctor, left < DISK_LOW ? PROBLEM : GOOD, "disk", "%.1f GiB are left in %s%s",
               (double)left / GIB, about->folder,
               left < DISK_LOW ? ": pulls and builds will fail for it; `docker system prune` makes "
                                 "room"
                               : "");
}

static void say_emulation(struct doctor *doctor, const struct engine_about *about,
                          const struct engine_location *way) {
    static const char *const foreign[][2] = {
        {"qemu-aarch64", "arm64"},   {"qemu-arm", "arm"},     {"qemu-ppc64le", "ppc64le"},
        {"qemu-riscv64", "riscv64"}, {"qemu-s390x", "s390x"}, {"qemu-x86_64", "amd64"},
    };
    _cleanup_(text_clear) struct text found = {0};
    if (way->socket == NULL) {
        doctor_say(doctor, NOTE, "platforms",
                   "%s; whether others are emulated is not told: the engine is on another machine",
                   about->platform);
        return;
    }
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        char path[64];
        snprintf(path, sizeof path, BINFMT "/%s", foreign[i][0]);
        if (file_exists(path))
            text_printf(&found, ", %s", foreign[i][1]);
    }
    if (found.length > 0)
        doctor_say(doctor, GOOD, "platforms", "%s, emulated: %s", about->platform,
                   text_string(&found) + 2);
    else
        doctor_say(doctor, NOTE, "platforms",
                   "%s alone: this machine's kernel emulates no other processor (qemu-user-static "
                   "and binfmt-support bring that)",
                   about->platform);
}

void doctor_engine(struct doctor *doctor) {
    _cleanup_(error_clear) struct error err = {0};
    _cleanup_(engine_freep) struct engine *engine = NULL;
    _cleanup_(engine_about_clear) struct engine_about about = {0};
    _cleanup_(free_pointer) char *words = NULL;
    if (engine_open(doctor->invocation->options.values[OPTION_ENGINE], doctor->invocation->cancel,
                    &engine, &err) == 0 &&
        engine_ask_about(engine, &about, &err) == 0)
        words = engine_about_words(&about, &err);
    if (words == NULL) {
        doctor_say(doctor, PROBLEM, "engine", "%s", error_message(&err));
        return;
    }
    const struct engine_location *way = engine_location(engine);
    doctor_say(doctor, GOOD, "engine", "%s at %s, from %s", words, engine_address(engine),
               engine_source(engine));
    say_way(doctor, way);
    say_api(doctor, &about);
    say_rights(doctor, &about);
    doctor_say(doctor, GOOD, "builds", "%s",
               engine_is_podman(engine)
                   ? "Buildah, Podman's own: it takes what BuildKit takes"
                   : "BuildKit, else the classic builder where the engine has none");
    say_limits(doctor, &about);
    say_emulation(doctor, &about, way);
    say_disk(doctor, &about, way);
}

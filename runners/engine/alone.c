#include "runners/engine/alone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gate/base/file.h"
#include "gate/base/tar.h"
#include "runners/engine/container.h"
#include "runners/engine/volume.h"

#define MOUNT "/hosts" /* of the volume, in the container that never starts */

/* What a Docker Engine writes for network mode "none". */
static const char hosts[] = "127.0.0.1\tlocalhost\n"
                            "::1\tlocalhost ip6-localhost ip6-loopback\n"
                            "fe00::0\tip6-localnet\n"
                            "ff00::0\tip6-mcastprefix\n"
                            "ff02::1\tip6-allnodes\n"
                            "ff02::2\tip6-allrouters\n";

/* Its host is a machine of its own, and what is mounted from there is looked for outside of it. */
static bool is_desktop(const json_t *info) {
    const char *system = json_string_value(json_object_get(info, "OperatingSystem"));
    return system != NULL && strstr(system, "Docker Desktop") != NULL;
}

static bool has_selinux(const json_t *info) {
    size_t index;
    const json_t *item;
    json_array_foreach(json_object_get(info, "SecurityOptions"), index, item) {
        const char *option = json_string_value(item);
        if (option != NULL && strstr(option, "selinux") != NULL)
            return true;
    }
    return false;
}

int alone_possible(struct engine *engine, bool *possible, struct error *err) {
    *possible = false;
    long status;
    json_auto_t *version = NULL;
    json_auto_t *info = NULL;
    struct engine_call call = {.method = "GET", .path = "/version"};
    if (engine_call(engine, &call, &status, &version, err) < 0)
        return -1;
    bool docker = false;
    size_t index;
    const json_t *item;
    json_array_foreach(json_object_get(version, "Components"), index, item) {
        const char *name = json_string_value(json_object_get(item, "Name"));
        docker = docker || (name != NULL && strcmp(name, "Engine") == 0);
    }
    if (!docker)
        return 0;
    call.path = "/info";
    if (engine_call(engine, &call, &status, &info, err) < 0)
        return -1;
    *possible = json_is_object(info) && !has_selinux(info) && !is_desktop(info);
    return 0;
}

static int find_folder(struct engine *engine, struct alone *alone, struct error *err) {
    _cleanup_(free_pointer) char *path = string_format(err, "/volumes/%s", alone->volume);
    if (path == NULL)
        return -1;
    long status;
    json_auto_t *answer = NULL;
    struct engine_call call = {.method = "GET", .path = path};
    if (engine_call(engine, &call, &status, &answer, err) < 0)
        return -1;
    const char *folder = json_string_value(json_object_get(answer, "Mountpoint"));
    if (folder == NULL || folder[0] != '/')
        return error_set(err, ERROR_PROTOCOL, "the engine does not tell where it keeps %s",
                         alone->volume);
    alone->folder = string_dup(folder, err);
    return alone->folder != NULL ? 0 : -1;
}

static int write_files(int fd, size_t count, struct error *err) {
    _cleanup_(tar_freep) struct tar *tar = tar_new(fd, err);
    _cleanup_(file_closep) int content = memfd_create("hosts", MFD_CLOEXEC);
    if (tar == NULL)
        return -1;
    if (content < 0)
        return error_set_errno(err, "make a file in memory");
    if (file_write_all(content, hosts, sizeof hosts - 1, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "%zu", i);
        if (lseek(content, 0, SEEK_SET) < 0)
            return error_set_errno(err, "read a file in memory");
        if (tar_add_file(tar, name, 0644, content, sizeof hosts - 1, err) < 0)
            return -1;
    }
    return tar_finish(tar, err);
}

/* Into a container with the volume, which is made for that only. */
static int fill(const struct alone_wish *wish, const struct alone *alone, struct error *err) {
    _cleanup_(file_closep) int fd = memfd_create("hosts.tar", MFD_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, "make a file in memory");
    if (write_files(fd, alone->count, err) < 0)
        return -1;
    json_auto_t *spec = json_pack("{s:s, s:[s], s:o, s:b, s:{s:s, s:[{s:s, s:s, s:s, s:{s:b}}]}}",
                                  "Image", wish->image, "Entrypoint", "/never-started", "Labels",
                                  labels_to_json(wish->labels), "NetworkDisabled", 1, "HostConfig",
                                  "NetworkMode", "none", "Mounts", "Type", "volume", "Source",
                                  alone->volume, "Target", MOUNT, "VolumeOptions", "NoCopy", 1);
    if (spec == NULL)
        return error_no_memory(err);
    _cleanup_(free_pointer) char *id = NULL;
    int result = container_create(wish->cleaner, alone->volume, spec, &id, err);
    if (result == 0)
        result = container_put(wish->engine, id, MOUNT, fd, lseek(fd, 0, SEEK_END), err);
    _cleanup_(error_clear) struct error why = {0};
    if (container_remove(wish->cleaner, id != NULL ? id : alone->volume, &why) < 0 && result == 0)
        result = error_move(err, &why);
    return result;
}

int alone_make(const struct alone_wish *wish, struct alone *out, struct error *err) {
    *out = (struct alone){.volume = string_dup(wish->name, err), .count = wish->count};
    if (out->volume == NULL ||
        volume_create(wish->cleaner, wish->name, wish->labels, NULL, err) < 0 ||
        fill(wish, out, err) < 0)
        return -1;
    return find_folder(wish->engine, out, err);
}

int alone_remove(struct engine *cleaner, const struct alone *alone, struct error *err) {
    return alone->volume != NULL ? volume_remove(cleaner, alone->volume, err) : 0;
}

void alone_clear(struct alone *alone) {
    free(alone->volume);
    free(alone->folder);
    *alone = (struct alone){0};
}

char *alone_hosts(const struct alone *alone, size_t n, struct error *err) {
    if (n >= alone->count) {
        error_set(err, ERROR_BUG, "no hosts file %zu of %zu", n, alone->count);
        return NULL;
    }
    return string_format(err, "%s/%zu", alone->folder, n);
}

int alone_apply(json_t *spec, const char *hosts_path, struct error *err) {
    json_t *mounts = json_object_get(json_object_get(spec, "HostConfig"), "Mounts");
    if (!json_is_array(mounts) || json_object_set_new(spec, "NetworkDisabled", json_true()) < 0 ||
        json_array_append_new(mounts, json_pack("{s:s, s:s, s:s}", "Type", "bind", "Source",
                                                hosts_path, "Target", "/etc/hosts")) < 0)
        return error_no_memory(err);
    return 0;
}

#include "runners/inside.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gate/base/file.h"
#include "gate/base/tar.h"
#include "runners/engine/container.h"

#define MEMORY_BYTES (32LL << 20) /* the runtime's own start needs most of it */
#define PIDS         32           /* probes that are started in it, and the runtime's threads */

/* of runners/inside/bytes.S */
extern const char inside_bytes[];
extern const uint64_t inside_bytes_size;

#if defined(__x86_64__)
#define PLATFORM "linux/amd64"
#elif defined(__aarch64__)
#define PLATFORM "linux/arm64"
#elif defined(__arm__)
#define PLATFORM "linux/arm"
#elif defined(__i386__)
#define PLATFORM "linux/386"
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define PLATFORM "linux/ppc64le"
#elif defined(__s390x__)
#define PLATFORM "linux/s390x"
#elif defined(__riscv) && __riscv_xlen == 64
#define PLATFORM "linux/riscv64"
#else
#define PLATFORM "linux/unknown"
#endif

int inside_check(const char *platform, struct error *err) {
    if (strcmp(platform, PLATFORM) == 0)
        return 0;
    return error_set(err, ERROR_ENGINE,
                     "this pingate is built for %s and the engine runs %s, so its own program "
                     "(pingate-inside) cannot run there",
                     PLATFORM, platform);
}

const char *inside_program(size_t *size) {
    *size = (size_t)inside_bytes_size;
    return inside_bytes;
}

/* A file of memory. -1 with *err set. */
static int memory_file(const char *name, struct error *err) {
    int fd = memfd_create(name, MFD_CLOEXEC);
    return fd >= 0 ? fd : error_set_errno(err, "memory for %s", name);
}

int inside_tar(int *fd, int64_t *size, struct error *err) {
    *fd = -1;
    size_t length;
    const char *bytes = inside_program(&length);
    _cleanup_(file_closep) int program = memory_file("pingate-inside", err);
    _cleanup_(file_closep) int archive = program < 0 ? -1 : memory_file("pingate-inside.tar", err);
    if (archive < 0 || file_write_all(program, bytes, length, err) < 0)
        return -1;
    if (lseek(program, 0, SEEK_SET) < 0)
        return error_set_errno(err, "pingate-inside");
    _cleanup_(tar_freep) struct tar *tar = tar_new(archive, err);
    if (tar == NULL ||
        tar_add_file(tar, "pingate-inside", 0755, program, (int64_t)length, err) < 0 ||
        tar_finish(tar, err) < 0)
        return -1;
    *size = lseek(archive, 0, SEEK_CUR);
    if (*size < 0)
        return error_set_errno(err, "pingate-inside");
    *fd = archive;
    archive = -1;
    return 0;
}

static json_t *host_config(const struct inside_wish *wish) {
    json_t *host = json_pack(
        "{s:s, s:[s], s:[s], s:b, s:I, s:I, s:I, s:{s:s}, s:[{s:s, s:s, s:{s:o}}]}", "NetworkMode",
        wish->network, "CapDrop", "ALL", "SecurityOpt", "no-new-privileges", "ReadonlyRootfs", 1,
        "Memory", (json_int_t)MEMORY_BYTES, "MemorySwap", (json_int_t)MEMORY_BYTES, "PidsLimit",
        (json_int_t)PIDS, "LogConfig", "Type", "json-file", "Mounts", "Type", "volume", "Target",
        INSIDE_FOLDER, "VolumeOptions", "Labels", labels_to_json(wish->labels));
    if (host != NULL && wish->root)
        json_object_del(host, "CapDrop");
    if (host != NULL && wish->mounts != NULL &&
        json_array_extend(json_object_get(host, "Mounts"), wish->mounts) < 0) {
        json_decref(host);
        host = NULL;
    }
    return host;
}

/* Pure. NULL without memory. */
static json_t *body_of(const struct inside_wish *wish) {
    json_t *words = json_pack("[s]", INSIDE_PROGRAM);
    for (const char *const *word = wish->words; words != NULL && *word != NULL; word++)
        if (json_array_append_new(words, json_string(*word)) < 0) {
            json_decref(words);
            words = NULL;
        }
    return json_pack("{s:s, s:o, s:s, s:s, s:{s:[s]}, s:o, s:o}", "Image", wish->image,
                     "Entrypoint", words, "User", wish->root ? "0:0" : "65534:65534", "WorkingDir",
                     "/", "Healthcheck", "Test", "NONE", "Labels", labels_to_json(wish->labels),
                     "HostConfig", host_config(wish));
}

int inside_make(const struct inside_wish *wish, char **id, struct error *err) {
    _cleanup_(file_closep) int tar = -1;
    int64_t size;
    json_auto_t *body = body_of(wish);
    *id = NULL;
    if (body == NULL)
        return error_no_memory(err);
    if (inside_tar(&tar, &size, err) < 0)
        return -1;
    if (container_create_for(wish->cleaner, wish->name, wish->platform, body, id, err) == 0 &&
        container_put(wish->engine, *id, INSIDE_FOLDER, tar, size, err) == 0)
        return 0;
    return error_wrap(err, "make a helper container");
}

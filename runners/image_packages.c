#include "runners/image_packages.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gate/base/file.h"
#include "gate/base/untar.h"
#include "runners/engine/container.h"

#define ARCHIVE_LIMIT (IMAGE_PACKAGES_BYTES + (8u << 20)) /* headers and padding of many files */

static const struct source {
    const char *path;
    enum package_format format;
    bool folder; /* a file for each package */
    bool
        alternate; /* only where none of those above is there: each question takes an engine a mount */
} sources[IMAGE_PACKAGES_SOURCES] = {
    {"/var/lib/dpkg/status", PACKAGES_DPKG, false, false},
    {"/var/lib/dpkg/status.d", PACKAGES_DPKG, true, false},
    {"/lib/apk/db/installed", PACKAGES_APK, false, true},
    {"/usr/lib/apk/db/installed", PACKAGES_APK, false, true},
};

/* What tells that there are packages which nobody here can name. */
static const struct sign {
    const char *path, *words;
} signs[] = {
    {"/var/lib/rpm/rpmdb.sqlite", "a database of RPM, which is not read"},
    {"/usr/lib/sysimage/rpm/rpmdb.sqlite", "a database of RPM, which is not read"},
    {"/var/lib/rpm/Packages", "a database of RPM, which is not read"},
    {"/var/lib/rpm/Packages.db", "a database of RPM, which is not read"},
    {"/usr/lib/sysimage/rpm/Packages.db", "a database of RPM, which is not read"},
    /* perhaps a link to nowhere, which Podman answers as if nothing was there */
    {"/var/lib/dpkg", "the folder of dpkg's database without the database"},
    {"/lib/apk/db", "the folder of apk's database without the database"},
};

/* ---- one archive ---- */

struct taking {
    const struct source *source;
    struct package_reader reader; /* of the file that is at hand */
    struct package_list *packages;
    bool found; /* the database itself */
};

/* Whether the entry is a file of the database: itself, or one right below its folder. */
static bool is_of_database(const struct source *source, const char *name) {
    const char *last = strrchr(source->path, '/') + 1;
    size_t length = strlen(last);
    if (strcmp(name, last) == 0)
        return true; /* also where a folder was expected: then it is no database */
    return source->folder && strncmp(name, last, length) == 0 && name[length] == '/' &&
           strchr(name + length + 1, '/') == NULL && !string_has_suffix(name, ".md5sums");
}

static int choose(void *context, const char *name, bool regular, char **path, struct error *err) {
    struct taking *taking = context;
    const struct source *source = taking->source;
    if (!is_of_database(source, name))
        return 0;
    if (regular && source->folder && strchr(name, '/') == NULL)
        return error_set(err, ERROR_PROTOCOL, "it is no folder");
    taking->found = true;
    taking->reader = (struct package_reader){.format = source->format, .list = taking->packages};
    *path = string_dup(name, err);
    return *path != NULL ? 0 : -1;
}

static int on_bytes(void *context, const void *bytes, size_t length, struct error *err) {
    struct taking *taking = context;
    return package_reader_feed(&taking->reader, bytes, length, err);
}

static int on_file(void *context, const char *path, int64_t bytes, int64_t changed_s,
                   struct error *err) {
    struct taking *taking = context;
    (void)bytes, (void)changed_s;
    return package_reader_end(&taking->reader, err) < 0 ? error_wrap(err, "%s", path) : 0;
}

/* What was left out could be what matters. */
static int check_whole(const struct taking *taking, const struct untar_report *report,
                       struct error *err) {
    for (enum untar_left why = 0; why < UNTAR_LEFT_COUNT; why++)
        if (report->left[why] > 0)
            return error_set(err, ERROR_PROTOCOL, "it holds a %s, which is not read",
                             untar_left_name(why, 1));
    if (report->cut > 0 || report->stopped != NULL)
        return error_set(err, ERROR_LIMIT, "it is larger than %u MiB, or has too many files",
                         IMAGE_PACKAGES_BYTES >> 20);
    return taking->found || taking->source->folder
               ? 0
               : error_set(err, ERROR_PROTOCOL, "it is no regular file");
}

int image_packages_take(size_t number, int tar_fd, struct package_list *packages,
                        struct error *err) {
    struct taking taking = {.source = &sources[number], .packages = packages};
    struct untar_report report = {0};
    struct untar_options options = {
        .root_fd = -1,
        .limits = {PACKAGES_LIMIT, IMAGE_PACKAGES_BYTES, IMAGE_PACKAGES_BYTES},
        .choose = choose,
        .on_bytes = on_bytes,
        .on_file = on_file,
        .context = &taking};
    return untar(tar_fd, &options, &report, err) < 0 ? -1 : check_whole(&taking, &report, err);
}

/* ---- out of a container ---- */

struct copying {
    int fd;
    size_t bytes;
};

static int on_data(void *context, const char *bytes, size_t length, struct error *err) {
    struct copying *copying = context;
    if (length > ARCHIVE_LIMIT - copying->bytes)
        return error_set(err, ERROR_LIMIT, "it is larger than %u MiB", IMAGE_PACKAGES_BYTES >> 20);
    copying->bytes += length;
    return file_write_all(copying->fd, bytes, length, err);
}

/* No such path; and not: no such container. */
static bool is_nothing_there(const struct error *why) {
    return why->kind == ERROR_NOT_FOUND &&
           strcasestr(error_message(why), "no such container") == NULL;
}

static int read_source(struct engine *engine, const char *id, size_t number,
                       struct package_list *packages, bool *there, struct error *err) {
    _cleanup_(file_closep) int fd = memfd_create("packages", MFD_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, "make room for a database of packages");
    struct copying copying = {.fd = fd};
    *there = container_get(engine, id, sources[number].path, on_data, &copying, err) == 0;
    if (!*there && is_nothing_there(err)) {
        error_clear(err);
        return 0;
    }
    if (!*there)
        return -1;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return error_set_errno(err, "read a database of packages");
    return image_packages_take(number, fd, packages, err);
}

static int stop_at_once(void *context, const char *bytes, size_t length, struct error *err) {
    (void)bytes, (void)length;
    *(bool *)context = true;
    return error_set(err, ERROR_LIMIT, "it is there");
}

static int check_signs(struct engine *engine, const char *id, struct error *err) {
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        bool there = false;
        int result = container_get(engine, id, signs[i].path, stop_at_once, &there, err);
        if (!there && result < 0 && !is_nothing_there(err))
            return error_wrap(err, "%s", signs[i].path);
        error_clear(err);
        if (there || result == 0)
            return error_set(err, ERROR_INPUT, "the image has %s (%s)", signs[i].words,
                             signs[i].path);
    }
    return 0;
}

static int read_all(struct engine *engine, const char *id, struct package_list *packages,
                    struct error *err) {
    bool any = false;
    for (size_t i = 0; i < IMAGE_PACKAGES_SOURCES; i++) {
        bool there;
        if (sources[i].alternate && any)
            continue;
        if (read_source(engine, id, i, packages, &there, err) < 0)
            return error_wrap(err, "%s", sources[i].path);
        any = any || there;
    }
    return any ? 0 : check_signs(engine, id, err);
}

int image_packages_read(struct engine *engine, const char *id, struct image_facts *facts,
                        struct error *err) {
    _cleanup_(package_list_clear) struct package_list packages = {0};
    _cleanup_(error_clear) struct error why = {0};
    if (read_all(engine, id, &packages, &why) == 0)
        return image_facts_add_packages(facts, &packages, err);
    if (why.kind == ERROR_CANCELLED || why.kind == ERROR_NO_MEMORY)
        return error_move(err, &why);
    facts->packages = PACKAGES_UNKNOWN;
    free(facts->packages_reason);
    facts->packages_reason = string_dup(error_message(&why), err);
    return facts->packages_reason != NULL ? 0 : -1;
}

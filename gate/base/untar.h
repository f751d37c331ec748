/* untar: takes files out of a tar archive that strangers made, into an open folder.
 *
 *     struct untar_report report = {0};
 *     struct untar_options options = {.root_fd = folder, .choose = choose, .limits = …};
 *     untar(fd, &options, &report, err);       fd: a pipe, a socket or a file; read once from front to end, never kept
 *
 * Regular files alone are taken, and the folders that they need. What is left out is counted: links of both kinds (one could
 * lead a later entry elsewhere, and what it names may not be the caller's), devices, fifos and sockets, sparse files (a few
 * bytes that claim to be many), names that are no path below the folder, and what stands where another entry was taken before:
 * the first one wins, so that nothing is written twice. No write passes through a link that stands in the folder
 * (beneath.h). Owners, times, modes and attributes of the archive are not taken: files are 0644, folders 0755, less the umask.
 *
 * libarchive reads, with the tar format alone and no compression; headers of more than 1 MiB are malformed to it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gate/base/error.h"

#define UNTAR_DEPTH_LIMIT   64u      /* names in a path; each may cost a folder */
#define UNTAR_ENTRIES_LIMIT 1000000u /* of one archive, taken or not; more is no work of people */

/* Why an entry was left out. */
enum untar_left {
    UNTAR_LEFT_LINK,   /* symbolic or hard */
    UNTAR_LEFT_DEVICE, /* device, fifo, socket */
    UNTAR_LEFT_SPARSE,
    UNTAR_LEFT_NAME, /* absolute, with "..", empty, too long, too deep, not UTF-8, with control characters */
    UNTAR_LEFT_CLASH, /* its place is taken: a name that came twice, a file and a folder of one name, a link */
    UNTAR_LEFT_COUNT
};

struct untar_limits {
    size_t files;            /* in all */
    int64_t bytes;           /* in all */
    int64_t bytes_of_a_file; /* a larger one is cut off there */
};

struct untar_options {
    int root_fd; /* what is written stands below it */
    struct untar_limits limits;
    /* Says where an entry belongs: a path below the root (heap), or NULL to pass it by, which is not counted.
     *   in   name     a path without "." and "..", relative, without a "/" at its end
     *        regular  false: it will be left out, and is counted if it gets a path */
    int (*choose)(void *context, const char *name, bool regular, char **path, struct error *err);
    /* Takes the files' bytes instead of the folder, in which nothing is written then; a path comes as often as it comes. NULL:
     * the folder does. */
    int (*on_bytes)(void *context, const void *bytes, size_t length, struct error *err);
    /* A file was taken, after the last of its bytes: its path, the bytes that were written, and when the archive says that it was
     * changed (seconds since 1970). May be NULL. */
    int (*on_file)(void *context, const char *path, int64_t bytes, int64_t changed_s,
                   struct error *err);
    void *context;
};

/* Of all calls with the same report, so that limits hold for several archives together. */
struct untar_report {
    size_t files;
    int64_t bytes;
    size_t cut; /* files that were cut off */
    size_t left[UNTAR_LEFT_COUNT];
    /* a limit of the whole was reached and the rest was not read: "files", "bytes", "entries"; else NULL */
    const char *stopped;
};

/* err: protocol  it is no tar archive, or ends too early; a file that did not come whole is removed again
 *      io        a file could not be written;  no-memory, or what choose or on_file gave */
int untar(int fd, const struct untar_options *options, struct untar_report *report,
          struct error *err) _must_check_;

const char *untar_left_name(enum untar_left why, size_t count); /* "link", "links" */

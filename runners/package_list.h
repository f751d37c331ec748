/* package_list: what the databases of Debian's and Alpine's package managers say is installed; pure.
 *
 *     struct package_reader reader = {.format = PACKAGES_DPKG, .list = &list};
 *     package_reader_feed(&reader, bytes, length, err);      in pieces of any size
 *     package_reader_end(&reader, err);                      once a file; the list may take further ones
 *     package_list_settle(&list, err);                       sorted, each name once
 *
 *     dpkg       paragraphs of lines "Field: value", an empty line between; lines that begin with a blank go on with a field
 *                /var/lib/dpkg/status, and a file for each package in /var/lib/dpkg/status.d (distroless)
 *     apk        paragraphs of lines "L:value", an empty line between: P is the name, V the version
 *                /lib/apk/db/installed
 *
 * The files come out of images, so whoever made one chose every byte. A name or version is 1 to PACKAGE_WORD_LIMIT printable
 * characters of ASCII without a space, which both formats ask for; a paragraph without them, one that says them twice, and more
 * than PACKAGES_LIMIT of them are errors, and never a shorter list: what is missing from it would count as removed.
 *   src  deb-control(5), dpkg-query(1); apk-tools, apk-installed(5)
 */
#pragma once

#include "gate/base/array.h"
#include "gate/base/text.h"

#define PACKAGES_LIMIT     100000u /* of one image; whole distributions have fewer */
#define PACKAGE_WORD_LIMIT 255u    /* bytes of a name or a version; real ones have below 100 */

enum package_format { PACKAGES_DPKG, PACKAGES_APK };

struct package {
    char *name;
    char *
        version; /* "1:1.3.dfsg-1"; several, where one name stands there more than once: "1.2, 1.3" */
};

struct package_list {
    struct package *items;
    size_t count;
    size_t capacity;
};

/* Where a file is being read; begins with zeros but for format and list. */
struct package_reader {
    enum package_format format;
    struct package_list *list;
    char line[PACKAGE_WORD_LIMIT + 32]; /* the beginning of it; what is longer is of no interest */
    size_t length;                      /* of the whole line so far */
    size_t lines;                       /* read, for messages */
    char name[PACKAGE_WORD_LIMIT + 1], version[PACKAGE_WORD_LIMIT + 1];
    bool any;        /* the paragraph has a line */
    bool has_status; /* of dpkg */
    bool removed;    /* of dpkg: only its configuration is left, or nothing */
};

/* err: input with the line;  limit;  no-memory. The reader is of no use afterwards. */
int package_reader_feed(struct package_reader *reader, const char *bytes, size_t length,
                        struct error *err) _must_check_;
int package_reader_end(struct package_reader *reader, struct error *err) _must_check_;

/* Sorts by name. Entries of one name become one: an image for two architectures has a package twice, mostly of one version. */
int package_list_settle(struct package_list *list, struct error *err) _must_check_;
void package_list_clear(struct package_list *list);

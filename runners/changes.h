/* changes: what differs between two images, and what of it people need to know; pure.
 *
 *     struct changes changes = {0};
 *     changes_compare(&before, &after, &changes, err);     both settled, and of one source
 *     changes_words(&changes, " → ", &text);               "user 999 → root, openssl 3.0.14 → 3.0.15, 12 MB larger"
 *
 * Values that look like secrets are compared and not shown: those of variables and labels whose names say so (PASSWORD, TOKEN,
 * …), and any that hold a password in an address, a private key, or a token as the large services make them. Of labels only
 * four values are of use in a report: version, revision, source and created.
 */
#pragma once

#include "runners/image_facts.h"

#define CHANGE_VALUE_LIMIT 200u /* bytes of a name or a value that are shown */
#define CHANGE_HIDDEN      "(not shown)"

struct change {
    enum fact_kind kind;
    char *name;           /* "" where there is one of its kind; untrusted */
    char *before, *after; /* for people; NULL: it was not there; untrusted */
    bool denied;          /* deny.h */
};

struct changes {
    struct change *items; /* by importance */
    size_t count;
    size_t capacity;
    int64_t size_before, size_after; /* IMAGE_SIZE_UNKNOWN */
    size_t layers, layers_shared;    /* of the image after; shared from the lowest on */
    bool packages_known;             /* of both; else packages are left out */
};

int changes_compare(const struct image_facts *before, const struct image_facts *after,
                    struct changes *changes, struct error *err) _must_check_;

bool change_is_added(const struct change *change);
bool change_is_removed(const struct change *change);

/* "user 999 → root", "port 80/tcp is gone", "label x is new", "entrypoint [\"a\"] → [\"b\"]" */
void change_words(const struct change *change, const char *arrow, struct text *out);

/* In one line, the most important first; what is plenty is counted. Labels and times are left out. "" when there is nothing. */
void changes_words(const struct changes *changes, const char *arrow, struct text *out);

/* Whether a value may not be shown. name: of a variable or a label; "" for others */
bool change_is_secret(const char *name, const char *value);
void changes_clear(struct changes *changes);

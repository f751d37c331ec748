/* pull: what the first round of a plan has an engine pull, at most: what the engine has already is not known, and no engine is
 * asked. A failure may need more afterwards: the pinned digests, to see whether the test was broken before.
 *
 *     struct pull pull = {.platform = …};
 *     pull_plan(&plan, &updates, &pull, err);           which images
 *     pull_look_up(&pull, registry, err);               their sizes, or why they are not known
 */
#pragma once

#include "gate/registry/registry.h"
#include "pipelines/plan.h"

#define PULL_UNKNOWN ((int64_t)-1)

/* One image by digest, which is pulled once however many updates have it. */
struct pull_image {
    const char
        *image;      /* "docker.io/library/redis"; this and the next two borrow from the updates */
    const char *tag; /* of the first update that has it, for people; NULL where there is none */
    const char *digest;
    bool moved;      /* some update's candidate; else as pinned */
    size_t *updates; /* those that have it, ascending */
    size_t update_count;
    struct blob_list blobs;
    int64_t size_bytes; /* PULL_UNKNOWN: see reason */
    char *reason;       /* why it is not known, may hold untrusted text; NULL */
};

struct pull {
    struct platform platform; /* for which sizes are asked */
    struct pull_image *items; /* in the order of the updates */
    size_t count;
    size_t capacity;
    int64_t
        known_bytes; /* of all images whose size is known, each blob once; PULL_UNKNOWN when they contradict each other */
    bool all_known;  /* known_bytes is all there is to pull */
    char *reason;    /* how they contradict each other; NULL where they do not */
};

/* Pure: the images that commands of the first round run in; sizes are unknown as yet. */
int pull_plan(const struct plan *plan, const struct update_list *updates, struct pull *pull,
              struct error *err) _must_check_;

/* Asks for all sizes at once. One that cannot be had is unknown with its reason. err: cancelled, no-memory. */
int pull_look_up(struct pull *pull, struct registry *registry, struct error *err) _must_check_;

void pull_clear(struct pull *pull);

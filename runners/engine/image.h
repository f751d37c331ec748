/* image: pulls by digest, with proof. */
#pragma once

#include "gate/registry/credentials.h"
#include "runners/engine/engine.h"

/* times what one call may take: a pull without a byte for so long is dead */
#define IMAGE_PULL_IDLE_CALLS 2
#define IMAGE_PULL_CALLS      60 /* times the same: an hour for one image */

struct image_progress {
    void (*on_bytes)(void *context, int64_t done, int64_t total); /* may be NULL */
    void *context;
};

/* Whether the engine holds this digest. out: *id is the image's id, NULL when it lacks; owned. */
int image_find(struct engine *engine, const char *image, const char *digest, char **id,
               struct error *err) _must_check_;

/* What the engine's inspect says of it, once it is proved to be this digest; NULL when the engine lacks it. For image_facts.h. */
int image_show(struct engine *engine, const char *image, const char *digest, json_t **shown,
               struct error *err) _must_check_;

/* Pulls image@digest and proves that it is there under that digest afterwards.
 *   in   platform  "linux/arm64" that is asked for, where it is not the engine's own; digest is then that of an image, not of an index:
 *                  engines keep one image a digest. NULL: any
 *   err  not-found, auth-like engine errors, network, timeout; protocol when the engine holds another digest */
int image_pull(struct engine *engine, const char *image, const char *digest, const char *platform,
               const struct credential *credential, const struct image_progress *progress,
               char **id, struct error *err) _must_check_;

/* Gives an image, by its id, one more name. err: as of engine_call */
int image_tag(struct engine *engine, const char *id, const char *image, const char *tag,
              struct error *err) _must_check_;

/* Takes the reference "name@digest" away; an image in use or gone already is fine. */
int image_remove(struct engine *engine, const char *reference, struct error *err) _must_check_;

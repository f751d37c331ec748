/* build_context: what a build is sent of the project, spooled once for all trials of a run that build from it.
 *
 * All files below the folder as they stand, also what git ignores, as `docker build` takes them; less what the .dockerignore
 * beside the Dockerfile leaves out ("Dockerfile.dockerignore"), else that of the context. Left out from the beginning are `.git`
 * at any depth, which changes with every commit and would have every build begin anew, and pingate's own `.pingate` and
 * `pingate-out`; a line "!.git" in the .dockerignore brings it in. Links are sent as links; what is neither file, folder nor
 * link is left out. Owner root, time 0, modes as they are, sorted: equal trees give equal bytes, so that builders find what
 * they built before.
 *
 * The Dockerfile and the .dockerignore are files like others: who leaves them out does not send them. What is built from is
 * the side Dockerfile (trial_build.h).
 */
#pragma once

#include <stdint.h>

#include "gate/base/cancel.h"
#include "gate/base/hash.h"
#include "gate/base/text.h"
#include "gate/pin.h"

#define BUILD_CONTEXT_DEPTH 200u /* folders in folders */

struct build_context {
    char *folder;       /* from the root on, without links; "." is the root */
    char *dockerfile;   /* the same; as pins name it */
    int fd;             /* the tar, without its end */
    int64_t size_bytes; /* of it */
    size_t files;
    char hash
        [HASH_HEX_SIZE]; /* but for its pins, see workspace_hash.h; "" when it changed since the scan */
    struct text ignore; /* the .dockerignore that holds; empty where there is none */
};

/* Where a build is: pure looking, nothing is copied.
 *   in   folder, dockerfile  as written: from the root on, from the folder on
 *   out  real_folder, real_dockerfile  without links; heap
 *   err  config  there is none, or a link leads out of the project */
int build_context_find(const char *root, const char *folder, const char *dockerfile,
                       char **real_folder, char **real_dockerfile, struct error *err) _must_check_;

/* in   folder, dockerfile  as build_context_find gave them
 *      pins                of the project, sorted by file
 * err  input  the .dockerignore is malformed;  limit, io, conflict, cancelled */
int build_context_make(const char *root, const char *folder, const char *dockerfile,
                       const struct pin_list *pins, const struct cancel *cancel,
                       struct build_context *out, struct error *err) _must_check_;
void build_context_clear(struct build_context *context);

/* The last entries of a context, and its end: the side Dockerfile; for builders that read it, also the .dockerignore that holds,
 * with the side Dockerfile in it, so that they do not copy it. err: io, no-memory */
int build_context_tail(const struct build_context *context, const char *name,
                       const struct text *side, bool with_ignore, struct text *out,
                       struct error *err) _must_check_;

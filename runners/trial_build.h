/* trial_build: the image that a trial's commands run in, built from the project with the tested digests in its Dockerfile.
 *
 *     side Dockerfile → the context and it as a tar → POST /build → the image → proof → … commands … → removed
 *
 * The project's own Dockerfile stays as it is, also in the context. The side Dockerfile is one more file of it, named by the hash
 * of what it holds, so that an engine finds what it has built of it before; where a whole context is copied (`COPY . .`),
 * BuildKit copies that file too, since it reads no .dockerignore of a context that was sent.
 *
 * A pass of a build needs all of: the stream ended whole and told of no failure; the engine names an image and holds it, with a
 * label that no other build has; and each base that the test covers was taken into the build, by its digest. A base of a
 * stage that the target does not need is not taken in, and then nothing is known of it: an `error`, not a pass.
 *
 * What failed is `failed` when a step of the Dockerfile did (a command that exits with another code than 0, a file that is not
 * there), else an `error`: a registry that does not answer says nothing of the candidate. The build uses up the test's time
 * before its commands do. Neither memory nor processors of a build are limited: BuildKit has no such thing.
 *
 * Bases are pulled before, with the caller's credentials, so that the builder asks no registry for them. An engine that keeps
 * images in containerd's store does ask, and falls back to what it has under that name, so there each base gets a name of its
 * own for the time of the build: `R:pingate-RUN-…@sha256:…` in the side Dockerfile.
 */
#pragma once

#include "runners/trial_run.h"

#define TRIAL_DOCKERFILE                                                                           \
    "Dockerfile" /* the side Dockerfile in the trial's log folder, for people */

/* Fills result->build; its outcome says what came of it. err: only cancelled, no-memory */
int trial_build(const struct trial_run *run, const struct trial_spec *spec,
                struct trial_result *result, struct error *err) _must_check_;

/* Takes away what was built and what lies between, also of a build that failed. Once no container uses it. */
void trial_build_remove(const struct trial_run *run, const struct trial_spec *spec);

/* Pure. Has each `name@digest` of the Dockerfile name the tag instead of its own: "redis:7@sha256:…" becomes
 * "redis:TAG@sha256:…". err: no-memory */
int side_dockerfile_tag(const struct text *side, const char *digest, const char *tag,
                        struct text *out, struct error *err) _must_check_;

void trial_build_clear(struct trial_build *build);
void build_result_clear(struct build_result *result);

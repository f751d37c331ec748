/* artifacts: fetches files of a trial's workspace out of a container, through the engine's archive call.
 *
 * What comes is hostile, for it is what the image under test made: gate/base/untar.h takes regular files alone, below the folder
 * that is given, and no more of them than the limits here allow. It goes from the engine's answer to the disk in pieces; a
 * thread of its own unpacks, because libarchive asks for bytes and an answer brings them. The two share a socket and nothing
 * else.
 *
 * An artifact that cannot be fetched is never an error: it becomes a warning, and the outcome of the trial stays what it is. JUnit
 * files come the same way and count (trial_run.h, `check`), so what is known of them is told apart: which the test wrote, what was
 * no regular file, and whether all came. A file with the time at which the workspace was copied in (0, see tar.h) came with
 * the project: a report of an earlier run on somebody's machine proves nothing.
 *   src  Docker Engine API, GET /containers/{id}/archive; seen on Docker Engine 20.10
 */
#pragma once

#include "runners/engine/engine.h"
#include "runners/trial.h"

/* Of one trial. Beyond them nothing is taken, and that is told. */
#define ARTIFACTS_FILES      10000u      /* a report of many pages; more fills disks with inodes */
#define ARTIFACTS_BYTES      (1LL << 30) /* 1 GiB: CI systems take about as much for a job */
#define ARTIFACTS_FILE_BYTES (256LL << 20) /* of one file; a larger one is cut off there */
/* 2 GiB of archives, whatever is taken out of them: a sparse file of a terabyte comes as a terabyte of zeros */
#define ARTIFACTS_ARCHIVE_BYTES (2LL << 30)
#define ARTIFACTS_NAMED         200u /* files that are named; the others are counted */

/* in   id        of the container; its volume has the workspace
 *      test      whose `artifacts` and `junit` are patterns of artifact_names.h
 *      folder    made, with what is above it; must not hold anything yet
 * out  artifacts  what came, with warnings for what did not; cleared by artifacts_clear, also on -1
 * err  no-memory */
int artifacts_fetch(struct engine *engine, const char *id, const struct test *test,
                    const char *folder, struct artifacts *artifacts,
                    struct error *err) _must_check_;
void artifacts_clear(struct artifacts *artifacts);

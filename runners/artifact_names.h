/* artifact_names: which files of a trial's workspace are its artifacts, by the patterns of pingate.yaml; pure.
 *
 *     artifacts: [out.txt, build/report]
 *
 * A pattern is a glob (glob.h) for the whole path from the workspace on: "out.txt" is that file and none below a folder, which is
 * what two stars before it would say. A pattern that matches a folder takes all that is below it, with or without a "/" at
 * its end. A leading "./" is nothing.
 */
#pragma once

#include "gate/base/array.h"

#define ARTIFACT_PATTERNS_LIMIT 100u  /* of one test; each may cost a call */
#define ARTIFACT_PATTERN_LIMIT  1000u /* bytes */

/* err: config  it is no glob, too long, absolute, or leads out of the workspace */
int artifact_pattern_check(const char *pattern, struct error *err) _must_check_;

/* The first pattern that takes the file, or -1. path: from the workspace on. */
int artifact_match(const struct string_list *patterns, const char *path);

/* Whether a pattern of `junit` takes the file as JUnit: it stands for this path, or for a folder above and the name ends in ".xml". */
bool artifact_match_junit(const char *pattern, const char *path);

/* The folders and files below which everything is that the patterns can take, none below another one: "build/report" and
 * "out.txt" above, "" for the whole workspace. out: cleared by the caller, also on -1. err: no-memory */
int artifact_bases(const struct string_list *patterns, struct string_list *out,
                   struct error *err) _must_check_;

/* Whether a path is the base, or below it. */
bool artifact_is_below(const char *path, const char *base);

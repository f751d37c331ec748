/* plan_build: what tests with `build` are built from: the pins of their Dockerfiles, and the side Dockerfile of one trial.
 *
 *     plan_builds_find(&config, root, &pins, &builds, err);      looks at the project
 *     plan_make(&config, &updates, &builds, …);
 *     plan_build_spec(built, &updates, moved, …, &spec, err);    for one question of the judge
 */
#pragma once

#include "gate/update.h"
#include "pipelines/config.h"
#include "runners/trial.h"

#define DOCKERFILE_LIMIT (1u << 20) /* bytes */

/* One test with its build. */
struct plan_built {
    const struct test *test;
    char *folder, *dockerfile; /* from the project on, without links */
    size_t first_pin;          /* its pins are neighbours in the list of the scan */
    size_t pin_count;
};

struct plan_builds {
    struct plan_built *items;
    size_t count;
    size_t capacity;
};

/* Also notes the images of each Dockerfile in its test's `build`, by which plan_test_covers goes.
 *   in   pins  of the scan, sorted by file
 *   err  config  "file:line: test …": no such folder or file, a link out of the project */
int plan_builds_find(const struct config *config, const char *root, const struct pin_list *pins,
                     struct plan_builds *builds, struct error *err) _must_check_;
void plan_builds_clear(struct plan_builds *builds);

/* Of the test; NULL where it builds nothing. builds: may be NULL */
const struct plan_built *plan_built_of(const struct plan_builds *builds, const struct test *test);

/* Whether the update has a pin in the Dockerfile. built: NULL has none */
bool plan_built_has(const struct plan_built *built, const struct update *update);

/* Fills spec->build: each pin of the Dockerfile at its update's candidate where that is moved, else at its own value.
 *   in   bytes    of the Dockerfile, as it was scanned
 *        covers   updates that the trial is a test of, ascending
 *   err  conflict  the file is not as it was scanned */
struct plan_build_question {
    const struct plan_built *built;
    const struct pin_list *pins;
    const struct update_list *updates;
    const bool *moved;
    const size_t *covers;
    size_t cover_count;
};

int plan_build_spec(const struct plan_build_question *question, const struct text *bytes,
                    struct trial_spec *spec, struct error *err) _must_check_;

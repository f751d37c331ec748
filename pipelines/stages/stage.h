/* stage: a named group of files with the rule for entering it, as pingate.yaml declares it; who owns which pin.
 *
 *     stages:
 *       - name: staging
 *         files: ["deploy/staging/"]
 *       - name: production
 *         files: ["deploy/production/"]
 *         from: staging           # `pingate promote production` copies sets from there
 *         soak: 24h               # each value has stood there for so long
 *         approvals: 1            # by so many people
 *         tests: [smoke]          # run before entering, on the set; a test that is named here is this stage's alone
 *         promote: all            # as at the top, for this stage
 *         map: {registry.staging.example.com: registry.example.com/prod}
 *
 * A stage without `from` is an entry stage: `run` gates registry candidates into its files, and into the files that no stage
 * claims (their stage is "default"). A stage with `from` is written by `promote` and `rollback` alone. A file that two stages
 * claim is an error that names the file.
 */
#pragma once

#include <stdint.h>

#include "gate/base/array.h"
#include "gate/pin.h"
#include "gate/set.h"
#include "gate/update.h"

#define STAGE_DEFAULT         "default" /* of files that no stage claims; no stage may be named so */
#define STAGE_LIMIT           64        /* stages of a project */
#define STAGE_NONE            UPDATE_NO_STAGE
#define STAGE_APPROVALS_LIMIT 100

struct stage_map {
    char *
        from; /* domain, or domain and leading parts of the path: "registry.staging.example.com/team" */
    char *to; /* what stands there instead */
};

struct stage_map_list {
    struct stage_map *items;
    size_t count;
    size_t capacity;
};

struct stage {
    char *name;                             /* [A-Za-z0-9._-]+, unique */
    struct string_list files;               /* globs of files (glob_match_file) */
    char *from;                             /* name of the stage before; NULL: an entry stage */
    int64_t soak_ms;                        /* 0: none */
    int64_t approvals;                      /* distinct people; 0: none */
    struct string_list tests;               /* names of top-level tests that are this stage's own */
    bool promote_is_given, promote_passing; /* else the top-level setting */
    struct stage_map_list map;              /* names in `from` -> names here */
    int line;                               /* in pingate.yaml, from 1 */
};

struct stage_list {
    struct stage *items; /* in the order of the file */
    size_t count;
    size_t capacity;
};

/* The stage of that number; NULL for STAGE_NONE, and whatever is none. */
const struct stage *stage_at(const struct stage_list *stages, size_t stage);

/* Its name, "default" for none. */
const char *stage_name(const struct stage_list *stages, size_t stage);

/* The stage with that name, or NULL. */
const struct stage *stage_find(const struct stage_list *stages, const char *name);

/* The stage that claims the file: its index; STAGE_NONE for none.
 * err: config when two claim it, with both stages and the file. */
int stage_of_file(const struct stage_list *stages, const char *file, size_t *stage,
                  struct error *err) _must_check_;

/* out: one index (or STAGE_NONE) a pin. The caller frees. NULL with *err set. */
size_t *stage_of_pins(const struct stage_list *stages, const struct pin_list *pins,
                      struct error *err) _must_check_;

/* The set that stands in the files of that stage; STAGE_NONE: in those that no stage claims. */
int stage_set(const struct pin_list *pins, const size_t *stage_of_pins, size_t stage,
              struct set *out, struct error *err) _must_check_;

/* The name that an image of `from` has in the stage: the longest `from` of its map that is a whole leading part. Heap. */
char *stage_map_image(const struct stage *stage, const char *image, struct error *err) _must_check_;

/* Whether the test is run on what is to enter the stage (NULL: the files that no stage claims): those that it names; an entry
 * stage that names none has all tests that no other stage names, a stage with `from` that names none has none. */
bool stage_runs_test(const struct stage_list *stages, const struct stage *stage, const char *test);

void stage_clear(struct stage *stage);
void stage_list_clear(struct stage_list *stages);

/* state_parts: what state.c shares with the kinds of state; for nobody else. */
#pragma once

#include "pipelines/state/state.h"

struct state_kind {
    const char *name; /* "folder" */
    /* as state_read and state_update */
    int (*read)(struct state *state, const struct state_file *file, struct text *bytes,
                bool *absent, struct error *err);
    int (*update)(struct state *state, const struct state_file *file, state_merge *merge,
                  void *context, char **aside, struct error *err);
};

struct state {
    const struct state_kind *kind;
    char *root;
    char *folder;   /* of a folder; relative to the root when it is `beneath` */
    bool beneath;   /* pingate.yaml named it: it stays below the root, through no link */
    char *branch;   /* of a branch */
    char *remote;   /* of a branch: a name that the clone knows */
    char *words;    /* for people */
    bool may_write; /* the caller granted it */
    struct cancel *cancel;
};

extern const struct state_kind state_folder, state_branch;

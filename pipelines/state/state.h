/* state: what pingate remembers from run to run and what is no part of the project: when it saw a digest first. Losing it
 * costs time (cooldowns start over), never a false pass. It never enters a pull request.
 *
 *     struct state *state;
 *     state_open(&options, &state, err);                       NULL where none is wanted
 *     state_read(state, &state_sightings, &bytes, &absent, err);
 *     state_update(state, &state_sightings, merge, context, &aside, err);
 *     state_free(state);
 *
 * It is a few small files in one of two places; each is one table of functions (state_parts.h):
 *
 *     a folder    that CI keeps in its cache, or that stays on a machine. Written under a lock, by rename; ignores itself in git
 *     a branch    of the project's remote, which pingate pushes: orphan, with these files and a README, one commit a change
 *
 * Two runs may write at once: an update hands what stands there now to `merge`, and where another run was faster the branch is
 * fetched and merged again. A file that is damaged is kept aside under another name (in a branch: in its history) and told.
 *
 * Who may grant. A fork can edit pingate.yaml: the file requests, the caller grants.
 *
 *     pingate.yaml                        --state, or $PINGATE_STATE         what happens
 *     state: {folder: DIR}                                                   DIR: below the project, through no link, and not
 *                                                                            part of the repository
 *     state: {branch: NAME, remote: R}                                       only read, and that is said
 *     state: {branch: NAME, remote: R}    branch                             read and pushed; NAME begins with "pingate"
 *     any                                 branch:NAME                        that branch, whatever its name
 *     any                                 DIR                                that folder, wherever it is
 *     any                                 none                               no state
 *
 * A remote is a name that the clone knows, never an address. A branch that holds other things than state is not written.
 */
#pragma once

#include <stdint.h>

#include "gate/base/cancel.h"
#include "gate/base/text.h"

#define STATE_ENVIRONMENT    "PINGATE_STATE"
#define STATE_BRANCH_PREFIX  "pingate" /* of branches that pingate.yaml may name */
#define STATE_DEFAULT_REMOTE "origin"
#define STATE_NAME_LIMIT     200 /* bytes of a branch's or remote's name; files stand for them */

/* As pingate.yaml has it; all NULL where it has none. */
struct state_config {
    char *folder; /* relative to the root */
    char *branch;
    char *remote; /* NULL: STATE_DEFAULT_REMOTE */
};

struct state_options {
    const char *root;
    const struct state_config *config;
    const char *given;     /* --state, else $PINGATE_STATE; NULL: neither */
    struct cancel *cancel; /* may be NULL */
};

struct state_file {
    const char *name;
    size_t limit; /* bytes */
};

extern const struct state_file state_sightings;

/* Names that git takes as they are, and no option, address or range. Pure. */
bool state_branch_valid(const char *name);
bool state_remote_valid(const char *name);

struct state;

/* out  state  NULL when nobody asked for one
 * err  usage  --state asks for what there is not;  config  what the project asks for is refused;  input, io, no-memory */
int state_open(const struct state_options *options, struct state **out,
               struct error *err) _must_check_;
void state_free(struct state *state);
void state_freep(struct state **state);

const char *state_words(const struct state *state); /* "branch pingate-state of origin" */

/* Whether the caller granted writing. When not, state_update does nothing. */
bool state_may_write(const struct state *state);

/* out  bytes   empty when absent
 * err  limit, input  it is no file of ours;  auth, network, io, timeout, cancelled, no-memory */
int state_read(struct state *state, const struct state_file *file, struct text *bytes, bool *absent,
               struct error *err) _must_check_;

/* Makes new bytes of those that stand there; may be called again when another run was faster.
 *   in   old      NULL: absent
 *   out  new      empty: nothing is to be written
 *        damaged  old is to be kept aside */
typedef int state_merge(void *context, const struct text *old, struct text *new, bool *damaged,
                        struct error *err);

/* out  aside  where the damaged bytes are now, for people; NULL: they were not. Heap
 * err  as state_read, and conflict  others wrote at the same time, again and again */
int state_update(struct state *state, const struct state_file *file, state_merge *merge,
                 void *context, char **aside, struct error *err) _must_check_;

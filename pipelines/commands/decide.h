/* decide: what the commands share that record a decision: approve, deny, hold, release.
 *
 *     desk_open      what a crash left is settled; configuration, what stands in the stages, the ledger
 *     desk_draft     an entry with who, when, why and until; its words must live as long as the desk
 *     desk_record    writes the drafts as one file of the ledger
 *     desk_print     what was recorded: for people what desk->words holds, or the entries as JSON
 */
#pragma once

#include "pipelines/commands/command.h"
#include "pipelines/gate.h"
#include "pipelines/stages/decision.h"
#include "pipelines/stages/ledger_write.h"
#include "pipelines/stages/subject.h"

struct desk {
    struct invocation *invocation;
    struct config config;
    struct result result;
    struct gate_options options;
    struct gate gate;              /* its ledger, sets and drafts */
    int64_t now_ms, until_ms;      /* until_ms 0: no end */
    struct decision_list counting; /* what counted before */
    struct ledger_file file;       /* what was recorded; path NULL: nothing */
    struct text words;             /* for people */
};

int desk_open(struct invocation *invocation, struct desk *desk, struct error *err) _must_check_;
void desk_close(struct desk *desk);

/* The stage of that name. err: usage, with the near name */
const struct stage *desk_stage(const struct desk *desk, const char *name, struct error *err);
size_t desk_stage_number(const struct desk *desk, const struct stage *stage);

/* What a word names. stage: whose sets are meant; NULL for all. err: usage */
int desk_find(const struct desk *desk, const char *word, const struct stage *stage, bool images,
              bool unseen, struct subject *out, struct error *err) _must_check_;
/* err: usage without --reason */
int desk_needs_reason(const struct desk *desk, struct error *err) _must_check_;

struct ledger_entry *desk_draft(struct desk *desk, enum ledger_type type, struct error *err);
void desk_draft_subject(struct ledger_entry *draft, const struct subject *subject);
int desk_record(struct desk *desk, struct error *err) _must_check_;

/* "set 3f2a90c1d4e5", "sha256:3f2a90c1d4e5", "redis", and " for production", as the entry says them. */
void desk_name(struct text *out, const struct ledger_entry *entry);

/* Prints what `words` holds by now, and empties them; nothing with --json. */
int desk_say(struct desk *desk, struct error *err) _must_check_;
int desk_print(struct desk *desk, struct error *err) _must_check_;

/* lookup_parts: what lookup.c shares with lookup_cooldown.c; for nobody else. */
#pragma once

#include "gate/policy/cooldown.h"
#include "pipelines/lookup.h"

struct round {
    struct registry *registry;
    const struct lookup_progress *progress;
    struct lookup_memory *memory;
    size_t done, total;
};

#define LOOKUP_TAGS_LIMIT 10 /* tags that are asked for, one after the other: a request each */

/* One update's questions: the tags if its policy needs them, then digests, until one may be the candidate. */
struct question {
    struct round *round;
    struct update *update;
    struct reference name; /* image and tag that is asked for now */

    /* With a cooldown, or behind candidates that were given up: what else may follow, and what it waits for.
     * lookup_cooldown.c */
    struct string_list tags; /* allowed by the policy, newest first; the last is update->follow */
    size_t next_tag;         /* of these, that is asked next */
    struct string_list digests; /* old enough, of name.tag, newest first */
    size_t next_digest;         /* of these, that is asked next */
    struct cooldown_answer
        waits;                  /* the shortest wait of all tags so far; only its times are used */
    struct reference waits_for; /* tag and digest of it */
};

/* lookup.c */
int lookup_answered(struct question *question);
int lookup_failed(struct question *question, const struct error *why, struct error *fatal);
int lookup_take(struct question *question, const char *digest, struct error *fatal);
int lookup_ask_digest(struct question *question, const char *tag, struct error *err);

/* lookup_cooldown.c */

/* Whether the update's answers are held against the sightings. */
bool lookup_cools_down(const struct question *question);

/* What may be asked one after the other, newest first: the first `limit` of the taken tags, and the followed one. */
int lookup_keep_tags(struct string_list *tags, const struct policy_choices *choices,
                     const char *follow, size_t limit, struct error *err) _must_check_;

/* What was found may not be taken: goes on with the next digest of the tag, or the next tag. */
int lookup_go_on(struct question *question, struct error *err) _must_check_;

/* The tag that was asked for has this digest now, and it is not the pinned one: takes what is old enough, asks on, or decides. */
int lookup_cool_down(struct question *question, const char *digest,
                     struct error *fatal) _must_check_;

/* Asks for the newest of the kept tags that was not asked for yet. */
int lookup_next_tag(struct question *question, struct error *err) _must_check_;

bool lookup_waits(const struct question *question); /* something that may follow is too young */

/* Nothing is left to ask: the update waits, or, where nothing waits either, is up to date. */
int lookup_wait(struct question *question, struct error *fatal) _must_check_;
void lookup_question_clear(struct question *question);

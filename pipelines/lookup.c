#include "pipelines/lookup_parts.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "gate/base/text.h"
#include "gate/base/trace.h"

#define FURTHER_LIMIT 100 /* tags behind a candidate that are remembered; far more than are tried */

static int decide_failed(struct update *update, const struct error *why, struct error *err);

/* Before anything is asked: a rule whose filter leaves the followed tag tells nothing. */
static int check_filter(struct update *update, struct error *err) {
    _cleanup_(error_clear) struct error why = {0};
    _cleanup_(free_pointer) char *extracted = NULL;
    if (update->policy.tags == NULL || update->follow == NULL ||
        tagfilter_read_followed(update->policy.tags, update->follow, &extracted, &why) == 0)
        return 0;
    if (why.kind == ERROR_INPUT)
        return update_decide(update, err, VERDICT_HOLD, CODE_TAG_MISMATCH, "%s",
                             error_message(&why));
    return decide_failed(update, &why, err);
}

int lookup_rules(const struct config *config, struct update_list *updates, struct error *err) {
    for (size_t i = 0; i < updates->count; i++) {
        struct update *update = &updates->items[i];
        const struct config_rule *rule = config_rule_for(config, update->image, update->tag);
        update->policy = (struct policy){.kind = rule != NULL ? rule->policy : POLICY_DIGEST,
                                         .tags = rule != NULL ? &rule->tags : NULL};
        update->cooldown_ms = rule != NULL ? rule->cooldown_ms : 0;
        update->urgent = rule != NULL && rule->urgent;
        update->candidates = rule != NULL && rule->candidates > 0 ? rule->candidates : 1;
        update->rule = rule != NULL ? string_format(err, "%s:%d", config->file, rule->line)
                                    : string_dup("default", err);
        const char *follow = update->tag != NULL ? update->tag : rule != NULL ? rule->follow : NULL;
        update->follow = string_dup(follow, err);
        if (update->rule == NULL || (follow != NULL && update->follow == NULL))
            return -1;
        if (follow == NULL &&
            update_decide(update, err, VERDICT_HOLD, CODE_NO_TAG,
                          "the pin names no tag, so nothing tells what it follows; write the tag "
                          "(%s:TAG@sha256:…), or a rule with \"follow: TAG\"",
                          reference_familiar(update->image)) < 0)
            return -1;
        if (check_filter(update, err) < 0)
            return -1;
    }
    return 0;
}

int lookup_answered(struct question *question) {
    struct round *round = question->round;
    round->done++;
    if (round->progress != NULL && round->progress->looked_up != NULL)
        round->progress->looked_up(round->progress->context, round->done, round->total);
    return 0;
}

/* The class of a failed look-up, for machines; people read the reason. */
static enum verdict_code code_of(enum error_kind kind) {
    static const enum verdict_code codes[ERROR_KIND_COUNT] = {
        [ERROR_AUTH] = CODE_AUTH,           [ERROR_RATE_LIMIT] = CODE_RATE_LIMIT,
        [ERROR_NETWORK] = CODE_NETWORK,     [ERROR_TIMEOUT] = CODE_TIMEOUT,
        [ERROR_NOT_FOUND] = CODE_NOT_FOUND, [ERROR_LIMIT] = CODE_LIMIT,
        [ERROR_PROTOCOL] = CODE_PROTOCOL,   [ERROR_IO] = CODE_IO,
    };
    return codes[kind]; /* CODE_NONE for the others, which no look-up gives */
}

static int decide_failed(struct update *update, const struct error *why, struct error *err) {
    if (why->kind == ERROR_CANCELLED || why->kind == ERROR_NO_MEMORY)
        return error_set(err, why->kind, "%s", error_message(why));
    return update_decide(update, err, VERDICT_LOOKUP_FAILED, code_of(why->kind), "%s",
                         error_message(why));
}

int lookup_failed(struct question *question, const struct error *why, struct error *fatal) {
    return decide_failed(question->update, why, fatal) < 0 ? -1 : lookup_answered(question);
}

int lookup_take(struct question *question, const char *digest, struct error *fatal) {
    struct update *update = question->update;
    if (update_gave_up(update, digest) || string_equal(update->given_up, digest))
        return lookup_go_on(question, fatal);
    update->candidate_digest = string_dup(digest, fatal);
    update->candidate_tag = string_dup(question->name.tag, fatal);
    if (update->candidate_digest == NULL || update->candidate_tag == NULL)
        return -1;
    return lookup_answered(question);
}

static int on_digest(void *context, const struct registry_digest *answer, const struct error *why,
                     struct error *fatal) {
    struct question *question = context;
    struct update *update = question->update;
    if (why != NULL)
        return lookup_failed(question, why, fatal);
    const char *tag = question->name.tag;
    struct lookup_memory *memory = question->round->memory;
    if (sightings_add(&memory->seen, update->image, tag, answer->digest, memory->now_ms, false,
                      fatal) < 0)
        return -1;
    bool same = string_equal(update->digest, answer->digest);
    if (same && lookup_waits(question))
        return lookup_wait(question, fatal);
    if (same && string_equal(tag, update->follow)) {
        if (update_decide(update, fatal, VERDICT_UP_TO_DATE, CODE_NONE,
                          "%s names this digest, and the policy %s allows "
                          "nothing newer",
                          tag, policy_name(update->policy.kind)) < 0)
            return -1;
        return lookup_answered(question);
    }
    if (same) { /* another name of the same image: moving to it would change nothing that runs */
        if (update_decide(update, fatal, VERDICT_UP_TO_DATE, CODE_NONE,
                          "%s is another tag of this digest", tag) < 0)
            return -1;
        return lookup_answered(question);
    }
    return lookup_cools_down(question) ? lookup_cool_down(question, answer->digest, fatal)
                                       : lookup_take(question, answer->digest, fatal);
}

int lookup_ask_digest(struct question *question, const char *tag, struct error *err) {
    char *copy = string_dup(tag, err);
    if (copy == NULL)
        return -1;
    free(question->name.tag);
    question->name.tag = copy;
    return registry_resolve(question->round->registry, &question->name, on_digest, question, err);
}

static int on_tags(void *context, const struct string_list *tags, const struct error *why,
                   struct error *fatal) {
    struct question *question = context;
    struct update *update = question->update;
    if (why != NULL)
        return lookup_failed(question, why, fatal);
    _cleanup_(policy_choices_clear) struct policy_choices choices = {0};
    _cleanup_(error_clear) struct error error = {0};
    if (policy_choose(&update->policy, update->follow, tags, &choices, &error) < 0) {
        if (error.kind != ERROR_INPUT) /* it could not be told which tags are newer */
            return lookup_failed(question, &error, fatal);
        int decided = update_decide(update, fatal, VERDICT_HOLD, CODE_NOT_A_VERSION, "%s",
                                    error_message(&error));
        return decided < 0 ? -1 : lookup_answered(question);
    }
    if (lookup_keep_tags(&update->further, &choices, update->follow, FURTHER_LIMIT, fatal) < 0)
        return -1;
    if (lookup_cools_down(question))
        return lookup_keep_tags(&question->tags, &choices, update->follow, LOOKUP_TAGS_LIMIT,
                                fatal) < 0
                   ? -1
                   : lookup_next_tag(question, fatal);
    return lookup_ask_digest(question, choices.taken > 0 ? choices.items[0].tag : update->follow,
                             fatal);
}

static int name_followed(struct question *question, struct error *err) {
    const struct update *update = question->update;
    _cleanup_(free_pointer) char *text = reference_text(update->image, update->follow, NULL, err);
    return text != NULL ? reference_parse(text, &question->name, err) : -1;
}

static int ask(struct question *question, struct error *err) {
    struct update *update = question->update;
    if (name_followed(question, err) < 0)
        return -1;
    if (!policy_needs_tags(&update->policy) && lookup_cools_down(question) &&
        string_list_add(&update->further, update->follow, err) < 0) /* its older digests */
        return -1;
    if (!policy_needs_tags(&update->policy))
        return registry_resolve(question->round->registry, &question->name, on_digest, question,
                                err);
    return registry_tags(question->round->registry, &question->name, on_tags, question, err);
}

int lookup_open(const struct config *config, struct cancel *cancel, struct lookup *out,
                struct error *err) {
    *out = (struct lookup){0};
    if (credentials_load(cancel, &out->credentials, err) < 0)
        return -1;
    struct registry_options options = {.hosts = config->registries.items,
                                       .host_count = config->registries.count,
                                       .credentials = out->credentials};
    out->memory.now_ms = clock_now_ms();
    if (registry_new(&options, cancel, &out->registry, err) == 0)
        return 0;
    lookup_close(out);
    return -1;
}

void lookup_close(struct lookup *lookup) {
    registry_freep(&lookup->registry);
    credentials_freep(&lookup->credentials);
    sightings_clear(&lookup->memory.known);
    sightings_clear(&lookup->memory.seen);
    *lookup = (struct lookup){0};
}

/* Where a tag's history stands against the pins. A pin without a digest is new, and stands nowhere. */
static int remember_pins(struct lookup_memory *memory, const struct update_list *updates,
                         struct error *err) {
    for (size_t i = 0; i < updates->count; i++) {
        const struct update *update = &updates->items[i];
        if (!update->decided && update->digest != NULL &&
            sightings_add(&memory->seen, update->image, update->follow, update->digest,
                          memory->now_ms, true, err) < 0)
            return -1;
    }
    bool changed;
    sightings_sort(&memory->known);
    sightings_sort(&memory->seen);
    return sightings_record(&memory->known, &memory->seen, memory->now_ms, &changed, err);
}

static int on_proof(void *context, const struct registry_digest *answer, const struct error *why,
                    struct error *fatal) {
    struct question *question = context;
    struct update *update = question->update;
    (void)answer; /* the client has held it to the digest that was asked for */
    if (why == NULL)
        return lookup_answered(question);
    if (why->kind != ERROR_NOT_FOUND)
        return lookup_failed(question, why, fatal);
    if (update_decide(update, fatal, VERDICT_HOLD, CODE_DIGEST_GONE,
                      "the registry no longer has %s@%s: %s", update->image,
                      update->candidate_digest, error_message(why)) < 0)
        return -1;
    return lookup_answered(question);
}

static int ask_proof(struct question *question, struct error *err) {
    const struct update *update = question->update;
    _cleanup_(free_pointer) char *text =
        reference_text(update->image, NULL, update->candidate_digest, err);
    if (text == NULL || reference_parse(text, &question->name, err) < 0)
        return -1;
    return registry_resolve(question->round->registry, &question->name, on_proof, question, err);
}

/* Behind a candidate that was given up. */
static int ask_further(struct question *question, struct error *err) {
    const struct string_list *further = &question->update->further;
    if (name_followed(question, err) < 0)
        return -1;
    for (size_t i = 0; i < further->count && i < LOOKUP_TAGS_LIMIT; i++)
        if (string_list_add(&question->tags, further->items[i], err) < 0)
            return -1;
    return lookup_next_tag(question, err);
}

static int ask_all(struct lookup *lookup, struct update_list *updates,
                   const struct lookup_progress *progress,
                   int (*begin)(struct question *question, struct error *err), struct error *err) {
    struct registry *registry = lookup->registry;
    struct round round = {.registry = registry, .progress = progress, .memory = &lookup->memory};
    struct question *questions = calloc(updates->count + 1, sizeof *questions);
    if (questions == NULL)
        return error_no_memory(err);
    int result = 0;
    for (size_t i = 0; i < updates->count && result == 0; i++) {
        const struct update *update = &updates->items[i];
        if (update->decided || (begin == ask_proof && update->candidate_digest == NULL))
            continue;
        questions[i] = (struct question){.round = &round, .update = &updates->items[i]};
        round.total++;
        result = begin(&questions[i], err);
    }
    if (result == 0)
        result = registry_run(registry, err);
    struct registry_counts counts = registry_counts(registry);
    trace(TRACE_HTTP, "%zu look-ups: %zu requests, %zu tokens, %zu retries", round.total,
          counts.requests, counts.tokens, counts.retries);
    for (size_t i = 0; i < updates->count; i++)
        lookup_question_clear(&questions[i]);
    free(questions);
    return result;
}

/* What stands before a candidate of that tag, and the tag itself, is no longer asked for; with a cooldown older digests of the
 * tag may follow. */
static void leave_behind(struct update *update, const char *tag) {
    struct string_list *further = &update->further;
    size_t at = 0;
    while (at < further->count && !string_equal(further->items[at], tag))
        at++;
    if (tag == NULL || at == further->count)
        return;
    if (update->cooldown_ms == 0 || update->urgent)
        at++;
    for (size_t i = 0; i < at; i++)
        free(further->items[i]);
    memmove(further->items, further->items + at, (further->count - at) * sizeof *further->items);
    further->count -= at;
}

int lookup_candidates(struct lookup *lookup, struct update_list *updates,
                      const struct lookup_progress *progress, struct error *err) {
    if (remember_pins(&lookup->memory, updates, err) < 0)
        return -1;
    if (ask_all(lookup, updates, progress, ask, err) < 0)
        return -1;
    for (size_t i = 0; i < updates->count; i++)
        leave_behind(&updates->items[i], updates->items[i].candidate_tag);
    return 0;
}

/* Of those that are wanted, lent, as if nothing were known of a candidate yet. */
static int copy_wanted(const struct update_list *updates, const bool *wanted,
                       struct update_list *copies, struct error *err) {
    for (size_t i = 0; i < updates->count; i++) {
        if (!wanted[i])
            continue;
        struct update *copy = array_add(copies, err);
        if (copy == NULL)
            return -1;
        *copy = updates->items[i];
        copy->given_up = updates->items[i].candidate_digest;
        copy->candidate_tag = NULL;
        copy->candidate_digest = NULL;
        copy->reason = NULL;
        copy->decided = false;
    }
    return 0;
}

/* Hands over what the questions put into the copies. */
static void take_answers(struct update_list *updates, const bool *wanted,
                         struct update_list *copies, struct lookup_further *further) {
    for (size_t i = 0, c = 0; i < updates->count && c < copies->count; i++) {
        if (!wanted[i])
            continue;
        struct update *copy = &copies->items[c++];
        further[i] = (struct lookup_further){.tag = copy->candidate_tag,
                                             .digest = copy->candidate_digest,
                                             .failed = copy->decided &&
                                                       copy->verdict == VERDICT_LOOKUP_FAILED,
                                             .reason = copy->reason};
        leave_behind(&updates->items[i], copy->candidate_tag);
    }
    free(copies->items);
}

int lookup_further(struct lookup *lookup, struct update_list *updates, const bool *wanted,
                   struct lookup_further *further, struct error *err) {
    struct update_list copies = {0};
    int result = copy_wanted(updates, wanted, &copies, err) < 0 ||
                         remember_pins(&lookup->memory, &copies, err) < 0
                     ? -1
                     : ask_all(lookup, &copies, NULL, ask_further, err);
    take_answers(updates, wanted, &copies, further);
    return result;
}

void lookup_further_clear(struct lookup_further *further, size_t count) {
    for (size_t i = 0; further != NULL && i < count; i++) {
        free(further[i].tag);
        free(further[i].digest);
        free(further[i].reason);
    }
}

int lookup_proofs(struct lookup *lookup, struct update_list *updates,
                  const struct lookup_progress *progress, struct error *err) {
    return ask_all(lookup, updates, progress, ask_proof, err);
}

/* What a cooldown does to a look-up: answers are held against the sightings, and where the newest is too young, older digests
 * of the tag and older tags are asked for. */
#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "gate/base/text.h"
#include "pipelines/lookup_parts.h"

bool lookup_cools_down(const struct question *question) {
    return question->update->cooldown_ms > 0 && !question->update->urgent;
}

int lookup_keep_tags(struct string_list *tags, const struct policy_choices *choices,
                     const char *follow, size_t limit, struct error *err) {
    for (size_t i = 0; i < choices->taken && tags->count < limit; i++)
        if (!string_equal(choices->items[i].tag, follow) &&
            string_list_add(tags, choices->items[i].tag, err) < 0)
            return -1;
    return string_list_add(tags, follow, err);
}

int lookup_next_tag(struct question *question, struct error *err) {
    if (question->next_tag >= question->tags.count)
        return lookup_wait(question, err);
    return lookup_ask_digest(question, question->tags.items[question->next_tag++], err);
}

/* ---- an older digest of the tag: proved to exist before it is taken ---- */

static int on_proof(void *context, const struct registry_digest *answer, const struct error *why,
                    struct error *fatal) {
    struct question *question = context;
    (void)answer;
    if (why != NULL && why->kind == ERROR_NOT_FOUND)
        return lookup_go_on(question, fatal);
    if (why != NULL)
        return lookup_failed(question, why, fatal);
    return lookup_take(question, question->digests.items[question->next_digest - 1], fatal);
}

int lookup_go_on(struct question *question, struct error *err) {
    if (question->next_digest >= question->digests.count)
        return lookup_next_tag(question, err);
    const char *digest = question->digests.items[question->next_digest++];
    struct reference reference = question->name; /* lent: the registry copies it */
    reference.tag = NULL;
    reference.digest = (char *)digest;
    return registry_resolve(question->round->registry, &reference, on_proof, question, err);
}

/* ---- what waits ---- */

static int keep_wait(struct question *question, const struct cooldown_answer *answer,
                     struct error *err) {
    if (answer->ends_ms == 0 ||
        (question->waits.ends_ms != 0 && question->waits.ends_ms <= answer->ends_ms))
        return 0;
    question->waits = (struct cooldown_answer){.young_first_ms = answer->young_first_ms,
                                               .ends_ms = answer->ends_ms};
    free(question->waits_for.tag);
    free(question->waits_for.digest);
    question->waits_for.tag = string_dup(question->name.tag, err);
    question->waits_for.digest = string_dup(answer->young, err);
    return question->waits_for.tag != NULL && question->waits_for.digest != NULL ? 0 : -1;
}

bool lookup_waits(const struct question *question) {
    return question->waits.ends_ms != 0;
}

int lookup_wait(struct question *question, struct error *fatal) {
    struct update *update = question->update;
    if (!lookup_waits(question)) {
        if (update_decide(update, fatal, VERDICT_UP_TO_DATE, CODE_NONE,
                          "the registry has nothing else that is older than the cooldown") < 0)
            return -1;
        return lookup_answered(question);
    }
    char cooldown[64], first[CLOCK_RFC3339_SIZE], ends[CLOCK_RFC3339_SIZE];
    clock_duration_words(update->cooldown_ms, cooldown, sizeof cooldown);
    clock_rfc3339(question->waits.young_first_ms, first);
    clock_rfc3339(question->waits.ends_ms, ends);
    if (update_decide(update, fatal, VERDICT_HOLD, CODE_COOLDOWN,
                      "%s@%.19s… was first seen at %s; its cooldown of %s ends at %s",
                      question->waits_for.tag, question->waits_for.digest, first, cooldown,
                      ends) < 0)
        return -1;
    return lookup_answered(question);
}

int lookup_cool_down(struct question *question, const char *digest, struct error *fatal) {
    const struct update *update = question->update;
    const struct lookup_memory *memory = question->round->memory;
    struct cooldown_case c = {.known = &memory->known,
                              .image = update->image,
                              .tag = question->name.tag,
                              .seen = digest,
                              .pinned = update->digest,
                              .cooldown_ms = update->cooldown_ms,
                              .now_ms = memory->now_ms};
    struct cooldown_answer answer;
    cooldown_choose(&c, &answer);
    if (keep_wait(question, &answer, fatal) < 0)
        return -1;
    string_list_clear(&question->digests);
    question->next_digest = 0;
    for (size_t i = 0; i < answer.count; i++)
        if (string_list_add(&question->digests, answer.choices[i], fatal) < 0)
            return -1;
    if (answer.count == 0 || strcmp(answer.choices[0], digest) != 0)
        return lookup_go_on(question, fatal);
    question->next_digest = 1; /* it was answered just now: no proof is needed */
    return lookup_take(question, digest, fatal);
}

void lookup_question_clear(struct question *question) {
    reference_clear(&question->name);
    reference_clear(&question->waits_for);
    string_list_clear(&question->tags);
    string_list_clear(&question->digests);
}

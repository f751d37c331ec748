#include "pipelines/stages/subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"
#include "gate/digest.h"
#include "gate/reference.h"
#include "gate/selector.h"

#define DIGEST_HEAD "sha256:"
#define NAMES_TOLD  5    /* sets in an error message */
#define NAMES_LIMIT 4096 /* images that a near name is looked for among */

/* What begins with the word; a second, other one is ambiguous. */
struct hunt {
    const struct subject_question *question;
    const char *digits; /* of the prefix */
    bool only_digest;
    const char *set; /* found */
    const char *const *values;
    size_t value_count;
    char digest[DIGEST_SIZE]; /* found; "" for none */
    char other[DIGEST_SIZE];  /* a second one; "" for none */
};

static void find_one(char *found, struct hunt *hunt, const char *text) {
    if (*found == '\0')
        snprintf(found, DIGEST_SIZE, "%s", text);
    else if (strcmp(found, text) != 0)
        snprintf(hunt->other, sizeof hunt->other, "%s", text);
}

static void hunt_set(struct hunt *hunt, const char *set, const char *const *values, size_t count) {
    if (hunt->only_digest || set == NULL || !string_has_prefix(set, hunt->digits))
        return;
    if (hunt->set != NULL && strcmp(hunt->set, set) != 0) {
        snprintf(hunt->other, sizeof hunt->other, "%s", set);
        return;
    }
    hunt->set = set;
    hunt->values = values;
    hunt->value_count = count;
}

static void hunt_digests(struct hunt *hunt, const char *const *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *digest = strrchr(values[i], '@');
        if (digest != NULL && string_has_prefix(digest + 1, DIGEST_HEAD) &&
            string_has_prefix(digest + 1 + strlen(DIGEST_HEAD), hunt->digits))
            find_one(hunt->digest, hunt, digest + 1);
    }
}

static bool tells_a_set(const struct ledger_entry *entry) {
    return entry->type == LEDGER_OBSERVED || entry->type == LEDGER_PROMOTED ||
           entry->type == LEDGER_ROLLED_BACK;
}

static void hunt_all(struct hunt *hunt) {
    const struct subject_question *q = hunt->question;
    for (size_t i = 0; i < q->set_count; i++) {
        const struct set *set = &q->sets[i];
        const char *const *lines = (const char *const *)set->lines.items;
        if (q->stage == NULL || set == q->stage_set)
            hunt_set(hunt, set->id, lines, set->lines.count);
        hunt_digests(hunt, lines, set->lines.count);
    }
    for (size_t i = q->ledger->count; i-- > 0;) {
        const struct ledger_entry *entry = &q->ledger->items[i];
        if (tells_a_set(entry) && (q->stage == NULL || string_equal(entry->stage, q->stage)))
            hunt_set(hunt, entry->set, entry->values, entry->value_count);
        hunt_digests(hunt, entry->values, entry->value_count);
    }
}

/* ---- images ---- */

struct names {
    const struct subject_question *question;
    const char *selector;
    bool found;
    char **items; /* familiar names, NULL-terminated */
    size_t count;
};

static void clear_names(struct names *names) {
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
}

static int meet_value(struct names *names, const char *line, struct error *err) {
    struct set_value value;
    if (set_value_parse(line, &value, err) < 0)
        return -1;
    names->found = names->found || selector_matches(names->selector, value.image, value.tag);
    if (names->count < NAMES_LIMIT) {
        names->items[names->count] = string_dup(reference_familiar(value.image), err);
        if (names->items[names->count] != NULL)
            names->count++;
    }
    set_value_clear(&value);
    return 0;
}

static int meet_values(struct names *names, const char *const *values, size_t count,
                       struct error *err) {
    for (size_t i = 0; i < count && !names->found; i++)
        if (meet_value(names, values[i], err) < 0)
            return -1;
    return 0;
}

static int meet_all(struct names *names, struct error *err) {
    const struct subject_question *q = names->question;
    for (size_t i = 0; i < q->set_count; i++)
        if (meet_values(names, (const char *const *)q->sets[i].lines.items, q->sets[i].lines.count,
                        err) < 0)
            return -1;
    for (size_t i = q->ledger->count; i-- > 0 && !names->found;)
        if (meet_values(names, q->ledger->items[i].values, q->ledger->items[i].value_count, err) <
            0)
            return -1;
    return 0;
}

/* ---- words that name nothing ---- */

static int refuse(const struct subject_question *q, const char *word, const struct names *names,
                  struct error *err) {
    struct text sets = {0};
    size_t told = 0;
    const char *last = NULL;
    for (size_t i = q->ledger->count; i-- > 0 && told < NAMES_TOLD;) {
        const struct ledger_entry *entry = &q->ledger->items[i];
        if (!tells_a_set(entry) || (q->stage != NULL && !string_equal(entry->stage, q->stage)) ||
            string_equal(entry->set, last))
            continue;
        last = entry->set;
        text_printf(&sets, "%s%.*s", told++ > 0 ? ", " : "; the newest sets are ", SET_SHORT_LENGTH,
                    entry->set);
    }
    const char *nearest =
        names != NULL ? string_nearest(word, (const char *const *)names->items) : NULL;
    error_set(err, ERROR_USAGE, "\"%s\" names no %s that %s%s has seen%s%s%s%s", word,
              q->images ? "set, digest or image" : "set or digest",
              q->stage != NULL ? "stage " : "this project", q->stage != NULL ? q->stage : "",
              nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
              nearest != NULL ? "?" : "", nearest != NULL ? "" : text_string(&sets));
    text_clear(&sets);
    return -1;
}

static int find_image(const struct subject_question *q, const char *word, struct subject *out,
                      struct error *err) {
    if (selector_check(word, err) < 0) {
        err->kind = ERROR_USAGE;
        return -1;
    }
    _cleanup_(clear_names) struct names names = {.question = q, .selector = word};
    names.items = calloc(NAMES_LIMIT + 1, sizeof *names.items);
    if (names.items == NULL)
        return error_no_memory(err);
    if (meet_all(&names, err) < 0)
        return -1;
    if (!names.found)
        return refuse(q, word, &names, err);
    out->kind = SUBJECT_IMAGE;
    out->word = string_dup(word, err);
    return out->word != NULL ? 0 : -1;
}

/* ---- the word ---- */

static bool is_hex(const char *word) {
    return word[0] != '\0' && word[strspn(word, "0123456789abcdef")] == '\0';
}

static int take_found(const struct hunt *hunt, const char *word, struct subject *out,
                      struct error *err) {
    if (hunt->other[0] != '\0' || (hunt->set != NULL && hunt->digest[0] != '\0'))
        return error_set(err, ERROR_USAGE,
                         "\"%s\" begins more than one: %s and %s; write more of it", word,
                         hunt->set != NULL ? hunt->set : hunt->digest,
                         hunt->other[0] != '\0' ? hunt->other : hunt->digest);
    out->kind = hunt->set != NULL ? SUBJECT_SET : SUBJECT_DIGEST;
    out->word = string_dup(hunt->set != NULL ? hunt->set : hunt->digest, err);
    if (out->word == NULL)
        return -1;
    return hunt->set != NULL ? set_of_lines(hunt->values, hunt->value_count, &out->set, err) : 0;
}

int subject_find(const struct subject_question *question, const char *word, struct subject *out,
                 struct error *err) {
    *out = (struct subject){0};
    bool headed = string_has_prefix(word, DIGEST_HEAD);
    const char *digits = headed ? word + strlen(DIGEST_HEAD) : word;
    if (is_hex(digits) && strlen(digits) >= SUBJECT_PREFIX_LEAST) {
        struct hunt hunt = {.question = question, .digits = digits, .only_digest = headed};
        hunt_all(&hunt);
        if (hunt.set != NULL || hunt.digest[0] != '\0')
            return take_found(&hunt, word, out, err);
    }
    if (headed && question->unseen && digest_valid(word)) {
        *out =
            (struct subject){.kind = SUBJECT_DIGEST, .word = string_dup(word, err), .unseen = true};
        return out->word != NULL ? 0 : -1;
    }
    if (!headed && question->images)
        return find_image(question, word, out, err);
    return refuse(question, word, NULL, err);
}

void subject_clear(struct subject *subject) {
    free(subject->word);
    set_clear(&subject->set);
    *subject = (struct subject){0};
}

bool subject_same_image(const char *a, const char *b) {
    if (strcmp(a, b) == 0)
        return true;
    _cleanup_(error_clear) struct error ignored = {0};
    _cleanup_(reference_clear) struct reference x = {0};
    _cleanup_(reference_clear) struct reference y = {0};
    return reference_parse(a, &x, &ignored) == 0 && reference_parse(b, &y, &ignored) == 0 &&
           strcmp(x.image, y.image) == 0 && string_equal(x.tag, y.tag);
}

#include "pipelines/stages/earlier.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"
#include "gate/reference.h"
#include "gate/set.h"

static bool tells(const struct earlier_question *q, const struct ledger_entry *entry) {
    return (entry->type == LEDGER_OBSERVED || entry->type == LEDGER_PROMOTED ||
            entry->type == LEDGER_ROLLED_BACK) &&
           string_equal(entry->stage, q->stage);
}

/* ---- which set ---- */

static bool is_of_image(const char *line, const char *image) {
    size_t length = strlen(image);
    return strncmp(line, image, length) == 0 && (line[length] == ':' || line[length] == '@');
}

static bool counts(const struct earlier_question *q, const char *line) {
    for (size_t i = 0; i < q->images->count; i++)
        if (is_of_image(line, q->images->items[i]))
            return true;
    return q->images->count == 0;
}

/* Whether the entry's set is the standing one, as far as it counts. Both are sorted. */
static bool is_as_now(const struct earlier_question *q, const struct ledger_entry *entry) {
    if (q->images->count == 0)
        return strcmp(entry->set, q->standing->id) == 0;
    const struct string_list *now = &q->standing->lines;
    size_t a = 0;
    size_t b = 0;
    for (;; a++, b++) {
        while (a < now->count && !counts(q, now->items[a]))
            a++;
        while (b < entry->value_count && !counts(q, entry->values[b]))
            b++;
        if (a == now->count || b == entry->value_count)
            return a == now->count && b == entry->value_count;
        if (strcmp(now->items[a], entry->values[b]) != 0)
            return false;
    }
}

const struct ledger_entry *earlier_set(const struct earlier_question *q) {
    const struct ledger_entry *before = NULL;
    for (size_t i = 0; i < q->ledger->count; i++) {
        const struct ledger_entry *entry = &q->ledger->items[i];
        if (!tells(q, entry))
            continue;
        if (is_as_now(q, entry))
            return before;
        before = entry;
    }
    return before;
}

const struct ledger_entry *earlier_with_set(const struct earlier_question *q, const char *set) {
    for (size_t i = q->ledger->count; i-- > 0;)
        if (tells(q, &q->ledger->items[i]) && strcmp(q->ledger->items[i].set, set) == 0)
            return &q->ledger->items[i];
    return NULL;
}

static bool holds_digest(const struct ledger_entry *entry, const char *digest) {
    for (size_t i = 0; i < entry->value_count; i++) {
        const char *at = strrchr(entry->values[i], '@');
        if (at != NULL && strcmp(at + 1, digest) == 0)
            return true;
    }
    return false;
}

const struct ledger_entry *earlier_with_digest(const struct earlier_question *q,
                                               const char *digest) {
    for (size_t i = q->ledger->count; i-- > 0;) {
        const struct ledger_entry *entry = &q->ledger->items[i];
        if (tells(q, entry) && !is_as_now(q, entry) && holds_digest(entry, digest))
            return entry;
    }
    return NULL;
}

/* ---- which value ---- */

static bool holds(const struct ledger_entry *entry, const char *line, const char **out) {
    for (size_t i = 0; i < entry->value_count; i++)
        if (strcmp(entry->values[i], line) == 0) {
            *out = entry->values[i];
            return true;
        }
    return false;
}

/* Whether the change made this value. err: no-memory */
static int makes(const struct ledger_change *change, const char *line, bool *same,
                 struct error *err) {
    *same = false;
    if (change->digest == NULL || change->old_digest == NULL)
        return 0;
    _cleanup_(free_pointer) char *new =
        reference_text(change->image, change->tag, change->digest, err);
    if (new == NULL)
        return -1;
    *same = strcmp(new, line) == 0;
    return 0;
}

/* What the value was before that entry; NULL in *from: the entry does not tell. */
static int undo_changes(const struct ledger_entry *entry, const char *line, char **from,
                        bool *several, struct error *err) {
    *from = NULL;
    for (size_t i = 0; i < entry->change_count; i++) {
        const struct ledger_change *change = &entry->changes[i];
        bool same;
        if (makes(change, line, &same, err) < 0)
            return -1;
        if (!same)
            continue;
        if (*from != NULL) {
            *several = true;
            return 0;
        }
        *from = reference_text(change->image, change->old_tag, change->old_digest, err);
        if (*from == NULL)
            return -1;
    }
    return 0;
}

/* Back through what was recorded, from the newest on. */
static int by_changes(const struct earlier_question *q, const struct ledger_entry *until,
                      const char *line, const char **out, bool *several, struct error *err) {
    _cleanup_(free_pointer) char *at = string_dup(line, err);
    if (at == NULL)
        return -1;
    for (const struct ledger_entry *entry = q->ledger->items + q->ledger->count;
         entry-- > until + 1 && !*several;) {
        char *from = NULL;
        if (!tells(q, entry))
            continue;
        if (undo_changes(entry, at, &from, several, err) < 0)
            return -1;
        if (from == NULL)
            continue;
        free(at);
        at = from;
    }
    if (!*several)
        holds(until, at, out);
    return 0;
}

static int by_name(const struct earlier_question *q, const struct ledger_entry *entry,
                   const struct set_value *value, const char **out, struct error *err) {
    size_t now = 0;
    size_t then = 0;
    const char *only = NULL;
    for (size_t i = 0; i < q->standing->lines.count; i++)
        now += is_of_image(q->standing->lines.items[i], value->image);
    for (size_t i = 0; i < entry->value_count; i++) {
        if (!is_of_image(entry->values[i], value->image))
            continue;
        struct set_value other;
        if (set_value_parse(entry->values[i], &other, err) < 0)
            return -1;
        then++;
        only = entry->values[i];
        /* two of one tag: neither is known to be it */
        if (string_equal(other.tag, value->tag))
            *out = *out == NULL ? only : "";
        set_value_clear(&other);
    }
    if (*out == NULL && now == 1 && then == 1)
        *out = only;
    else if (*out != NULL && **out == '\0')
        *out = NULL;
    return 0;
}

/* A rewrite gives a pin another tag, but cannot give or take the whole of it. */
static int check_tag(const struct set_value *value, const char **out, struct error *err) {
    struct set_value other;
    if (*out == NULL)
        return 0;
    if (set_value_parse(*out, &other, err) < 0)
        return -1;
    if ((other.tag == NULL) != (value->tag == NULL))
        *out = NULL;
    set_value_clear(&other);
    return 0;
}

int earlier_value(const struct earlier_question *q, const struct ledger_entry *entry,
                  const char *line, const char **out, bool *ambiguous, struct error *err) {
    *out = NULL;
    *ambiguous = false;
    struct set_value value;
    if (by_changes(q, entry, line, out, ambiguous, err) < 0 ||
        set_value_parse(line, &value, err) < 0)
        return -1;
    int result = 0;
    if (*out == NULL && !*ambiguous)
        result = by_name(q, entry, &value, out, err);
    if (result == 0)
        result = check_tag(&value, out, err);
    set_value_clear(&value);
    return result;
}

#include "pipelines/stages/decision.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/words.h"

/* An entry beside the words it was said in: equal words are one pointer. */
struct said {
    const char *words;
    size_t place; /* in the ledger */
};

struct said_list {
    struct said *items;
    size_t count;
    size_t capacity;
};

static bool is_decision(const struct ledger_entry *entry) {
    return entry->type == LEDGER_APPROVED || entry->type == LEDGER_DENIED ||
           entry->type == LEDGER_HELD;
}

static void add_word(struct text *key, const char *word) {
    if (word != NULL)
        text_append(key, word, strlen(word));
    text_append(key, "", 1);
}

static int read_said(const struct ledger *ledger, struct words *words, struct arena *arena,
                     struct said_list *out, struct error *err) {
    _cleanup_(text_clear) struct text key = {0};
    for (size_t i = 0; i < ledger->count; i++) {
        const struct ledger_entry *entry = &ledger->items[i];
        if (!is_decision(entry) && entry->type != LEDGER_RELEASED)
            continue;
        text_truncate(&key, 0);
        add_word(&key, entry->stage);
        add_word(&key, entry->image);
        add_word(&key, entry->set);
        add_word(&key, entry->digest);
        struct said *said = array_add(out, err);
        if (said == NULL || text_check(&key, err) < 0)
            return -1;
        said->place = i;
        said->words = words_add(words, arena, text_string(&key), key.length, err);
        if (said->words == NULL)
            return -1;
    }
    return 0;
}

/* Equal words together, the newest first. */
static int by_words(const void *a, const void *b) {
    const struct said *x = a;
    const struct said *y = b;
    if (x->words != y->words)
        return x->words < y->words ? -1 : 1;
    return x->place > y->place ? -1 : x->place < y->place;
}

static int newest_first(const void *a, const void *b) {
    /* both point into the ledger, which is sorted */
    const struct ledger_entry *x = *(const struct ledger_entry *const *)a;
    const struct ledger_entry *y = *(const struct ledger_entry *const *)b;
    return x > y ? -1 : x < y;
}

static int add_counting(const struct ledger *ledger, const struct said_list *said, int64_t now_ms,
                        struct decision_list *out, struct error *err) {
    bool released = false;
    bool released_in_future = false;
    for (size_t i = 0; i < said->count; i++) {
        const struct ledger_entry *entry = &ledger->items[said->items[i].place];
        if (i == 0 || said->items[i].words != said->items[i - 1].words)
            released = released_in_future = false;
        bool future = entry->time_ms > now_ms;
        if (entry->type == LEDGER_RELEASED) {
            released = released || !future;
            released_in_future = released_in_future || future;
            continue;
        }
        if (released || (future && released_in_future) || !decision_counts(entry, now_ms))
            continue;
        const struct ledger_entry **place = array_add(out, err);
        if (place == NULL)
            return -1;
        *place = entry;
    }
    return 0;
}

int decision_list_read(const struct ledger *ledger, int64_t now_ms, struct decision_list *out,
                       struct error *err) {
    *out = (struct decision_list){0};
    struct words words = {0};
    struct arena arena = {0};
    struct said_list said = {0};
    int result = read_said(ledger, &words, &arena, &said, err);
    if (said.count > 1)
        qsort(said.items, said.count, sizeof *said.items, by_words);
    if (result == 0)
        result = add_counting(ledger, &said, now_ms, out, err);
    if (out->count > 1)
        qsort(out->items, out->count, sizeof *out->items, newest_first);
    free(said.items);
    words_clear(&words);
    arena_clear(&arena);
    if (result < 0)
        decision_list_clear(out);
    return result;
}

void decision_list_clear(struct decision_list *list) {
    free(list->items);
    *list = (struct decision_list){0};
}

bool decision_counts(const struct ledger_entry *entry, int64_t at_ms) {
    return entry->until_ms == 0 || at_ms < entry->until_ms;
}

bool decision_ends_later(const struct ledger_entry *a, const struct ledger_entry *b) {
    return b->until_ms != 0 && (a->until_ms == 0 || a->until_ms > b->until_ms);
}

#include "pipelines/stages/entry_parts.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"
#include "gate/selector.h"
#include "pipelines/stages/decision.h"

struct reading {
    struct entry_world *world;
    struct index voices; /* word, person, soak -> number in `voice_links` */
    struct {
        struct entry_word_link **items;
        size_t count, capacity;
    } voice_links;
};

static void clear_reading(struct reading *reading) {
    index_clear(&reading->voices);
    free(reading->voice_links.items);
}

static void add_word(struct text *key, const char *word) {
    if (word != NULL)
        text_append(key, word, strlen(word));
    text_append(key, "", 1);
}

/* The number of the key in an index whose next number is `next`. */
static int number_key(struct entry_world *world, struct index *index, const struct text *key,
                      size_t next, size_t *out, struct error *err) {
    if (entry_find(index, text_string(key), key->length, out))
        return 0;
    const char *kept = arena_string(&world->arena, text_string(key), key->length, err);
    return kept != NULL ? entry_number(index, kept, key->length, next, out, err) : -1;
}

static int add_said(struct entry_world *world, const char *word, struct entry_word_link *link,
                    struct error *err) {
    size_t number;
    if (entry_number(&world->words, word, strlen(word), world->said.count, &number, err) < 0)
        return -1;
    if (number == world->said.count && array_add(&world->said, err) == NULL)
        return -1;
    link->next = world->said.items[number];
    world->said.items[number] = link;
    return 0;
}

/* Of what one person says of one thing in the same way, what ends last is enough. */
static int read_said(struct reading *reading, const struct ledger_entry *entry, struct text *key,
                     struct error *err) {
    const char *word = entry->set != NULL ? entry->set : entry->digest;
    text_truncate(key, 0);
    add_word(key, word);
    add_word(key, entry->actor);
    text_printf(key, "%d %d", (int)entry->type, (int)entry->instead_of_soak);
    size_t number;
    if (text_check(key, err) < 0 || number_key(reading->world, &reading->voices, key,
                                               reading->voice_links.count, &number, err) < 0)
        return -1;
    if (number < reading->voice_links.count) {
        struct entry_word_link *link = reading->voice_links.items[number];
        if (decision_ends_later(entry, link->entry))
            link->entry = entry;
        return 0;
    }
    struct entry_word_link *link = arena_take(&reading->world->arena, sizeof *link, err);
    struct entry_word_link **place = link != NULL ? array_add(&reading->voice_links, err) : NULL;
    if (place == NULL)
        return -1;
    link->entry = entry;
    *place = link;
    return add_said(reading->world, word, link, err);
}

static int add_entry(struct entry_word_list *list, const struct ledger_entry *entry,
                     struct error *err) {
    const struct ledger_entry **place = array_add(list, err);
    if (place == NULL)
        return -1;
    *place = entry;
    return 0;
}

static int read_decision(struct reading *reading, const struct ledger_entry *entry,
                         struct text *key, struct error *err) {
    struct entry_world *world = reading->world;
    bool for_all = entry->type == LEDGER_DENIED && entry->stage == NULL;
    if (!for_all && !string_equal(entry->stage, world->stage->name))
        return 0;
    if (entry->type == LEDGER_HELD)
        return add_entry(entry->image != NULL ? &world->image_holds : &world->holds, entry, err);
    if (entry->set != NULL || entry->digest != NULL)
        return read_said(reading, entry, key, err);
    if (entry->type == LEDGER_DENIED && entry->image != NULL)
        return add_entry(&world->selector_denials, entry, err);
    return 0;
}

int entry_decisions_read(struct entry_world *world, struct error *err) {
    _cleanup_(clear_reading) struct reading reading = {.world = world};
    _cleanup_(text_clear) struct text key = {0};
    _cleanup_(decision_list_clear) struct decision_list counting = {0};
    if (decision_list_read(world->ledger, world->now_ms, &counting, err) < 0)
        return -1;
    for (size_t i = 0; i < counting.count; i++)
        if (read_decision(&reading, counting.items[i], &key, err) < 0)
            return -1;
    return 0;
}

/* ---- questions ---- */

const struct entry_word_link *entry_said(const struct entry_world *world, const char *word) {
    size_t number;
    return entry_find(&world->words, word, strlen(word), &number) ? world->said.items[number]
                                                                  : NULL;
}

static void take_later(const struct ledger_entry **latest, const struct ledger_entry *entry) {
    if (*latest == NULL || decision_ends_later(entry, *latest))
        *latest = entry;
}

const struct ledger_entry *entry_value_denial(struct entry_world *world, size_t at, size_t source) {
    struct entry_value *value = &world->values.items[source];
    if (!value->denial_known) {
        const struct ledger_entry *denial = NULL;
        for (const struct entry_word_link *link = entry_said(world, value->parts.digest);
             link != NULL; link = link->next)
            if (link->entry->type == LEDGER_DENIED)
                take_later(&denial, link->entry);
        const struct set_value *here = &world->values.items[at].parts;
        for (size_t i = 0; i < world->selector_denials.count; i++) {
            const struct ledger_entry *entry = world->selector_denials.items[i];
            if (selector_matches(entry->image, here->image, here->tag) ||
                selector_matches(entry->image, value->parts.image, value->parts.tag))
                take_later(&denial, entry);
        }
        value->denied = denial;
        value->denial_known = true;
    }
    return value->denied;
}

static bool names(const char *selector, const struct set_value *value) {
    return selector_matches(selector, value->image, value->tag);
}

const struct ledger_entry *entry_image_hold(const struct entry_world *world,
                                            const struct entry_move *move) {
    const struct ledger_entry *hold = NULL;
    for (size_t i = 0; i < world->image_holds.count; i++) {
        const struct ledger_entry *entry = world->image_holds.items[i];
        if (names(entry->image, &world->values.items[move->old].parts) ||
            names(entry->image, &world->values.items[move->new].parts) ||
            names(entry->image, &world->values.items[move->source].parts))
            take_later(&hold, entry);
    }
    return hold;
}

#include <stdlib.h>
#include <string.h>

#include "gate/digest.h"
#include "gate/selector.h"
#include "gate/set.h"
#include "pipelines/stages/history.h"

/* What a query has found out about values, each of which stands in many entries. */
struct looking {
    const struct ledger *ledger;
    const struct history_query *query;
    struct words wanted, unwanted; /* values */
    struct words wanted_digests;   /* of the wanted values of the whole ledger */
    struct words digests;          /* of the values of query->set */
    struct arena arena;
    const struct ledger_entry **sets; /* that tell of a set's values; by its id */
    size_t set_count;
};

static bool tells_of_set(const struct ledger_entry *entry) {
    return entry->type != LEDGER_EVIDENCE && entry->values != NULL && entry->set != NULL;
}

const struct ledger_entry *history_set_entry(const struct ledger *ledger, const char *id) {
    for (size_t i = ledger->count; i-- > 0;) {
        const struct ledger_entry *entry = &ledger->items[i];
        if (tells_of_set(entry) && strcmp(entry->set, id) == 0)
            return entry;
    }
    return NULL;
}

static int value_is_wanted(struct looking *looking, const char *value, bool *wanted,
                           struct error *err) {
    size_t length = strlen(value);
    *wanted = words_find(&looking->wanted, value, length) != NULL;
    if (*wanted || words_find(&looking->unwanted, value, length) != NULL)
        return 0;
    struct set_value parts = {0};
    if (set_value_parse(value, &parts, err) < 0)
        return -1;
    *wanted = selector_list_matches(looking->query->images, parts.image, parts.tag);
    set_value_clear(&parts);
    struct words *words = *wanted ? &looking->wanted : &looking->unwanted;
    return words_add(words, &looking->arena, value, length, err) != NULL ? 0 : -1;
}

static int any_is_wanted(struct looking *looking, const struct ledger_entry *entry, bool *wanted,
                         struct error *err) {
    *wanted = false;
    for (size_t i = 0; i < entry->value_count && !*wanted; i++)
        if (value_is_wanted(looking, entry->values[i], wanted, err) < 0)
            return -1;
    return 0;
}

/* A decision names images by a selector too: one of the two has to select the other. One with globs, or that is no name of an
 * image, may be about any. */
static int selector_is_wanted(const struct looking *looking, const char *selector, bool *wanted,
                              struct error *err) {
    const struct string_list *images = looking->query->images;
    _cleanup_(reference_clear) struct reference name = {0};
    _cleanup_(error_clear) struct error why = {0};
    *wanted = true;
    if (strpbrk(selector, "*?[") != NULL)
        return 0;
    if (reference_parse(selector, &name, &why) < 0)
        return why.kind == ERROR_NO_MEMORY ? error_move(err, &why) : 0;
    *wanted = selector_list_matches(images, name.image, name.tag);
    for (size_t i = 0; i < images->count && !*wanted; i++) {
        _cleanup_(reference_clear) struct reference asked = {0};
        error_clear(&why);
        if (reference_parse(images->items[i], &asked, &why) == 0)
            *wanted = selector_matches(selector, asked.image, asked.tag);
        else if (why.kind == ERROR_NO_MEMORY)
            return error_move(err, &why);
    }
    return 0;
}

/* Of a digest nothing tells the image but the values that have it. */
static int find_wanted_digests(struct looking *looking, struct error *err) {
    for (size_t i = 0; i < looking->ledger->count; i++) {
        const struct ledger_entry *entry = &looking->ledger->items[i];
        for (size_t j = 0; j < entry->value_count; j++) {
            bool wanted;
            if (value_is_wanted(looking, entry->values[j], &wanted, err) < 0)
                return -1;
            const char *at = wanted ? strrchr(entry->values[j], '@') : NULL;
            if (at != NULL && words_add(&looking->wanted_digests, &looking->arena, at + 1,
                                        strlen(at + 1), err) == NULL)
                return -1;
        }
    }
    return 0;
}

static int compare_sets(const void *a, const void *b) {
    return strcmp((*(const struct ledger_entry *const *)a)->set,
                  (*(const struct ledger_entry *const *)b)->set);
}

static int find_sets(struct looking *looking, struct error *err) {
    const struct ledger *ledger = looking->ledger;
    looking->sets = calloc(ledger->count + 1, sizeof *looking->sets);
    if (looking->sets == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < ledger->count; i++)
        if (tells_of_set(&ledger->items[i]))
            looking->sets[looking->set_count++] = &ledger->items[i];
    qsort(looking->sets, looking->set_count, sizeof *looking->sets, compare_sets);
    return 0;
}

static const struct ledger_entry *set_entry(const struct looking *looking, const char *id) {
    struct ledger_entry key = {.set = id};
    const struct ledger_entry *pointer = &key;
    const struct ledger_entry **found =
        bsearch(&pointer, looking->sets, looking->set_count, sizeof *looking->sets, compare_sets);
    return found != NULL ? *found : NULL;
}

static bool changes_are_wanted(const struct looking *looking, const struct ledger_entry *entry) {
    for (size_t i = 0; i < entry->change_count; i++)
        if (selector_list_matches(looking->query->images, entry->changes[i].image,
                                  entry->changes[i].tag) ||
            (entry->changes[i].old_tag != NULL &&
             selector_list_matches(looking->query->images, entry->changes[i].image,
                                   entry->changes[i].old_tag)))
            return true;
    return false;
}

/* A promotion is about the images that it moved; all others about those that they name. */
static int is_about_images(struct looking *looking, const struct ledger_entry *entry, bool *about,
                           struct error *err) {
    *about = true;
    if (looking->query->images == NULL || looking->query->images->count == 0)
        return 0;
    if (entry->type == LEDGER_PROMOTED || entry->type == LEDGER_ROLLED_BACK) {
        *about = changes_are_wanted(looking, entry);
        return 0;
    }
    if (entry->values != NULL)
        return any_is_wanted(looking, entry, about, err);
    if (entry->image != NULL)
        return selector_is_wanted(looking, entry->image, about, err);
    if (entry->digest != NULL) {
        *about = words_find(&looking->wanted_digests, entry->digest, strlen(entry->digest)) != NULL;
        return 0;
    }
    const struct ledger_entry *set = entry->set != NULL ? set_entry(looking, entry->set) : NULL;
    if (set != NULL)
        return any_is_wanted(looking, set, about, err);
    return 0; /* about a whole stage, or nobody can tell */
}

static bool is_about_stage(const struct ledger_entry *entry, const char *stage) {
    if (stage == NULL || string_equal(entry->stage, stage))
        return true;
    return entry->stage == NULL &&
           (entry->type == LEDGER_DENIED || entry->type == LEDGER_RELEASED ||
            entry->type == LEDGER_UNKNOWN);
}

static bool is_about_set(const struct looking *looking, const struct ledger_entry *entry) {
    const char *set = looking->query->set;
    if (set == NULL || string_equal(entry->set, set) || string_equal(entry->before, set) ||
        string_equal(entry->snapshot, set))
        return true;
    if (entry->type == LEDGER_EVIDENCE)
        return entry->value_count > 0 && history_lies_in(entry, &looking->digests);
    return entry->digest != NULL &&
           words_find(&looking->digests, entry->digest, strlen(entry->digest)) != NULL;
}

int history_digests(const struct ledger_entry *entry, struct words *out, struct arena *arena,
                    struct error *err) {
    for (size_t i = 0; i < entry->value_count; i++) {
        const char *at = strrchr(entry->values[i], '@');
        if (at != NULL && words_add(out, arena, at + 1, strlen(at + 1), err) == NULL)
            return -1;
    }
    return 0;
}

bool history_lies_in(const struct ledger_entry *evidence, const struct words *digests) {
    for (size_t i = 0; i < evidence->value_count; i++) {
        const char *at = strrchr(evidence->values[i], '@');
        if (at == NULL || words_find(digests, at + 1, strlen(at + 1)) == NULL)
            return false;
    }
    return true;
}

static int select_entries(struct looking *looking, struct history_entries *out, struct error *err) {
    const struct history_query *query = looking->query;
    for (size_t i = looking->ledger->count; i-- > 0;) {
        const struct ledger_entry *entry = &looking->ledger->items[i];
        bool about;
        if ((query->types != 0 && (query->types >> entry->type & 1) == 0) ||
            entry->time_ms < query->first_ms ||
            (query->last_ms != 0 && entry->time_ms > query->last_ms) ||
            !is_about_stage(entry, query->stage) || !is_about_set(looking, entry))
            continue;
        if (is_about_images(looking, entry, &about, err) < 0)
            return -1;
        const struct ledger_entry **item = about ? array_add(out, err) : NULL;
        if (about && item == NULL)
            return -1;
        if (about)
            *item = entry;
    }
    return 0;
}

int history_select(const struct ledger *ledger, const struct history_query *query,
                   struct history_entries *out, struct error *err) {
    struct looking looking = {.ledger = ledger, .query = query};
    const struct ledger_entry *set =
        query->set != NULL ? history_set_entry(ledger, query->set) : NULL;
    *out = (struct history_entries){0};
    int result = set != NULL ? history_digests(set, &looking.digests, &looking.arena, err) : 0;
    bool by_image = query->images != NULL && query->images->count > 0;
    if (result == 0 && by_image)
        result = find_sets(&looking, err);
    if (result == 0 && by_image)
        result = find_wanted_digests(&looking, err);
    if (result == 0)
        result = select_entries(&looking, out, err);
    free(looking.sets);
    words_clear(&looking.wanted_digests);
    words_clear(&looking.wanted);
    words_clear(&looking.unwanted);
    words_clear(&looking.digests);
    arena_clear(&looking.arena);
    if (result < 0)
        history_entries_clear(out);
    return result;
}

void history_entries_clear(struct history_entries *entries) {
    free(entries->items);
    *entries = (struct history_entries){0};
}

static int take_set(const char *candidate, const char *digits, const char **id, struct error *err) {
    if (candidate == NULL || !string_has_prefix(candidate, digits) ||
        (*id != NULL && strcmp(*id, candidate) == 0))
        return 0;
    if (*id != NULL)
        return error_set(err, ERROR_USAGE,
                         "two sets begin with %s: %.*s and %.*s; write more of it", digits,
                         SET_SHORT_LENGTH + 8, *id, SET_SHORT_LENGTH + 8, candidate);
    *id = candidate;
    return 0;
}

int history_find_set(const struct ledger *ledger, const char *digits, const char **id,
                     struct error *err) {
    *id = NULL;
    if (*digits == '\0' || strspn(digits, "0123456789abcdef") != strlen(digits))
        return error_set(err, ERROR_USAGE,
                         "\"%s\" is no set: the first digits of its id were expected, such as "
                         "4f0c2a91d3b8",
                         digits);
    for (size_t i = 0; i < ledger->count; i++) {
        const struct ledger_entry *entry = &ledger->items[i];
        if (take_set(entry->set, digits, id, err) < 0 ||
            take_set(entry->before, digits, id, err) < 0 ||
            take_set(entry->snapshot, digits, id, err) < 0)
            return -1;
    }
    return *id != NULL
               ? 0
               : error_set(err, ERROR_USAGE,
                           "no entry of the ledger names a set that begins with %s; `pingate "
                           "history` shows the ids",
                           digits);
}

int history_stages(const struct ledger *ledger, struct string_list *out, struct error *err) {
    *out = (struct string_list){0};
    for (size_t i = 0; i < ledger->count; i++) {
        const char *stage = ledger->items[i].stage;
        if (stage != NULL && !string_list_has(out, stage) && string_list_add(out, stage, err) < 0)
            return -1;
    }
    string_list_sort(out);
    return 0;
}

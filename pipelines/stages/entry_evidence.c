#include "pipelines/stages/entry_parts.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"
#include "pipelines/plan.h"

#define SOURCE_OUTSIDE "record" /* of evidence that no test of ours gave */

struct reading {
    struct entry_world *world;
    struct index tests; /* names of the configuration -> place there */
    bool *counts;       /* by place: no test of the stage that is entered */
    struct text key;
    struct entry_number_list values;
};

static void clear_reading(struct reading *reading) {
    index_clear(&reading->tests);
    free(reading->counts);
    text_clear(&reading->key);
    free(reading->values.items);
}

static int read_tests(struct reading *reading, struct error *err) {
    const struct config *config = reading->world->config;
    reading->counts = calloc(config->tests.count + 1, sizeof *reading->counts);
    if (reading->counts == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < config->tests.count; i++) {
        const char *name = config->tests.items[i].name;
        size_t number;
        if (entry_number(&reading->tests, name, strlen(name), i, &number, err) < 0)
            return -1;
        reading->counts[i] = !stage_runs_test(&config->stages, reading->world->stage, name);
    }
    return 0;
}

/* ---- trials ---- */

static int compare_numbers(const void *a, const void *b) {
    size_t x = *(const size_t *)a;
    size_t y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

static int number_values(struct reading *reading, const struct ledger_entry *entry,
                         struct error *err) {
    reading->values.count = 0;
    for (size_t i = 0; i < entry->value_count; i++) {
        size_t value;
        if (entry_value_number(reading->world, entry->values[i], &value, err) < 0 ||
            entry_value_rename(reading->world, value, err) < 0)
            return -1;
        size_t *place = array_add(&reading->values, err);
        if (place == NULL)
            return -1;
        *place = value;
    }
    if (reading->values.count > 1)
        qsort(reading->values.items, reading->values.count, sizeof *reading->values.items,
              compare_numbers);
    return 0;
}

static int link_value(struct entry_world *world, const struct entry_trial *trial, size_t value,
                      struct error *err) {
    struct entry_trial_link *first = world->values.items[value].trials;
    if (first != NULL && first->trial == trial) /* under another of its names */
        return 0;
    struct entry_trial_link *link = arena_take(&world->arena, sizeof *link, err);
    if (link == NULL)
        return -1;
    *link = (struct entry_trial_link){trial, first};
    world->values.items[value].trials = link;
    return 0;
}

static int add_trial(struct reading *reading, const struct ledger_entry *entry, size_t test,
                     struct error *err) {
    struct entry_world *world = reading->world;
    struct entry_trial *trial = arena_take(&world->arena, sizeof *trial, err);
    size_t *values = arena_take(&world->arena, reading->values.count * sizeof *values, err);
    struct entry_trial **place =
        trial != NULL && values != NULL ? array_add(&world->trials, err) : NULL;
    if (place == NULL)
        return -1;
    *place = trial;
    memcpy(values, reading->values.items, reading->values.count * sizeof *values);
    *trial = (struct entry_trial){.test = entry->test,
                                  .test_number = test,
                                  .values = values,
                                  .value_count = reading->values.count,
                                  .passed = -1,
                                  .failed = -1};
    for (size_t i = 0; i < trial->value_count; i++) {
        const struct entry_value *value = &world->values.items[values[i]];
        size_t here = value->here;
        size_t far = value->far;
        if (link_value(world, trial, values[i], err) < 0 ||
            link_value(world, trial, here, err) < 0 || link_value(world, trial, far, err) < 0)
            return -1;
    }
    return 0;
}

static int find_trial(struct reading *reading, const struct ledger_entry *entry, size_t test,
                      struct entry_trial **out, struct error *err) {
    struct entry_world *world = reading->world;
    struct text *key = &reading->key;
    text_truncate(key, 0);
    text_append(key, entry->test, strlen(entry->test) + 1);
    text_add(key, entry->platform != NULL ? entry->platform : "");
    text_append(key, "", 1);
    text_append(key, reading->values.items, reading->values.count * sizeof *reading->values.items);
    if (text_check(key, err) < 0)
        return -1;
    size_t number;
    if (!entry_find(&world->trials_index, text_string(key), key->length, &number)) {
        const char *kept = arena_string(&world->arena, text_string(key), key->length, err);
        if (kept == NULL || entry_number(&world->trials_index, kept, key->length,
                                         world->trials.count, &number, err) < 0)
            return -1;
        if (add_trial(reading, entry, test, err) < 0)
            return -1;
    }
    *out = world->trials.items[number];
    return 0;
}

static int read_evidence(struct reading *reading, size_t place, struct error *err) {
    const struct ledger_entry *entry = &reading->world->ledger->items[place];
    bool passed = entry->outcome == OUTCOME_PASSED || entry->outcome == OUTCOME_FLAKY;
    bool failed = outcome_is_failure(entry->outcome);
    if ((!passed && !failed) || entry->test == NULL || entry->value_count == 0)
        return 0;
    size_t test;
    if (entry_find(&reading->tests, entry->test, strlen(entry->test), &test)) {
        if (!reading->counts[test])
            return 0;
    } else if (string_equal(entry->source, SOURCE_OUTSIDE)) {
        test = ENTRY_NONE;
    } else {
        return 0;
    }
    struct entry_trial *trial;
    if (number_values(reading, entry, err) < 0 || find_trial(reading, entry, test, &trial, err) < 0)
        return -1;
    if (failed) {
        trial->failed = (int64_t)place + 1;
        trial->failure = entry;
    } else if (entry->time_ms <= reading->world->now_ms) {
        trial->passed = (int64_t)place + 1;
    } else if (trial->passed < 0) {
        trial->passed = 0;
    }
    return 0;
}

int entry_evidence_read(struct entry_world *world, struct error *err) {
    _cleanup_(clear_reading) struct reading reading = {.world = world};
    if (read_tests(&reading, err) < 0)
        return -1;
    for (size_t i = 0; i < world->ledger->count; i++)
        if (world->ledger->items[i].type == LEDGER_EVIDENCE && read_evidence(&reading, i, err) < 0)
            return -1;
    return 0;
}

/* ---- questions ---- */

static bool is_in_result(const struct entry_world *world, const struct entry_value *value) {
    return value->in_result == world->stamp ||
           world->values.items[value->here].in_result == world->stamp ||
           world->values.items[value->far].in_result == world->stamp;
}

/* An image that the stage lacks under each of its names took part as a tool. */
static bool is_tool(const struct entry_world *world, const struct entry_value *value) {
    return !entry_image_is_pinned(world, value->image) &&
           !entry_image_is_pinned(world, world->values.items[value->here].image) &&
           !entry_image_is_pinned(world, world->values.items[value->far].image);
}

bool entry_trial_lies_in_result(const struct entry_world *world, const struct entry_trial *trial) {
    for (size_t i = 0; i < trial->value_count; i++) {
        const struct entry_value *value = &world->values.items[trial->values[i]];
        if (!is_in_result(world, value) && !is_tool(world, value))
            return false;
    }
    return true;
}

bool entry_trial_revokes(const struct entry_world *world, const struct entry_trial *trial) {
    if (trial->failed <= trial->passed)
        return false;
    for (size_t i = 0; i < trial->value_count && trial->passed < 0; i++)
        if (is_tool(world, &world->values.items[trial->values[i]]))
            return false; /* the tool may have been the one at fault */
    return true;
}

int entry_tests_of(struct entry_world *world, size_t at, struct error *err) {
    struct entry_value *value = &world->values.items[at];
    if (value->tests_known)
        return 0;
    const struct config *config = world->config;
    size_t *tests = arena_take(&world->arena, config->tests.count * sizeof *tests, err);
    if (tests == NULL)
        return -1;
    for (size_t i = 0; i < config->tests.count; i++) {
        const struct test *test = &config->tests.items[i];
        if (stage_runs_test(&config->stages, world->tested, test->name) &&
            plan_test_covers(test, value->parts.image, value->parts.tag))
            tests[value->test_count++] = i;
    }
    value->tests = tests;
    value->tests_known = true;
    return 0;
}

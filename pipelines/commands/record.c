#include <string.h>

#include "gate/base/file.h"
#include "pipelines/commands/decide.h"
#include "pipelines/plan.h"
#include "reports/junit_read.h"

struct record {
    struct desk *desk;
    const struct test *test;
    struct set values; /* that the test ran on, and covers */
    struct junit_totals totals;
    char digest[DIGEST_SIZE]; /* of the file */
    char definition[HASH_HEX_SIZE];
    char platform[PLATFORM_WORDS_SIZE];
    char *reason;
};

/* ---- which test ---- */

static int find_test(struct record *record, struct error *err) {
    const struct config *config = &record->desk->config;
    const char *name = record->desk->invocation->options.arguments[0];
    _cleanup_(string_list_clear) struct string_list outside = {0};
    for (size_t i = 0; i < config->tests.count; i++) {
        const struct test *test = &config->tests.items[i];
        if (strcmp(test->name, name) == 0 && test->external) {
            record->test = test;
            return test_definition_hash(test, record->definition, err);
        }
        if (strcmp(test->name, name) == 0)
            return error_set(
                err, ERROR_USAGE,
                "test \"%s\" (%s:%d) is run by pingate itself; only the outcome of one "
                "with \"external: true\" is recorded",
                name, config->file, test->line);
        if (test->external && string_list_add(&outside, test->name, err) < 0)
            return -1;
    }
    if (outside.count == 0)
        return error_set(err, ERROR_USAGE,
                         "%s declares no test with \"external: true\", so there is nothing to "
                         "record",
                         config->file);
    _cleanup_(free_pointer) const char **names = calloc(outside.count + 1, sizeof *names);
    if (names == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < outside.count; i++)
        names[i] = outside.items[i];
    const char *nearest = string_nearest(name, names);
    return error_set(err, ERROR_USAGE, "\"%s\" is no test of %s; %s \"%s\"%s", name, config->file,
                     nearest != NULL ? "did you mean" : "with \"external: true\" is",
                     nearest != NULL ? nearest : names[0], nearest != NULL ? "?" : "");
}

/* ---- on what it ran ---- */

static int add_covered(struct record *record, const char *line, struct string_list *lines,
                       bool *covered, struct error *err) {
    struct set_value value = {0};
    int result = set_value_parse(line, &value, err);
    *covered = result == 0 && plan_test_covers(record->test, value.image, value.tag);
    if (*covered)
        result = string_list_add(lines, line, err);
    set_value_clear(&value);
    return result;
}

static int add_set(struct record *record, const struct set *set, struct string_list *lines,
                   struct error *err) {
    bool ignored;
    for (size_t i = 0; i < set->lines.count; i++)
        if (add_covered(record, set->lines.items[i], lines, &ignored, err) < 0)
            return -1;
    return 0;
}

static int add_stage(struct record *record, const char *name, struct string_list *lines,
                     struct error *err) {
    const struct desk *desk = record->desk;
    const struct stage *stage = desk_stage(desk, name, err);
    if (stage == NULL)
        return -1;
    return add_set(record, &desk->gate.sets[desk_stage_number(desk, stage)], lines, err);
}

static int add_named_set(struct record *record, const char *id, struct string_list *lines,
                         struct error *err) {
    struct subject subject = {0};
    int result = desk_find(record->desk, id, NULL, false, false, &subject, err);
    if (result == 0 && subject.kind != SUBJECT_SET)
        result = error_set(err, ERROR_USAGE, "--set: \"%s\" is no set", id);
    if (result == 0)
        result = add_set(record, &subject.set, lines, err);
    subject_clear(&subject);
    return result;
}

/* As people write it; kept as sets have it. */
static int add_reference(struct record *record, const char *words, struct string_list *lines,
                         struct error *err) {
    struct reference name = {0};
    int result = reference_parse(words, &name, err);
    if (result == 0 && name.digest == NULL)
        result = error_set(err, ERROR_USAGE,
                           "\"%s\" has no digest; write IMAGE[:TAG]@sha256:…, what the test ran on",
                           words);
    _cleanup_(free_pointer) char *line =
        result == 0 ? reference_text(name.image, name.tag, name.digest, err) : NULL;
    reference_clear(&name);
    bool covered = false;
    if (line == NULL || add_covered(record, line, lines, &covered, err) < 0) {
        err->kind = err->kind == ERROR_INPUT ? ERROR_USAGE : err->kind;
        return error_wrap(err, "--value");
    }
    return covered ? 0
                   : error_set(err, ERROR_USAGE, "--value: test \"%s\" does not cover %s",
                               record->test->name, words);
}

static int find_values(struct record *record, struct error *err) {
    const struct options *given = &record->desk->invocation->options;
    const char *stage = given->values[OPTION_STAGE];
    const char *set = given->values[OPTION_SET];
    _cleanup_(string_list_clear) struct string_list lines = {0};
    if ((stage != NULL) + (set != NULL) + (given->references.count > 0) != 1)
        return error_set(
            err, ERROR_USAGE,
            "record needs one of --stage, --set and --value: on which digests the test "
            "ran");
    int result = stage != NULL ? add_stage(record, stage, &lines, err)
                 : set != NULL ? add_named_set(record, set, &lines, err)
                               : 0;
    for (size_t i = 0; i < given->references.count && result == 0; i++)
        result = add_reference(record, given->references.items[i], &lines, err);
    if (result < 0)
        return -1;
    if (lines.count == 0)
        return error_set(err, ERROR_USAGE, "test \"%s\" covers nothing of %s \"%s\"",
                         record->test->name, stage != NULL ? "stage" : "set",
                         stage != NULL ? stage : set);
    return set_of_lines((const char *const *)lines.items, lines.count, &record->values, err);
}

static int find_platform(struct record *record, struct error *err) {
    const char *given = record->desk->invocation->options.values[OPTION_PLATFORM];
    struct platform platform;
    platform_host(&platform);
    if (given != NULL && !platform_parse(given, &platform))
        return error_set(err, ERROR_USAGE,
                         "--platform: \"%s\" is no platform such as linux/amd64 or linux/arm/v7",
                         given);
    platform_words(&platform, record->platform);
    return 0;
}

/* ---- what came of it ---- */

static int read_file(struct record *record, struct error *err) {
    const char *file = record->desk->invocation->options.values[OPTION_JUNIT];
    if (file == NULL)
        return error_set(err, ERROR_USAGE, "record needs --junit FILE: what the test said");
    _cleanup_(text_clear) struct text bytes = {0};
    if (file_read(file, JUNIT_FILE_LIMIT, &bytes, err) < 0)
        return error_wrap(err, "--junit");
    if (junit_read(text_string(&bytes), bytes.length, &record->totals, err) < 0)
        return error_wrap(err, "%s: no outcome can be read from it, and none is recorded", file);
    return digest_of(text_string(&bytes), bytes.length, record->digest, err);
}

/* "12 tests: 11 passed, 1 skipped; JUnit file sha256:…". The names of tests are a stranger's: they are left out. */
static int make_reason(struct record *record, struct error *err) {
    const struct junit_totals *totals = &record->totals;
    struct text words = {0};
    text_printf(&words, "%zu test%s: %zu passed", totals->tests, totals->tests == 1 ? "" : "s",
                totals->passed);
    if (totals->failed > 0)
        text_printf(&words, ", %zu failed", totals->failed);
    if (totals->skipped > 0)
        text_printf(&words, ", %zu skipped", totals->skipped);
    if (totals->flaky > 0)
        text_printf(&words, ", %zu of them after a failure", totals->flaky);
    if (totals->why != NULL)
        text_printf(&words, "; %s", totals->why);
    text_printf(&words, "; JUnit file %s", record->digest);
    record->reason = text_steal(&words, err);
    return record->reason != NULL ? 0 : -1;
}

static int draft(struct record *record, struct error *err) {
    struct desk *desk = record->desk;
    struct ledger_entry *entry = desk_draft(desk, LEDGER_EVIDENCE, err);
    if (entry == NULL)
        return -1;
    entry->test = record->test->name;
    entry->definition = record->definition;
    entry->values = (const char *const *)record->values.lines.items;
    entry->value_count = record->values.lines.count;
    entry->platform = record->platform;
    entry->outcome = record->totals.outcome;
    entry->source = "record";
    entry->stage = desk->invocation->options.values[OPTION_STAGE];
    entry->reason = record->reason;
    text_printf(&desk->words, "%s: %s on %s, by %s: %s\n", outcome_name(entry->outcome),
                entry->test, entry->platform, entry->actor, record->reason);
    if (record->totals.first != NULL)
        text_printf(&desk->words, "the first that failed: %s\n", record->totals.first);
    for (size_t i = 0; i < entry->value_count; i++)
        text_printf(&desk->words, "  %s\n", entry->values[i]);
    return 0;
}

static int record_evidence(struct record *record, struct error *err) {
    if (find_test(record, err) < 0 || find_values(record, err) < 0 ||
        find_platform(record, err) < 0 || read_file(record, err) < 0 ||
        make_reason(record, err) < 0 || draft(record, err) < 0)
        return -1;
    return desk_record(record->desk, err) < 0 ? -1 : desk_print(record->desk, err);
}

static int run(struct invocation *invocation, int *exit_status, struct error *err) {
    (void)exit_status;
    struct desk desk;
    struct record record = {.desk = &desk};
    int result = desk_open(invocation, &desk, err);
    if (result == 0)
        result = record_evidence(&record, err);
    set_clear(&record.values);
    junit_totals_clear(&record.totals);
    free(record.reason);
    desk_close(&desk);
    return result;
}

static const enum option_id options[] = {OPTION_JUNIT,    OPTION_STAGE, OPTION_SET, OPTION_VALUE,
                                         OPTION_PLATFORM, OPTION_JSON,  OPTION_END};
static const char *const examples[] = {
    "pingate record cluster --junit e2e.xml --stage staging",
    "what the cluster's tests said of that which stands in staging",
    "pingate record device --junit out.xml --value ghcr.io/acme/app:1@sha256:…",
    "of one image, on whatever it ran", NULL};

const struct command command_record;
const struct command command_record = {
    .name = "record",
    .arguments = "TEST",
    .arguments_least = 1,
    .arguments_most = 1,
    .summary = "record what a test said that pingate cannot run: on a cluster, on a device",
    .description =
        "Writes the outcome of a test with \"external: true\" into the ledger, from its JUnit "
        "file, "
        "for the digests that it ran on. The rule for entering the next stage then asks for its "
        "pass as for that of any other test; a failure that comes later revokes.\n"
        "A failure or an error anywhere in the file is a failure, and so is a file in which no "
        "test "
        "ran. The record names the digest of the file, not the file: keep it as an artifact of the "
        "CI job. The exit status is 0 also when the outcome is a failure: that is recorded then.",
    .options = options,
    .examples = examples,
    .run = run,
};

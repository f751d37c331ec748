/* A run whose every text comes from the input, through every report. The first bytes choose verdicts and outcomes; the rest
 * is cut at each 0x00 into the texts, taken in turn. An input that begins with "{" is also read as a result.json. */
#include "reports/result.h"

#include <string.h>

#include "reports/markdown.h"
#include "reports/report.h"
#include "reports/summary.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/hostile.h"

struct source {
    const uint8_t *bytes;
    size_t size;
    size_t number, text; /* where the next number and the next text are taken */
};

static unsigned number(struct source *source, unsigned below) {
    if (source->size == 0)
        return 0;
    return source->bytes[source->number++ % source->size] % below;
}

static char *text(struct source *source) {
    size_t left = source->size - source->text;
    const uint8_t *at = source->bytes + source->text;
    const uint8_t *end = left > 0 ? memchr(at, 0, left) : NULL;
    size_t length = end != NULL ? (size_t)(end - at) : left;
    source->text = end != NULL ? source->text + length + 1 : 0;
    if (length == 0 && number(source, 2) == 0)
        return NULL;
    return fuzz_string(at, length);
}

static char *some_text(struct source *source) {
    char *taken = text(source);
    return taken != NULL ? taken : fuzz_string((const uint8_t *)"", 0);
}

static void make_update(struct source *source, struct result_update *update) {
    update->image = some_text(source);
    update->tag = text(source);
    update->digest = text(source);
    update->candidate_tag = text(source);
    update->candidate_digest = text(source);
    update->policy = text(source);
    update->rule = text(source);
    update->stage = text(source);
    update->verdict = (enum verdict)number(source, VERDICT_COUNT);
    update->code = (enum verdict_code)number(source, CODE_COUNT);
    update->reason = some_text(source);
    update->reproduce = text(source);
    update->pins = calloc(1, sizeof *update->pins);
    fuzz_require(update->pins != NULL);
    update->pin_count = number(source, 2);
    if (update->pin_count > 0)
        *update->pins = (struct result_pin){some_text(source), number(source, 200), text(source)};
}

static void make_command(struct source *source, struct result_command *command) {
    command->text = some_text(source);
    command->image = text(source);
    command->outcome = (enum outcome)number(source, OUTCOME_COUNT);
    command->reason = text(source);
    command->exit_code = (int)number(source, 256) - 1;
    command->duration_ms = (int64_t)number(source, 256) * 123457 - 99999;
    command->out_tail = text(source);
    command->err_tail = text(source);
    command->out_bytes = number(source, 200);
    command->err_bytes = number(source, 200);
    command->out_path = text(source);
    command->err_path = text(source);
    command->reproduce = text(source);
}

static void make_trial(struct source *source, const struct result *result,
                       struct result_trial *trial) {
    trial->test = some_text(source);
    trial->updates = calloc(result->update_count + 1, sizeof *trial->updates);
    trial->commands = calloc(3, sizeof *trial->commands);
    fuzz_require(trial->updates != NULL && trial->commands != NULL);
    for (size_t i = 0; i < result->update_count; i++)
        if (number(source, 2) == 0)
            trial->updates[trial->update_count++] = i;
    trial->baseline = number(source, 4) == 0;
    trial->platform = text(source);
    trial->outcome = (enum outcome)number(source, OUTCOME_COUNT);
    trial->reason = text(source);
    trial->duration_ms = (int64_t)number(source, 256) * 7919;
    trial->command_count = number(source, 4);
    for (size_t i = 0; i < trial->command_count; i++)
        make_command(source, &trial->commands[i]);
}

static void add_texts(struct source *source, struct string_list *list) {
    struct error err = {0};
    for (unsigned left = number(source, 3); left > 0; left--) {
        char *added = some_text(source);
        fuzz_require(string_list_add(list, added, &err) == 0);
        free(added);
    }
}

static void make(struct source *source, struct result *result) {
    static const int statuses[] = {0, 1, 2, 3, 70, 130, 143, -7, 99999};
    result->program_version = some_text(source);
    result->command = some_text(source);
    result->dry_run = number(source, 2) == 0;
    result->changed = number(source, 2) == 0;
    result->exit_status = statuses[number(source, sizeof statuses / sizeof *statuses)];
    result->started_ms = (int64_t)number(source, 256) << number(source, 50);
    result->engine = text(source);
    result->promote = text(source);
    result->set = text(source);
    result->diff = text(source);
    result->updates = calloc(4, sizeof *result->updates);
    result->trials = calloc(4, sizeof *result->trials);
    fuzz_require(result->updates != NULL && result->trials != NULL);
    result->update_count = number(source, 4);
    for (size_t i = 0; i < result->update_count; i++)
        make_update(source, &result->updates[i]);
    result->trial_count = number(source, 5);
    for (size_t i = 0; i < result->trial_count; i++)
        make_trial(source, result, &result->trials[i]);
    add_texts(source, &result->warnings);
    add_texts(source, &result->errors);
}

static void check_summary(const struct result *result) {
    struct error err = {0};
    struct text drawn = {0};
    struct screen screen = {.stream = stdout, .utf8 = true};
    fuzz_require(summary_draw(result, &screen, "pingate-out", false, &drawn, &err) == 0);
    hostile_check_characters(&drawn, false);
    hostile_check_commands(&drawn);
    text_clear(&drawn);
}

static void draw_all(const struct result *result) {
    struct error err = {0};
    struct text drawn = {0};
    fuzz_require(report_junit.draw(result, &drawn, &err) == 0);
    hostile_check_characters(&drawn, true);
    hostile_check_commands(&drawn);
    hostile_check_xml(&drawn);
    text_clear(&drawn);
    fuzz_require(report_markdown.draw(result, &drawn, &err) == 0);
    fuzz_require(drawn.length <= MARKDOWN_LIMIT_GITHUB);
    hostile_check_characters(&drawn, true);
    hostile_check_commands(&drawn);
    hostile_check_markdown(&drawn);
    text_clear(&drawn);
    fuzz_require(markdown_draw(result, MARKDOWN_LIMIT_LEAST, &drawn, &err) == 0);
    fuzz_require(drawn.length <= MARKDOWN_LIMIT_LEAST);
    hostile_check_markdown(&drawn);
    text_clear(&drawn);
    check_summary(result);
}

/* What was written is read as it was, and draws the same. */
static void check_round_trip(const struct result *result) {
    struct error err = {0};
    struct text first = {0};
    struct text second = {0};
    struct result again;
    fuzz_require(report_json.draw(result, &first, &err) == 0);
    hostile_check_characters(&first, false);
    fuzz_require(strstr(text_string(&first), "##") == NULL);
    json_t *json = json_loadb(text_string(&first), first.length, JSON_REJECT_DUPLICATES, NULL);
    fuzz_require(json != NULL && result_from_json(json, &again, &err) == 0);
    fuzz_require(report_json.draw(&again, &second, &err) == 0);
    fuzz_require(strcmp(text_string(&first), text_string(&second)) == 0);
    json_decref(json);
    result_clear(&again);
    text_clear(&first);
    text_clear(&second);
}

static void read_json(const uint8_t *bytes, size_t size) {
    struct error err = {0};
    struct result result;
    json_t *json = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
    if (json == NULL)
        return;
    if (result_from_json(json, &result, &err) == 0) {
        draw_all(&result);
        result_clear(&result);
    } else
        fuzz_require(error_message(&err)[0] != '\0');
    error_clear(&err);
    json_decref(json);
}

FUZZ_TARGET(result) {
    struct source source = {bytes, size, 0, 0};
    struct result result = {0};
    make(&source, &result);
    draw_all(&result);
    check_round_trip(&result);
    result_clear(&result);
    if (size > 0 && bytes[0] == '{')
        read_json(bytes, size);
}

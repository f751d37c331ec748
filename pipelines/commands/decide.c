#include "pipelines/commands/decide.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "pipelines/commands/gated.h"
#include "reports/clean.h"
#include "reports/json.h"

/* "7d" from now on; a day ends with it. */
static int read_until(const struct invocation *invocation, int64_t now_ms, int64_t *until_ms,
                      struct error *err) {
    const char *text = invocation->options.values[OPTION_UNTIL];
    *until_ms = 0;
    if (text == NULL)
        return 0;
    int64_t first_ms;
    int64_t duration_ms;
    if (strchr(text, '-') != NULL) {
        if (clock_parse_time(text, &first_ms, until_ms, err) < 0)
            return error_wrap(err, "--until");
    } else if (clock_parse_duration(text, &duration_ms, err) < 0) {
        return error_set(err, ERROR_USAGE,
                         "--until: \"%s\" is neither a duration such as 7d nor a time such as "
                         "2026-12-24 or 2026-12-24T18:00Z",
                         text);
    } else {
        *until_ms = now_ms + duration_ms;
    }
    if (*until_ms <= now_ms)
        return error_set(err, ERROR_USAGE, "--until: \"%s\" is over already", text);
    return 0;
}

static int find_pins(struct desk *desk, struct error *err) {
    struct scan_options options = {.include = &desk->config.include,
                                   .exclude = &desk->config.exclude,
                                   .cancel = desk->invocation->cancel};
    if (scan_tree(desk->options.root, &options, &desk->gate.scan, err) < 0)
        return error_wrap(err, "scan %s", desk->options.root);
    return gate_find_stages(&desk->gate, err);
}

int desk_open(struct invocation *invocation, struct desk *desk, struct error *err) {
    *desk = (struct desk){.invocation = invocation, .now_ms = clock_now_ms()};
    desk->options =
        (struct gate_options){.command = invocation->command->name, .root = invocation->root};
    desk->gate = (struct gate){.options = &desk->options,
                               .config = &desk->config,
                               .cancel = invocation->cancel,
                               .terminal = invocation->terminal,
                               .result = &desk->result,
                               .workspace = {.fd = -1}};
    if (read_until(invocation, desk->now_ms, &desk->until_ms, err) < 0 ||
        command_config(invocation, &desk->config, err) < 0 ||
        gate_check_stage(&desk->config, NULL, err) < 0 ||
        gated_recover(invocation, true, err) < 0 || find_pins(desk, err) < 0 ||
        gate_open_ledger(&desk->gate, err) < 0)
        return -1;
    desk->gate.drafts.count = 0; /* what is seen is for the commands that move pins to record */
    return decision_list_read(&desk->gate.ledger, desk->now_ms, &desk->counting, err);
}

void desk_close(struct desk *desk) {
    decision_list_clear(&desk->counting);
    ledger_file_clear(&desk->file);
    text_clear(&desk->words);
    gate_clear(&desk->gate);
    result_clear(&desk->result);
    config_clear(&desk->config);
}

const struct stage *desk_stage(const struct desk *desk, const char *name, struct error *err) {
    if (gate_check_stage(&desk->config, name, err) < 0)
        return NULL;
    return stage_find(&desk->config.stages, name);
}

size_t desk_stage_number(const struct desk *desk, const struct stage *stage) {
    return (size_t)(stage - desk->config.stages.items);
}

int desk_find(const struct desk *desk, const char *word, const struct stage *stage, bool images,
              bool unseen, struct subject *out, struct error *err) {
    const struct subject_question question = {
        .ledger = &desk->gate.ledger,
        .sets = desk->gate.sets,
        .set_count = desk->config.stages.count,
        .stage = stage != NULL ? stage->name : NULL,
        .stage_set = stage != NULL ? &desk->gate.sets[desk_stage_number(desk, stage)] : NULL,
        .images = images,
        .unseen = unseen,
    };
    return subject_find(&question, word, out, err);
}

int desk_needs_reason(const struct desk *desk, struct error *err) {
    if (desk->invocation->options.values[OPTION_REASON] != NULL)
        return 0;
    return error_set(err, ERROR_USAGE,
                     "%s needs --reason \"…\": whoever finds it later has to know why",
                     desk->invocation->command->name);
}

/* ---- entries ---- */

struct ledger_entry *desk_draft(struct desk *desk, enum ledger_type type, struct error *err) {
    struct ledger_entry *draft = gate_draft(&desk->gate, type, err);
    if (draft == NULL)
        return NULL;
    draft->time_ms = desk->now_ms;
    draft->reason = desk->invocation->options.values[OPTION_REASON];
    draft->until_ms = desk->until_ms;
    return draft;
}

void desk_draft_subject(struct ledger_entry *draft, const struct subject *subject) {
    draft->set = subject->kind == SUBJECT_SET ? subject->word : NULL;
    draft->digest = subject->kind == SUBJECT_DIGEST ? subject->word : NULL;
    draft->image = subject->kind == SUBJECT_IMAGE ? subject->word : NULL;
}

int desk_record(struct desk *desk, struct error *err) {
    struct gate *gate = &desk->gate;
    return ledger_write(gate->options->root, gate->drafts.items, gate->drafts.count, desk->now_ms,
                        &gate->ledger, &desk->file, err);
}

/* ---- words ---- */

void desk_name(struct text *out, const struct ledger_entry *entry) {
    if (entry->set != NULL)
        text_printf(out, "set %.*s", SET_SHORT_LENGTH, entry->set);
    else if (entry->digest != NULL)
        text_printf(out, "%.*s", (int)strlen("sha256:") + SET_SHORT_LENGTH, entry->digest);
    else if (entry->image != NULL)
        text_add(out, entry->image);
    if (entry->set == NULL && entry->digest == NULL && entry->image == NULL)
        text_add(out, entry->stage != NULL ? entry->stage : "everything");
    else if (entry->stage != NULL)
        text_printf(out, " %s %s", entry->type == LEDGER_HELD ? "in" : "for", entry->stage);
}

int desk_say(struct desk *desk, struct error *err) {
    _cleanup_(text_clear) struct text clean = {0};
    if (text_check(&desk->words, err) < 0)
        return -1;
    if (!desk->invocation->options.given[OPTION_JSON])
        clean_terminal(&clean, text_string(&desk->words), desk->words.length, true);
    text_truncate(&desk->words, 0);
    return clean.length > 0 ? command_print(desk->invocation, &clean, err) : 0;
}

/* The lines of the file are the entries' machine form. */
static json_t *entries_to_json(const struct desk *desk, struct error *err) {
    json_t *list = json_array();
    const char *at = desk->file.path != NULL ? text_string(&desk->file.bytes) : "";
    while (list != NULL && *at != '\0') {
        size_t length = strcspn(at, "\n");
        json_t *entry = json_loadb(at, length, 0, NULL);
        if (entry == NULL || json_array_append_new(list, entry) < 0) {
            json_decref(list);
            list = NULL;
            break;
        }
        at += length + (at[length] == '\n');
    }
    if (list == NULL)
        error_no_memory(err);
    return list;
}

int desk_print(struct desk *desk, struct error *err) {
    if (desk->file.path != NULL)
        text_printf(&desk->words,
                    "recorded in %s; it counts once it is on the target branch: commit it\n",
                    desk->file.path);
    if (!desk->invocation->options.given[OPTION_JSON])
        return desk_say(desk, err);
    json_t *entries = entries_to_json(desk, err);
    if (entries == NULL)
        return -1;
    return command_print_json(
        desk->invocation,
        json_pack("{s:i, s:s?, s:o}", "version", 1, "file", desk->file.path, "entries", entries),
        err);
}

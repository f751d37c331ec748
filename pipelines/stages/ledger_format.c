#include <config.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "gate/base/hash.h"
#include "pipelines/stages/ledger_parts.h"

/* A member that lacks is left out. first: nothing stands before it in its object. */
static void add_key(struct text *out, const char *key, bool *first) {
    text_printf(out, "%s\"%s\":", *first ? "" : ",", key);
    *first = false;
}

static void add_member(struct text *out, const char *key, const char *value, bool *first) {
    if (value == NULL)
        return;
    add_key(out, key, first);
    ledger_add_string(out, value);
}

static void add_time(struct text *out, const char *key, int64_t time_ms, bool *first) {
    char words[CLOCK_RFC3339_SIZE];
    clock_rfc3339_ms(time_ms, words);
    add_member(out, key, words, first);
}

static void add_change(struct text *out, const struct ledger_change *change) {
    bool first = true;
    text_add_char(out, '{');
    add_member(out, "digest", change->digest, &first);
    add_member(out, "image", change->image, &first);
    add_member(out, "old_digest", change->old_digest, &first);
    add_member(out, "old_tag", change->old_tag, &first);
    add_member(out, "tag", change->tag, &first);
    text_add_char(out, '}');
}

static int compare_values(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int add_values(struct text *out, const struct ledger_entry *draft, struct error *err) {
    const char **values = calloc(draft->value_count + 1, sizeof *values);
    if (values == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < draft->value_count; i++)
        values[i] = draft->values[i];
    qsort(values, draft->value_count, sizeof *values, compare_values);
    text_add_char(out, '[');
    for (size_t i = 0; i < draft->value_count; i++) {
        if (i > 0 && strcmp(values[i], values[i - 1]) == 0)
            continue;
        if (i > 0)
            text_add_char(out, ',');
        ledger_add_string(out, values[i]);
    }
    text_add_char(out, ']');
    free(values);
    return 0;
}

static int add_field(struct text *out, const struct ledger_entry *draft,
                     const struct ledger_field *field, bool *first, struct error *err) {
    const void *from = (const char *)draft + field->offset;
    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_HASH:
    case FIELD_DIGEST:
    case FIELD_SELECTOR:
        add_member(out, field->name, *(const char *const *)from, first);
        return 0;
    case FIELD_TIME:
        if (*(const int64_t *)from != 0)
            add_time(out, field->name, *(const int64_t *)from, first);
        return 0;
    case FIELD_FLAG:
        if (*(const bool *)from) {
            add_key(out, field->name, first);
            text_add(out, "true");
        }
        return 0;
    case FIELD_OUTCOME:
        add_member(out, field->name, outcome_name(*(const enum outcome *)from), first);
        return 0;
    case FIELD_VALUES:
        add_key(out, field->name, first);
        return add_values(out, draft, err);
    case FIELD_CHANGES:
        add_key(out, field->name, first);
        text_add_char(out, '[');
        for (size_t i = 0; i < draft->change_count; i++) {
            text_add(out, i > 0 ? "," : "");
            add_change(out, &draft->changes[i]);
        }
        text_add_char(out, ']');
        return 0;
    }
    return -1;
}

static int add_body(struct text *out, const struct ledger_entry *draft, struct error *err) {
    unsigned int type = 1u << draft->type;
    bool first = true;
    add_key(out, "body", &(bool){false});
    text_add_char(out, '{');
    for (const struct ledger_field *field = ledger_fields; field->name != NULL; field++)
        if (((field->required | field->one_of | field->optional) & type) != 0 &&
            add_field(out, draft, field, &first, err) < 0)
            return -1;
    text_add_char(out, '}');
    return 0;
}

/* All but the id, which goes in at *id_at. */
static int add_entry(struct text *out, const struct ledger_entry *draft, int64_t now_ms,
                     size_t *id_at, struct error *err) {
    bool first = true;
    text_add_char(out, '{');
    add_member(out, "actor", draft->actor != NULL ? draft->actor : "", &first);
    if (add_body(out, draft, err) < 0)
        return -1;
    first = false;
    add_member(out, "ci", draft->ci, &first);
    if (draft->critical)
        text_add(out, ",\"critical\":true");
    text_add_char(out, ',');
    *id_at = out->length;
    first = true;
    add_time(out, "time", draft->time_ms != 0 ? draft->time_ms : now_ms, &first);
    add_member(out, "tool", draft->tool != NULL ? draft->tool : "pingate " PINGATE_VERSION, &first);
    add_member(out, "type", draft->unknown != NULL ? draft->unknown : ledger_type_name(draft->type),
               &first);
    text_printf(out, ",\"v\":%d}", LEDGER_VERSION);
    return text_check(out, err);
}

static int add_line(struct text *out, const struct ledger_entry *draft, int64_t now_ms,
                    struct error *err) {
    _cleanup_(text_clear) struct text entry = {.ceiling = LEDGER_LINE_LIMIT};
    size_t id_at;
    char id[HASH_HEX_SIZE];
    if (add_entry(&entry, draft, now_ms, &id_at, err) < 0 ||
        hash_hex(entry.bytes, entry.length, id, err) < 0)
        return -1;
    text_append(out, entry.bytes, id_at);
    text_printf(out, "\"id\":\"%s\",", id);
    text_append(out, entry.bytes + id_at, entry.length - id_at);
    text_add_char(out, '\n');
    return text_check(out, err);
}

int ledger_path(const char *bytes, size_t length, int64_t now_ms, char **out, struct error *err) {
    char sum[HASH_HEX_SIZE];
    char now[CLOCK_RFC3339_SIZE]; /* 2026-11-25T10:53:00.000Z */
    if (hash_hex(bytes, length, sum, err) < 0)
        return -1;
    clock_rfc3339_ms(now_ms, now);
    *out =
        string_format(err, "%s/%.7s/%.4s%.2s%.2sT%.2s%.2s%.2sZ-%.*s.jsonl", LEDGER_FOLDER, now, now,
                      now + 5, now + 8, now + 11, now + 14, now + 17, LEDGER_NAME_DIGITS, sum);
    return *out != NULL ? 0 : -1;
}

/* What cannot be read is never written. */
static int check_readable(const struct ledger_file *file, struct error *err) {
    struct ledger again = {0};
    int result =
        ledger_parse(file->path, text_string(&file->bytes), file->bytes.length, &again, err);
    ledger_clear(&again);
    if (result < 0 && err->kind == ERROR_INPUT)
        err->kind = ERROR_BUG;
    return result < 0 ? error_wrap(err, "write the ledger") : 0;
}

static int format(const struct ledger_entry *drafts, size_t count, int64_t now_ms,
                  struct ledger_file *out, struct error *err) {
    for (size_t i = 0; i < count; i++)
        if (add_line(&out->bytes, &drafts[i], now_ms, err) < 0)
            return error_wrap(err, "write the ledger: entry \"%s\"",
                              ledger_type_name(drafts[i].type));
    if (count == 0)
        return error_set(err, ERROR_BUG, "write the ledger: there is no entry");
    if (ledger_path(out->bytes.bytes, out->bytes.length, now_ms, &out->path, err) < 0)
        return -1;
    return check_readable(out, err);
}

int ledger_format(const struct ledger_entry *drafts, size_t count, int64_t now_ms,
                  struct ledger_file *out, struct error *err) {
    *out = (struct ledger_file){.bytes = {.ceiling = LEDGER_FILE_LIMIT}};
    if (format(drafts, count, now_ms, out, err) == 0)
        return 0;
    ledger_file_clear(out);
    return -1;
}

void ledger_file_clear(struct ledger_file *file) {
    free(file->path);
    text_clear(&file->bytes);
    *file = (struct ledger_file){0};
}

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "gate/base/json_walk.h"
#include "gate/digest.h"
#include "gate/selector.h"
#include "gate/set.h"
#include "pipelines/stages/ledger_parts.h"

#define ID_MEMBER_LENGTH 72 /* bytes of "id":"<64 hex>", with its comma */

/* One entry that is being read. */
struct reading {
    struct ledger *ledger;
    struct ledger_entry *entry;
    struct json_walk walk;
    struct text key, word; /* of the walk */
    const char *id_member; /* where "id" begins in the line */
    bool has_time, has_body, has_version;
    bool newer;            /* its `v` is above ours */
    const char *body;      /* where it begins; read when the type is known */
    unsigned int seen;     /* bit i: ledger_fields[i] stands there */
    const char **values;   /* room that is used again */
    size_t value_capacity; /* pointers */
};

/* What a file shows at a glance that came from somewhere else. */
static const struct {
    const char *at_start; /* of a line */
    const char *why;
} strangers[] = {
    {"<<<<<<< ",
     "holds the marks of a merge conflict; files of the ledger never change, so take each "
     "side's file as it was committed"},
    {">>>>>>> ",
     "holds the marks of a merge conflict; files of the ledger never change, so take each "
     "side's file as it was committed"},
    {"version https://git-lfs.",
     "is a pointer of Git LFS and not the file: fetch it (git lfs pull), "
     "and take .pingate/ledger out of LFS in .gitattributes"},
};

static int bad(struct error *err, const char *why) {
    return error_set(err, ERROR_INPUT, "%s", why);
}

static bool hex(const char *text, size_t length) {
    return strlen(text) == length && strspn(text, "0123456789abcdef") == length;
}

/* The string that comes next, kept. */
static const char *keep_string(struct reading *reading, struct error *err) {
    if (!json_walk_string(&reading->walk, &reading->word)) {
        if (text_check(&reading->word, err) == 0)
            error_set(err, ERROR_INPUT, "%s: a string was expected", text_string(&reading->key));
        return NULL;
    }
    if (reading->word.length == 0) {
        error_set(err, ERROR_INPUT, "%s: is empty", text_string(&reading->key));
        return NULL;
    }
    return words_add(&reading->ledger->words, &reading->ledger->arena, text_string(&reading->word),
                     reading->word.length, err);
}

static int read_time(struct reading *reading, int64_t *out, struct error *err) {
    if (!json_walk_string(&reading->walk, &reading->word) ||
        !clock_parse_rfc3339_ms(text_string(&reading->word), out))
        return error_set(err, ERROR_INPUT, "%s: no time such as 2026-11-25T10:53:00.123Z",
                         text_string(&reading->key));
    return 0;
}

static int read_flag(struct reading *reading, bool *out, struct error *err) {
    struct json_walk *walk = &reading->walk;
    *out = json_walk_peek(walk) == JSON_WALK_WORD && *walk->at == 't';
    if (!*out || !json_walk_skip(walk))
        return error_set(err, ERROR_INPUT, "%s: only true may stand there",
                         text_string(&reading->key));
    return 0;
}

static int read_outcome(struct reading *reading, enum outcome *out, struct error *err) {
    if (!json_walk_string(&reading->walk, &reading->word) ||
        !outcome_from_name(text_string(&reading->word), out))
        return error_set(err, ERROR_INPUT, "outcome: no outcome that this version knows");
    return 0;
}

/* One line of a set; looked at when it is met for the first time. */
static const char *read_value(struct reading *reading, struct error *err) {
    struct ledger *ledger = reading->ledger;
    const struct text *word = &reading->word;
    if (!json_walk_string(&reading->walk, &reading->word)) {
        if (text_check(word, err) == 0)
            bad(err, "values: a string was expected");
        return NULL;
    }
    const char *known = words_find(&ledger->values, text_string(word), word->length);
    if (known != NULL)
        return known;
    struct set_value parts = {0};
    if (set_value_parse(text_string(word), &parts, err) < 0) {
        error_wrap(err, "values");
        return NULL;
    }
    set_value_clear(&parts);
    return words_add(&ledger->values, &ledger->arena, text_string(word), word->length, err);
}

static int read_values(struct reading *reading, struct error *err) {
    struct ledger_entry *entry = reading->entry;
    size_t count = 0;
    if (!json_walk_array(&reading->walk))
        return bad(err, "values: a list was expected");
    while (json_walk_item(&reading->walk)) {
        const char *value = read_value(reading, err);
        if (value == NULL)
            return -1;
        if (count > 0 && strcmp(reading->values[count - 1], value) >= 0)
            return bad(err, "values: are not sorted, or one stands there twice");
        if (count == reading->value_capacity) {
            size_t grown = count != 0 ? count * 2 : 64;
            const char **moved = reallocarray(reading->values, grown, sizeof *moved);
            if (moved == NULL)
                return error_no_memory(err);
            reading->values = moved;
            reading->value_capacity = grown;
        }
        reading->values[count++] = value;
    }
    if (reading->walk.broken)
        return bad(err, "values: a list of strings was expected");
    const char **kept = arena_take(&reading->ledger->arena, count * sizeof *kept, err);
    if (kept == NULL)
        return -1;
    if (count > 0)
        memcpy(kept, reading->values, count * sizeof *kept);
    entry->values = kept;
    entry->value_count = count;
    return 0;
}

static int read_change(struct reading *reading, struct ledger_change *change, struct error *err) {
    const struct {
        const char *name;
        const char **to;
    } fields[] = {{"digest", &change->digest},
                  {"image", &change->image},
                  {"old_digest", &change->old_digest},
                  {"old_tag", &change->old_tag},
                  {"tag", &change->tag}};
    if (!json_walk_object(&reading->walk))
        return bad(err, "changes: an object was expected");
    while (json_walk_key(&reading->walk, &reading->key)) {
        size_t i = 0;
        while (i < sizeof fields / sizeof *fields &&
               strcmp(fields[i].name, text_string(&reading->key)) != 0)
            i++;
        if (i == sizeof fields / sizeof *fields)
            json_walk_skip(&reading->walk);
        else if ((*fields[i].to = keep_string(reading, err)) == NULL)
            return -1;
    }
    if (change->image == NULL || change->digest == NULL)
        return bad(err, "changes: one lacks its image or digest");
    if (!digest_valid(change->digest) ||
        (change->old_digest != NULL && !digest_valid(change->old_digest)))
        return bad(err, "changes: one has a digest that is none");
    return 0;
}

static int read_changes(struct reading *reading, struct error *err) {
    struct {
        struct ledger_change *items;
        size_t count, capacity;
    } list = {0};
    int result = json_walk_array(&reading->walk) ? 0 : bad(err, "changes: a list was expected");
    while (result == 0 && json_walk_item(&reading->walk)) {
        struct ledger_change *change = array_add(&list, err);
        result = change != NULL ? read_change(reading, change, err) : -1;
    }
    struct ledger_change *kept = NULL;
    if (result == 0)
        kept = arena_take(&reading->ledger->arena, list.count * sizeof *kept, err);
    if (kept != NULL && list.count > 0)
        memcpy(kept, list.items, list.count * sizeof *kept);
    reading->entry->changes = kept;
    reading->entry->change_count = kept != NULL ? list.count : 0;
    free(list.items);
    return kept != NULL ? 0 : -1;
}

/* A string with a form of its own. */
static int read_word(struct reading *reading, const struct ledger_field *field, const char **out,
                     struct error *err) {
    *out = keep_string(reading, err);
    if (*out == NULL)
        return -1;
    if (field->kind == FIELD_HASH && !hex(*out, HASH_HEX_SIZE - 1))
        return error_set(err, ERROR_INPUT, "%s: 64 hex digits were expected", field->name);
    if (field->kind == FIELD_DIGEST && !digest_valid(*out))
        return error_set(err, ERROR_INPUT, "%s: no digest", field->name);
    if (field->kind == FIELD_SELECTOR && selector_check(*out, err) < 0) {
        if (err->kind != ERROR_NO_MEMORY)
            err->kind = ERROR_INPUT;
        return error_wrap(err, "%s", field->name);
    }
    return 0;
}

static int read_field(struct reading *reading, const struct ledger_field *field,
                      struct error *err) {
    void *to = (char *)reading->entry + field->offset;
    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_HASH:
    case FIELD_DIGEST:
    case FIELD_SELECTOR:
        return read_word(reading, field, to, err);
    case FIELD_TIME:
        return read_time(reading, to, err);
    case FIELD_FLAG:
        return read_flag(reading, to, err);
    case FIELD_OUTCOME:
        return read_outcome(reading, to, err);
    case FIELD_VALUES:
        return read_values(reading, err);
    case FIELD_CHANGES:
        return read_changes(reading, err);
    }
    return -1;
}

static const struct ledger_field *field_of(const char *name, unsigned int type) {
    for (const struct ledger_field *field = ledger_fields; field->name != NULL; field++)
        if (strcmp(field->name, name) == 0)
            return ((field->required | field->one_of | field->optional) & type) != 0 ? field : NULL;
    return NULL;
}

static int check_complete(const struct reading *reading, unsigned int type, struct error *err) {
    bool wants_one = false, has_one = false;
    for (unsigned int i = 0; ledger_fields[i].name != NULL; i++) {
        const struct ledger_field *field = &ledger_fields[i];
        bool seen = (reading->seen >> i & 1) != 0;
        if ((field->required & type) != 0 && !seen)
            return error_set(err, ERROR_INPUT, "an entry \"%s\" lacks its %s",
                             ledger_type_name(reading->entry->type), field->name);
        if ((field->one_of & type) != 0) {
            wants_one = true;
            has_one = has_one || seen;
        }
    }
    if (wants_one && !has_one)
        return error_set(err, ERROR_INPUT, "an entry \"%s\" names nothing that it is about",
                         ledger_type_name(reading->entry->type));
    return 0;
}

/* The walk stands at the body again. */
static int read_body(struct reading *reading, struct error *err) {
    unsigned int type = 1u << reading->entry->type;
    reading->walk = (struct json_walk){.at = reading->body, .end = reading->walk.end};
    if (!json_walk_object(&reading->walk))
        return bad(err, "body: an object was expected");
    while (json_walk_key(&reading->walk, &reading->key)) {
        const struct ledger_field *field = field_of(text_string(&reading->key), type);
        if (field == NULL) {
            json_walk_skip(&reading->walk);
            continue;
        }
        reading->seen |= 1u << (field - ledger_fields);
        if (read_field(reading, field, err) < 0)
            return -1;
    }
    return check_complete(reading, type, err);
}

static int read_version(struct reading *reading, struct error *err) {
    double version;
    if (!json_walk_number(&reading->walk, &version) || version < 1)
        return bad(err, "v: a version was expected");
    reading->has_version = true;
    reading->newer = version > LEDGER_VERSION;
    return 0;
}

static int read_type(struct reading *reading, struct error *err) {
    struct ledger_entry *entry = reading->entry;
    const char *word = keep_string(reading, err);
    if (word == NULL)
        return -1;
    entry->unknown = word;
    if (ledger_type_from_name(word, &entry->type))
        entry->unknown = NULL;
    else
        entry->type = LEDGER_UNKNOWN;
    return 0;
}

static int read_member(struct reading *reading, struct error *err) {
    struct ledger_entry *entry = reading->entry;
    struct json_walk *walk = &reading->walk;
    const char *key = text_string(&reading->key);
    const struct {
        const char *name;
        const char **to;
    } strings[] = {{"actor", &entry->actor}, {"ci", &entry->ci}, {"tool", &entry->tool}};
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        if (strcmp(key, strings[i].name) == 0) {
            *strings[i].to = keep_string(reading, err);
            return *strings[i].to != NULL ? 0 : -1;
        }
    if (strcmp(key, "body") == 0) {
        reading->has_body = true;
        reading->body = walk->at;
        return json_walk_skip(walk) ? 0 : bad(err, "is no JSON");
    }
    if (strcmp(key, "critical") == 0)
        return read_flag(reading, &entry->critical, err);
    if (strcmp(key, "id") == 0) {
        reading->id_member = walk->at - strlen("\"id\":");
        if (!json_walk_string(walk, &reading->word) ||
            !hex(text_string(&reading->word), HASH_HEX_SIZE - 1))
            return bad(err, "id: 64 hex digits were expected");
        entry->id =
            arena_string(&reading->ledger->arena, reading->word.bytes, HASH_HEX_SIZE - 1, err);
        return entry->id != NULL ? 0 : -1;
    }
    if (strcmp(key, "time") == 0) {
        reading->has_time = true;
        return read_time(reading, &entry->time_ms, err);
    }
    if (strcmp(key, "type") == 0)
        return read_type(reading, err);
    if (strcmp(key, "v") == 0)
        return read_version(reading, err);
    return json_walk_skip(walk) ? 0 : bad(err, "is no JSON");
}

/* "id" stands before "time", so a comma is behind it. */
static int check_id(const struct reading *reading, const char *line, size_t length,
                    struct error *err) {
    _cleanup_(hash_freep) struct hash *hash = hash_new(err);
    if (hash == NULL)
        return -1;
    char sum[HASH_HEX_SIZE];
    const char *behind = reading->id_member + ID_MEMBER_LENGTH;
    hash_update(hash, line, (size_t)(reading->id_member - line));
    hash_update(hash, behind, (size_t)(line + length - behind));
    hash_finish_hex(hash, sum);
    if (strcmp(sum, reading->entry->id) != 0)
        return bad(err, "its id is not that of its bytes: it was changed after it was written");
    return 0;
}

static int read_line(struct reading *reading, const char *line, size_t length, struct error *err) {
    struct ledger_entry *entry = reading->entry;
    if (length > LEDGER_LINE_LIMIT)
        return error_set(err, ERROR_LIMIT, "an entry may have %u bytes, and this one has %zu",
                         LEDGER_LINE_LIMIT, length);
    if (!ledger_is_canonical(line, length))
        return bad(err, "is no canonical JSON: it was cut, changed, or formatted anew");
    json_walk_start(&reading->walk, line, length);
    if (!json_walk_object(&reading->walk))
        return bad(err, "an object was expected");
    while (json_walk_key(&reading->walk, &reading->key))
        if (read_member(reading, err) < 0)
            return -1;
    if (!json_walk_done(&reading->walk)) /* it holds a NUL, or half of a pair */
        return text_check(&reading->key, err) < 0 ? -1 : bad(err, "is no JSON");
    if (entry->id == NULL || !reading->has_time || !reading->has_body || !reading->has_version ||
        entry->actor == NULL || entry->tool == NULL ||
        (entry->type == LEDGER_UNKNOWN && entry->unknown == NULL))
        return bad(err, "lacks one of actor, body, id, time, tool, type, v");
    if (check_id(reading, line, length, err) < 0)
        return -1;
    if (reading->newer) {
        if (entry->unknown == NULL)
            entry->unknown = ledger_type_name(entry->type);
        entry->type = LEDGER_UNKNOWN;
        entry->critical = true;
    }
    if (*reading->body != '{')
        return bad(err, "body: an object was expected");
    return entry->type != LEDGER_UNKNOWN ? read_body(reading, err) : 0;
}

static int add_line(struct ledger *ledger, struct reading *again, const char *line, size_t length,
                    struct error *err) {
    if (ledger->count >= LEDGER_ENTRY_LIMIT)
        return error_set(err, ERROR_LIMIT,
                         "the ledger has more than %u entries; pingate history --compact shortens "
                         "it",
                         LEDGER_ENTRY_LIMIT);
    struct ledger_entry *entry = array_add(ledger, err);
    if (entry == NULL)
        return -1;
    entry->type = LEDGER_UNKNOWN;
    struct reading reading = {.ledger = ledger,
                              .entry = entry,
                              .key = again->key,
                              .word = again->word,
                              .values = again->values,
                              .value_capacity = again->value_capacity};
    int result = read_line(&reading, line, length, err);
    *again = reading;
    return result;
}

static bool line_begins(const char *bytes, size_t length, const char *with) {
    size_t wanted = strlen(with);
    for (const char *at = bytes; at != NULL;) {
        const char *found = memmem(at, (size_t)(bytes + length - at), with, wanted);
        if (found == NULL)
            return false;
        if (found == bytes || found[-1] == '\n')
            return true;
        at = found + 1;
    }
    return false;
}

/* Why bytes that were refused are not what was written, where there are better words for it. */
static const char *stranger(const char *bytes, size_t length) {
    if (length == 0)
        return "is empty";
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
        if (line_begins(bytes, length, strangers[i].at_start))
            return strangers[i].why;
    if (memmem(bytes, length, "\r\n", 2) != NULL)
        return "has Windows line ends: git's autocrlf or an editor changed them; give "
               ".pingate/ledger \"* -text\" in .gitattributes";
    return NULL;
}

static int check_name(const char *name, const char *bytes, size_t length, struct error *err) {
    const char *wanted = ledger_name_digits(name);
    char sum[HASH_HEX_SIZE];
    if (wanted == NULL)
        return 0;
    if (hash_hex(bytes, length, sum, err) < 0)
        return -1;
    if (memcmp(sum, wanted, LEDGER_NAME_DIGITS) != 0)
        return bad(err, "its bytes are not those that its name was made of: it was changed after "
                        "it was written");
    return 0;
}

static int parse_lines(const char *name, const char *bytes, size_t length, struct ledger *out,
                       struct reading *again, struct error *err) {
    const char *kept = words_add(&out->words, &out->arena, name, strlen(name), err);
    if (kept == NULL)
        return -1;
    size_t number = 1;
    for (const char *line = bytes; line < bytes + length; number++) {
        const char *end = memchr(line, '\n', (size_t)(bytes + length - line));
        if (ledger_name_is_compacted(name))
            line += strspn(line, " ");
        if (add_line(out, again, line, (size_t)(end - line), err) < 0)
            return error_wrap(err, "line %zu", number);
        out->items[out->count - 1].file = kept;
        out->items[out->count - 1].line = number;
        line = end + 1;
    }
    return 0;
}

static int parse(const char *name, const char *bytes, size_t length, struct ledger *out,
                 struct reading *again, struct error *err) {
    if (length > LEDGER_FILE_LIMIT)
        return error_set(err, ERROR_LIMIT, "is larger than %u bytes", LEDGER_FILE_LIMIT);
    if (length == 0 || bytes[length - 1] != '\n')
        return bad(err, "its end is missing: it was cut");
    return check_name(name, bytes, length, err) < 0
               ? -1
               : parse_lines(name, bytes, length, out, again, err);
}

int ledger_parse(const char *name, const char *bytes, size_t length, struct ledger *out,
                 struct error *err) {
    size_t before = out->count;
    struct reading again = {0};
    int result = parse(name, bytes, length, out, &again, err);
    free(again.values);
    text_clear(&again.key);
    text_clear(&again.word);
    if (result == 0) {
        out->files++;
        return 0;
    }
    out->count = before;
    const char *why = err->kind == ERROR_INPUT ? stranger(bytes, length) : NULL;
    if (why != NULL)
        bad(err, why);
    return error_wrap(err, "%s", name);
}

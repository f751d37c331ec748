#include <string.h>

#include "gate/base/clock.h"
#include "gate/reference.h"
#include "gate/set.h"
#include "pipelines/commands/history.h"
#include "reports/result.h"
#include "reports/table.h"

static void time_words(int64_t time_ms, char out[CLOCK_RFC3339_SIZE]) {
    clock_rfc3339(time_ms, out);
}

/* "redis 7.2.4@0123456789ab" */
static int value_words(const char *line, char **out, struct error *err) {
    struct set_value value = {0};
    _cleanup_(free_pointer) char *version = NULL;
    *out = NULL;
    if (set_value_parse(line, &value, err) == 0 &&
        result_version_words(value.tag, value.digest, &version, err) == 0)
        *out = string_format(err, "%s %s", reference_familiar(value.image), version);
    set_value_clear(&value);
    return *out != NULL ? 0 : -1;
}

static int add_change(struct text *out, const struct ledger_change *change,
                      const struct screen *screen, struct error *err) {
    _cleanup_(free_pointer) char *words = NULL;
    bool is_new = change->old_digest == NULL;
    if (result_change_words(is_new ? change->tag : change->old_tag,
                            is_new ? change->digest : change->old_digest,
                            is_new ? NULL : change->tag, is_new ? NULL : change->digest,
                            screen_arrow(screen), &words, err) < 0)
        return -1;
    text_printf(out, "%s%s %s", out->length > 0 ? ", " : "", reference_familiar(change->image),
                words);
    return 0;
}

static void add_note(struct text *note, const char *before, const char *words) {
    if (words != NULL)
        text_printf(note, "%s%s%s", note->length > 0 ? "; " : "", before, words);
}

static void add_set(struct text *out, const char *set) {
    text_printf(out, "set %.*s", SET_SHORT_LENGTH, set);
}

/* What the entry is about. */
static int subject_words(const struct ledger_entry *entry, const struct screen *screen,
                         struct text *out, struct error *err) {
    switch (entry->type) {
    case LEDGER_PROMOTED:
    case LEDGER_ROLLED_BACK:
        if (entry->change_count == 1)
            return add_change(out, &entry->changes[0], screen, err);
        text_printf(out, "%zu images", entry->change_count);
        return 0;
    case LEDGER_OBSERVED:
        add_set(out, entry->set);
        text_printf(out, ", %zu image%s", entry->value_count, entry->value_count == 1 ? "" : "s");
        return 0;
    case LEDGER_EVIDENCE:
        for (size_t i = 0; i < entry->value_count; i++) {
            _cleanup_(free_pointer) char *words = NULL;
            if (value_words(entry->values[i], &words, err) < 0)
                return -1;
            text_printf(out, "%s%s", i > 0 ? ", " : "", words);
        }
        return 0;
    case LEDGER_APPROVED:
    case LEDGER_DENIED:
    case LEDGER_HELD:
    case LEDGER_RELEASED:
        if (entry->image != NULL)
            text_add(out, entry->image);
        if (entry->set != NULL) {
            text_add(out, out->length > 0 ? ", " : "");
            add_set(out, entry->set);
        }
        if (entry->digest != NULL)
            text_printf(out, "%s%.*s", out->length > 0 ? ", " : "", DIGEST_SHORT_LENGTH,
                        entry->digest + strlen("sha256:"));
        if (out->length == 0)
            text_add(out, entry->stage != NULL ? "the whole stage" : "everything");
        return 0;
    case LEDGER_UNKNOWN:
    case LEDGER_TYPE_COUNT:
        break;
    }
    text_add(out, "a newer pingate wrote it");
    return 0;
}

/* in  of_stand  it stands below a heading that tells set and changes */
static int note_words(const struct ledger_entry *entry, bool of_stand, const struct screen *screen,
                      struct text *note, struct error *err) {
    char until[CLOCK_RFC3339_SIZE];
    if (entry->change_count > 1 && !of_stand) {
        _cleanup_(text_clear) struct text changes = {0};
        for (size_t i = 0; i < entry->change_count; i++)
            if (add_change(&changes, &entry->changes[i], screen, err) < 0)
                return -1;
        add_note(note, "", text_string(&changes));
    }
    if (!of_stand && (entry->type == LEDGER_PROMOTED || entry->type == LEDGER_ROLLED_BACK)) {
        text_add(note, note->length > 0 ? "; " : "");
        add_set(note, entry->set);
    }
    add_note(note, "from ", entry->from);
    if (entry->snapshot != NULL)
        text_printf(note, "%scopied set %.*s", note->length > 0 ? "; " : "", SET_SHORT_LENGTH,
                    entry->snapshot);
    if (entry->forced)
        add_note(note, "forced over ",
                 entry->overridden != NULL ? entry->overridden : "nothing that stood against it");
    if (entry->instead_of_soak)
        add_note(note, "", "instead of the soak time");
    add_note(note, "", entry->reason);
    if (entry->until_ms != 0) {
        time_words(entry->until_ms, until);
        add_note(note, "until ", until);
    }
    add_note(note, "on ", entry->branch);
    add_note(note, "commit ", entry->commit);
    if (entry->type == LEDGER_EVIDENCE) {
        add_note(note, "test ", entry->test);
        add_note(note, "", entry->platform);
        if (strcmp(entry->source, "run") != 0)
            add_note(note, "by ", entry->source);
    }
    if (entry->critical)
        add_note(note, "", "it blocks every promotion");
    return 0;
}

static enum style outcome_style(enum outcome outcome) {
    if (outcome_is_failure(outcome))
        return STYLE_BAD;
    return outcome == OUTCOME_PASSED ? STYLE_GOOD : STYLE_WARN;
}

static const char *type_words(const struct ledger_entry *entry, enum style *style) {
    static const enum style styles[LEDGER_TYPE_COUNT] = {
        [LEDGER_OBSERVED] = STYLE_DIM,     [LEDGER_PROMOTED] = STYLE_GOOD,
        [LEDGER_ROLLED_BACK] = STYLE_WARN, [LEDGER_APPROVED] = STYLE_GOOD,
        [LEDGER_DENIED] = STYLE_BAD,       [LEDGER_HELD] = STYLE_WARN,
        [LEDGER_RELEASED] = STYLE_PLAIN,   [LEDGER_UNKNOWN] = STYLE_WARN,
    };
    *style = styles[entry->type];
    if (entry->type == LEDGER_EVIDENCE) {
        *style = outcome_style(entry->outcome);
        return outcome_name(entry->outcome);
    }
    return entry->unknown != NULL ? entry->unknown : ledger_type_name(entry->type);
}

static int add_entry(struct table *table, const struct ledger_entry *entry,
                     const struct screen *screen, struct error *err) {
    _cleanup_(text_clear) struct text subject = {0};
    _cleanup_(text_clear) struct text note = {0};
    char when[CLOCK_RFC3339_SIZE];
    enum style style;
    struct table_row *row = table_add(table, err);
    const char *type = type_words(entry, &style);
    time_words(entry->time_ms, when);
    if (row == NULL || subject_words(entry, screen, &subject, err) < 0 ||
        note_words(entry, false, screen, &note, err) < 0 || text_check(&subject, err) < 0 ||
        text_check(&note, err) < 0 || table_cell(row, STYLE_PLAIN, when, err) < 0 ||
        table_cell(row, STYLE_BOLD, entry->stage != NULL ? entry->stage : "-", err) < 0 ||
        table_cell(row, style, type, err) < 0 ||
        table_cell(row, STYLE_PLAIN, text_string(&subject), err) < 0 ||
        table_cell(row, STYLE_DIM, entry->actor, err) < 0)
        return -1;
    return note.length > 0 ? table_note(row, text_string(&note), err) : 0;
}

int history_print_entries(struct invocation *invocation, const struct history_entries *entries,
                          size_t limit, struct error *err) {
    _cleanup_(table_clear) struct table table = {0};
    _cleanup_(text_clear) struct text out = {.ceiling = SIZE_MAX / 2};
    size_t count = limit != 0 && limit < entries->count ? limit : entries->count;
    for (size_t i = 0; i < count; i++)
        if (add_entry(&table, entries->items[i], &invocation->screen, err) < 0)
            return -1;
    table_draw(&table, &invocation->screen, &out);
    return command_print(invocation, &out, err);
}

/* "production held set 0123… from … until …, promoted by ada" */
static int add_heading(struct text *out, const struct history_stand *stand,
                       const struct screen *screen, struct error *err) {
    const struct ledger_entry *how = stand->carrier != NULL ? stand->carrier : stand->first;
    _cleanup_(text_clear) struct text note = {0};
    _cleanup_(text_clear) struct text words = {0};
    char since[CLOCK_RFC3339_SIZE], until[CLOCK_RFC3339_SIZE];
    time_words(stand->since_ms, since);
    time_words(stand->until_ms, until);
    screen_paint(screen, out, STYLE_BOLD, stand->stage);
    text_add(&words, " held ");
    add_set(&words, stand->first->set);
    text_printf(&words, " from %s", since);
    if (stand->until_ms != 0)
        text_printf(&words, " to %s", until);
    text_printf(&words, "; %s by %s%s",
                how->type == LEDGER_ROLLED_BACK ? "rolled back" : ledger_type_name(how->type),
                how->actor,
                stand->carrier == NULL ? ", and no promotion tells how it came there" : "");
    if (note_words(how, true, screen, &note, err) < 0)
        return -1;
    add_note(&words, "", text_string(&note));
    text_follow(&words, &note);
    if (text_check(&words, err) < 0)
        return -1;
    screen_paint(screen, out, STYLE_PLAIN, text_string(&words));
    text_add_char(out, '\n');
    return 0;
}

static int add_proof(struct table *table, const char *value, const struct history_proof *proof,
                     struct error *err) {
    struct table_row *row = table_add(table, err);
    char when[CLOCK_RFC3339_SIZE];
    if (row == NULL || table_cell(row, STYLE_BOLD, value, err) < 0)
        return -1;
    if (proof == NULL)
        return table_cell(row, STYLE_WARN, "no evidence", err);
    const struct ledger_entry *entry = proof->entry;
    _cleanup_(free_pointer) char *note = string_format(
        err, "on %s%s%s%s", entry->platform, strcmp(entry->source, "run") == 0 ? "" : ", by ",
        strcmp(entry->source, "run") == 0 ? "" : entry->source,
        proof->later ? ", after it had come in" : "");
    time_words(entry->time_ms, when);
    if (note == NULL ||
        table_cell(row, outcome_style(entry->outcome), outcome_name(entry->outcome), err) < 0 ||
        table_cell(row, STYLE_PLAIN, entry->test, err) < 0 ||
        table_cell(row, STYLE_PLAIN, when, err) < 0)
        return -1;
    return table_note(row, note, err);
}

static int add_values(struct table *table, const struct history_stand *stand,
                      const struct history_proof_list *proofs, struct error *err) {
    for (size_t i = 0; i < stand->first->value_count; i++) {
        _cleanup_(free_pointer) char *words = NULL;
        bool found = false;
        if (value_words(stand->first->values[i], &words, err) < 0)
            return -1;
        for (size_t j = 0; j < proofs->count; j++) {
            if (proofs->items[j].value != i)
                continue;
            if (add_proof(table, found ? "" : words, &proofs->items[j], err) < 0)
                return -1;
            found = true;
        }
        if (!found && add_proof(table, words, NULL, err) < 0)
            return -1;
    }
    return 0;
}

static int add_approvals(struct table *table, const struct history_entries *approvals,
                         const struct screen *screen, struct error *err) {
    for (size_t i = 0; i < approvals->count; i++) {
        const struct ledger_entry *entry = approvals->items[i];
        _cleanup_(text_clear) struct text note = {0};
        char when[CLOCK_RFC3339_SIZE];
        struct table_row *row = table_add(table, err);
        time_words(entry->time_ms, when);
        if (row == NULL ||
            table_cell(row, STYLE_BOLD, entry->set != NULL ? "the set" : "a digest", err) < 0 ||
            table_cell(row, STYLE_GOOD, "approved", err) < 0 ||
            table_cell(row, STYLE_PLAIN, entry->actor, err) < 0 ||
            table_cell(row, STYLE_PLAIN, when, err) < 0 ||
            note_words(entry, true, screen, &note, err) < 0 || text_check(&note, err) < 0 ||
            (note.length > 0 && table_note(row, text_string(&note), err) < 0))
            return -1;
    }
    return 0;
}

static int add_stand(struct text *out, const struct ledger *ledger,
                     const struct history_stand *stand, int64_t last_ms,
                     const struct screen *screen, struct error *err) {
    _cleanup_(history_proof_list_clear) struct history_proof_list proofs = {0};
    _cleanup_(history_entries_clear) struct history_entries approvals = {0};
    _cleanup_(table_clear) struct table table = {.indent = 2};
    if (history_proofs(ledger, stand, last_ms, &proofs, err) < 0 ||
        history_approvals(ledger, stand, &approvals, err) < 0 ||
        add_heading(out, stand, screen, err) < 0 || add_values(&table, stand, &proofs, err) < 0 ||
        add_approvals(&table, &approvals, screen, err) < 0)
        return -1;
    table_draw(&table, screen, out);
    return text_check(out, err);
}

int history_print_stages(struct invocation *invocation, const struct ledger *ledger,
                         const struct history_stage_list *stages, int64_t last_ms,
                         struct error *err) {
    _cleanup_(text_clear) struct text out = {.ceiling = SIZE_MAX / 2};
    for (size_t i = 0; i < stages->count; i++) {
        const struct history_stage *stage = &stages->items[i];
        for (size_t j = 0; j < stage->stands.count; j++)
            if (add_stand(&out, ledger, &stage->stands.items[j], last_ms, &invocation->screen,
                          err) < 0)
                return -1;
    }
    return command_print(invocation, &out, err);
}

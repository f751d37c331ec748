#include "pipelines/stages/ledger.h"

#include <string.h>

#include "gate/base/hash.h"
#include "pipelines/stages/compact.h"
#include "pipelines/stages/history.h"
#include "tests/fuzz/fuzz.h"

#define NOW 1795603980123LL /* 2026-11-25T10:53:00.123Z */

static const char mark[] = "\"id\":\"@\",";

/* A fuzzer finds no sha256: in each line "@" as the id becomes the right one. */
static void complete(const char *line, size_t length, struct text *out) {
    struct error err = {0};
    struct text bare = {0};
    char id[HASH_HEX_SIZE];
    const char *at = memmem(line, length, mark, strlen(mark));
    if (at == NULL) {
        text_append(out, line, length);
        return;
    }
    const char *behind = at + strlen(mark);
    size_t rest = (size_t)(line + length - behind);
    text_append(&bare, line, (size_t)(at - line));
    text_append(&bare, behind, rest);
    fuzz_require(hash_hex(text_string(&bare), bare.length, id, &err) == 0);
    text_append(out, line, (size_t)(at - line));
    text_printf(out, "\"id\":\"%s\",", id);
    text_append(out, behind, rest);
    text_clear(&bare);
}

/* What was read can be written, and is then read as the same. Its id differs where it had fields that nobody knows. */
static void check_again(const struct ledger_entry *entry) {
    struct error err = {0};
    struct ledger_file file;
    struct ledger again = {0};
    struct ledger_entry draft = *entry;
    if (entry->type == LEDGER_UNKNOWN || entry->time_ms == 0)
        return;
    fuzz_require(ledger_format(&draft, 1, NOW, &file, &err) == 0);
    fuzz_require(ledger_parse(file.path, file.bytes.bytes, file.bytes.length, &again, &err) == 0);
    fuzz_require(again.count == 1 && again.items[0].type == entry->type);
    fuzz_require(again.items[0].time_ms == entry->time_ms);
    fuzz_require(strcmp(again.items[0].actor, entry->actor) == 0);
    fuzz_require(string_equal(again.items[0].stage, entry->stage));
    fuzz_require(string_equal(again.items[0].set, entry->set));
    fuzz_require(string_equal(again.items[0].reason, entry->reason));
    fuzz_require(again.items[0].value_count == entry->value_count);
    fuzz_require(again.items[0].change_count == entry->change_count);
    ledger_clear(&again);
    ledger_file_clear(&file);
}

static void check_stands(const struct ledger *ledger, const char *stage) {
    struct error err = {0};
    struct history_stand_list stands;
    fuzz_require(history_stood(ledger, stage, 0, NOW, &stands, &err) == 0);
    for (size_t i = 0; i < stands.count; i++) {
        const struct history_stand *stand = &stands.items[i];
        struct history_proof_list proofs;
        struct history_entries approvals;
        fuzz_require(stand->until_ms == 0 || stand->until_ms >= stand->since_ms);
        fuzz_require(history_proofs(ledger, stand, NOW, &proofs, &err) == 0);
        fuzz_require(history_approvals(ledger, stand, &approvals, &err) == 0);
        for (size_t j = 0; j < proofs.count; j++)
            fuzz_require(proofs.items[j].value < stand->first->value_count);
        history_proof_list_clear(&proofs);
        history_entries_clear(&approvals);
    }
    history_stand_list_clear(&stands);
}

/* Whatever was read can be asked. */
static void check_questions(const struct ledger *ledger) {
    struct error err = {0};
    struct string_list stages, images = {0};
    struct history_entries entries;
    struct history_finding_list findings;
    bool *drop = calloc(ledger->count + 1, sizeof *drop);
    fuzz_require(drop != NULL && string_list_add(&images, "redis:7.*", &err) == 0);
    struct history_query query = {.images = &images, .set = ledger->items[0].set};
    fuzz_require(history_select(ledger, &query, &entries, &err) == 0);
    fuzz_require(entries.count <= ledger->count);
    fuzz_require(history_findings(ledger, NOW, &findings, &err) == 0);
    fuzz_require(history_stages(ledger, &stages, &err) == 0);
    for (size_t i = 0; i < stages.count; i++)
        check_stands(ledger, stages.items[i]);
    fuzz_require(compact_choose(ledger, NOW, drop, &err) == 0);
    for (size_t i = 0; i < ledger->count; i++)
        fuzz_require(!drop[i] || ledger->items[i].type == LEDGER_EVIDENCE);
    string_list_clear(&stages);
    string_list_clear(&images);
    history_entries_clear(&entries);
    history_finding_list_clear(&findings);
    free(drop);
}

FUZZ_TARGET(ledger) {
    struct error err = {0};
    struct ledger ledger = {0};
    struct text file = {0};
    for (const char *at = (const char *)bytes, *end = at + size; at < end;) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        size_t length = line_end != NULL ? (size_t)(line_end - at) + 1 : (size_t)(end - at);
        complete(at, length, &file);
        at += length;
    }
    if (ledger_parse("fuzz", text_string(&file), file.length, &ledger, &err) == 0) {
        fuzz_require(ledger.count > 0 && ledger.files == 1);
        ledger_sort(&ledger);
        for (size_t i = 0; i < ledger.count; i++) {
            fuzz_require(strlen(ledger.items[i].id) == HASH_HEX_SIZE - 1);
            fuzz_require(i == 0 || ledger.items[i - 1].time_ms <= ledger.items[i].time_ms);
            check_again(&ledger.items[i]);
        }
        check_questions(&ledger);
    } else {
        fuzz_require(ledger.count == 0 && (err.kind == ERROR_INPUT || err.kind == ERROR_LIMIT));
    }
    error_clear(&err);
    ledger_clear(&ledger);
    text_clear(&file);
}

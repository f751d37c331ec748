#include "pipelines/journal.h"

#include <string.h>

#include "gate/base/beneath.h"
#include "pipelines/target.h"
#include "tests/fuzz/fuzz.h"

static void check_file(const struct journal_file *item) {
    fuzz_require(beneath_path_valid(item->file));
    bool created = item->old_hash[0] == '\0';
    fuzz_require(created ? journal_is_ledger(item->file) : !journal_is_private(item->file));
    fuzz_require(strchr(item->temporary, '/') == NULL && item->temporary[0] == '.');
    fuzz_require(strlen(item->temporary) <= TARGET_NAME_LIMIT);
    fuzz_require((created || strlen(item->old_hash) == 64) && strlen(item->new_hash) == 64);
}

/* What was accepted is written and accepted again. */
static void check_again(const struct journal *journal) {
    struct error err = {0};
    struct text bytes = {0};
    struct journal again;
    fuzz_require(journal_format(journal, &bytes, &err) == 0);
    fuzz_require(journal_parse(bytes.bytes, bytes.length, &again, &err) == 0);
    fuzz_require(again.state == journal->state && again.count == journal->count);
    for (size_t i = 0; i < again.count; i++)
        fuzz_require(strcmp(again.items[i].file, journal->items[i].file) == 0 &&
                     strcmp(again.items[i].old_hash, journal->items[i].old_hash) == 0);
    journal_clear(&again);
    text_clear(&bytes);
}

FUZZ_TARGET(journal) {
    struct error err = {0};
    struct journal journal;
    if (journal_parse((const char *)bytes, size, &journal, &err) == 0) {
        fuzz_require(journal.count > 0);
        for (size_t i = 0; i < journal.count; i++)
            check_file(&journal.items[i]);
        check_again(&journal);
        journal_clear(&journal);
    } else {
        fuzz_require(err.kind == ERROR_INPUT && journal.count == 0);
    }
    error_clear(&err);
}

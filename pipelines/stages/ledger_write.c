#include "pipelines/stages/ledger_write.h"

#include "pipelines/promotion.h"

int ledger_write(const char *root, const struct ledger_entry *drafts, size_t count, int64_t now_ms,
                 struct ledger *ledger, struct ledger_file *file, struct error *err) {
    *file = (struct ledger_file){0};
    _cleanup_(promotion_freep) struct promotion *promotion = NULL;
    const struct promotion_options options = {0};
    if (ledger_format(drafts, count, now_ms, file, err) < 0 ||
        promotion_new(root, &options, &promotion, err) < 0 ||
        promotion_create(promotion, file->path, text_string(&file->bytes), file->bytes.length,
                         err) < 0 ||
        promotion_prepare(promotion, err) < 0 || promotion_commit(promotion, err) < 0)
        return error_wrap(err, "write the ledger");
    if (ledger == NULL)
        return 0;
    if (ledger_parse(file->path, text_string(&file->bytes), file->bytes.length, ledger, err) < 0)
        return -1;
    ledger_sort(ledger);
    return 0;
}

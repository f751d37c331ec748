/* ledger_write: writes one file of the ledger, through a promotion, where no pins are written with it. */
#pragma once

#include "pipelines/stages/ledger.h"

/* in   drafts  as ledger_format
 *      now_ms  of the file's name
 *      ledger  gets the entries too, with their ids; may be NULL
 * out  file    as it was written; cleared by ledger_file_clear
 * err  as promotion_new, ledger_format; io */
int ledger_write(const char *root, const struct ledger_entry *drafts, size_t count, int64_t now_ms,
                 struct ledger *ledger, struct ledger_file *file, struct error *err) _must_check_;

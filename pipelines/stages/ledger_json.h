/* ledger_json: an entry in the machine forms, with the words that it has in the ledger.
 */
#pragma once

#include <jansson.h>

#include "pipelines/stages/ledger.h"

/* {"id","time","type","actor","ci" or null,"tool","file","line","known","critical","body"}; the body has all fields of its type,
 * null where one lacks, and is null itself where this version does not know the type. NULL without memory. */
json_t *ledger_entry_to_json(const struct ledger_entry *entry);

/* "2026-11-25T10:53:00.123Z"; null for 0 */
json_t *ledger_time_to_json(int64_t time_ms);

#include <stddef.h>

#include "pipelines/stages/ledger_parts.h"

#define OF(type)    (1u << LEDGER_##type)
#define FIELD(name) offsetof(struct ledger_entry, name)

/* The table of ledger.h. Reader and writer both go by it. */
const struct ledger_field ledger_fields[] = {
    {"before", FIELD_HASH, FIELD(before), OF(PROMOTED) | OF(ROLLED_BACK), 0, 0},
    {"branch", FIELD_TEXT, FIELD(branch), 0, 0, OF(OBSERVED)},
    {"changes", FIELD_CHANGES, FIELD(changes), OF(PROMOTED) | OF(ROLLED_BACK), 0, 0},
    {"commit", FIELD_TEXT, FIELD(commit), 0, 0, OF(OBSERVED)},
    {"definition", FIELD_HASH, FIELD(definition), OF(EVIDENCE), 0, 0},
    {"digest", FIELD_DIGEST, FIELD(digest), 0, OF(APPROVED) | OF(DENIED), OF(RELEASED)},
    {"forced", FIELD_FLAG, FIELD(forced), 0, 0, OF(PROMOTED)},
    {"from", FIELD_TEXT, FIELD(from), 0, 0, OF(PROMOTED)},
    {"image", FIELD_SELECTOR, FIELD(image), 0, OF(DENIED), OF(HELD) | OF(RELEASED)},
    {"outcome", FIELD_OUTCOME, FIELD(outcome), OF(EVIDENCE), 0, 0},
    {"overridden", FIELD_TEXT, FIELD(overridden), 0, 0, OF(PROMOTED)},
    {"platform", FIELD_TEXT, FIELD(platform), OF(EVIDENCE), 0, 0},
    {"reason", FIELD_TEXT, FIELD(reason), OF(DENIED) | OF(HELD), 0,
     OF(EVIDENCE) | OF(PROMOTED) | OF(ROLLED_BACK) | OF(APPROVED) | OF(RELEASED)},
    {"set", FIELD_HASH, FIELD(set), OF(OBSERVED) | OF(PROMOTED) | OF(ROLLED_BACK),
     OF(APPROVED) | OF(DENIED), OF(RELEASED)},
    {"snapshot", FIELD_HASH, FIELD(snapshot), 0, 0, OF(PROMOTED)},
    {"soak", FIELD_FLAG, FIELD(instead_of_soak), 0, 0, OF(APPROVED)},
    {"source", FIELD_TEXT, FIELD(source), OF(EVIDENCE), 0, 0},
    {"stage", FIELD_TEXT, FIELD(stage),
     OF(OBSERVED) | OF(PROMOTED) | OF(ROLLED_BACK) | OF(APPROVED) | OF(HELD), 0,
     OF(EVIDENCE) | OF(DENIED) | OF(RELEASED)},
    {"test", FIELD_TEXT, FIELD(test), OF(EVIDENCE), 0, 0},
    {"trial", FIELD_HASH, FIELD(trial), 0, 0, OF(EVIDENCE)},
    {"until", FIELD_TIME, FIELD(until_ms), 0, 0, OF(APPROVED) | OF(DENIED) | OF(HELD)},
    {"values", FIELD_VALUES, FIELD(values),
     OF(EVIDENCE) | OF(OBSERVED) | OF(PROMOTED) | OF(ROLLED_BACK), 0, 0},
    {"workspace", FIELD_HASH, FIELD(workspace), 0, 0, OF(EVIDENCE)},
    {0},
};

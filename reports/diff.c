#include "reports/report.h"

/* The bytes of the user's own files, as a patch that git apply takes: the one report that is not cleaned. */
static int draw(const struct result *result, struct text *out, struct error *err) {
    if (result->diff != NULL)
        text_add(out, result->diff);
    return text_check(out, err);
}

const struct report report_diff = {
    "diff", "pins.diff", "what was written, or would be, as a patch; empty when nothing", draw};

#include "reports/json.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/json_write.h"
#include "reports/report.h"

#define WORDS_LIMIT (1u << 30) /* bytes; the text that it goes into has its own, lower limit */

int json_draw(const json_t *json, struct text *out, struct error *err) {
    _cleanup_(text_clear) struct text words = {.ceiling = WORDS_LIMIT};
    if (json_write(json, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_ENCODE_ANY, &words, err) < 0)
        return -1;
    const char *start = text_string(&words);
    for (const char *at = start; *at != '\0'; at++) {
        if (*at == '#' && at > start && at[-1] == '#')
            text_add(out, "\\u0023");
        else if (*at == 0x7f)
            text_add(out, "\\u007f");
        else
            text_add_char(out, *at);
    }
    text_add_char(out, '\n');
    return text_check(out, err);
}

static int draw(const struct result *result, struct text *out, struct error *err) {
    json_auto_t *json = result_to_json(result, err);
    return json != NULL ? json_draw(json, out, err) : -1;
}

const struct report report_json = {
    "json", "result.json",
    "all that the run found, did and wrote; every other report is drawn from it", draw};

#include "reports/json.h"

#include <stdlib.h>
#include <string.h>

#include "reports/report.h"

int json_draw(const json_t *json, struct text *out, struct error *err) {
    _cleanup_(free_pointer) char *dumped =
        json_dumps(json, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
    /* texts that are not UTF-8 never came this far: jansson refuses them when they are added */
    if (dumped == NULL)
        return error_no_memory(err);
    for (const char *at = dumped; *at != '\0'; at++) {
        if (*at == '#' && at > dumped && at[-1] == '#')
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

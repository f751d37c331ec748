/* What several reports say in the same words. They hold untrusted texts as they are: sinks clean. */
#include <string.h>

#include "gate/digest.h"
#include "reports/result.h"

void result_change_line(const struct result_change *change, const char *arrow, struct text *out) {
    text_add(out, change->what);
    if (or_empty(change->name)[0] != '\0')
        text_printf(out, " %s", change->name);
    const char *before = or_empty(change->before);
    const char *after = or_empty(change->after);
    if (change->before == NULL && change->after == NULL)
        return;
    bool named = string_equal(change->name, change->before != NULL ? before : after);
    if (change->before == NULL) /* a port has no value but its name */
        text_printf(out, " added%s%s", after[0] != '\0' && !named ? ": " : "", named ? "" : after);
    else if (change->after == NULL)
        text_printf(out, " removed%s%s", before[0] != '\0' && !named ? ": " : "",
                    named ? "" : before);
    else
        text_printf(out, ": %s %s %s", before[0] != '\0' ? before : "(none)", arrow,
                    after[0] != '\0' ? after : "(none)");
}

bool result_size_words(const struct result_changes *changes, const char *arrow, struct text *out) {
    char before[32];
    char after[32];
    char more[32];
    size_t length = out->length;
    bool sized = changes->size_before >= 0 && changes->size_after >= 0;
    if (sized) {
        int64_t grown = changes->size_after - changes->size_before;
        bytes_words(changes->size_before, before, sizeof before);
        bytes_words(changes->size_after, after, sizeof after);
        bytes_words(grown < 0 ? -grown : grown, more, sizeof more);
        text_printf(out, "%s %s %s", before, arrow, after);
        if (grown != 0)
            text_printf(out, " (%s%s)", grown < 0 ? "-" : "+", more);
    }
    if (changes->layers > 0)
        text_printf(out, "%s%zu of %zu layer%s shared", sized ? ", " : "", changes->layers_shared,
                    changes->layers, changes->layers == 1 ? "" : "s");
    return out->length > length;
}

void result_tried_words(const struct result_tried *tried, struct text *out) {
    const char *hex = strchr(or_empty(tried->digest), ':');
    if (tried->tag != NULL)
        text_add(out, tried->tag);
    else
        text_printf(out, "%.*s", (int)DIGEST_SHORT_LENGTH,
                    hex != NULL ? hex + 1 : or_empty(tried->digest));
    text_printf(out, " %s", outcome_name(tried->outcome));
    if (tried->test != NULL)
        text_printf(out, " (%s)", tried->test);
    if (or_empty(tried->reason)[0] != '\0')
        text_printf(out, ": %s", tried->reason);
}

bool result_case_is_bad(const struct result_case *of) {
    return outcome_is_failure(of->outcome) || of->outcome == OUTCOME_ERROR;
}

void result_case_words(const struct result_case *of, struct text *out) {
    text_printf(out, "%s%s%s", or_empty(of->classname),
                or_empty(of->classname)[0] != '\0' ? "." : "",
                of->name[0] != '\0' ? of->name : "(no name)");
    if (or_empty(of->message)[0] != '\0')
        text_printf(out, ": %s", of->message);
}

/* What changed in the candidates' images, and what passed only when it was run again. */
#include <string.h>

#include "reports/clean.h"
#include "reports/markdown_parts.h"

#define CHANGES_SHOWN  6u /* of one update, but for packages */
#define PACKAGES_SHOWN 3u /* names, of each kind */
#define ATTEMPTS_SHOWN 5u

enum package_kind { PACKAGE_CHANGED, PACKAGE_ADDED, PACKAGE_REMOVED, PACKAGE_KINDS };

static bool is_package(const struct result_change *change) {
    return string_equal(change->what, "package") && !change->denied;
}

static enum package_kind kind_of(const struct result_change *change) {
    return change->before == NULL  ? PACKAGE_ADDED
           : change->after == NULL ? PACKAGE_REMOVED
                                   : PACKAGE_CHANGED;
}

/* Values stand in code, so that they can be copied: outside of it, words are broken where they look like markup. */
static void add_value(struct text *out, const char *value) {
    if (or_empty(value)[0] != '\0')
        markdown_code(out, value, MARKDOWN_NAME_LIMIT);
    else
        text_add(out, "(none)");
}

/* "; 12 packages changed (libssl3, libc6, …)": hundreds are usual. */
static void add_packages(struct text *out, const struct result_changes *changes,
                         enum package_kind kind, const char **separator) {
    static const char *const words[PACKAGE_KINDS] = {"changed", "added", "removed"};
    size_t count = 0;
    for (size_t i = 0; i < changes->count; i++)
        count += is_package(&changes->items[i]) && kind_of(&changes->items[i]) == kind;
    if (count == 0)
        return;
    text_printf(out, "%s%zu package%s %s (", *separator, count, count == 1 ? "" : "s", words[kind]);
    size_t shown = 0;
    for (size_t i = 0; i < changes->count && shown < PACKAGES_SHOWN; i++) {
        const struct result_change *change = &changes->items[i];
        if (!is_package(change) || kind_of(change) != kind)
            continue;
        text_add(out, shown++ > 0 ? ", " : "");
        markdown_code(out, change->name, MARKDOWN_NAME_LIMIT);
        if (kind == PACKAGE_CHANGED && count <= PACKAGES_SHOWN) {
            text_add_char(out, ' ');
            add_value(out, change->before);
            text_add(out, " → ");
            add_value(out, change->after);
        }
    }
    text_add(out, shown < count ? ", …)" : ")");
    *separator = "; ";
}

static void add_change(struct text *out, const struct result_change *change,
                       const char **separator) {
    text_add(out, *separator);
    text_add(out, change->denied ? "**denied:** " : "");
    markdown_words(out, change->what, MARKDOWN_NAME_LIMIT);
    if (or_empty(change->name)[0] != '\0') {
        text_add_char(out, ' ');
        markdown_code(out, change->name, MARKDOWN_NAME_LIMIT);
    }
    *separator = "; ";
    bool both = change->before != NULL && change->after != NULL;
    const char *value = change->before != NULL ? change->before : change->after;
    if (both) {
        text_add_char(out, ' ');
        add_value(out, change->before);
        text_add(out, " → ");
        add_value(out, change->after);
    } else if (value != NULL) {
        text_add(out, change->before != NULL ? " removed" : " added");
        if (value[0] != '\0' && !string_equal(change->name, value)) {
            text_add(out, ": ");
            add_value(out, value);
        }
    }
}

static void add_update(struct text *out, const struct result_update *update) {
    const struct result_changes *changes = update->changes;
    const char *separator = ": ";
    size_t shown = 0;
    size_t others = 0;
    text_add(out, "- ");
    markdown_image(out, update);
    text_add_char(out, ' ');
    markdown_version(out, update->tag, update->digest);
    text_add(out, " → ");
    markdown_version(out, update->candidate_tag, update->candidate_digest);
    for (int denied = 1; denied >= 0; denied--)
        for (size_t i = 0; i < changes->count; i++) {
            const struct result_change *change = &changes->items[i];
            if (change->denied != (denied == 1) || is_package(change))
                continue;
            others++;
            if (shown < CHANGES_SHOWN) {
                add_change(out, change, &separator);
                shown++;
            }
        }
    for (enum package_kind kind = PACKAGE_CHANGED; kind < PACKAGE_KINDS; kind++)
        add_packages(out, changes, kind, &separator);
    if (others - shown + changes->more > 0) {
        text_printf(out, "%s%zu more", separator, others - shown + changes->more);
        separator = "; ";
    }
    _cleanup_(text_clear) struct text size = {0};
    bool sized = result_size_words(changes, "→", &size);
    if (changes->count + changes->more == 0)
        text_printf(out, ": nothing that is looked at%s", sized ? "; " : "");
    else if (sized)
        text_add(out, separator);
    text_append(out, text_string(&size), size.length);
    text_add(out, ".\n");
    text_follow(out, &size);
}

static bool has_denied(const struct result_update *update) {
    for (size_t i = 0; i < update->changes->count; i++)
        if (update->changes->items[i].denied)
            return true;
    return false;
}

void markdown_changes(const struct result *result, size_t shown, struct text *out) {
    size_t count = 0;
    for (int denied = 1; denied >= 0; denied--)
        for (size_t i = 0; i < result->update_count; i++) {
            const struct result_update *update = &result->updates[i];
            if (update->changes == NULL || has_denied(update) != (denied == 1) || ++count > shown)
                continue;
            text_add(out, count == 1 ? "\n### What changed in the images\n\n" : "");
            add_update(out, update);
        }
    if (count > shown && shown > 0)
        text_printf(out, "- … and of %zu more updates\n", count - shown);
}

static void add_flaky(struct text *out, const struct result *result,
                      const struct result_trial *trial) {
    text_add(out, "- ");
    markdown_code(out, trial->test, MARKDOWN_NAME_LIMIT);
    text_add(out, " on ");
    for (size_t i = 0; i < trial->update_count; i++) {
        const struct result_update *update = &result->updates[trial->updates[i]];
        text_add(out, i > 0 ? " + " : "");
        markdown_image(out, update);
        text_add_char(out, ' ');
        markdown_version(out, update->candidate_tag, update->candidate_digest);
    }
    if (trial->attempts > 1)
        text_printf(out, ": passed in run %u; before that: ", trial->attempts);
    else
        text_add(out, ": ");
    for (size_t i = 0; i < trial->attempt_reasons.count && i < ATTEMPTS_SHOWN; i++) {
        text_add(out, i > 0 ? "; " : "");
        markdown_words(out, trial->attempt_reasons.items[i], MARKDOWN_REASON_LIMIT);
    }
    if (trial->attempt_reasons.count == 0)
        markdown_words(out, trial->reason != NULL ? trial->reason : "passed when it was run again",
                       MARKDOWN_REASON_LIMIT);
    text_add(out, ".\n");
    size_t named = 0;
    for (size_t i = 0; i < trial->suite_count; i++)
        for (size_t k = 0; k < trial->suites[i].case_count && named < ATTEMPTS_SHOWN; k++)
            if (trial->suites[i].cases[k].outcome == OUTCOME_FLAKY) {
                text_add(out, "  - ");
                markdown_case(out, &trial->suites[i].cases[k]);
                text_add_char(out, '\n');
                named++;
            }
}

void markdown_flaky(const struct result *result, size_t shown, struct text *out) {
    size_t count = 0;
    for (size_t i = 0; i < result->trial_count; i++) {
        const struct result_trial *trial = &result->trials[i];
        if (trial->outcome != OUTCOME_FLAKY || !result_trial_counts(trial) || ++count > shown)
            continue;
        text_add(out, count == 1 ? "\n### 🔁 Passed only when run again\n\n" : "");
        add_flaky(out, result, trial);
    }
    if (count > shown && shown > 0)
        text_printf(out, "- … and %zu more\n", count - shown);
}

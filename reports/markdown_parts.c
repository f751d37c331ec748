#include "reports/markdown_parts.h"

#include <string.h>

#include "gate/base/clock.h"
#include "gate/digest.h"
#include "gate/reference.h"
#include "reports/clean.h"

#define SHORT_DIGEST    DIGEST_SHORT_LENGTH /* hex digits */
#define ARTIFACTS_SHOWN 5u                  /* names of files; the folder has them all */

/* At most limit bytes, at the end of a character. */
static size_t cut_length(const char *words, size_t limit) {
    size_t length = strlen(words);
    if (length <= limit)
        return length;
    length = limit;
    while (length > 0 && ((unsigned char)words[length] & 0xC0u) == 0x80u)
        length--;
    return length;
}

/* "sha256:0123456789ab…" for each digest: whole ones hide the words around them. */
static void shorten_digests(struct text *out, const char *bytes, size_t length) {
    for (const char *end = bytes + length; bytes < end;) {
        bool digest = *bytes == 's' && digest_at(bytes, (size_t)(end - bytes));
        text_append(out, bytes, digest ? strlen("sha256:") + SHORT_DIGEST : 1);
        text_add(out, digest ? "…" : "");
        bytes += digest ? DIGEST_LENGTH : 1;
    }
}

void markdown_words(struct text *out, const char *words, size_t limit) {
    _cleanup_(text_clear) struct text brief = {0};
    words = or_empty(words);
    size_t length = cut_length(words, limit);
    shorten_digests(&brief, words, length);
    text_add(&brief, words[length] != '\0' ? "…" : "");
    if (brief.failed != ERROR_NONE)
        out->failed = brief.failed;
    clean_markdown(out, text_string(&brief), brief.length);
}

void markdown_code(struct text *out, const char *words, size_t limit) {
    words = or_empty(words);
    size_t length = cut_length(words, limit);
    if (words[length] == '\0') {
        clean_markdown_code(out, words, length);
        return;
    }
    _cleanup_(text_clear) struct text cut = {0};
    text_append(&cut, words, length);
    text_add(&cut, "…");
    if (cut.failed != ERROR_NONE)
        out->failed = cut.failed;
    clean_markdown_code(out, text_string(&cut), cut.length);
}

void markdown_image(struct text *out, const struct result_update *update) {
    markdown_code(out, reference_familiar(or_empty(update->image)), MARKDOWN_NAME_LIMIT);
}

void markdown_version(struct text *out, const char *tag, const char *digest) {
    _cleanup_(text_clear) struct text version = {0};
    text_add(&version, or_empty(tag));
    if (digest != NULL) {
        const char *colon = strchr(digest, ':');
        text_add(&version, tag != NULL ? "@" : "");
        text_printf(&version, "%.*s", (int)SHORT_DIGEST, colon != NULL ? colon + 1 : digest);
    }
    if (version.failed != ERROR_NONE)
        out->failed = version.failed;
    markdown_code(out, text_string(&version), REFERENCE_TAG_LIMIT + 1 + SHORT_DIGEST);
}

void markdown_duration(struct text *out, int64_t duration_ms) {
    char words[32];
    clock_duration_words(duration_ms > 0 ? duration_ms : 0, words, sizeof words);
    text_add(out, words);
}

void markdown_artifacts(struct text *out, const struct result_trial *trial) {
    char size[32];
    size_t count = trial->artifact_count;
    bytes_words(trial->artifact_bytes > 0 ? trial->artifact_bytes : 0, size, sizeof size);
    text_printf(out, "%zu file%s (%s) in ", count, count == 1 ? "" : "s", size);
    markdown_code(out, trial->artifact_folder, MARKDOWN_NAME_LIMIT);
    size_t shown =
        trial->artifacts.count < ARTIFACTS_SHOWN ? trial->artifacts.count : ARTIFACTS_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        text_add(out, i == 0 ? ": " : ", ");
        markdown_code(out, trial->artifacts.items[i], MARKDOWN_NAME_LIMIT);
    }
    if (count > shown)
        text_printf(out, "%s%zu more", shown == 0 ? ": " : " and ", count - shown);
}

void markdown_case(struct text *out, const struct result_case *of) {
    _cleanup_(text_clear) struct text name = {0};
    text_printf(&name, "%s%s%s", or_empty(of->classname),
                or_empty(of->classname)[0] != '\0' ? "." : "",
                of->name[0] != '\0' ? of->name : "(no name)");
    markdown_code(out, text_string(&name), 2 * MARKDOWN_NAME_LIMIT);
    if (or_empty(of->message)[0] != '\0') {
        text_add(out, ": ");
        markdown_words(out, of->message, MARKDOWN_REASON_LIMIT);
    }
    text_follow(out, &name);
}

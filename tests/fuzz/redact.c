/* Lines of secrets, an empty line, and the text that streams by. */
#include "gate/base/redact.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"

/* The simple matcher looks for each form at each place. */
#define SECRETS_LIMIT 3u
#define SECRET_LIMIT  20u   /* bytes */
#define TEXT_LIMIT    2000u /* bytes */

struct seen {
    const char *text;
    size_t length;
    bool covered[TEXT_LIMIT];
};

static bool is_line_end(char c) {
    return c == '\n' || c == '\r';
}

/* Marks the form where it stands, as it is and with line ends in its midst. */
static int mark(void *context, const char *form, size_t length, struct error *err) {
    (void)err;
    struct seen *seen = context;
    for (size_t from = 0; from < seen->length; from++) {
        size_t to = from;
        size_t at = 0;
        for (; at < length && to < seen->length && seen->text[to] == form[at]; at++)
            to++;
        for (size_t i = from; at == length && i < to; i++)
            seen->covered[i] = true;
        size_t gap = 0;
        for (at = 0, to = from; at < length && to < seen->length; to++) {
            if (is_line_end(seen->text[to])) {
                if (at == 0 || ++gap > REDACT_GAP)
                    break;
                continue;
            }
            gap = 0;
            if (seen->text[to] != form[at])
                break;
            at++;
        }
        for (size_t i = from; at == length && i < to; i++)
            seen->covered[i] = true;
    }
    return 0;
}

static void mark_secret(struct seen *seen, const char *secret, size_t length) {
    struct error err = {0};
    fuzz_require(redact_forms(secret, length, mark, seen, &err) == 0);
}

static void expect(const struct seen *seen, struct text *out) {
    for (size_t i = 0; i < seen->length; i++) {
        if (!seen->covered[i])
            text_append(out, seen->text + i, 1);
        else if (i == 0 || !seen->covered[i - 1])
            text_add(out, REDACT_MARK);
    }
}

static void stream(const struct redact *redact, const struct seen *seen, size_t step,
                   struct text *out) {
    struct error err = {0};
    struct redact_stream stream;
    fuzz_require(redact_begin(&stream, redact, &err) == 0);
    for (size_t at = 0; at < seen->length; at += step)
        redact_feed(&stream, seen->text + at, step < seen->length - at ? step : seen->length - at,
                    out);
    redact_end(&stream, out);
    redact_stream_clear(&stream);
}

FUZZ_TARGET(redact) {
    static struct seen seen;
    struct error err = {0};
    struct redact *redact;
    const char *secrets[SECRETS_LIMIT];
    size_t lengths[SECRETS_LIMIT];
    size_t count = 0;
    const char *at = (const char *)bytes;
    const char *end = at + size;
    fuzz_require(redact_new(&redact, &err) == 0);
    while (at < end && count < SECRETS_LIMIT) {
        const char *line = at;
        while (at < end && *at != '\n')
            at++;
        size_t length = (size_t)(at - line);
        at += at < end;
        while (length > 0 && is_line_end(line[length - 1]))
            length--;
        if (length == 0)
            break;
        secrets[count] = line;
        lengths[count] = length < SECRET_LIMIT ? length : SECRET_LIMIT;
        while (lengths[count] > 0 && is_line_end(line[lengths[count] - 1]))
            lengths[count]--;
        fuzz_require(redact_add(redact, line, lengths[count], &err) == 0);
        count++;
    }
    fuzz_require(redact_seal(redact, &err) == 0);
    memset(&seen, 0, sizeof seen);
    seen.text = at;
    seen.length = (size_t)(end - at) < TEXT_LIMIT ? (size_t)(end - at) : TEXT_LIMIT;
    for (size_t i = 0; i < count; i++) {
        mark_secret(&seen, secrets[i], lengths[i]);
        /* carriage returns part its lines */
        for (size_t from = 0, to; from < lengths[i]; from = to + 1) {
            for (to = from; to < lengths[i] && secrets[i][to] != '\r';)
                to++;
            if (to - from < lengths[i] && to - from >= REDACT_LINE_LEAST)
                mark_secret(&seen, secrets[i] + from, to - from);
        }
    }
    struct text expected = {0};
    expect(&seen, &expected);
    size_t steps[] = {TEXT_LIMIT, 1, size > 0 ? 1 + bytes[size - 1] % 7 : 1};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct text out = {0};
        stream(redact, &seen, steps[i], &out);
        fuzz_require(out.length == expected.length);
        fuzz_require(memcmp(text_string(&out), text_string(&expected), out.length) == 0);
        text_clear(&out);
    }
    text_clear(&expected);
    redact_freep(&redact);
}

#include "gate/pins/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "gate/base/text.h"
#include "gate/pins/add.h"

#define DIGEST_HEX_LENGTH 64u
#define SHOWN_LEFT        80u /* bytes before a skipped name that are shown */
#define IPV6_LIMIT        47u /* bytes of "[…]" */

/* A literal and what belongs to it. */
struct token {
    const char *at;    /* the "@" */
    const char *start; /* of the reference, at most at */
    const char *end;   /* behind the hex digits */
};

struct finder {
    const struct pin_file *file;
    const char *bytes, *end;
    const char *counted; /* lines are counted up to here */
    size_t line;         /* of counted */
    struct pin_list *pins;
    struct skipped_list *skipped;
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_word(char c) {
    return is_letter(c) || is_digit(c) || c == '_';
}

static bool is_reference_character(char c) {
    return is_word(c) || c == '.' || c == '-' || c == '/' || c == ':';
}

static char before(const struct finder *finder, const char *at) {
    return at > finder->bytes ? at[-1] : '\n';
}

static bool starts_with(const char *at, const char *end, const char *prefix) {
    size_t length = strlen(prefix);
    return (size_t)(end - at) >= length && memcmp(at, prefix, length) == 0;
}

/* What is wrong with the digest behind the "@"; NULL when nothing is. */
static const char *judge_digest(const struct finder *finder, struct token *token, char *reason,
                                size_t size) {
    const char *hex = token->at + PIN_LITERAL_LENGTH;
    bool capitals = false;
    for (token->end = hex; token->end < finder->end && is_hex(*token->end); token->end++)
        capitals = capitals || (*token->end >= 'A' && *token->end <= 'F');
    size_t digits = (size_t)(token->end - hex);
    if (digits < DIGEST_HEX_LENGTH) {
        snprintf(reason, size, "a digest of %zu digits, not 64", digits);
        return reason;
    }
    if (digits > DIGEST_HEX_LENGTH || (token->end < finder->end && is_word(*token->end)))
        return "a digest of more than 64 digits";
    return capitals ? "a digest in capital letters" : NULL;
}

/* "[::1]" right before a port or path. */
static const char *take_ipv6(const struct finder *finder, const char *start) {
    if (before(finder, start) != ']' || (*start != ':' && *start != '/'))
        return start;
    for (const char *at = start - 2; at >= finder->bytes && start - at < (ptrdiff_t)IPV6_LIMIT;
         at--) {
        if (*at == '[')
            return at;
        if (!is_hex(*at) && *at != ':' && *at != '.')
            return start;
    }
    return start;
}

static unsigned hex_value(char c) {
    return is_digit(c) ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a') + 10;
}

/* Behind a backslash the first letters are an escape: \n, \t, \r, \x22, \u0022. NULL when the escape is itself a character of
 * the name (as "\/" is), or none that we know: then nobody can say where the name begins. */
static const char *skip_escape(const struct finder *finder, const char *start, const char *at) {
    if (before(finder, start) != '\\' || start == at || (!is_word(*start) && *start != '/'))
        return start;
    if (*start == 'n' || *start == 't' || *start == 'r')
        return start + 1;
    ptrdiff_t digits = *start == 'x' ? 2 : *start == 'u' ? 4 : 0;
    unsigned value = 0;
    if (digits == 0 || at - start <= digits)
        return NULL;
    for (ptrdiff_t i = 1; i <= digits; i++) {
        if (!is_hex(start[i]))
            return NULL;
        value = value << 4 | hex_value(start[i]);
    }
    return value < 0x80 && !is_reference_character((char)value) ? start + digits + 1 : NULL;
}

/* "//redis" and "--redis" behind a blank, "<!--redis": comments that leave no blank before the name. */
static const char *skip_comment_marker(const struct finder *finder, const char *start,
                                       const char *at) {
    char previous = before(finder, start);
    bool slashes = starts_with(start, at, "//"), dashes = starts_with(start, at, "--");
    if ((unsigned char)previous > ' ' && !(dashes && previous == '!'))
        return start;
    return slashes || dashes ? start + 2 : start;
}

/* "NAME:-x" and "NAME-x" behind "${": the default value begins behind the operator. NULL when no operator is there. */
static const char *skip_default_operator(const char *start, const char *at) {
    const char *name = start;
    if (name == at || is_digit(*name))
        return NULL;
    while (name < at && is_word(*name))
        name++;
    if (name == start)
        return NULL;
    if (starts_with(name, at, ":-"))
        return name + 2;
    return starts_with(name, at, "-") ? name + 1 : NULL;
}

/* The last "://" ends a transport. */
static const char *skip_transport(const char *start, const char *at, bool *web) {
    for (const char *colon = at - 1; colon >= start; colon--) {
        if (!starts_with(colon, at, "://"))
            continue;
        *web = (colon - start >= 4 && strncasecmp(colon - 4, "http", 4) == 0) ||
               (colon - start >= 5 && strncasecmp(colon - 5, "https", 5) == 0);
        return colon + 3;
    }
    return start;
}

/* Characters beyond ASCII that stand before a name: quotes, spaces, arrows and the like may, letters may not. */
static bool ends_a_word(const struct finder *finder, const char *start) {
    const char *lead = start - 1;
    while (lead > finder->bytes && start - lead < 4 && ((unsigned char)*lead & 0xC0) == 0x80)
        lead--;
    size_t length = (size_t)(start - lead);
    switch ((unsigned char)*lead) {
    case 0xC2: /* Latin-1 signs, no-break space */
        return length == 2;
    case 0xE2: /* punctuation, arrows, boxes */
        return length == 3;
    case 0xE3: /* CJK punctuation */
        return length == 3 && (unsigned char)lead[1] == 0x80;
    case 0xEF: /* full-width punctuation, the BOM */
        return length == 3 && ((unsigned char)lead[1] == 0xBC || (unsigned char)lead[1] == 0xBB);
    default:
        return false;
    }
}

/* Why what stands before the name makes it none; NULL when it does not. */
static const char *judge_left(const struct finder *finder, struct token *token) {
    const char *start = token->start;
    char previous = before(finder, start);
    bool joined = start == token->at || *start == '/' || *start == ':';
    switch (previous) {
    case '{':
        if (start - finder->bytes < 2 || start[-2] != '$')
            return NULL;
        start = skip_default_operator(start, token->at);
        if (start == NULL)
            return "variable";
        token->start = start;
        return NULL;
    case '}':
        return start - finder->bytes >= 2 && start[-2] == '}' ? "template" : "variable";
    case '$':
    case '%':
        return "variable";
    case ')': /* $(REG)app */
        return "variable";
    case '>':
        return joined ? "variable" : NULL;
    case '@':
        return "part of a longer text";
    default:
        return (unsigned char)previous >= 0x80 && !ends_a_word(finder, start)
                   ? "part of a longer text"
                   : NULL;
    }
}

static bool looks_like_version(const char *start, const char *at) {
    if (start < at && *start == 'v')
        start++;
    if (start == at || !is_digit(*start))
        return false;
    bool dot = false;
    for (; start < at && (is_digit(*start) || *start == '.'); start++)
        dot = dot || *start == '.';
    return dot || start == at || *start == '-' || *start == '_';
}

/* `tag: "latest@sha256:…"`: the key says that this is no name. */
static bool key_is_tag(const struct finder *finder, const char *start) {
    const char *at = start;
    while (at > finder->bytes && strchr("\"' \t", at[-1]) != NULL && at[-1] != '\0')
        at--;
    if (at == finder->bytes || (at[-1] != ':' && at[-1] != '='))
        return false;
    for (at--; at > finder->bytes && strchr("\"' \t", at[-1]) != NULL && at[-1] != '\0';)
        at--;
    return at - finder->bytes >= 3 && strncasecmp(at - 3, "tag", 3) == 0;
}

static bool is_tag_alone(const struct finder *finder, const struct token *token) {
    size_t length = (size_t)(token->at - token->start);
    if (memchr(token->start, '/', length) != NULL || memchr(token->start, ':', length) != NULL)
        return false;
    return looks_like_version(token->start, token->at) || key_is_tag(finder, token->start);
}

/* Finds where the reference begins. Gives why it is none, or NULL. */
static const char *judge_name(const struct finder *finder, struct token *token) {
    const char *start = token->at;
    /* No limit: it ends at the last "@" at the latest, so each byte is looked at once. */
    while (start > finder->bytes && is_reference_character(start[-1]))
        start--;
    start = skip_comment_marker(finder, start, token->at);
    token->start = start = take_ipv6(finder, start);
    const char *behind_escape = skip_escape(finder, start, token->at);
    if (behind_escape == NULL)
        return "part of a longer text";
    token->start = behind_escape;
    const char *reason = judge_left(finder, token);
    if (reason != NULL)
        return reason;
    bool web = false;
    token->start = skip_transport(token->start, token->at, &web);
    if (web)
        return "a web address";
    if (token->start == token->at)
        return "no image name before the digest";
    return is_tag_alone(finder, token) ? "a tag without its image" : NULL;
}

static size_t line_of(struct finder *finder, const char *at) {
    while (finder->counted < at) {
        const char *end = memchr(finder->counted, '\n', (size_t)(at - finder->counted));
        if (end == NULL)
            break;
        finder->line++;
        finder->counted = end + 1;
    }
    return finder->line;
}

/* Shows a little of what stands before, so that people see the variable. */
static int skip(struct finder *finder, const struct token *token, const char *reason,
                struct error *err) {
    const char *start = token->start;
    while (start > finder->bytes && token->start - start < (ptrdiff_t)SHOWN_LEFT &&
           (unsigned char)start[-1] > ' ' && start[-1] != '"' && start[-1] != '\'')
        start--;
    while (start < token->start && ((unsigned char)*start & 0xC0) == 0x80)
        start++;
    return skipped_add(finder->skipped, line_of(finder, token->at), start,
                       (size_t)(token->end - start), reason, err);
}

static int take(struct finder *finder, const struct token *token, struct error *err) {
    struct error why = {0};
    size_t offset = (size_t)(token->start - finder->bytes);
    if (pin_add(finder->file, pin_format_text.name, offset, (size_t)(token->end - token->start),
                NULL, finder->pins, &why) == 0)
        return 0;
    if (why.kind != ERROR_INPUT)
        return error_move(err, &why);
    const char *what = strstr(error_message(&why), "reference: ");
    _cleanup_(free_pointer) char *reason =
        string_format(err, "not a valid reference: %s",
                      what != NULL ? what + strlen("reference: ") : error_message(&why));
    error_clear(&why);
    return reason != NULL ? skip(finder, token, reason, err) : -1;
}

/* "@sha256:" without digits is prose, or a variable or template to be filled in. */
static int judge_unfinished(struct finder *finder, struct token *token, struct error *err) {
    const char *at = token->end;
    judge_name(finder, token);
    if (token->start == token->at)
        return 0;
    if (starts_with(at, finder->end, "{{"))
        return skip(finder, token, "template", err);
    if (starts_with(at, finder->end, "$"))
        return skip(finder, token, "variable", err);
    return 0;
}

static int judge(struct finder *finder, const char *at, struct error *err) {
    char text[64];
    struct token token = {.at = at, .start = at};
    const char *digest_reason = judge_digest(finder, &token, text, sizeof text);
    if (token.end == at + PIN_LITERAL_LENGTH)
        return judge_unfinished(finder, &token, err);
    const char *reason = judge_name(finder, &token);
    if (digest_reason != NULL)
        reason = digest_reason;
    return reason != NULL ? skip(finder, &token, reason, err) : take(finder, &token, err);
}

static int find(const struct pin_file *file, struct pin_list *pins, struct skipped_list *skipped,
                struct error *err) {
    struct finder finder = {.file = file, .line = 1, .pins = pins, .skipped = skipped};
    finder.bytes = finder.counted = file->bytes;
    finder.end = file->bytes + file->length;
    /* Our own pins are added behind these, and rise too. */
    size_t cursor = 0;
    struct pin_list claimed = {.items = pins->items, .count = pins->count};
    for (const char *at = file->bytes; (at = pin_literal(at, finder.end)) != NULL;
         at += PIN_LITERAL_LENGTH) {
        claimed.items = pins->items;
        if (!pin_claimed(&claimed, &cursor, (size_t)(at - file->bytes), PIN_LITERAL_LENGTH) &&
            judge(&finder, at, err) < 0)
            return -1;
    }
    return 0;
}

static bool bid(const struct pin_file *file) {
    (void)file;
    return true;
}

const struct pin_format pin_format_text = {
    .name = "text",
    .description = "name[:tag]@sha256:… in any text",
    .bid = bid,
    .find = find,
};

#include "gate/policy/version.h"

#include <string.h>
#include <strings.h>

#include "gate/reference.h"

#define COMMIT_SHORTEST 7  /* hex digits: git's default abbreviation */
#define COMMIT_LONGEST  40 /* hex digits: a whole sha1 */
#define SIDECAR_HEX     64 /* hex digits of a sha256 */
#define FIRST_YEAR      2000
#define LAST_YEAR       2099

/* Words of pre-releases; a higher rank is nearer to the release. */
static const struct {
    const char *word;
    uint8_t rank;
    bool needs_number; /* without one it is a variant or a patch letter */
} words[] = {
    {"canary", 1, true},   {"dev", 1, true},   {"nightly", 1, true},  {"snapshot", 1, true},
    {"unstable", 1, true}, {"next", 1, true},  {"a", 2, true},        {"alpha", 2, false},
    {"b", 3, true},        {"beta", 3, false}, {"m", 4, true},        {"milestone", 4, false},
    {"ea", 5, false},      {"pre", 5, false},  {"preview", 5, false}, {"prerelease", 5, false},
    {"cr", 6, true},       {"rc", 6, false},
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_hex_letter(char c) {
    return c >= 'a' && c <= 'f';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_separator(char c) {
    return c == '-' || c == '.' || c == '_';
}

bool version_tag_is_commit(const char *tag) {
    size_t length = 0;
    bool letter = false;
    for (; is_digit(tag[length]) || is_hex_letter(tag[length]); length++)
        letter = letter || is_hex_letter(tag[length]);
    return tag[length] == '\0' && letter && length >= COMMIT_SHORTEST && length <= COMMIT_LONGEST;
}

bool version_tag_is_sidecar(const char *tag) {
    static const char prefix[] = "sha256-";
    if (strncmp(tag, prefix, sizeof prefix - 1) != 0)
        return false;
    const char *hex = tag + sizeof prefix - 1;
    size_t length = 0;
    while (is_digit(hex[length]) || is_hex_letter(hex[length]))
        length++;
    return length == SIDECAR_HEX && (hex[length] == '\0' || hex[length] == '.');
}

/* ---- parsing ---- */

static size_t count_digits(const char *at) {
    size_t length = 0;
    while (is_digit(at[length]))
        length++;
    return length;
}

/* The value of a few digits, for dates. */
static int small_value(const char *digits, size_t length) {
    int value = 0;
    for (size_t i = 0; i < length; i++)
        value = value * 10 + (digits[i] - '0');
    return value;
}

/* Numbers with dots between them, from tag[at] on. Gives the offset behind them, or 0 where there are none or too many. */
static size_t take_numbers(const char *tag, size_t at, struct version_number *numbers,
                           uint8_t *count, size_t limit) {
    for (*count = 0;; at++) {
        size_t length = count_digits(tag + at);
        if (length == 0 || *count == limit)
            return 0;
        numbers[(*count)++] = (struct version_number){(uint8_t)at, (uint8_t)length};
        at += length;
        if (tag[at] != '.' || !is_digit(tag[at + 1]))
            return at;
    }
}

static bool in_range(const char *digits, int lowest, int highest) {
    int value = small_value(digits, 2);
    return value >= lowest && value <= highest;
}

static bool is_year(const char *digits) {
    int year = small_value(digits, 4);
    return year >= FIRST_YEAR && year <= LAST_YEAR;
}

/* YYYYMM, YYYYMMDD, YYYYMMDDhhmm or YYYYMMDDhhmmss. */
static bool is_compact_date(const char *digits, size_t length) {
    if (length != 6 && length != 8 && length != 12 && length != 14)
        return false;
    return is_year(digits) && in_range(digits + 4, 1, 12) &&
           (length < 8 || in_range(digits + 6, 1, 31)) &&
           (length < 12 || (in_range(digits + 8, 0, 23) && in_range(digits + 10, 0, 59))) &&
           (length < 14 || in_range(digits + 12, 0, 60));
}

static enum version_kind kind_of(const char *digits, size_t length) {
    if (is_compact_date(digits, length))
        return VERSION_DATE;
    if (length >= VERSION_LONG_DIGITS)
        return VERSION_LONG_NUMBER;
    return length == 4 && is_year(digits) ? VERSION_YEAR : VERSION_NUMBER;
}

/* "-01" or "-01-15" behind a lone year. Gives the offset behind it. */
static size_t take_dashed_date(struct version *version, size_t at) {
    static const int highest[] = {12, 31};
    const char *tag = version->tag;
    if (version->kind != VERSION_YEAR || version->count != 1)
        return at;
    for (size_t i = 0; i < 2; i++) {
        if (tag[at] != '-' || count_digits(tag + at + 1) != 2 ||
            !in_range(tag + at + 1, 1, highest[i]))
            break;
        version->numbers[version->count++] = (struct version_number){(uint8_t)(at + 1), 2};
        version->kind = VERSION_DASHED_DATE;
        at += 3;
    }
    return at;
}

static int find_word(const char *at, size_t length) {
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].word) == length && strncasecmp(words[i].word, at, length) == 0)
            return (int)i;
    return -1;
}

/* Gives the offset behind the pre-release; the same offset where there is none. */
static size_t take_prerelease(struct version *version, size_t start) {
    const char *tag = version->tag;
    size_t at = is_separator(tag[start]) ? start + 1 : start;
    size_t length = 0;
    while (is_letter(tag[at + length]))
        length++;
    int word = find_word(tag + at, length);
    if (word < 0)
        return start;
    at += length;
    size_t number = is_separator(tag[at]) ? at + 1 : at;
    uint8_t count = 0;
    if (is_digit(tag[number])) {
        at = take_numbers(tag, number, version->prerelease_numbers, &count,
                          VERSION_PRERELEASE_NUMBERS_LIMIT);
        if (at == 0)
            return start;
    } else if (words[word].needs_number) {
        return start;
    }
    if (tag[at] != '\0' && !is_separator(tag[at]))
        return start;
    version->prerelease_count = count;
    version->prerelease_rank = words[word].rank;
    return at;
}

bool version_parse(const char *tag, struct version *out) {
    *out = (struct version){.tag = tag};
    if (strnlen(tag, REFERENCE_TAG_LIMIT + 1) > REFERENCE_TAG_LIMIT || version_tag_is_commit(tag))
        return false;
    size_t at = tag[0] == 'v' || tag[0] == 'V' ? 1 : 0;
    at = take_numbers(tag, at, out->numbers, &out->count, VERSION_NUMBERS_LIMIT);
    if (at == 0)
        return false;
    out->kind = kind_of(tag + out->numbers[0].offset, out->numbers[0].length);
    at = take_dashed_date(out, at);
    out->suffix_offset = (uint8_t)take_prerelease(out, at);
    return true;
}

/* ---- comparing ---- */

bool version_is_prerelease(const struct version *version) {
    return version->prerelease_rank != 0;
}

const char *version_suffix(const struct version *version) {
    return version->tag + version->suffix_offset;
}

static int compare_numbers(const struct version *a, struct version_number x,
                           const struct version *b, struct version_number y) {
    const char *left = a->tag + x.offset;
    const char *right = b->tag + y.offset;
    for (; x.length > 1 && *left == '0'; x.length--)
        left++;
    for (; y.length > 1 && *right == '0'; y.length--)
        right++;
    if (x.length != y.length)
        return x.length < y.length ? -1 : 1;
    return memcmp(left, right, x.length);
}

size_t version_equal_numbers(const struct version *a, const struct version *b) {
    size_t i = 0;
    while (i < a->count && i < b->count && compare_numbers(a, a->numbers[i], b, b->numbers[i]) == 0)
        i++;
    return i;
}

static int compare_prereleases(const struct version *a, const struct version *b) {
    if (a->prerelease_rank == 0 || b->prerelease_rank == 0) /* the release is the newer one */
        return (a->prerelease_rank == 0) - (b->prerelease_rank == 0);
    if (a->prerelease_rank != b->prerelease_rank)
        return a->prerelease_rank < b->prerelease_rank ? -1 : 1;
    for (size_t i = 0; i < a->prerelease_count && i < b->prerelease_count; i++) {
        int order = compare_numbers(a, a->prerelease_numbers[i], b, b->prerelease_numbers[i]);
        if (order != 0)
            return order;
    }
    return (a->prerelease_count > b->prerelease_count) -
           (a->prerelease_count < b->prerelease_count);
}

int version_compare(const struct version *a, const struct version *b) {
    size_t equal = version_equal_numbers(a, b);
    if (equal < a->count && equal < b->count)
        return compare_numbers(a, a->numbers[equal], b, b->numbers[equal]);
    return compare_prereleases(a, b);
}

bool version_same_kind(const struct version *a, const struct version *b) {
    if (a->kind != b->kind)
        return false;
    bool by_length = a->kind == VERSION_DATE || a->kind == VERSION_LONG_NUMBER;
    return !by_length || a->numbers[0].length == b->numbers[0].length;
}

static bool is_padded(const struct version *version) {
    for (size_t i = 0; i < version->count; i++)
        if (version->numbers[i].length > 1 && version->tag[version->numbers[i].offset] == '0')
            return true;
    return false;
}

int version_spelling_distance(const struct version *version, const struct version *model) {
    bool prefixed = !is_digit(version->tag[0]);
    bool model_prefixed = !is_digit(model->tag[0]);
    int distance = prefixed != model_prefixed ? 4 : version->tag[0] != model->tag[0] && prefixed;
    return distance + (is_padded(version) != is_padded(model) ? 2 : 0);
}

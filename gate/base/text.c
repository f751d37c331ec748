#include "gate/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY     128u /* bytes */
#define NEAREST_WORD_LIMIT 64u  /* bytes; longer words get no suggestion */
#define PREFIX_LEAST       3u   /* letters from which a beginning tells a word */

static bool reserve(struct text *text, size_t more) {
    if (text->failed != ERROR_NONE)
        return false;
    size_t ceiling = text->ceiling != 0 ? text->ceiling : TEXT_CEILING_DEFAULT;
    if (more > ceiling || text->length > ceiling - more) {
        text->failed = ERROR_LIMIT;
        return false;
    }
    size_t needed = text->length + more + 1;
    if (needed <= text->capacity)
        return true;
    size_t capacity = text->capacity != 0 ? text->capacity : FIRST_CAPACITY;
    while (capacity < needed)
        capacity *= 2;
    char *bytes = realloc(text->bytes, capacity);
    if (bytes == NULL) {
        text->failed = ERROR_NO_MEMORY;
        return false;
    }
    text->bytes = bytes;
    text->capacity = capacity;
    return true;
}

void text_append(struct text *text, const void *bytes, size_t length) {
    if (!reserve(text, length))
        return;
    if (length > 0)
        memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_add(struct text *text, const char *string) {
    text_append(text, string, strlen(string));
}

void text_add_char(struct text *text, char c) {
    text_append(text, &c, 1);
}

void text_printf(struct text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0 || !reserve(text, (size_t)length))
        return;
    va_start(arguments, format);
    vsnprintf(text->bytes + text->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    text->length += (size_t)length;
}

void text_truncate(struct text *text, size_t length) {
    if (length >= text->length)
        return;
    text->length = length;
    text->bytes[length] = '\0';
}

void text_follow(struct text *text, const struct text *part) {
    if (text->failed == ERROR_NONE)
        text->failed = part->failed;
}

void text_clear(struct text *text) {
    free(text->bytes);
    *text = (struct text){.ceiling = text->ceiling};
}

const char *text_string(const struct text *text) {
    return text->bytes != NULL ? text->bytes : "";
}

int text_check(const struct text *text, struct error *err) {
    if (text->failed == ERROR_NO_MEMORY)
        return error_no_memory(err);
    if (text->failed == ERROR_LIMIT)
        return error_set(err, ERROR_LIMIT, "text is larger than %zu bytes",
                         text->ceiling != 0 ? text->ceiling : (size_t)TEXT_CEILING_DEFAULT);
    return 0;
}

char *text_steal(struct text *text, struct error *err) {
    if (text_check(text, err) < 0) {
        text_clear(text);
        return NULL;
    }
    char *bytes = text->bytes;
    if (bytes == NULL)
        return string_dup("", err);
    *text = (struct text){.ceiling = text->ceiling};
    return bytes;
}

char *string_dup(const char *string, struct error *err) {
    return string != NULL ? string_dup_length(string, strlen(string), err) : NULL;
}

char *string_dup_length(const char *bytes, size_t length, struct error *err) {
    char *copy = malloc(length + 1);
    if (copy == NULL) {
        error_no_memory(err);
        return NULL;
    }
    if (length > 0)
        memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

int string_copy(const char *from, char **to, struct error *err) {
    *to = string_dup(from, err);
    return from == NULL || *to != NULL ? 0 : -1;
}

char *string_format(struct error *err, const char *format, ...) {
    char *string = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&string, format, arguments);
    va_end(arguments);
    if (length < 0) {
        error_no_memory(err);
        return NULL;
    }
    return string;
}

bool string_equal(const char *a, const char *b) {
    if (a == NULL || b == NULL)
        return a == b;
    return strcmp(a, b) == 0;
}

bool string_has_prefix(const char *string, const char *prefix) {
    return strncmp(string, prefix, strlen(prefix)) == 0;
}

bool string_has_suffix(const char *string, const char *suffix) {
    size_t length = strlen(string);
    size_t wanted = strlen(suffix);
    return length >= wanted && memcmp(string + length - wanted, suffix, wanted) == 0;
}

static size_t smallest(size_t a, size_t b, size_t c) {
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Levenshtein's distance of two words that are at most NEAREST_WORD_LIMIT long. */
static size_t edit_distance(const char *a, const char *b) {
    size_t row[NEAREST_WORD_LIMIT + 1];
    size_t length = strlen(b);
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            size_t above = row[j];
            row[j] = smallest(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[length];
}

const char *string_nearest(const char *word, const char *const *names) {
    size_t length = strlen(word);
    if (length == 0 || length > NEAREST_WORD_LIMIT)
        return NULL;
    const char *nearest = NULL;
    size_t least =
        length / 3 + 2; /* a third of the word may be wrong, and one letter of a short one */
    for (; *names != NULL; names++) {
        if (strlen(*names) > NEAREST_WORD_LIMIT)
            continue;
        if (length >= PREFIX_LEAST && strncmp(*names, word, length) == 0)
            return *names; /* its beginning: nearer than any other word of that length */
        size_t distance = edit_distance(word, *names);
        if (distance < least && distance < length) {
            least = distance;
            nearest = *names;
        }
    }
    return nearest;
}

void bytes_words(int64_t bytes, char *out, size_t size) {
    static const char *const units[] = {"MB", "GB", "TB", "PB", "EB"};
    int64_t kilobytes = bytes / 1000 + (bytes % 1000 > 0 ? 1 : 0);
    if (kilobytes < 1000) {
        snprintf(out, size, "%lld kB", (long long)kilobytes);
        return;
    }
    int64_t step = 100000; /* bytes in a tenth of the unit */
    size_t unit = 0;
    int64_t tenths = bytes / step + (bytes % step > 0 ? 1 : 0);
    while (tenths >= 10000 && unit + 1 < sizeof units / sizeof *units) {
        unit++;
        step *= 1000;
        tenths = bytes / step + (bytes % step > 0 ? 1 : 0);
    }
    snprintf(out, size, "%lld.%lld %s", (long long)(tenths / 10), (long long)(tenths % 10),
             units[unit]);
}

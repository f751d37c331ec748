#include "runners/difference.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Matchers: how many bytes from `at` on are of that kind; 0: none. Each reads up to `end` alone. */

static size_t digits(const char *at, const char *end) {
    size_t count = 0;
    while (at + count < end && isdigit((unsigned char)at[count]))
        count++;
    return count;
}

static size_t hex_digits(const char *at, const char *end) {
    size_t count = 0;
    while (at + count < end && isxdigit((unsigned char)at[count]))
        count++;
    return count;
}

static size_t word(const char *at, const char *end, const char *expected) {
    size_t length = strlen(expected);
    return (size_t)(end - at) >= length && strncmp(at, expected, length) == 0 ? length : 0;
}

static bool ends_token(const char *at, const char *end) {
    return at >= end || (!isalnum((unsigned char)*at) && *at != '_');
}

/* "12:34:56", with parts of a second and a zone */
static size_t clock_time(const char *at, const char *end) {
    size_t length = digits(at, end);
    if (length < 1 || length > 2)
        return 0;
    for (int part = 0; part < 2; part++) {
        if (at + length >= end || at[length] != ':' || digits(at + length + 1, end) != 2)
            return 0;
        length += 3;
    }
    if (at + length < end && strchr(".,", at[length]) != NULL && digits(at + length + 1, end) > 0)
        length += 1 + digits(at + length + 1, end);
    if (at + length < end && at[length] == 'Z')
        return length + 1;
    if (at + length + 2 < end && strchr("+-", at[length]) != NULL &&
        digits(at + length + 1, end) >= 2) {
        length += 1 + digits(at + length + 1, end);
        if (at + length < end && at[length] == ':' && digits(at + length + 1, end) == 2)
            length += 3;
    }
    return length;
}

/* A clock's time that follows a date: behind blanks, a "T", or Apache's ":" */
static size_t time_behind(const char *at, const char *end) {
    if (at >= end || strchr(" T:", *at) == NULL)
        return 0;
    size_t length = clock_time(at + 1, end);
    return length > 0 ? length + 1 : 0;
}

/* "2026-11-24", "2026/11/24", with a time behind it */
static size_t date(const char *at, const char *end) {
    if (digits(at, end) != 4 || end - at < 10 || strchr("-/.", at[4]) == NULL || at[7] != at[4] ||
        digits(at + 5, end) != 2 || digits(at + 8, end) != 2)
        return 0;
    return 10 + time_behind(at + 10, end);
}

static size_t month(const char *at, const char *end) {
    static const char *const names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (word(at, end, names[i]) > 0)
            return 3;
    return 0;
}

/* "24 Nov 2026 10:53:12.1", "24/Nov/2026:10:53:12 +0000" */
static size_t day_first(const char *at, const char *end) {
    size_t day = digits(at, end);
    if (day < 1 || day > 2 || at + day >= end || strchr(" /-", at[day]) == NULL ||
        month(at + day + 1, end) == 0)
        return 0;
    size_t length = day + 4;
    if (at + length < end && at[length] == at[day] && digits(at + length + 1, end) == 4)
        length += 5;
    return length + time_behind(at + length, end);
}

/* "Nov 24 10:53:12", "Nov  4 10:53:12", "Tue Nov 24 10:53:12 UTC 2026" */
static size_t month_first(const char *at, const char *end) {
    static const char *const days[] = {"Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "};
    size_t length = 0;
    for (size_t i = 0; i < sizeof days / sizeof *days && length == 0; i++)
        length = word(at, end, days[i]);
    if (month(at + length, end) == 0)
        return 0;
    length += 3;
    size_t blanks = 0;
    while (at + length + blanks < end && at[length + blanks] == ' ')
        blanks++;
    size_t day = digits(at + length + blanks, end);
    if (blanks == 0 || day < 1 || day > 2)
        return 0;
    length += blanks + day;
    length += time_behind(at + length, end);
    size_t zone = word(at + length, end, " UTC");
    if (at + length + zone < end && at[length + zone] == ' ' &&
        digits(at + length + zone + 1, end) == 4)
        return length + zone + 5;
    return length + zone;
}

static size_t any_time(const char *at, const char *end) {
    size_t (*const kinds[])(const char *, const char *) = {date, day_first, month_first,
                                                           clock_time};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t length = kinds[i](at, end);
        if (length > 0)
            return length;
    }
    return 0;
}

/* One number with its unit; units of one letter that mean other things too stand close to their number. */
static size_t one_duration(const char *at, const char *end) {
    static const char *const units[] = {"ns",      "us",   "\xc2\xb5s", "ms",    "seconds",
                                        "second",  "secs", "sec",       "s",     "min",
                                        "minutes", "m",    "h",         "minute"};
    size_t length = digits(at, end);
    if (length == 0)
        return 0;
    if (at + length < end && at[length] == '.' && digits(at + length + 1, end) > 0)
        length += 1 + digits(at + length + 1, end);
    size_t blank = word(at + length, end, " ");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t unit = word(at + length + blank, end, units[i]);
        bool short_one = strcmp(units[i], "m") == 0 || strcmp(units[i], "h") == 0;
        const char *behind = at + length + blank + unit;
        if (unit > 0 && !(short_one && blank > 0) &&
            (ends_token(behind, end) || isdigit((unsigned char)*behind)))
            return length + blank + unit;
    }
    return 0;
}

/* "0.31s", "12 ms", "3 seconds", "1m2.5s" */
static size_t duration(const char *at, const char *end) {
    size_t length = 0;
    size_t more;
    while ((more = one_duration(at + length, end)) > 0)
        length += more;
    return ends_token(at + length, end) ? length : 0;
}

static size_t digest(const char *at, const char *end) {
    size_t length = word(at, end, "sha256:");
    size_t hex = length > 0 ? hex_digits(at + length, end) : 0;
    return hex >= 12 ? length + hex : 0;
}

static size_t uuid(const char *at, const char *end) {
    static const size_t groups[] = {8, 4, 4, 4, 12};
    size_t length = 0;
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (i > 0 && (at + length >= end || at[length++] != '-'))
            return 0;
        if (hex_digits(at + length, end) != groups[i])
            return 0;
        length += groups[i];
    }
    return length;
}

/* Twelve are a container's short id. Without a digit it is a word. */
static size_t id(const char *at, const char *end) {
    size_t length = uuid(at, end);
    if (length > 0)
        return length;
    length = hex_digits(at, end);
    bool number = false;
    for (size_t i = 0; i < length; i++)
        number = number || isdigit((unsigned char)at[i]);
    return length >= 12 && number && ends_token(at + length, end) ? length : 0;
}

static size_t memory_address(const char *at, const char *end) {
    size_t length = word(at, end, "0x");
    size_t hex = length > 0 ? hex_digits(at + length, end) : 0;
    return hex > 0 && ends_token(at + length + hex, end) ? length + hex : 0;
}

/* IPv4, with a port */
static size_t network_address(const char *at, const char *end) {
    size_t length = 0;
    for (int part = 0; part < 4; part++) {
        if (part > 0 && (at + length >= end || at[length++] != '.'))
            return 0;
        size_t number = digits(at + length, end);
        if (number < 1 || number > 3)
            return 0;
        length += number;
    }
    if (at + length < end && at[length] == ':' && digits(at + length + 1, end) > 0)
        length += 1 + digits(at + length + 1, end);
    return ends_token(at + length, end) ? length : 0;
}

/* "port 54321", "pid 17", "pid=17", "PID: 17" */
static size_t named_number(const char *at, const char *end) {
    static const char *const names[] = {"port", "Port", "pid", "PID", "process"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t length = word(at, end, names[i]);
        if (length == 0)
            continue;
        while (at + length < end && strchr(" =:", at[length]) != NULL)
            length++;
        size_t number = digits(at + length, end);
        if (number > 0 && length > strlen(names[i]) && ends_token(at + length + number, end))
            return length + number;
    }
    return 0;
}

/* "[42]" */
static size_t bracketed(const char *at, const char *end) {
    size_t number = at < end && *at == '[' ? digits(at + 1, end) : 0;
    return number > 0 && at + 1 + number < end && at[1 + number] == ']' ? number + 2 : 0;
}

/* ":54321" of "localhost:54321"; a line of a file has fewer digits, as a rule */
static size_t port(const char *at, const char *end) {
    size_t number = at < end && *at == ':' ? digits(at + 1, end) : 0;
    return number >= 4 && number <= 5 && ends_token(at + 1 + number, end) ? number + 1 : 0;
}

static const struct kind {
    size_t (*match)(const char *at, const char *end);
    const char *words;
    bool inside; /* may begin within a token */
} kinds[] = {
    {any_time, "<time>", false},
    {digest, "<digest>", false},
    {id, "<id>", false},
    {memory_address, "<address>", false},
    {network_address, "<host>", false},
    {duration, "<duration>", false},
    {named_number, "<number>", false},
    {bracketed, "[<number>]", true},
    {port, ":<port>", true},
};

void difference_normalise(const char *line, size_t length, struct text *out) {
    const char *end = line + length;
    const char *at = line;
    while (at < end) {
        bool begins = at == line || (!isalnum((unsigned char)at[-1]) && at[-1] != '_');
        const struct kind *found = NULL;
        size_t matched = 0;
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds && found == NULL; i++) {
            matched = kinds[i].inside || begins ? kinds[i].match(at, end) : 0;
            found = matched > 0 ? &kinds[i] : NULL;
        }
        if (found != NULL)
            text_add(out, found->words);
        else
            text_add_char(out, *at);
        at += found != NULL ? matched : 1;
    }
}

/* One line without its end; of a long one only the beginning. False at the end. */
static bool read_line(FILE *file, char line[DIFFERENCE_LINE_BYTES], size_t *length) {
    *length = 0;
    int c = getc_unlocked(file);
    if (c == EOF)
        return false;
    for (; c != EOF && c != '\n'; c = getc_unlocked(file))
        if (*length < DIFFERENCE_LINE_BYTES)
            line[(*length)++] = (char)c;
    return true;
}

static bool is_same(const char *a, size_t a_length, const char *b, size_t b_length, bool *same,
                    struct error *err) {
    *same = a_length == b_length && memcmp(a, b, a_length) == 0;
    if (*same)
        return true;
    _cleanup_(text_clear) struct text first = {0};
    _cleanup_(text_clear) struct text second = {0};
    difference_normalise(a, a_length, &first);
    difference_normalise(b, b_length, &second);
    if (text_check(&first, err) < 0 || text_check(&second, err) < 0)
        return false;
    *same = first.length == second.length &&
            memcmp(text_string(&first), text_string(&second), first.length) == 0;
    return true;
}

/* Cut between characters. */
static void add_quoted(struct text *out, bool there, const char *line, size_t length) {
    if (!there) {
        text_add(out, "nothing more");
        return;
    }
    size_t shown = length;
    if (length > DIFFERENCE_SHOWN_BYTES)
        for (shown = DIFFERENCE_SHOWN_BYTES;
             shown > 0 && ((unsigned char)line[shown] & 0xc0) == 0x80;)
            shown--;
    text_add_char(out, '"');
    text_append(out, line, shown);
    text_add(out, shown < length ? "…\"" : "\"");
}

int difference_find(FILE *now, FILE *before, char **words, struct error *err) {
    char here[DIFFERENCE_LINE_BYTES];
    char there[DIFFERENCE_LINE_BYTES];
    *words = NULL;
    for (size_t number = 1; number <= DIFFERENCE_LINES; number++) {
        size_t here_length;
        size_t there_length;
        bool one = read_line(now, here, &here_length);
        bool other = read_line(before, there, &there_length);
        if (!one && !other)
            return 0;
        bool same = false;
        if (one && other && !is_same(here, here_length, there, there_length, &same, err))
            return -1;
        if (same)
            continue;
        struct text out = {0};
        text_printf(&out, "line %zu: ", number);
        add_quoted(&out, one, here, here_length);
        text_add(&out, ", and ");
        add_quoted(&out, other, there, there_length);
        text_add(&out, " on the current digest");
        *words = text_steal(&out, err);
        return *words != NULL ? 0 : -1;
    }
    return 0;
}

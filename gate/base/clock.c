#include "gate/base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LONGEST_MS (3650LL * 24 * 3600 * 1000) /* ten years: more is a typo */
#define DAY_MS     (24LL * 3600 * 1000)
#define LATEST_MS  253402300799999LL /* the last millisecond of the year 9999 */

static int64_t read_clock(clockid_t id) {
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_now_ms(void) {
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic_ms(void) {
    return read_clock(CLOCK_MONOTONIC);
}

void clock_rfc3339(int64_t time_ms, char out[CLOCK_RFC3339_SIZE]) {
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL ||
        strftime(out, CLOCK_RFC3339_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        snprintf(out, CLOCK_RFC3339_SIZE, "1970-01-01T00:00:00Z");
}

static const struct {
    const char *name;
    int64_t ms;
} units[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
             {"h", 3600000}, {"d", 86400000}, {"w", 604800000}};

static int64_t unit_ms(const char *name, size_t length) {
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strlen(units[i].name) == length && memcmp(units[i].name, name, length) == 0)
            return units[i].ms;
    return 0;
}

static int bad_duration(const char *text, struct error *err) {
    return error_set(
        err, ERROR_CONFIG,
        "\"%s\" is not a duration; write a number and a unit, such as 500ms, 90s, 5m, 24h or 3d",
        text);
}

int clock_parse_duration(const char *text, int64_t *out_ms, struct error *err) {
    int64_t sum = 0;
    const char *at = text;
    do {
        int64_t number = 0;
        const char *digits = at;
        for (; isdigit((unsigned char)*at); at++) {
            number = number * 10 + (*at - '0');
            if (number > LONGEST_MS)
                return error_set(err, ERROR_CONFIG, "duration \"%s\" is longer than ten years",
                                 text);
        }
        const char *name = at;
        while (isalpha((unsigned char)*at))
            at++;
        int64_t unit = unit_ms(name, (size_t)(at - name));
        if (digits == name || unit == 0)
            return bad_duration(text, err);
        if (number > (LONGEST_MS - sum) / unit)
            return error_set(err, ERROR_CONFIG, "duration \"%s\" is longer than ten years", text);
        sum += number * unit;
    } while (*at != '\0');
    *out_ms = sum;
    return 0;
}

void clock_duration_words(int64_t duration_ms, char *out, size_t size) {
    if (duration_ms < 0) /* two looks at a clock that was set back between them */
        duration_ms = 0;
    long long seconds = (long long)(duration_ms / 1000 + (duration_ms % 1000 >= 500));
    if (duration_ms < 10000)
        snprintf(out, size, "%lld.%lld s", (long long)duration_ms / 1000,
                 (long long)duration_ms % 1000 / 100);
    else if (seconds < 60)
        snprintf(out, size, "%lld s", seconds);
    else if (seconds < 3600)
        snprintf(out, size, "%lld m %lld s", seconds / 60, seconds % 60);
    else if (seconds < 86400)
        snprintf(out, size, "%lld h %lld m", seconds / 3600, seconds % 3600 / 60);
    else
        snprintf(out, size, "%lld d %lld h", seconds / 86400, seconds % 86400 / 3600);
}

void clock_rfc3339_ms(int64_t time_ms, char out[CLOCK_RFC3339_SIZE]) {
    time_ms = time_ms < 0 ? 0 : time_ms > LATEST_MS ? LATEST_MS : time_ms;
    char seconds[CLOCK_RFC3339_SIZE];
    clock_rfc3339(time_ms, seconds);
    snprintf(out, CLOCK_RFC3339_SIZE, "%.19s.%03dZ", seconds, (int)(time_ms % 1000));
}

/* Reads exactly `count` digits. */
static bool take_digits(const char **at, int count, int *out) {
    *out = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (!isdigit((unsigned char)**at))
            return false;
        *out = *out * 10 + (**at - '0');
    }
    return true;
}

static bool take_char(const char **at, char wanted) {
    if (**at != wanted)
        return false;
    (*at)++;
    return true;
}

/* "2026-11-24" as days since 1970. Counts in years that begin with March, so that the leap day is a year's last.
 *   src  the proleptic Gregorian calendar; 400 of its years have 146,097 days */
static bool take_date(const char **at, int64_t *days) {
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day;
    if (!take_digits(at, 4, &year) || !take_char(at, '-') || !take_digits(at, 2, &month) ||
        !take_char(at, '-') || !take_digits(at, 2, &day))
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (year < 1970 || month < 1 || month > 12 || day < 1 ||
        day > lengths[month - 1] + (month == 2 && leap))
        return false;
    int from_march = (month + 9) % 12;
    int counted = year - (month <= 2);
    *days = counted * 365LL + counted / 4 - counted / 100 + counted / 400 +
            (from_march * 153 + 2) / 5 + day - 1 - 719468;
    return true;
}

bool clock_parse_rfc3339_ms(const char *text, int64_t *out_ms) {
    int64_t days;
    int hour, minute, second, ms;
    if (!take_date(&text, &days) || !take_char(&text, 'T') || !take_digits(&text, 2, &hour) ||
        !take_char(&text, ':') || !take_digits(&text, 2, &minute) || !take_char(&text, ':') ||
        !take_digits(&text, 2, &second) || !take_char(&text, '.') || !take_digits(&text, 3, &ms) ||
        !take_char(&text, 'Z') || *text != '\0' || hour > 23 || minute > 59 || second > 59)
        return false;
    *out_ms = days * DAY_MS + ((hour * 60LL + minute) * 60 + second) * 1000 + ms;
    return true;
}

/* "10:53", ":20" and ".123" where they are given. */
static bool take_time(const char **at, int64_t *ms) {
    int hour, minute, second = 0;
    if (!take_digits(at, 2, &hour) || !take_char(at, ':') || !take_digits(at, 2, &minute) ||
        (take_char(at, ':') && !take_digits(at, 2, &second)) || hour > 23 || minute > 59 ||
        second > 59)
        return false;
    *ms = ((hour * 60LL + minute) * 60 + second) * 1000;
    if (!take_char(at, '.'))
        return true;
    if (!isdigit((unsigned char)**at))
        return false;
    for (int worth = 100; isdigit((unsigned char)**at); (*at)++, worth /= 10)
        *ms += (int64_t)(**at - '0') * worth;
    return true;
}

/* "Z" or "+01:00": what is to be added to come to UTC. */
static bool take_zone(const char **at, int64_t *ms) {
    *ms = 0;
    if (take_char(at, 'Z') || take_char(at, 'z'))
        return true;
    int64_t sign = take_char(at, '+') ? -1 : take_char(at, '-') ? 1 : 0;
    int hour, minute;
    if (sign == 0 || !take_digits(at, 2, &hour) || !take_char(at, ':') ||
        !take_digits(at, 2, &minute) || hour > 14 || minute > 59)
        return false;
    *ms = sign * (hour * 60LL + minute) * 60000;
    return true;
}

int clock_parse_time(const char *text, int64_t *first_ms, int64_t *last_ms, struct error *err) {
    const char *at = text;
    int64_t days, time_ms, zone_ms;
    bool is_date = take_date(&at, &days);
    if (is_date && *at == '\0') {
        *first_ms = days * DAY_MS;
        *last_ms = *first_ms + DAY_MS - 1;
        return 0;
    }
    if (!is_date || (!take_char(&at, 'T') && !take_char(&at, 't') && !take_char(&at, ' ')) ||
        !take_time(&at, &time_ms) || !take_zone(&at, &zone_ms) || *at != '\0')
        return error_set(err, ERROR_USAGE,
                         "\"%s\" is not a time; write a day of UTC, such as 2026-11-24, or a time "
                         "with its zone, such as 2026-11-24T10:53Z",
                         text);
    *first_ms = *last_ms = days * DAY_MS + time_ms + zone_ms;
    return 0;
}

#include "gate/base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LONGEST_MS (3650LL * 24 * 3600 * 1000) /* ten years: more is a typo */

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

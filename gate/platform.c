#include "gate/platform.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

static const struct {
    const char *architecture, *variant; /* as they come; a NULL variant is any */
    const char *real, *real_variant;    /* what they mean; NULL: as it came */
} names[] = {
    {"x86_64", NULL, "amd64", ""},      {"x86-64", NULL, "amd64", ""},
    {"amd64", "v1", "amd64", ""},       {"i386", NULL, "386", ""},
    {"i486", NULL, "386", ""},          {"i586", NULL, "386", ""},
    {"i686", NULL, "386", ""},          {"aarch64", "", "arm64", ""},
    {"aarch64", "8", "arm64", ""},      {"aarch64", "v8", "arm64", ""},
    {"arm64", "8", "arm64", ""},        {"arm64", "v8", "arm64", ""},
    {"aarch64", NULL, "arm64", NULL},   {"armhf", NULL, "arm", "v7"},
    {"armel", NULL, "arm", "v6"},       {"armv5l", NULL, "arm", "v5"},
    {"armv6l", NULL, "arm", "v6"},      {"armv7l", NULL, "arm", "v7"},
    {"armv8l", NULL, "arm", "v7"},      {"arm", "", "arm", "v7"},
    {"arm", "5", "arm", "v5"},          {"arm", "6", "arm", "v6"},
    {"arm", "7", "arm", "v7"},          {"arm", "8", "arm", "v8"},
    {"loongarch64", "", "loong64", ""},
};

static bool copy_part(const char *from, char to[PLATFORM_PART_LIMIT + 1]) {
    size_t length = strlen(from);
    if (length > PLATFORM_PART_LIMIT)
        return false;
    for (size_t i = 0; i <= length; i++) {
        if (i < length && !isalnum((unsigned char)from[i]) && strchr("_-.", from[i]) == NULL)
            return false;
        to[i] = (char)tolower((unsigned char)from[i]);
    }
    return true;
}

static void normalise(struct platform *platform) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i].architecture, platform->architecture) != 0 ||
            (names[i].variant != NULL && strcmp(names[i].variant, platform->variant) != 0))
            continue;
        snprintf(platform->architecture, sizeof platform->architecture, "%s", names[i].real);
        if (names[i].real_variant != NULL)
            snprintf(platform->variant, sizeof platform->variant, "%s", names[i].real_variant);
        return;
    }
}

bool platform_make(const char *os, const char *architecture, const char *variant,
                   struct platform *out) {
    *out = (struct platform){0};
    if (os[0] == '\0' || architecture[0] == '\0' || !copy_part(os, out->os) ||
        !copy_part(architecture, out->architecture) ||
        !copy_part(variant != NULL ? variant : "", out->variant)) {
        *out = (struct platform){0};
        return false;
    }
    normalise(out);
    return true;
}

bool platform_parse(const char *words, struct platform *out) {
    char copy[PLATFORM_WORDS_SIZE];
    const char *parts[3] = {NULL, NULL, NULL};
    *out = (struct platform){0};
    if (strlen(words) >= sizeof copy)
        return false;
    memcpy(copy, words, strlen(words) + 1);
    char *at = copy;
    for (size_t i = 0; at != NULL; i++) {
        if (i == 3 || *at == '\0' || *at == '/')
            return false;
        parts[i] = at;
        at = strchr(at, '/');
        if (at != NULL)
            *at++ = '\0';
    }
    return parts[1] != NULL && platform_make(parts[0], parts[1], parts[2], out);
}

void platform_host(struct platform *out) {
    struct utsname name;
    if (uname(&name) < 0 || !platform_make("linux", name.machine, NULL, out))
        platform_make("linux", "unknown", NULL, out);
}

/* "" is 0, "v7" is 7; -1 for what has no order. */
static int level(const char *variant) {
    if (variant[0] == '\0')
        return 0;
    if (variant[0] == 'v' && isdigit((unsigned char)variant[1]) && variant[2] == '\0')
        return variant[1] - '0';
    return -1;
}

unsigned int platform_fit(const struct platform *machine, const struct platform *image) {
    if (machine->os[0] == '\0' || strcmp(machine->os, image->os) != 0 ||
        strcmp(machine->architecture, image->architecture) != 0)
        return 0;
    int wanted = level(image->variant);
    if (strcmp(machine->variant, image->variant) == 0)
        return 100;
    return wanted >= 0 && wanted <= level(machine->variant) ? (unsigned int)wanted + 1 : 0;
}

void platform_words(const struct platform *platform, char out[PLATFORM_WORDS_SIZE]) {
    snprintf(out, PLATFORM_WORDS_SIZE, "%s/%s%s%s", platform->os, platform->architecture,
             platform->variant[0] != '\0' ? "/" : "", platform->variant);
}

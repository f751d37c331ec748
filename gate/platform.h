/* platform: what an image is built for, and whether a machine runs it; knows nothing of registries or engines.
 *
 *     platform = os "/" architecture [ "/" variant ]          "linux/amd64", "linux/arm/v7"
 *
 * The words are Go's (GOOS, GOARCH). They are kept in one form, so that those are equal which mean the same: "x86_64" is amd64,
 * "aarch64" and "arm64/v8" are arm64, "arm" is arm/v7, "amd64/v1" is amd64.
 *   src  OCI image-spec 1.1, "Image Index"; github.com/containerd/platforms, database.go
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define PLATFORM_PART_LIMIT 31 /* bytes of a part; the longest known has 9 */
#define PLATFORM_WORDS_SIZE (3 * (PLATFORM_PART_LIMIT + 1))

struct platform {
    char os[PLATFORM_PART_LIMIT + 1];           /* "linux" */
    char architecture[PLATFORM_PART_LIMIT + 1]; /* "amd64" */
    char variant[PLATFORM_PART_LIMIT + 1];      /* "v7", "" where there is none */
};

/* False, and *out empty, when a part is no word of letters, digits, "_", "-", "." or too long. variant may be NULL or "". */
bool platform_make(const char *os, const char *architecture, const char *variant,
                   struct platform *out);

/* "linux/arm/v7" as people write it; false, and *out empty, for anything else. */
bool platform_parse(const char *words, struct platform *out);

/* That of this machine's kernel, for containers of Linux, which engines run wherever they are: no engine is asked. */
void platform_host(struct platform *out);

/* How well a machine of the one platform runs an image of the other: 0 not at all; of several images, the one with the most.
 * An older variant runs on a newer machine, not the other way round. What some machines can do besides (386 on amd64, arm on
 * arm64) is left out: an engine only falls back on it. */
unsigned int platform_fit(const struct platform *machine, const struct platform *image);

void platform_words(const struct platform *platform, char out[PLATFORM_WORDS_SIZE]);

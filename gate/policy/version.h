/* version: what a tag says about the version of an image; nothing about which version may follow which (policy.h).
 *
 *     tag         = [ "v" | "V" ] numbers [ prerelease ] [ suffix ]
 *     numbers     = number *7( "." number )             of any size: compared as digits, never as machine numbers
 *                 | year "-" month [ "-" day ]          2024-01-15
 *     prerelease  = [ "-" | "." | "_" ] word [ [ "-" | "." | "_" ] number *3( "." number ) ]
 *     word        = alpha, beta, rc, … (the table in version.c), in any case
 *     suffix      = all that is left: the variant, "-alpine3.19"; it begins with what parts it from the version
 *
 * Some words announce a pre-release only with a number ("dev", "nightly", "a", "b"): "3.12-dev" is a variant that some
 * publishers ship, "1.1.1a" is a letter that some count up as patches. Without a number they are part of the suffix, so they
 * are compared with their like alone.
 *
 * No versions are: words ("latest", "bookworm-slim"), 7 to 40 digits of lowercase hex with a letter among them (a commit),
 * "sha256-…" sidecar tags, more than eight numbers.
 *
 * Two versions can be compared only when their shapes are the same: the kind of the first number, how many numbers, and the
 * suffix byte by byte. The kind keeps dates from being taken for high numbers: 7 may become 8, never 20240101. Long
 * numbers (seven digits and more) are compared with as long ones only: a commit can happen to have no letter.
 *
 * The order of comparable versions: by numbers, leading zeros without weight; a pre-release before its release; pre-releases
 * by word (dev < alpha < beta < milestone < preview < rc), then by their numbers. "v1.2", "1.2" and "1.02" are one version.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* numbers in a version; more is no version but an address or a list */
#define VERSION_NUMBERS_LIMIT            8
#define VERSION_PRERELEASE_NUMBERS_LIMIT 4 /* numbers behind the word of a pre-release */
#define VERSION_LONG_DIGITS              7 /* digits from which a number may be a commit, a time or a build */

/* What the first number is. */
enum version_kind {
    VERSION_NUMBER,      /* 7, 7.2.4 */
    VERSION_YEAR,        /* 2024, 2024.01.15: four digits, 2000 to 2099 */
    VERSION_DASHED_DATE, /* 2024-01-15, 2024-01 */
    VERSION_DATE,        /* 202401, 20240115, 202401151230, 20240115123000 */
    VERSION_LONG_NUMBER, /* 1700000000 */
};

/* Digits within the tag. */
struct version_number {
    uint8_t offset; /* bytes from the start of the tag */
    uint8_t length; /* digits, leading zeros included */
};

struct version {
    const char *tag; /* borrowed: must live as long as the version */
    enum version_kind kind;
    struct version_number numbers[VERSION_NUMBERS_LIMIT];
    uint8_t count; /* of numbers, at least 1 */
    struct version_number prerelease_numbers[VERSION_PRERELEASE_NUMBERS_LIMIT];
    uint8_t prerelease_count;
    uint8_t prerelease_rank; /* 0: not a pre-release; else the place of its word in the order */
    uint8_t suffix_offset;   /* bytes; the suffix is the rest of the tag */
};

/* in   tag  a valid tag (reference_tag_valid); borrowed by *out
 * false where it is no version; *out is then not to be used */
bool version_parse(const char *tag, struct version *out);

bool version_is_prerelease(const struct version *version);
const char *version_suffix(const struct version *version); /* "" where it has none */

/* <0, 0 or >0; only for versions of the same kind, count and suffix. */
int version_compare(const struct version *a, const struct version *b);

/* The same kind, and where it matters the same number of digits: 2024.1 is not comparable with 7.2. */
bool version_same_kind(const struct version *a, const struct version *b);

/* How many numbers are equal from the first on. */
size_t version_equal_numbers(const struct version *a, const struct version *b);

/* Whether it is written like `model` ("v" or none, zeros in front or none): 0 alike, higher is less alike. For choosing among
 * spellings of one version. */
int version_spelling_distance(const struct version *version, const struct version *model);

bool version_tag_is_commit(const char *tag); /* 7 to 40 hex digits, a letter among them */
/* "sha256-", 64 hex digits, then nothing or "." and more */
bool version_tag_is_sidecar(const char *tag);

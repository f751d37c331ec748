#include "runners/workspace_hash.h"

#include "gate/base/text.h"
#include "gate/pins/rewrite.h"
#include "gate/pins/scan.h"
#include "tests/unit/unit.h"

#define OLD "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NEW "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* Of one file in pieces of that size, between a link and an empty file. */
static void hash_of(const char *name, const char *bytes, size_t length, const struct pin_list *pins,
                    size_t piece, char hex[HASH_HEX_SIZE]) {
    struct error err = {0};
    struct workspace_hash *hash = workspace_hash_new(pins, &err);
    ck_assert_ptr_nonnull(hash);
    workspace_hash_link(hash, "a", "b");
    unit_ok(workspace_hash_file(hash, name, 0666, (int64_t)length, &err), &err);
    for (size_t at = 0; at < length; at += piece)
        workspace_hash_bytes(hash, bytes + at, length - at < piece ? length - at : piece);
    unit_ok(workspace_hash_file(hash, "z", 0666, 0, &err), &err);
    workspace_hash_finish(hash, hex);
    workspace_hash_free(hash);
}

static const struct {
    const char *name;
    const char *bytes;
    size_t pins;
} rows[] = {
    {"Dockerfile", "FROM redis:7.2.4@" OLD " AS base\nRUN true\nFROM python:3.12@" OLD "\n", 2},
    {"compose.yaml", "services:\n  a:\n    image: redis:7.2.4@" OLD "\n", 1},
    {".env", "IMAGE=redis:7.2.4@" OLD, 1},
    {"plain.txt", "redis:7.2.4@" OLD " redis:7.2.4@" OLD "\n", 2},
    {"workflow.yaml", "x: redis@" OLD " # 7.2.4\n", 1},
    {"none.txt", "nothing of this is a pin\n", 0},
};

static void scan(size_t row, const char *bytes, size_t length, struct scan *out) {
    struct error err = {0};
    unit_ok(scan_bytes(rows[row].name, bytes, length, out, &err), &err);
}

/* All pins moved, to a tag of another length. */
static void move(const char *bytes, const struct pin_list *pins, struct text *out) {
    struct error err = {0};
    struct edit_list edits = {0};
    for (size_t i = 0; i < pins->count; i++)
        unit_ok(rewrite_pin(&pins->items[i], "7.2.50-alpine", NEW, &edits, &err), &err);
    unit_ok(edits_apply(bytes, strlen(bytes), &edits, out, &err), &err);
    edit_list_clear(&edits);
}

START_TEST(pins_that_move_change_nothing) {
    static const size_t pieces[] = {1, 2, 7, 64, 71, 4096};
    const char *bytes = rows[_i].bytes;
    char before[HASH_HEX_SIZE];
    char after[HASH_HEX_SIZE];
    struct scan was = {0};
    struct scan is = {0};
    struct text moved = {0};
    scan((size_t)_i, bytes, strlen(bytes), &was);
    ck_assert_msg(was.pins.count >= rows[_i].pins, "%s: %zu pins", rows[_i].name, was.pins.count);
    move(bytes, &was.pins, &moved);
    scan((size_t)_i, moved.bytes, moved.length, &is);
    ck_assert_uint_eq(was.pins.count, is.pins.count);
    hash_of(rows[_i].name, bytes, strlen(bytes), &was.pins, 4096, before);
    ck_assert_uint_eq(strlen(before), HASH_HEX_SIZE - 1);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        hash_of(rows[_i].name, moved.bytes, moved.length, &is.pins, pieces[i], after);
        ck_assert_msg(strcmp(before, after) == 0, "%s in pieces of %zu: %s, %s", rows[_i].name,
                      pieces[i], before, after);
    }
    scan_clear(&was);
    scan_clear(&is);
    text_clear(&moved);
}
END_TEST

static bool in_span(const struct pin_list *pins, size_t at) {
    for (size_t i = 0; i < pins->count; i++)
        for (size_t s = 0; s < pins->items[i].span_count; s++) {
            const struct pin_span *span = &pins->items[i].spans[s];
            if (at >= span->offset && at < span->offset + span->length)
                return true;
        }
    return false;
}

/* Each byte, when another one stands there: outside of the pins it is another workspace; within them the file is not the one
 * that was scanned, and nothing is said of it. */
START_TEST(every_other_byte_counts) {
    char bytes[512];
    char before[HASH_HEX_SIZE];
    char after[HASH_HEX_SIZE];
    struct scan was = {0};
    size_t length = strlen(rows[_i].bytes);
    memcpy(bytes, rows[_i].bytes, length);
    scan((size_t)_i, bytes, length, &was);
    hash_of(rows[_i].name, bytes, length, &was.pins, 4096, before);
    for (size_t at = 0; at < length; at++) {
        bytes[at] ^= 1;
        hash_of(rows[_i].name, bytes, length, &was.pins, 16, after);
        bytes[at] ^= 1;
        ck_assert_msg(strcmp(before, after) != 0, "%s: byte %zu", rows[_i].name, at);
        ck_assert_msg((after[0] == '\0') == in_span(&was.pins, at), "%s: byte %zu", rows[_i].name,
                      at);
    }
    for (size_t cut = 0; cut < length; cut++) { /* and so does what lacks at the end */
        hash_of(rows[_i].name, bytes, cut, &was.pins, 16, after);
        ck_assert_msg(strcmp(before, after) != 0, "%s: cut at %zu", rows[_i].name, cut);
    }
    scan_clear(&was);
}
END_TEST

/* Parts in any order, those of two pins between each other, a digest without its algorithm. */
static void apart(const char *digest, const char *tag, bool swapped, char hex[HASH_HEX_SIZE]) {
    struct error err = {0};
    struct text bytes = {0};
    struct pin pins[2] = {
        {.file = (char *)"f", .name = {.tag = (char *)tag, .digest = (char *)digest}},
        {.file = (char *)"f", .name = {.tag = (char *)tag, .digest = (char *)digest}}};
    size_t second = swapped ? 0 : 1;
    pins[0].spans[0] = (struct pin_span){PIN_PART_DIGEST, 0, 64};
    text_add(&bytes, digest + strlen("sha256:"));
    text_add(&bytes, " tag ");
    pins[second].spans[pins[second].span_count = swapped ? 1 : 0] =
        (struct pin_span){PIN_PART_TAG, bytes.length, strlen(tag)};
    text_add(&bytes, tag);
    text_add(&bytes, " # ");
    pins[0].spans[swapped ? 2 : 1] =
        (struct pin_span){PIN_PART_VERSION_COMMENT, bytes.length, strlen(tag)};
    text_add(&bytes, tag);
    text_add(&bytes, "\n");
    pins[1].spans[swapped ? 0 : 1] =
        (struct pin_span){PIN_PART_DIGEST, bytes.length, strlen(digest)};
    text_add(&bytes, digest);
    pins[0].span_count = swapped ? 3 : 2;
    pins[1].span_count = swapped ? 1 : 2;
    unit_ok(text_check(&bytes, &err), &err);
    struct pin_list list = {.items = pins, .count = 2};
    hash_of("f", bytes.bytes, bytes.length, &list, 5, hex);
    ck_assert_uint_eq(strlen(hex), HASH_HEX_SIZE - 1);
    text_clear(&bytes);
}

START_TEST(parts_that_stand_apart) {
    char one[HASH_HEX_SIZE];
    char other[HASH_HEX_SIZE];
    apart(OLD, "7.2.4", false, one);
    apart(NEW, "7.2.50", false, other);
    ck_assert_str_eq(one, other);
    apart(NEW, "7.2.50", true, other); /* whose part it is does not matter: its place does */
    ck_assert_str_eq(one, other);
}
END_TEST

/* Names, modes, links, and where one thing ends and the next begins. */
START_TEST(everything_else_counts) {
    static const struct {
        const char *name;
        unsigned int mode;
        const char *bytes, *other, *link;
    } cases[] = {{"a", 0666, "1", "2", "x"},  {"b", 0666, "1", "2", "x"},
                 {"a", 0777, "1", "2", "x"},  {"a", 0666, "12", "", "x"},
                 {"a", 0666, "", "12", "x"},  {"a", 0666, "1", "2", "y"},
                 {"a", 0666, "1", "2", NULL}, {"a", 0666, "1\0file\0b\0438", "2", "x"}};
    enum { COUNT = sizeof cases / sizeof *cases };
    char hex[COUNT][HASH_HEX_SIZE];
    struct error err = {0};
    for (size_t i = 0; i < COUNT; i++) {
        struct workspace_hash *hash = workspace_hash_new(NULL, &err);
        size_t length = i == COUNT - 1 ? 11 : strlen(cases[i].bytes);
        ck_assert_ptr_nonnull(hash);
        unit_ok(workspace_hash_file(hash, cases[i].name, cases[i].mode, (int64_t)length, &err),
                &err);
        workspace_hash_bytes(hash, cases[i].bytes, length);
        unit_ok(workspace_hash_file(hash, "c", 0666, (int64_t)strlen(cases[i].other), &err), &err);
        workspace_hash_bytes(hash, cases[i].other, strlen(cases[i].other));
        if (cases[i].link != NULL)
            workspace_hash_link(hash, "l", cases[i].link);
        workspace_hash_finish(hash, hex[i]);
        workspace_hash_free(hash);
        for (size_t j = 0; j < i; j++)
            ck_assert_msg(strcmp(hex[i], hex[j]) != 0, "%zu and %zu", i, j);
    }
}
END_TEST

/* A file that grew behind the size that was told. */
START_TEST(more_bytes_than_told) {
    struct error err = {0};
    char hex[HASH_HEX_SIZE];
    struct workspace_hash *hash = workspace_hash_new(NULL, &err);
    ck_assert_ptr_nonnull(hash);
    unit_ok(workspace_hash_file(hash, "a", 0666, 1, &err), &err);
    workspace_hash_bytes(hash, "12", 2);
    workspace_hash_finish(hash, hex);
    ck_assert_str_eq(hex, "");
    workspace_hash_free(hash);
}
END_TEST

UNIT_MAIN("workspace_hash", {
    tcase_add_loop_test(cases, pins_that_move_change_nothing, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(cases, every_other_byte_counts, 0, sizeof rows / sizeof *rows);
    tcase_add_test(cases, parts_that_stand_apart);
    tcase_add_test(cases, everything_else_counts);
    tcase_add_test(cases, more_bytes_than_told);
})

#include "gate/base/hash.h"

#include "tests/unit/unit.h"

/* src FIPS 180-2, examples of SHA-256 */
START_TEST(known_sums) {
    static const struct {
        const char *bytes, *hex;
    } rows[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        char hex[HASH_HEX_SIZE];
        unit_ok(hash_hex(rows[i].bytes, strlen(rows[i].bytes), hex, &err), &err);
        ck_assert_msg(strcmp(hex, rows[i].hex) == 0, "row %zu: %s", i, hex);
    }
}
END_TEST

START_TEST(a_million_in_steps) {
    struct error err = {0};
    char step[1000], hex[HASH_HEX_SIZE];
    memset(step, 'a', sizeof step);
    struct hash *hash = hash_new(&err);
    ck_assert_ptr_nonnull(hash);
    for (int i = 0; i < 1000; i++) {
        hash_update(hash, step, 1);
        hash_update(hash, step, 0);
        hash_update(hash, step, sizeof step - 1);
    }
    hash_finish_hex(hash, hex);
    hash_free(hash);
    hash_free(NULL);
    ck_assert_str_eq(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
END_TEST

START_TEST(zero_bytes_count) {
    struct error err = {0};
    char one[HASH_HEX_SIZE], two[HASH_HEX_SIZE];
    unit_ok(hash_hex("\0", 1, one, &err), &err);
    unit_ok(hash_hex("\0\0", 2, two, &err), &err);
    ck_assert_str_ne(one, two);
}
END_TEST

START_TEST(random_bytes) {
    struct error err = {0};
    static unsigned char a[100000], b[100000];
    unit_ok(hash_random(a, sizeof a, &err), &err);
    unit_ok(hash_random(b, sizeof b, &err), &err);
    unit_ok(hash_random(b, 0, &err), &err);
    ck_assert_int_ne(memcmp(a, b, 16), 0);
    ck_assert_int_ne(memcmp(a + sizeof a - 16, b + sizeof b - 16, 16), 0);
    size_t seen[256] = {0};
    for (size_t i = 0; i < sizeof a; i++)
        seen[a[i]]++;
    for (size_t i = 0; i < 256; i++)
        ck_assert_msg(seen[i] > 200 && seen[i] < 600, "byte %zu: %zu times", i, seen[i]);
}
END_TEST

UNIT_MAIN("hash", {
    tcase_add_test(cases, known_sums);
    tcase_add_test(cases, a_million_in_steps);
    tcase_add_test(cases, zero_bytes_count);
    tcase_add_test(cases, random_bytes);
})

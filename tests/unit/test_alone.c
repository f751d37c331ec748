/* alone: what is changed in a container's specification, and which file each gets. */
#include "runners/engine/alone.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

START_TEST(a_specification_gets_both) {
    struct error err = {0};
    json_t *spec =
        json_loads("{\"Image\":\"i\",\"HostConfig\":{\"NetworkMode\":\"none\",\"Mounts\":["
                   "{\"Type\":\"volume\",\"Source\":\"v\",\"Target\":\"/pingate\"}]}}",
                   0, NULL);
    json_t *expected =
        json_loads("{\"Image\":\"i\",\"NetworkDisabled\":true,\"HostConfig\":{\"NetworkMode\":"
                   "\"none\",\"Mounts\":["
                   "{\"Type\":\"volume\",\"Source\":\"v\",\"Target\":\"/pingate\"},"
                   "{\"Type\":\"bind\",\"Source\":\"/data/3\",\"Target\":\"/etc/hosts\"}]}}",
                   0, NULL);
    unit_ok(alone_apply(spec, "/data/3", &err), &err);
    ck_assert(json_equal(spec, expected));
    json_decref(spec);
    json_decref(expected);
}
END_TEST

START_TEST(a_path_that_is_not_utf8_is_refused) {
    struct error err = {0};
    json_t *spec = json_loads("{\"HostConfig\":{\"Mounts\":[]}}", 0, NULL);
    ck_assert_int_eq(alone_apply(spec, "/\xff", &err), -1);
    error_clear(&err);
    json_decref(spec);
}
END_TEST

START_TEST(each_container_has_its_own_file) {
    struct error err = {0};
    struct alone alone = {.folder = (char *)"/var/lib/x/_data", .count = 2};
    char *last = alone_hosts(&alone, 1, &err);
    ck_assert_str_eq(last, "/var/lib/x/_data/1");
    free(last);
    ck_assert_ptr_null(alone_hosts(&alone, 2, &err));
    ck_assert_int_eq(err.kind, ERROR_BUG);
    error_clear(&err);
}
END_TEST

UNIT_MAIN("alone", {
    tcase_add_test(cases, a_specification_gets_both);
    tcase_add_test(cases, a_path_that_is_not_utf8_is_refused);
    tcase_add_test(cases, each_container_has_its_own_file);
})

#include "runners/engine/about.h"

#include "gate/base/json_read.h"
#include "tests/unit/unit.h"

static json_t *json_of(const char *text) {
    json_t *root = json_loads(text, 0, NULL);
    ck_assert_ptr_nonnull(root);
    return root;
}

static struct engine_about read_about(const char *version, const char *info, bool podman) {
    json_auto_t *first = json_of(version);
    json_auto_t *second = json_of(info);
    struct error err = {0};
    struct engine_about about = {0};
    unit_ok(engine_about_read(first, second, podman, &about, &err), &err);
    return about;
}

START_TEST(classic_store) {
    struct engine_about about =
        read_about("{\"Version\":\"20.10.24\",\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\","
                   "\"Os\":\"linux\","
                   "\"Arch\":\"amd64\"}",
                   "{\"Driver\":\"overlay2\",\"DriverStatus\":[[\"Backing Filesystem\",\"extfs\"]],"
                   "\"CgroupVersion\":\"2\",\"SecurityOptions\":[\"name=apparmor\",\"name=seccomp,"
                   "profile=default\"],"
                   "\"MemoryLimit\":true,\"SwapLimit\":false,\"CpuCfsQuota\":true,\"PidsLimit\":"
                   "true,\"NCPU\":2,"
                   "\"MemTotal\":1024,\"DockerRootDir\":\"/var/lib/docker\"}",
                   false);
    struct error err = {0};
    about.spoken = 41;
    _cleanup_(free_pointer) char *words = engine_about_words(&about, &err);
    ck_assert_str_eq(words, "Docker Engine 20.10.24, API 1.41, overlay2, linux/amd64");
    ck_assert_str_eq(about.oldest, "1.12");
    ck_assert_str_eq(about.cgroups, "2");
    ck_assert_str_eq(about.security, "apparmor, seccomp");
    ck_assert_str_eq(about.folder, "/var/lib/docker");
    ck_assert(about.confined && !about.rootless);
    ck_assert_int_eq(about.memory, TOLD_YES);
    ck_assert_int_eq(about.swap, TOLD_NO);
    ck_assert_int_eq(about.processors, 2);
    engine_about_clear(&about);
}
END_TEST

START_TEST(containerd_store_and_rootless) {
    struct engine_about about = read_about(
        "{\"Version\":\"29.0.0\",\"ApiVersion\":\"1.52\",\"Os\":\"linux\",\"Arch\":\"arm64\"}",
        "{\"Driver\":\"overlayfs\",\"DriverStatus\":[[\"driver-type\",\"io.containerd.snapshotter."
        "v1\"]],"
        "\"SecurityOptions\":[\"name=seccomp,profile=builtin\",\"name=rootless\",\"name=cgroupns\"]"
        "}",
        false);
    ck_assert_str_eq(about.store, "containerd (overlayfs)");
    ck_assert(about.rootless && !about.confined);
    ck_assert_int_eq(about.memory, NOT_TOLD);
    ck_assert_ptr_null(about.cgroups);
    ck_assert_ptr_null(about.oldest);
    engine_about_clear(&about);
}
END_TEST

/* What is no engine, or a newer one that leaves out what was there. */
START_TEST(nonsense) {
    struct engine_about about =
        read_about("{\"Version\":7}",
                   "{\"Driver\":[],\"SecurityOptions\":[1,null,\"x\"],"
                   "\"DriverStatus\":[1,[2],[null,3]],\"MemoryLimit\":\"yes\"}",
                   true);
    ck_assert_str_eq(about.name, "Podman");
    ck_assert_str_eq(about.version, "?");
    ck_assert_str_eq(about.store, "?");
    ck_assert_str_eq(about.security, "x");
    ck_assert_int_eq(about.memory, NOT_TOLD);
    engine_about_clear(&about);
}
END_TEST

UNIT_MAIN("about", {
    tcase_add_test(cases, classic_store);
    tcase_add_test(cases, containerd_store_and_rootless);
    tcase_add_test(cases, nonsense);
})

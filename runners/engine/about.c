#include "runners/engine/about.h"

#include <stdlib.h>
#include <string.h>

void engine_about_clear(struct engine_about *about) {
    free(about->version);
    free(about->oldest);
    free(about->newest);
    free(about->platform);
    free(about->store);
    free(about->cgroups);
    free(about->security);
    free(about->folder);
    *about = (struct engine_about){0};
}

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL && *text != '\0' ? text : NULL;
}

static const char *word(const json_t *object, const char *key) {
    const char *text = text_of(object, key);
    return text != NULL ? text : "?";
}

static enum told told(const json_t *info, const char *key) {
    const json_t *value = json_object_get(info, key);
    if (!json_is_boolean(value))
        return NOT_TOLD;
    return json_is_true(value) ? TOLD_YES : TOLD_NO;
}

/* [["driver-type", "io.containerd.snapshotter.v1"], …] */
static bool is_containerd(const json_t *info) {
    size_t index;
    const json_t *pair;
    json_array_foreach(json_object_get(info, "DriverStatus"), index, pair) {
        const char *value = json_string_value(json_array_get(pair, 1));
        if (value != NULL && strstr(value, "containerd.snapshotter") != NULL)
            return true;
    }
    return false;
}

/* "name=seccomp,profile=builtin" -> "seccomp" */
static void read_security(const json_t *info, struct engine_about *about, struct text *words) {
    size_t index;
    const json_t *item;
    json_array_foreach(json_object_get(info, "SecurityOptions"), index, item) {
        const char *option = json_string_value(item);
        if (option == NULL)
            continue;
        if (string_has_prefix(option, "name="))
            option += strlen("name=");
        size_t length = strcspn(option, ",");
        text_printf(words, "%s%.*s", words->length > 0 ? ", " : "", (int)length, option);
        about->rootless = about->rootless || (length == 8 && memcmp(option, "rootless", 8) == 0);
        about->confined = about->confined || strncmp(option, "apparmor", length) == 0 ||
                          strncmp(option, "selinux", length) == 0;
    }
}

int engine_about_read(const json_t *version, const json_t *info, bool podman,
                      struct engine_about *out, struct error *err) {
    _cleanup_(engine_about_clear) struct engine_about about = {
        .name = podman ? "Podman" : "Docker Engine",
        .memory = told(info, "MemoryLimit"),
        .swap = told(info, "SwapLimit"),
        .cpus = told(info, "CpuCfsQuota"),
        .pids = told(info, "PidsLimit"),
        .processors = json_integer_value(json_object_get(info, "NCPU")),
        .memory_bytes = json_integer_value(json_object_get(info, "MemTotal"))};
    struct text security = {0};
    read_security(info, &about, &security);
    about.security = text_steal(&security, err);
    about.version = string_dup(word(version, "Version"), err);
    about.platform = string_format(err, "%s/%s", word(version, "Os"), word(version, "Arch"));
    about.store =
        string_format(err, is_containerd(info) ? "containerd (%s)" : "%s", word(info, "Driver"));
    if (about.security == NULL || about.version == NULL || about.platform == NULL ||
        about.store == NULL ||
        string_copy(text_of(version, "MinAPIVersion"), &about.oldest, err) < 0 ||
        string_copy(text_of(version, "ApiVersion"), &about.newest, err) < 0 ||
        string_copy(text_of(info, "CgroupVersion"), &about.cgroups, err) < 0 ||
        string_copy(text_of(info, "DockerRootDir"), &about.folder, err) < 0)
        return -1;
    *out = about;
    about = (struct engine_about){0};
    return 0;
}

int engine_ask_about(struct engine *engine, struct engine_about *out, struct error *err) {
    json_auto_t *version = NULL;
    json_auto_t *info = NULL;
    if (engine_get(engine, "/version", &version, err) < 0 ||
        engine_get(engine, "/info", &info, err) < 0 ||
        engine_about_read(version, info, engine_is_podman(engine), out, err) < 0)
        return -1;
    out->spoken = engine_minor(engine);
    return 0;
}

char *engine_about_words(const struct engine_about *about, struct error *err) {
    return string_format(err, "%s %s, API 1.%d, %s, %s", about->name, about->version, about->spoken,
                         about->store, about->platform);
}

char *engine_describe(struct engine *engine, char **platform, struct error *err) {
    _cleanup_(engine_about_clear) struct engine_about about = {0};
    *platform = NULL;
    if (engine_ask_about(engine, &about, err) < 0)
        return NULL;
    char *words = engine_about_words(&about, err);
    if (words != NULL)
        *platform = steal(about.platform);
    return words;
}

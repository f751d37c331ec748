#include "runners/secrets.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gate/base/file.h"
#include "gate/base/tar.h"
#include "runners/engine/container.h"
#include "runners/engine/volume.h"
#include "runners/inside.h"
#include "runners/trial_container.h"

#define SECRET_MODE  0400u
#define PASSWD       "/etc/passwd"
#define PASSWD_LIMIT (1u << 20) /* bytes of the archive that holds it */
#define LINKS_LIMIT  4          /* from there on: images made by Nix link to a store */

char *secrets_volume(const struct trial_run *run, struct error *err) {
    return string_format(err, "%s-secrets", run->name);
}

static char *holder_name(const struct trial_run *run, struct error *err) {
    return string_format(err, "%s-holder", run->name);
}

int secrets_hold(const struct trial_run *run, const struct trial_spec *spec, struct error *err) {
    if (spec->test->secrets.count == 0 || spec->step_count == 0)
        return 0;
    static const char *const words[] = {"hold", NULL};
    _cleanup_(free_pointer) char *volume = secrets_volume(run, err);
    _cleanup_(free_pointer) char *name = holder_name(run, err);
    _cleanup_(free_pointer) char *id = NULL;
    if (volume == NULL || name == NULL || inside_check(run->platform, err) < 0 ||
        volume_create_in_memory(run->cleaner, volume, run->labels, err) < 0)
        return -1;
    json_auto_t *mounts = json_pack("[{s:s, s:s, s:s}]", "Type", "volume", "Source", volume,
                                    "Target", TEST_SECRETS_FOLDER);
    if (mounts == NULL)
        return error_no_memory(err);
    struct inside_wish wish = {.engine = run->engine,
                               .cleaner = run->cleaner,
                               .labels = run->labels,
                               .name = name,
                               .image = run->image_ids[0],
                               .platform = spec->test->platform,
                               .network = "none",
                               .words = words,
                               .mounts = mounts};
    if (inside_make(&wish, &id, err) < 0 || container_start(run->engine, id, err) < 0)
        return error_wrap(err, "keep secrets in memory");
    return 0;
}

static int add_files(struct tar *tar, const struct trial_spec *spec, int64_t user,
                     struct error *err) {
    tar_own(tar, user);
    for (size_t i = 0; i < spec->test->secrets.count; i++) {
        const struct test_secret *secret = &spec->test->secrets.items[i];
        const struct grant *grant = grants_find(spec->grants, secret->name, true);
        if (grant == NULL)
            return error_set(err, ERROR_BUG, "test \"%s\" gets the secret %s, which nobody granted",
                             spec->test->name, secret->name);
        _cleanup_(file_closep) int content = memfd_create("secret", MFD_CLOEXEC);
        if (content < 0)
            return error_set_errno(err, "memory for a secret");
        if (file_write_all(content, grant->value, grant->length, err) < 0)
            return -1;
        if (lseek(content, 0, SEEK_SET) < 0)
            return error_set_errno(err, "read a secret in memory");
        if (tar_add_file(tar, secret->file, SECRET_MODE, content, (int64_t)grant->length, err) < 0)
            return -1;
    }
    return tar_finish(tar, err);
}

static int on_passwd(void *context, const char *bytes, size_t length, struct error *err) {
    struct text *archive = context;
    archive->ceiling = PASSWD_LIMIT;
    text_append(archive, bytes, length);
    return text_check(archive, err);
}

/* What cannot be read names nobody. archive: empty then */
static int read_passwd(const struct trial_run *run, const char *id, const char *path,
                       struct text *archive, struct error *err) {
    if (container_get(run->engine, id, path, on_passwd, archive, err) == 0)
        return 0;
    text_clear(archive);
    if (err->kind != ERROR_NOT_FOUND && err->kind != ERROR_LIMIT)
        return -1;
    error_clear(err);
    return 0;
}

static int look_up(const struct trial_run *run, const char *id, const char *user, int64_t *out,
                   struct error *err) {
    _cleanup_(free_pointer) char *path = string_dup(PASSWD, err);
    *out = secrets_user(user, "", 0);
    for (int links = 0; path != NULL && links < LINKS_LIMIT; links++) {
        _cleanup_(text_clear) struct text archive = {0};
        const char *content;
        size_t size;
        char *link;
        if (read_passwd(run, id, path, &archive, err) < 0)
            return -1;
        secrets_first_file(text_string(&archive), archive.length, &content, &size, &link);
        if (content != NULL)
            *out = secrets_user(user, content, size);
        free(path);
        path = link != NULL && *link != '/' ? string_format(err, "/etc/%s", link) : link;
        if (path != link)
            free(link);
        if (path == NULL)
            return err->kind != ERROR_NONE ? -1 : 0;
    }
    return path != NULL ? 0 : -1;
}

/* As whom the container was made to run: its image's user, or the test's. A number is nobody's name, usually, and needs no
 * question; root has none either. */
static int user_of(const struct trial_run *run, const char *id, int64_t *user, struct error *err) {
    _cleanup_(free_pointer) char *path = string_format(err, "/containers/%s/json", id);
    json_auto_t *answer = NULL;
    if (path == NULL || engine_get(run->engine, path, &answer, err) < 0)
        return -1;
    const char *name =
        json_string_value(json_object_get(json_object_get(answer, "Config"), "User"));
    *user = 0;
    if (name == NULL || *name == '\0' || *name == ':')
        return 0;
    if (strspn(name, "0123456789") == strcspn(name, ":")) {
        *user = secrets_user(name, "", 0);
        return 0;
    }
    return look_up(run, id, name, user, err);
}

int secrets_deliver(const struct trial_run *run, const struct trial_spec *spec, const char *id,
                    struct error *err) {
    if (spec->test->secrets.count == 0)
        return 0;
    int64_t user;
    _cleanup_(free_pointer) char *holder = holder_name(run, err);
    _cleanup_(file_closep) int archive = memfd_create("secrets.tar", MFD_CLOEXEC);
    if (archive < 0)
        return error_set_errno(err, "memory for secrets");
    _cleanup_(tar_freep) struct tar *tar = tar_new(archive, err);
    if (holder == NULL || tar == NULL || user_of(run, id, &user, err) < 0 ||
        add_files(tar, spec, user, err) < 0 ||
        container_put(run->engine, holder, TEST_SECRETS_FOLDER, archive,
                      lseek(archive, 0, SEEK_CUR), err) < 0)
        return error_wrap(err, "hand over secrets");
    return 0;
}

void secrets_drop(const struct trial_run *run, const struct trial_spec *spec, bool keep) {
    if (spec->test->secrets.count == 0)
        return;
    _cleanup_(error_clear) struct error why = {0};
    _cleanup_(free_pointer) char *volume = secrets_volume(run, &why);
    _cleanup_(free_pointer) char *holder = holder_name(run, &why);
    if (holder != NULL)
        trial_container_remove(run, holder);
    if (volume != NULL && !keep)
        trial_volume_remove(run, volume);
}

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
#include "runners/user.h"

#define SECRET_MODE 0400u

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
                               .image = trial_step_image(run, spec, 0),
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
    if (holder == NULL || tar == NULL || user_of_container(run->engine, id, &user, err) < 0 ||
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
    else if (volume != NULL && run->on_kept != NULL)
        run->on_kept(run->context, "volume", volume);
}

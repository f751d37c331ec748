#include "runners/workspace.h"

#include <string.h>
#include <unistd.h>

#include "gate/base/text.h"
#include "runners/spool.h"

#define FOLDER_MODE 0777u /* the image's user, whoever that is, may write in the workspace */
#define FILE_MODE   0666u /* added to the file's own mode, for the same reason */

static int add_parents(struct spool *spool, const char *name, struct string_list *made,
                       struct error *err) {
    for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        _cleanup_(free_pointer) char *folder = string_dup_length(name, (size_t)(slash - name), err);
        if (folder == NULL)
            return -1;
        /* names are sorted: the folder is among those made for the name before, or new */
        bool there = false;
        for (size_t i = made->count; i > 0 && !there; i--)
            there = strcmp(made->items[i - 1], folder) == 0;
        if (there)
            continue;
        if (string_list_add(made, folder, err) < 0 ||
            spool_add_folder(spool, folder, FOLDER_MODE, err) < 0)
            return -1;
    }
    return 0;
}

static int copy(const char *root, const struct string_list *files, const struct pin_list *pins,
                struct workspace *out, struct error *err) {
    _cleanup_(spool_clear) struct spool spool = {.fd = -1, .root_fd = -1};
    _cleanup_(string_list_clear) struct string_list made = {0};
    if (spool_begin(&spool, root, pins, false, err) < 0 ||
        spool_add_folder(&spool, "workspace", FOLDER_MODE, err) < 0 ||
        string_list_add(&made, "workspace", err) < 0)
        return -1;
    spool.more_mode = FILE_MODE;
    for (size_t i = 0; i < files->count; i++) {
        _cleanup_(free_pointer) char *entry = string_format(err, "workspace/%s", files->items[i]);
        if (entry == NULL || add_parents(&spool, entry, &made, err) < 0 ||
            spool_add(&spool, files->items[i], entry, err) < 0)
            return -1;
    }
    out->files = spool.files;
    return spool_finish(&spool, &out->fd, &out->size_bytes, out->hash, err);
}

int workspace_make(const char *root, const struct string_list *files, const struct pin_list *pins,
                   struct workspace *out, struct error *err) {
    *out = (struct workspace){.fd = -1};
    return copy(root, files, pins, out, err) < 0 ? error_wrap(err, "copy the workspace") : 0;
}

void workspace_clear(struct workspace *workspace) {
    if (workspace->fd > 0)
        close(workspace->fd);
    *workspace = (struct workspace){.fd = -1};
}

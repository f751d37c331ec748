#include "gate/base/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate/base/file.h"

#define COPY_STEP 65536 /* bytes */
#define TAR_BLOCK 512   /* bytes */

struct tar {
    struct archive *archive;
    struct archive_entry *entry;
    void (*look)(void *context, const void *bytes, size_t length); /* NULL: nobody looks */
    void *context;
    int64_t uid; /* of entries */
};

void tar_freep(struct tar **tar) {
    if (*tar == NULL)
        return;
    archive_entry_free((*tar)->entry);
    archive_write_free((*tar)->archive);
    free(*tar);
    *tar = NULL;
}

static int refuse(struct tar *tar, const char *name, struct error *err) {
    if (archive_errno(tar->archive) == ENOMEM)
        return error_no_memory(err);
    return error_set(err, ERROR_IO, "tar: %s: %s", name, archive_error_string(tar->archive));
}

struct tar *tar_new(int fd, struct error *err) {
    _cleanup_(tar_freep) struct tar *tar = calloc(1, sizeof *tar);
    if (tar == NULL || (tar->archive = archive_write_new()) == NULL ||
        (tar->entry = archive_entry_new()) == NULL) {
        error_no_memory(err);
        return NULL;
    }
    /* names are bytes: without this libarchive would refuse what the locale does not know */
    if (archive_write_set_format_pax_restricted(tar->archive) != ARCHIVE_OK ||
        archive_write_set_format_option(tar->archive, "pax", "hdrcharset", "BINARY") !=
            ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(tar->archive, 1) != ARCHIVE_OK ||
        archive_write_open_fd(tar->archive, fd) != ARCHIVE_OK) {
        refuse(tar, "begin", err);
        return NULL;
    }
    return steal(tar);
}

int tar_begin_plainly(int fd, struct error *err) {
    char block[TAR_BLOCK] = "./";
    unsigned int sum = 0;
    memcpy(block + 100, "0000755", 8); /* mode */
    memcpy(block + 108, "0000000", 8); /* owner, group */
    memcpy(block + 116, "0000000", 8);
    memcpy(block + 124, "00000000000", 12); /* size, time */
    memcpy(block + 136, "00000000000", 12);
    memset(block + 148, ' ', 8); /* of the sum, while it is made */
    block[156] = '5';            /* a folder */
    memcpy(block + 257, "ustar\00000", 8);
    for (size_t i = 0; i < sizeof block; i++)
        sum += (unsigned char)block[i];
    snprintf(block + 148, 8, "%06o", sum);
    return file_write_all(fd, block, sizeof block, err);
}

void tar_show(struct tar *tar, void (*look)(void *context, const void *bytes, size_t length),
              void *context) {
    tar->look = look;
    tar->context = context;
}

void tar_own(struct tar *tar, int64_t uid) {
    tar->uid = uid;
}

static int begin_entry(struct tar *tar, const char *name, mode_t type, unsigned int mode,
                       int64_t size_bytes, const char *target, struct error *err) {
    archive_entry_clear(tar->entry);
    archive_entry_set_pathname(tar->entry, name);
    archive_entry_set_filetype(tar->entry, type);
    archive_entry_set_perm(tar->entry, (mode_t)mode);
    archive_entry_set_size(tar->entry, size_bytes);
    archive_entry_set_mtime(tar->entry, TAR_TIME_S, 0);
    archive_entry_set_uid(tar->entry, tar->uid);
    archive_entry_set_gid(tar->entry, 0);
    if (target != NULL)
        archive_entry_set_symlink(tar->entry, target);
    if (archive_write_header(tar->archive, tar->entry) != ARCHIVE_OK)
        return refuse(tar, name, err);
    return 0;
}

int tar_add_folder(struct tar *tar, const char *name, unsigned int mode, struct error *err) {
    return begin_entry(tar, name, AE_IFDIR, mode, 0, NULL, err);
}

int tar_add_link(struct tar *tar, const char *name, const char *target, struct error *err) {
    return begin_entry(tar, name, AE_IFLNK, 0777, 0, target, err);
}

int tar_add_file(struct tar *tar, const char *name, unsigned int mode, int file_fd,
                 int64_t size_bytes, struct error *err) {
    if (begin_entry(tar, name, AE_IFREG, mode, size_bytes, NULL, err) < 0)
        return -1;
    char step[COPY_STEP];
    for (int64_t left = size_bytes; left > 0;) {
        ssize_t got = read(file_fd, step, left < COPY_STEP ? (size_t)left : COPY_STEP);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(err, "read %s", name);
        if (got == 0)
            return error_set(err, ERROR_CONFLICT, "%s became shorter while it was copied", name);
        if (archive_write_data(tar->archive, step, (size_t)got) != got)
            return refuse(tar, name, err);
        if (tar->look != NULL)
            tar->look(tar->context, step, (size_t)got);
        left -= got;
    }
    return 0;
}

int tar_finish(struct tar *tar, struct error *err) {
    return archive_write_close(tar->archive) == ARCHIVE_OK ? 0 : refuse(tar, "end", err);
}

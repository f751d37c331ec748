/* target: one file that a promotion writes: may it be written, what will stand in it, and the temporary file beside it. It is
 * a file that stands there and gets edits, or one that is created and must not be there yet.
 *
 *     target_check      reads, refuses or applies the edits; keeps hashes and diff, not the bytes (of a created file: its hash)
 *     target_name       chooses the name of the temporary file; it does not exist yet
 *     target_write      reads and applies again, writes the temporary file with the metadata of the file, syncs it; for a
 *                       created file it makes its folders first
 *     target_unchanged  is it still the file that was read, or still absent?
 *     target_rename     the temporary file becomes the file
 *
 * Knows nothing of journals and locks. All paths are below root_fd and pass no link (gate/base/beneath.h).
 */
#pragma once

#include <sys/stat.h>

#include "gate/base/array.h"
#include "gate/base/hash.h"
#include "gate/pins/rewrite.h"
#include "gate/pins/scan.h"

#define TARGET_FILE_LIMIT     SCAN_FILE_LIMIT /* bytes; what is larger was never scanned */
#define TARGET_RANDOM_LETTERS 6               /* in a temporary name; 36 bits */
#define TARGET_NAME_LIMIT     255             /* bytes of one name; NAME_MAX of Linux */

struct target {
    char *file;                   /* path below the root, without links */
    struct edit_list edits;       /* owned; of a file that stands there */
    bool created;                 /* no such file may be there; `content` is what it gets */
    struct text content;          /* of a created file */
    char *temporary;              /* name of the temporary file in the same folder */
    char old_hash[HASH_HEX_SIZE]; /* of the bytes that were read; "" when no file is there */
    char new_hash[HASH_HEX_SIZE]; /* of the bytes with the edits, or of the content */
    struct text diff;             /* unified; empty when nothing changes, and of a created file */
    struct stat status;           /* of the file that was read */
    bool written;                 /* the temporary file is there, and we made it */
};

struct target_list {
    struct target *items;
    size_t count;
    size_t capacity;
};

/* A created file that stands there with the same bytes has equal hashes afterwards.
 * err  conflict  other bytes stand at an edit's place, or where a file is created;  input  it may not be written, with the reason;  not-found;  io */
int target_check(int root_fd, struct target *target, bool allow_generated,
                 struct error *err) _must_check_;
int target_name(int root_fd, struct target *target, struct error *err) _must_check_;
int target_write(int root_fd, struct target *target, struct error *err) _must_check_;
int target_unchanged(int root_fd, const struct target *target, struct error *err) _must_check_;

/* These three serve recovery too, which has no struct target. temporary: a name, not a path. */
int target_rename(int root_fd, const char *file, const char *temporary,
                  struct error *err) _must_check_;
int target_remove_temporary(int root_fd, const char *file, const char *temporary,
                            struct error *err) _must_check_;
int target_sync_folder(int root_fd, const char *folder, struct error *err) _must_check_;

/* Makes one folder, whose parent is there, and syncs the parent; or removes it when nothing is in it. One that is there, or gone,
 * or not empty is fine. They pass no link. */
int target_make_folder(int root_fd, const char *path, struct error *err) _must_check_;
int target_remove_empty_folder(int root_fd, const char *path, struct error *err) _must_check_;

/* Of a created file: removes its folder and the one above when they are empty, as an undone promotion leaves them. */
int target_remove_folders(int root_fd, const char *file, struct error *err) _must_check_;

/* The hash of a regular file. err: not-found; input when it is something else; limit; io. */
int target_hash(int root_fd, const char *path, char hex[HASH_HEX_SIZE],
                struct error *err) _must_check_;

/* ".NAME.pingate-XXXXXX" for a file's last name; a long NAME is cut at a whole UTF-8 character. letters: the XXXXXX. Pure. */
char *target_temporary_name(const char *file, const char *letters, struct error *err) _must_check_;

/* Whether `temporary` is a name that target_temporary_name gives for this file. Pure. */
bool target_is_temporary_of(const char *file, const char *temporary);

/* "folder/temporary" for the file's folder. */
char *target_temporary_path(const char *file, const char *temporary,
                            struct error *err) _must_check_;

void target_clear(struct target *target);
void target_list_clear(struct target_list *targets);

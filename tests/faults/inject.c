/* inject: makes the N-th call of a kind fail, so that every way out of the program is walked.
 *
 *     PINGATE_FAIL=memory:17        the 17th allocation of ours or of jansson finds no memory
 *     PINGATE_FAIL=files:17         the 17th call that touches a file gives EIO; files:17:28 gives errno 28
 *     PINGATE_FAIL_COUNTS=FILE      "memory 4711\nfiles 930\n" is written there at the end
 *
 * Linked into a copy of the program with the linker's --wrap (tests/local.mk), so that only calls of our own objects come
 * here: what libcurl or OpenSSL do when memory ends is theirs. Works below the address sanitizer.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum kind { MEMORY, FILES, KINDS };

static const char *const names[KINDS] = {"memory", "files"};
static atomic_long counts[KINDS];
static long fail_at[KINDS];
static int fail_errno = EIO;

/* Whether this call is the one. */
static int fails(enum kind kind) {
    if (atomic_fetch_add(&counts[kind], 1) + 1 != fail_at[kind])
        return 0;
    errno = kind == MEMORY ? ENOMEM : fail_errno;
    return 1;
}

#define REAL(type, name, parameters)                                                               \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters

/* A call that gives `failed` when it is to fail, and is passed on otherwise. */
#define WRAP(kind, type, failed, name, parameters, arguments)                                      \
    REAL(type, name, parameters) {                                                                 \
        return fails(kind) ? (failed) : __real_##name arguments;                                   \
    }

WRAP(MEMORY, void *, NULL, malloc, (size_t size), (size))
WRAP(MEMORY, void *, NULL, calloc, (size_t count, size_t size), (count, size))
WRAP(MEMORY, void *, NULL, realloc, (void *old, size_t size), (old, size))
WRAP(MEMORY, int, -1, vasprintf, (char **out, const char *format, va_list arguments),
     (out, format, arguments))

WRAP(FILES, ssize_t, -1, read, (int fd, void *bytes, size_t length), (fd, bytes, length))
WRAP(FILES, ssize_t, -1, pread, (int fd, void *bytes, size_t length, off_t at),
     (fd, bytes, length, at))
WRAP(FILES, ssize_t, -1, write, (int fd, const void *bytes, size_t length), (fd, bytes, length))
WRAP(FILES, int, -1, fsync, (int fd), (fd))
WRAP(FILES, int, -1, fstat, (int fd, struct stat *status), (fd, status))
WRAP(FILES, int, -1, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(FILES, int, -1, fchown, (int fd, uid_t user, gid_t group), (fd, user, group))
WRAP(FILES, off_t, -1, lseek, (int fd, off_t offset, int origin), (fd, offset, origin))
WRAP(FILES, int, -1, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(FILES, int, -1, mkdirat, (int folder, const char *path, mode_t mode), (folder, path, mode))
WRAP(FILES, int, -1, rename, (const char *from, const char *to), (from, to))
WRAP(FILES, int, -1, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to))
WRAP(FILES, int, -1, unlink, (const char *path), (path))
WRAP(FILES, int, -1, unlinkat, (int folder, const char *path, int flags), (folder, path, flags))
WRAP(FILES, int, -1, mkostemp, (char *path, int flags), (path, flags))
WRAP(FILES, int, -1, memfd_create, (const char *name, unsigned int flags), (name, flags))
WRAP(FILES, DIR *, NULL, opendir, (const char *path), (path))
WRAP(FILES, DIR *, NULL, fdopendir, (int fd), (fd))
WRAP(FILES, FILE *, NULL, fopen, (const char *path, const char *mode), (path, mode))
WRAP(FILES, size_t, 0, fwrite, (const void *bytes, size_t size, size_t count, FILE *file),
     (bytes, size, count, file))

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return fails(FILES) ? -1 : __real_open(path, flags, mode);
}

int __real_openat(int folder, const char *path, int flags, ...);
int __wrap_openat(int folder, const char *path, int flags, ...);
int __wrap_openat(int folder, const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return fails(FILES) ? -1 : __real_openat(folder, path, flags, mode);
}

int __wrap_asprintf(char **out, const char *format, ...);
int __wrap_asprintf(char **out, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = __wrap_vasprintf(out, format, arguments);
    va_end(arguments);
    return length;
}

static void write_counts(void) {
    FILE *file = __real_fopen(getenv("PINGATE_FAIL_COUNTS"), "we");
    if (file == NULL)
        return;
    for (int kind = 0; kind < KINDS; kind++)
        fprintf(file, "%s %ld\n", names[kind], atomic_load(&counts[kind]));
    fclose(file);
}

__attribute__((constructor)) static void begin(void) {
    const char *what = getenv("PINGATE_FAIL");
    char *end = NULL;
    for (int kind = 0; what != NULL && kind < KINDS; kind++) {
        size_t length = strlen(names[kind]);
        if (strncmp(what, names[kind], length) != 0 || what[length] != ':')
            continue;
        fail_at[kind] = strtol(what + length + 1, &end, 10);
        if (*end == ':')
            fail_errno = (int)strtol(end + 1, NULL, 10);
    }
    if (what != NULL && end == NULL)
        abort(); /* a test that asks for nothing tests nothing */
    if (getenv("PINGATE_FAIL_COUNTS") != NULL)
        atexit(write_counts);
}

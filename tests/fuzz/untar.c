/* The bytes are an archive, as an engine would send it. */
#include "gate/base/untar.h"

#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/base/beneath.h"
#include "gate/base/file.h"
#include "gate/base/text.h"
#include "tests/fuzz/fuzz.h"

static const struct untar_limits limits = {20, 10000, 4000};

struct seen {
    size_t files;
    int64_t bytes;
};

static int choose(void *context, const char *name, bool regular, char **path, struct error *err) {
    (void)context;
    (void)regular;
    fuzz_require(beneath_path_valid(name));
    *path = string_dup(name, err);
    return *path != NULL ? 0 : -1;
}

static int on_file(void *context, const char *path, int64_t bytes, int64_t changed_s,
                   struct error *err) {
    struct seen *seen = context;
    (void)path;
    (void)changed_s;
    (void)err;
    fuzz_require(bytes >= 0 && bytes <= limits.bytes_of_a_file);
    seen->files++;
    seen->bytes += bytes;
    return 0;
}

static size_t found_files;
static int64_t found_bytes;

/* Nothing but files and folders of the right modes. */
static int look(const char *path, const struct stat *status, int kind, struct FTW *where) {
    (void)path;
    fuzz_require(kind == FTW_F || kind == FTW_D);
    fuzz_require(where->level == 0 || (status->st_mode & 07777 & ~022u) ==
                                          (kind == FTW_D ? 0755 & ~022u : 0644 & ~022u));
    found_files += kind == FTW_F;
    found_bytes += kind == FTW_F ? status->st_size : 0;
    return 0;
}

FUZZ_TARGET(untar) {
    char root[] = "/tmp/pingate-fuzz-XXXXXX";
    char inner[64];
    struct error err = {0};
    struct seen seen = {0};
    struct untar_report report = {0};
    umask(022);
    fuzz_require(mkdtemp(root) != NULL);
    snprintf(inner, sizeof inner, "%s/inner", root);
    fuzz_require(mkdir(inner, 0755) == 0);
    int folder_fd = open(inner, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = memfd_create("archive", MFD_CLOEXEC);
    fuzz_require(folder_fd >= 0 && fd >= 0);
    fuzz_require(file_write_all(fd, bytes, size, &err) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    struct untar_options options = {.root_fd = folder_fd,
                                    .limits = limits,
                                    .choose = choose,
                                    .on_file = on_file,
                                    .context = &seen};
    int result = untar(fd, &options, &report, &err);
    fuzz_require(result == 0 || err.kind == ERROR_PROTOCOL);
    fuzz_require(report.files == seen.files && report.bytes == seen.bytes);
    fuzz_require(report.files <= limits.files && report.bytes <= limits.bytes);
    found_files = 0;
    found_bytes = 0;
    fuzz_require(nftw(root, look, 16, FTW_PHYS) == 0);
    fuzz_require(found_files == report.files && found_bytes == report.bytes);
    fuzz_require(faccessat(folder_fd, "../inner", F_OK, 0) == 0 && rmdir(root) != 0);
    close(fd);
    close(folder_fd);
    fuzz_require(file_remove_tree(root, &err) == 0);
    error_clear(&err);
}

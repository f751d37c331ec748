#include "runners/build_context.h"

#include <archive.h>
#include <archive_entry.h>

#include "gate/base/cancel.h"
#include "tests/unit/tree.h"

/* The context and its tail as an engine sees them: "f 644 NAME=content" and so on, in order; equal names once more. */
static char *picture_of(const struct build_context *context, const struct text *tail) {
    struct error err = {0};
    struct text bytes = {0};
    struct text lines = {0};
    char *part = malloc((size_t)context->size_bytes);
    ck_assert_ptr_nonnull(part);
    ck_assert_int_eq(pread(context->fd, part, (size_t)context->size_bytes, 0), context->size_bytes);
    text_append(&bytes, part, (size_t)context->size_bytes);
    text_append(&bytes, tail->bytes, tail->length);
    free(part);
    struct archive *in = archive_read_new();
    archive_read_support_format_tar(in);
    ck_assert_int_eq(archive_read_open_memory(in, bytes.bytes, bytes.length), ARCHIVE_OK);
    struct archive_entry *entry;
    int status;
    while ((status = archive_read_next_header(in, &entry)) == ARCHIVE_OK) {
        char content[64] = {0};
        mode_t type = archive_entry_filetype(entry);
        ck_assert_int_ge(archive_read_data(in, content, sizeof content - 1), 0);
        for (char *c = content; *c != '\0'; c++)
            if (*c == '\n')
                *c = '~';
        text_printf(&lines, "%c %o %s%s%s\n",
                    type == AE_IFDIR   ? 'd'
                    : type == AE_IFLNK ? 'l'
                                       : 'f',
                    (unsigned int)archive_entry_perm(entry), archive_entry_pathname(entry),
                    type == AE_IFDIR ? "" : "=",
                    type == AE_IFLNK ? archive_entry_symlink(entry) : content);
    }
    ck_assert_msg(status == ARCHIVE_EOF, "%s", archive_error_string(in));
    archive_read_free(in);
    text_clear(&bytes);
    char *picture = text_steal(&lines, &err);
    ck_assert_ptr_nonnull(picture);
    return picture;
}

static void expect(const struct tree *tree, const char *folder, const char *dockerfile,
                   bool with_ignore, const char *expected) {
    struct error err = {0};
    struct build_context context;
    struct text side = {0};
    struct text tail = {0};
    char *real_folder, *real_dockerfile;
    unit_ok(
        build_context_find(tree->root, folder, dockerfile, &real_folder, &real_dockerfile, &err),
        &err);
    unit_ok(
        build_context_make(tree->root, real_folder, real_dockerfile, NULL, NULL, &context, &err),
        &err);
    text_add(&side, "FROM x");
    unit_ok(build_context_tail(&context, ".side", &side, with_ignore, &tail, &err), &err);
    char *picture = picture_of(&context, &tail);
    ck_assert_msg(strcmp(picture, expected) == 0, "got\n%sexpected\n%s", picture, expected);
    free(picture);
    free(real_folder);
    free(real_dockerfile);
    text_clear(&side);
    text_clear(&tail);
    build_context_clear(&context);
}

START_TEST(all_but_what_is_left_out) {
    struct tree tree = tree_new();
    tree_write(&tree, "Dockerfile", "FROM y");
    tree_write(&tree, ".git/config", "x");
    tree_write(&tree, "sub/.git", "x");
    tree_write(&tree, ".pingate/state", "x");
    tree_write(&tree, "pingate-out/report.md", "x");
    tree_write(&tree, "sub/pingate-out/x", "kept");
    tree_write(&tree, "a.log", "x");
    tree_write(&tree, "bin/run", "go");
    ck_assert_int_eq(fchmodat(tree.fd, "bin/run", 0750, 0), 0);
    ck_assert_int_eq(fchmodat(tree.fd, "bin", 0700, 0), 0);
    ck_assert_int_eq(symlinkat("../../out", tree.fd, "bin/link"),
                     0); /* a link is sent as one, wherever it leads */
    ck_assert_int_eq(mkfifoat(tree.fd, "pipe", 0600), 0);
    ck_assert_int_eq(mkdirat(tree.fd, "empty", 0755), 0);
    tree_write(&tree, ".dockerignore", "*.log\n");
    expect(&tree, ".", "Dockerfile", true,
           "d 755 ./\nf 644 .dockerignore=*.log~\nf 644 Dockerfile=FROM y\nd 700 bin/\n"
           "l 777 bin/link=../../out\nf 750 bin/run=go\nd 755 empty/\nd 755 sub/\n"
           "d 755 sub/pingate-out/\nf 644 sub/pingate-out/x=kept\n"
           "f 644 .side=FROM x\nf 644 .dockerignore=*.log~~.side~\n");
    /* the Dockerfile's own rules win, and can bring .git in again */
    tree_write(&tree, "Dockerfile.dockerignore", "*\n!.git\n");
    expect(&tree, ".", "Dockerfile", true,
           "d 755 ./\nd 755 .git/\nf 644 .git/config=x\n"
           "f 644 .side=FROM x\nf 644 .dockerignore=*~!.git~~.side~\n");
    tree_free(&tree);
}
END_TEST

START_TEST(folders_and_links) {
    struct tree tree = tree_new();
    struct error err = {0};
    char *folder, *dockerfile;
    tree_write(&tree, "app/docker/Dockerfile", "FROM y");
    tree_write(&tree, "app/docker/Dockerfile.dockerignore", "b\n");
    tree_write(&tree, "app/a", "1");
    tree_write(&tree, "app/b", "2");
    tree_write(&tree, "other", "3");
    ck_assert_int_eq(symlinkat("app", tree.fd, "inside"), 0);
    ck_assert_int_eq(symlinkat("/", tree.fd, "outside"), 0);
    ck_assert_int_eq(symlinkat("../..", tree.fd, "app/up"), 0);
    ck_assert_int_eq(symlinkat("/etc/passwd", tree.fd, "app/passwd"), 0);
    expect(&tree, "inside", "docker/Dockerfile", false,
           "d 755 ./\nf 644 a=1\nd 755 docker/\nf 644 docker/Dockerfile=FROM y\n"
           "f 644 docker/Dockerfile.dockerignore=b~\nl 777 passwd=/etc/passwd\nl 777 up=../..\n"
           "f 644 .side=FROM x\n");
    static const struct {
        const char *folder, *dockerfile, *words;
    } cases[] = {
        {"none", "Dockerfile", "there is no none"},
        {"app", "Dockerfile", "there is no app/Dockerfile"},
        {"other", "Dockerfile", "other is no folder"},
        {"app", "docker", "app/docker is no file"},
        {"outside", "etc/passwd", "leads out of the project"},
        {"outside/etc", "passwd", "leads out of the project"},
        {"app/up", "Dockerfile", "leads out of the project"},
        {"app", "passwd", "leads out of the project"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        unit_fails(build_context_find(tree.root, cases[i].folder, cases[i].dockerfile, &folder,
                                      &dockerfile, &err),
                   &err, ERROR_CONFIG, cases[i].words);
    tree_free(&tree);
}
END_TEST

static void hash_of(const struct tree *tree, char hash[HASH_HEX_SIZE]) {
    struct error err = {0};
    struct build_context context;
    unit_ok(build_context_make(tree->root, ".", "Dockerfile", NULL, NULL, &context, &err), &err);
    memcpy(hash, context.hash, HASH_HEX_SIZE);
    build_context_clear(&context);
}

START_TEST(equal_trees_and_others) {
    struct tree tree = tree_new();
    char first[HASH_HEX_SIZE], again[HASH_HEX_SIZE], other[HASH_HEX_SIZE];
    tree_write(&tree, "Dockerfile", "FROM y");
    tree_write(&tree, ".dockerignore", "log\n");
    hash_of(&tree, first);
    tree_write(&tree, "log", "not sent");
    hash_of(&tree, again);
    ck_assert_str_eq(first, again);
    ck_assert_int_eq(mkdirat(tree.fd, "empty", 0755), 0);
    hash_of(&tree, other);
    ck_assert_str_ne(first, other);
    ck_assert_int_eq(fchmodat(tree.fd, "empty", 0700, 0), 0);
    hash_of(&tree, again);
    ck_assert_str_ne(other, again);
    tree_free(&tree);
}
END_TEST

START_TEST(what_cannot_be_sent) {
    struct tree tree = tree_new();
    struct error err = {0};
    struct build_context context;
    tree_write(&tree, "Dockerfile", "FROM y");
    tree_write(&tree, ".dockerignore", "a\n[b\n");
    unit_fails(build_context_make(tree.root, ".", "Dockerfile", NULL, NULL, &context, &err), &err,
               ERROR_INPUT, "copy the build context .: .dockerignore: line 2: ");
    unlinkat(tree.fd, ".dockerignore", 0);
    ck_assert_int_eq(symlinkat("/etc/passwd", tree.fd, ".dockerignore"), 0);
    unit_fails(build_context_make(tree.root, ".", "Dockerfile", NULL, NULL, &context, &err), &err,
               ERROR_INPUT, "copy the build context");
    unlinkat(tree.fd, ".dockerignore", 0);
    struct cancel cancel;
    unit_ok(cancel_init(&cancel, &err), &err);
    cancel_request(&cancel, 0);
    unit_fails(build_context_make(tree.root, ".", "Dockerfile", NULL, &cancel, &context, &err),
               &err, ERROR_CANCELLED, "");
    cancel_clear(&cancel);
    char path[3 * (BUILD_CONTEXT_DEPTH + 3)] = "";
    for (size_t i = 0; i < BUILD_CONTEXT_DEPTH + 2; i++)
        strcat(path, "d/");
    strcat(path, "f");
    char whole[1024];
    snprintf(whole, sizeof whole, "%s/%.*s", tree.root, (int)strlen(path) - 2, path);
    unit_ok(file_make_folders(whole, &err), &err);
    unit_fails(build_context_make(tree.root, ".", "Dockerfile", NULL, NULL, &context, &err), &err,
               ERROR_LIMIT, "more than 200 folders");
    tree_free(&tree);
}
END_TEST

UNIT_MAIN("build_context", {
    tcase_add_test(cases, all_but_what_is_left_out);
    tcase_add_test(cases, folders_and_links);
    tcase_add_test(cases, equal_trees_and_others);
    tcase_add_test(cases, what_cannot_be_sent);
})

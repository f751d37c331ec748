#include "gate/pins/formats.h"

#include "gate/base/text.h"
#include "gate/pins/scan.h"
#include "tests/unit/unit.h"

#define HEX_A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEX_B "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define A     "@sha256:" HEX_A
#define B     "@sha256:" HEX_B

/* "text 1:5 redis:7@A;" for a pin, "1! variable;" for what was left alone. */
static void draw(const struct scan *scan, struct text *out) {
    for (size_t i = 0; i < scan->pins.count; i++) {
        const struct pin *pin = &scan->pins.items[i];
        text_add(out, pin->format);
        if (pin->path[0] != '\0')
            text_printf(out, "(%s)", pin->path);
        text_printf(out, " %zu:%zu ", pin->line, pin->column);
        text_append(out, pin->reference, strlen(pin->reference) - strlen(A));
        text_add(out, string_has_suffix(pin->reference, HEX_A) ? "@A;" : "@B;");
    }
    for (size_t i = 0; i < scan->skipped.count; i++)
        text_printf(out, "%zu! %s;", scan->skipped.items[i].line, scan->skipped.items[i].reason);
}

struct row {
    const char *file, *bytes, *found;
};

static void check_row(const struct row *row) {
    struct error err = {0};
    struct scan scan = {0};
    struct text found = {0};
    unit_ok(scan_bytes(row->file, row->bytes, strlen(row->bytes), &scan, &err), &err);
    draw(&scan, &found);
    ck_assert_msg(strcmp(text_string(&found), row->found) == 0,
                  "%s: %s\n  found    %s\n  expected %s", row->file, row->bytes,
                  text_string(&found), row->found);
    text_clear(&found);
    scan_clear(&scan);
}

#define CHECK_ROWS(rows)                                                                           \
    for (size_t i = 0; i < sizeof(rows) / sizeof *(rows); i++)                                     \
    check_row(&(rows)[i])

START_TEST(plain_tokens) {
    static const struct row rows[] = {
        {"a", "redis" A, "text 1:1 redis@A;"},
        {"a", "redis:7.2" A "\n", "text 1:1 redis:7.2@A;"},
        {"a", "x\r\n  \"redis:7.2" A "\",\r\n", "text 2:4 redis:7.2@A;"},
        {"a", "\xEF\xBB\xBFredis:7" A, "text 1:4 redis:7@A;"},
        {"a", "a:1" A " b:2" B ", c:3" A, "text 1:1 a:1@A;text 1:77 b:2@B;text 1:154 c:3@A;"},
        {"a", "ghcr.io/a/b_c.d__e--f:V1.2-x_y" A, "text 1:1 ghcr.io/a/b_c.d__e--f:V1.2-x_y@A;"},
        {"a", "host:5000/app" A, "text 1:1 host:5000/app@A;"},
        {"a", "localhost/foo" A, "text 1:1 localhost/foo@A;"},
        {"a", "[::1]:5000/app:1" A, "text 1:1 [::1]:5000/app:1@A;"},
        {"a", "image=[redis:7" A "]", "text 1:8 redis:7@A;"},
        {"a", "IMAGE=redis:7" A, "text 1:7 redis:7@A;"},
        {"a", "--image=redis:7" A, "text 1:9 redis:7@A;"},
        {"a", "'redis:7" A "'", "text 1:2 redis:7@A;"},
        {"a", "`redis:7" A "`", "text 1:2 redis:7@A;"},
        {"a", "x,redis:7" A ",y", "text 1:3 redis:7@A;"},
        {"a", "[a](redis:7" A ")", "text 1:5 redis:7@A;"},
        {"a", "<b>redis:7" A "</b>", "text 1:4 redis:7@A;"},
        {"a", "image: redis:7" A ".", "text 1:8 redis:7@A;"},
        {"a", "# image redis:7" A, "text 1:9 redis:7@A;"},
        {"a", "\xE2\x80\x9Credis:7" A "\xE2\x80\x9D", "text 1:4 redis:7@A;"},
        {"a", "\xC2\xA0redis:7" A, "text 1:3 redis:7@A;"},
        {"a", "uses: docker://redis:7" A, "text 1:16 redis:7@A;"},
        {"a", "oci://ghcr.io/a/b" A, "text 1:7 ghcr.io/a/b@A;"},
        {"a", "\"FROM x\\nredis:7" A "\"", "text 1:10 redis:7@A;"},
        {"a", "\\tredis:7" A, "text 1:3 redis:7@A;"},
        {"a", "\\u0022redis:7" A "\\u0022", "text 1:7 redis:7@A;"},
        {"a", "\\x22redis:7" A, "text 1:5 redis:7@A;"},
        {"a", "\\u0072edis:7" A, "1! part of a longer text;"},
        {"a", "\\dredis:7" A, "1! part of a longer text;"},
        {"a", "\\\"redis:7" A "\\\"", "text 1:3 redis:7@A;"},
        {"a", "redis:7" A "\\nFROM x", "text 1:1 redis:7@A;"},
        {"a", "no digest here: redis:7", ""},
        {"a", "@sha256:", ""},
        {"a", "redis@sha256:... and redis@sha256:<digest>", ""},
    };
    CHECK_ROWS(rows);
}
END_TEST

START_TEST(variables_and_templates) {
    static const struct row rows[] = {
        {"a", "${IMAGE:=redis:7" A "}", "text 1:10 redis:7@A;"},
        {"a", "${IMAGE:-redis:7" A "}", "text 1:10 redis:7@A;"},
        {"a", "${IMAGE-ghcr.io/a/b:7" A "}", "text 1:9 ghcr.io/a/b:7@A;"},
        {"a", "${A:-${B:-redis:7" A "}}", "text 1:11 redis:7@A;"},
        {"a", "${IMAGE:-docker://redis:7" A "}", "text 1:19 redis:7@A;"},
        {"a", "${redis:7" A "}", "1! variable;"},
        {"a", "${REG}/app:1" A, "1! variable;"},
        {"a", "${REG:-docker.io}/app:1" A, "1! variable;"},
        {"a", "$REG/app:1" A, "1! variable;"},
        {"a", "$IMAGE" A, "1! variable;"},
        {"a", "${IMAGE}" A, "1! variable;"},
        {"a", "app:${TAG}" A, "1! variable;"},
        {"a", "app:$TAG" A, "1! variable;"},
        {"a", "$(REG)/app:1" A, "1! variable;"},
        {"a", "$(REG)app:1" A, "1! variable;"},
        {"a", "%REG%/app:1" A, "1! variable;"},
        {"a", "<registry>/app:1" A, "1! variable;"},
        {"a", "{{ .Values.image }}:7" A, "1! template;"},
        {"a", "{{ .Values.image }}" A, "1! template;"},
        {"a", "${{ env.REG }}/app:1" A, "1! template;"},
        {"a", "{{ \"redis:7" A "\" }}", "text 1:5 redis:7@A;"},
        {"a", "redis@sha256:{{ .digest }}", "1! template;"},
        {"a", "redis@sha256:$DIGEST", "1! variable;"},
    };
    CHECK_ROWS(rows);
}
END_TEST

START_TEST(left_alone) {
    static const struct row rows[] = {
        {"a", "pin it with " A, "1! no image name before the digest;"},
        {"a", "redis:7" A "0", "1! a digest of more than 64 digits;"},
        {"a", "redis:7" A "x", "1! a digest of more than 64 digits;"},
        {"a", "redis:7@sha256:0123456789abcdef", "1! a digest of 16 digits, not 64;"},
        {"a",
         "redis:7@sha256:"
         "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
         "1! a digest in capital letters;"},
        {"a", HEX_A A, "text 1:1 " HEX_A "@A;"},
        {"a", "x" A A, "text 1:1 x@A;1! part of a longer text;"},
        {"a", "\nhttps://ghcr.io/a/b" A, "2! a web address;"},
        {"a", "tag: 1.2.3" A, "1! a tag without its image;"},
        {"a", "tag: \"v1.2.3-alpine" A "\"", "1! a tag without its image;"},
        {"a", "\"tag\" : 'latest" A "'", "1! a tag without its image;"},
        {"a", "IMAGE_TAG=main" A, "1! a tag without its image;"},
        {"a", "tag: main:7" A, "text 1:6 main:7@A;"},
        {"a", "version: 3.13rc1" A, "1! a tag without its image;"},
        {"a", "docker.io\\/library\\/redis:7" A, "1! part of a longer text;"},
        {"a", "caf\xC3\xA9redis:7" A, "1! part of a longer text;"},
        {"a", "caf\xE9redis:7" A, "1! part of a longer text;"},
    };
    CHECK_ROWS(rows);
    static const char *const invalid[] = {
        "Redis:7", "a//b:1", "/a:1", "redis:", "-redis:7", "image:redis:7", "a..b", ":7"};
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
        struct error err = {0};
        struct scan scan = {0};
        char *bytes = string_format(&err, "%s%s", invalid[i], A);
        unit_ok(scan_bytes("a", bytes, strlen(bytes), &scan, &err), &err);
        ck_assert_msg(scan.pins.count == 0 && scan.skipped.count == 1, "%s", bytes);
        ck_assert_msg(string_has_prefix(scan.skipped.items[0].reason, "not a valid reference: "),
                      "%s: %s", bytes, scan.skipped.items[0].reason);
        free(bytes);
        scan_clear(&scan);
    }
}
END_TEST

START_TEST(dockerfiles) {
    static const struct row rows[] = {
        {"Dockerfile", "FROM redis:7" A "\n", "dockerfile(stage 0) 1:6 redis:7@A;"},
        {"Dockerfile", "from redis:7" A " as x\nFrOm x\nFROM b" B,
         "dockerfile(stage 0) 1:6 redis:7@A;dockerfile(stage 2) 3:6 b@B;"},
        {"Dockerfile", "FROM --platform=linux/amd64 redis:7" A " AS x",
         "dockerfile(stage 0) 1:29 redis:7@A;"},
        {"Dockerfile", "FROM --platform=$BUILDPLATFORM --x=y redis:7" A,
         "dockerfile(stage 0) 1:38 redis:7@A;"},
        {"Dockerfile",
         "\xEF\xBB\xBF"
         "FROM redis:7" A "\r\n",
         "dockerfile(stage 0) 1:9 redis:7@A;"},
        {"Dockerfile", "  FROM\tredis:7" A "  \r\n", "dockerfile(stage 0) 1:8 redis:7@A;"},
        {"Dockerfile", "FROM \"redis:7" A "\"\n", "dockerfile(stage 0) 1:7 redis:7@A;"},
        {"Dockerfile", "FROM \\\n  redis:7" A " \\\n  AS x\n",
         "dockerfile(stage 0) 2:3 redis:7@A;"},
        {"Dockerfile", "FROM \\\r\n# note\r\n\r\n  redis:7" A "\\\r\n AS x\r\n",
         "dockerfile(stage 0) 4:3 redis:7@A;"},
        {"Dockerfile", "FROM redis:7\\\n" A "\n", "2! no image name before the digest;"},
        {"Dockerfile", "# escape=`\nFROM `\n redis:7" A "\n", "dockerfile(stage 0) 3:2 redis:7@A;"},
        {"Dockerfile", "# syntax=x\n#ESCAPE = `\nFROM `\n redis:7" A "\n",
         "dockerfile(stage 0) 4:2 redis:7@A;"},
        {"Dockerfile", "# note\n# escape=`\nRUN x `\nFROM redis:7" A "\n",
         "dockerfile(stage 0) 4:6 redis:7@A;"},
        {"Dockerfile", "RUN x \\\nFROM redis:7" A "\n", "text 2:6 redis:7@A;"},
        {"Dockerfile", "RUN <<EOF\nFROM redis:7" A "\nEOF\nFROM b" B,
         "text 2:6 redis:7@A;dockerfile(stage 0) 4:6 b@B;"},
        {"Dockerfile",
         "RUN <<-\"E O\" cat <<B > x\n\tFROM redis:7" A "\n\tE O\nFROM c" A "\nB\nFROM b" B,
         "text 2:7 redis:7@A;text 4:6 c@A;dockerfile(stage 0) 6:6 b@B;"},
        {"Dockerfile", "COPY <<EOF /x\r\nFROM redis:7" A "\r\nEOF\r\nFROM b" B,
         "text 2:6 redis:7@A;dockerfile(stage 0) 4:6 b@B;"},
        {"Dockerfile", "RUN echo \"<<EOF\" <<<EOF\nFROM redis:7" A "\n",
         "dockerfile(stage 0) 2:6 redis:7@A;"},
        {"Dockerfile", "CMD <<EOF\nFROM redis:7" A "\n", "dockerfile(stage 0) 2:6 redis:7@A;"},
        {"Dockerfile", "# FROM redis:7" A "\n", "text 1:8 redis:7@A;"},
        {"Dockerfile", "ARG I=redis:7" A "\nFROM $I\nFROM ${I:-b" B "}",
         "text 1:7 redis:7@A;text 3:11 b@B;"},
        {"Dockerfile", "FROM $I" A "\n", "1! variable;"},
        {"Dockerfile", "FROM ${R}/x:1" A "\n", "1! variable;"},
        {"Dockerfile", "FROM scratch\nCOPY --from=redis:7" A " /a /b\n", "text 2:13 redis:7@A;"},
        {"Dockerfile", "FROM Redis:7" A "\n",
         "1! not a valid reference: the name must be lowercase;"},
        {"Dockerfile", "ONBUILD FROM redis:7" A "\n", "dockerfile(stage 0) 1:14 redis:7@A;"},
        {"Dockerfile", "FROM", ""},
        {"Dockerfile", "FROM redis:7" A " \\", "dockerfile(stage 0) 1:6 redis:7@A;"},
        {"Dockerfile", "FROM \\\n# x" A, "text 2:3 x@A;"},
        {"Dockerfile", "FROMredis:7" A, "1! not a valid reference: the name must be lowercase;"},
        {"a/Containerfile", "FROM redis:7" A, "dockerfile(stage 0) 1:6 redis:7@A;"},
        {"a/dockerfile", "FROM redis:7" A, "dockerfile(stage 0) 1:6 redis:7@A;"},
        {"Dockerfile.dev", "FROM redis:7" A, "dockerfile(stage 0) 1:6 redis:7@A;"},
        {"Dockerfile-dev", "FROM redis:7" A, "dockerfile(stage 0) 1:6 redis:7@A;"},
        {"x/app.Dockerfile", "FROM redis:7" A, "dockerfile(stage 0) 1:6 redis:7@A;"},
        {"x/app.dockerfile", "FROM redis:7" A, "dockerfile(stage 0) 1:6 redis:7@A;"},
        {"Dockerfiles/x", "FROM redis:7" A, "text 1:6 redis:7@A;"},
        {"Dockerfiles", "FROM redis:7" A, "text 1:6 redis:7@A;"},
        {"notdockerfile", "FROM redis:7" A, "text 1:6 redis:7@A;"},
    };
    CHECK_ROWS(rows);
}
END_TEST

START_TEST(yaml_images) {
    static const struct row rows[] = {
        {"a.yaml", "image: redis:7" A "\n", "yaml(image) 1:8 redis:7@A;"},
        {"a.yml", "a:\n- image: 'redis:7" A "' # b" B "\n",
         "yaml(a[0].image) 2:11 redis:7@A;text 2:94 b@B;"},
        {"a.YAML", "{\"image\": \"redis:7" A "\"}", "yaml(image) 1:12 redis:7@A;"},
        {"a.yaml", "\xEF\xBB\xBFimage: redis:7" A "\r\n---\r\nimage: b" B "\r\n",
         "yaml(image) 1:11 redis:7@A;yaml(image) 3:8 b@B;"},
        {"a.yaml", "spec:\n  containers:\n  - name: x\n  - {image: redis:7" A "}\n",
         "yaml(spec.containers[1].image) 4:13 redis:7@A;"},
        {"a.yaml", "x.y/z: {image: redis:7" A "}\n", "yaml([\"x.y/z\"].image) 1:16 redis:7@A;"},
        {"a.yaml", "image: &i redis:7" A "\nb: {image: *i}\n", "yaml(image) 1:11 redis:7@A;"},
        {"a.yaml", "image: !!str redis:7" A "\n", "yaml(image) 1:14 redis:7@A;"},
        {"a.yaml", "image: \"redis:7\\x40sha256:" HEX_A "\"\n", ""},
        {"a.yaml", "image: \"\\x72edis:7" A "\"\n", "1! part of a longer text;"},
        {"a.yaml", "image: >-\n  redis:7" A "\n", "text 2:3 redis:7@A;"},
        {"a.yaml", "other: redis:7" A "\n# image: b" B "\n", "text 1:8 redis:7@A;text 2:10 b@B;"},
        {"a.yaml", "image: ${REG}/x" A "\n", "1! variable;"},
        {"a.yaml", "image: ${I:-x" A "}\n", "text 1:13 x@A;"},
        {"a.yaml", "image: docker://x" A "\n", "text 1:17 x@A;"},
        {"a.yaml", "image:\n  repository: x\n  tag: 1.2.3" A "\n", "3! a tag without its image;"},
        {"a.yaml", "\xC3\xA4: \xE2\x82\xAC\nimage: \"redis:7" A "\"\n",
         "yaml(image) 2:9 redis:7@A;"},
        {"a.yaml", "a: {{ x }}y\nimage: redis:7" A "\n",
         "text 2:8 redis:7@A;1! read as plain text: not YAML: line 1, column 11: while "
         "parsing a block mapping did not find expected key;"},
        {"a.yaml", "image: redis:7" A "\na: \xFF\n",
         "text 1:8 redis:7@A;2! read as plain text: not YAML: line 2, column 4: invalid leading "
         "UTF-8 octet;"},
        {"a.json", "{\"image\": \"redis:7" A "\"}", "text 1:12 redis:7@A;"},
    };
    CHECK_ROWS(rows);
}
END_TEST

START_TEST(the_table) {
    size_t count = 0;
    for (; pin_formats[count] != NULL; count++) {
        ck_assert_uint_gt(strlen(pin_formats[count]->name), 0);
        ck_assert_uint_gt(strlen(pin_formats[count]->description), 0);
        for (size_t i = 0; i < count; i++)
            ck_assert_str_ne(pin_formats[i]->name, pin_formats[count]->name);
    }
    ck_assert_str_eq(pin_formats[count - 1]->name, "text");
}
END_TEST

UNIT_MAIN("formats", {
    tcase_add_test(cases, plain_tokens);
    tcase_add_test(cases, variables_and_templates);
    tcase_add_test(cases, left_alone);
    tcase_add_test(cases, dockerfiles);
    tcase_add_test(cases, yaml_images);
    tcase_add_test(cases, the_table);
})

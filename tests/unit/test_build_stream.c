#include "runners/engine/build_stream.h"

#include "gate/base/base64.h"
#include "gate/base/json_write.h"
#include "tests/unit/unit.h"

#define ID64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct seen {
    struct text output, steps, uses;
};

static int on_output(void *context, const char *bytes, size_t length, struct error *err) {
    struct seen *seen = context;
    text_append(&seen->output, bytes, length);
    return text_check(&seen->output, err);
}

static int on_step(void *context, const char *name, struct error *err) {
    struct seen *seen = context;
    text_printf(&seen->steps, "%s;", name);
    return text_check(&seen->steps, err);
}

static int on_use(void *context, const char *words, struct error *err) {
    struct seen *seen = context;
    text_printf(&seen->uses, "%s;", words);
    return text_check(&seen->uses, err);
}

/* A StatusResponse of vertexes and logs: "digest|name|flags|error" or "digest>output"; flags: c, s, d. All short. */
static void add_field(struct text *out, int number, const char *bytes, size_t length) {
    ck_assert_uint_lt(length, 128);
    text_add_char(out, (char)(number << 3 | 2));
    text_add_char(out, (char)length);
    text_append(out, bytes, length);
}

static void add_trace(struct text *stream, const char *const *items) {
    struct text message = {0};
    for (; *items != NULL; items++) {
        struct text inner = {0};
        const char *log = strchr(*items, '>');
        if (log != NULL) {
            add_field(&inner, 1, *items, (size_t)(log - *items));
            add_field(&inner, 4, log + 1, strlen(log + 1));
        } else {
            char digest[40], name[100], flags[8], error[100] = "";
            ck_assert_int_ge(
                sscanf(*items, "%39[^|]|%99[^|]|%7[^|]|%99[^|]", digest, name, flags, error), 3);
            add_field(&inner, 1, digest, strlen(digest));
            add_field(&inner, 3, name, strlen(name));
            if (strchr(flags, 'c') != NULL)
                text_append(&inner, "\x20\x01", 2);
            if (strchr(flags, 's') != NULL)
                add_field(&inner, 5, "", 0);
            if (strchr(flags, 'd') != NULL)
                add_field(&inner, 6, "", 0);
            if (*error != '\0')
                add_field(&inner, 7, error, strlen(error));
        }
        add_field(&message, log != NULL ? 3 : 1, inner.bytes, inner.length);
        text_clear(&inner);
    }
    text_add(stream, "{\"id\":\"moby.buildkit.trace\",\"aux\":\"");
    base64_encode(stream, message.bytes, message.length, false);
    text_add(stream, "\"}\r\n");
    text_clear(&message);
}

/* Whole, and byte by byte: the same comes of it. */
static int feed(const struct text *bytes, size_t step, struct seen *seen,
                struct build_stream *stream, struct error *err) {
    *stream = (struct build_stream){
        .on_output = on_output, .on_step = on_step, .on_use = on_use, .context = seen};
    for (size_t at = 0; at < bytes->length; at += step) {
        size_t part = bytes->length - at < step ? bytes->length - at : step;
        if (build_stream_feed(stream, bytes->bytes + at, part, err) < 0)
            return -1;
    }
    return build_stream_end(stream, err);
}

static void clear(struct seen *seen, struct build_stream *stream) {
    text_clear(&seen->output);
    text_clear(&seen->steps);
    text_clear(&seen->uses);
    build_stream_clear(stream);
}

START_TEST(buildkit_passes) {
    struct text bytes = {0};
    add_trace(&bytes, (const char *[]){"a|[internal] load metadata for x@sha256:1|s",
                                       "f|[1/2] FROM x@sha256:1|-", NULL});
    add_trace(&bytes, (const char *[]){"f|[1/2] FROM x@sha256:1|csd", "g|FROM y@sha256:2|s", NULL});
    add_trace(&bytes, (const char *[]){"r|[2/2] RUN make|s", "r>one\n", "r>two\n", "g>z\n",
                                       "r>three\n", NULL});
    add_trace(&bytes, (const char *[]){"g|FROM y@sha256:2|sd", "r|[2/2] RUN make|sd",
                                       "u|FROM unused@sha256:3|-", NULL});
    text_add(&bytes, "{\"id\":\"moby.image.id\",\"aux\":{\"ID\":\"sha256:" ID64 "\"}}\n");
    for (size_t step = 1; step < 2000; step += 1999 - 1) {
        struct seen seen = {0};
        struct build_stream stream;
        struct error err = {0};
        unit_ok(feed(&bytes, step, &seen, &stream, &err), &err);
        ck_assert_str_eq(stream.image_id, "sha256:" ID64);
        /* a base counts once it is there, not when it is announced */
        ck_assert_str_eq(text_string(&seen.uses), "[1/2] FROM x@sha256:1;FROM y@sha256:2;");
        ck_assert_str_eq(
            text_string(&seen.steps),
            "[internal] load metadata for x@sha256:1;[1/2] FROM x@sha256:1;FROM y@sha256:2;"
            "[2/2] RUN make;");
        ck_assert_str_eq(
            text_string(&seen.output),
            "=> [internal] load metadata for x@sha256:1\n=> CACHED [1/2] FROM x@sha256:1\n"
            "=> FROM y@sha256:2\n=> [2/2] RUN make\none\ntwo\n=> FROM y@sha256:2\nz\n"
            "=> [2/2] RUN make\nthree\n");
        clear(&seen, &stream);
    }
    text_clear(&bytes);
}
END_TEST

static const struct failure {
    const char *what;
    const char *vertex; /* that failed; NULL: none is told apart */
    const char *line;   /* of the stream, behind it */
    const char *step;
    bool blamed;
} failures[] = {
    {"a command", "r|[2/2] RUN make|sd|process did not complete: exit code: 2",
     "{\"errorDetail\":{\"message\":\"exit code: 2\"}}", "[2/2] RUN make", true},
    {"a file that is not there", "c|[2/2] COPY a /a|sd|\"/a\" not found: not found",
     "{\"error\":\"not found\"}", "[2/2] COPY a /a", true},
    {"a file of a URL", "c|[2/2] ADD http://x /a|sd|invalid response status 503",
     "{\"error\":\"503\"}", "[2/2] ADD http://x /a", false},
    {"the engine in a command", "r|[2/2] RUN make|sd|failed to create shim task",
     "{\"error\":\"shim\"}", "[2/2] RUN make", false},
    {"a base", "f|[1/2] FROM x|sd|x: not found", "{\"error\":\"x: not found\"}", "[1/2] FROM x",
     false},
    {"the look for a base", "m|[internal] load metadata for x|sd|not found",
     "{\"error\":\"not found\"}", "[internal] load metadata for x", false},
    {"one that ended for another is not the one", "r|[2/2] RUN make|sd|context canceled",
     "{\"error\":\"exit code: 1\"}", "[2/2] RUN make", false},
    {"a Dockerfile that is none", NULL, "{\"error\":\"dockerfile parse error: \\u0000\"}", NULL,
     false},
    {"classic: a command", NULL,
     "{\"stream\":\"Step 2/3 : RUN "
     "make\"}\n{\"stream\":\"\\n\"}\n{\"errorDetail\":{\"code\":3,\"message\":\"returned a "
     "non-zero code: 3\"}}",
     "RUN make", true},
    {"classic: no shell", NULL,
     "{\"stream\":\"Step 2/3 : RUN make\\n\"}\n{\"error\":\"exec: \\\"/bin/sh\\\": no such file or "
     "directory\"}",
     "RUN make", true},
    {"classic: a base", NULL,
     "{\"stream\":\"Step 1/3 : FROM x\\n\"}\n{\"error\":\"manifest for x not found\"}", "FROM x",
     false},
    {"Podman: a command", NULL,
     "{\"stream\":\"[1/2] STEP 2/3: RUN make\\n\"}\n{\"error\":\"while running runtime: exit "
     "status 3\"}",
     "RUN make", true},
    {"Podman: what is no instruction", NULL,
     "{\"stream\":\"STEP 2/3: FOO x\\n\"}\n{\"error\":\"Unknown instruction: not found\"}", "FOO x",
     false},
};

START_TEST(fails) {
    const struct failure *f = &failures[_i];
    struct text bytes = {0};
    struct seen seen = {0};
    struct build_stream stream;
    struct error err = {0};
    if (f->vertex != NULL)
        add_trace(&bytes, (const char *[]){f->vertex, NULL});
    text_printf(&bytes, "%s\n", f->line);
    ck_assert_msg(feed(&bytes, bytes.length, &seen, &stream, &err) == -1, "%s", f->what);
    ck_assert_msg(err.kind == ERROR_ENGINE, "%s: %s", f->what, error_message(&err));
    ck_assert_msg(build_stream_blames_step(&stream) == f->blamed, "%s", f->what);
    ck_assert_pstr_eq(stream.step, f->step);
    error_clear(&err);
    clear(&seen, &stream);
    text_clear(&bytes);
}
END_TEST

START_TEST(classic_passes) {
    static const char *const lines[] = {"Step 1/4 : FROM ${BASE} AS x",
                                        "\n",
                                        " ---> ff4ea0e20237\n",
                                        "Step 2/4 : COPY --from=y@sha256:2 /a /b",
                                        "\n",
                                        " ---> 2e6dd5575040\n",
                                        "Step 3/4 : RUN echo",
                                        "\n",
                                        " ---> Running in 9edf8f19e407\n",
                                        "Step 9/9 is what it prints\n",
                                        "Removing intermediate container 9edf8f19e407\n",
                                        " ---> 33e8aa2dc64c\n",
                                        "Step 4/4 : LABEL a=b",
                                        "\n",
                                        " ---> Using cache\n",
                                        " ---> 44e8aa2dc64c\n",
                                        "Successfully built 44e8aa2dc64c\n"};
    struct text bytes = {0};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        json_t *line = json_pack("{s:s}", "stream", lines[i]);
        struct error err = {0};
        unit_ok(json_write(line, JSON_COMPACT, &bytes, &err), &err);
        text_add(&bytes, "\r\n");
        json_decref(line);
    }
    text_add(&bytes, "{\"aux\":{\"ID\":\"sha256:" ID64 "\"}}\r\n");
    struct seen seen = {0};
    struct build_stream stream;
    struct error err = {0};
    unit_ok(feed(&bytes, 7, &seen, &stream, &err), &err);
    ck_assert_str_eq(text_string(&seen.uses), "ff4ea0e20237;COPY --from=y@sha256:2 /a /b;");
    ck_assert_str_eq(text_string(&seen.steps),
                     "FROM ${BASE} AS x;COPY --from=y@sha256:2 /a /b;RUN echo;LABEL a=b;");
    /* what the engine had already is not this build's to remove, nor is its base */
    ck_assert_uint_eq(stream.between.count, 2);
    ck_assert_str_eq(stream.between.items[0], "2e6dd5575040");
    ck_assert_str_eq(stream.between.items[1], "33e8aa2dc64c");
    ck_assert_str_eq(stream.image_id, "sha256:" ID64);
    clear(&seen, &stream);
    text_clear(&bytes);
}
END_TEST

START_TEST(nonsense) {
    static const struct {
        const char *bytes;
        enum error_kind kind;
    } cases[] = {
        {"<html>\n", ERROR_PROTOCOL},
        {"{\"stream\":\"x\"", ERROR_PROTOCOL},
        {"{\"id\":\"moby.buildkit.trace\",\"aux\":\"?\"}\n", ERROR_PROTOCOL},
        {"{\"id\":\"moby.buildkit.trace\",\"aux\":\"aGVsbG8=\"}\n", ERROR_PROTOCOL},
        {"{\"id\":\"moby.image.id\",\"aux\":{\"ID\":\"sha256:77\"}}\n", ERROR_PROTOCOL},
        {"{\"aux\":{\"ID\":7}}\n", ERROR_PROTOCOL},
        {"{\"aux\":{}}\n", ERROR_PROTOCOL},
        {"{\"aux\":{\"ID\":\"../../x\"}}\n", ERROR_PROTOCOL},
        {"{\"error\":{}}\n", ERROR_ENGINE},
        {"7\n", ERROR_PROTOCOL},
        {"[]\n{\"stream\":7}\n{\"id\":7,\"aux\":7}\n\r\n", ERROR_NONE},
        {"", ERROR_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text bytes = {0};
        struct seen seen = {0};
        struct build_stream stream;
        struct error err = {0};
        text_add(&bytes, cases[i].bytes);
        int result = feed(&bytes, 3, &seen, &stream, &err);
        ck_assert_msg((result == 0) == (cases[i].kind == ERROR_NONE) && err.kind == cases[i].kind,
                      "%s: %s", cases[i].bytes, error_message(&err));
        ck_assert_ptr_null(stream.image_id);
        error_clear(&err);
        clear(&seen, &stream);
        text_clear(&bytes);
    }
}
END_TEST

UNIT_MAIN("build_stream", {
    tcase_add_test(cases, buildkit_passes);
    tcase_add_loop_test(cases, fails, 0, sizeof failures / sizeof *failures);
    tcase_add_test(cases, classic_passes);
    tcase_add_test(cases, nonsense);
})

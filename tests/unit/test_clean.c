#include "reports/clean.h"

#include "tests/unit/unit.h"

#define B "\xE2\x80\x8B" /* the zero-width space that we write */
#define R "\xEF\xBF\xBD" /* U+FFFD */

struct row {
    const char *in;
    const char *out;
    size_t length; /* of in, which may hold NULs */
};

#define ROW(in, out)                                                                               \
    { in, out, sizeof(in) - 1 }

typedef void (*cleaner)(struct text *out, const char *bytes, size_t length);

static void print_bytes(const char *label, const char *bytes, size_t length) {
    fprintf(stderr, "# %s: \"", label);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        fprintf(stderr, c >= 0x20 && c < 0x7F ? "%c" : "\\x%02X", c);
    }
    fprintf(stderr, "\"\n");
}

static void check_rows(const struct row *rows, size_t count, cleaner clean) {
    size_t failed = 0;
    for (size_t i = 0; i < count; i++) {
        struct text out = {0};
        size_t length = rows[i].length;
        clean(&out, rows[i].in, length);
        if (strcmp(text_string(&out), rows[i].out) != 0 || strlen(rows[i].out) != out.length) {
            fprintf(stderr, "# row %zu\n", i);
            print_bytes("in", rows[i].in, length);
            print_bytes("expected", rows[i].out, strlen(rows[i].out));
            print_bytes("got", text_string(&out), out.length);
            failed++;
        }
        text_clear(&out);
    }
    ck_assert_msg(failed == 0, "%zu of %zu rows failed, see above", failed, count);
}

#define CHECK_ROWS(rows, clean) check_rows(rows, sizeof rows / sizeof *rows, clean)

static void terminal_lines(struct text *out, const char *bytes, size_t length) {
    clean_terminal(out, bytes, length, true);
}

static void terminal_line(struct text *out, const char *bytes, size_t length) {
    clean_terminal(out, bytes, length, false);
}

static void xml_text(struct text *out, const char *bytes, size_t length) {
    clean_xml(out, bytes, length, false);
}

static void xml_attribute(struct text *out, const char *bytes, size_t length) {
    clean_xml(out, bytes, length, true);
}

static void block(struct text *out, const char *bytes, size_t length) {
    clean_markdown_block(out, "", bytes, length);
}

static void diff_block(struct text *out, const char *bytes, size_t length) {
    clean_markdown_block(out, "diff", bytes, length);
}

static void shell_block(struct text *out, const char *bytes, size_t length) {
    clean_markdown_block(out, "sh", bytes, length);
}

START_TEST(escape_sequences) {
    static const struct row rows[] = {
        ROW("plain", "plain"),
        ROW("\x1b[31mred\x1b[0m", "red"),
        ROW("\x1b[1;38;5;196mx", "x"),
        ROW("\x1b[?25lx\x1b[?25h", "x"),
        ROW("a\x1b[2Kb", "ab"),
        ROW("a\x1b[", "a"),
        ROW("a\x1b[3", "a"),
        ROW("a\x1b[3;", "a"),
        ROW("a\x1b", "a"),
        ROW("a\x1b[31\nb", "a\nb"),
        ROW("a\x1b[ qb", "ab"),
        ROW("\x1b]0;title\x07x", "x"),
        ROW("\x1b]0;title\x1b\\x", "x"),
        ROW("\x1b]8;;http://evil.example/\x1b\\link\x1b]8;;\x1b\\", "link"),
        ROW("\x1b]0;never closed\nnext line", "\nnext line"),
        ROW("\x1b]0;cut", ""),
        ROW("\x1b]52;c;ZXZpbA==\x07x", "x"),
        ROW("\x1bP1$r0m\x1b\\x", "x"),
        ROW("\x1b_secret\x1b\\x", "x"),
        ROW("\x1b^pm\x1b\\x", "x"),
        ROW("\x1bXsos\x1b\\x", "x"),
        ROW("\x1b(Bx", "x"),
        ROW("\x1b%Gx", "x"),
        ROW("\x1b"
            "7x\x1b"
            "8",
            "x"),
        ROW("\x1b"
            "cx",
            "x"),
        ROW("\x1b\x1b[31mx", "x"),
        ROW("\xC2\x9B"
            "31mx",
            "x"),
        ROW("\xC2\x9D"
            "0;title\xC2\x9Cx",
            "x"),
        ROW("\xC2\x90q\xC2\x9Cx", "x"),
        ROW("\xC2\x84x", "x"),
        ROW("a\x1b]0;t\x1b[31mb", "ab"),
        ROW("\x9B"
            "31m",
            R "31m"),
        ROW("section_start:123:name\r\x1b[0Kx", "section_start:123:name\nx"),
        ROW("\x1b[8mha:AAAA\x1b[0mx", "ha:AAAAx"),
    };
    CHECK_ROWS(rows, terminal_lines);
}
END_TEST

START_TEST(characters) {
    static const struct row rows[] = {
        ROW("", ""),
        ROW("tab\tstays", "tab\tstays"),
        ROW("a\r\nb", "a\nb"),
        ROW("a\rb", "a\nb"),
        ROW("a\r\r\nb", "a\n\nb"),
        ROW("a\r", "a\n"),
        ROW("a\x0B"
            "b\x0C"
            "c",
            "a b c"),
        ROW("a\xC2\x85"
            "b",
            "a b"),
        ROW("a\xE2\x80\xA8"
            "b\xE2\x80\xA9"
            "c",
            "a b c"),
        ROW("a\0b", "a" R "b"),
        ROW("a\x07"
            "b\x08"
            "c\x7F",
            "a" R "b" R "c" R),
        ROW("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"),
        ROW("\x80", R),
        ROW("\xFF\xFE", R R),
        ROW("\xC3", R),
        ROW("\xC3(", R "("),
        ROW("\xE2\x82", R),
        ROW("\xE2\x82x", R "x"),
        ROW("\xF0\x9F\x98", R),
        ROW("\xF0\x9F\x98\x80\x80", "\xF0\x9F\x98\x80" R),
        ROW("\xC0\xAF", R R),
        ROW("\xE0\x80\xAF", R R R),
        ROW("\xF0\x80\x80\xAF", R R R R),
        ROW("\xED\xA0\x80", R R R),
        ROW("\xF4\x90\x80\x80", R R R R),
        ROW("\xF8\x88\x80\x80\x80", R R R R R),
        ROW("\xEF\xBF\xBE\xEF\xBF\xBF", R R),
        ROW("\xF0\x9F\xBF\xBE", R),
        ROW("\xEF\xB7\x90", R),
        ROW("a\xE2\x80\xAE"
            "b\xE2\x81\xA6"
            "c",
            "abc"),
        ROW("a\xE2\x80\x8B\xE2\x80\x8D\xEF\xBB\xBF"
            "b",
            "ab"),
        ROW("a\xC2\xAD"
            "b",
            "ab"),
        ROW("a\xF3\xA0\x81\x81"
            "b",
            "ab"),
        ROW("a\xD8\x9C"
            "b",
            "ab"),
    };
    CHECK_ROWS(rows, terminal_lines);
}
END_TEST

START_TEST(workflow_commands) {
    static const struct row rows[] = {
        ROW("::set-output name=x::y", ":" B ":set-output name=x::y"),
        ROW("  \t::error::x", "  \t:" B ":error::x"),
        ROW("\xC2\xA0::error::x", "\xC2\xA0:" B ":error::x"),
        ROW("\xE3\x80\x80::error::x", "\xE3\x80\x80:" B ":error::x"),
        ROW("a\n::add-mask::x\n b", "a\n:" B ":add-mask::x\n b"),
        ROW("a\r::warning::x", "a\n:" B ":warning::x"),
        ROW("a ::error::x", "a ::error::x"),
        ROW("std::vector", "std::vector"),
        ROW(":\x1b[0m:error::x", ":" B ":error::x"),
        ROW(":\xE2\x80\x8B:error::x", ":" B ":error::x"),
        ROW("\x1b[31m::error::x", ":" B ":error::x"),
        ROW(":::x", ":" B "::x"),
        ROW(": :x", ": :x"),
        ROW("##[group]x", "##" B "[group]x"),
        ROW("a ##[add-path]x", "a ##" B "[add-path]x"),
        ROW("a###[x]", "a###" B "[x]"),
        ROW("x ##vso[task.setvariable variable=a]b", "x ##vso" B "[task.setvariable variable=a]b"),
        ROW("##VSO[x]", "##VSO" B "[x]"),
        ROW("#\x1b[m#vso\x1b[1m[x]", "##vso" B "[x]"),
        ROW("##teamcity[message text='x']", "##teamcity" B "[message text='x']"),
        ROW("##a-name-that-no-system-has-and-that-some-limit-of-letters-could-have-let-pass[x]",
            "##a-name-that-no-system-has-and-that-some-limit-of-letters-could-have-let-pass" B
            "[x]"),
        ROW("## Title [x]", "## Title [x]"),
        ROW("#[derive]", "#[derive]"),
        ROW("[x]", "[x]"),
    };
    CHECK_ROWS(rows, terminal_lines);
}
END_TEST

START_TEST(one_line) {
    static const struct row rows[] = {
        ROW("a\nb\tc\r\nd", "a b c d"),
        ROW("\n::error::x", " :" B ":error::x"),
        ROW("x\n::error::y", "x ::error::y"),
    };
    CHECK_ROWS(rows, terminal_line);
}
END_TEST

START_TEST(xml) {
    static const struct row text_rows[] = {
        ROW("a<b>&\"'", "a&lt;b&gt;&amp;&quot;'"),
        ROW("]]>", "]]&gt;"),
        ROW("<![CDATA[x]]>", "&lt;![CDATA[x]]&gt;"),
        ROW("&#27;", "&amp;#27;"),
        ROW("a\nb\tc", "a\nb\tc"),
        ROW("\x01\x00\x1F\xEF\xBF\xBF\xED\xA0\x80", R R R R R R R),
        ROW("\x1b[31mx\x1b[0m", "x"),
    };
    static const struct row attribute_rows[] = {
        ROW("a\nb\tc\r\nd", "a&#10;b&#9;c&#10;d"),
        ROW("\"><x y=\"", "&quot;&gt;&lt;x y=&quot;"),
        ROW("\x07", R),
    };
    CHECK_ROWS(text_rows, xml_text);
    CHECK_ROWS(attribute_rows, xml_attribute);
}
END_TEST

START_TEST(markdown) {
    static const struct row rows[] = {
        ROW("plain words, 3 of 4 (so)", "plain words, 3 of 4 (so)"),
        ROW("a*b*_c_`d`", "a\\*b\\*\\_c\\_\\`d\\`"),
        ROW("<script>&amp;", "&lt;script&gt;&amp;" B "amp;"),
        ROW("</details>", "&lt;/details&gt;"),
        ROW("![x](http://e/)", "!" B "\\[" B "x\\](http:" B "//e/)"),
        ROW("[x](y)", "\\[" B "x\\](y)"),
        ROW("<http://e/>", "&lt;http:" B "//e/&gt;"),
        ROW("https://github.com/a/b/issues/1", "https:" B "//github.com/a/b/issues/1"),
        ROW("see www.example.com", "see www" B ".example.com"),
        ROW("WWW.x", "WWW" B ".x"),
        ROW("@user", "@" B "user"),
        ROW("a@b.example", "a@" B "b.example"),
        ROW("#1", "\\#" B "1"),
        ROW("org/repo#12", "org/repo#" B "12"),
        ROW("!12 &1 ~label %2 $3", "!" B "12 &amp;" B "1 \\~" B "label %" B "2 &#36;" B "3"),
        ROW("GH-12", "GH-" B "12"),
        ROW(":tada:", "\\:" B "tada:"),
        ROW("error: it is 12:30", "error: it is 12:30"),
        ROW("deadbeefcafe", "deadbe" B "efcafe"),
        ROW("sha 0123456", "sha 012345" B "6"),
        ROW("012345", "012345"),
        ROW("a|b\\|c", "a&#124;b\\\\&#124;c"),
        ROW("a\nb\r\n\r\nc", "a b c"),
        ROW("  lead and trail  ", "lead and trail"),
        ROW("/merge", "\\/merge"),
        ROW("\n/close", "\\/close"),
        ROW("x\n/close", "x /close"),
        ROW("# title", "\\# title"),
        ROW("- item", "\\- item"),
        ROW("+ item", "\\+ item"),
        ROW("---", "\\---"),
        ROW("===", "\\==="),
        ROW("1. item", "1\\. item"),
        ROW("12) item", "12\\) item"),
        ROW("1.5 s", "1\\.5 s"),
        ROW("> quote", "&gt; quote"),
        ROW("    code", "code"),
        ROW("```\nx\n```", "\\`\\`\\` x \\`\\`\\`"),
        ROW("~~~", "\\~" B "\\~" B "\\~"),
        ROW("[^1]", "\\[" B "^" B "1\\]"),
        ROW("[ ] todo", "\\[ \\] todo"),
        ROW("[[wiki]]", "\\[" B "\\[" B "wiki\\]\\]"),
        ROW("$`x`$", "&#36;" B "\\`x\\`&#36;"),
        ROW("@\xE2\x80\x8B\x1b[0m@user", "@" B "@" B "user"),
        ROW("##vso[x]", "\\#" B "#" B "vso\\[" B "x\\]"),
        ROW("::error::x", "\\::" B "error::" B "x"),
        ROW("a\xE2\x80\xAE"
            "b",
            "ab"),
        ROW("\xFF", R),
        ROW("*", "\\*"),
        ROW("@", "@"),
    };
    CHECK_ROWS(rows, clean_markdown);
}
END_TEST

START_TEST(markdown_code) {
    static const struct row rows[] = {
        ROW("", ""),
        ROW("\x1b[0m", ""),
        ROW("redis:7.2", "`redis:7.2`"),
        ROW("a`b", "``a`b``"),
        ROW("a``b`c", "```a``b`c```"),
        ROW("`a`", "`` `a` ``"),
        ROW(" a", "`  a `"),
        ROW("a\nb", "`a b`"),
        ROW("<b>@x", "`<b>@x`"),
        ROW("a | b", "<code>a &#124; b</code>"),
        ROW("a|`<b>@x", "<code>a&#124;\\`&lt;b&gt;@" B "x</code>"),
        ROW("\xE2\x80\xAE"
            "a",
            "`a`"),
    };
    CHECK_ROWS(rows, clean_markdown_code);
}
END_TEST

START_TEST(markdown_blocks) {
    static const struct row rows[] = {
        ROW("", "```\n```\n"),
        ROW("a", "```\n│ a\n```\n"),
        ROW("a\nb\n", "```\n│ a\n│ b\n```\n"),
        ROW("```\n/merge\n", "````\n│ ```\n│ /merge\n````\n"),
        ROW("`````", "``````\n│ `````\n``````\n"),
        ROW("`\x1b[0m``\xE2\x80\x8B`", "`````\n│ ````\n`````\n"),
        ROW("a\r```\rb", "````\n│ a\n│ ```\n│ b\n````\n"),
        ROW("::error::x\n##[x]", "```\n│ :" B ":error::x\n│ ##" B "[x]\n```\n"),
        ROW("</details><b>@x", "```\n│ </details><b>@x\n```\n"),
    };
    static const struct row diff_rows[] = {
        ROW("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n c\n\\ No newline\n",
            "```diff\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n c\n\\ No newline\n```\n"),
        ROW("/merge\n```\n ```\n", "```diff\n /merge\n ``" B "`\n ``" B "`\n```\n"),
        ROW("+``````", "```diff\n+``" B "``" B "``\n```\n"),
        ROW(" ::error::x\n::error::x", "```diff\n :" B ":error::x\n :" B ":error::x\n```\n"),
        ROW("\n+a", "```diff\n \n+a\n```\n"),
    };
    static const struct row shell_rows[] = {
        ROW("docker run x sh -ec 'a\n/merge\n```'",
            "```sh\n    docker run x sh -ec 'a\n    /merge\n    ``" B "`'\n```\n"),
    };
    CHECK_ROWS(rows, block);
    CHECK_ROWS(diff_rows, diff_block);
    CHECK_ROWS(shell_rows, shell_block);
}
END_TEST

START_TEST(utf8) {
    static const struct row rows[] = {
        ROW("a\x1b[31m\n\t\xC3\xA4", "a\x1b[31m\n\t\xC3\xA4"),
        ROW("a\0b\xFF", "a" R "b" R),
        ROW("\xED\xB0\x80", R R R),
    };
    CHECK_ROWS(rows, clean_utf8);
}
END_TEST

START_TEST(tails) {
    static const struct {
        const char *in;
        size_t lines, bytes;
        const char *out;
    } rows[] = {
        {"", 5, 10, ""},
        {"a\nb\nc\n", 2, 100, "b\nc\n"},
        {"a\nb\nc", 2, 100, "b\nc"},
        {"a\nb\nc\n", 9, 100, "a\nb\nc\n"},
        {"a\nb\nc\n", 0, 100, ""},
        {"a\nb\nc\n", 9, 4, "b\nc\n"},
        {"a\nb\nc\n", 9, 3, "c\n"},
        {"long line\nb\n", 9, 5, "b\n"},
        {"one very long line", 9, 4, "line"},
        {"one very long line\n", 9, 5, "line\n"},
        {"\n\n\n", 2, 100, "\n\n"},
        {"x\xC3\xA4", 9, 1, ""},
        {"xx\xE2\x82\xAC"
         "a",
         9, 3, "a"},
        {"xx\xE2\x82\xAC"
         "a",
         9, 4,
         "\xE2\x82\xAC"
         "a"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t length = 0;
        const char *tail =
            clean_tail(rows[i].in, strlen(rows[i].in), rows[i].lines, rows[i].bytes, &length);
        ck_assert_msg(length == strlen(rows[i].out) && memcmp(tail, rows[i].out, length) == 0,
                      "row %zu: got \"%.*s\", expected \"%s\"", i, (int)length, tail, rows[i].out);
    }
}
END_TEST

/* Nothing is quadratic and nothing is lost: a line of a million characters of each awkward kind. */
START_TEST(very_long_lines) {
    static const char *const pieces[] = {
        "a",    "`", "#", "[",       ":",     "\x1b", "\x1b[", "\xE2\x80\xAE",
        "\xFF", "@", " ", "\x1b]0;", "##vso", "f"};
    enum { COUNT = 300000 };
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct error err = {0};
        struct text in = {0};
        struct text out = {0};
        for (int k = 0; k < COUNT; k++)
            text_add(&in, pieces[i]);
        text_add(&in, "\nend");
        static const cleaner cleaners[] = {
            terminal_lines, xml_text,   xml_attribute, clean_markdown,
            block,          diff_block, clean_utf8,    clean_markdown_code};
        for (size_t k = 0; k < sizeof cleaners / sizeof *cleaners; k++) {
            text_truncate(&out, 0);
            cleaners[k](&out, in.bytes, in.length);
            unit_ok(text_check(&out, &err), &err);
            ck_assert_msg(strstr(text_string(&out), "end") != NULL, "piece %zu, cleaner %zu", i, k);
        }
        text_clear(&in);
        text_clear(&out);
    }
}
END_TEST

/* Whatever the bytes: valid UTF-8, no control, no mark of another, nothing a CI system obeys. */
static void check_safe(const struct text *out, const char *what, unsigned seed) {
    bool at_start = true;
    for (size_t i = 0; i < out->length;) {
        uint32_t c;
        size_t step = clean_decode(out->bytes + i, out->length - i, &c);
        bool real = c != 0xFFFD || (step == 3 && memcmp(out->bytes + i, R, 3) == 0);
        ck_assert_msg(real, "%s, seed %u: invalid UTF-8 at %zu", what, seed, i);
        ck_assert_msg((c >= 0x20 && c != 0x7F && (c < 0x80 || c > 0x9F)) || c == '\n' || c == '\t',
                      "%s, seed %u: control %X", what, seed, c);
        ck_assert_msg(c < 0x202A || c > 0x202E, "%s, seed %u: bidi", what, seed);
        bool obeyed = at_start && strncmp(out->bytes + i, "::", 2) == 0;
        ck_assert_msg(!obeyed, "%s, seed %u: workflow command: %s", what, seed, out->bytes);
        at_start = c == '\n' || (at_start && (c == ' ' || c == '\t' || c == 0xA0 || c == 0x3000));
        i += step;
    }
    ck_assert_msg(strstr(text_string(out), "##[") == NULL, "%s, seed %u", what, seed);
    ck_assert_msg(strstr(text_string(out), "##vso[") == NULL, "%s, seed %u", what, seed);
}

START_TEST(random_soup) {
    static const char *const pieces[] = {
        "::",           ":",    "##[",  "##vso", "[",    "\x1b[", "\x1b]", "m",   "\x07", "\n",
        "\r",           " ",    "\t",   "`",     "```",  "|",     "@",     "#",   "<",    ">",
        "\xE2",         "\x80", "\xAE", "\x8B",  "\xC2", "\x9B",  "\xA0",  "abc", "/",    "\\",
        "\xE3\x80\x80", "\xF0", "\xFF", "\x1b",  "\x7F", "]]>",   "&",     "-",   "1."};
    unsigned state = 1;
    for (unsigned seed = 0; seed < 4000; seed++) {
        struct text in = {0};
        struct text out = {0};
        for (int k = 0; k < 12; k++) {
            state = state * 1103515245u + 12345u;
            text_add(&in, pieces[(state >> 16) % (sizeof pieces / sizeof *pieces)]);
        }
        terminal_lines(&out, in.bytes, in.length);
        check_safe(&out, "terminal", seed);
        text_truncate(&out, 0);
        block(&out, in.bytes, in.length);
        check_safe(&out, "block", seed);
        text_truncate(&out, 0);
        diff_block(&out, in.bytes, in.length);
        check_safe(&out, "diff", seed);
        text_truncate(&out, 0);
        clean_markdown(&out, in.bytes, in.length);
        check_safe(&out, "markdown", seed);
        ck_assert_ptr_null(strpbrk(text_string(&out), "<>|\n\t"));
        text_truncate(&out, 0);
        xml_attribute(&out, in.bytes, in.length);
        ck_assert_ptr_null(strpbrk(text_string(&out), "<>\"\n\t"));
        text_clear(&in);
        text_clear(&out);
    }
}
END_TEST

UNIT_MAIN("clean", {
    tcase_set_timeout(cases, 300); /* of a crowded machine */
    tcase_add_test(cases, escape_sequences);
    tcase_add_test(cases, characters);
    tcase_add_test(cases, workflow_commands);
    tcase_add_test(cases, one_line);
    tcase_add_test(cases, xml);
    tcase_add_test(cases, markdown);
    tcase_add_test(cases, markdown_code);
    tcase_add_test(cases, markdown_blocks);
    tcase_add_test(cases, utf8);
    tcase_add_test(cases, tails);
    tcase_add_test(cases, very_long_lines);
    tcase_add_test(cases, random_soup);
})

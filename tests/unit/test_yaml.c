#include "gate/base/yaml.h"

#include "gate/base/text.h"
#include "tests/unit/unit.h"

/* Writes a tree with places: "2:5+7@12" is line 2, column 5, 7 bytes of source from byte 12. */
static void draw(const struct yaml_node *node, struct text *out) {
    if (node->alias != NULL)
        text_add(out, "*");
    switch (node->kind) {
    case YAML_SCALAR:
        text_printf(out, "%s<%s>", node->style == YAML_PLAIN ? "" : "q", node->text);
        text_printf(out, "%zu:%zu+%zu@%zu", node->line, node->column, node->source_length,
                    node->offset);
        break;
    case YAML_SEQUENCE:
        text_printf(out, "[%zu:%zu@%zu", node->line, node->column, node->offset);
        for (size_t i = 0; i < node->count; i++) {
            text_add(out, " ");
            draw(node->items[i], out);
        }
        text_add(out, "]");
        break;
    case YAML_MAPPING:
        text_printf(out, "{%zu:%zu@%zu", node->line, node->column, node->offset);
        for (size_t i = 0; i < node->count; i++) {
            text_add(out, " ");
            draw(node->pairs[i].key, out);
            text_add(out, "=");
            draw(node->pairs[i].value, out);
        }
        text_add(out, "}");
        break;
    }
}

START_TEST(places_are_bytes) {
    static const struct {
        const char *name, *yaml, *tree;
    } rows[] = {
        {"plain", "a: b\n", "{1:1@0 <a>1:1+1@0=<b>1:4+1@3}"},
        {"crlf", "a: b\r\nc: d\r\n", "{1:1@0 <a>1:1+1@0=<b>1:4+1@3 <c>2:1+1@6=<d>2:4+1@9}"},
        {"bom",
         "\xEF\xBB\xBF"
         "a: b\nc: d",
         "{1:4@3 <a>1:4+1@3=<b>1:7+1@6 <c>2:1+1@8=<d>2:4+1@11}"},
        {"umlaut", "\xC3\xA4: \xE2\x82\xAC x\nb: c\n",
         "{1:1@0 <\xC3\xA4>1:1+2@0=<\xE2\x82\xAC x>1:5+5@4 <b>2:1+1@10=<c>2:4+1@13}"},
        {"U+2028 is no line", "# \xE2\x80\xA8\na: b\n", "{2:1@6 <a>2:1+1@6=<b>2:4+1@9}"},
        {"anchor", "a: &x b\n", "{1:1@0 <a>1:1+1@0=<b>1:7+1@6}"},
        {"anchor, tag, quotes", "a: &x !!str \"b\"\n", "{1:1@0 <a>1:1+1@0=q<b>1:13+3@12}"},
        {"anchor on a line of its own", "a: &x\n  # note\n  b\n", "{1:1@0 <a>1:1+1@0=<b>3:3+1@17}"},
        {"verbatim tag", "a: !<x,y> b\n", "{1:1@0 <a>1:1+1@0=<b>1:11+1@10}"},
        {"anchored mapping", "a: &x\n  b: c\n",
         "{1:1@0 <a>1:1+1@0={2:3@8 <b>2:3+1@8=<c>2:6+1@11}}"},
        {"tagged empty in flow", "[!t , !t, b]", "[1:1@0 <>1:4+0@3 <>1:9+0@8 <b>1:11+1@10]"},
        {"alias", "a: &x b\nc: *x\n", "{1:1@0 <a>1:1+1@0=<b>1:7+1@6 <c>2:1+1@8=*<b>2:4+2@11}"},
        {"alias of a list", "- &x [1]\n- *x\n", "[1:1@0 [1:6@5 <1>1:7+1@6] *[2:3@11 <1>1:7+1@6]]"},
        {"anchor redefined", "- &x 1\n- &x 2\n- *x\n",
         "[1:1@0 <1>1:6+1@5 <2>2:6+1@12 *<2>3:3+2@16]"},
        {"single quotes", "a: 'b''c'\n", "{1:1@0 <a>1:1+1@0=q<b'c>1:4+6@3}"},
        {"flow", "{a: [b, \"c\"]}", "{1:1@0 <a>1:2+1@1=[1:5@4 <b>1:6+1@5 q<c>1:9+3@8]}"},
        {"empty value", "a:\nb: c\n", "{1:1@0 <a>1:1+1@0=<>1:3+0@2 <b>2:1+1@3=<c>2:4+1@6}"},
        {"comment behind", "a: b # c\n", "{1:1@0 <a>1:1+1@0=<b>1:4+1@3}"},
        {"literal", "a: |\n  x\n  y\n", "{1:1@0 <a>1:1+1@0=q<x\ny\n>1:4+10@3}"},
        {"plain over two lines", "a: b\n  c\n", "{1:1@0 <a>1:1+1@0=<b c>1:4+5@3}"},
        {"duplicates are taken", "a: 1\na: 2\n",
         "{1:1@0 <a>1:1+1@0=<1>1:4+1@3 <a>2:1+1@5=<2>2:4+1@8}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct yaml_file file = {0};
        struct text tree = {0};
        ck_assert_msg(yaml_parse(rows[i].yaml, strlen(rows[i].yaml), NULL, &file, &err) == 0,
                      "%s: %s", rows[i].name, error_message(&err));
        ck_assert_uint_eq(file.count, 1);
        draw(file.roots[0], &tree);
        ck_assert_msg(strcmp(text_string(&tree), rows[i].tree) == 0, "%s: got %s", rows[i].name,
                      text_string(&tree));
        text_clear(&tree);
        yaml_clear(&file);
    }
}
END_TEST

START_TEST(documents) {
    static const struct {
        const char *yaml;
        size_t count;
    } rows[] = {{"", 0},
                {"# only a comment\n", 0},
                {"a: b\n", 1},
                {"a\n---\nb\n", 2},
                {"---\n---\nb\n", 2},
                {"--- a\n...\n--- b\n...\n", 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct yaml_file file = {0};
        unit_ok(yaml_parse(rows[i].yaml, strlen(rows[i].yaml), NULL, &file, &err), &err);
        ck_assert_msg(file.count == rows[i].count, "row %zu: %zu documents", i, file.count);
        yaml_clear(&file);
    }
}
END_TEST

START_TEST(errors_have_a_place) {
    static const struct {
        const char *yaml;
        enum error_kind kind;
        const char *message;
        bool strict;
    } rows[] = {
        {"a: b\n c: d\n", ERROR_CONFIG, "f.yaml:2:3: mapping values are not allowed", true},
        {"a: [b\n", ERROR_CONFIG, "f.yaml:2:1: ", true},
        {"a: \xFF\n", ERROR_CONFIG, "f.yaml:1:4: ", true},
        {"\xEF\xBB\xBF"
         "a: \xFF\n",
         ERROR_CONFIG, "f.yaml:1:7: ", true},
        {"\xC3\xA4: b\n\xC3\xA4: {{ x }}y\n", ERROR_CONFIG, "f.yaml:2:12: ", true},
        {"a: 1\nb: 2\na: 3\n", ERROR_CONFIG,
         "f.yaml:3:1: the key \"a\" stands twice: first on line 1", true},
        {"x: {a: 1, a: 2}\nx: 1\n", ERROR_CONFIG, "f.yaml:1:11: the key \"a\" stands twice", true},
        {"a: *x\n", ERROR_CONFIG, "f.yaml:1:4: the alias *x names no anchor", true},
        {"a: &x [*x]\n", ERROR_CONFIG, "f.yaml:1:8: the alias *x stands within its own anchor",
         true},
        {"- &x 1\n---\n- *x\n", ERROR_CONFIG, "f.yaml:3:3: the alias *x names no anchor", true},
        {"a: \"b\\0c\"\n", ERROR_CONFIG, "f.yaml:1:4: a NUL", true},
        {"a: \tb: c\n", ERROR_CONFIG, "f.yaml:1:", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct yaml_file file = {0};
        struct yaml_options options = {
            .name = "f.yaml", .kind = ERROR_CONFIG, .strict = rows[i].strict};
        unit_fails(yaml_parse(rows[i].yaml, strlen(rows[i].yaml), &options, &file, &err), &err,
                   rows[i].kind, rows[i].message);
        ck_assert_uint_eq(file.count, 0);
        ck_assert_uint_gt(file.error_line, 0);
        ck_assert_uint_gt(file.error_column, 0);
        yaml_clear(&file);
    }
}
END_TEST

START_TEST(hostile_trees_are_bounded) {
    struct error err = {0};
    struct yaml_file file = {0};
    struct text text = {0};
    for (int i = 0; i < 200000; i++)
        text_add(&text, "[");
    unit_fails(yaml_parse(text.bytes, text.length, NULL, &file, &err), &err, ERROR_LIMIT,
               "line 1, column 101: nested deeper than 100");
    yaml_clear(&file);

    text_clear(&text);
    text_add(&text, "- &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 9; i++)
        text_printf(&text, "- &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i - 1,
                    i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    unit_fails(yaml_parse(text.bytes, text.length, NULL, &file, &err), &err, ERROR_LIMIT,
               "nodes, aliases expanded");
    yaml_clear(&file);

    text_clear(&text);
    text_add(&text, "- &a0 x\n");
    for (int i = 1; i < 200; i++)
        text_printf(&text, "- &a%d [*a%d]\n", i, i - 1);
    unit_fails(yaml_parse(text.bytes, text.length, NULL, &file, &err), &err, ERROR_LIMIT,
               "line 100, column 9: nested deeper");
    yaml_clear(&file);

    text_clear(&text);
    for (int i = 0; i <= 1000; i++)
        text_printf(&text, "- &a%d x\n", i);
    unit_fails(yaml_parse(text.bytes, text.length, NULL, &file, &err), &err, ERROR_LIMIT,
               "more than 1000 anchors");
    yaml_clear(&file);
    text_clear(&text);
}
END_TEST

START_TEST(finds_keys) {
    static const char yaml[] = "a: 1\n'b': ~\nc: [x]\nd:\ne: 'null'\na: 2\n";
    struct error err = {0};
    struct yaml_file file = {0};
    unit_ok(yaml_parse(yaml, strlen(yaml), NULL, &file, &err), &err);
    const struct yaml_node *root = file.roots[0];
    ck_assert_str_eq(yaml_get(root, "a")->text, "1");
    ck_assert(yaml_is_null(yaml_get(root, "b")));
    ck_assert(yaml_is_null(yaml_get(root, "d")));
    ck_assert(!yaml_is_null(yaml_get(root, "e")));
    ck_assert(!yaml_is_plain(yaml_get(root, "e")));
    ck_assert(!yaml_is_scalar(yaml_get(root, "c")));
    ck_assert_ptr_null(yaml_get(root, "z"));
    ck_assert_ptr_null(yaml_get(yaml_get(root, "z"), "z"));
    ck_assert_ptr_null(yaml_get(yaml_get(root, "c"), "x"));
    yaml_clear(&file);
}
END_TEST

UNIT_MAIN("yaml", {
    tcase_add_test(cases, places_are_bytes);
    tcase_add_test(cases, documents);
    tcase_add_test(cases, errors_have_a_place);
    tcase_add_test(cases, hostile_trees_are_bounded);
    tcase_add_test(cases, finds_keys);
})

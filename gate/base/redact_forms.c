/* How programs print a secret, each form a function or a row of a table. */
#include <stdio.h>
#include <string.h>

#include "gate/base/base64.h"
#include "gate/base/redact.h"

typedef int add_form(void *context, const char *form, size_t length, struct error *err);

/* Where forms go, and one on its way. */
struct forms {
    const unsigned char *secret;
    size_t length;
    add_form *add;
    void *context;
    struct text form;
};

static int add(struct forms *forms, struct error *err) {
    if (text_check(&forms->form, err) < 0)
        return -1;
    int result = forms->form.length > 0
                     ? forms->add(forms->context, forms->form.bytes, forms->form.length, err)
                     : 0;
    if (forms->form.bytes != NULL)
        explicit_bzero(forms->form.bytes, forms->form.length);
    text_truncate(&forms->form, 0);
    return result;
}

/* base64 of three bytes is four characters, so how a secret looks depends on how many bytes before it share its first four.
 * Characters that it shares with what comes before belong to no form; those at its end do when nothing comes after it. */
static int add_base64(struct forms *forms, size_t before, bool url, struct error *err) {
    static const size_t shared[] = {0, 2, 3}; /* characters, by bytes before */
    _cleanup_(text_clear) struct text bytes = {0};
    _cleanup_(text_clear) struct text words = {0};
    text_append(&bytes, "\0\0", before);
    text_append(&bytes, forms->secret, forms->length);
    base64_encode(&words, text_string(&bytes), bytes.length, url);
    if (text_check(&words, err) < 0 || text_check(&bytes, err) < 0)
        return -1;
    size_t own = (bytes.length * 8) / 6;     /* characters that nothing after it changes */
    size_t all = (bytes.length * 8 + 5) / 6; /* without padding */
    const size_t ends[] = {own, all, words.length};
    int result = 0;
    for (size_t i = 0; i < sizeof ends / sizeof *ends && result == 0; i++) {
        text_append(&forms->form, words.bytes + shared[before], ends[i] - shared[before]);
        result = add(forms, err);
    }
    explicit_bzero(bytes.bytes, bytes.length);
    explicit_bzero(words.bytes, words.length);
    return result;
}

#define LOWER "0123456789abcdef"
#define UPPER "0123456789ABCDEF"

/* digits: which 16; NULL: three octal ones */
static void add_code(struct text *form, const char *before, const char *digits, unsigned char c) {
    text_add(form, before);
    if (digits == NULL) {
        text_printf(form, "%03o", c);
    } else {
        text_add_char(form, digits[c >> 4]);
        text_add_char(form, digits[c & 15]);
    }
}

static int add_hex(struct forms *forms, const char *digits, struct error *err) {
    for (size_t i = 0; i < forms->length; i++)
        add_code(&forms->form, "", digits, forms->secret[i]);
    return add(forms, err);
}

static bool is_alphanumeric(unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* For addresses and forms. plain: what is left as it is, beside letters and digits */
static int add_percent(struct forms *forms, const char *plain, const char *digits, bool plus,
                       struct error *err) {
    for (size_t i = 0; i < forms->length; i++) {
        unsigned char c = forms->secret[i];
        if (is_alphanumeric(c) || (c != '\0' && strchr(plain, c) != NULL))
            text_add_char(&forms->form, (char)c);
        else if (plus && c == ' ')
            text_add_char(&forms->form, '+');
        else
            add_code(&forms->form, "%", digits, c);
    }
    return add(forms, err);
}

/* One way of escaping: what some bytes become. */
struct escape {
    const char *bytes;        /* each byte … */
    const char *const *words; /* … becomes this one */
    const char
        *control; /* what comes before the number of other bytes below 0x20; NULL: they stay */
    const char *digits; /* of that number, see add_code */
    const char *before; /* these bytes get a backslash; NULL: none */
};

static int add_escaped(struct forms *forms, const struct escape *escape, struct error *err) {
    for (size_t i = 0; i < forms->length; i++) {
        unsigned char c = forms->secret[i];
        const char *at = c != '\0' ? strchr(escape->bytes, c) : NULL;
        if (at != NULL)
            text_add(&forms->form, escape->words[at - escape->bytes]);
        else if (c < 0x20 && escape->control != NULL)
            add_code(&forms->form, escape->control, escape->digits, c);
        else if (c != '\0' && escape->before != NULL && strchr(escape->before, c) != NULL)
            text_printf(&forms->form, "\\%c", c);
        else
            text_add_char(&forms->form, (char)c);
    }
    return add(forms, err);
}

#define JSON_BYTES "\"\\\n\r\t\b\f"
#define JSON_WORDS "\\\"", "\\\\", "\\n", "\\r", "\\t", "\\b", "\\f"

static const struct escape escapes[] = {
    /* JSON: the least; with slashes (PHP); for web pages (Go) */
    {JSON_BYTES, (const char *const[]){JSON_WORDS}, "\\u00", LOWER, NULL},
    {JSON_BYTES, (const char *const[]){JSON_WORDS}, "\\u00", UPPER, NULL},
    {JSON_BYTES "/", (const char *const[]){JSON_WORDS, "\\/"}, "\\u00", LOWER, NULL},
    {JSON_BYTES "<>&", (const char *const[]){JSON_WORDS, "\\u003c", "\\u003e", "\\u0026"}, "\\u00",
     LOWER, NULL},
    /* XML: of a text, of an attribute in its usual spellings */
    {"&<>", (const char *const[]){"&amp;", "&lt;", "&gt;"}, NULL, NULL, NULL},
    {"&<>\"", (const char *const[]){"&amp;", "&lt;", "&gt;", "&quot;"}, NULL, NULL, NULL},
    {"&<>\"'", (const char *const[]){"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"}, NULL, NULL,
     NULL},
    {"&<>\"'", (const char *const[]){"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"}, NULL, NULL, NULL},
    {"&<>\"'", (const char *const[]){"&amp;", "&lt;", "&gt;", "&quot;", "&#x27;"}, NULL, NULL,
     NULL},
    {"&<>\"'\n\r\t",
     (const char *const[]){"&amp;", "&lt;", "&gt;", "&#34;", "&#39;", "&#xA;", "&#xD;", "&#x9;"},
     NULL, NULL, NULL},
    {"&<>\"'\n\r\t",
     (const char *const[]){"&amp;", "&lt;", "&gt;", "&quot;", "&#39;", "&#10;", "&#13;", "&#9;"},
     NULL, NULL, NULL},
    /* shells: within single quotes in both usual ways, within double ones, printf %q, $'…' */
    {"'", (const char *const[]){"'\\''"}, NULL, NULL, NULL},
    {"'", (const char *const[]){"'\"'\"'"}, NULL, NULL, NULL},
    {"", NULL, NULL, NULL, "\"\\$`"},
    {"", NULL, NULL, NULL, " \t!\"#$&'()*;<=>?[\\]^`{|}~,"},
    {"", NULL, NULL, NULL, " \t!\"#$&'()*;<>?[\\]^`{|},"},
    {"\n\r\t", (const char *const[]){"\\n", "\\r", "\\t"}, "\\", NULL, "'\\"},
    {"\n\r\t", (const char *const[]){"\\n", "\\r", "\\t"}, "\\x", LOWER, "'\\"},
};

/* The character that begins there, and its length; 0: it is no UTF-8. */
static size_t character(const unsigned char *at, size_t left, unsigned int *code) {
    size_t length = *at < 0x80             ? 1
                    : (*at & 0xE0) == 0xC0 ? 2
                    : (*at & 0xF0) == 0xE0 ? 3
                    : (*at & 0xF8) == 0xF0 ? 4
                                           : 0;
    if (length == 0 || length > left)
        return 0;
    *code = length == 1 ? *at : *at & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
        *code = *code << 6 | (at[i] & 0x3F);
    }
    return length;
}

/* JSON of letters of ASCII alone, as Python's. Other bytes than UTF-8 have no such form. */
static int add_ascii_json(struct forms *forms, struct error *err) {
    const struct escape *least = &escapes[0];
    for (size_t i = 0; i < forms->length;) {
        unsigned int code;
        size_t length = character(forms->secret + i, forms->length - i, &code);
        if (length == 0) {
            text_truncate(&forms->form, 0);
            return 0;
        }
        const char *at = code != 0 && code < 0x80 ? strchr(least->bytes, (int)code) : NULL;
        if (at != NULL)
            text_add(&forms->form, least->words[at - least->bytes]);
        else if (code >= 0x10000)
            text_printf(&forms->form, "\\u%04x\\u%04x", 0xD800 + ((code - 0x10000) >> 10),
                        0xDC00 + ((code - 0x10000) & 0x3FF));
        else if (code < 0x20 || code > 0x7E)
            text_printf(&forms->form, "\\u%04x", code);
        else
            text_add_char(&forms->form, (char)code);
        i += length;
    }
    return add(forms, err);
}

static int add_all(struct forms *forms, struct error *err) {
    text_append(&forms->form, forms->secret, forms->length);
    if (add(forms, err) < 0)
        return -1;
    for (size_t before = 0; before < 3; before++)
        if (add_base64(forms, before, false, err) < 0 || add_base64(forms, before, true, err) < 0)
            return -1;
    if (add_hex(forms, LOWER, err) < 0 || add_hex(forms, UPPER, err) < 0 ||
        add_percent(forms, "-._~", UPPER, false, err) < 0 ||
        add_percent(forms, "-._~", LOWER, false, err) < 0 ||
        add_percent(forms, "-._~!'()*", UPPER, false, err) < 0 ||
        add_percent(forms, "-._~/", UPPER, false, err) < 0 ||
        add_percent(forms, "-._*", UPPER, true, err) < 0 ||
        add_percent(forms, "-._~", UPPER, true, err) < 0 ||
        add_percent(forms, "", LOWER, false, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
        if (add_escaped(forms, &escapes[i], err) < 0)
            return -1;
    return add_ascii_json(forms, err);
}

int redact_forms(const char *secret, size_t length, add_form *add_one, void *context,
                 struct error *err) {
    struct forms forms = {.secret = (const unsigned char *)secret,
                          .length = length,
                          .add = add_one,
                          .context = context};
    int result = length > 0 ? add_all(&forms, err) : 0;
    text_clear(&forms.form);
    return result;
}

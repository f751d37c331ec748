#include "gate/reference.h"

#include <string.h>

#include "gate/base/text.h"
#include "tests/fuzz/fuzz.h"

static void check_parsed(const struct reference *parsed) {
    struct error err = {0};
    fuzz_require(strlen(parsed->image) <= REFERENCE_NAME_LIMIT);
    fuzz_require(strlen(parsed->image) == strlen(parsed->domain) + 1 + strlen(parsed->path));
    fuzz_require(string_has_prefix(parsed->image, parsed->domain));
    fuzz_require(string_has_suffix(parsed->image, parsed->path));
    fuzz_require(parsed->tag == NULL || reference_tag_valid(parsed->tag));
    fuzz_require(parsed->digest == NULL || digest_valid(parsed->digest));
    struct reference copy;
    fuzz_require(reference_copy(parsed, &copy, &err) == 0);
    fuzz_require(string_equal(copy.image, parsed->image));
    reference_clear(&copy);
    (void)reference_domain_is_loopback(parsed->domain);
    fuzz_require(strlen(reference_api_host(parsed->domain)) > 0);
}

/* What is written with this name is parsed into the same again. */
static void check_again(const struct reference *parsed, const char *name) {
    struct error err = {0};
    struct reference again;
    char *text = reference_text(name, parsed->tag, parsed->digest, &err);
    fuzz_require(text != NULL);
    fuzz_require(reference_parse(text, &again, &err) == 0);
    fuzz_require(string_equal(again.image, parsed->image));
    fuzz_require(string_equal(again.domain, parsed->domain));
    fuzz_require(string_equal(again.tag, parsed->tag));
    fuzz_require(string_equal(again.digest, parsed->digest));
    reference_clear(&again);
    free(text);
}

FUZZ_TARGET(reference) {
    (void)digest_at((const char *)bytes, size);
    char *text = fuzz_string(bytes, size);
    struct error err = {0};
    struct reference parsed;
    if (reference_parse(text, &parsed, &err) == 0) {
        check_parsed(&parsed);
        check_again(&parsed, parsed.image);
        check_again(&parsed, reference_familiar(parsed.image));
        reference_clear(&parsed);
    } else {
        fuzz_require(err.kind == ERROR_INPUT && parsed.image == NULL && parsed.tag == NULL);
    }
    (void)reference_tag_valid(text);
    (void)reference_domain_is_loopback(text);
    (void)digest_valid(text);
    error_clear(&err);
    free(text);
}

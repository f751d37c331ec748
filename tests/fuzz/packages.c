/* The first byte chooses the format, the second the size of the pieces; the rest is a database. */
#include "runners/package_list.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"

static int read_in_pieces(const char *bytes, size_t size, size_t step, enum package_format format,
                          struct package_list *list, struct error *err) {
    struct package_reader reader = {.format = format, .list = list};
    for (size_t at = 0; at < size; at += step)
        if (package_reader_feed(&reader, bytes + at, size - at < step ? size - at : step, err) < 0)
            return -1;
    return package_reader_end(&reader, err) < 0 ? -1 : package_list_settle(list, err);
}

/* Sorted, each name once, words alone; and the same list whatever the pieces are. */
FUZZ_TARGET(packages) {
    if (size < 2)
        return;
    struct package_list whole = {0};
    struct package_list pieces = {0};
    struct error err = {0};
    struct error other = {0};
    enum package_format format = bytes[0] % 2 == 0 ? PACKAGES_DPKG : PACKAGES_APK;
    const char *text = (const char *)bytes + 2;
    int one = read_in_pieces(text, size - 2, size, format, &whole, &err);
    int two = read_in_pieces(text, size - 2, 1 + bytes[1] % 32, format, &pieces, &other);
    fuzz_require(one == two && err.kind == other.kind);
    fuzz_require(one == 0 || err.kind == ERROR_INPUT);
    fuzz_require(one < 0 || whole.count == pieces.count);
    for (size_t i = 0; one == 0 && i < whole.count; i++) {
        const struct package *package = &whole.items[i];
        fuzz_require(i == 0 || strcmp(package[-1].name, package->name) < 0);
        fuzz_require(strcmp(package->name, pieces.items[i].name) == 0 &&
                     strcmp(package->version, pieces.items[i].version) == 0);
        fuzz_require(package->name[0] != '\0' && package->version[0] != '\0');
        for (const char *c = package->name; *c != '\0'; c++)
            fuzz_require(*c > ' ' && *c < 0x7f);
        for (const char *c = package->version; *c != '\0'; c++)
            fuzz_require(*c >= ' ' && *c < 0x7f);
    }
    package_list_clear(&whole);
    package_list_clear(&pieces);
    error_clear(&err);
    error_clear(&other);
}

#include "pipelines/config.h"

#include <string.h>

#include "gate/base/text.h"
#include "tests/fuzz/fuzz.h"

static const char name[] = "pingate.yaml";

FUZZ_TARGET(config) {
    struct error err = {0};
    struct config config = {0};
    if (config_parse(name, (const char *)bytes, size, &config, &err) == 0) {
        fuzz_require(err.kind == ERROR_NONE);
        (void)config_rule_for(&config, "docker.io/library/redis", "7");
        for (size_t i = 0; i < config.tests.count; i++)
            fuzz_require(config.tests.items[i].name != NULL && config.tests.items[i].name[0] != 0);
    } else {
        /* Every message says where. */
        fuzz_require(err.kind == ERROR_CONFIG || err.kind == ERROR_LIMIT);
        fuzz_require(string_has_prefix(error_message(&err), "pingate.yaml"));
    }
    config_clear(&config);
    error_clear(&err);
}

#include "gate/registry/retry.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/http.h"

bool retry_status(long status) {
    return status == 408 || status == 429 || (status >= 500 && status != 501);
}

int64_t retry_delay_ms(unsigned int tries) {
    int64_t delay_ms = RETRY_FIRST_DELAY_MS;
    for (unsigned int i = 1; i < tries && delay_ms < RETRY_LONGEST_DELAY_MS; i++)
        delay_ms *= 2;
    return delay_ms < RETRY_LONGEST_DELAY_MS ? delay_ms : RETRY_LONGEST_DELAY_MS;
}

int64_t retry_after_ms(const char *header, int64_t now_ms) {
    if (header == NULL || *header == '\0')
        return -1;
    if (strspn(header, "0123456789") == strlen(header)) {
        if (strlen(header) > 10) /* 300 years */
            return INT64_MAX;
        return strtoll(header, NULL, 10) * 1000;
    }
    int64_t at_ms = http_date_ms(header);
    if (at_ms < 0)
        return -1;
    return at_ms > now_ms ? at_ms - now_ms : 0;
}

/*  A jq program in the words of libjq 1.6: one that is in them already stays as it is. */
#include "apic/core/helpers/jq_dialect.h"
#include "base/auto.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *program = strndup((const char *)data, size);
    AUTO_STR once = STR_EMPTY, twice = STR_EMPTY;
    jq_dialect_put(program, &once);
    jq_dialect_put(once.data, &twice);
    if (strcmp(once.data, twice.data) != 0)
        abort();
    return 0;
}

/*  kurtosis.yml: any bytes are read or refused. */
#include "apic/packages/manifest.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(packages_manifest) manifest = NULL;
    AUTO(err) err = NULL;
    packages_manifest_parse((const char *)data, size, &manifest, &err);
    return 0;
}

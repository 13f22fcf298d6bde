/*  Compose files: any bytes become a script or are refused. */
#include "apic/compose/compose.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/kurtosis-fuzz-compose-XXXXXX";

static void
remove_folder(void)
{
    if (chdir(folder) == 0) {
        unlink("compose.yml");
        unlink(".env");
        rmdir(folder);
    }
}

static void
put(const char *name, const uint8_t *data, size_t size)
{
    AUTO_FREE char *path = str_format("%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
        abort();
}

static void
ignore(void *arg, const char *text)
{
    (void)arg;
    (void)text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_made;
    if (!is_made) {
        if (!mkdtemp(folder))
            abort();
        atexit(remove_folder);
        is_made = true;
    }
    AUTO_STR out = STR_EMPTY;
    AUTO(err) err = NULL;
    put("compose.yml", data, size);
    put(".env", data, size);
    compose_transpile(folder, "compose.yml", ignore, NULL, &out, &err);
    err_destroy(&err);
    put(".env", (const uint8_t *)"A=b\n", 4);
    compose_transpile(folder, "compose.yml", ignore, NULL, &out, &err);
    return 0;
}

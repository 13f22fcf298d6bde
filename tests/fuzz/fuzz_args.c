/*  Arguments of a run, JSON or YAML, from the user to the script: what the client makes of them the
 * server can read, and a client makes the same of it again. */
#include "sdk/sdk.h"
#include "starlark/starlark.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_MAX ((size_t)256 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the interpreter reads. */
static void
read_as_server(const str_t *json)
{
    const star_options_t options = {.limits = {.memory = MEMORY_MAX}};
    star_t *star = NULL;
    if (star_new(&options, &star) < 0)
        abort();
    star_value_t value = star_json_decode(star, json->data, json->len);
    if (!star_ok(value)) {
        const star_error_t *error = star_error(star);
        fprintf(stderr, "%s: %s\n", json->data, error ? error->message : "");
        abort();
    }
    star_destroy(&star);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = strndup((const char *)data, size);
    AUTO_STR json = STR_EMPTY, again = STR_EMPTY;
    AUTO(err) err = NULL;
    if (starlark_params_to_json(text, &json, &err) < 0)
        return 0;
    read_as_server(&json);
    if (json.data[0] != '{')
        return 0;
    if (starlark_params_to_json(json.data, &again, NULL) < 0 ||
        strcmp(json.data, again.data) != 0) {
        fprintf(stderr, "%s\n%s\n", json.data, again.data);
        abort();
    }
    return 0;
}

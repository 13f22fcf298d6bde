/*  A template over data: the text up to a NUL or the end is the template, what follows is JSON
 * ("{}" when there is none). Whatever they are, there is a text or an error; data in its canonical
 * form renders as well. */
#include "apic/template/template.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\0', size);
    size_t text_size = end ? (size_t)(end - data) : size;
    const char *json = end ? (const char *)end + 1 : "{}";
    size_t json_size = end ? size - text_size - 1 : 2;
    AUTO(template) page = NULL;
    AUTO(err) err = NULL;
    AUTO_STR out = STR_EMPTY, canonical = STR_EMPTY, again = STR_EMPTY;

    if (template_json_normalise(json, json_size, &canonical, NULL) == 0 &&
        template_json_normalise(canonical.data, canonical.len, &again, NULL) == 0 &&
        strcmp(canonical.data, again.data) != 0)
        abort();
    if (template_parse("fuzz", (const char *)data, text_size, &page, &err) < 0)
        return 0;
    if (template_execute(page, json, json_size, &out, &err) < 0 && !err)
        abort();
    return 0;
}

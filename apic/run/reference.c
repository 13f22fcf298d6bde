/*  reference: finds and replaces references. */
#include "apic/run/reference.h"

#include "apic/types/types.h"

#include <string.h>

#define OPEN "{{kurtosis:"
#define CLOSE ".runtime_value}}"

typedef void put_fn(const types_datum_t *value, str_t *out);

char *
run_reference(const char *uuid, const char *field)
{
    return str_format(OPEN "%s:%s" CLOSE, uuid, field);
}

static bool
is_field(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

/* Does a reference start here? The field goes up to the last ".runtime_value}}" that field
 * characters reach. */
static bool
match(const char *text, size_t size, size_t start, run_reference_t *ret)
{
    const size_t open = strlen(OPEN), close = strlen(CLOSE);
    size_t at = start + open;
    if (size - start < open + UUID_LEN + 1 + 1 + close)
        return false;
    for (size_t i = 0; i < UUID_LEN; i++, at++)
        if (!((text[at] >= '0' && text[at] <= '9') || (text[at] >= 'a' && text[at] <= 'f')))
            return false;
    if (text[at++] != ':')
        return false;
    size_t end = at;
    while (end < size && is_field(text[end]))
        end++;
    /* the field's characters include those of CLOSE but for the braces, so the name ends where they
     * begin */
    const size_t name = close - 2; /* ".runtime_value" */
    if (end - at < name + 1 || size - end < 2 || text[end] != '}' || text[end + 1] != '}' ||
        memcmp(text + end - name, CLOSE, name) != 0)
        return false;
    ret->start = start;
    ret->end = end + 2;
    memcpy(ret->uuid, text + start + open, UUID_LEN);
    ret->uuid[UUID_LEN] = '\0';
    ret->field = at;
    ret->field_end = end - name;
    return true;
}

bool
run_reference_find(const char *text, size_t size, size_t from, run_reference_t *ret)
{
    while (from < size) {
        const char *open = memmem(text + from, size - from, OPEN, strlen(OPEN));
        if (!open)
            return false;
        if (match(text, size, (size_t)(open - text), ret))
            return true;
        from = (size_t)(open - text) + 1;
    }
    return false;
}

static int
get(run_store_t *store, const char *text, const run_reference_t *found, types_datum_t *ret,
    err_t **err)
{
    AUTO_FREE char *field = strndup(text + found->field, found->field_end - found->field);
    if (run_store_get(store, found->uuid, field, ret, err) < 0)
        return err_wrap(err, "An error happened getting runtime value from regex match '%.*s'",
                        (int)(found->end - found->start), text + found->start);
    return 0;
}

static int
replace(run_store_t *store, const char *text, size_t size, put_fn *put, str_t *out, err_t **err)
{
    run_reference_t found;
    size_t at = 0;
    while (run_reference_find(text, size, at, &found)) {
        types_datum_t value = TYPES_DATUM_EMPTY;
        str_add_bytes(out, text + at, found.start - at);
        const int rc = get(store, text, &found, &value, err);
        if (rc == 0)
            put(&value, out);
        types_datum_done(&value);
        if (rc < 0)
            return rc;
        at = found.end;
    }
    str_add_bytes(out, text + at, size - at);
    return 0;
}

static void
put_raw(const types_datum_t *value, str_t *out)
{
    str_add_bytes(out, value->text.data, value->text.len);
}

/* References only stand inside JSON strings, for that is where a text of a script ends up. */
static void
put_escaped(const types_datum_t *value, str_t *out)
{
    AUTO_STR quoted = STR_EMPTY;
    types_json_quote(&quoted, value->text.data, value->text.len);
    str_add_bytes(out, quoted.data + 1, quoted.len - 2);
}

int
run_reference_replace(run_store_t *store, const char *text, size_t size, str_t *out, err_t **err)
{
    return replace(store, text, size, put_raw, out, err);
}

int
run_reference_replace_json(run_store_t *store, const char *text, size_t size, str_t *out,
                           err_t **err)
{
    return replace(store, text, size, put_escaped, out, err);
}

int
run_reference_replace_text(run_store_t *store, const char *text, char **ret, err_t **err)
{
    AUTO_STR out = STR_EMPTY;
    if (replace(store, text, strlen(text), put_raw, &out, err) < 0)
        return -1;
    *ret = str_take(&out);
    return 0;
}

int
run_reference_value(run_store_t *store, const char *text, size_t size, types_datum_t *ret,
                    err_t **err)
{
    run_reference_t found;
    if (run_reference_find(text, size, 0, &found) && found.start == 0 && found.end == size)
        return get(store, text, &found, ret, err);
    AUTO_STR out = STR_EMPTY;
    if (replace(store, text, size, put_raw, &out, err) < 0)
        return -1;
    types_datum_set_string(ret, out.data, out.len);
    return 0;
}

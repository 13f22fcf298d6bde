/*  cast: from Starlark values to C. */
#include "apic/types/types.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
types_cast_text(star_value_t value, const char *what, char **ret, err_t **err)
{
    size_t size;
    if (star_kind(value) != STAR_STRING)
        return err_fail(err, ERR_INVALID, "'%s' is expected to be a string. Got %s", what,
                        types_go_name(value));
    const char *text = star_get_text(value, &size);
    if (strlen(text) != size)
        return err_fail(err, ERR_INVALID, "'%s' holds a zero byte, which no program can be given",
                        what);
    *ret = strdup(text);
    return 0;
}

int
types_cast_field(const types_field_t *field, star_value_t value, char **ret, err_t **err)
{
    if (star_ok(value))
        return types_cast_text(value, field->name, ret, err);
    *ret = field->fallback ? strdup(field->fallback) : NULL;
    return 0;
}

int
types_cast_texts(star_t *star, star_value_t value, const char *what, char ***ret, err_t **err)
{
    const star_kind_t kind = star_ok(value) ? star_kind(value) : STAR_LIST;
    if (kind != STAR_LIST && kind != STAR_TUPLE && kind != STAR_DICT && kind != STAR_SET)
        return err_fail(err, ERR_INVALID, "'%s' argument is expected to be an iterable. Got %s",
                        what, types_go_name(value));
    const size_t count = star_ok(value) ? (size_t)star_length(value) : 0;
    char **texts = calloc(count + 1, sizeof(*texts));
    star_iter_t iter;
    star_value_t item;
    int rc = 0;
    if (count && star_iter_begin(star, value, &iter) == 0) {
        for (size_t i = 0; rc == 0 && i < count && star_iter_next(star, &iter, &item) == 1; i++) {
            AUTO_FREE char *place = str_format("%s[%zu]", what, i);
            rc = types_cast_text(item, place, &texts[i], err);
        }
        star_iter_end(star, &iter);
    }
    if (rc < 0) {
        types_texts_free(texts);
        return rc;
    }
    *ret = texts;
    return 0;
}

void
types_texts_free(char **texts)
{
    for (size_t i = 0; texts && texts[i]; i++)
        free(texts[i]);
    free(texts);
}

int
types_cast_pairs(star_t *star, star_value_t value, const char *what, types_pairs_t *ret,
                 err_t **err)
{
    if (star_ok(value) && star_kind(value) != STAR_DICT)
        return err_fail(err, ERR_INVALID, "'%s' argument is expected to be a dict. Got %s", what,
                        types_go_name(value));
    types_pairs_t pairs = {NULL, 0};
    const size_t count = star_ok(value) ? (size_t)star_length(value) : 0;
    pairs.items = calloc(count ? count : 1, sizeof(*pairs.items));
    star_value_t key, item;
    for (size_t cursor = 0; count && star_dict_next(value, &cursor, &key, &item);) {
        types_pair_t *pair = &pairs.items[pairs.count++];
        AUTO_FREE char *key_place = NULL, *place = NULL;
        if (star_kind(key) != STAR_STRING) {
            key_place = types_text(star, key);
            err_fail(err, ERR_INVALID, "'%s.key:%s' is expected to be a string. Got %s", what,
                     key_place, types_go_name(key));
            types_pairs_done(&pairs);
            return -1;
        }
        key_place = str_format("%s.key:%s", what, star_get_text(key, NULL));
        place = str_format("%s[\"%s\"]", what, star_get_text(key, NULL));
        if (types_cast_text(key, key_place, &pair->name, err) < 0 ||
            types_cast_text(item, place, &pair->value, err) < 0) {
            types_pairs_done(&pairs);
            return -1;
        }
    }
    *ret = pairs;
    return 0;
}

void
types_pairs_done(types_pairs_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free(self->items[i].name);
        free(self->items[i].value);
    }
    free(self->items);
    *self = (types_pairs_t){NULL, 0};
}

bool
types_get_uint(star_t *star, star_value_t value, uint64_t *ret)
{
    int64_t number;
    if (star_kind(value) != STAR_INT)
        return false;
    if (star_get_int(value, &number)) {
        *ret = (uint64_t)number;
        return number >= 0;
    }
    AUTO_FREE char *text = types_text(star, value);
    errno = 0;
    *ret = strtoull(text, NULL, 10);
    return text[0] != '-' && errno == 0;
}

bool
types_get_bool(star_value_t value, bool fallback)
{
    return star_ok(value) ? star_get_bool(value) : fallback;
}

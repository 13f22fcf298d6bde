/*  datum: values that outlive their interpreter. */
#include "apic/types/datum.h"

#include "apic/types/types.h"

#include <string.h>

void
types_datum_done(types_datum_t *self)
{
    str_done(&self->text);
    self->is_string = true;
}

void
types_datum_from(types_datum_t *self, star_t *star, star_value_t value)
{
    size_t size;
    if (star_kind(value) == STAR_STRING) {
        const char *bytes = star_get_text(value, &size);
        types_datum_set_string(self, bytes, size);
        return;
    }
    star_text_t text;
    star_text_init(&text, star);
    if (star_kind(value) == STAR_OTHER)
        types_text_put(star, value, &text);
    else
        star_repr(star, value, &text); /* what is shown of a tuple of one value makes the value */
    types_datum_done(self);
    self->is_string = false;
    str_add_bytes(&self->text, text.data ? text.data : "", text.length);
    star_text_done(&text);
}

void
types_datum_set_string(types_datum_t *self, const char *bytes, size_t size)
{
    types_datum_done(self);
    str_add_bytes(&self->text, bytes, size);
}

void
types_datum_set_int(types_datum_t *self, int64_t value)
{
    types_datum_done(self);
    self->is_string = false;
    str_printf(&self->text, "%lld", (long long)value);
}

void
types_datum_copy(types_datum_t *self, const types_datum_t *other)
{
    types_datum_done(self);
    self->is_string = other->is_string;
    str_add_bytes(&self->text, other->text.data, other->text.len);
}

star_value_t
types_datum_value(const types_datum_t *self, star_t *star)
{
    return self->is_string ? star_string(star, self->text.data, self->text.len)
                           : types_text_value(star, self->text.data, self->text.len);
}

star_value_t
types_text_value(star_t *star, const char *text, size_t size)
{
    star_value_t env = star_dict_new(star);
    types_put(star, env);
    star_dict_put(star, env, "struct", star_lib_struct(star));
    star_dict_put(star, env, "json", star_lib_json(star));
    star_dict_put(star, env, "time", star_lib_time(star));
    return star_eval(star, "<value>", text, size, env);
}

void
types_datum_repr(const types_datum_t *self, str_t *out)
{
    star_t *star = NULL;
    if (!self->is_string || star_new(NULL, &star) < 0) {
        str_add_bytes(out, self->text.data, self->text.len);
        return;
    }
    star_text_t text;
    star_text_init(&text, star);
    star_quote(&text, self->text.data, self->text.len);
    str_add_bytes(out, text.data ? text.data : "", text.length);
    star_text_done(&text);
    star_destroy(&star);
}

/*  object: values of our types. */
#include "apic/types/object.h"

#include <string.h>

/* All constructors, in the order of the documentation. */
static const types_type_t *const types[] = {
    &types_service,
    &types_directory,
    &types_exec_recipe,
    &types_get_recipe,
    &types_post_recipe,
    &types_port_spec,
    &types_store_spec,
    &types_service_config,
    &types_ready_condition,
    &types_image_build_spec,
    &types_nix_build_spec,
    &types_image_spec,
    &types_user,
    &types_toleration,
    &types_gpu_config,
};

typedef struct {
    size_t count; /* fields with the description */
    star_value_t values[];
} object_t;

static star_value_t
construct(star_t *star, const star_args_t *args)
{
    const types_type_t *type = args->user;
    star_value_t values[TYPES_FIELDS_MAX];
    if (types_bind(star, &type->table, args, values) < 0)
        return STAR_ABSENT;
    return types_object_new(star, type, values);
}

const types_type_t *
types_type_at(size_t index)
{
    return index < ARRAY_LEN(types) ? types[index] : NULL;
}

int
types_put(star_t *star, star_value_t env)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (star_dict_put(
                star, env, types[i]->base.name,
                star_function_new(star, types[i]->base.name, construct, (void *)types[i])) < 0)
            return -1;
    return 0;
}

const types_type_t *
types_type_of(star_value_t value)
{
    const star_type_t *base = star_object_type(value);
    return base && base->attr == types_object_attr ? (const types_type_t *)base : NULL;
}

const star_value_t *
types_values(star_value_t value, const types_type_t *type)
{
    const object_t *object =
        types_type_of(value) == type ? star_object_data(value, &type->base) : NULL;
    return object ? object->values : NULL;
}

star_value_t
types_object_new(star_t *star, const types_type_t *type, const star_value_t *values)
{
    const size_t count = type->table.count + 1;
    star_value_t self =
        star_object_new(star, &type->base, sizeof(object_t) + count * sizeof(star_value_t));
    if (!star_ok(self))
        return STAR_ABSENT;
    object_t *object = star_object_data(self, &type->base);
    object->count = count;
    memcpy(object->values, values, count * sizeof(star_value_t));
    return self;
}

star_value_t
types_copy(star_t *star, star_value_t value)
{
    const star_kind_t kind = star_kind(value);
    star_value_t copy, key, item;
    if (kind == STAR_DICT) {
        copy = star_dict_new(star);
        for (size_t cursor = 0; star_dict_next(value, &cursor, &key, &item);)
            if (star_dict_set(star, copy, types_copy(star, key), types_copy(star, item)) < 0)
                return STAR_ABSENT;
        return copy;
    }
    if (kind != STAR_LIST && kind != STAR_TUPLE)
        return value;
    copy = star_list(star, NULL, 0);
    for (size_t i = 0; star_ok(item = star_at(value, i)); i++)
        if (star_list_append(star, copy, types_copy(star, item)) < 0)
            return STAR_ABSENT;
    if (kind == STAR_LIST)
        return copy;
    const size_t count = (size_t)star_length(copy);
    AUTO_FREE star_value_t *items = malloc((count ? count : 1) * sizeof(*items));
    for (size_t i = 0; i < count; i++)
        items[i] = star_at(copy, i);
    return star_tuple(star, items, count);
}

static const char *
field_name(const types_type_t *type, size_t index)
{
    return index < type->table.count ? type->table.fields[index].name : "description";
}

int
types_object_attr(star_t *star, star_value_t self, const char *name, star_value_t *ret_value)
{
    const types_type_t *type = types_type_of(self);
    const object_t *object = star_object_data(self, &type->base);
    for (size_t i = 0; i < object->count; i++) {
        if (!star_ok(object->values[i]) || strcmp(field_name(type, i), name) != 0)
            continue;
        *ret_value = types_copy(star, object->values[i]);
        return star_ok(*ret_value) ? 1 : -1;
    }
    return 0;
}

int
types_object_dir(star_t *star, star_value_t self, star_value_t list)
{
    const types_type_t *type = types_type_of(self);
    const object_t *object = star_object_data(self, &type->base);
    for (size_t i = 0; i < object->count; i++)
        if (star_ok(object->values[i]) &&
            star_list_append(star, list, star_string(star, field_name(type, i), (size_t)-1)) < 0)
            return -1;
    return 0;
}

int
types_object_repr(star_t *star, star_value_t self, star_text_t *text)
{
    const types_type_t *type = types_type_of(self);
    const object_t *object = star_object_data(self, &type->base);
    types_call_put(star, &type->table, object->values, text);
    return text->failed ? -1 : 0;
}

int
types_object_equal(star_t *star, star_value_t self, star_value_t other)
{
    const types_type_t *type = types_type_of(self);
    const object_t *one = star_object_data(self, &type->base);
    const object_t *two = star_object_data(other, &type->base);
    for (size_t i = 0; i < one->count; i++) {
        if (star_ok(one->values[i]) != star_ok(two->values[i]))
            return 0;
        const int equal =
            star_ok(one->values[i]) ? star_equal(star, one->values[i], two->values[i]) : 1;
        if (equal != 1)
            return equal;
    }
    return 1;
}

int
types_object_hash(star_t *star, star_value_t self, uint32_t *ret_hash)
{
    const types_type_t *type = types_type_of(self);
    const object_t *object = star_object_data(self, &type->base);
    uint32_t hash = 8731, one;
    for (size_t i = 0; i < object->count; i++) {
        if (!star_ok(object->values[i]))
            continue;
        if (star_hash(star, object->values[i], &one) < 0)
            return -1;
        hash = (hash * 31 + (uint32_t)i) * 31 + one;
    }
    *ret_hash = hash;
    return 0;
}

void
types_object_visit(void *data, star_visitor_t *visitor)
{
    const object_t *object = data;
    for (size_t i = 0; i < object->count; i++)
        if (star_ok(object->values[i]))
            star_visit(visitor, object->values[i]);
}

/*  object: what every type of ours does as a Starlark value; for the files with the tables. */
#ifndef KURTOSIS_APIC_TYPES_OBJECT_H
#define KURTOSIS_APIC_TYPES_OBJECT_H

#include "apic/types/types.h"

/* Defines a type: its name, how Go's messages spell it, and its table. */
#define TYPES_DEFINE(variable, label, go, fields_)                                                 \
    const types_type_t variable = {                                                                \
        .base = {.name = label,                                                                    \
                 .attr = types_object_attr,                                                        \
                 .dir = types_object_dir,                                                          \
                 .repr = types_object_repr,                                                        \
                 .equal = types_object_equal,                                                      \
                 .hash = types_object_hash,                                                        \
                 .visit = types_object_visit,                                                      \
                 .is_record = true},                                                               \
        .table = {label, fields_, sizeof(fields_) / sizeof((fields_)[0])},                         \
        .go_name = go,                                                                             \
    }

int types_object_attr(star_t *star, star_value_t self, const char *name, star_value_t *ret_value);
int types_object_dir(star_t *star, star_value_t self, star_value_t list);
int types_object_repr(star_t *star, star_value_t self, star_text_t *text);
int types_object_equal(star_t *star, star_value_t self, star_value_t other);
int types_object_hash(star_t *star, star_value_t self, uint32_t *ret_hash);
void types_object_visit(void *data, star_visitor_t *visitor);

#endif

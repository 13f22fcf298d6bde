/*  types: Kurtosis' own Starlark types, and how every builtin of Kurtosis takes its arguments.
 *
 *  A constructor (PortSpec, ServiceConfig, ...) and an instruction (plan.add_service, ...) say what
 * they accept in one table of fields. types_bind() puts the arguments of a call into an array by
 * that table and refuses what does not fit, all bad arguments at once. What a constructor returns
 * is an object whose attributes are the arguments that were given; its text (types_text_put) is the
 * call that makes it again.
 *
 *  Interpreters whose programs use these types have a types_host_t as the first member of their
 * `user`.
 */
#ifndef KURTOSIS_APIC_TYPES_H
#define KURTOSIS_APIC_TYPES_H

#include "base/err.h"
#include "base/str.h"
#include "starlark/starlark.h"

#include <stdint.h>

#define TYPES_FIELDS_MAX 32u /* fields of one table, `description` included */
#define TYPES_NAME_MAX 46u   /* bytes of a field's name */

typedef struct types_type types_type_t;
typedef struct types_field types_field_t;

typedef struct types_host {
    /* Something of the script that should be changed, as a whole line. Equal ones may be dropped.
     */
    void (*warn)(struct types_host *self, const char *text);
} types_host_t;

/* --------------------------------------------------------------------------------------- tables */

enum {
    TYPES_REQUIRED = 1 << 0, /* must be given */
    TYPES_SHOWN = 1 << 1,    /* belongs into the one-line form of an instruction */
};

/* What a value may be, as a set of kinds. */
#define TYPES_ANY 0u
#define TYPES_STRING (1u << STAR_STRING)
#define TYPES_INT (1u << STAR_INT)
#define TYPES_BOOL (1u << STAR_BOOL)
#define TYPES_LIST (1u << STAR_LIST)
#define TYPES_DICT (1u << STAR_DICT)
#define TYPES_NONE (1u << STAR_NONE)

/* Is the value right for the field? False, and why as text, when it is not. */
typedef bool types_check_fn(star_t *star, const types_field_t *field, star_value_t value,
                            str_t *why);

struct types_field {
    const char *name;
    uint32_t want;         /* kinds, TYPES_ANY for every value */
    types_check_fn *check; /* looks before `want` does; NULL: none */
    unsigned flags;
    const char *fallback;     /* what applies when it is not given, as text; NULL: nothing */
    const types_type_t *type; /* the one type of ours that it must have; NULL: none */
    const char *about;        /* its name in messages, where that is another */
    const char *among;        /* "A, B" for types_check_word, "a-z+" for types_check_letters */
    int64_t min;              /* for types_check_range */
    uint64_t max;
    const char *older;      /* an older name that is still accepted, with a warning */
    const char *deprecated; /* "D/M/YYYY. What to do instead": accepted, with a warning */
};

typedef struct {
    const char *name;
    const types_field_t *fields; /* without `description`, which is always the last */
    size_t count;
} types_table_t;

/* A type of ours: what the language must know, and its table. */
struct types_type {
    star_type_t base;
    types_table_t table;
    const char *go_name; /* as messages spell it */
};

extern const types_type_t types_service, types_port_spec, types_service_config, types_directory,
    types_store_spec, types_exec_recipe, types_get_recipe, types_post_recipe, types_ready_condition,
    types_image_spec, types_image_build_spec, types_nix_build_spec, types_user, types_toleration,
    types_gpu_config;

/* ------------------------------------------------------------------------------------ arguments */

/* Puts the arguments into ret_values[0..count], one per field, the description last; absent where
 * not given. -1 after star_fail(): "Cannot construct 'NAME' from the provided arguments." with the
 * reasons. */
int types_bind(star_t *star, const types_table_t *table, const star_args_t *args,
               star_value_t *ret_values);

/* The call as text, "NAME(a=1, b=[2])": only what was given, in the order of the table. values as
 * bound. */
void types_call_put(star_t *star, const types_table_t *table, const star_value_t *values,
                    star_text_t *text);

types_check_fn types_check_text;             /* string, not empty */
types_check_fn types_check_texts;            /* list of those */
types_check_fn types_check_range;            /* int from min to max */
types_check_fn types_check_word;             /* one of `among` */
types_check_fn types_check_letters;          /* string of characters of `among` */
types_check_fn types_check_duration;         /* "1m30s", or "" */
types_check_fn types_check_duration_or_none; /* "1m30s", or None */
types_check_fn types_check_pairs;            /* dict of string to string */
types_check_fn types_check_url;
types_check_fn types_check_labels;
types_check_fn types_check_assertion;
types_check_fn types_check_target; /* a value that can be compared */

/* --------------------------------------------------------------------------------------- values */

/* The types by number, from 0; NULL past the last one. */
const types_type_t *types_type_at(size_t index);
/* Puts all constructors into the dict `env`. */
int types_put(star_t *star, star_value_t env);

/* The values of an object of this type, by field; NULL if it is none. Lent as long as the object
 * lives. */
const star_value_t *types_values(star_value_t value, const types_type_t *type);
/* The type of an object of ours; NULL for other values. */
const types_type_t *types_type_of(star_value_t value);
/* An object as the constructor would make it, from values by field (absent: not given); unchecked.
 */
star_value_t types_object_new(star_t *star, const types_type_t *type, const star_value_t *values);
/* A copy of lists, dicts, tuples and sets, recursively; anything else itself. */
star_value_t types_copy(star_t *star, star_value_t value);

/* A value as text that makes it again: what is stored, compared and shown. */
void types_text_put(star_t *star, star_value_t value, star_text_t *text);
/* The same as fresh memory: yours, free(). */
char *types_text(star_t *star, star_value_t value);

/* How messages spell the type of a value: "starlark.String", "*port_spec.PortSpec". Lent. */
const char *types_go_name(star_value_t value);

/* ---------------------------------------------------------------------------------------- casts */

/* From values to C, with the messages that name the place. All results are yours. */
int types_cast_text(star_value_t value, const char *what, char **ret, err_t **err);
/* The field's text: what was given, else the table's fallback (NULL when there is none). */
int types_cast_field(const types_field_t *field, star_value_t value, char **ret, err_t **err);
/* A NULL-terminated array from a list; an absent value gives an empty one. */
int types_cast_texts(star_t *star, star_value_t value, const char *what, char ***ret, err_t **err);
void types_texts_free(char **texts);

/* Names and values in order. */
typedef struct {
    char *name, *value;
} types_pair_t;
typedef struct {
    types_pair_t *items;
    size_t count;
} types_pairs_t;
/* From a dict; an absent value gives none. */
int types_cast_pairs(star_t *star, star_value_t value, const char *what, types_pairs_t *ret,
                     err_t **err);
void types_pairs_done(types_pairs_t *self);

/* False when it is no int of 0..2^64-1. */
bool types_get_uint(star_t *star, star_value_t value, uint64_t *ret);
/* The bool, or fallback when it is absent. */
bool types_get_bool(star_value_t value, bool fallback);

/* Fails the running builtin with an error chain: "text\n\tCaused by: text". Takes the chain;
 * returns absent. */
star_value_t types_fail(star_t *star, err_t **err_p);
/* A chain in the form of interpretation and validation errors; yours, free(). */
char *types_err_text(const err_t *err);

/* Appends text as a JSON string the way Go writes it, '<', '>' and '&' escaped too. */
void types_json_quote(str_t *out, const char *text, size_t size);

#endif

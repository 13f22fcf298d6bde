/*  check: the validators that several fields share. */
#include "apic/types/types.h"
#include "base/duration.h"

#include <ctype.h>
#include <string.h>

static const char *
about(const types_field_t *field)
{
    return field->about ? field->about : field->name;
}

/* A string that is not empty; `what` names it in the message. */
static bool
check_text(star_value_t value, const char *what, str_t *why)
{
    size_t size;
    if (star_kind(value) != STAR_STRING) {
        str_printf(why, "Value for '%s' was expected to be a starlark.String but was '%s'", what,
                   types_go_name(value));
        return false;
    }
    star_get_text(value, &size);
    if (!size) {
        str_printf(why, "Value for '%s' was an empty string. This is disallowed", what);
        return false;
    }
    return true;
}

bool
types_check_text(star_t *star, const types_field_t *field, star_value_t value, str_t *why)
{
    (void)star;
    return check_text(value, about(field), why);
}

bool
types_check_texts(star_t *star, const types_field_t *field, star_value_t value, str_t *why)
{
    (void)star;
    if (star_kind(value) != STAR_LIST) {
        str_printf(why, "Value for '%s' was expected to be a starlark.List but was '%s'",
                   about(field), types_go_name(value));
        return false;
    }
    for (size_t i = 0; star_ok(star_at(value, i)); i++) {
        AUTO_FREE char *what = str_format("element %zu in argument '%s'", i, about(field));
        if (!check_text(star_at(value, i), what, why))
            return false;
    }
    return true;
}

bool
types_check_range(star_t *star, const types_field_t *field, star_value_t value, str_t *why)
{
    int64_t number;
    uint64_t big;
    AUTO_STR was = STR_EMPTY;
    if (star_kind(value) == STAR_INT) {
        if (star_get_int(value, &number)) {
            if (number >= field->min && (number < 0 || (uint64_t)number <= field->max))
                return true;
        } else if (types_get_uint(star, value, &big) && big <= field->max) {
            return true;
        }
        AUTO_FREE char *text = types_text(star, value);
        str_add(&was, text);
    } else {
        str_printf(&was, "'%s'", types_go_name(value));
    }
    str_printf(why,
               "Value for '%s' was expected to be an integer between %lld and %llu, but it was %s",
               about(field), (long long)field->min, (unsigned long long)field->max, was.data);
    return false;
}

bool
types_check_word(star_t *star, const types_field_t *field, star_value_t value, str_t *why)
{
    (void)star;
    if (!check_text(value, about(field), why))
        return false;
    const char *text = star_get_text(value, NULL);
    for (const char *at = field->among; *at;) {
        const size_t size = strcspn(at, ",");
        if (strlen(text) == size && strncmp(text, at, size) == 0)
            return true;
        at += size;
        at += strspn(at, ", ");
    }
    str_printf(why, "Invalid argument value for '%s': '%s'. Valid values are %s", about(field),
               text, field->among);
    return false;
}

/* Is it one of "a-zA-Z0-9+.-"? */
static bool
is_among(const char *set, char c)
{
    for (; *set; set++) {
        const bool is_range = set[1] == '-' && set[2];
        if (is_range ? c >= set[0] && c <= set[2] : c == set[0])
            return true;
        set += is_range ? 2 : 0;
    }
    return false;
}

bool
types_check_letters(star_t *star, const types_field_t *field, star_value_t value, str_t *why)
{
    (void)star;
    size_t size;
    const char *text = star_get_text(value, &size);
    if (star_kind(value) != STAR_STRING) {
        str_printf(why, "Value for '%s' was expected to be a starlark.String but was '%s'",
                   about(field), types_go_name(value));
        return false;
    }
    for (size_t i = 0; i < size; i++)
        if (!is_among(field->among, text[i])) {
            str_printf(why, "Argument '%s' must match regexp: '^[%s]*$'. Its value was '%s'",
                       about(field), field->among, text);
            return false;
        }
    return true;
}

bool
types_check_duration(star_t *star, const types_field_t *field, star_value_t value, str_t *why)
{
    (void)star;
    if (star_kind(value) != STAR_STRING) {
        str_printf(why, "The '%s' attribute is not a valid string type (was '%s').", about(field),
                   types_go_name(value));
        return false;
    }
    const char *text = star_get_text(value, NULL);
    int64_t ns;
    AUTO(err) err = NULL;
    if (!text[0] || duration_parse(text, &ns, &err) == 0)
        return true;
    str_printf(why,
               "The value '%s' of '%s' attribute is not a valid duration string format\n\tCaused "
               "by: %s",
               text, about(field), err_text(err));
    return false;
}

bool
types_check_duration_or_none(star_t *star, const types_field_t *field, star_value_t value,
                             str_t *why)
{
    return star_kind(value) == STAR_NONE ||
           (check_text(value, about(field), why) && types_check_duration(star, field, value, why));
}

/* A dict of strings to strings. */
static bool
check_pairs(star_t *star, star_value_t value, const char *what, const char *where, str_t *why)
{
    if (star_kind(value) != STAR_DICT) {
        str_printf(why, "Attribute '%s'%s is expected to be a dictionary of strings, got '%s'",
                   what, where, types_go_name(value));
        return false;
    }
    star_value_t key, item;
    for (size_t cursor = 0; star_dict_next(value, &cursor, &key, &item);) {
        if (star_kind(key) != STAR_STRING) {
            str_printf(why, "Key in '%s' dictionary was expected to be a string, got '%s'", what,
                       types_go_name(key));
            return false;
        }
        if (star_kind(item) == STAR_STRING)
            continue;
        AUTO_FREE char *text = types_text(star, key);
        str_printf(why,
                   "Value associated to key '%s' in dictionary '%s' was expected to be a string, "
                   "got '%s'",
                   text, what, types_go_name(value));
        return false;
    }
    return true;
}

bool
types_check_pairs(star_t *star, const types_field_t *field, star_value_t value, str_t *why)
{
    return check_pairs(star, value, about(field), field->among ? field->among : "", why);
}

/* Go's url.ParseQuery: only a bad escape or a ";" is wrong. */
bool
types_check_url(star_t *star, const types_field_t *field, star_value_t value, str_t *why)
{
    if (!check_text(value, about(field), why))
        return false;
    const char *at = star_get_text(value, NULL);
    for (; *at; at++)
        if (*at == ';' ||
            (*at == '%' && !(isxdigit((unsigned char)at[1]) && isxdigit((unsigned char)at[2]))))
            break;
    if (!*at)
        return true;
    AUTO_FREE char *text = types_text(star, value);
    str_printf(why, "Value for '%s' '%s' isn't a valid URI", about(field), text);
    return false;
}

/* A Kubernetes name of 1..63 characters: alphanumeric at both ends, "-_." between. */
static bool
is_qualified(const char *text)
{
    const size_t size = strlen(text);
    if (size < 1 || size > 63 || !isalnum((unsigned char)text[0]) ||
        !isalnum((unsigned char)text[size - 1]))
        return false;
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("-_.", text[i]))
            return false;
    return true;
}

static bool
is_label_key(const char *text)
{
    for (const char *at = text; *at; at++)
        if (!islower((unsigned char)*at) && !isdigit((unsigned char)*at) && !strchr("-._", *at))
            return false;
    return is_qualified(text);
}

bool
types_check_labels(star_t *star, const types_field_t *field, star_value_t value, str_t *why)
{
    if (!check_pairs(star, value, about(field), "", why))
        return false;
    star_value_t key, item;
    for (size_t cursor = 0; star_dict_next(value, &cursor, &key, &item);) {
        const char *name = star_get_text(key, NULL), *text = star_get_text(item, NULL);
        const bool key_fits = is_label_key(name);
        if (key_fits && (!text[0] || is_qualified(text)))
            continue;
        str_add(why, "An error occurred validating service config labels 'map[");
        star_value_t k, v;
        bool first = true;
        for (size_t at = 0; star_dict_next(value, &at, &k, &v); first = false)
            str_printf(why, "%s%s:%s", first ? "" : " ", star_get_text(k, NULL),
                       star_get_text(v, NULL));
        str_printf(why, "]'\n\tCaused by: Invalid service config label %s '%s'\n\tCaused by: %s",
                   key_fits ? "value" : "key", key_fits ? text : name,
                   key_fits
                       ? "a value is empty, or 1 to 63 letters, digits, '-', '_' and '.', with a "
                         "letter or digit at both ends"
                       : "a key is 1 to 63 lower-case letters, digits, '-', '_' and '.', with "
                         "a letter or digit at both ends");
        return false;
    }
    return true;
}

static const char *const assertions[] = {"==", "!=", ">=", ">", "<=", "<", "IN", "NOT_IN"};

bool
types_check_assertion(star_t *star, const types_field_t *field, star_value_t value, str_t *why)
{
    (void)star;
    if (star_kind(value) != STAR_STRING) {
        str_printf(why, "'%s' argument should be a 'starlark.String', got '%s'", about(field),
                   types_go_name(value));
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(assertions); i++)
        if (star_is_text(value, assertions[i]))
            return true;
    str_printf(why, "'%s' argument is invalid, valid values are: '", about(field));
    for (size_t i = 0; i < ARRAY_LEN(assertions); i++)
        str_printf(why, "%s%s", i ? ", " : "", assertions[i]);
    str_add_char(why, '\'');
    return false;
}

bool
types_check_target(star_t *star, const types_field_t *field, star_value_t value, str_t *why)
{
    (void)star;
    switch (star_kind(value)) {
    case STAR_NONE:
    case STAR_FUNCTION:
    case STAR_BUILTIN:
    case STAR_MODULE:
        str_printf(why,
                   "the argument '%s' could not be parsed because their type ('%s') did not match "
                   "the expected ('starlark.Comparable')",
                   field->name, types_go_name(value));
        return false;
    default:
        return true;
    }
}

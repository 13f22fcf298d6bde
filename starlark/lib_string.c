/*  lib_string: the methods of string and bytes. */
#include "starlark/native.h"
#include "starlark/unicode.h"

#define FAIL(...) return star_fail(s, __VA_ARGS__)
#define SELF SL_STRING_OF(args->self)

static value_t
part_of(star_t *s, const sl_string_t *from, size_t start, size_t end)
{
    if (start == 0 && end == from->length)
        return sl_value(from);
    return sl_string_new(s, from->bytes + start, end - start);
}

/* ------------------------------------------------------------------ letters */

static size_t
next_code(const sl_string_t *text, size_t at, uint32_t *ret_code)
{
    size_t n;
    *ret_code = sl_utf8_get(text->bytes + at, text->length - at, &n);
    return n;
}

/* Every code point passes, and there is one. */
static value_t
all_are(star_t *s, const star_args_t *args, bool (*passes)(uint32_t))
{
    uint32_t code;

    if (!sl_positional(s, args, 0, 0))
        return STAR_ABSENT;
    for (size_t i = 0; i < SELF->length;) {
        if (!sl_tick(s))
            return STAR_ABSENT;
        i += next_code(SELF, i, &code);
        if (!passes(code))
            return SL_FALSE;
    }
    return sl_bool(SELF->length > 0);
}

static bool
letter_or_digit(uint32_t code)
{
    return sl_unicode_letter(code) || sl_unicode_digit(code);
}

static value_t
on_isalnum(star_t *s, const star_args_t *args)
{
    return all_are(s, args, letter_or_digit);
}

static value_t
on_isalpha(star_t *s, const star_args_t *args)
{
    return all_are(s, args, sl_unicode_letter);
}

static value_t
on_isdigit(star_t *s, const star_args_t *args)
{
    return all_are(s, args, sl_unicode_digit);
}

static value_t
on_isspace(star_t *s, const star_args_t *args)
{
    return all_are(s, args, sl_unicode_space);
}

/* There is a cased letter, and none of the other case. */
static value_t
is_cased(star_t *s, const star_args_t *args, bool upper)
{
    bool seen = false;
    uint32_t code;

    if (!sl_positional(s, args, 0, 0))
        return STAR_ABSENT;
    for (size_t i = 0; i < SELF->length;) {
        if (!sl_tick(s))
            return STAR_ABSENT;
        i += next_code(SELF, i, &code);
        bool is_upper = sl_unicode_upper(code) || sl_unicode_title(code),
             is_lower = sl_unicode_lower(code);
        if (upper ? is_lower : is_upper)
            return SL_FALSE;
        seen |= upper ? is_upper : is_lower;
    }
    return sl_bool(seen);
}

static value_t
on_islower(star_t *s, const star_args_t *args)
{
    return is_cased(s, args, false);
}

static value_t
on_isupper(star_t *s, const star_args_t *args)
{
    return is_cased(s, args, true);
}

/* Upper-case letters only after uncased ones, lower-case letters only after cased ones. */
static value_t
on_istitle(star_t *s, const star_args_t *args)
{
    bool cased = false, previous = false;
    uint32_t code;

    if (!sl_positional(s, args, 0, 0))
        return STAR_ABSENT;
    for (size_t i = 0; i < SELF->length;) {
        if (!sl_tick(s))
            return STAR_ABSENT;
        i += next_code(SELF, i, &code);
        if (sl_unicode_upper(code) || sl_unicode_title(code)) {
            if (previous)
                return SL_FALSE;
            previous = cased = true;
        } else if (sl_unicode_lower(code)) {
            if (!previous)
                return SL_FALSE;
            previous = cased = true;
        } else {
            previous = false;
        }
    }
    return sl_bool(cased);
}

typedef enum { LOWER, UPPER, TITLE, CAPITAL } casing_t;

enum { ASCII_PIECE = 256 }; /* bytes that are checked at once */

static bool
is_ascii_lower(int c)
{
    return c >= 'a' && c <= 'z';
}

static bool
is_ascii(const sl_string_t *text)
{
    unsigned char all = 0;
    for (uint32_t i = 0; i < text->length && all < 0x80;) {
        uint32_t end = text->length - i > ASCII_PIECE ? i + ASCII_PIECE : text->length;
        for (; i < end; i++)
            all |= (unsigned char)text->bytes[i];
    }
    return all < 0x80;
}

/* Changes the letters of `out`, whose piece from `start` to `end` is looked at. */
static void
change_piece(char *out, const char *in, size_t start, size_t end, casing_t casing)
{
    char flip = 0x20, low = casing == UPPER ? 'a' : 'A';

    for (size_t i = start; i < end; i++)
        out[i] = (char)(in[i] ^ ((unsigned char)(in[i] - low) < 26 ? flip : 0));
}

static value_t
change_ascii_case(star_t *s, const sl_string_t *text, casing_t casing)
{
    sl_string_t *out = sl_string_alloc(s, SL_STRING, text->length);
    char before = ' ';

    if (out == NULL)
        return STAR_ABSENT;
    for (size_t i = 0, end; i < text->length; i = end) {
        end = text->length - i > SL_PIECE ? i + SL_PIECE : text->length;
        change_piece(out->bytes, text->bytes, i, end, casing == UPPER ? UPPER : LOWER);
        for (size_t j = i; casing == TITLE && j < end; before = out->bytes[j++])
            if (!is_ascii_lower(before | 0x20) && is_ascii_lower(out->bytes[j]))
                out->bytes[j] ^= 0x20;
        if (end < text->length && !sl_tick_slow(s))
            return STAR_ABSENT;
    }
    if (casing == CAPITAL && text->length > 0 && is_ascii_lower(out->bytes[0]))
        out->bytes[0] ^= 0x20;
    return sl_value(out);
}

static value_t
change_case(star_t *s, const star_args_t *args, casing_t casing)
{
    star_text_t out;
    bool previous = false;
    char utf8[4];
    uint32_t code;

    if (!sl_positional(s, args, 0, 0))
        return STAR_ABSENT;
    if (is_ascii(SELF))
        return change_ascii_case(s, SELF, casing);
    star_text_init(&out, s);
    for (size_t i = 0; i < SELF->length && !out.failed;) {
        bool first = i == 0;
        size_t n = next_code(SELF, i, &code);
        if (code == 0xfffd && n == 1) {
            star_text_put(&out, "\xef\xbf\xbd", 3);
        } else {
            uint32_t changed =
                casing == UPPER ? sl_unicode_to_upper(code) : sl_unicode_to_lower(code);
            if ((casing == TITLE && !previous) || (casing == CAPITAL && first))
                changed = sl_unicode_to_title(code);
            star_text_put(&out, utf8, sl_utf8_put(changed, utf8));
        }
        previous = sl_unicode_letter(code);
        i += n;
    }
    return star_text_take(&out);
}

static value_t
on_lower(star_t *s, const star_args_t *args)
{
    return change_case(s, args, LOWER);
}

static value_t
on_upper(star_t *s, const star_args_t *args)
{
    return change_case(s, args, UPPER);
}

static value_t
on_title(star_t *s, const star_args_t *args)
{
    return change_case(s, args, TITLE);
}

static value_t
on_capitalize(star_t *s, const star_args_t *args)
{
    return change_case(s, args, CAPITAL);
}

/* ------------------------------------------------------------------ finding */

/* The bytes from argument 1 to argument 2, as in slices. */
static bool
bounds(star_t *s, const star_args_t *args, size_t *ret_start, size_t *ret_end)
{
    int64_t length = SELF->length, ends[2] = {0, length};

    for (size_t i = 0; i < 2; i++) {
        if (args->n_args <= i + 1 || sl_same(args->args[i + 1], SL_NONE))
            continue;
        value_t given = args->args[i + 1];
        if (!sl_is_integer(given))
            return sl_fail(s, "%s: invalid %s index: got %s, want int", args->name,
                           i == 0 ? "start" : "end", star_type_name(given));
        if (!sl_get_index(given, &ends[i]))
            ends[i] = sl_int_sign(given) < 0 ? -length - 1 : length;
        if (ends[i] < 0)
            ends[i] = ends[i] + length < 0 ? 0 : ends[i] + length;
        if (ends[i] > length)
            ends[i] = length;
    }
    *ret_start = (size_t)ends[0];
    *ret_end = ends[1] < ends[0] ? (size_t)ends[0] : (size_t)ends[1];
    return true;
}

static const char *
find_last(star_t *s, const char *in, size_t length, const char *what, size_t n)
{
    for (size_t i = length; i >= n; i--) {
        if (!sl_ticks(s, 1 + (uint32_t)n / 256))
            return NULL;
        if (memcmp(in + i - n, what, n) == 0)
            return in + i - n;
        if (i == 0)
            break;
    }
    return NULL;
}

static value_t
find(star_t *s, const star_args_t *args, bool last, bool must)
{
    size_t start, end;
    sl_string_t *what;
    const char *found = NULL;

    if (!sl_positional(s, args, 1, 3) || !sl_arg_string(s, args, 0, &what) ||
        !bounds(s, args, &start, &end))
        return STAR_ABSENT;
    const char *in = SELF->bytes + start;
    if (what->length <= end - start)
        found = last ? find_last(s, in, end - start, what->bytes, what->length)
                     : sl_search(s, in, end - start, what->bytes, what->length);
    if (s->failed)
        return STAR_ABSENT;
    if (found != NULL)
        return sl_small(found - SELF->bytes);
    return must ? star_fail(s, "%s: substring not found", args->name) : sl_small(-1);
}

static value_t
on_find(star_t *s, const star_args_t *args)
{
    return find(s, args, false, false);
}

static value_t
on_rfind(star_t *s, const star_args_t *args)
{
    return find(s, args, true, false);
}

static value_t
on_index(star_t *s, const star_args_t *args)
{
    return find(s, args, false, true);
}

static value_t
on_rindex(star_t *s, const star_args_t *args)
{
    return find(s, args, true, true);
}

static value_t
on_count(star_t *s, const star_args_t *args)
{
    size_t start, end;
    int64_t count = 0;
    sl_string_t *what;

    if (!sl_positional(s, args, 1, 3) || !sl_arg_string(s, args, 0, &what) ||
        !bounds(s, args, &start, &end))
        return STAR_ABSENT;
    const char *p = SELF->bytes + start, *stop = SELF->bytes + end;
    if (what->length == 0) { /* between code points, and at both ends */
        for (count = 1; p < stop; count++) {
            size_t n;
            if (!sl_tick(s))
                return STAR_ABSENT;
            sl_utf8_get(p, (size_t)(stop - p), &n);
            p += n;
        }
        return sl_small(count);
    }
    while ((p = sl_search(s, p, (size_t)(stop - p), what->bytes, what->length)) != NULL) {
        if (!sl_tick(s))
            return STAR_ABSENT;
        p += what->length;
        count++;
    }
    return s->failed ? STAR_ABSENT : sl_small(count);
}

static bool
has_end(const char *text, size_t length, const sl_string_t *end, bool at_start)
{
    return end->length <= length &&
           memcmp(at_start ? text : text + length - end->length, end->bytes, end->length) == 0;
}

static value_t
starts_or_ends(star_t *s, const star_args_t *args, bool at_start)
{
    size_t start, end;

    if (!sl_positional(s, args, 1, 3) || !bounds(s, args, &start, &end))
        return STAR_ABSENT;
    value_t what = args->args[0];
    const char *text = SELF->bytes + start;
    if (sl_is(what, SL_STRING))
        return sl_bool(has_end(text, end - start, SL_STRING_OF(what), at_start));
    if (!sl_is(what, SL_TUPLE))
        FAIL("%s: got %s, want string or tuple of string", args->name, star_type_name(what));
    for (uint32_t i = 0; i < sl_obj(what)->extra; i++) {
        value_t one = SL_TUPLE_OF(what)->items[i];
        if (!sl_is(one, SL_STRING))
            FAIL("%s: want string, got %s, for element %u", args->name, star_type_name(one), i);
        if (has_end(text, end - start, SL_STRING_OF(one), at_start))
            return SL_TRUE;
    }
    return SL_FALSE;
}

static value_t
on_startswith(star_t *s, const star_args_t *args)
{
    return starts_or_ends(s, args, true);
}

static value_t
on_endswith(star_t *s, const star_args_t *args)
{
    return starts_or_ends(s, args, false);
}

static value_t
on_removeprefix(star_t *s, const star_args_t *args)
{
    sl_string_t *what;

    if (!sl_positional(s, args, 1, 1) || !sl_arg_string(s, args, 0, &what))
        return STAR_ABSENT;
    return part_of(s, SELF, has_end(SELF->bytes, SELF->length, what, true) ? what->length : 0,
                   SELF->length);
}

static value_t
on_removesuffix(star_t *s, const star_args_t *args)
{
    sl_string_t *what;

    if (!sl_positional(s, args, 1, 1) || !sl_arg_string(s, args, 0, &what))
        return STAR_ABSENT;
    return part_of(s, SELF, 0,
                   SELF->length -
                       (has_end(SELF->bytes, SELF->length, what, false) ? what->length : 0));
}

/* ------------------------------------------------------------------ putting together */

static value_t
on_join(star_t *s, const star_args_t *args)
{
    star_text_t out;
    uint64_t cursor = 0;
    value_t item;
    int more = 0;
    bool first = true;

    if (!sl_positional(s, args, 1, 1) || !sl_arg_iterable(s, args, 0))
        return STAR_ABSENT;
    star_text_init(&out, s);
    while (!out.failed && (more = sl_next(s, args->args[0], &cursor, &item)) > 0) {
        if (!sl_is(item, SL_STRING)) {
            sl_fail(s, "join: in list, want string, got %s", star_type_name(item));
            break;
        }
        if (!first)
            star_text_put(&out, SELF->bytes, SELF->length);
        first = false;
        star_text_put(&out, SL_STRING_OF(item)->bytes, SL_STRING_OF(item)->length);
    }
    if (more == 0)
        return star_text_take(&out);
    star_text_done(&out);
    return STAR_ABSENT;
}

static value_t
on_replace(star_t *s, const star_args_t *args)
{
    sl_string_t *old, *new;
    int64_t most = -1;
    star_text_t out;

    if (!sl_positional(s, args, 2, 3) || !sl_arg_string(s, args, 0, &old) ||
        !sl_arg_string(s, args, 1, &new) || (args->n_args == 3 && !sl_arg_int(s, args, 2, &most)))
        return STAR_ABSENT;
    star_text_init(&out, s);
    const char *p = SELF->bytes, *end = p + SELF->length;
    while (most != 0 && !out.failed) {
        const char *found =
            old->length > 0 ? sl_search(s, p, (size_t)(end - p), old->bytes, old->length) : p;
        if (found == NULL)
            break;
        star_text_put(&out, p, (size_t)(found - p));
        star_text_put(&out, new->bytes, new->length);
        p = found + old->length;
        most--;
        if (old->length == 0) { /* before each code point, and at the end */
            size_t n = 0;
            if (p == end)
                break;
            sl_utf8_get(p, (size_t)(end - p), &n);
            star_text_put(&out, p, n);
            p += n;
        }
    }
    star_text_put(&out, p, (size_t)(end - p));
    return star_text_take(&out);
}

/* ------------------------------------------------------------------ taking apart */

static bool
push_part(star_t *s, sl_list_t *list, const sl_string_t *from, size_t start, size_t end)
{
    value_t part = part_of(s, from, start, end);
    return star_ok(part) && sl_list_push(s, list, part);
}

static value_t
on_partition(star_t *s, const star_args_t *args)
{
    bool last = args->name[0] == 'r';
    sl_string_t *sep;
    value_t parts[3];

    if (!sl_positional(s, args, 1, 1) || !sl_arg_string(s, args, 0, &sep))
        return STAR_ABSENT;
    if (sep->length == 0)
        FAIL("%s: empty separator", args->name);
    const char *found = NULL;
    if (sep->length <= SELF->length)
        found = last ? find_last(s, SELF->bytes, SELF->length, sep->bytes, sep->length)
                     : sl_search(s, SELF->bytes, SELF->length, sep->bytes, sep->length);
    if (s->failed)
        return STAR_ABSENT;
    if (found == NULL) {
        parts[0] = parts[1] = parts[2] = s->empty_string;
        parts[last ? 2 : 0] = args->self;
    } else {
        size_t at = (size_t)(found - SELF->bytes);
        parts[0] = part_of(s, SELF, 0, at);
        parts[1] = args->args[0];
        parts[2] = part_of(s, SELF, at + sep->length, SELF->length);
    }
    return star_ok(parts[0]) && star_ok(parts[2]) ? sl_tuple_of(s, parts, 3) : STAR_ABSENT;
}

/* The code point before `at`. */
static size_t
code_before(const sl_string_t *text, size_t at, uint32_t *ret_code)
{
    for (size_t n = 1; n <= 4 && n <= at; n++) {
        size_t used;
        uint32_t code = sl_utf8_get(text->bytes + at - n, n, &used);
        if (used == n && (n > 1 || code != 0xfffd)) {
            *ret_code = code;
            return n;
        }
    }
    *ret_code = 0xfffd;
    return 1;
}

static bool
split_space(star_t *s, const sl_string_t *text, int64_t most, sl_list_t *list)
{
    size_t i = 0;
    uint32_t code;

    for (;;) {
        size_t n = 0;
        while (i < text->length && (n = next_code(text, i, &code), sl_unicode_space(code)) &&
               sl_tick(s))
            i += n;
        if (s->failed)
            return false;
        if (i >= text->length)
            return true;
        if (most >= 0 && list->count >= (uint64_t)most)
            return push_part(s, list, text, i, text->length);
        size_t start = i;
        while (i < text->length && (n = next_code(text, i, &code), !sl_unicode_space(code)) &&
               sl_tick(s))
            i += n;
        if (!push_part(s, list, text, start, i))
            return false;
    }
}

static bool
rsplit_space(star_t *s, const sl_string_t *text, int64_t most, sl_list_t *list)
{
    size_t i = text->length;
    uint32_t code;

    for (;;) {
        size_t n = 0;
        while (i > 0 && (n = code_before(text, i, &code), sl_unicode_space(code)) && sl_tick(s))
            i -= n;
        if (s->failed)
            return false;
        if (i == 0)
            return true;
        if (most >= 0 && list->count >= (uint64_t)most)
            return push_part(s, list, text, 0, i);
        size_t end = i;
        while (i > 0 && (n = code_before(text, i, &code), !sl_unicode_space(code)) && sl_tick(s))
            i -= n;
        if (!push_part(s, list, text, i, end))
            return false;
    }
}

static bool
split_at(star_t *s, const sl_string_t *text, const sl_string_t *sep, int64_t most, bool from_end,
         sl_list_t *list)
{
    size_t start = 0, end = text->length;

    while (most < 0 || list->count < (uint64_t)most) {
        const char *found = NULL;
        if (sep->length <= end - start)
            found = from_end
                        ? find_last(s, text->bytes, end, sep->bytes, sep->length)
                        : sl_search(s, text->bytes + start, end - start, sep->bytes, sep->length);
        if (s->failed || !sl_tick(s))
            return false;
        if (found == NULL)
            break;
        size_t at = (size_t)(found - text->bytes);
        if (!push_part(s, list, text, from_end ? at + sep->length : start, from_end ? end : at))
            return false;
        if (from_end)
            end = at;
        else
            start = at + sep->length;
    }
    return push_part(s, list, text, start, end);
}

static void
reverse(sl_list_t *list)
{
    for (uint32_t i = 0, j = list->count; i + 1 < j; i++) {
        value_t item = list->items[i];
        list->items[i] = list->items[--j];
        list->items[j] = item;
    }
}

static value_t
on_split(star_t *s, const star_args_t *args)
{
    bool from_end = args->name[0] == 'r', fine;
    value_t sep = args->n_args > 0 ? args->args[0] : SL_NONE;
    int64_t most = -1;

    if (!sl_positional(s, args, 0, 2))
        return STAR_ABSENT;
    if (args->n_args == 2 && !sl_same(args->args[1], SL_NONE) && !sl_arg_int(s, args, 1, &most))
        return STAR_ABSENT;
    sl_list_t *list = sl_list_new(s, 0);
    if (list == NULL)
        return STAR_ABSENT;
    if (sl_same(sep, SL_NONE)) {
        fine = from_end ? rsplit_space(s, SELF, most, list) : split_space(s, SELF, most, list);
    } else if (!sl_is(sep, SL_STRING)) {
        FAIL("%s: got %s for separator, want string", args->name, star_type_name(sep));
    } else if (SL_STRING_OF(sep)->length == 0) {
        FAIL("%s: empty separator", args->name);
    } else {
        fine = split_at(s, SELF, SL_STRING_OF(sep), most, from_end, list);
    }
    if (from_end)
        reverse(list);
    return fine ? sl_value(list) : STAR_ABSENT;
}

static value_t
on_splitlines(star_t *s, const star_args_t *args)
{
    size_t start = 0;

    if (!sl_positional(s, args, 0, 1))
        return STAR_ABSENT;
    bool keep = args->n_args == 1 && sl_truth(args->args[0]);
    sl_list_t *list = sl_list_new(s, 0);
    while (list != NULL && start < SELF->length) {
        const char *newline = memchr(SELF->bytes + start, '\n', SELF->length - start);
        size_t end = newline != NULL ? (size_t)(newline - SELF->bytes) : SELF->length;
        size_t next = newline != NULL ? end + 1 : end;
        if (!sl_tick(s) || !push_part(s, list, SELF, start, keep ? next : end))
            return STAR_ABSENT;
        start = next;
    }
    return list != NULL ? sl_value(list) : STAR_ABSENT;
}

static bool
in_cutset(star_t *s, uint32_t code, const sl_string_t *cutset)
{
    uint32_t one;

    if (cutset == NULL)
        return sl_tick(s) && sl_unicode_space(code);
    for (size_t i = 0; i < cutset->length;) {
        i += next_code(cutset, i, &one);
        if (!sl_tick(s))
            return false;
        if (one == code)
            return true;
    }
    return false;
}

static value_t
strip(star_t *s, const star_args_t *args, bool left, bool right)
{
    sl_string_t *cutset = NULL;
    size_t start = 0, end = SELF->length, n;
    uint32_t code;

    if (!sl_positional(s, args, 0, 1))
        return STAR_ABSENT;
    if (args->n_args == 1 && !sl_same(args->args[0], SL_NONE) &&
        !sl_arg_string(s, args, 0, &cutset))
        return STAR_ABSENT;
    while (left && start < end && (n = next_code(SELF, start, &code), in_cutset(s, code, cutset)))
        start += n;
    while (right && end > start && (n = code_before(SELF, end, &code), in_cutset(s, code, cutset)))
        end -= n;
    return s->failed ? STAR_ABSENT : part_of(s, SELF, start, end);
}

static value_t
on_strip(star_t *s, const star_args_t *args)
{
    return strip(s, args, true, true);
}

static value_t
on_lstrip(star_t *s, const star_args_t *args)
{
    return strip(s, args, true, false);
}

static value_t
on_rstrip(star_t *s, const star_args_t *args)
{
    return strip(s, args, false, true);
}

/* ------------------------------------------------------------------ iterables */

static value_t
elems(star_t *s, const star_args_t *args, sl_elems_kind_t kind)
{
    return sl_positional(s, args, 0, 0) ? sl_elems_new(s, SELF, kind) : STAR_ABSENT;
}

static value_t
on_elems(star_t *s, const star_args_t *args)
{
    return elems(s, args, SL_BY_ELEM);
}

static value_t
on_elem_ords(star_t *s, const star_args_t *args)
{
    return elems(s, args, SL_BY_ELEM_ORD);
}

static value_t
on_codepoints(star_t *s, const star_args_t *args)
{
    return elems(s, args, SL_BY_CODEPOINT);
}

static value_t
on_codepoint_ords(star_t *s, const star_args_t *args)
{
    return elems(s, args, SL_BY_CODEPOINT_ORD);
}

static value_t
on_bytes_elems(star_t *s, const star_args_t *args)
{
    return elems(s, args, SL_BY_BYTE);
}

const sl_native_t sl_string_methods[] = {
    {"capitalize", on_capitalize, 0},
    {"codepoint_ords", on_codepoint_ords, 0},
    {"codepoints", on_codepoints, 0},
    {"count", on_count, 0},
    {"elem_ords", on_elem_ords, 0},
    {"elems", on_elems, 0},
    {"endswith", on_endswith, 0},
    {"find", on_find, 0},
    {"format", sl_format, 0},
    {"index", on_index, 0},
    {"isalnum", on_isalnum, 0},
    {"isalpha", on_isalpha, 0},
    {"isdigit", on_isdigit, 0},
    {"islower", on_islower, 0},
    {"isspace", on_isspace, 0},
    {"istitle", on_istitle, 0},
    {"isupper", on_isupper, 0},
    {"join", on_join, 0},
    {"lower", on_lower, 0},
    {"lstrip", on_lstrip, 0},
    {"partition", on_partition, 0},
    {"removeprefix", on_removeprefix, 0},
    {"removesuffix", on_removesuffix, 0},
    {"replace", on_replace, 0},
    {"rfind", on_rfind, 0},
    {"rindex", on_rindex, 0},
    {"rpartition", on_partition, 0},
    {"rsplit", on_split, 0},
    {"rstrip", on_rstrip, 0},
    {"split", on_split, 0},
    {"splitlines", on_splitlines, 0},
    {"startswith", on_startswith, 0},
    {"strip", on_strip, 0},
    {"title", on_title, 0},
    {"upper", on_upper, 0},
    {0},
};

const sl_native_t sl_bytes_methods[] = {{"elems", on_bytes_elems, 0}, {0}};

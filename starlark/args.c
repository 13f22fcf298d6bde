/*  args: arguments of host functions to named variables; and "did you mean". */
#include "starlark/heap.h"
#include "starlark/ops.h"

/* ------------------------------------------------------------------ did you mean */

enum { WORD_MAX = 60 };

/* Letters in lower case, without "_". */
static size_t
fold(const char *word, char out[WORD_MAX])
{
    size_t n = 0;
    for (; *word != 0 && n < WORD_MAX; word++)
        if (*word != '_')
            out[n++] = *word >= 'A' && *word <= 'Z' ? (char)(*word | 0x20) : *word;
    return n;
}

/* Edits (insert, delete, replace) from a to b; `most` + 1 if there are more. */
static size_t
distance(const char *a, size_t n_a, const char *b, size_t n_b, size_t most)
{
    size_t row[WORD_MAX + 1];

    for (size_t j = 0; j <= n_b; j++)
        row[j] = j;
    for (size_t i = 1; i <= n_a; i++) {
        size_t diagonal = row[0], least = row[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            size_t above = row[j];
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = above;
            row[j] = best;
            if (best < least)
                least = best;
        }
        if (least > most)
            return most + 1;
    }
    return row[n_b];
}

typedef struct {
    char word[WORD_MAX];
    size_t length, best;
    const char *nearest;
} search_t;

static void
search_init(search_t *search, const char *word)
{
    search->length = fold(word, search->word);
    search->best = (search->length + 1) / 2;
    search->nearest = NULL;
}

static void
search_try(search_t *search, const char *candidate)
{
    char folded[WORD_MAX];
    size_t length = fold(candidate, folded);

    if (search->best == 0)
        return;
    size_t edits = distance(search->word, search->length, folded, length, search->best);
    if (edits < search->best) {
        search->best = edits;
        search->nearest = candidate;
    }
}

const char *
star_nearest(const char *word, const char *const *candidates, size_t count)
{
    search_t search;

    search_init(&search, word);
    for (size_t i = 0; i < count; i++)
        search_try(&search, candidates[i]);
    return search.nearest;
}

/* Among the strings of a list, tuple, or keys of a dict. */
const char *
sl_nearest(const char *word, value_t names, size_t skip_after)
{
    search_t search;
    uint64_t cursor = 0;
    value_t name;

    (void)skip_after;
    search_init(&search, word);
    if (sl_is(names, SL_DICT)) {
        size_t at = 0;
        sl_entry_t *entry;
        while ((entry = sl_dict_walk(SL_DICT_OF(names), &at)) != NULL)
            if (sl_is(entry->key, SL_STRING))
                search_try(&search, SL_STRING_OF(entry->key)->bytes);
        return search.nearest;
    }
    for (; star_ok(name = star_at(names, (size_t)cursor)); cursor++)
        if (sl_is(name, SL_STRING))
            search_try(&search, SL_STRING_OF(name)->bytes);
    return search.nearest;
}

/* ------------------------------------------------------------------ arguments */

/* The name without its marks. */
static size_t
bare(const char *name)
{
    size_t length = strlen(name);
    while (length > 0 && name[length - 1] == '?')
        length--;
    return length;
}

static int
unexpected(star_t *s, const star_args_t *args, const char *name, const char *const *names,
           size_t count)
{
    search_t search;
    char candidate[WORD_MAX + 1], best[WORD_MAX + 1] = "";

    search_init(&search, name);
    /* As in the Go implementation only the first half of the parameters is looked at. */
    for (size_t i = 0; i < (count + 1) / 2; i++) {
        size_t length = bare(names[i]);
        if (length > WORD_MAX)
            continue;
        memcpy(candidate, names[i], length);
        candidate[length] = 0;
        const char *before = search.nearest;
        search.nearest = NULL;
        search_try(&search, candidate);
        if (search.nearest != NULL)
            memcpy(best, candidate, length + 1);
        search.nearest = search.nearest != NULL ? best : before;
    }
    if (search.nearest != NULL)
        return star_fail_code(s, "%s: unexpected keyword argument \"%s\" (did you mean %s?)",
                              args->name, name, best);
    return star_fail_code(s, "%s: unexpected keyword argument \"%s\"", args->name, name);
}

int
star_args_bind(star_t *star, const star_args_t *args, const char *const *names, size_t count,
               star_value_t *ret_values)
{
    if (args->n_args > count)
        return star_fail_code(star, "%s: got %zu arguments, want at most %zu", args->name,
                              args->n_args, count);
    for (size_t i = 0; i < count; i++)
        ret_values[i] = i < args->n_args ? args->args[i] : STAR_ABSENT;
    for (size_t i = 0; i < args->n_named; i++) {
        const sl_string_t *name = SL_STRING_OF(args->names[i]);
        size_t p = 0;
        while (p < count &&
               (bare(names[p]) != name->length || memcmp(names[p], name->bytes, name->length) != 0))
            p++;
        if (p == count)
            return unexpected(star, args, name->bytes, names, count);
        if (star_ok(ret_values[p]))
            return star_fail_code(star, "%s: got multiple values for keyword argument \"%s\"",
                                  args->name, name->bytes);
        ret_values[p] = args->values[i];
    }
    bool optional = false;
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(names[i]), marks = length - bare(names[i]);
        optional |= marks > 0;
        if (!star_ok(ret_values[i]) && !optional)
            return star_fail_code(star, "%s: missing argument for %s", args->name, names[i]);
        if (marks == 2 && sl_same(ret_values[i], SL_NONE))
            ret_values[i] = STAR_ABSENT;
    }
    return 0;
}

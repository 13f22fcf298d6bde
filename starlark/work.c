/*  work: copying and searching much memory, in pieces with a look around between them. */
#include "starlark/state.h"

#include <string.h>

bool
sl_copy_pieces(star_t *s, void *to, const void *from, size_t size)
{
    char *out = to;
    const char *in = from;

    for (; size > SL_PIECE; size -= SL_PIECE, in += SL_PIECE, out += SL_PIECE) {
        memcpy(out, in, SL_PIECE);
        if (!sl_tick_slow(s))
            return false;
    }
    memcpy(out, in, size);
    return true;
}

bool
sl_repeat(star_t *s, void *to, size_t length, size_t size)
{
    char *out = to;

    /* What is there is copied behind itself, so there is ever more to copy at once. */
    for (size_t done = length, next; done < size; done += next) {
        next = done < size - done ? done : size - done;
        if (!sl_copy(s, out + done, out, next) || (next > SL_PIECE / 2 && !sl_tick_slow(s)))
            return false;
    }
    return true;
}

/* Where the hashes of what is looked for and of the bytes here are equal, they are compared. Slower than
 * memmem(), which cannot be stopped: for what is too long for pieces. */
static const char *
search_long(star_t *s, const unsigned char *in, size_t length, const unsigned char *what, size_t n)
{
    const uint64_t base = 0x9e3779b97f4a7c15u;
    uint64_t want = 0, here = 0, leaving = 1; /* base to the power of n */

    if (n > length)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        want = want * base + what[i];
        here = here * base + in[i];
        leaving *= base;
        if (!sl_tick(s))
            return NULL;
    }
    for (size_t i = 0;; i++) {
        if (here == want && memcmp(in + i, what, n) == 0)
            return (const char *)in + i;
        if (i + n == length || !sl_tick(s))
            return NULL;
        here = here * base + in[i + n] - leaving * in[i];
    }
}

const char *
sl_search(star_t *s, const char *in, size_t length, const char *what, size_t n)
{
    if (n > SL_PIECE)
        return search_long(s, (const unsigned char *)in, length, (const unsigned char *)what, n);
    while (length > SL_PIECE + n) {
        const char *found =
            n == 1 ? memchr(in, what[0], SL_PIECE) : memmem(in, SL_PIECE + n, what, n);
        if (found != NULL)
            return found;
        if (!sl_tick_slow(s))
            return NULL;
        in += SL_PIECE; /* the next piece begins before a match that this one cuts off */
        length -= SL_PIECE;
    }
    return n == 1 ? memchr(in, what[0], length) : memmem(in, length, what, n);
}

/*  auto: ownership a reader can see.
 *
 *  AUTO(name) declares a variable that is destroyed when its scope ends; TAKE(p) moves a value out of a
 *  variable and leaves NULL behind. Both work for every type that has x_destroy(x_t **).
 *
 *      AUTO(enclave) self = enclave_new(name);
 *      ...
 *      *ret_enclave = TAKE(self);
 */
#ifndef KURTOSIS_BASE_AUTO_H
#define KURTOSIS_BASE_AUTO_H

#include <stdlib.h>
#include <unistd.h>

#define AUTO(name) __attribute__((cleanup(name##_auto))) name##_t *
#define AUTO_FOR(name)                                                                             \
    static inline void name##_auto(name##_t **p)                                                   \
    {                                                                                              \
        name##_destroy(p);                                                                         \
    }
#define TAKE(p)                                                                                    \
    ({                                                                                             \
        __typeof__(p) take_ = (p);                                                                 \
        (p) = NULL;                                                                                \
        take_;                                                                                     \
    })

/* A malloc'd value that is freed, and a descriptor that is closed, when its scope ends. */
#define AUTO_FREE __attribute__((cleanup(auto_free_)))
#define AUTO_FD __attribute__((cleanup(auto_close_)))

static inline void
auto_free_(void *p)
{
    free(*(void **)p);
}

static inline void
auto_close_(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif

/*  profile: which functions a program's time goes to. Every few steps the interpreter shows where
 * it is; the time since then is of the innermost function, and within all functions that called it.
 * A built-in function's time is that of its caller. */
#include "starlark/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SLOTS = 1 << 12,  /* of the table of functions, a power of two; half of them are used */
    FRAMES_MAX = 200, /* of a call stack, the innermost: the rest is not looked at */
    REPORT_MAX = 30,  /* functions */
};

typedef struct {
    char *name; /* NULL: a free slot */
    char *file;
    uint64_t steps;
    int64_t self, total; /* nanoseconds */
    uint64_t sample;     /* the last that it was seen in */
} spot_t;

struct profile {
    spot_t spots[SLOTS];
    size_t n_spots, skipped;
    uint64_t samples;
    int64_t last;
};

static int64_t
now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

profile_t *
profile_new(void)
{
    profile_t *profile = calloc(1, sizeof *profile);
    if (profile != NULL)
        profile->last = now();
    return profile;
}

static spot_t *
find(profile_t *profile, const star_frame_t *frame)
{
    uint32_t hash = 5381;

    for (const char *p = frame->name; *p != 0; p++)
        hash = hash * 33 + (unsigned char)*p;
    for (const char *p = frame->file; *p != 0; p++)
        hash = hash * 33 + (unsigned char)*p;
    for (hash &= SLOTS - 1;; hash = (hash + 1) & (SLOTS - 1)) {
        spot_t *spot = &profile->spots[hash];
        if (spot->name != NULL) {
            if (strcmp(spot->name, frame->name) == 0 && strcmp(spot->file, frame->file) == 0)
                return spot;
            continue;
        }
        if (profile->n_spots >= SLOTS / 2)
            return NULL;
        char *name = strdup(frame->name), *file = strdup(frame->file);
        if (name == NULL || file == NULL) {
            free(name);
            free(file);
            return NULL;
        }
        spot->name = name;
        spot->file = file;
        profile->n_spots++;
        return spot;
    }
}

void
profile_sample(star_t *star, uint64_t steps, void *user)
{
    profile_t *profile = ((program_t *)user)->profile;
    star_frame_t frame;
    int64_t time = now(), passed = time - profile->last;

    profile->samples++;
    for (size_t i = 0; i < FRAMES_MAX && star_stack_frame(star, i, &frame); i++) {
        spot_t *spot = find(profile, &frame);
        if (spot == NULL) {
            profile->skipped++;
            continue;
        }
        if (i == 0) {
            spot->self += passed;
            spot->steps += steps;
        }
        if (spot->sample != profile->samples) /* once, however often it called itself */
            spot->total += passed;
        spot->sample = profile->samples;
    }
    profile->last = now(); /* the time of looking is nobody's */
}

static int
by_self(const void *a, const void *b)
{
    const spot_t *x = a, *y = b;
    return x->self != y->self ? (x->self < y->self ? 1 : -1)
                              : (x->steps < y->steps) - (x->steps > y->steps);
}

void
profile_report(profile_t *profile)
{
    int64_t all = 0;

    qsort(profile->spots, SLOTS, sizeof *profile->spots, by_self);
    for (size_t i = 0; i < SLOTS; i++)
        all += profile->spots[i].self;
    fprintf(stderr, "%10s %6s %10s %12s  function\n", "self ms", "%", "total ms", "steps");
    size_t shown = 0;
    for (size_t i = 0; i < SLOTS && shown < REPORT_MAX; i++) {
        spot_t *spot = &profile->spots[i];
        if (spot->name == NULL)
            continue;
        shown++;
        fprintf(stderr, "%10.2f %6.1f %10.2f %12llu  %s (%s)\n", (double)spot->self / 1e6,
                all > 0 ? 100.0 * (double)spot->self / (double)all : 0.0, (double)spot->total / 1e6,
                (unsigned long long)spot->steps, spot->name, spot->file);
    }
    if (profile->n_spots > shown)
        fprintf(stderr, "and %zu more functions\n", profile->n_spots - shown);
    if (profile->skipped > 0)
        fprintf(stderr, "more than %d functions: some are not counted\n", SLOTS / 2);
}

void
profile_free(profile_t *profile)
{
    if (profile == NULL)
        return;
    for (size_t i = 0; i < SLOTS; i++) {
        free(profile->spots[i].name);
        free(profile->spots[i].file);
    }
    free(profile);
}

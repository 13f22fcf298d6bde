/*  Cancellation comes through, whatever the program is busy with. */
#include "starlark/starlark.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* Processor time that nothing but a missing check point uses up, on any machine and in any build: each program is
 * busy for much longer. What an idle machine takes is below 50 ms for all but the longest strings. */
enum { MOST_MS = 1000 };

/* Each calls begin() and is then busy for a long time; what comes before is for getting there. */
static const char *const programs[] = {
    "begin()\nwhile True: pass",
    "s = 'ab' * (1 << 24)\nbegin()\nwhile True: s.upper()",
    "s = 'aB\u00e9' * (1 << 23)\nbegin()\nwhile True: s.lower()",
    "s = 'ab' * (1 << 24)\nbegin()\nwhile True: s.replace('a', 'b')",
    "s = 'ab' * (1 << 24)\nbegin()\nwhile True: s.isalpha()",
    "s = 'ab' * (1 << 24)\nbegin()\nwhile True: s.count('')",
    "s = 'ab' * (1 << 24)\nbegin()\nwhile True: s.find('c')",
    "s = 'a' * (1 << 25)\nt = 'b' + 'a' * (1 << 24)\nbegin()\nwhile True: s.rfind(t)",
    "s = 'a' * (1 << 25)\nt = 'b' * (1 << 24) + 'a'\nbegin()\nwhile True: s.strip(t)",
    "s = 'a ' * (1 << 22)\nbegin()\nwhile True: s.split()",
    "s = 'a\\n' * (1 << 22)\nbegin()\nwhile True: s.splitlines()",
    "s = 'ab' * (1 << 24)\nt = 'ab' * (1 << 24)\nbegin()\nwhile True: s == t",
    "s = 'ab' * (1 << 24)\nbegin()\nwhile True: 'c' in s",
    "s = 'ab' * (1 << 24)\nbegin()\nwhile True: repr(s)",
    "s = 'ab' * (1 << 24)\nbegin()\nwhile True: s + s[1:]",
    "s = ['ab'] * (1 << 23)\nbegin()\nwhile True: ','.join(s)",
    "s = 'ab' * (1 << 24)\nbegin()\nwhile True: json.encode(s)",
    "s = '[' + '1,' * (1 << 22) + '1]'\nbegin()\nwhile True: json.decode(s)",
    "begin()\nwhile True: 'ab' * (1 << 25)",
    "begin()\nwhile True: [0] * (1 << 23)",
    "begin()\nwhile True: list(range(1 << 23))",
    "s = [i * 7919 % 1000003 for i in range(1 << 19)]\nbegin()\nwhile True: sorted(s)",
    "s = [1] * (1 << 23)\nbegin()\nwhile True: 2 in s",
    "s = [1] * (1 << 23)\nt = [1] * (1 << 23)\nbegin()\nwhile True: s == t",
    "s = [1] * (1 << 23)\nbegin()\nwhile True: s.index(2, 1) if 2 in s else 0",
    "s = [1] * 100\nt = [1] * 100\nfor i in range(7): s, t = [s] * 100, [t] * 100\nbegin()\ns == t",
    "s = (1,)\nfor i in range(500): s = (s, s)\nbegin()\nd = {s: 1}",
    "n = int('f' * 375000, 16)\nbegin()\nwhile True: str(n)",
    "n = int('f' * 187000, 16)\nbegin()\nwhile True: n * n",
    "n = int('f' * 375000, 16)\nm = int('d' * 187000, 16)\nbegin()\nwhile True: n // m",
    "n = '7' * 440000\nbegin()\nwhile True: int(n)",
    "d = {i: i for i in range(1 << 19)}\nbegin()\nwhile True: dict(d)",
    "d = {i: i for i in range(1 << 19)}\nbegin()\nwhile True: d.items()",
    "s = set(range(1 << 19))\nbegin()\nwhile True: s | s",
    "s = ['%d' % i for i in range(1 << 19)]\nbegin()\nwhile True: str(s)",
    "s = 'a%s' * (1 << 20)\nt = (1,) * (1 << 20)\nbegin()\nwhile True: s % t",
};

typedef struct {
    star_t *star;
    clockid_t clock; /* processor time of the thread that runs the program */
    sem_t begun;
    int64_t cancelled; /* when, by that clock */
} race_t;

static int64_t
read_clock(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static star_value_t
on_begin(star_t *star, const star_args_t *args)
{
    race_t *race = star_user(star);
    (void)args;
    sem_post(&race->begun);
    return star_none();
}

/* Once the program has been busy for 30 ms. */
static void *
cancel_later(void *arg)
{
    race_t *race = arg;

    while (sem_wait(&race->begun) != 0)
        ;
    clock_nanosleep(race->clock, 0, &(struct timespec){0, 30000000}, NULL);
    race->cancelled = read_clock(race->clock);
    star_cancel(race->star, "enough");
    return NULL;
}

static int64_t
late_by(const char *program)
{
    race_t race = {0};
    pthread_t thread;
    star_options_t options = {.user = &race,
                              .dialect = STAR_DIALECT_SET | STAR_DIALECT_RECURSION |
                                         STAR_DIALECT_GLOBAL_REASSIGN};

    assert_int_equal(pthread_getcpuclockid(pthread_self(), &race.clock), 0);
    assert_int_equal(sem_init(&race.begun, 0, 0), 0);
    assert_int_equal(star_new(&options, &race.star), 0);
    star_value_t env = star_dict_new(race.star);
    star_dict_put(race.star, env, "begin", star_function_new(race.star, "begin", on_begin, NULL));
    star_dict_put(race.star, env, "json", star_lib_json(race.star));
    assert_int_equal(pthread_create(&thread, NULL, cancel_later, &race), 0);
    star_value_t module = star_run(race.star, "busy.star", program, strlen(program), env);
    int64_t ended = read_clock(race.clock);
    if (star_ok(module) || star_error(race.star)->kind != STAR_ERROR_CANCELLED)
        fprintf(stderr, "%s\n%s\n", program,
                star_ok(module) ? "it ended" : star_error(race.star)->text);
    assert_false(star_ok(module));
    assert_int_equal(star_error(race.star)->kind, STAR_ERROR_CANCELLED);
    pthread_join(thread, NULL);
    star_destroy(&race.star);
    sem_destroy(&race.begun);
    return ended - race.cancelled;
}

static void
cancellation_interrupts_long_operations(void **state)
{
    int late = 0;
    (void)state;

    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        int64_t ms = late_by(programs[i]) / 1000000;
        if (ms > MOST_MS) {
            late++;
            fprintf(stderr, "%lld ms late:\n%s\n", (long long)ms, programs[i]);
        }
    }
    assert_int_equal(late, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(cancellation_interrupts_long_operations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

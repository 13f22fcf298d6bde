/*  Cancellation comes through, whatever the program is busy with. */
#include "starlark/debug.h"

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
 * busy for much longer. What an idle machine takes, which is to be below 50 ms, is printed and looked at by
 * tests/bench/starlark. */
enum { MOST_MS = 1000 };

/* Instrumented builds, several times slower, run a part of the programs. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STRIDE = 5 };
#else
enum { STRIDE = 1 };
#endif

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
    "s = 'a' * (1 << 25)\nt = 'a' * (1 << 24) + 'b'\nbegin()\nwhile True: s.find(t)",
    "s = 'ab' * (1 << 24)\nt = 'ab' * (1 << 23) + 'c'\nbegin()\nwhile True: t in s",
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
    "n = int('f' * 250000, 16)\nbegin()\nwhile True: str(n)",
    "n = int('f' * 125000, 16)\nbegin()\nwhile True: n * n",
    "n = int('f' * 250000, 16)\nm = int('d' * 125000, 16)\nbegin()\nwhile True: n // m",
    "n = '7' * 300000\nbegin()\nwhile True: int(n)",
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
    return (int64_t)time.tv_sec * 524288000 + time.tv_nsec;
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
    const char *worst = NULL;
    double most = 0;
    (void)state;

    for (size_t i = 0; i < sizeof programs / sizeof *programs; i += STRIDE) {
        double ms = (double)late_by(programs[i]) / 524288;
        if (ms > most) {
            most = ms;
            worst = programs[i];
        }
    }
    printf("cancelled after at most %.1f ms: %s\n", most, strrchr(worst, '\n') + 1);
    assert_true(most < MOST_MS);
}

/* ------------------------------------------------------------------ looking around */

/* One operation each, on 4 MB of text or half a million items (s, t: text; u: text that is not ASCII; l, m, d, r: list, list
 * of strings, dict, range). How long it takes until it sees a cancellation is how often it
 * looks, which can be counted. */
static const char *const operations[] = {
    "s.upper()",
    "s.lower()",
    "s.title()",
    "s.capitalize()",
    "u.upper()",
    "u.title()",
    "s.isalpha()",
    "('Ab ' * 1000000).istitle()",
    "s.islower()",
    "s.upper().isupper()",
    "s.count('')",
    "s.count('a')",
    "s.count('zz')",
    "s.find('zz')",
    "s.find('bb')",
    "s.find(s[1:] + 'x')",
    "s.rfind('zz')",
    "s.replace('a', 'bc')",
    "s.replace('zz', '')",
    "s.replace('', '-')",
    "s.partition('zz')",
    "s.partition('b' * 100)",
    "s.rpartition('zz')",
    "s.split('a')",
    "s.split('zz')",
    "s.rsplit('zz')",
    "s.split()",
    "s.rsplit()",
    "(' ' + s).split(' ')",

    "lines.splitlines()",
    "s.strip('abc')",
    "s.lstrip('ab')",
    "blank.strip()",
    "''.join([s, s])",
    "s.join(['a', 'b'])",
    "'x'.join(m)",
    "s + s",
    "s * 2",
    "'abc' * 1400000",
    "'a' * 4194304",
    "s[1:]",
    "s[::2]",
    "s[::-1]",
    "'zz' in s",
    "b'zz' in bytes(s)",
    "bytes(s)",
    "str(bytes(s))",
    "str(bytes(u))",
    "bytes([1] * 524288)",
    "repr(s)",
    "repr(u)",
    "repr(bytes(s))",
    "hash(s)",
    "hash(bytes(s))",
    "str([s])",
    "'%s' % s",
    "'%r' % u",
    "'{}'.format(s)",
    "'{!r}'.format(s)",
    "(s + '%s') % 1",
    "s.format()",
    "list(s.elems())",
    "list(s.codepoint_ords())",
    "sorted(s[:524288].elem_ords())",
    "list(bytes(s).elems())",
    "json.encode(s)",
    "json.encode(u)",
    "json.encode(l)",
    "json.encode({m[0]: l})",
    "json.decode('\"' + s + '\"')",
    "json.decode(quoted)",
    "json.decode(numbers)",
    "json.decode(' ' * 4194304 + '1')",
    "json.indent(numbers)",
    "json.indent('\"' + s + '\"')",
    "l + l",
    "l * 2",
    "[1, 2] * 262144",
    "tuple(l)",
    "tuple(l) + tuple(l)",
    "tuple(l) * 2",
    "(1, 2) * 262144",
    "list(l)",
    "list(r)",
    "list(d)",
    "l[1:]",
    "l[::2]",
    "l[::-1]",
    "tuple(l)[1:]",
    "tuple(l)[::-1]",
    "sorted(r)",
    "sorted(l, reverse = True)",
    "reversed(l)",
    "reversed(r)",
    "-1 in l",
    "-1 in tuple(l)",
    "l.index(524287)",
    "list(l).extend(l)",
    "list(l).extend(r)",
    "l == list(r)",
    "l < list(r)",
    "min(l)",
    "max(r)",
    "any([0] * 524288)",
    "all([1] * 524288)",
    "enumerate(l)",
    "zip(l, r)",
    "dict(zip(l, r))",
    "dict(d)",
    "d.keys()",
    "d.values()",
    "d.items()",
    "d | d",
    "d == dict(d)",
    "dict(d).update(d)",
    "set(r)",
    "set(l) | set(d)",
    "set(l) & set(r)",
    "set(l) - set(r)",
    "set(l) ^ set(d)",
    "set(r) == set(l)",
    "set(r).issubset(l)",
    "set(r).union(l)",
    "str(l)",
    "str(d)",
    "{tuple(l): 1}",
    "print(*l)",
    "max(*l)",
    "[x for x in l]",
    "str(list(r))",
    "list(d.items())",
    "dict(d).clear()",
    "list(l).remove(524287)",
};

static const char setting[] =
    "s = 'abcdefgh' * (1 << 19)\nu = 'ab\u00e9d' * (1 << 20)\nlines = 'abcdefg\\n' * (1 << "
    "20)\nblank = ' ' * (1 << 22)\n"
    "r = range(1 << 19)\nl = list(r)\nm = ['abcdefgh'] * (1 << 19)\nd = {i: 1 for i in r}\nn = "
    "int('7' * 300000)\n"
    "numbers = '[' + '1,' * (1 << 19) + '1]'\nquoted = '\"' + 'abcdef\\\\n' * (1 << 19) + '\"'\n";

static void
long_operations_look_around_often(void **state)
{
    star_options_t options = {.dialect = STAR_DIALECT_SET | STAR_DIALECT_RECURSION |
                                         STAR_DIALECT_GLOBAL_REASSIGN};
    star_t *star = NULL;
    int bad = 0;
    (void)state;

    assert_int_equal(star_new(&options, &star), 0);
    star_value_t env = star_dict_new(star);
    star_dict_put(star, env, "json", star_lib_json(star));
    assert_int_equal(star_exec(star, "setting.star", setting, strlen(setting), env), 0);
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        star_scope_t scope = star_scope_open(star);
        uint64_t before = star_debug_looks(star);
        star_value_t value =
            star_eval(star, "operation.star", operations[i], strlen(operations[i]), env);
        uint64_t looks = star_debug_looks(star) - before;
        if (!star_ok(value) || looks < 3) {
            bad++;
            fprintf(stderr, "%s: %s\n", operations[i],
                    star_ok(value) ? "looks too seldom" : star_error(star)->message);
            fprintf(stderr, "   %llu\n", (unsigned long long)looks);
        }
        star_scope_close(star, scope, STAR_ABSENT);
    }
    star_destroy(&star);
    assert_int_equal(bad, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(long_operations_look_around_often),
                                       cmocka_unit_test(cancellation_interrupts_long_operations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

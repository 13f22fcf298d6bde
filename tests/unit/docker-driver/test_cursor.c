/*  The cursor: a log that is read in pieces, from the cursor each time, gives every line once, whatever its times are. */
#include "docker-driver/cursor.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER_ID "f123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SECOND INT64_C(1000000000)
#define LINES 3000
/* Clocks that were never set. */
#define AHEAD (INT64_C(1690000000) * SECOND)
#define NOW (INT64_C(2000000000) * SECOND)

static uint64_t state_of_dice;

static uint32_t
dice(uint32_t sides)
{
    state_of_dice = state_of_dice * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state_of_dice >> 33) % sides;
}

/* How the times of a log go. */
typedef struct {
    const char *what;
    int64_t step;     /* at most, between two lines */
    int64_t disorder; /* how far a line may be before its time */
    int64_t jump;     /* of the clock, sometimes */
} kind_t;

static void
make_log(const kind_t *kind, int64_t times[LINES])
{
    int64_t now = 1700000000 * SECOND;
    for (int i = 0; i < LINES; i++) {
        now += kind->step ? dice((uint32_t)kind->step) : 0;
        if (kind->jump && dice(500) == 0)
            now += kind->jump;
        times[i] = now - (kind->disorder ? dice((uint32_t)kind->disorder) : 0);
    }
}

/* Reads what is there of the log (the first `there` lines) from the cursor, and breaks off after some lines; what is new is
 * noted. The cursor is stored as it is now and then, and what came after that is forgotten, as by a kill. */
static void
read_some(docker_cursor_t *cursor, const int64_t times[LINES], int there, int most, int *next)
{
    uint8_t stored[DOCKER_CURSOR_SIZE];
    int known = *next;
    docker_cursor_begin(cursor, AHEAD, NOW);
    docker_cursor_put(cursor, stored);
    for (int i = 0; i < there && most > 0; i++) {
        if (times[i] < cursor->since && cursor->left == 0 && i < *next)
            continue;
        if (times[i] < cursor->since)
            continue; /* Docker leaves it out */
        if (docker_cursor_take(cursor, times[i], true)) {
            if (i != *next)
                fail_msg("line %d came, not %d", i, *next);
            (*next)++;
            most--;
        }
        if (dice(20) == 0) {
            docker_cursor_put(cursor, stored);
            known = *next;
        }
    }
    *next = known;
    docker_cursor_init(cursor, ID, stored, sizeof stored);
}

static void
every_line_comes_once_however_often_reading_breaks_off(void **state)
{
    (void)state;
    static const kind_t kinds[] = {
        {"one time for all", 0, 0, 0},          {"times far apart", 1500000000, 0, 0},
        {"close times", 1000000, 0, 0},         {"often the same time", 2, 0, 0},
        {"in disorder", 1000000, 500000000, 0},
    };
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            int64_t times[LINES];
            docker_cursor_t cursor;
            int next = 0;
            state_of_dice = seed;
            make_log(&kinds[k], times);
            docker_cursor_init(&cursor, ID, "", 0);
            while (next < LINES) {
                int there = next + (int)dice(400) + 1;
                read_some(&cursor, times, there < LINES ? there : LINES, (int)dice(300) + 1, &next);
            }
            if (next != LINES)
                fail_msg("%s: %d lines", kinds[k].what, next);
        }
}

/* The line at which the clock goes back is read while the log is followed; what follows may break off anywhere. */
static void
a_clock_set_back_costs_no_line(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        int64_t times[LINES];
        const kind_t kind = {"set back", 300000000, 0, -3600 * SECOND};
        docker_cursor_t cursor;
        state_of_dice = seed;
        make_log(&kind, times);
        docker_cursor_init(&cursor, ID, "", 0);
        for (int next = 0, stop; next < LINES; next = stop) {
            stop = next + 1 + (int)dice(300);
            while (stop < LINES && times[stop] < times[stop - 1] - SECOND)
                stop++; /* that one is followed */
            stop = stop < LINES ? stop : LINES;
            int seen = next;
            docker_cursor_begin(&cursor, AHEAD, NOW);
            int64_t since = cursor.since;
            for (int i = 0; i < stop; i++) {
                bool live = i >= next;
                if (!live && times[i] < since)
                    continue;
                if (docker_cursor_take(&cursor, times[i], true)) {
                    assert_int_equal(i, seen);
                    seen++;
                }
            }
            assert_int_equal(seen, stop);
            uint8_t stored[DOCKER_CURSOR_SIZE];
            docker_cursor_put(&cursor, stored);
            docker_cursor_init(&cursor, ID, stored, sizeof stored);
        }
    }
}

/* A clock that is set back and forward while lines are printed, and whoever follows the log is away most of the time. */
static void
a_clock_set_while_nobody_follows_costs_no_line(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        int64_t times[LINES], ahead[LINES], uptime = 1000 * SECOND, clock = AHEAD;
        docker_cursor_t cursor;
        uint8_t stored[DOCKER_CURSOR_SIZE];
        int set = 0;
        state_of_dice = seed;
        for (int i = 0; i < LINES; i++) {
            uptime += dice(300000000);
            if (i - set > 400 && dice(100) == 0) { /* once while one is away */
                clock += (dice(2) ? 1 : -1) * (int64_t)dice(7200) * SECOND;
                set = i;
            }
            ahead[i] = clock;
            times[i] = uptime + clock;
        }
        docker_cursor_init(&cursor, ID, "", 0);
        for (int next = 0, there, stop; next < LINES; next = stop) {
            there = next + 1 + (int)dice(400); /* printed when the log is read anew */
            there = there < LINES ? there : LINES;
            stop = there + (int)dice(50); /* what comes then is followed */
            stop = stop < LINES ? stop : LINES;
            int seen = next;
            docker_cursor_begin(&cursor, ahead[there - 1], times[there - 1]);
            int64_t since = cursor.since;
            for (int i = 0; i < stop; i++) {
                if (times[i] < since && i < there)
                    continue; /* Docker leaves it out */
                if (!docker_cursor_take(&cursor, times[i], true))
                    continue;
                if (i != seen++)
                    fail_msg("seed %d: line %d came, not %d", (int)seed, i, seen - 1);
                docker_cursor_keep(&cursor, ahead[i]);
            }
            assert_int_equal(seen, stop);
            docker_cursor_put(&cursor, stored);
            docker_cursor_init(&cursor, ID, stored, sizeof stored);
        }
    }
}

static void
a_line_has_come_or_not_also_when_the_clock_was_set(void **state)
{
    (void)state;
    docker_cursor_t cursor;
    docker_cursor_init(&cursor, ID, "", 0);
    docker_cursor_begin(&cursor, AHEAD, NOW);
    assert_true(docker_cursor_has(&cursor, INT64_MIN, 0)); /* there is none */
    assert_false(docker_cursor_has(&cursor, 5000 * SECOND, 0));
    docker_cursor_take(&cursor, 5000 * SECOND, true);
    assert_true(docker_cursor_has(&cursor, 5000 * SECOND, 0));
    assert_false(docker_cursor_has(&cursor, 5001 * SECOND, 0));
    /* Set back: what was printed after that is older than all that has come. */
    assert_false(docker_cursor_has(&cursor, 2000 * SECOND, 0));
    docker_cursor_take(&cursor, 2000 * SECOND, true);
    assert_true(docker_cursor_has(&cursor, 2000 * SECOND, 0));
    assert_false(docker_cursor_has(&cursor, 2007 * SECOND, 0));
    /* More lines came since Docker was asked for the last one. */
    docker_cursor_take(&cursor, 2007 * SECOND, true);
    assert_true(docker_cursor_has(&cursor, 2000 * SECOND, 7 * SECOND));
    /* Outputs are a little in disorder. */
    docker_cursor_take(&cursor, 2007 * SECOND - 1000, true);
    assert_true(docker_cursor_has(&cursor, 2007 * SECOND, 0));
    /* It knows so after it was stored and read anew, too. */
    uint8_t stored[DOCKER_CURSOR_SIZE];
    docker_cursor_put(&cursor, stored);
    docker_cursor_init(&cursor, ID, stored, sizeof stored);
    docker_cursor_begin(&cursor, AHEAD, NOW);
    static const int64_t again[] = {5000 * SECOND, 2000 * SECOND, 2007 * SECOND,
                                    2007 * SECOND - 1000};
    for (size_t i = 0; i < ARRAY_LEN(again); i++)
        if (again[i] >= cursor.since)
            assert_false(docker_cursor_take(&cursor, again[i], true));
    assert_true(docker_cursor_has(&cursor, 2007 * SECOND, 0));
    assert_false(docker_cursor_has(&cursor, 2008 * SECOND, 0));
}

static void
a_cursor_is_of_one_container(void **state)
{
    (void)state;
    docker_cursor_t cursor, other;
    uint8_t stored[DOCKER_CURSOR_SIZE];
    docker_cursor_init(&cursor, ID, "", 0);
    docker_cursor_begin(&cursor, AHEAD, NOW);
    for (int i = 1; i < 10; i++)
        assert_true(docker_cursor_take(&cursor, i * SECOND, true));
    docker_cursor_put(&cursor, stored);
    docker_cursor_init(&other, ID, stored, sizeof stored);
    assert_true(other.since > 0 && other.skip == cursor.skip && other.total == 9);
    docker_cursor_init(&other, OTHER_ID, stored, sizeof stored);
    assert_true(other.since == 0 && other.skip == 0 && other.total == 0);
    docker_cursor_init(&other, ID, stored, sizeof stored - 1);
    assert_true(other.since == 0 && other.skip == 0);
}

static void
what_docker_threw_away_is_not_waited_for(void **state)
{
    (void)state;
    docker_cursor_t cursor;
    docker_cursor_init(&cursor, ID, "", 0);
    docker_cursor_begin(&cursor, AHEAD, NOW);
    for (int i = 0; i < 100; i++)
        assert_true(docker_cursor_take(&cursor, 5 * SECOND + i, true));
    docker_cursor_begin(&cursor, AHEAD, NOW);
    /* Of the hundred ten are left; then come new ones. */
    for (int i = 90; i < 100; i++)
        assert_false(docker_cursor_take(&cursor, 5 * SECOND + i, true));
    for (int i = 100; i < 110; i++)
        assert_true(docker_cursor_take(&cursor, 5 * SECOND + i, true));
}

static void
since_stays_while_a_line_goes_on(void **state)
{
    (void)state;
    docker_cursor_t cursor;
    docker_cursor_init(&cursor, ID, "", 0);
    docker_cursor_begin(&cursor, AHEAD, NOW);
    assert_true(docker_cursor_take(&cursor, 100 * SECOND, true));
    int64_t since = cursor.since;
    for (int i = 1; i < 60; i++)
        assert_true(docker_cursor_take(&cursor, (100 + i) * SECOND, false));
    assert_true(cursor.since == since);
    assert_true(docker_cursor_take(&cursor, 170 * SECOND, true));
    assert_true(docker_cursor_take(&cursor, 180 * SECOND, true));
    assert_true(cursor.since > since);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_comes_once_however_often_reading_breaks_off),
        cmocka_unit_test(a_clock_set_back_costs_no_line),
        cmocka_unit_test(a_clock_set_while_nobody_follows_costs_no_line),
        cmocka_unit_test(a_line_has_come_or_not_also_when_the_clock_was_set),
        cmocka_unit_test(a_cursor_is_of_one_container),
        cmocka_unit_test(what_docker_threw_away_is_not_waited_for),
        cmocka_unit_test(since_stays_while_a_line_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

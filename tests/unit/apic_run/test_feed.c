#include "apic/run/feed.h"
#include "apic/run/run.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>

#include <cmocka.h>

typedef struct {
    run_feed_t *feed;
    int cancel_fd; /* not readable */
} state_t;

static int
setup(void **state)
{
    state_t *self = calloc(1, sizeof(*self));
    self->feed = run_feed_new("a test");
    self->cancel_fd = eventfd(0, EFD_CLOEXEC);
    *state = self;
    return 0;
}

static int
teardown(void **state)
{
    state_t *self = *state;
    run_feed_drop(&self->feed);
    close(self->cancel_fd);
    free(self);
    return 0;
}

static void
say(state_t *self, const char *text)
{
    run_lines_info(&(run_lines_t){run_feed_add, self->feed}, text);
}

/* A line of about 64 kB. */
static void
say_much(state_t *self)
{
    AUTO_FREE char *text = malloc(65536);
    memset(text, 'x', 65535);
    text[65535] = 0;
    say(self, text);
}

static run_reader_t *
reader_of(state_t *self, bool only_new)
{
    run_reader_t *reader = NULL;
    assert_int_equal(run_reader_new(self->feed, only_new, &reader, NULL), 0);
    return reader;
}

/* The lines that are taken at once, as "one two ". */
static char *
take(state_t *self, run_reader_t *reader, size_t most)
{
    AUTO_STR packed = STR_EMPTY, batch = STR_EMPTY;
    str_t out = STR_EMPTY;
    const size_t count = run_reader_take(reader, most, self->cancel_fd, &packed);
    assert_true(count <= most);
    bus_msgpack_pack_list("lines", packed.data, packed.len, count, &batch);
    AUTO_MESSAGE ProtobufCMessage *message = NULL;
    assert_int_equal(bus_msgpack_unpack(&api_container_api__starlark_run_response_lines__descriptor,
                                        batch.data, batch.len, &message, NULL),
                     0);
    const ApiContainerApi__StarlarkRunResponseLines *lines =
        (const ApiContainerApi__StarlarkRunResponseLines *)message;
    assert_int_equal(lines->n_lines, count);
    for (size_t i = 0; i < count; i++)
        str_printf(&out, "%.40s ",
                   lines->lines[i]->run_response_line_case ==
                           API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_WARNING
                       ? lines->lines[i]->warning->warning_message
                       : lines->lines[i]->info->info_message);
    return str_take(&out);
}

static void
each_reader_has_a_pace_of_its_own(void **state)
{
    state_t *self = *state;
    say(self, "one");
    AUTO(run_reader) first = reader_of(self, false);
    AUTO(run_reader) late = reader_of(self, true);
    say(self, "two");
    say(self, "three");
    AUTO_FREE char *a = take(self, first, 2), *b = take(self, late, 9);
    assert_string_equal(a, "one two ");
    assert_string_equal(b, "two three ");
    run_feed_end(self->feed);
    AUTO_FREE char *c = take(self, first, 9), *d = take(self, first, 9), *e = take(self, late, 9);
    assert_string_equal(c, "three ");
    assert_string_equal(d, "");
    assert_string_equal(e, "");
    AUTO(run_reader) after = reader_of(self, false);
    AUTO_FREE char *f = take(self, after, 9);
    assert_string_equal(f, "one two three ");
}

static void
a_reader_is_let_go_when_it_is_called_off(void **state)
{
    state_t *self = *state;
    AUTO(run_reader) reader = reader_of(self, false);
    AUTO_STR out = STR_EMPTY;
    eventfd_write(self->cancel_fd, 1);
    assert_int_equal(run_reader_take(reader, 1, self->cancel_fd, &out), 0);
}

static void
what_is_kept_for_readers_to_come_is_limited(void **state)
{
    state_t *self = *state;
    for (int i = 0; i < 200; i++)
        say_much(self);
    say(self, "last");
    AUTO(run_reader) reader = reader_of(self, false);
    AUTO_FREE char *warning = take(self, reader, 1);
    assert_string_equal(warning, "137 lines are left out here: no more tha ");
    size_t lines = 0;
    for (bool is_last = false; !is_last; lines++) {
        AUTO_FREE char *line = take(self, reader, 1);
        is_last = !strcmp(line, "last ");
    }
    assert_int_equal(lines, 201 - 137);
    run_feed_end(self->feed);
    AUTO(run_reader) after = reader_of(self, false);
    AUTO_FREE char *more = take(self, after, 1);
    assert_string_equal(more, "193 lines are left out here: no more tha ");
}

static void
a_run_does_not_wait_for_a_reader_who_has_stopped(void **state)
{
    state_t *self = *state;
    AUTO(run_reader) stuck = reader_of(self, false);
    for (int i = 0; i < 300; i++)
        say_much(self);
    run_feed_end(self->feed);
    AUTO_FREE char *warning = take(self, stuck, 1);
    assert_string_equal(warning, "45 lines are left out here: no more than ");
    size_t lines = 0;
    for (;; lines++) {
        AUTO_FREE char *line = take(self, stuck, 1);
        if (!*line)
            break;
    }
    assert_int_equal(lines, 300 - 45);
}

static void *
write_lines(void *arg)
{
    state_t *self = arg;
    for (int i = 0; i < 500; i++)
        say_much(self);
    run_feed_end(self->feed);
    return NULL;
}

static void
a_run_waits_for_readers_who_read_on(void **state)
{
    state_t *self = *state;
    AUTO(run_reader) one = reader_of(self, false);
    AUTO(run_reader) other = reader_of(self, false);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_lines, self), 0);
    size_t lines = 0;
    for (;; lines++) { /* together more than would be kept for one who stops */
        AUTO_FREE char *a = take(self, one, 1), *b = take(self, other, 1);
        assert_string_equal(a, b);
        if (!*a)
            break;
    }
    pthread_join(thread, NULL);
    assert_int_equal(lines, 500);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_reader_has_a_pace_of_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reader_is_let_go_when_it_is_called_off, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_kept_for_readers_to_come_is_limited, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_run_does_not_wait_for_a_reader_who_has_stopped, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_run_waits_for_readers_who_read_on, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

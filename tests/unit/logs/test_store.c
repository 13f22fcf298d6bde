/*  The log store: what is put comes back, whatever was cut, packed or removed meanwhile. */
#include "logs/chunk.h"
#include "logs/logs.h"

#include "base/clock.h"
#include "base/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#define E "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define S "5e51ce00000000000000000000000001"

#define assert_done(result, error)                                                                 \
    do {                                                                                           \
        if ((result) < 0) {                                                                        \
            AUTO_FREE char *text_ = err_string(error);                                             \
            fail_msg("%s", text_);                                                                 \
        }                                                                                          \
    } while (0)

typedef struct {
    char root[64], folder[192];
} place_t;

static int
setup(void **state)
{
    place_t *self = calloc(1, sizeof *self);
    strcpy(self->root, "/tmp/kurtosis-logs-XXXXXX");
    if (!mkdtemp(self->root))
        return -1;
    snprintf(self->folder, sizeof self->folder, "%s/" E "/" S, self->root);
    *state = self;
    return 0;
}

static int
teardown(void **state)
{
    place_t *self = *state;
    file_remove_tree(self->root, NULL);
    free(self);
    return 0;
}

static logs_writer_t *
writer_open(const place_t *self)
{
    logs_writer_t *writer;
    AUTO(err) err = NULL;
    assert_done(logs_writer_open(self->root, E, S, &writer, &err), err);
    return writer;
}

static logs_reader_t *
reader_open(const place_t *self)
{
    logs_reader_t *reader;
    AUTO(err) err = NULL;
    assert_done(logs_reader_open(self->root, E, S, &reader, &err), err);
    return reader;
}

/* Puts lines "<number> and some words to fill it" of from to to, in batches, with the number as cursor and time. */
static void
put(logs_writer_t *writer, int from, int to, int per_batch)
{
    logs_batch_t batch;
    logs_batch_init(&batch);
    AUTO(err) err = NULL;
    for (int i = from; i < to; i++) {
        char text[80];
        int size =
            snprintf(text, sizeof text, "%d and some words to fill it, %x", i, i * 2654435761u);
        logs_batch_add(&batch, i % 3 ? LOGS_OUT : LOGS_ERR, i, text, (size_t)size);
        if ((i + 1 - from) % per_batch == 0 || i + 1 == to) {
            int cursor = i + 1;
            assert_done(logs_writer_put(writer, &batch, &cursor, sizeof cursor, &err), err);
        }
    }
    logs_batch_done(&batch);
}

static int
cursor_of(const logs_writer_t *writer)
{
    size_t size;
    int cursor = 0;
    const void *bytes = logs_writer_cursor(writer, &size);
    memcpy(&cursor, bytes, size == sizeof cursor ? size : 0);
    return cursor;
}

/* Reads until nothing comes: the lines are those of from to the returned number. */
static int
expect_from(logs_reader_t *reader, int from)
{
    logs_line_t line;
    AUTO(err) err = NULL;
    int got;
    for (; (got = logs_reader_next(reader, &line, &err)) > 0; from++) {
        AUTO_FREE char *text = strndup(line.text, line.size);
        if (strtol(text, NULL, 10) != from || line.time != from)
            fail_msg("line %d is '%s'", from, text);
        assert_int_equal(line.stream, from % 3 ? LOGS_OUT : LOGS_ERR);
    }
    assert_done(got, err);
    return from;
}

static void
lines_come_back_as_they_were_put_however_many(void **state)
{
    static const int counts[] = {0, 1, 10, 5000, 60000};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        place_t *self = *state;
        AUTO(logs_writer) writer = writer_open(self);
        put(writer, 0, counts[i], 97);
        AUTO(logs_reader) reader = reader_open(self);
        assert_int_equal(expect_from(reader, 0), counts[i]);
        logs_writer_destroy(&writer);
        assert_int_equal(logs_remove(self->root, E, NULL), 0);
    }
}

static void
any_bytes_may_be_a_line(void **state)
{
    place_t *self = *state;
    AUTO(logs_writer) writer = writer_open(self);
    AUTO_FREE char *large = malloc(LOGS_LINE_MAX);
    for (size_t i = 0; i < LOGS_LINE_MAX; i++)
        large[i] = (char)(i * 7);
    const struct {
        const char *text;
        size_t size;
        int64_t time;
    } rows[] = {
        {"", 0, 5}, {"\0\n\xff", 3, -7}, {large, LOGS_LINE_MAX, INT64_MAX}, {"x", 1, INT64_MIN}};
    logs_batch_t batch;
    logs_batch_init(&batch);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        logs_batch_add(&batch, LOGS_OUT, rows[i].time, rows[i].text, rows[i].size);
    assert_int_equal(logs_writer_put(writer, &batch, "", 0, NULL), 0);
    logs_batch_done(&batch);
    AUTO(logs_reader) reader = reader_open(self);
    logs_line_t line;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(logs_reader_next(reader, &line, NULL), 1);
        assert_int_equal(line.size, rows[i].size);
        assert_memory_equal(line.text, rows[i].text, line.size);
        assert_true(line.time == rows[i].time);
    }
    assert_int_equal(logs_reader_next(reader, &line, NULL), 0);
}

static void
a_reader_beside_the_writer_sees_every_line_once(void **state)
{
    place_t *self = *state;
    AUTO(logs_writer) writer = writer_open(self);
    AUTO(logs_reader) reader = reader_open(self);
    int seen = 0;
    for (int i = 0; i < 40000; i += 500) {
        put(writer, i, i + 500, 50);
        if (i % 3000 == 0) {
            seen = expect_from(reader, seen);
            assert_int_equal(seen, i + 500);
        }
    }
    assert_int_equal(expect_from(reader, seen), 40000);
}

static void
the_last_lines_are_found_in_any_number(void **state)
{
    place_t *self = *state;
    AUTO(logs_writer) writer = writer_open(self);
    put(writer, 0, 30000, 333);
    static const int counts[] = {0, 1, 100, 332, 333, 334, 3000, 9000, 29999, 30000, 40000};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        AUTO(logs_reader) reader = reader_open(self);
        assert_int_equal(logs_reader_last(reader, (uint64_t)counts[i], NULL), 0);
        int from = counts[i] > 30000 ? 0 : 30000 - counts[i];
        assert_int_equal(expect_from(reader, from), 30000);
    }
}

static void
lines_outside_of_times_are_left_out(void **state)
{
    place_t *self = *state;
    AUTO(logs_writer) writer = writer_open(self);
    put(writer, 0, 30000, 100);
    static const int times[] = {0, 1, 7777, 15000, 29999, 30000};
    for (size_t since = 0; since < ARRAY_LEN(times); since++)
        for (size_t until = since; until < ARRAY_LEN(times); until++) {
            AUTO(logs_reader) reader = reader_open(self);
            logs_reader_between(reader, times[since], times[until]);
            assert_int_equal(expect_from(reader, times[since]), times[until]);
        }
}

static void
the_last_lines_of_some_time_are_found_in_any_number(void **state)
{
    place_t *self = *state;
    AUTO(logs_writer) writer = writer_open(self);
    put(writer, 0, 30000, 100);
    static const struct {
        int since, until;
    } rows[] = {{0, 30000},    {7777, 30000},  {0, 22222},
                {7777, 22222}, {12000, 12005}, {29990, 30000}};
    static const int counts[] = {0, 1, 50, 700, 3000, 9000, 30000};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t k = 0; k < ARRAY_LEN(counts); k++) {
            AUTO(logs_reader) reader = reader_open(self);
            logs_reader_between(reader, rows[i].since, rows[i].until);
            assert_int_equal(logs_reader_last(reader, (uint64_t)counts[k], NULL), 0);
            int from = rows[i].until - counts[k];
            assert_int_equal(expect_from(reader, from > rows[i].since ? from : rows[i].since),
                             rows[i].until);
        }
}

/* Times of lines whose clock is set back by half an hour and forward by a day, again and again. */
static int64_t
jumping(int i)
{
    static const int64_t jumps[] = {0, -1800, 86400};
    return (1000000 + i + jumps[i / 700 % 3]) * NS_PER_SECOND;
}

static void
lines_are_found_by_their_times_though_the_clock_jumped(void **state)
{
    place_t *self = *state;
    AUTO(logs_writer) writer = writer_open(self);
    const int count = 20000;
    logs_batch_t batch;
    logs_batch_init(&batch);
    for (int i = 0; i < count; i++) {
        logs_batch_add(&batch, LOGS_OUT, jumping(i), (const char *)&i, sizeof i);
        if (i % 99 == 98 || i + 1 == count)
            assert_int_equal(logs_writer_put(writer, &batch, NULL, 0, NULL), 0);
    }
    logs_batch_done(&batch);
    /* One that was killed finds the same times. */
    logs_writer_destroy(&writer);
    writer = writer_open(self);
    assert_int_equal(logs_writer_mark(writer, LOGS_ENDED, NULL, 0, NULL), 0);
    static const int64_t moments[] = {0,       999000,  1000500, 1004321,
                                      1018000, 1086500, 1099000, 2000000};
    static const int wanted[] = {1, 500, 100000};
    for (size_t since = 0; since < ARRAY_LEN(moments); since++)
        for (size_t until = since; until < ARRAY_LEN(moments); until++)
            for (size_t k = 0; k < ARRAY_LEN(wanted); k++) {
                AUTO(logs_reader) reader = reader_open(self);
                int64_t from = moments[since] * NS_PER_SECOND, to = moments[until] * NS_PER_SECOND;
                int all = 0;
                for (int i = 0; i < count; i++)
                    all += jumping(i) >= from && jumping(i) < to;
                logs_reader_between(reader, from, to);
                assert_int_equal(logs_reader_last(reader, (uint64_t)wanted[k], NULL), 0);
                int left_out = all > wanted[k] ? all - wanted[k] : 0;
                for (int i = 0; i < count; i++) {
                    logs_line_t line;
                    int number;
                    if (jumping(i) < from || jumping(i) >= to || left_out-- > 0)
                        continue;
                    assert_int_equal(logs_reader_next(reader, &line, NULL), 1);
                    memcpy(&number, line.text, sizeof number);
                    assert_int_equal(number, i);
                    assert_true(line.time == jumping(i));
                }
                logs_line_t line;
                assert_int_equal(logs_reader_next(reader, &line, NULL), 0);
                assert_true(logs_reader_has_ended(reader));
            }
}

static void
a_position_stays_true_when_its_file_is_packed(void **state)
{
    place_t *self = *state;
    AUTO(logs_writer) writer = writer_open(self);
    logs_position_t positions[20];
    logs_line_t line;
    put(writer, 0, 100, 7);
    {
        AUTO(logs_reader) reader = reader_open(self);
        for (size_t i = 0; i < 100; i++) {
            if (i % 5 == 0)
                positions[i / 5] = logs_reader_position(reader);
            assert_int_equal(logs_reader_next(reader, &line, NULL), 1);
        }
    }
    put(writer, 100, 20000, 100);
    for (int i = 0; i < 20; i++) {
        AUTO(logs_reader) reader = reader_open(self);
        logs_reader_seek(reader, &positions[i]);
        assert_int_equal(expect_from(reader, i * 5), 20000);
    }
}

static void
copy_cut(const char *from, const char *to, size_t size)
{
    AUTO_STR bytes = STR_EMPTY;
    unlink(to);
    AUTO_FD int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(logs_read_all(in, 0, &bytes, NULL), 0);
    size = size < bytes.len ? size : bytes.len;
    assert_int_equal(write(out, bytes.data, size), size);
}

static void
a_hot_file_cut_anywhere_goes_on_from_its_cursor(void **state)
{
    place_t *self = *state;
    struct stat info;
    AUTO_FREE char *hot = logs_path(self->folder, 1, LOGS_HOT),
                   *saved = str_format("%s/saved", self->root);
    {
        AUTO(logs_writer) writer = writer_open(self);
        put(writer, 0, 40, 3);
    }
    assert_int_equal(rename(hot, saved), 0);
    stat(saved, &info);
    for (size_t size = 0; size <= (size_t)info.st_size; size++) {
        copy_cut(saved, hot, size);
        AUTO(logs_writer) writer = writer_open(self);
        int cursor = cursor_of(writer);
        assert_true(cursor <= 40 && (cursor % 3 == 0 || cursor == 40));
        put(writer, cursor, 45, 4);
        AUTO(logs_reader) reader = reader_open(self);
        assert_int_equal(expect_from(reader, 0), 45);
        logs_writer_destroy(&writer);
        AUTO_FREE char *next = logs_path(self->folder, 2, LOGS_HOT);
        unlink(next);
    }
}

/* The moments of packing at which a kill may come: the pack cut anywhere with the hot file there; both; the next hot file too. */
static void
a_kill_while_packing_loses_and_doubles_nothing(void **state)
{
    place_t *self = *state;
    struct stat info;
    AUTO_FREE char *hot = logs_path(self->folder, 1, LOGS_HOT),
                   *next = logs_path(self->folder, 2, LOGS_HOT),
                   *pack = logs_path(self->folder, 1, LOGS_PACK),
                   *saved_hot = str_format("%s/hot", self->root),
                   *saved_next = str_format("%s/next", self->root),
                   *saved_pack = str_format("%s/pack", self->root);
    {
        AUTO(logs_writer) writer = writer_open(self);
        put(writer, 0, 500, 20);
        copy_cut(hot, saved_hot, SIZE_MAX);
        assert_int_equal(logs_writer_mark(writer, LOGS_ENDED, "\xf4\x01\0\0", 4, NULL), 0);
        copy_cut(pack, saved_pack, SIZE_MAX);
        copy_cut(next, saved_next, SIZE_MAX);
    }
    stat(saved_pack, &info);
    for (size_t size = 0; size <= (size_t)info.st_size + 1;
         size += size + 40 < (size_t)info.st_size ? 13 : 1) {
        copy_cut(saved_hot, hot, SIZE_MAX);
        copy_cut(saved_pack, pack, size);
        unlink(next);
        if (size == (size_t)info.st_size + 1)
            copy_cut(saved_next, next, SIZE_MAX);
        AUTO(logs_writer) writer = writer_open(self);
        assert_int_equal(cursor_of(writer), 500);
        put(writer, 500, 520, 7);
        AUTO(logs_reader) reader = reader_open(self);
        assert_int_equal(expect_from(reader, 0), 520);
    }
}

static void
a_log_whose_hot_file_is_lost_has_the_cursor_of_its_last_chunk(void **state)
{
    place_t *self = *state;
    AUTO_FREE char *hot = logs_path(self->folder, 2, LOGS_HOT);
    {
        AUTO(logs_writer) writer = writer_open(self);
        put(writer, 0, 500, 20);
        assert_int_equal(logs_writer_mark(writer, LOGS_ENDED, "\xf4\x01\0\0", 4, NULL), 0);
    }
    assert_int_equal(unlink(hot), 0);
    AUTO(logs_writer) writer = writer_open(self);
    assert_int_equal(cursor_of(writer), 500);
    put(writer, 500, 510, 20);
    AUTO(logs_reader) reader = reader_open(self);
    assert_int_equal(expect_from(reader, 0), 510);
}

/* A process that puts lines one by one and is killed at some moment, many times over. */
static void
a_writer_killed_at_any_moment_goes_on_where_its_lines_end(void **state)
{
    place_t *self = *state;
    for (int round = 0; round < 12; round++) {
        int pipes[2];
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        if (child == 0) {
            logs_writer_t *writer = NULL;
            if (logs_writer_open(self->root, E, S, &writer, NULL) < 0)
                _exit(1);
            for (int at = cursor_of(writer);; at += 10) {
                put(writer, at, at + 10, 3);
                if (write(pipes[1], "", 1) < 0)
                    _exit(1);
            }
        }
        close(pipes[1]);
        char one;
        for (int i = 0; i < 40 + 97 * round; i++)
            assert_int_equal(read(pipes[0], &one, 1), 1);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        close(pipes[0]);
    }
    AUTO(logs_writer) writer = writer_open(self);
    int cursor = cursor_of(writer);
    AUTO(logs_reader) reader = reader_open(self);
    assert_int_equal(expect_from(reader, 0), cursor);
    assert_true(cursor > 12 * 400);
}

static void
a_log_is_written_by_one_at_a_time(void **state)
{
    place_t *self = *state;
    AUTO(logs_writer) writer = writer_open(self);
    logs_writer_t *other;
    AUTO(err) err = NULL;
    assert_int_equal(logs_writer_open(self->root, E, S, &other, &err), -1);
    assert_int_equal(err_code(err), ERR_STATE);
    int lock = -1, second = -1;
    assert_int_equal(logs_lock(self->root, &lock, NULL), 0);
    assert_int_equal(logs_lock(self->root, &second, NULL), -1);
    close(lock);
}

static void
marks_say_whether_the_source_has_ended(void **state)
{
    place_t *self = *state;
    AUTO(logs_writer) writer = writer_open(self);
    AUTO(logs_reader) reader = reader_open(self);
    static const struct {
        int lines;
        int mark; /* -1 for none */
        bool ended;
    } rows[] = {{0, LOGS_BEGAN, false}, {5, -1, false},         {0, LOGS_ENDED, true},
                {0, LOGS_ENDED, true},  {0, LOGS_BEGAN, false}, {0, LOGS_ENDED, true},
                {3, -1, false},         {0, LOGS_ENDED, true}};
    int at = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        put(writer, at, at + rows[i].lines, 10);
        int before = at;
        at += rows[i].lines;
        if (rows[i].mark >= 0)
            assert_int_equal(
                logs_writer_mark(writer, (logs_mark_t)rows[i].mark, &at, sizeof at, NULL), 0);
        assert_int_equal(expect_from(reader, before), at);
        assert_int_equal(logs_reader_has_ended(reader), rows[i].ended);
        AUTO(logs_reader) other = reader_open(self);
        assert_int_equal(logs_reader_last(other, 1, NULL), 0);
        expect_from(other, at > 0 ? at - 1 : 0);
        assert_int_equal(logs_reader_has_ended(other), rows[i].ended);
        if (i == 3) {
            logs_writer_destroy(&writer);
            writer = writer_open(self);
        }
    }
}

static uint64_t
bytes_of(const place_t *self)
{
    logs_limits_t limits = {.oldest = 0, .quota = UINT64_MAX};
    uint64_t bytes;
    assert_int_equal(logs_keep(self->root, &limits, &bytes, NULL), 0);
    return bytes;
}

static void
lines_take_less_room_than_they_have_bytes(void **state)
{
    place_t *self = *state;
    AUTO(logs_writer) writer = writer_open(self);
    put(writer, 0, 100000, 300);
    uint64_t raw = 0;
    for (int i = 0; i < 100000; i++)
        raw +=
            (uint64_t)snprintf(NULL, 0, "%d and some words to fill it, %x", i, i * 2654435761u) + 1;
    assert_true(bytes_of(self) < raw * 115 / 100);
}

static void
the_oldest_packs_go_first_when_the_quota_is_crossed(void **state)
{
    place_t *self = *state;
    AUTO(logs_writer) writer = writer_open(self);
    logs_writer_t *other;
    assert_int_equal(logs_writer_open(self->root, E, "other", &other, NULL), 0);
    put(other, 0, 20000, 300);
    assert_int_equal(logs_writer_mark(other, LOGS_ENDED, "", 0, NULL), 0);
    put(writer, 0, 20000, 300);
    AUTO_FREE char *pack = str_format("%s/" E "/other/00000001.pack", self->root);
    struct timespec old[] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(utimensat(AT_FDCWD, pack, old, 0), 0);
    uint64_t bytes = bytes_of(self), left;
    logs_limits_t limits = {.oldest = 0, .quota = bytes - 1};
    assert_int_equal(logs_keep(self->root, &limits, &left, NULL), 0);
    assert_true(left < bytes * 9 / 10);
    assert_int_equal(access(pack, F_OK), -1);
    AUTO(logs_reader) reader = reader_open(self);
    assert_int_equal(expect_from(reader, 0), 20000);
    /* The other one's lines are gone, its reader goes on with what there is; a hot file in use is never removed. */
    limits.quota = 0;
    assert_int_equal(logs_keep(self->root, &limits, &left, NULL), 0);
    put(writer, 20000, 20005, 2);
    logs_reader_destroy(&reader);
    reader = reader_open(self);
    logs_line_t line;
    AUTO(err) err = NULL;
    int64_t last = -1;
    while (logs_reader_next(reader, &line, &err) > 0)
        last = line.time;
    assert_null(err);
    assert_int_equal(last, 20004);
    logs_writer_destroy(&other);
}

static void
what_is_older_than_the_limit_goes_with_its_folder(void **state)
{
    place_t *self = *state;
    AUTO(logs_writer) writer = writer_open(self);
    put(writer, 0, 5000, 300);
    assert_int_equal(logs_writer_describe(writer, "{}", NULL), 0);
    logs_limits_t limits = {.oldest = clock_wall_ns() + NS_PER_SECOND, .quota = UINT64_MAX};
    assert_int_equal(logs_keep(self->root, &limits, NULL, NULL), 0);
    assert_true(logs_exists(self->root, E, S));
    logs_writer_destroy(&writer);
    assert_int_equal(logs_keep(self->root, &limits, NULL, NULL), 0);
    assert_false(logs_exists(self->root, E, S));
    assert_int_equal(access(self->folder, F_OK), -1);
}

static void
meta_is_what_was_described_last(void **state)
{
    place_t *self = *state;
    AUTO(logs_writer) writer = writer_open(self);
    assert_null(logs_meta(self->root, E, S));
    assert_int_equal(logs_writer_describe(writer, "one", NULL), 0);
    assert_int_equal(logs_writer_describe(writer, "two", NULL), 0);
    AUTO_FREE char *text = logs_meta(self->root, E, S);
    assert_string_equal(text, "two");
}

static void
names_that_leave_the_store_are_refused(void **state)
{
    place_t *self = *state;
    static const char *const names[] = {
        "",
        ".",
        "..",
        "a/b",
        "../x",
        "a b",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        logs_reader_t *reader;
        AUTO(err) err = NULL;
        assert_int_equal(logs_reader_open(self->root, E, names[i], &reader, &err), -1);
        assert_int_equal(err_code(err), ERR_INVALID);
        assert_int_equal(logs_remove(self->root, names[i], NULL), -1);
        assert_false(logs_exists(self->root, names[i], S));
    }
}

static void
a_full_disk_costs_no_line_that_was_put(void **state)
{
    place_t *self = *state;
    AUTO(logs_writer) writer = writer_open(self);
    put(writer, 0, 100, 10);
    logs_batch_t batch;
    logs_batch_init(&batch);
    logs_batch_add(&batch, LOGS_ERR, 102, "102", 3);
    /* A limit on the size of files stands for the full disk. */
    struct rlimit before, small = {.rlim_cur = 5000};
    getrlimit(RLIMIT_FSIZE, &before);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    AUTO_FREE char *text = malloc(6000);
    memset(text, 'x', 6000);
    logs_batch_add(&batch, LOGS_OUT, 103, text, 6000);
    AUTO(err) err = NULL;
    int result = logs_writer_put(writer, &batch, "", 0, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(result, -1);
    assert_int_equal(err_code(err), ERR_LIMIT);
    assert_int_equal(batch.lines, 2);
    assert_int_equal(cursor_of(writer), 100);
    put(writer, 100, 120, 10);
    AUTO(logs_reader) reader = reader_open(self);
    assert_int_equal(expect_from(reader, 0), 120);
    logs_batch_done(&batch);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(lines_come_back_as_they_were_put_however_many),
        IN_PLACE(any_bytes_may_be_a_line),
        IN_PLACE(a_reader_beside_the_writer_sees_every_line_once),
        IN_PLACE(the_last_lines_are_found_in_any_number),
        IN_PLACE(lines_outside_of_times_are_left_out),
        IN_PLACE(the_last_lines_of_some_time_are_found_in_any_number),
        IN_PLACE(lines_are_found_by_their_times_though_the_clock_jumped),
        IN_PLACE(a_position_stays_true_when_its_file_is_packed),
        IN_PLACE(a_hot_file_cut_anywhere_goes_on_from_its_cursor),
        IN_PLACE(a_kill_while_packing_loses_and_doubles_nothing),
        IN_PLACE(a_log_whose_hot_file_is_lost_has_the_cursor_of_its_last_chunk),
        IN_PLACE(a_writer_killed_at_any_moment_goes_on_where_its_lines_end),
        IN_PLACE(a_log_is_written_by_one_at_a_time),
        IN_PLACE(marks_say_whether_the_source_has_ended),
        IN_PLACE(lines_take_less_room_than_they_have_bytes),
        IN_PLACE(the_oldest_packs_go_first_when_the_quota_is_crossed),
        IN_PLACE(what_is_older_than_the_limit_goes_with_its_folder),
        IN_PLACE(meta_is_what_was_described_last),
        IN_PLACE(names_that_leave_the_store_are_refused),
        IN_PLACE(a_full_disk_costs_no_line_that_was_put),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

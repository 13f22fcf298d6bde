/*  feed: a list of packed lines, and who has read how far. See feed.h. */
#include "apic/run/feed.h"

#include "apic/run/run.h"
#include "base/clock.h"
#include "base/memory.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#define CHUNK_BYTES                                                                                \
    32768u /* of items that lie together: what is kept long must not lie scattered over the heap */
#define ALIGNMENT 16u

typedef struct item {
    struct item *next;
    size_t size;
    char packed[];
} item_t;

/* Items in order. The first one that is kept is in the first chunk. */
typedef struct chunk {
    struct chunk *next;
    size_t used, space; /* bytes of items */
    size_t count;       /* of items that are kept */
    char items[] __attribute__((aligned(ALIGNMENT)));
} chunk_t;

struct run_feed {
    char *title;
    int64_t since;        /* clock_ns() */
    pthread_mutex_t lock; /* of what follows */
    unsigned holders;
    item_t *first, **last;
    chunk_t *first_chunk, *last_chunk;
    size_t bytes;        /* of all items */
    size_t dropped;      /* items that are not kept any more */
    pthread_cond_t room; /* lines were read, or a reader has left */
    run_reader_t *readers;
    bool is_over, is_left;
};

struct run_reader {
    run_feed_t *feed;
    int event;          /* eventfd: readable when there may be something to see */
    run_reader_t *next; /* this and what follows: under the feed's lock */
    item_t *at;         /* the first one that is not read; NULL when all are */
    size_t unread;      /* bytes from there on */
    size_t missed;      /* lines that were gone before they were read, and not said to be */
    bool is_slow;       /* has taken nothing for RUN_LINES_PATIENCE_MS */
};

static void trim(run_feed_t *self);
static void wait_for_readers(run_feed_t *self);
static void append(run_feed_t *self, const str_t *packed);
static size_t take(run_reader_t *self, size_t most, str_t *out, bool *ret_over);

run_feed_t *
run_feed_new(const char *title)
{
    run_feed_t *self = calloc(1, sizeof(*self));
    if (!self)
        abort();
    self->title = strdup(title);
    self->since = clock_ns();
    self->holders = 1;
    self->last = &self->first;
    pthread_mutex_init(&self->lock, NULL);
    clock_cond_init(&self->room);
    return self;
}

run_feed_t *
run_feed_hold(run_feed_t *self)
{
    pthread_mutex_lock(&self->lock);
    self->holders++;
    pthread_mutex_unlock(&self->lock);
    return self;
}

void
run_feed_drop(run_feed_t **self_p)
{
    run_feed_t *self = TAKE(*self_p);
    if (!self)
        return;
    pthread_mutex_lock(&self->lock);
    const bool is_last = --self->holders == 0;
    pthread_mutex_unlock(&self->lock);
    if (!is_last)
        return;
    while (self->first_chunk) {
        chunk_t *chunk = self->first_chunk;
        self->first_chunk = chunk->next;
        free(chunk);
    }
    pthread_cond_destroy(&self->room);
    pthread_mutex_destroy(&self->lock);
    free(self->title);
    free(self);
}

void
run_feed_add(void *arg, run_line_t *line)
{
    run_feed_t *self = arg;
    AUTO_STR packed = STR_EMPTY;
    run_lines_pack(&packed, line);
    pthread_mutex_lock(&self->lock);
    wait_for_readers(self);
    append(self, &packed);
    trim(self);
    pthread_mutex_unlock(&self->lock);
}

void
run_feed_end(run_feed_t *self)
{
    pthread_mutex_lock(&self->lock);
    self->is_over = true;
    trim(self);
    for (run_reader_t *reader = self->readers; reader; reader = reader->next)
        eventfd_write(reader->event, 1);
    pthread_mutex_unlock(&self->lock);
    memory_give_back(); /* a run is the largest thing this process ever holds */
}

void
run_feed_leave(run_feed_t *self)
{
    pthread_mutex_lock(&self->lock);
    self->is_left = true;
    pthread_mutex_unlock(&self->lock);
}

bool
run_feed_is_left(run_feed_t *self)
{
    pthread_mutex_lock(&self->lock);
    const bool is_left = self->is_left;
    pthread_mutex_unlock(&self->lock);
    return is_left;
}

char *
run_feed_about(run_feed_t *self)
{
    pthread_mutex_lock(&self->lock);
    const bool is_over = self->is_over;
    pthread_mutex_unlock(&self->lock);
    return str_format("This %s the run of %s, which began %lld s ago%s", is_over ? "was" : "is",
                      self->title, (long long)((clock_ns() - self->since) / NS_PER_SECOND),
                      is_over ? " and has ended" : "");
}

/* -------------------------------------------------------------------------------------- keeping */

/* Room for so many bytes at the end of the last chunk, or of a new one. */
static void *
make_room(run_feed_t *self, size_t size)
{
    chunk_t *chunk = self->last_chunk;
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!chunk || chunk->space - chunk->used < size) {
        const size_t space = size > CHUNK_BYTES ? size : CHUNK_BYTES;
        chunk = malloc(sizeof(*chunk) + space);
        if (!chunk)
            abort();
        chunk->next = NULL;
        chunk->used = chunk->count = 0;
        chunk->space = space;
        *(self->last_chunk ? &self->last_chunk->next : &self->first_chunk) = chunk;
        self->last_chunk = chunk;
    }
    void *room = chunk->items + chunk->used;
    chunk->used += size;
    chunk->count++;
    return room;
}

/* Appends one; under lock. */
static void
append(run_feed_t *self, const str_t *packed)
{
    item_t *item = make_room(self, sizeof(*item) + packed->len);
    item->next = NULL;
    item->size = packed->len;
    memcpy(item->packed, packed->data, packed->len);
    *self->last = item;
    self->last = &item->next;
    self->bytes += item->size;
    for (run_reader_t *reader = self->readers; reader; reader = reader->next) {
        reader->unread += item->size;
        if (reader->at)
            continue;
        reader->at = item;
        eventfd_write(reader->event, 1);
    }
}

static bool
is_unread(const run_feed_t *self, const item_t *item)
{
    const run_reader_t *reader = self->readers;
    while (reader && reader->at != item)
        reader = reader->next;
    return reader;
}

static void
drop_first(run_feed_t *self)
{
    item_t *item = self->first;
    for (run_reader_t *reader = self->readers; reader; reader = reader->next)
        if (reader->at == item) {
            reader->at = item->next;
            reader->unread -= item->size;
            reader->missed++;
        }
    self->first = item->next;
    if (!self->first)
        self->last = &self->first;
    self->bytes -= item->size;
    self->dropped++;
    chunk_t *chunk = self->first_chunk;
    if (--chunk->count == 0 && chunk->next) {
        self->first_chunk = chunk->next;
        free(chunk);
    }
}

/* Keeps the limits; under lock. The last line always stays: mostly it says how the run ended. */
static void
trim(run_feed_t *self)
{
    const size_t most = self->is_over ? RUN_HISTORY_KEPT : RUN_HISTORY_MAX;
    while (self->bytes > most && self->first->next &&
           (self->bytes > RUN_LINES_MAX || !is_unread(self, self->first)))
        drop_first(self);
}

static run_reader_t *
behind(const run_feed_t *self)
{
    run_reader_t *reader = self->readers;
    while (reader && (reader->is_slow || reader->unread <= RUN_LINES_AHEAD))
        reader = reader->next;
    return reader;
}

/* A run does not go far ahead of a reader who keeps reading: memory is shorter than time. It does
 * not wait for one who has stopped. Under lock. */
static void
wait_for_readers(run_feed_t *self)
{
    struct timespec until;
    if (!behind(self))
        return;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += RUN_LINES_PATIENCE_MS / 1000;
    while (behind(self))
        if (pthread_cond_timedwait(&self->room, &self->lock, &until) == ETIMEDOUT)
            for (run_reader_t *reader; (reader = behind(self));)
                reader->is_slow = true;
}

/* -------------------------------------------------------------------------------------- reading */

int
run_reader_new(run_feed_t *feed, bool only_new, run_reader_t **ret_reader, err_t **err)
{
    run_reader_t *self = calloc(1, sizeof(*self));
    if (!self)
        abort();
    self->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->event < 0) {
        const int why = errno;
        free(self);
        return err_fail(err, ERR_LIMIT, "cannot follow a run: %s", strerror(why));
    }
    self->feed = run_feed_hold(feed);
    pthread_mutex_lock(&feed->lock);
    if (!only_new) {
        self->at = feed->first;
        self->unread = feed->bytes;
        self->missed = feed->dropped;
    }
    self->next = feed->readers;
    feed->readers = self;
    pthread_mutex_unlock(&feed->lock);
    *ret_reader = self;
    return 0;
}

void
run_reader_destroy(run_reader_t **self_p)
{
    run_reader_t *self = TAKE(*self_p);
    if (!self)
        return;
    run_feed_t *feed = self->feed;
    pthread_mutex_lock(&feed->lock);
    run_reader_t **at = &feed->readers;
    while (*at != self)
        at = &(*at)->next;
    *at = self->next;
    trim(feed);
    pthread_cond_broadcast(&feed->room);
    const bool is_over = feed->is_over;
    pthread_mutex_unlock(&feed->lock);
    run_feed_drop(&feed);
    if (is_over)
        memory_give_back(); /* of what it had still to read */
    close(self->event);
    free(self);
}

size_t
run_reader_take(run_reader_t *self, size_t most, int cancel_fd, str_t *out)
{
    for (;;) {
        bool is_over;
        eventfd_t unused;
        const size_t count = take(self, most, out, &is_over);
        if (count || is_over)
            return count;
        struct pollfd fds[] = {{self->event, POLLIN, 0}, {cancel_fd, POLLIN, 0}};
        if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
            return 0;
        if (fds[1].revents)
            return 0;
        eventfd_read(self->event, &unused);
    }
}

static void
say_missed(size_t missed, str_t *out)
{
    AUTO_FREE char *text = str_format("%zu lines are left out here: no more than %u MB of what a "
                                      "run says are kept",
                                      missed, RUN_HISTORY_MAX >> 20);
    run_lines_warning(&(run_lines_t){run_lines_pack, out}, text);
}

/* What there is, without waiting; *ret_over says that there will be none any more. */
static size_t
take(run_reader_t *self, size_t most, str_t *out, bool *ret_over)
{
    run_feed_t *feed = self->feed;
    const size_t start = out->len;
    size_t count = 0;
    pthread_mutex_lock(&feed->lock);
    if (self->missed) {
        say_missed(self->missed, out);
        self->missed = 0;
        count++;
    }
    for (; self->at && count < most && out->len - start < RUN_BATCH_BYTES; count++) {
        const item_t *item = self->at;
        str_add_bytes(out, item->packed, item->size);
        self->at = item->next;
        self->unread -= item->size;
        self->is_slow = false;
    }
    if (count && self->unread < RUN_LINES_AHEAD / 2)
        pthread_cond_broadcast(&feed->room);
    *ret_over = feed->is_over;
    pthread_mutex_unlock(&feed->lock);
    return count;
}

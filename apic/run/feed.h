/*  feed: what a run says. It is kept, packed, and read by any number of clients, each at its own pace.
 *
 *  Kept are the last RUN_HISTORY_MAX bytes (RUN_HISTORY_KEPT when the run has ended), and what a client still has to
 *  read, within RUN_LINES_MAX. What a client finds gone is counted, and a warning in its place says how many lines.
 */
#ifndef KURTOSIS_APIC_RUN_FEED_H
#define KURTOSIS_APIC_RUN_FEED_H

#include "apic/run/lines.h"

typedef struct run_feed run_feed_t;
typedef struct run_reader run_reader_t;

/* title: what is run, for people. One reference, yours. */
run_feed_t *run_feed_new(const char *title);
run_feed_t *run_feed_hold(run_feed_t *self); /* one more; returns self */
void run_feed_drop(run_feed_t **self_p);
/* A run_sink_fn (arg: the feed), for any thread. Waits while a client who keeps reading is more than RUN_LINES_AHEAD
 * bytes behind. */
void run_feed_add(void *self, run_line_t *line);
/* There will be no more lines. */
void run_feed_end(run_feed_t *self);
/* The client that started the run has gone: whoever else reads, nobody answers its questions. */
void run_feed_leave(run_feed_t *self);
bool run_feed_is_left(run_feed_t *self);
/* What it is, since when, and whether it has ended: one sentence; yours. */
char *run_feed_about(run_feed_t *self);

/* Begins with the first line that is kept, or with the next one. LIMIT: no descriptor. *ret_reader is yours, and holds
 * the feed. */
int run_reader_new(run_feed_t *feed, bool only_new, run_reader_t **ret_reader, err_t **err);
void run_reader_destroy(run_reader_t **self_p);
AUTO_FOR(run_reader)
/* Appends lines to out, packed by bus_msgpack_pack one after the other: what is there, at most `most` lines and about
 * RUN_BATCH_BYTES. Waits for the first. Returns how many; 0 when the run has ended and all is read, or cancel_fd is
 * readable. One thread. */
size_t run_reader_take(run_reader_t *self, size_t most, int cancel_fd, str_t *out);

#endif

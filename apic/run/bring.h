/*  bring: repositories that a run's client fetches itself.
 *
 *  A client whose git has other addresses or rights for some repositories says so with its request.
 * When the run needs one of them, a repository_wanted line asks for it, and the run waits for the
 * client's ProvideRepository or RefuseRepository.
 */
#ifndef KURTOSIS_APIC_RUN_BRING_H
#define KURTOSIS_APIC_RUN_BRING_H

#include "apic/run/feed.h"

#define RUN_BRING_MS 600000 /* for the client to fetch and send one */

typedef struct run_bring run_bring_t; /* what all runs of an enclave wait for */

run_bring_t *run_bring_new(void);
void run_bring_destroy(run_bring_t **self_p);
AUTO_FOR(run_bring)

/* Asks the client that started the run with this feed, and waits. *ret_archive (yours, free and
 * unlink) is the path of what it has brought. DENIED when it refuses, CANCELLED when it has gone or
 * run_bring_stop was called, TIMEOUT. */
int run_bring_ask(run_bring_t *self, run_feed_t *feed, const char *url, const char *version,
                  char **ret_archive, err_t **err);

/* The client's answer: the archive (taken: *archive_p is cleared), or why there is none. NOT_FOUND
 * when nobody waits for this id. */
int run_bring_put(run_bring_t *self, const char *id, char **archive_p, err_t **err);
int run_bring_refuse(run_bring_t *self, const char *id, const char *reason, err_t **err);

/* A client has left its run (run_feed_leave): whoever waits for it looks again. */
void run_bring_wake(run_bring_t *self);
/* Nobody waits any more, from now on. */
void run_bring_stop(run_bring_t *self);

#endif

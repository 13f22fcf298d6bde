/*  ports: waits until the ports of a service answer: connection attempts, 5 ms apart at first, 500
 * ms at last.
 *
 *  All ports of a service at once, on the calling thread. TCP and SCTP ports are connected to (and
 * closed again at once); UDP has nothing that could answer, so its ports count as open.
 */
#ifndef KURTOSIS_APIC_CORE_PORTS_H
#define KURTOSIS_APIC_CORE_PORTS_H

#include "base/clock.h"
#include "base/err.h"

#include <stddef.h>

#define PORTS_MAX 1024                     /* ports of one service */
#define PORTS_FIRST_PAUSE (5 * NS_PER_MS)  /* between two attempts, at least */
#define PORTS_PATIENCE 200                 /* else this part of the time that it has been waited */
#define PORTS_LAST_PAUSE (500 * NS_PER_MS) /* at most */
#define PORTS_ATTEMPT (200 * NS_PER_MS)    /* how long an attempt may hang */

typedef enum { PORTS_TCP, PORTS_UDP, PORTS_SCTP } ports_transport_t;

typedef struct {
    const char *id;
    unsigned number; /* 1..65535 */
    ports_transport_t transport;
    int64_t wait_ns; /* < 0: not waited for */
} ports_target_t;

typedef struct {
    const char *ip;
    const ports_target_t *targets;
    size_t count;
    int cancel_fd; /* readable: give up with CANCELLED; -1 for none */
    /* Readable: something happened to the service. on_hint then says whether waiting still makes
     * sense: negative (with *err) ends it. -1 for none. */
    int hint_fd;
    int (*on_hint)(void *arg, err_t **err);
    void *arg;
} ports_wait_t;

/* 0 when every port with a wait answers; TIMEOUT for the first whose wait has run out, with
 * attempts and reason; UNSUPPORTED where the kernel has no SCTP. */
int ports_wait(const ports_wait_t *self, err_t **err);

#endif

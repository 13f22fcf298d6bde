/*  monitor: what happens to a socket's connections, as messages on a second socket. */
#ifndef KURTOSIS_BUS_MONITOR_H
#define KURTOSIS_BUS_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

/* A PAIR socket on which the given ZMQ_EVENT_... of socket arrive; NULL if there can be no more
 * sockets. */
void *bus_monitor_new(void *socket, int events);
/* Takes the next event that waits; false when none does. value: ZMQ's meaning for that event. */
bool bus_monitor_next(void *monitor, uint16_t *ret_event, uint32_t *ret_value);
/* Before socket is closed. *monitor_p is NULL after; NULL is fine. */
void bus_monitor_destroy(void *socket, void **monitor_p);

#endif

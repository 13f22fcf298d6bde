/*  monitor: see monitor.h. */
#include "bus/monitor.h"

#include "bus/bus.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

void *
bus_monitor_new(void *socket, int events)
{
    static atomic_uint last;
    char endpoint[40];
    snprintf(endpoint, sizeof endpoint, "inproc://bus.monitor.%u", atomic_fetch_add(&last, 1));
    if (zmq_socket_monitor(socket, endpoint, events) < 0)
        return NULL;
    void *monitor = zmq_socket(bus_context(), ZMQ_PAIR);
    if (monitor && zmq_connect(monitor, endpoint) == 0)
        return monitor;
    zmq_socket_monitor(socket, NULL, 0);
    if (monitor)
        zmq_close(monitor);
    return NULL;
}

bool
bus_monitor_next(void *monitor, uint16_t *ret_event, uint32_t *ret_value)
{
    /* Two parts: number and value in the machine's order; the address, which nobody here reads. */
    zmq_msg_t part;
    zmq_msg_init(&part);
    bool got = zmq_msg_recv(&part, monitor, ZMQ_DONTWAIT) >= 0;
    if (got && zmq_msg_size(&part) >= 6) {
        const uint8_t *bytes = zmq_msg_data(&part);
        memcpy(ret_event, bytes, 2);
        memcpy(ret_value, bytes + 2, 4);
    }
    while (got && zmq_msg_more(&part) && zmq_msg_recv(&part, monitor, ZMQ_DONTWAIT) >= 0)
        continue;
    zmq_msg_close(&part);
    return got;
}

void
bus_monitor_destroy(void *socket, void **monitor_p)
{
    void *monitor = TAKE(*monitor_p);
    if (!monitor)
        return;
    zmq_socket_monitor(socket, NULL, 0);
    zmq_close(monitor);
}

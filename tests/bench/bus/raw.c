/*  raw: the floor. DEALER - (ROUTER zmq_proxy DEALER) - DEALER that sends back what it gets. */
#include "tests/bench/bus/bench.h"

#include <stdio.h>
#include <string.h>
#include <zmq.h>

typedef struct {
    char front[100], back[100];
} ends_t;

static void
hub(void *arg)
{
    ends_t *ends = arg;
    void *context = zmq_ctx_new();
    void *front = zmq_socket(context, ZMQ_ROUTER), *back = zmq_socket(context, ZMQ_DEALER);
    if (zmq_bind(front, ends->front) < 0 || zmq_bind(back, ends->back) < 0)
        exit(1);
    child_ready();
    zmq_proxy(front, back, NULL);
}

static void
echo(void *arg)
{
    ends_t *ends = arg;
    void *socket = zmq_socket(zmq_ctx_new(), ZMQ_DEALER);
    if (zmq_connect(socket, ends->back) < 0)
        exit(1);
    child_ready();
    for (;;) {
        zmq_msg_t msg;
        zmq_msg_init(&msg);
        zmq_msg_recv(&msg, socket, 0);
        zmq_msg_send(&msg, socket, zmq_msg_more(&msg) ? ZMQ_SNDMORE : 0);
    }
}

static void
send_one(void *socket)
{
    zmq_msg_t msg;
    zmq_msg_init_size(&msg, MESSAGE_SIZE);
    memset(zmq_msg_data(&msg), 'x', MESSAGE_SIZE);
    zmq_msg_send(&msg, socket, 0);
}

static void
recv_one(void *socket)
{
    zmq_msg_t msg;
    zmq_msg_init(&msg);
    zmq_msg_recv(&msg, socket, 0);
    zmq_msg_close(&msg);
}

result_t
raw_round(const char *folder, int trips, int single_trips)
{
    ends_t ends;
    snprintf(ends.front, sizeof ends.front, "ipc://%s/front", folder);
    snprintf(ends.back, sizeof ends.back, "ipc://%s/back", folder);
    int hub_pid = child_start(hub, &ends), echo_pid = child_start(echo, &ends);
    void *socket = zmq_socket(zmq_ctx_new(), ZMQ_DEALER);
    zmq_connect(socket, ends.front);
    for (int i = 0; i < 1000; i++) {
        send_one(socket);
        recv_one(socket);
    }
    result_t result;
    int64_t began = clock_ns();
    for (int i = 0; i < WINDOW; i++)
        send_one(socket);
    for (int i = 0; i < trips; i++) {
        recv_one(socket);
        if (i < trips - WINDOW)
            send_one(socket);
    }
    result.per_second = trips * 1e9 / (double)(clock_ns() - began);
    double *times = calloc((size_t)single_trips, sizeof *times);
    for (int i = 0; i < single_trips; i++) {
        int64_t start = clock_ns();
        send_one(socket);
        recv_one(socket);
        times[i] = (double)(clock_ns() - start) / 1000;
    }
    result.p50_us = median_of(times, single_trips);
    free(times);
    child_end(echo_pid);
    child_end(hub_pid);
    return result;
}

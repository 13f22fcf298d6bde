/*  sim: a driver in memory, for tests of those who ask one. It joins a bus as any driver does.
 *
 *  There are two ways to have one. Without a folder there is one enclave's worth of services, in an enclave that it takes
 *  as given: its containers are entries in a list; what they do is said by their image:
 *
 *    listen    listens on its TCP ports at its private address (use a network inside 127.0.0.0/8)
 *    silent    runs and does nothing
 *    dies      runs, and ends with exit code 7 as soon as it was started
 *    refused   cannot be started: StartService fails with STATE
 *
 *  Every image is there but "lost".
 *
 *  A command does: "echo WORD..." prints the words, "fail N" exits with N, "flood N" prints N
 * bytes, "/bin/sh ..." prints "ran", "hang" runs until its caller gives up. A copied path is a tar with one file, note.txt,
 * that holds the path. A log has the lines "one of NAME" and "two of NAME".
 *
 *  With a folder (kurtosis-sim-driver, which the contract suite runs) nothing is given: images are those that were loaded,
 *  and enclaves those that were made.
 */
#ifndef KURTOSIS_TESTS_SIM_H
#define KURTOSIS_TESTS_SIM_H

#include "actors/actors.h"
#include "bus/schema/orchestrator.pb-c.h"

#define SIM_MOUNTS_MAX 16
#define SIM_PORTS_MAX 16
#define SIM_ID_SIZE 33

typedef struct sim sim_t;

/* What StartService brought for one directory. */
typedef struct {
    str_t data;      /* archives, one after the other */
    size_t archives; /* how many ended */
} sim_mount_t;

typedef struct sim_container {
    Orchestrator__ServiceSpec *spec; /* as it came; service_uuid "": an API container */
    char id[SIM_ID_SIZE];
    Orchestrator__ContainerState state;
    int exit_code;
    unsigned starts; /* of this service, replacements included */
    sim_mount_t mounts[SIM_MOUNTS_MAX];
    int listeners[SIM_PORTS_MAX];       /* -1: none */
    int published[SIM_PORTS_MAX];       /* hold the ports of this host while it runs; -1: none */
    uint32_t host_ports[SIM_PORTS_MAX]; /* 0: none */
    struct sim_container *next;
} sim_container_t;

typedef struct {
    const char *name;     /* on the bus, e.g. "driver/sim" */
    const char *endpoint; /* the broker's */
    uint8_t broker_key[BUS_KEY_SIZE];
    bus_keys_t keys;
    const char *folder; /* empty and its own; NULL: see above */
    const char *
        outside; /* path of a socket at which outside_sim.c of the contract suite looks at it; NULL: none */
} sim_config_t;

/* *ret_sim is yours. */
int sim_start(const sim_config_t *config, sim_t **ret_sim, err_t **err);
/* Joins as "driver/docker", without a folder. */
int sim_new(const char *endpoint, const uint8_t broker_key[BUS_KEY_SIZE], const bus_keys_t *keys,
            sim_t **ret_sim, err_t **err);
void sim_destroy(sim_t **self_p);
AUTO_FOR(sim)

/* Calls fn with the container of the service (under the sim's lock), if there is one; true if there
 * was. */
bool sim_look(sim_t *self, const char *name,
              void (*fn)(void *arg, const sim_container_t *container), void *arg);
size_t sim_count(sim_t *self);
/* A container ends by itself, or is removed by somebody else. */
void sim_kill(sim_t *self, const char *name, int exit_code);
void sim_forget(sim_t *self, const char *name);
/* Adds a running container that nobody asked for. */
void sim_intrude(sim_t *self, const char *enclave_uuid, const char *service_uuid, const char *name);
/* Until count of them are there at the same time, no StartService goes on (10 s at most). */
void sim_hold(sim_t *self, unsigned count);
/* Whether commands that are "/bin/sh ..." hang. */
void sim_hang(sim_t *self, bool hang);
/* How many commands hang. */
unsigned sim_hanging(sim_t *self);
/* How many StartService there were at most at the same time. */
unsigned sim_most(sim_t *self);
/* Whether RemoveService fails with UNAVAILABLE. */
void sim_refuse_removal(sim_t *self, bool refuse);

#endif

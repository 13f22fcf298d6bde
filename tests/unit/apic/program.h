/*  program: kurtosis-apic as a process of its own, on the stage's broker with its driver in memory. */
#ifndef KURTOSIS_TESTS_APIC_PROGRAM_H
#define KURTOSIS_TESTS_APIC_PROGRAM_H

#include "bus/schema/api_container.pb-c.h"
#include "tests/unit/apic_core/stage.h"

#include <sys/types.h>

#define APIC "apic/" SUPPORT_ENCLAVE
#define SERVICE "api_container_api.ApiContainerService/"
#define PATIENCE_MS 30000

typedef struct {
    stage_t *stage;
    actor_t *client;
    pid_t pid;    /* 0 when it does not run */
    char *errors; /* file with what it wrote to standard error */
} program_t;

typedef ApiContainerApi__StarlarkRunResponseLine program_line_t;

/* cmocka's fixtures: the stage without an API container, and a client. Teardown kills what still runs. */
int program_setup(void **state);
int program_teardown(void **state);

void program_start(program_t *self, const char *uuid);
void program_until_joined(program_t *self);
/* Its exit status, as waitpid says it. */
int program_wait_for_end(program_t *self);
/* Killed, and gone from the bus. */
void program_kill(program_t *self);

/* A line of its /proc/PID/status in KB: "VmRSS:" is what is resident, "VmHWM:" the most that ever was. */
long program_memory_kb(const program_t *self, const char *line);

/* Runs a script to its end or until the API container is gone: true when it has succeeded. on_line (NULL: nobody) sees
 * every line; errors are appended to ret_errors. */
bool program_run(program_t *self, const char *script,
                 void (*on_line)(void *arg, const program_line_t *line), void *arg,
                 str_t *ret_errors);

#endif

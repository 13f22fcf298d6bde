/*  interrupt: see interrupt.h. */
#include "cli/interrupt.h"

#include "actors/actors.h"
#include "cli/output.h"
#include "cli/progress.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

static struct {
    pthread_mutex_t lock; /* guards the rest */
    const char *message;
    int exit_code;
    void (*cleanup)(void);
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .exit_code = 1};

static void *
wait_for_signal(void *arg)
{
    (void)arg;
    actor_process_wait();
    pthread_mutex_lock(&state.lock);
    if (state.cleanup)
        state.cleanup();
    progress_hide(); /* and never show it again */
    if (state.message) {
        ssize_t ignored = write(STDERR_FILENO, "\n", 1);
        (void)ignored;
        AUTO_FREE char *line = str_format("%s\n", state.message);
        ignored = write(STDERR_FILENO, line, strlen(line));
    }
    _exit(state.exit_code);
}

void
interrupt_init(void)
{
    pthread_t thread;
    actor_process_init();
    if (pthread_create(&thread, NULL, wait_for_signal, NULL) == 0)
        pthread_detach(thread);
}

void
interrupt_set(const char *message, int exit_code)
{
    pthread_mutex_lock(&state.lock);
    state.message = message;
    state.exit_code = exit_code;
    pthread_mutex_unlock(&state.lock);
}

void
interrupt_set_cleanup(void (*cleanup)(void))
{
    pthread_mutex_lock(&state.lock);
    state.cleanup = cleanup;
    pthread_mutex_unlock(&state.lock);
}

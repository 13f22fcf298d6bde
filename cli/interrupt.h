/*  interrupt: what Ctrl-C does. Commands that talk to others run with the signals blocked; a thread
 * waits for them. */
#ifndef KURTOSIS_CLI_INTERRUPT_H
#define KURTOSIS_CLI_INTERRUPT_H

/* For every command that uses actors, before anything else: prepares the process and starts the
 * thread. Without more, SIGINT and SIGTERM end the program with exit code 1. */
void interrupt_init(void);
/* From now on they print message (NULL for none) on stderr and end it with this code. message is
 * lent for ever. */
void interrupt_set(const char *message, int exit_code);
/* Called on the thread before the program ends, e.g. to restore the terminal; NULL for none. */
void interrupt_set_cleanup(void (*cleanup)(void));

#endif

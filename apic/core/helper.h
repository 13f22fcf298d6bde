/*  helper: runs one of our helper programs for one piece of work and reads what it prints.
 *
 *  HTTP and jq live in programs of their own (apic/core/helpers): their libraries would double the
 * memory of an API container for good, a jq program from a package can loop or crash, and a process
 * can be ended at any instant. A helper lies at <folder of this program>/../lib/kurtosis/<name>; it
 * gets no environment but what is named here, reads its work from standard input and answers on
 * standard output.
 */
#ifndef KURTOSIS_APIC_CORE_HELPER_H
#define KURTOSIS_APIC_CORE_HELPER_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

#define HELPER_MESSAGE_MAX 4096u /* bytes of standard error that are kept */

typedef struct {
    const char *name; /* "http" */
    const void *input;
    size_t input_size;
    /* The proxy variables of this process are handed on. */
    bool with_proxies;
    int timeout_ms; /* < 0: none */
    int cancel_fd;  /* readable: give up; -1 for none */
    /* A piece of its output, on the calling thread; negative ends the helper and is returned. */
    int (*on_output)(void *arg, const void *data, size_t size, err_t **err);
    void *arg;
} helper_t;

/* Runs it to its end. 0 and its exit status, what it said on standard error appended to message;
 * CANCELLED, TIMEOUT, INTERNAL when it crashed, UNAVAILABLE when it is not installed. No process is
 * left behind. Any thread. */
int helper_run(const helper_t *self, int *ret_status, str_t *message, err_t **err);

#endif

/*  jq: runs jq programs of recipes (`extract`) in the helper program "jq" (libjq 1.6 with what
 * newer jqs have added).
 *
 *      char **outputs;
 *      size_t count;
 *      if (core_jq(".items[].name", body, strlen(body), JQ_TIMEOUT_MS, -1, &outputs, &count, err) < 0)
 *          return err_wrap(err, "cannot extract the names");
 */
#ifndef KURTOSIS_APIC_CORE_JQ_H
#define KURTOSIS_APIC_CORE_JQ_H

#include "base/err.h"

#include <stddef.h>

#define JQ_TIMEOUT_MS 10000      /* the longest that a program may run */
#define JQ_MEMORY_MAX 536870912u /* bytes of memory it may use: LIMIT */
#define JQ_OUTPUT_MAX 10485760u  /* bytes of all outputs together: LIMIT */

/* Runs program on the JSON text input, for at most timeout_ms (1..JQ_TIMEOUT_MS: TIMEOUT).
 * ret_outputs: every output as a compact JSON text, nulls left out; core_jq_outputs_free. An error
 * that the program raises ends its outputs and is no error here. INVALID when the program or the input cannot be parsed; the chain begins with "An error
 * occurred when parsing field extractor 'P'" or "An error occurred when parsing JSON response
 * body:\n'INPUT'". cancel_fd: readable means give up (CANCELLED); -1 for none. Any thread. */
int core_jq(const char *program, const char *input, size_t input_size, int timeout_ms,
            int cancel_fd, char ***ret_outputs, size_t *ret_count, err_t **err);
/* Frees the array and its texts; NULL is fine. */
void core_jq_outputs_free(char **outputs, size_t count);

#endif

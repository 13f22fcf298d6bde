/*  replaces: what `replace` said in earlier runs, and the packages that are to be cloned because it
 * says something else now.
 *
 *  A package that is replaced by a local folder lies where the replaced one would. When it is not
 * replaced any more, the folder must become the replaced package again.
 */
#ifndef KURTOSIS_APIC_RUN_REPLACES_H
#define KURTOSIS_APIC_RUN_REPLACES_H

#include "apic/packages/resolve.h"
#include "apic/run/phases.h"

#define RUN_REPLACES_MAX 10000u /* replaced packages an enclave remembers */

/* Clones what is to be cloned, then remembers the replacements of packages. */
int run_replaces_apply(const run_enclave_t *enclave, const run_request_t *request,
                       const packages_t *packages, err_t **err);

#endif

/*  jq: what goes between jq.c and the helper program of this name.
 *
 *    its input   number of bytes of the program \n  the program  then the JSON text
 *    its output  each result that is not null as one line of JSON
 *    it exits    with one of the results below; all but JQ_HELPER_DONE say why on standard error
 */
#ifndef KURTOSIS_APIC_CORE_HELPERS_JQ_H
#define KURTOSIS_APIC_CORE_HELPERS_JQ_H

enum {
    JQ_HELPER_DONE = 0,
    JQ_HELPER_BAD_PROGRAM = 10,
    JQ_HELPER_BAD_INPUT = 11,
    JQ_HELPER_NO_MEMORY = 12,
};

#endif

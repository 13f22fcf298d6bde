/*  http: what goes between http.c and the helper program of this name.
 *
 *    its input   METHOD \n URL \n body_max \n proxies (0|1) \n  then  Name: value \n ...  then an
 *                empty line, then the body
 *    its output  status \n  then the response's body
 *    it exits    with one of the results below; all but HTTP_HELPER_DONE say why on standard error
 */
#ifndef KURTOSIS_APIC_CORE_HELPERS_HTTP_H
#define KURTOSIS_APIC_CORE_HELPERS_HTTP_H

#define HTTP_HELPER_RESULTS(X)                                                                     \
    X(DONE, 0, UNKNOWN)                                                                            \
    X(BAD_REQUEST, 10, INVALID)                                                                    \
    X(UNREACHABLE, 11, UNAVAILABLE)                                                                \
    X(TOO_LARGE, 12, LIMIT)                                                                        \
    X(FAILED, 13, UNKNOWN)

enum {
#define HTTP_HELPER_ENUM(name, number, code) HTTP_HELPER_##name = number,
    HTTP_HELPER_RESULTS(HTTP_HELPER_ENUM)
#undef HTTP_HELPER_ENUM
};

#endif

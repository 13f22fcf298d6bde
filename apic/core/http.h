/*  http: requests to services and downloads, made by the helper program "http" (libcurl). */
#ifndef KURTOSIS_APIC_CORE_HTTP_H
#define KURTOSIS_APIC_CORE_HTTP_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

#define HTTP_BODY_MAX 10485760u                /* bytes of a response that is kept in memory */
#define HTTP_DOWNLOAD_MAX UINT64_C(2097152000) /* bytes of a download */
#define HTTP_REDIRECTS_MAX 10                  /* redirects that are followed */

typedef struct {
    const char *method; /* "GET" or "POST" */
    const char *url;    /* http:// or https:// */
    const char *body;   /* NULL: none */
    size_t body_size;
    const char *content_type;   /* NULL or "": none; a header of that name below wins */
    const char *const *headers; /* "Name: value", NULL-terminated; NULL: none */
    bool is_outside;            /* of the enclave: proxies of our environment apply */
    int timeout_ms;             /* < 0: none */
    int cancel_fd;              /* readable: give up; -1: none */
    uint64_t body_max;          /* bytes of a response that are accepted; LIMIT past it */
} http_request_t;

/* *ret_status is that of the last response of a chain of redirects. INVALID for a URL or header
 * that is none, UNAVAILABLE when nobody answers, TIMEOUT, CANCELLED, LIMIT. on_body: a piece of the
 * response's body, on the calling thread; negative ends the request and is returned. */
int http_request(const http_request_t *self, int *ret_status,
                 int (*on_body)(void *arg, const void *data, size_t size, err_t **err), void *arg,
                 err_t **err);
/* The same into memory. */
int http_request_text(const http_request_t *self, int *ret_status, str_t *body, err_t **err);
/* The same into a new file, which is removed again on failure. */
int http_request_file(const http_request_t *self, int *ret_status, const char *path, err_t **err);

#endif

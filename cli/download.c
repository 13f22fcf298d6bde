/*  download: see download.h. */
#include "cli/download.h"

#include "base/auto.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <string.h>

#define LIBRARY "libcurl.so.4"
#define REDIRECTS 10L

/* What is used of the library. */
#define FUNCTIONS(X)                                                                               \
    X(easy_init)                                                                                   \
    X(easy_setopt) X(easy_perform) X(easy_getinfo) X(easy_strerror) X(easy_cleanup)

typedef struct {
#define X(name) __typeof__(&curl_##name) name;
    FUNCTIONS(X)
#undef X
} curl_t;

typedef struct {
    str_t *out;
    size_t left;
    bool is_full;
} body_t;

static int
load(curl_t *self, err_t **err)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return err_fail(err, ERR_UNSUPPORTED, LIBRARY " cannot be loaded: %s", dlerror());
#define X(name)                                                                                    \
    *(void **)&self->name = dlsym(library, "curl_" #name);                                         \
    if (!self->name)                                                                               \
        return err_fail(err, ERR_UNSUPPORTED, LIBRARY " has no curl_" #name);
    FUNCTIONS(X)
#undef X
    return 0;
}

static size_t
on_body(char *bytes, size_t one, size_t size, void *arg)
{
    body_t *self = arg;
    (void)one;
    self->is_full = size > self->left;
    if (self->is_full)
        return 0;
    str_add_bytes(self->out, bytes, size);
    self->left -= size;
    return size;
}

static err_code_t
code_of(CURLcode why)
{
    return why == CURLE_OPERATION_TIMEDOUT     ? ERR_TIMEOUT
           : why == CURLE_UNSUPPORTED_PROTOCOL ? ERR_INVALID
           : why == CURLE_URL_MALFORMAT        ? ERR_INVALID
                                               : ERR_UNAVAILABLE;
}

int
download_text(const char *url, size_t max, str_t *out, err_t **err)
{
    curl_t curl;
    body_t body = {.out = out, .left = max};
    long status = 0;
    if (load(&curl, err) < 0)
        return err_wrap(err, "cannot download '%s'", url);
    CURL *request = curl.easy_init();
    if (!request)
        return err_fail(err, ERR_LIMIT, "cannot download '%s'", url);
    curl.easy_setopt(request, CURLOPT_URL, url);
    curl.easy_setopt(request, CURLOPT_PROTOCOLS_STR, "http,https");
    curl.easy_setopt(request, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl.easy_setopt(request, CURLOPT_FOLLOWLOCATION, 1L);
    curl.easy_setopt(request, CURLOPT_MAXREDIRS, REDIRECTS);
    curl.easy_setopt(request, CURLOPT_TIMEOUT, (long)DOWNLOAD_SECONDS);
    curl.easy_setopt(request, CURLOPT_NOSIGNAL, 1L);
    curl.easy_setopt(request, CURLOPT_WRITEFUNCTION, on_body);
    curl.easy_setopt(request, CURLOPT_WRITEDATA, &body);
    const CURLcode why = curl.easy_perform(request);
    curl.easy_getinfo(request, CURLINFO_RESPONSE_CODE, &status);
    curl.easy_cleanup(request);
    if (body.is_full)
        return err_fail(err, ERR_LIMIT, "'%s' has more than %zu bytes", url, max);
    if (why != CURLE_OK)
        return err_fail(err, code_of(why), "cannot download '%s': %s", url,
                        curl.easy_strerror(why));
    return status / 100 == 2
               ? 0
               : err_fail(err, ERR_NOT_FOUND, "cannot download '%s': the answer has status %ld",
                          url, status);
}

/*  http: the helper program that makes one HTTP request with libcurl; see http.h beside it. */
#include "apic/core/helpers/http.h"

#include "apic/core/http.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#define INPUT_MAX (64u * 1024 * 1024)

typedef struct {
    CURL *curl;
    char *method, *url, *body;
    size_t body_size;
    struct curl_slist *headers;
    uint64_t body_max, written;
    bool proxies, status_written, too_large;
} request_t;

static int
say(int result, const char *text)
{
    fputs(text, stderr);
    return result;
}

/* Cuts the next line off; NULL when there is none. */
static char *
line(char **at, char *end)
{
    char *start = *at, *newline = memchr(start, '\n', (size_t)(end - start));
    if (!newline)
        return NULL;
    *newline = 0;
    *at = newline + 1;
    return start;
}

static bool
parse(request_t *self, char *input, size_t size)
{
    char *at = input, *end = input + size;
    char *max, *proxies, *header;
    if (!(self->method = line(&at, end)) || !(self->url = line(&at, end)) ||
        !(max = line(&at, end)) || !(proxies = line(&at, end)))
        return false;
    self->body_max = strtoull(max, NULL, 10);
    self->proxies = proxies[0] == '1';
    while ((header = line(&at, end)) && header[0])
        self->headers = curl_slist_append(self->headers, header);
    self->body = at;
    self->body_size = (size_t)(end - at);
    return header != NULL;
}

static void
write_status(request_t *self)
{
    long status = 0;
    curl_easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &status);
    if (!self->status_written)
        printf("%ld\n", status);
    self->status_written = true;
}

static size_t
on_body(char *data, size_t one, size_t size, void *arg)
{
    (void)one;
    request_t *self = arg;
    write_status(self);
    self->written += size;
    if (self->written > self->body_max) {
        self->too_large = true;
        return 0;
    }
    return fwrite(data, 1, size, stdout);
}

static void
set_options(request_t *self)
{
    CURL *curl = self->curl;
    curl_easy_setopt(curl, CURLOPT_URL, self->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)HTTP_REDIRECTS_MAX);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "kurtosis/" KURTOSIS_VERSION);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, self->headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, self);
    if (!self->proxies)
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    if (strcmp(self->method, "POST") == 0) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, self->body);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)self->body_size);
    }
}

static int
result_of(const request_t *self, CURLcode code, const char *detail)
{
    const char *text = detail[0] ? detail : curl_easy_strerror(code);
    if (self->too_large)
        return say(HTTP_HELPER_TOO_LARGE, "the response is too large");
    switch (code) {
    case CURLE_OK:
        return HTTP_HELPER_DONE;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return say(HTTP_HELPER_BAD_REQUEST, text);
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return say(HTTP_HELPER_UNREACHABLE, text);
    default:
        return say(HTTP_HELPER_FAILED, text);
    }
}

int
main(void)
{
    /* Whoever asked is gone: so is the need. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);

    str_t input = STR_EMPTY;
    char part[65536];
    for (size_t got; (got = fread(part, 1, sizeof part, stdin)) > 0;) {
        if (input.len + got > INPUT_MAX)
            return say(HTTP_HELPER_BAD_REQUEST, "the request is too large");
        str_add_bytes(&input, part, got);
    }

    request_t self = {.curl = curl_easy_init()};
    /* No "Expect: 100-continue": it only adds a wait. */
    self.headers = curl_slist_append(NULL, "Expect:");
    if (!self.curl || !parse(&self, input.data, input.len))
        return say(HTTP_HELPER_BAD_REQUEST, "the request is incomplete");

    char detail[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(self.curl, CURLOPT_ERRORBUFFER, detail);
    set_options(&self);
    CURLcode code = curl_easy_perform(self.curl);
    if (code == CURLE_OK)
        write_status(&self);
    int result = result_of(&self, code, detail);
    curl_slist_free_all(self.headers);
    curl_easy_cleanup(self.curl);
    str_done(&input);
    return fflush(stdout) == 0 ? result : HTTP_HELPER_FAILED;
}

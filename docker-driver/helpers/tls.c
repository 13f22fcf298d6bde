/*  docker-tls: carries one connection to a Docker daemon with TLS; see tls.h beside it. */
#include "docker-driver/helpers/tls.h"

#include "base/auto.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define PIECE 16384

/* Says what is wrong, on one line. */
static int
wrong(const char *what, SSL *ssl)
{
    char reason[200] = "";
    long verdict = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
    unsigned long code = ERR_peek_last_error();
    if (verdict != X509_V_OK)
        snprintf(reason, sizeof reason, "%s", X509_verify_cert_error_string(verdict));
    else if (code && ERR_reason_error_string(code))
        snprintf(reason, sizeof reason, "%s", ERR_reason_error_string(code));
    else
        snprintf(reason, sizeof reason, "%s",
                 errno ? strerror(errno) : "the connection was closed");
    printf("%s: %s\n", what, reason);
    fflush(stdout);
    return 1;
}

/* Certificates of the folder; a file that is missing is not used. */
static int
load(SSL_CTX *context, const char *folder)
{
    AUTO_FREE char *ca = str_format("%s/ca.pem", folder);
    AUTO_FREE char *cert = str_format("%s/cert.pem", folder);
    AUTO_FREE char *key = str_format("%s/key.pem", folder);
    if (access(ca, F_OK) == 0 ? SSL_CTX_load_verify_locations(context, ca, NULL) != 1
                              : SSL_CTX_set_default_verify_paths(context) != 1)
        return wrong("cannot read ca.pem", NULL);
    if (access(cert, F_OK) == 0 && SSL_CTX_use_certificate_chain_file(context, cert) != 1)
        return wrong("cannot read cert.pem", NULL);
    if (access(key, F_OK) == 0 && SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        return wrong("cannot use key.pem", NULL);
    return 0;
}

static int
greet(SSL *ssl, const char *name)
{
    unsigned char address[16];
    bool is_number =
        inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
    if (is_number)
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name);
    else if (SSL_set1_host(ssl, name) != 1 || SSL_set_tlsext_host_name(ssl, name) != 1)
        return wrong("the name is odd", NULL);
    SSL_set_fd(ssl, TLS_HELPER_FD);
    errno = 0;
    if (SSL_connect(ssl) != 1)
        return wrong("the greeting failed", ssl);
    /* A daemon that refuses our certificate says so only now, with TLS 1.3: the first bytes of an
     * answer show it. The driver asks at once. */
    printf(TLS_HELPER_OK "\n");
    fflush(stdout);
    return 0;
}

static bool
write_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t went = write(fd, data, size);
        if (went < 0 && errno == EINTR)
            continue;
        if (went <= 0)
            return false;
        data += went;
        size -= (size_t)went;
    }
    return true;
}

/* Takes what has come, and all that OpenSSL holds of it; false at the end. */
static bool
take(SSL *ssl)
{
    char piece[PIECE];
    do {
        int got = SSL_read(ssl, piece, sizeof piece);
        if (got <= 0) {
            int why = SSL_get_error(ssl, got);
            if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
                return true;
            if (why != SSL_ERROR_ZERO_RETURN && ERR_peek_last_error())
                fprintf(stderr, "TLS connection to the Docker daemon: %s\n",
                        ERR_reason_error_string(ERR_peek_last_error()));
            return false;
        }
        if (!write_all(STDOUT_FILENO, piece, (size_t)got))
            return false;
    } while (SSL_pending(ssl));
    return true;
}

/* Passes on both ways until one side ends. SSL_write waits; SSL_read does not. */
static void
carry(SSL *ssl)
{
    char piece[PIECE];
    SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
    for (;;) {
        struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                               {.fd = TLS_HELPER_FD, .events = POLLIN}};
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents && !take(ssl))
            return;
        if (!fds[0].revents)
            continue;
        ssize_t got = read(STDIN_FILENO, piece, sizeof piece);
        if (got <= 0 || SSL_write(ssl, piece, (int)got) <= 0)
            return;
    }
}

int
main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    bool is_verified = argc == 3 || strcmp(argv[3], TLS_HELPER_UNVERIFIED) != 0;
    SSL_CTX_set_verify(context, is_verified ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    int code = load(context, argv[2]);
    SSL *ssl = code ? NULL : SSL_new(context);
    if (ssl)
        code = greet(ssl, argv[1]);
    if (ssl && code == 0 && fork() == 0) {
        carry(ssl);
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    SSL_CTX_free(context);
    return code;
}

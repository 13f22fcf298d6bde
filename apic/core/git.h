/*  git: fetches one version of a repository into a folder, with the git program.
 *
 *  It runs as a helper (helper.h), so a clone that takes too long or is not wanted any more is
 * ended at once.
 */
#ifndef KURTOSIS_APIC_CORE_GIT_H
#define KURTOSIS_APIC_CORE_GIT_H

#include "apic/core/cache.h"

#define GIT_ATTEMPTS 3
#define GIT_FIRST_PAUSE_MS 1000 /* before the second attempt; doubled after each */
#define GIT_TIMEOUT_MS 600000   /* of one command */
#define GIT_STALL_SECONDS 60    /* a server that says nothing for so long is given up */
#define GIT_TOKEN_MAX 4096u     /* bytes of an access token */
#define GIT_ROOTS_MAX 1048576u  /* bytes of certificates that servers are trusted by */

typedef struct {
    const char *url;     /* where it is; shown in errors */
    const char *mirrors; /* see git_mirror_url; "" for none */
    const char *version; /* tag, branch or full commit, tried in this order; "": default branch */
    const char *token;   /* for the host of url, never for a mirror or where it is redirected to; ""
                            for none */
    const char *
        roots; /* a file with the certificates that servers are trusted by; NULL or "": the machine's */
    int cancel_fd;     /* readable: give up */
    int stall_seconds; /* 0 is GIT_STALL_SECONDS */
    cache_t cache;     /* where earlier clones are found and this one is kept; zero for none */
} git_clone_t;

/* Makes the new folder to, with the files of that version, without history, and without links that
 * leave it. On failure nothing is left of it. A full commit that is in the cache needs no network;
 * of another version that was fetched before the server is asked which commit it is now. When it
 * cannot be reached, that is what it was the last time: then 1, and *ret_note (may be NULL; yours)
 * says so. */
int git_clone(const git_clone_t *self, const char *to, char **ret_note, err_t **err);

/* Writes the file path: the machine's certificates of authorities (SSL_CERT_FILE, or Debian's), and these of the user. */
int git_roots_write(const char *path, const char *own, err_t **err);

/* The URL to use in the place of url. mirrors is a list, separated by blanks, of FROM=TO: the
 * longest FROM that url begins with is exchanged for TO (http, https or file). *ret_url is yours,
 * NULL when there is no mirror for it. INVALID when the list is wrong. */
int git_mirror_url(const char *mirrors, const char *url, char **ret_url, err_t **err);

#endif

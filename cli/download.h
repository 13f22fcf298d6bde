/*  download: small files from the web. */
#ifndef KURTOSIS_CLI_DOWNLOAD_H
#define KURTOSIS_CLI_DOWNLOAD_H

#include "base/err.h"
#include "base/str.h"

#define DOWNLOAD_SECONDS 60 /* for all of it */

/* Appends what a GET of an http or https URL answers, redirects followed; status 2xx is required. LIMIT above max bytes,
 * TIMEOUT, NOT_FOUND, UNAVAILABLE; UNSUPPORTED where libcurl is not installed: it is loaded here and now, for it is larger
 * than all the rest of the program and hardly ever needed. */
int download_text(const char *url, size_t max, str_t *out, err_t **err);

#endif

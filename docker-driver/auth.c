/*  auth: see auth.h. */
#include "docker-driver/auth.h"

#include "base/str.h"
#include "docker-driver/api.h"
#include "docker-driver/logins.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define REFERENCE_MAX 1024u /* bytes of an image reference */
#define DOCKER_HUB "docker.io"

/* ----------------------------------------------------------------------------------- references */

int
docker_reference_parse(const char *image, docker_reference_t *ret_reference, err_t **err)
{
    bool fine = *image && strlen(image) <= REFERENCE_MAX && !strchr("/:@", *image);
    for (const char *p = image; *p && fine; p++)
        fine = isalnum((unsigned char)*p) || strchr("._-/:@", *p);
    const char *slash = strchr(image, '/');
    const char *base = strrchr(image, '/');
    base = base ? base + 1 : image;
    const char *at = strchr(base, '@');
    const char *colon = at ? NULL : strchr(base, ':');
    if (!fine || !*base || (colon && !colon[1]) || strstr(image, "//") || strstr(image, ".."))
        return err_fail(err, ERR_INVALID,
                        "'%.200s' is not an image reference such as 'nginx:1.25' or "
                        "'registry.example.com:5000/team/app:1.0'",
                        image);
    size_t host = slash ? (size_t)(slash - image) : 0;
    bool has_host = host && (memchr(image, '.', host) || memchr(image, ':', host) ||
                             (host == 9 && strncmp(image, "localhost", 9) == 0));
    ret_reference->host = has_host ? strndup(image, host) : strdup(DOCKER_HUB);
    ret_reference->name = colon ? strndup(image, (size_t)(colon - image)) : strdup(image);
    ret_reference->tag = strdup(colon ? colon + 1 : at ? "" : "latest");
    return 0;
}

void
docker_reference_done(docker_reference_t *self)
{
    free(self->host);
    free(self->name);
    free(self->tag);
    *self = (docker_reference_t){0};
}

char *
docker_reference_full(const docker_reference_t *self)
{
    return *self->tag ? str_format("%s:%s", self->name, self->tag) : strdup(self->name);
}

/* ---------------------------------------------------------------------------------- credentials */

static char *
header_of(json_t *auth)
{
    AUTO_FREE char *text = docker_json_text(auth);
    json_decref(auth);
    size_t size = sodium_base64_encoded_len(strlen(text), sodium_base64_VARIANT_URLSAFE);
    char *header = malloc(size);
    if (!header)
        abort();
    sodium_bin2base64(header, size, (const unsigned char *)text, strlen(text),
                      sodium_base64_VARIANT_URLSAFE);
    explicit_bzero(text, strlen(text));
    return header;
}

char *
docker_auth_header(const char *host, const char *username, const char *password)
{
    if (!*username) {
        json_t *login = docker_login_find(host);
        return login ? header_of(login) : NULL;
    }
    json_t *auth = json_pack("{s:s, s:s, s:s}", "username", username, "password", password,
                             "serveraddress", host);
    return auth ? header_of(auth) : NULL;
}

char *
docker_auth_from_config(const char *config, const char *host)
{
    json_t *login = docker_login_in(config, host);
    return login ? header_of(login) : NULL;
}

char *
docker_auth_all(void)
{
    json_t *logins = docker_logins_all(NULL);
    if (json_object_size(logins))
        return header_of(logins);
    json_decref(logins);
    return NULL;
}

int
docker_registry_logins_set(docker_t *self, const docker_call_t *call,
                           const Orchestrator__SetRegistryLoginsArgs *request, err_t **err)
{
    (void)self;
    (void)call;
    if (request->n_logins > LOGINS_MAX)
        return err_fail(err, ERR_LIMIT, "there are %zu logins, and %u are the most",
                        request->n_logins, LOGINS_MAX);
    AUTO_JSON *logins = json_object();
    for (size_t i = 0; i < request->n_logins; i++) {
        const Orchestrator__RegistryLogin *from = request->logins[i];
        json_t *login = *from->registry ? docker_login_new(from->registry, from->username,
                                                           from->password, from->identity_token)
                                        : NULL;
        if (!login)
            return err_fail(err, ERR_INVALID, "a login does not say for which registry it is");
        json_object_set_new(logins, from->registry, login);
    }
    return docker_logins_keep(logins, err);
}

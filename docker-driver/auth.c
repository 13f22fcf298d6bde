/*  auth: see auth.h. */
#include "docker-driver/auth.h"

#include "base/str.h"
#include "docker-driver/api.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define CONFIG_MAX (1024u * 1024) /* bytes of Docker's configuration file */
#define REFERENCE_MAX 1024u       /* bytes of an image reference */
#define DOCKER_HUB "docker.io"

/* How Docker's configuration may write a host: before and after it. */
static const struct {
    const char *before, *after;
} spellings[] = {{"", ""},
                 {"https://", ""},
                 {"https://", "/"},
                 {"https://", "/v1/"},
                 {"https://", "/v2/"},
                 {"http://", ""},
                 {"", "/"}};
/* Docker Hub's names. */
static const char *const hub_names[] = {"https://index.docker.io/v1/", "index.docker.io",
                                        "docker.io", "registry-1.docker.io"};

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

/* The entry of a host in "auths"; NULL when there is none. */
static json_t *
entry_find(const json_t *auths, const char *host)
{
    bool is_hub = strcmp(host, DOCKER_HUB) == 0;
    for (size_t i = 0; is_hub && i < ARRAY_LEN(hub_names); i++) {
        json_t *entry = json_object_get(auths, hub_names[i]);
        if (entry)
            return entry;
    }
    for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
        AUTO_FREE char *key = str_format("%s%s%s", spellings[i].before, host, spellings[i].after);
        json_t *entry = json_object_get(auths, key);
        if (entry)
            return entry;
    }
    return NULL;
}

/* Takes "user:password" out of base64; false when it is none. */
static bool
decode_pair(const char *text, char **ret_username, char **ret_password)
{
    size_t size = strlen(text), len = 0;
    AUTO_FREE char *raw = calloc(1, size + 1);
    if (!raw || !size ||
        sodium_base642bin((unsigned char *)raw, size, text, size, "\r\n ", &len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return false;
    char *colon = memchr(raw, ':', len);
    if (!colon)
        return false;
    *ret_username = strndup(raw, (size_t)(colon - raw));
    *ret_password = strndup(colon + 1, len - (size_t)(colon + 1 - raw));
    return true;
}

char *
docker_auth_from_config(const char *config, const char *host)
{
    AUTO_JSON *json = json_loads(config, 0, NULL);
    const json_t *entry = entry_find(json_object_get(json, "auths"), host);
    if (!json_is_object(entry))
        return NULL;
    const char *token = docker_text(entry, "identitytoken");
    AUTO_FREE char *username = NULL;
    AUTO_FREE char *password = NULL;
    if (!decode_pair(docker_text(entry, "auth"), &username, &password)) {
        username = strdup(docker_text(entry, "username"));
        password = strdup(docker_text(entry, "password"));
    }
    if (!*username && !*token)
        return NULL;
    json_t *auth = json_pack("{s:s, s:s, s:s}", "username", username, "password", password,
                             "serveraddress", host);
    if (!auth)
        return NULL;
    if (*token)
        json_object_set_new(auth, "identitytoken", json_string(token));
    return header_of(auth);
}

static char *
config_read(void)
{
    const char *folder = getenv("DOCKER_CONFIG");
    const char *home = getenv("HOME");
    AUTO_FREE char *path = folder && *folder
                               ? str_format("%s/config.json", folder)
                               : str_format("%s/.docker/config.json", home ? home : "/root");
    FILE *in = fopen(path, "re");
    if (!in)
        return NULL;
    char *text = calloc(1, CONFIG_MAX + 1);
    if (!text)
        abort();
    size_t size = fread(text, 1, CONFIG_MAX, in);
    text[size] = '\0';
    fclose(in);
    return text;
}

char *
docker_auth_header(const char *host, const char *username, const char *password)
{
    if (*username) {
        json_t *auth = json_pack("{s:s, s:s, s:s}", "username", username, "password", password,
                                 "serveraddress", host);
        return auth ? header_of(auth) : NULL;
    }
    AUTO_FREE char *config = config_read();
    return config ? docker_auth_from_config(config, host) : NULL;
}

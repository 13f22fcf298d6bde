/*  logins: see logins.h. */
#include "docker-driver/logins.h"

#include "docker-driver/api.h"
#include "docker-driver/credential.h"
#include "docker-driver/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define HUB "docker.io"
#define TOKEN_USER "<token>" /* how a helper says that its secret is an identity token */

/* Docker Hub's names. */
static const char *const hub_names[] = {"index.docker.io", "docker.io", "registry-1.docker.io",
                                        "registry.hub.docker.com"};

char *
docker_login_host(const char *spelling)
{
    const char *scheme = strstr(spelling, "://");
    const char *host = scheme ? scheme + 3 : spelling;
    char *name = strndup(host, strcspn(host, "/"));
    for (size_t i = 0; i < ARRAY_LEN(hub_names); i++)
        if (strcmp(name, hub_names[i]) == 0) {
            free(name);
            return strdup(HUB);
        }
    return name;
}

/* -------------------------------------------------------------------------------- configuration */

static char *
config_path(void)
{
    const char *own = getenv(LOGINS_FILE);
    return own && *own ? strdup(own) : docker_config_path("config.json");
}

/* The configuration; NULL when there is none that can be read. Yours. */
static json_t *
config_read(str_t *problems)
{
    AUTO_FREE char *path = config_path();
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    AUTO_FREE char *text = calloc(1, LOGINS_CONFIG_MAX + 1);
    size_t size = 0;
    ssize_t got = 0;
    if (!text)
        abort();
    while (size < LOGINS_CONFIG_MAX && (got = read(fd, text + size, LOGINS_CONFIG_MAX - size)) > 0)
        size += (size_t)got;
    json_error_t why = {.text = "it is too large"};
    json_t *config = size < LOGINS_CONFIG_MAX ? json_loadb(text, size, 0, &why) : NULL;
    explicit_bzero(text, size);
    if (!config && problems)
        str_printf(problems, "cannot read '%s': line %d: %s\n", path, why.line, why.text);
    return config;
}

/* ---------------------------------------------------------------------------------------- auths */

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
    if (colon) {
        *ret_username = strndup(raw, (size_t)(colon - raw));
        *ret_password = strndup(colon + 1, len - (size_t)(colon + 1 - raw));
    }
    explicit_bzero(raw, size);
    return colon != NULL;
}

json_t *
docker_login_new(const char *host, const char *username, const char *password, const char *token)
{
    json_t *login = json_pack("{s:s}", "serveraddress", host);
    if (*token) {
        json_object_set_new(login, "identitytoken", json_string(token));
        return login;
    }
    json_object_set_new(login, "username", json_string(username));
    json_object_set_new(login, "password", json_string(password));
    return login;
}

/* What an entry of "auths" says; NULL when it says nothing (a helper knows then). */
static json_t *
login_of_entry(const json_t *entry, const char *host)
{
    AUTO_FREE char *username = NULL;
    AUTO_FREE char *password = NULL;
    if (!decode_pair(docker_text(entry, "auth"), &username, &password)) {
        username = strdup(docker_text(entry, "username"));
        password = strdup(docker_text(entry, "password"));
    }
    const char *token = docker_text(entry, "identitytoken");
    json_t *login = *username || *token ? docker_login_new(host, username, password, token) : NULL;
    explicit_bzero(password, strlen(password));
    return login;
}

/* The value of the first key that means the host. */
static json_t *
by_host(const json_t *object, const char *host)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        AUTO_FREE char *name = docker_login_host(key);
        if (strcmp(name, host) == 0)
            return value;
    }
    return NULL;
}

/* -------------------------------------------------------------------------------------- helpers */

static json_t *
login_of_helper(const char *helper, const char *host, str_t *problems)
{
    AUTO(err) err = NULL;
    AUTO_JSON *reply = NULL;
    bool is_hub = strcmp(host, HUB) == 0;
    AUTO_FREE char *with_scheme = str_format("https://%s", host);
    AUTO_FREE char *with_slash = str_format("https://%s/", host);
    const char *const spellings[] = {is_hub ? "https://index.docker.io/v1/" : host, with_scheme,
                                     with_slash};
    int found = 0;
    for (size_t i = 0; i < ARRAY_LEN(spellings) && found == 0; i++)
        found = docker_credential_run(helper, "get", spellings[i], &reply, &err);
    if (found < 0 && problems) {
        AUTO_FREE char *why = err_string(err);
        str_printf(problems, "no login for registry '%s': %s\n", host, why);
    }
    if (found <= 0)
        return NULL;
    const char *username = docker_text(reply, "Username"), *secret = docker_text(reply, "Secret");
    if (!*secret)
        return NULL;
    return strcmp(username, TOKEN_USER) == 0 ? docker_login_new(host, "", "", secret)
                                             : docker_login_new(host, username, secret, "");
}

/* In the driver's own file there are no helpers: nothing that came over the bus runs programs. */
static const char *
helper_for(const json_t *config, const char *host)
{
    const char *own = getenv(LOGINS_FILE);
    if (own && *own)
        return NULL;
    const char *helper = json_string_value(by_host(json_object_get(config, "credHelpers"), host));
    if (!helper)
        helper = docker_text(config, "credsStore");
    return *helper ? helper : NULL;
}

static json_t *
login_get(const json_t *config, const char *host, str_t *problems)
{
    const char *helper = helper_for(config, host);
    json_t *login = helper ? login_of_helper(helper, host, problems) : NULL;
    return login ? login : login_of_entry(by_host(json_object_get(config, "auths"), host), host);
}

/* --------------------------------------------------------------------------------------- public */

json_t *
docker_login_in(const char *text, const char *host)
{
    AUTO_JSON *config = json_loads(text, 0, NULL);
    return login_of_entry(by_host(json_object_get(config, "auths"), host), host);
}

json_t *
docker_login_find(const char *host)
{
    AUTO_JSON *config = config_read(NULL);
    return config ? login_get(config, host, NULL) : NULL;
}

/* Adds the hosts that an object has as keys. */
static void
add_hosts(json_t *hosts, const json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        AUTO_FREE char *host = docker_login_host(key);
        if (*host && json_object_size(hosts) < LOGINS_MAX)
            json_object_set_new(hosts, host, json_null());
    }
}

json_t *
docker_logins_all(str_t *problems)
{
    AUTO_JSON *config = config_read(problems);
    AUTO_JSON *hosts = json_object();
    AUTO_JSON *stored = NULL;
    AUTO(err) err = NULL;
    const char *key;
    json_t *value, *logins = json_object();
    const char *store = helper_for(config, "");
    if (store && docker_credential_run(store, "list", "", &stored, &err) < 0 && problems) {
        AUTO_FREE char *why = err_string(err);
        str_printf(problems, "the logins in the store '%s' are not known: %s\n", store, why);
    }
    add_hosts(hosts, json_object_get(config, "auths"));
    add_hosts(hosts, json_object_get(config, "credHelpers"));
    add_hosts(hosts, stored);
    json_object_foreach(hosts, key, value)
    {
        json_t *login = login_get(config, key, problems);
        if (login)
            json_object_set_new(logins, key, login);
    }
    return logins;
}

int
docker_logins_keep(const json_t *logins, err_t **err)
{
    const char *path = getenv(LOGINS_FILE);
    if (!path || !*path)
        return err_fail(err, ERR_STATE,
                        "this driver uses the logins of its own user: nobody else can set them");
    AUTO_JSON *config = json_pack("{s:O}", "auths", logins);
    AUTO_FREE char *text = docker_json_text(config);
    AUTO_FREE char *fresh = str_format("%s.new", path);
    unlink(fresh);
    AUTO_FD int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t size = strlen(text);
    ssize_t went = fd < 0 ? -1 : write(fd, text, size);
    explicit_bzero(text, size);
    if (went != (ssize_t)size || rename(fresh, path) < 0)
        return err_fail(err, ERR_UNAVAILABLE, "cannot write the logins to '%s': %s", path,
                        strerror(errno));
    return 0;
}

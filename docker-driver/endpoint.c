/*  endpoint: see endpoint.h. */
#include "docker-driver/endpoint.h"

#include "docker-driver/api.h"
#include "docker-driver/podman.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* Where a daemon usually listens; "~" is the home folder, "$" XDG_RUNTIME_DIR. */
static const char *const sockets[] = {
    "/var/run/docker.sock",          "$/docker.sock",           "~/.docker/run/docker.sock",
    "~/.docker/desktop/docker.sock", "/run/podman/podman.sock", "$/podman/podman.sock",
};

static const char *
env_of(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

char *
docker_config_path(const char *name)
{
    const char *folder = env_of("DOCKER_CONFIG"), *home = env_of("HOME");
    return folder ? str_format("%s%s%s", folder, *name ? "/" : "", name)
                  : str_format("%s/.docker%s%s", home ? home : "/root", *name ? "/" : "", name);
}

/* -------------------------------------------------------------------------------- DOCKER_HOST */

static void
from_host(docker_endpoint_t *self, const char *host)
{
    const char *folder = env_of("DOCKER_CERT_PATH");
    bool verify = env_of("DOCKER_TLS_VERIFY") != NULL;
    self->host = strdup(host);
    if (!str_starts(host, "tcp://") || (!verify && !env_of("DOCKER_TLS")))
        return;
    self->certificates = folder ? strdup(folder) : docker_config_path("");
    self->is_unverified = !verify;
}

/* ------------------------------------------------------------------------------------- contexts */

/* The name of the context in use; NULL for none. Yours. */
static char *
context_name(void)
{
    const char *named = env_of("DOCKER_CONTEXT");
    if (named)
        return strdup(named);
    AUTO_FREE char *path = docker_config_path("config.json");
    AUTO_JSON *config = json_load_file(path, 0, NULL);
    const char *current = docker_text(config, "currentContext");
    return *current ? strdup(current) : NULL;
}

static int
from_context(docker_endpoint_t *self, const char *name, err_t **err)
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof digest + 1];
    json_error_t why;
    crypto_hash_sha256(digest, (const unsigned char *)name, strlen(name));
    sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
    AUTO_FREE char *meta = str_format("contexts/meta/%s/meta.json", hex);
    AUTO_FREE char *path = docker_config_path(meta);
    if (access(path, F_OK) < 0)
        return err_fail(err, ERR_NOT_FOUND,
                        "there is no Docker context '%s' (file '%s'): 'docker context ls' shows "
                        "those there are, 'docker context use' chooses one",
                        name, path);
    AUTO_JSON *context = json_load_file(path, 0, &why);
    const json_t *docker = docker_at(context, "Endpoints", "docker", NULL);
    const char *host = docker_text(docker, "Host");
    if (!*host)
        return err_fail(err, ERR_INVALID, "the Docker context '%s' names no host (file '%s'): %s",
                        name, path, context ? "no Endpoints.docker.Host" : why.text);
    AUTO_FREE char *tls = str_format("contexts/tls/%s/docker", hex);
    AUTO_FREE char *folder = docker_config_path(tls);
    self->host = strdup(host);
    self->is_unverified = json_is_true(json_object_get(docker, "SkipTLSVerify"));
    if (str_starts(host, "tcp://") && (access(folder, F_OK) == 0 || self->is_unverified))
        self->certificates = TAKE(folder);
    return 0;
}

/* -------------------------------------------------------------------------------------- sockets */

/* Yours; NULL where its folder is not known. */
static char *
socket_path(const char *pattern)
{
    const char *base = *pattern == '~'   ? env_of("HOME")
                       : *pattern == '$' ? env_of("XDG_RUNTIME_DIR")
                                         : NULL;
    if (*pattern == '/')
        return strdup(pattern);
    if (base)
        return str_format("%s%s", base, pattern + 1);
    return *pattern == '$' ? str_format("/run/user/%u%s", getuid(), pattern + 1) : NULL;
}

bool
docker_endpoint_listens(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || strlen(path) >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, path, strlen(path) + 1);
    return connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno == EAGAIN;
}

/* Where nothing listens anywhere, the first that exists says best what is wrong. */
static int
from_sockets(docker_endpoint_t *self, err_t **err)
{
    AUTO_FREE char *first = NULL;
    AUTO_FREE char *found = NULL;
    for (size_t i = 0; i < ARRAY_LEN(sockets) && !found; i++) {
        AUTO_FREE char *path = socket_path(sockets[i]);
        if (!path || access(path, F_OK) < 0)
            continue;
        if (docker_endpoint_listens(path))
            found = TAKE(path);
        else if (!first && !strstr(path, "/podman/"))
            first = TAKE(path);
    }
    if (!found && !first && docker_podman_start(&found, err) < 0)
        return -1;
    self->host = str_format("unix://%s", found ? found : first ? first : sockets[0]);
    return 0;
}

/* --------------------------------------------------------------------------------------- public */

int
docker_endpoint_find(docker_endpoint_t *self, const char *host, err_t **err)
{
    const char *given = host ? host : env_of("DOCKER_HOST");
    if (given && *given) {
        from_host(self, given);
        return 0;
    }
    AUTO_FREE char *context = context_name();
    if (context && strcmp(context, "default") != 0)
        return from_context(self, context, err);
    return from_sockets(self, err);
}

void
docker_endpoint_done(docker_endpoint_t *self)
{
    free(self->host);
    free(self->certificates);
    *self = (docker_endpoint_t){0};
}

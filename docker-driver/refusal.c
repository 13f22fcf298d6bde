/*  refusal: see refusal.h. */
#include "docker-driver/refusal.h"

#include "base/str.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 4000 /* bytes of Docker's text that are passed on */

#define LOGIN_HINT                                                                                 \
    "log in to the registry with 'docker login', or give username and password in an ImageSpec"
#define CORRUPT_HINT                                                                               \
    "what the registry sent is not what it had announced: ask who runs it, or try again"

/* What is known, most telling first: part of Docker's text, another part (or ""), our code, what to
 * do. */
static const struct {
    docker_reason_t reason;
    const char *part, *also;
    err_code_t code;
    const char *hint;
} known[] = {
    {DOCKER_NO_SPACE, "no space left on device", "", ERR_LIMIT,
     "the disk of the Docker host is full: free some, e.g. with 'docker system prune'"},
    {DOCKER_PORT_TAKEN, "port is already allocated", "", ERR_STATE,
     "the host port is in use: stop what uses it or publish another port"},
    {DOCKER_PORT_TAKEN, "address already in use", "bind", ERR_STATE,
     "the host port is in use: stop what uses it or publish another port"},
    {DOCKER_ADDRESS_TAKEN, "Address already in use", "", ERR_STATE,
     "another container has this address in the network"},
    {DOCKER_POOL_OVERLAP, "Pool overlaps", "", ERR_STATE, "another network covers these addresses"},
    {DOCKER_POOL_OVERLAP, "cannot create network", "conflicts with network", ERR_STATE,
     "another network covers these addresses"},
    {DOCKER_POOL_OVERLAP, "is already used on the host or by another config", "", ERR_STATE,
     "another network covers these addresses"}, /* Podman */
    {DOCKER_NO_IMAGE, "No such image", "", ERR_NOT_FOUND,
     "pull it first, or check its name and tag"},
    {DOCKER_NO_IMAGE, "image not known", "", ERR_NOT_FOUND,
     "pull it first, or check its name and tag"},
    {DOCKER_NO_IMAGE, "pull access denied", "", ERR_NOT_FOUND,
     "check the image's name, or log in to its registry with 'docker login'"},
    {DOCKER_NO_IMAGE, "manifest unknown", "", ERR_NOT_FOUND,
     "the registry has no such tag: check the image's tag"},
    {DOCKER_OTHER, "no basic auth credentials", "", ERR_DENIED, LOGIN_HINT},
    {DOCKER_OTHER, "unauthorized", "", ERR_DENIED, LOGIN_HINT},
    {DOCKER_OTHER, "toomanyrequests", "", ERR_LIMIT,
     "log in with 'docker login': the registry lets those who did pull more"},
    {DOCKER_OTHER, "filesystem layer verification failed", "", ERR_UNAVAILABLE, CORRUPT_HINT},
    {DOCKER_OTHER, "manifest verification failed", "", ERR_UNAVAILABLE, CORRUPT_HINT},
    {DOCKER_NO_MANIFEST, "no matching manifest", "", ERR_NOT_FOUND,
     "the image is not made for this machine's architecture"},
    {DOCKER_NETWORK_TAKEN, "network with name", "already exists", ERR_EXISTS, ""},
    {DOCKER_NO_NETWORK, "network", "not found", ERR_NOT_FOUND, ""},
    {DOCKER_NAME_TAKEN, "is already in use by container", "", ERR_EXISTS, ""},
    {DOCKER_NAME_TAKEN, "the container name", "is already in use", ERR_EXISTS, ""}, /* Podman */
    {DOCKER_BEING_REMOVED, "removal of container", "already in progress", ERR_STATE, ""},
    {DOCKER_BEING_REMOVED, "is marked for removal", "", ERR_STATE, ""},
    {DOCKER_ENDPOINTS, "has active endpoints", "", ERR_STATE, "disconnect its containers first"},
    {DOCKER_IN_USE, "volume is being used", "", ERR_STATE,
     "remove the container that uses it first"}, /* Podman */
    {DOCKER_IN_USE, "volume is in use", "", ERR_STATE, "remove the container that uses it first"},
    {DOCKER_NOT_RUNNING, "is not running", "", ERR_STATE, "start it first"},
    {DOCKER_NOT_RUNNING, "can only kill running containers", "", ERR_STATE, "start it first"},
    {DOCKER_NOT_RUNNING, "exec sessions on running containers", "", ERR_STATE, "start it first"},
    {DOCKER_NOT_RUNNING, "is paused", "", ERR_STATE, "unpause it first"},
    {DOCKER_OTHER, "client version", "too new", ERR_UNSUPPORTED,
     "try again: the version is negotiated anew"},
    {DOCKER_OTHER, "HTTP request to an HTTPS server", "", ERR_UNAVAILABLE,
     "it wants TLS: set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, or use a Docker context"},
    {DOCKER_OTHER, "could not select device driver", "gpu", ERR_UNSUPPORTED,
     "this Docker host has no GPU support: install the NVIDIA container toolkit"},
    {DOCKER_OTHER, "protocol not supported", "proxy", ERR_UNSUPPORTED,
     "the kernel of the Docker host has no SCTP, which a port is published with: 'modprobe sctp' "
     "loads it where it is installed"},
    {DOCKER_OTHER, "error gathering device information", "", ERR_INVALID,
     "the device must exist on the Docker host"},
    {DOCKER_OTHER, "invoke a command that was not found", "", ERR_INVALID,
     "the command must exist in the image"}, /* Podman */
    {DOCKER_OTHER, "executable file not found", "", ERR_INVALID,
     "the command must exist in the image"},
};

static err_code_t
code_of_status(int status)
{
    static const struct {
        int status;
        err_code_t code;
    } codes[] = {{400, ERR_INVALID},     {401, ERR_DENIED}, {403, ERR_DENIED},
                 {404, ERR_NOT_FOUND},   {409, ERR_STATE},  {501, ERR_UNSUPPORTED},
                 {503, ERR_UNAVAILABLE}, {504, ERR_TIMEOUT}};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (codes[i].status == status)
            return codes[i].code;
    return ERR_UNKNOWN;
}

static bool
matches(const char *text, size_t i)
{
    return strstr(text, known[i].part) && strstr(text, known[i].also);
}

int
docker_refusal_text(int status, const char *text, err_t **err)
{
    int size = (int)strcspn(text, "\r\n");
    if (size == 0)
        return err_fail(err, code_of_status(status), "Docker answered %d without saying why",
                        status);
    if (size > TEXT_MAX)
        size = TEXT_MAX;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (matches(text, i))
            return err_fail(err, known[i].code, "Docker says '%.*s'%s%s", size, text,
                            *known[i].hint ? ": " : "", known[i].hint);
    return err_fail(err, code_of_status(status), "Docker says '%.*s'", size, text);
}

int
docker_refusal(int status, const char *body, err_t **err)
{
    json_t *reply = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
    const char *message = json_string_value(json_object_get(reply, "message"));
    int result = docker_refusal_text(status, message ? message : body, err);
    json_decref(reply);
    return result;
}

docker_reason_t
docker_reason(const err_t *error)
{
    for (; error; error = err_cause(error)) {
        if (!str_starts(err_text(error), "Docker says"))
            continue;
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            if (matches(err_text(error), i))
                return known[i].reason;
    }
    return DOCKER_OTHER;
}

unsigned
docker_taken_port(const err_t *error)
{
    /* "Bind for 0.0.0.0:8080 failed: port is already allocated",
     * "listen tcp4 0.0.0.0:8080: bind: address already in use",
     * "listen tcp4 :8080: bind: address already in use" (Podman) */
    static const char *const before[] = {"0.0.0.0:", "127.0.0.1:", "[::]:", ":::", " :"};
    for (; error; error = err_cause(error)) {
        if (!str_starts(err_text(error), "Docker says"))
            continue;
        for (size_t i = 0; i < ARRAY_LEN(before); i++) {
            const char *at = strstr(err_text(error), before[i]);
            unsigned port = 0;
            if (at && sscanf(at + strlen(before[i]), "%5u", &port) == 1)
                return port <= 65535 ? port : 0;
        }
    }
    return 0;
}

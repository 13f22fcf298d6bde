/*  logins: see logins.h. */
#include "cli/logins.h"

#include "bus/schema/orchestrator.pb-c.h"
#include "cli/backend.h"
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#define SEND_MS 10000
#define TEXT_MAX (4u * 1024 * 1024) /* bytes of all logins */

static bool
has_configuration(void)
{
    const char *folder = getenv("DOCKER_CONFIG"), *home = getenv("HOME");
    AUTO_FREE char *path = folder && *folder
                               ? str_format("%s/config.json", folder)
                               : str_format("%s/.docker/config.json", home ? home : "");
    return access(path, R_OK) == 0;
}

static int
read_all(int fd, str_t *text, err_t **err)
{
    char piece[4096];
    for (;;) {
        ssize_t got = read(fd, piece, sizeof piece);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? err_fail(err, ERR_UNKNOWN, "%s", strerror(errno)) : 0;
        if (text->len + (size_t)got > TEXT_MAX)
            return err_fail(err, ERR_LIMIT, "they have more than %u bytes", TEXT_MAX);
        str_add_bytes(text, piece, (size_t)got);
        explicit_bzero(piece, (size_t)got);
    }
}

/* What the driver's program finds; *ret_logins is yours, json_decref. */
static int
find(json_t **ret_logins, err_t **err)
{
    AUTO_FREE char *program = backend_program();
    AUTO_STR text = STR_EMPTY;
    int ends[2], status = 0;
    pid_t pid;
    if (!program)
        return err_fail(err, ERR_NOT_FOUND, "there is no program '" BACKEND_PROGRAM "'");
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_fail(err, ERR_LIMIT, "no file descriptor is left");
    char *const argv[] = {program, (char *)"logins", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    int code = posix_spawn(&pid, program, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    int result =
        code ? err_fail(err, ERR_UNAVAILABLE, "cannot run '%s': %s", program, strerror(code))
             : read_all(ends[0], &text, err);
    close(ends[0]);
    if (code)
        return result;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (result == 0 && !(*ret_logins = json_loadb(text.data, text.len, 0, NULL)))
        result = err_fail(err, ERR_UNKNOWN, "'%s logins' failed", program);
    if (text.len)
        explicit_bzero(text.data, text.len);
    return result;
}

/* Lends the JSON's texts. */
static void
fill(Orchestrator__RegistryLogin *to, const char *registry, const json_t *from)
{
    const struct {
        const char *key;
        char **field;
    } fields[] = {{"username", &to->username},
                  {"password", &to->password},
                  {"identitytoken", &to->identity_token}};
    orchestrator__registry_login__init(to);
    to->registry = (char *)registry;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        const char *value = json_string_value(json_object_get(from, fields[i].key));
        if (value)
            *fields[i].field = (char *)value;
    }
}

static int
find_and_send(actor_t *actor, err_t **err)
{
    json_t *found = NULL, *login;
    const char *registry;
    if (find(&found, err) < 0)
        return -1;
    size_t count = json_object_size(found), i = 0;
    AUTO_FREE Orchestrator__RegistryLogin *logins = calloc(count + 1, sizeof *logins);
    AUTO_FREE Orchestrator__RegistryLogin **list = calloc(count + 1, sizeof *list);
    if (!logins || !list)
        abort();
    json_object_foreach(found, registry, login)
    {
        fill(&logins[i], registry, login);
        list[i] = &logins[i];
        i++;
    }
    Orchestrator__SetRegistryLoginsArgs args = ORCHESTRATOR__SET_REGISTRY_LOGINS_ARGS__INIT;
    args.logins = list;
    args.n_logins = count;
    int result =
        actor_ask(actor, NULL, BACKEND_DRIVER, "orchestrator.Orchestrator/SetRegistryLogins",
                  &args.base, SEND_MS, NULL, err);
    json_decref(found);
    return result;
}

void
logins_send(actor_t *actor)
{
    AUTO(err) err = NULL;
    if (!has_configuration() || find_and_send(actor, &err) == 0)
        return;
    AUTO_FREE char *why = err_string(err);
    out_warn("images are pulled without your logins to registries: %s", why);
}

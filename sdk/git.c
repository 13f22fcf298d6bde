/*  git: see git.h. Runs the git program of the user, with the user's configuration. */
#include "sdk/git.h"

#include "archive/archive.h"
#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define HOST_URL "https://github.com/"
#define OUTPUT_MAX (256u * 1024) /* bytes of what git says that are kept */
#define COMMAND_MS 580000        /* of one command; the run waits a little longer */
#define COMMIT_LEN 40

extern char **environ;

/* What a surrounding git (we may run in one of its hooks) has said does not count. */
static const char *const dropped[] = {
    "GIT_DIR=", "GIT_WORK_TREE=", "GIT_INDEX_FILE=", "GIT_TERMINAL_PROMPT="};

/* A program under way. */
typedef struct {
    pid_t pid;
    int out, errors; /* our ends; -1 when closed */
} command_t;

static char **
environment(void)
{
    size_t count = 0, kept = 0;
    while (environ[count])
        count++;
    char **env = calloc(count + 2, sizeof *env);
    for (size_t i = 0; i < count; i++) {
        bool is_dropped = false;
        for (size_t k = 0; k < ARRAY_LEN(dropped); k++)
            is_dropped = is_dropped || str_starts(environ[i], dropped[k]);
        if (!is_dropped)
            env[kept++] = environ[i];
    }
    env[kept] = "GIT_TERMINAL_PROMPT=0";
    return env;
}

static int
start(command_t *self, const char *const *args, err_t **err)
{
    int out[2], errors[2];
    if (pipe2(out, O_CLOEXEC) < 0)
        return err_fail(err, ERR_LIMIT, "cannot make a pipe: %s", strerror(errno));
    if (pipe2(errors, O_CLOEXEC) < 0) {
        const int why = errno;
        close(out[0]);
        close(out[1]);
        return err_fail(err, ERR_LIMIT, "cannot make a pipe: %s", strerror(why));
    }
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out[1], 1);
    posix_spawn_file_actions_adddup2(&files, errors[1], 2);
    posix_spawn_file_actions_addchdir_np(&files,
                                         "/"); /* the rules of no repository but the user's */
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    AUTO_FREE char **env = environment();
    const int rc = posix_spawnp(&self->pid, "git", &files, &attributes, (char **)args, env);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    close(out[1]);
    close(errors[1]);
    self->out = out[0];
    self->errors = errors[0];
    if (rc == 0)
        return 0;
    close(self->out);
    close(self->errors);
    return err_fail(err, ERR_UNAVAILABLE, "cannot run git: %s", strerror(rc));
}

static void
take(int *fd, str_t *text)
{
    char part[4096];
    const ssize_t got = read(*fd, part, sizeof part);
    if (got < 0 && errno == EINTR)
        return;
    if (got <= 0) {
        close(*fd);
        *fd = -1;
        return;
    }
    const size_t space = OUTPUT_MAX > text->len ? OUTPUT_MAX - text->len : 0;
    str_add_bytes(text, part, (size_t)got < space ? (size_t)got : space);
}

/* Reads to the end of both; false: it takes too long. */
static bool
listen_to(command_t *self, str_t *out, str_t *errors)
{
    const int64_t deadline = clock_ns() + (int64_t)COMMAND_MS * NS_PER_MS;
    while (self->out >= 0 || self->errors >= 0) {
        const int64_t left = (deadline - clock_ns()) / NS_PER_MS;
        struct pollfd fds[] = {{self->out, POLLIN, 0}, {self->errors, POLLIN, 0}};
        const int ready = left > 0 ? poll(fds, ARRAY_LEN(fds), (int)left) : 0;
        if (ready == 0)
            return false;
        if (ready > 0 && fds[0].revents)
            take(&self->out, out);
        if (ready > 0 && fds[1].revents)
            take(&self->errors, errors);
    }
    return true;
}

/* args: "git", ..., NULL. It is a failure that it fails. out may be NULL. */
static int
run_git(const char *const *args, str_t *out, err_t **err)
{
    AUTO_STR unused = STR_EMPTY, errors = STR_EMPTY;
    command_t command;
    if (start(&command, args, err) < 0)
        return -1;
    const bool is_done = listen_to(&command, out ? out : &unused, &errors);
    if (!is_done)
        kill(command.pid, SIGKILL);
    if (command.out >= 0)
        close(command.out);
    if (command.errors >= 0)
        close(command.errors);
    int status = 0;
    while (waitpid(command.pid, &status, 0) < 0 && errno == EINTR)
        ;
    while (errors.len > 0 && errors.data[errors.len - 1] == '\n')
        errors.data[--errors.len] = 0;
    if (!is_done)
        return err_fail(err, ERR_TIMEOUT, "git takes longer than %d s", COMMAND_MS / 1000);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return err_fail(err, ERR_UNKNOWN, "git says '%s'", errors.data);
}

/* ---------------------------------------------------------------------------------------- rules */

void
sdk_git_rules_read(sdk_git_rules_t *ret_rules)
{
    static const char *const args[] = {
        "git", "config", "--null", "--get-regexp", "^url\\..*\\.insteadof$", NULL};
    AUTO_STR out = STR_EMPTY;
    *ret_rules = (sdk_git_rules_t){0};
    if (run_git(args, &out, NULL) < 0)
        return;
    ret_rules->prefixes = calloc(SDK_GIT_RULES_MAX, sizeof *ret_rules->prefixes);
    /* "url.BASE.insteadof\nPREFIX\0", again and again */
    for (const char *at = out.data; at < out.data + out.len; at += strlen(at) + 1) {
        const char *value = strchr(at, '\n');
        if (!value++ || !*value || ret_rules->count == SDK_GIT_RULES_MAX)
            continue;
        if (str_starts(value, HOST_URL) || str_starts(HOST_URL, value))
            ret_rules->prefixes[ret_rules->count++] = strdup(value);
    }
}

void
sdk_git_rules_done(sdk_git_rules_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        free(self->prefixes[i]);
    free(self->prefixes);
    *self = (sdk_git_rules_t){0};
}

/* ------------------------------------------------------------------------------------- fetching */

static int
clone_default(const char *url, const char *to, err_t **err)
{
    const char *const shallow[] = {"git", "clone", "--quiet", "--depth=1", "--no-tags",
                                   "--",  url,     to,        NULL};
    const char *const whole[] = {"git", "clone", "--quiet", "--", url, to, NULL};
    AUTO(err) why = NULL;
    if (run_git(shallow, NULL, &why) == 0)
        return 0;
    if (strstr(err_text(why), "shallow")) { /* a server of plain files has no shallow clones */
        file_remove_tree(to, NULL);
        return run_git(whole, NULL, err);
    }
    if (err)
        *err = TAKE(why);
    return -1;
}

static bool
is_commit(const char *text)
{
    return strlen(text) == COMMIT_LEN && strspn(text, "0123456789abcdefABCDEF") == COMMIT_LEN;
}

/* The commit of a name: "" when there is none. */
static void
find_commit(const char *to, const char *form, const char *version, str_t *ret_commit)
{
    AUTO_FREE char *name = str_format("%s%s^{commit}", form, version);
    const char *const args[] = {"git", "-C", to, "rev-parse", "--verify", "--quiet", name, NULL};
    str_clear(ret_commit);
    if (run_git(args, ret_commit, NULL) < 0)
        str_clear(ret_commit);
    if (ret_commit->len > COMMIT_LEN)
        ret_commit->data[ret_commit->len = COMMIT_LEN] = 0;
}

static int
clone_version(const char *url, const char *version, const char *to, err_t **err)
{
    const char *const whole[] = {"git", "clone", "--quiet", "--no-checkout", "--", url, to, NULL};
    AUTO_STR commit = STR_EMPTY;
    if (run_git(whole, NULL, err) < 0)
        return -1;
    find_commit(to, "refs/tags/", version, &commit);
    if (!commit.len)
        find_commit(to, "refs/remotes/origin/", version, &commit);
    if (!commit.len && is_commit(version))
        find_commit(to, "", version, &commit);
    if (!commit.len)
        return err_fail(err, ERR_NOT_FOUND,
                        "Tried using the passed version '%s' as commit as we couldn't find a "
                        "tag/branch for it in the repo '%s' but failed",
                        version, url);
    const char *const args[] = {"git",     "-C",       to,          "checkout",
                                "--quiet", "--detach", commit.data, NULL};
    return run_git(args, NULL, err);
}

static int
fetch(const char *url, const char *version, const char *to, err_t **err)
{
    if ((*version ? clone_version(url, version, to, err) : clone_default(url, to, err)) < 0)
        return -1;
    AUTO_FREE char *history = str_format("%s/.git", to);
    file_remove_tree(history, NULL);
    return archive_links_drop(to, err);
}

static int
refuse(enclave_context_t *self, const char *id, const err_t *why, err_t **err)
{
    AUTO_FREE char *reason = err_string(why);
    ApiContainerApi__RefuseRepositoryArgs args = API_CONTAINER_API__REFUSE_REPOSITORY_ARGS__INIT;
    args.id = (char *)id;
    args.reason = reason;
    return sdk_ask_apic(self, APIC("RefuseRepository"), &args.base, 0, NULL, err);
}

int
sdk_git_bring(enclave_context_t *self, const ApiContainerApi__StarlarkRepositoryWanted *wanted,
              err_t **err)
{
    const char *tmp = getenv("TMPDIR");
    AUTO_FREE char *folder = str_format("%s/kurtosis-git-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    AUTO(err) why = NULL;
    AUTO_MESSAGE ProtobufCMessage *reply = NULL;
    if (!mkdtemp(folder)) {
        err_fail(&why, ERR_LIMIT, "cannot make a temporary folder '%s': %s", folder,
                 strerror(errno));
        return refuse(self, wanted->id, why, err);
    }
    AUTO_FREE char *tree = str_format("%s/tree", folder);
    if (fetch(wanted->url, wanted->version, tree, &why) == 0)
        sdk_pack_and_upload(self, APIC("ProvideRepository"), true, tree, wanted->id, &reply, &why);
    file_remove_tree(folder, NULL);
    return why ? refuse(self, wanted->id, why, err) : 0;
}

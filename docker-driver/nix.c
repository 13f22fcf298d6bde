/*  nix: see nix.h. */
#include "docker-driver/nix.h"

#include "archive/archive.h"
#include "base/clock.h"
#include "base/file.h"
#include "docker-driver/api.h"
#include "docker-driver/auth.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define STORE NIX_FOLDER "/store"
#define DAEMON NIX_FOLDER "/var/nix/daemon-socket/socket"
#define BUILDS "kurtosis-nix" /* folder of builds, below that of temporary files */
#define HOME "home-of"        /* beside the builds: what nix keeps for the next one, by user */
#define NOBODY 65534
#define PART_SIZE 16384
#define ENV_MAX 512 /* variables that nix gets */

/* Where installations put nix, best first. */
static const char *const places[] = {
    NIX_FOLDER "/var/nix/profiles/default/bin/nix",
    NIX_FOLDER "/var/nix/profiles/system/sw/bin/nix",
    NIX_FOLDER "/var/nix/profiles/per-user/*/profile/bin/nix",
    STORE "/*-nix-[0-9]*/bin/nix",
};

/* A build. */
typedef struct {
    build_parts_t *parts;
    char *program;
    char *folder; /* of this build, locked by lock_fd as long as it runs */
    char *home;   /* of the user as whom nix runs, when that is another than we are */
    int lock_fd;
    uid_t uid; /* as whom nix runs */
    gid_t gid;
    pid_t pid;
    int out, errors; /* what it prints; -1 when closed */
    str_t result;
} nix_t;

#define AUTO_NIX __attribute__((cleanup(nix_done))) nix_t

static void nix_done(nix_t *self);
static int find_program(char **ret_program, err_t **err);
static int make_folder(nix_t *self, err_t **err);
static int find_user(nix_t *self, err_t **err);
static int build(nix_t *self, const char *output, err_t **err);
static int find_archive(const nix_t *self, char **ret_path, err_t **err);
static int load(docker_t *docker, const nix_t *self, const char *path, const char *image,
                err_t **err);

int
docker_nix_build(docker_t *self, const Orchestrator__BuildImageArgs *args, build_parts_t *parts,
                 err_t **err)
{
    AUTO_NIX nix = {.parts = parts, .lock_fd = -1, .out = -1, .errors = -1, .result = STR_EMPTY};
    AUTO_FREE char *path = NULL;
    if (find_program(&nix.program, err) < 0 || find_user(&nix, err) < 0 ||
        make_folder(&nix, err) < 0 ||
        archive_tar_unpack(build_parts_context, parts, nix.folder, err) < 0 ||
        build(&nix, args->flake_output, err) < 0 || find_archive(&nix, &path, err) < 0)
        return -1;
    return load(self, &nix, path, args->image, err);
}

static void
nix_done(nix_t *self)
{
    if (self->folder)
        file_remove_tree(self->folder, NULL);
    if (self->lock_fd >= 0)
        close(self->lock_fd);
    str_done(&self->result);
    free(self->folder);
    free(self->home);
    free(self->program);
}

/* ----------------------------------------------------------------------------------- its place */

static char *
in_path(void)
{
    const char *path = getenv("PATH");
    AUTO_FREE char *folders = strdup(path ? path : "");
    char *rest = folders;
    for (const char *folder; (folder = strsep(&rest, ":"));) {
        AUTO_FREE char *file = str_format("%s/nix", folder);
        if (*folder == '/' && access(file, X_OK) == 0)
            return TAKE(file);
    }
    return NULL;
}

static int
find_program(char **ret_program, err_t **err)
{
    char *found = in_path();
    for (size_t i = 0; i < ARRAY_LEN(places) && !found; i++) {
        glob_t files = {0};
        if (glob(places[i], 0, NULL, &files) == 0)
            for (size_t j = files.gl_pathc; j-- > 0 && !found;)
                if (access(files.gl_pathv[j], X_OK) == 0)
                    found = strdup(files.gl_pathv[j]);
        globfree(&files);
    }
    if (!found)
        return err_fail(err, ERR_UNSUPPORTED,
                        "there is no program 'nix', neither in the engine's PATH nor at '%s' or "
                        "elsewhere in '" NIX_FOLDER "': install Nix on the machine of the Docker "
                        "daemon so that '" NIX_FOLDER "' holds it, and run 'kurtosis engine "
                        "restart'; or build the image yourself and name it in 'image'",
                        places[0]);
    *ret_program = found;
    return 0;
}

/* A package's flake gets no more rights than it needs: a daemon builds for anybody; a store without one belongs to
 * somebody, and so must all that comes into it. Whoever sets Nix up by its variables knows better. */
static int
find_user(nix_t *self, err_t **err)
{
    struct stat about;
    self->uid = geteuid();
    self->gid = getegid();
    if (self->uid != 0 || getenv("NIX_REMOTE") || getenv("NIX_STATE_DIR"))
        return 0;
    if (access(DAEMON, F_OK) == 0) {
        self->uid = self->gid = NOBODY;
        return 0;
    }
    if (stat(STORE, &about) < 0 || about.st_uid == 0)
        return err_fail(err, ERR_UNSUPPORTED,
                        "Nix would run the flake's builders as root here, with the rights of the "
                        "engine: install Nix with its daemon, whose socket is '" DAEMON "'");
    self->uid = about.st_uid;
    self->gid = about.st_gid;
    return 0;
}

/* ----------------------------------------------------------------------------------- its folder */

static int
lock(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Removes what builds left whose process was killed. */
static void
sweep(const char *builds)
{
    AUTO_FREE char *pattern = str_format("%s/??????", builds);
    glob_t folders = {0};
    if (glob(pattern, 0, NULL, &folders) == 0)
        for (size_t i = 0; i < folders.gl_pathc; i++) {
            AUTO_FD int fd = lock(folders.gl_pathv[i]);
            if (fd >= 0)
                file_remove_tree(folders.gl_pathv[i], NULL);
        }
    globfree(&folders);
}

static int
make_locked(nix_t *self, const char *builds)
{
    self->folder = str_format("%s/XXXXXX", builds);
    if (!mkdtemp(self->folder)) {
        int code = errno;
        free(TAKE(self->folder));
        errno = code;
        return -1;
    }
    self->lock_fd = lock(self->folder);
    if (self->lock_fd < 0 || chown(self->folder, self->uid, self->gid) < 0)
        return -1;
    if (self->uid == geteuid())
        return 0;
    self->home = str_format("%s/" HOME "-%u", builds, self->uid);
    return mkdir(self->home, 0700) < 0 && errno != EEXIST ? -1
                                                          : chown(self->home, self->uid, self->gid);
}

/* "<temporary files>/kurtosis-nix-<uid>/<build>". The parent is locked while builds are swept and one is made, so that
 * nobody sweeps what is not locked yet. */
static int
make_folder(nix_t *self, err_t **err)
{
    const char *tmp = getenv("TMPDIR");
    AUTO_FREE char *builds = str_format("%s/" BUILDS "-%u", tmp && *tmp ? tmp : "/tmp", geteuid());
    struct stat about;
    mkdir(builds, 0711);
    AUTO_FD int fd = open(builds, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    int result = fd < 0 || fstat(fd, &about) < 0 ? -1 : 0;
    if (result == 0 && about.st_uid != geteuid()) {
        errno = EPERM;
        result = -1;
    }
    while (result == 0 && (result = flock(fd, LOCK_EX)) < 0 && errno == EINTR)
        result = 0;
    if (result == 0) {
        sweep(builds);
        result = make_locked(self, builds);
    }
    return result < 0 ? err_fail(err, ERR_LIMIT, "cannot make a folder for the build in '%s': %s",
                                 builds, strerror(errno))
                      : 0;
}

/* -------------------------------------------------------------------------------------- running */

/* Our environment, and what is missing in a container's. env: freed from *first_own on. */
static void
environment(const nix_t *self, char *env[ENV_MAX], size_t *ret_first_own)
{
    size_t n = 0;
    for (char **entry = environ; *entry && n < ENV_MAX - 8; entry++)
        if (!self->home || (strncmp(*entry, "HOME=", 5) != 0 && strncmp(*entry, "XDG_", 4) != 0))
            env[n++] = *entry;
    *ret_first_own = n;
    if (self->home || !getenv("HOME"))
        env[n++] = str_format("HOME=%s", self->home ? self->home : "/root");
    if (self->home)
        env[n++] = strdup("USER=nix"); /* it wants a name, which a container does not know */
    if (!getenv("NIX_REMOTE") && !getenv("NIX_STATE_DIR") && access(DAEMON, F_OK) == 0)
        env[n++] = strdup("NIX_REMOTE=daemon");
    env[n] = NULL;
}

/* The child between fork and exec: nothing but system calls. */
static void
become(const nix_t *self, int out, int errors, char *const *argv, char *const *env)
{
    sigset_t none;
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigemptyset(&none);
    for (int signal = 1; signal < NSIG; signal++)
        sigaction(signal, &usual, NULL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    int null = open("/dev/null", O_RDONLY);
    bool fine = null >= 0 && dup2(null, 0) >= 0 && dup2(out, 1) >= 0 && dup2(errors, 2) >= 0;
    syscall(SYS_close_range, 3u, ~0u, 0u);
    if (fine && self->uid != geteuid())
        fine = syscall(SYS_setgroups, 0, NULL) == 0 && syscall(SYS_setgid, self->gid) == 0 &&
               syscall(SYS_setuid, self->uid) == 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (fine && chdir(self->folder) == 0)
        execve(self->program, argv, env);
    _exit(127);
}

static int
start(nix_t *self, const char *output, err_t **err)
{
    AUTO_FREE char *flake = str_format("path:%s#%s", self->folder, output);
    char *const argv[] = {(char *)"nix",
                          (char *)"build",
                          flake,
                          (char *)"--extra-experimental-features",
                          (char *)"flakes nix-command",
                          (char *)"--json", /* --print-out-paths came with Nix 2.9 */
                          (char *)"--no-link",
                          (char *)"--no-write-lock-file",
                          (char *)"--print-build-logs",
                          NULL};
    int out[2], errors[2];
    if (pipe2(out, O_CLOEXEC) < 0)
        return err_fail(err, ERR_LIMIT, "no file descriptor is left");
    if (pipe2(errors, O_CLOEXEC) < 0) {
        close(out[0]);
        close(out[1]);
        return err_fail(err, ERR_LIMIT, "no file descriptor is left");
    }
    char *env[ENV_MAX];
    size_t first_own;
    environment(self, env, &first_own);
    self->pid = fork();
    int code = errno;
    if (self->pid == 0)
        become(self, out[1], errors[1], argv, env);
    for (char **entry = env + first_own; *entry; entry++)
        free(*entry);
    close(out[1]);
    close(errors[1]);
    self->out = out[0];
    self->errors = errors[0];
    return self->pid < 0
               ? err_fail(err, ERR_LIMIT, "cannot run '%s': %s", self->program, strerror(code))
               : 0;
}

/* A piece of what it prints: into the log, or the result. */
static int
take(nix_t *self, int *fd, err_t **err)
{
    char part[PART_SIZE];
    ssize_t got = read(*fd, part, sizeof part);
    if (got < 0 && errno == EINTR)
        return 0;
    if (got <= 0) {
        close(*fd);
        *fd = -1;
        return 0;
    }
    if (fd == &self->errors) {
        build_parts_log(self->parts, part, (size_t)got);
        return build_parts_send(self->parts, err);
    }
    if (self->result.len + (size_t)got > NIX_RESULT_MAX)
        return err_fail(err, ERR_LIMIT, "the result has more than %u bytes", NIX_RESULT_MAX);
    str_add_bytes(&self->result, part, (size_t)got);
    return 0;
}

static int
listen_to(nix_t *self, err_t **err)
{
    while (self->out >= 0 || self->errors >= 0) {
        struct pollfd fds[] = {{.fd = self->out, .events = POLLIN},
                               {.fd = self->errors, .events = POLLIN},
                               {.fd = docker_cancel_fd(self->parts->call), .events = POLLIN}};
        if (poll(fds, ARRAY_LEN(fds), -1) < 0)
            continue;
        if (fds[2].revents)
            return err_fail(err, ERR_CANCELLED, "the caller gave up");
        if ((fds[1].revents && take(self, &self->errors, err) < 0) ||
            (fds[0].revents && take(self, &self->out, err) < 0))
            return -1;
    }
    return 0;
}

/* Ends it in a way that lets it end its builders; what it still says goes nowhere. */
static void
stop(const nix_t *self)
{
    AUTO_FD int ended = (int)syscall(SYS_pidfd_open, self->pid, 0);
    struct pollfd fd = {.fd = ended, .events = POLLIN};
    int64_t until = clock_ns() + NIX_STOP_MS * NS_PER_MS;
    kill(-self->pid, SIGINT);
    for (int64_t left; ended >= 0 && (left = until - clock_ns()) > 0;)
        if (poll(&fd, 1, (int)(left / NS_PER_MS) + 1) > 0)
            break;
    kill(-self->pid, SIGKILL);
}

static int
build(nix_t *self, const char *output, err_t **err)
{
    if (output[strcspn(output, "#?^ \t\r\n")])
        return err_fail(err, ERR_INVALID, "'%.200s' is no output of a flake", output);
    int result = start(self, output, err), status = 0;
    if (self->pid > 0) {
        result = listen_to(self, err);
        for (int *fd = &self->out; fd; fd = fd == &self->out ? &self->errors : NULL)
            if (*fd >= 0)
                close(*fd);
        if (result < 0)
            stop(self);
        while (waitpid(self->pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    if (result < 0)
        return -1;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return err_fail(err, ERR_INVALID, "'%s build' ended with %s %d", self->program,
                    WIFEXITED(status) ? "exit code" : "signal",
                    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

/* ------------------------------------------------------------------------------------ the image */

/* [{"drvPath": ..., "outputs": {"out": path}}] */
static int
find_archive(const nix_t *self, char **ret_path, err_t **err)
{
    AUTO_JSON *results = json_loadb(self->result.data, self->result.len, 0, NULL);
    json_t *outputs = json_object_get(json_array_get(results, 0), "outputs");
    const char *path = json_string_value(json_object_iter_value(json_object_iter(outputs)));
    struct stat about;
    if (json_array_size(results) != 1 || json_object_size(outputs) != 1 || !path)
        return err_fail(err, ERR_INVALID,
                        "the flake's output is not one path: it must be one image, as "
                        "dockerTools.buildImage makes it");
    if (stat(path, &about) < 0)
        return err_fail(err, ERR_NOT_FOUND, "cannot read the flake's output '%s': %s", path,
                        strerror(errno));
    if (!S_ISREG(about.st_mode))
        return err_fail(err, ERR_INVALID,
                        "the flake's output '%s' is a folder: it must be an image in a file, as "
                        "dockerTools.buildImage makes it",
                        path);
    *ret_path = strdup(path);
    return 0;
}

static long
file_source(void *arg, char *buffer, size_t size, err_t **err)
{
    ssize_t got;
    do
        got = read(*(int *)arg, buffer, size);
    while (got < 0 && errno == EINTR);
    return got < 0
               ? err_fail(err, ERR_UNKNOWN, "cannot read the flake's output: %s", strerror(errno))
               : got;
}

/* Removes an image that has no name, unless a container or another image uses it. */
static void
forget(docker_t *docker, const char *id)
{
    AUTO_JSON *image = NULL;
    if (docker_get(docker, NULL, docker_path("/images/%s/json", id), &image, NULL) == 0 &&
        json_array_size(json_object_get(image, "RepoTags")) == 0)
        docker_delete(docker, NULL, docker_path("/images/%s", id), NULL);
}

static int
load(docker_t *docker, const nix_t *self, const char *path, const char *image, err_t **err)
{
    const docker_call_t *call = self->parts->call;
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    AUTO_FREE char *loaded = NULL;
    docker_reference_t reference = {0};
    if (fd < 0)
        return err_fail(err, ERR_NOT_FOUND, "cannot read the flake's output '%s': %s", path,
                        strerror(errno));
    int named = docker_image_load_from(docker, call, file_source, &fd, &loaded, err);
    if (named < 0)
        return err_wrap(err, "cannot load the flake's output '%s'", path);
    if (!named) {
        forget(docker, loaded);
        return err_fail(err, ERR_INVALID,
                        "the image in the flake's output '%s' has no tag: give it one, e.g. with "
                        "'name' and 'tag' of dockerTools.buildImage",
                        path);
    }
    if (docker_reference_parse(image, &reference, err) < 0)
        return -1;
    int result = docker_post(
        docker, call,
        docker_path("/images/%s/tag?repo=%s&tag=%s", loaded, reference.name, reference.tag), NULL,
        NULL, err);
    docker_reference_done(&reference);
    return result < 0 ? err_wrap(err, "cannot give the image '%s' its name", loaded) : 0;
}

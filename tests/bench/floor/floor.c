/*  floor: what the bare Docker API needs for the same work, as fast as it goes: one kept-alive connection per thread
 *  to Docker's socket, no parsing beyond ids and addresses, nothing checked twice.
 *
 *    floor enclave IMAGE ROUNDS             one network, one container on it, started, its port answers; then removed
 *    floor services IMAGE COUNT PARALLEL    COUNT containers on one network, created and started
 *    floor remove IMAGE COUNT PARALLEL      the same, removed again with the network; only the removal is counted. They
 *                                           leave the network one by one: else Docker may keep it (docs/lessons.md)
 *    floor remove-at-once IMAGE COUNT PARALLEL    the same without that; the network may be left behind
 *    floor exec CONTAINER COUNT             so many commands in a container, one after the other
 *    floor spawn ROUNDS COMMAND...          how long a command takes, its output thrown away; it must exit 0
 *
 *  Prints milliseconds, one number a round.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SOCKET "/var/run/docker.sock"
#define ANSWER_MAX 65536
#define PORT 80

typedef struct {
    int fd;
    char answer[ANSWER_MAX]; /* head and body of the last answer, NUL-terminated */
    char *body;
} docker_t;

static void
die(const char *what, const char *why)
{
    fprintf(stderr, "floor: cannot %s: %s\n", what, why);
    exit(1);
}

static double
now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void
docker_open(docker_t *self)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SOCKET};
    self->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (self->fd < 0 || connect(self->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        die("reach Docker on " SOCKET, strerror(errno));
}

/* Is the whole answer there? Docker sends a length, or chunks that end with an empty one, or no body at all. */
static int
is_complete(docker_t *self, size_t size)
{
    self->body = strstr(self->answer, "\r\n\r\n");
    if (self->body == NULL)
        return 0;
    self->body += 4;
    size_t have = size - (size_t)(self->body - self->answer);
    const char *length = strcasestr(self->answer, "\r\nContent-Length:");
    if (length != NULL && length < self->body)
        return have >= strtoul(length + 17, NULL, 10);
    if (strncmp(self->answer + 9, "204", 3) == 0 || strncmp(self->answer + 9, "304", 3) == 0)
        return 1;
    return have >= 5 && strcmp(self->answer + size - 5, "0\r\n\r\n") == 0;
}

/* One request; returns whether its answer is 2xx. */
static int
docker_try(docker_t *self, const char *method, const char *json, const char *path)
{
    char request[4096];
    int size = snprintf(request, sizeof(request),
                        "%s /v1.41%s HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n"
                        "Content-Length: %zu\r\n\r\n%s",
                        method, path, strlen(json), json);
    if (write(self->fd, request, (size_t)size) != size)
        die(path, strerror(errno));
    size_t got = 0;
    self->answer[0] = '\0';
    while (!is_complete(self, got)) {
        ssize_t more = read(self->fd, self->answer + got, ANSWER_MAX - 1 - got);
        if (more <= 0)
            die(path, "the connection ends");
        got += (size_t)more;
        self->answer[got] = '\0';
    }
    return self->answer[9] == '2';
}

/* The same; it must be. format makes the path. */
static void __attribute__((format(printf, 4, 5)))
docker_ask(docker_t *self, const char *method, const char *json, const char *format, ...)
{
    char path[512];
    va_list args;
    va_start(args, format);
    vsnprintf(path, sizeof(path), format, args);
    va_end(args);
    if (!docker_try(self, method, json, path))
        die(path, self->body);
}

/* Copies the string after "key":" out of the answer. */
static void
docker_take(docker_t *self, const char *key, char *out, size_t space)
{
    char pattern[64];
    snprintf(pattern, sizeof(pattern), "\"%s\":\"", key);
    const char *at = strstr(self->body, pattern);
    if (at == NULL)
        die("find in Docker's answer", key);
    at += strlen(pattern);
    snprintf(out, space, "%.*s", (int)strcspn(at, "\""), at);
}

static void
make_network(docker_t *docker, const char *name)
{
    char json[256];
    snprintf(json, sizeof(json), "{\"Name\":\"%s\",\"Driver\":\"bridge\",\"Attachable\":true}",
             name);
    docker_ask(docker, "POST", json, "/networks/create");
}

static void
make_container(docker_t *docker, const char *name, const char *image, const char *network,
               const char *mounts)
{
    char json[1024];
    snprintf(json, sizeof(json),
             "{\"Image\":\"%s\",\"Cmd\":[\"httpd\",\"-f\",\"-p\",\"80\"],\"HostConfig\":{"
             "\"NetworkMode\":\"%s\","
             "\"Mounts\":[%s]}}",
             image, network, mounts);
    docker_ask(docker, "POST", json, "/containers/create?name=%s", name);
    docker_ask(docker, "POST", "", "/containers/%s/start", name);
}

static void
reach(const char *ip)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    inet_pton(AF_INET, ip, &address.sin_addr);
    for (int tries = 0; tries < 5000; tries++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int reached = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
        close(fd);
        if (reached)
            return;
        usleep(1000);
    }
    die("reach the container", ip);
}

static void
bench_enclave(const char *image, int rounds)
{
    docker_t docker;
    docker_open(&docker);
    for (int i = 0; i < rounds; i++) {
        char name[64], ip[64] = "", volume[160];
        snprintf(name, sizeof(name), "floor-%d-%d", getpid(), i);
        snprintf(volume, sizeof(volume),
                 "{\"Type\":\"volume\",\"Source\":\"%s\",\"Target\":\"/data\"}", name);
        double begin = now_ms();
        make_network(&docker, name);
        make_container(&docker, name, image, name, volume);
        docker_ask(&docker, "GET", "", "/containers/%s/json", name);
        const char *networks = strstr(docker.body, "\"Networks\":");
        if (networks == NULL)
            die("find in Docker's answer", "Networks");
        docker.body = (char *)networks;
        docker_take(&docker, "IPAddress", ip, sizeof(ip));
        reach(ip);
        printf("%.1f\n", now_ms() - begin);
        docker_ask(&docker, "DELETE", "", "/containers/%s?force=1", name);
        docker_ask(&docker, "DELETE", "", "/volumes/%s", name);
        docker_ask(&docker, "DELETE", "", "/networks/%s", name);
    }
    close(docker.fd);
}

static struct {
    const char *image;
    int count, next, removing, at_once;
    pthread_mutex_t lock, leaving;
} work = {.lock = PTHREAD_MUTEX_INITIALIZER, .leaving = PTHREAD_MUTEX_INITIALIZER};

static int
take_number(void)
{
    pthread_mutex_lock(&work.lock);
    int number = work.next < work.count ? work.next++ : -1;
    pthread_mutex_unlock(&work.lock);
    return number;
}

static void
leave_network(docker_t *docker, const char *network, const char *container)
{
    char json[160];
    snprintf(json, sizeof(json), "{\"Container\":\"%s\",\"Force\":true}", container);
    pthread_mutex_lock(&work.leaving);
    docker_ask(docker, "POST", json, "/networks/%s/disconnect", network);
    pthread_mutex_unlock(&work.leaving);
}

static void *
worker(void *arg)
{
    (void)arg;
    docker_t docker;
    docker_open(&docker);
    for (int number; (number = take_number()) >= 0;) {
        char name[64], network[64];
        snprintf(name, sizeof(name), "floor-%d-%d", getpid(), number);
        snprintf(network, sizeof(network), "floor-%d", getpid());
        if (!work.removing) {
            make_container(&docker, name, work.image, network, "");
            continue;
        }
        if (!work.at_once)
            leave_network(&docker, network, name);
        docker_ask(&docker, "DELETE", "", "/containers/%s?force=1", name);
    }
    close(docker.fd);
    return NULL;
}

static void
all_workers(int parallel, int removing)
{
    pthread_t threads[64];
    work.next = 0;
    work.removing = removing;
    for (int i = 0; i < parallel; i++)
        pthread_create(&threads[i], NULL, worker, NULL);
    for (int i = 0; i < parallel; i++)
        pthread_join(threads[i], NULL);
}

/* Docker may keep one that containers left at once; the time counts as if it had gone. */
static void
remove_network(docker_t *docker, const char *network)
{
    char path[128];
    snprintf(path, sizeof(path), "/networks/%s", network);
    if (!docker_try(docker, "DELETE", "", path))
        fprintf(stderr, "floor: Docker keeps network %s: %s", network, docker->body);
}

static void
bench_services(const char *image, int count, int parallel, const char *what)
{
    const int of_removal = strcmp(what, "services") != 0;
    docker_t docker;
    char network[64];
    snprintf(network, sizeof(network), "floor-%d", getpid());
    work.image = image;
    work.count = count;
    work.at_once = strcmp(what, "remove-at-once") == 0;
    docker_open(&docker);
    make_network(&docker, network);
    double begin = now_ms();
    all_workers(parallel, 0);
    if (!of_removal)
        printf("%.1f\n", now_ms() - begin);
    begin = now_ms();
    all_workers(parallel, 1);
    remove_network(&docker, network);
    if (of_removal)
        printf("%.1f\n", now_ms() - begin);
    close(docker.fd);
}

/* The output of a started command comes raw, and ends with the connection. */
static void
start_exec(const char *id)
{
    docker_t docker;
    char request[512], answer[4096];
    static const char json[] = "{\"Detach\":false,\"Tty\":false}";
    docker_open(&docker);
    int size = snprintf(
        request, sizeof(request),
        "POST /v1.41/exec/%s/start HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n"
        "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: %zu\r\n\r\n%s",
        id, strlen(json), json);
    if (write(docker.fd, request, (size_t)size) != size)
        die("start a command", strerror(errno));
    while (read(docker.fd, answer, sizeof(answer)) > 0)
        ;
    close(docker.fd);
}

static void
bench_exec(const char *container, int count)
{
    docker_t docker;
    docker_open(&docker);
    double begin = now_ms();
    for (int i = 0; i < count; i++) {
        char json[256], id[128];
        snprintf(json, sizeof(json),
                 "{\"Cmd\":[\"echo\",\"%d\"],\"AttachStdout\":true,\"AttachStderr\":true}", i);
        docker_ask(&docker, "POST", json, "/containers/%s/exec", container);
        docker_take(&docker, "Id", id, sizeof(id));
        start_exec(id);
        docker_ask(&docker, "GET", "", "/exec/%s/json", id);
        if (strstr(docker.body, "\"ExitCode\":0") == NULL)
            die("run a command", docker.body);
    }
    printf("%.1f\n", now_ms() - begin);
    close(docker.fd);
}

static void
bench_spawn(int rounds, char **command)
{
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    for (int i = 0; i < rounds; i++) {
        pid_t pid;
        int status = 1;
        double begin = now_ms();
        if (posix_spawnp(&pid, command[0], &quiet, NULL, command, environ) != 0)
            die("run", command[0]);
        waitpid(pid, &status, 0);
        printf("%.2f\n", now_ms() - begin);
        if (status != 0)
            die("run", command[0]);
    }
    posix_spawn_file_actions_destroy(&quiet);
}

int
main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "enclave") == 0)
        bench_enclave(argv[2], (int)strtol(argv[3], NULL, 10));
    else if (argc == 5 && (strcmp(argv[1], "services") == 0 || strcmp(argv[1], "remove") == 0 ||
                           strcmp(argv[1], "remove-at-once") == 0))
        bench_services(argv[2], (int)strtol(argv[3], NULL, 10), (int)strtol(argv[4], NULL, 10) & 63,
                       argv[1]);
    else if (argc == 4 && strcmp(argv[1], "exec") == 0)
        bench_exec(argv[2], (int)strtol(argv[3], NULL, 10));
    else if (argc >= 4 && strcmp(argv[1], "spawn") == 0)
        bench_spawn((int)strtol(argv[2], NULL, 10), argv + 3);
    else
        die("start", "usage: floor enclave IMAGE ROUNDS | "
                     "floor services|remove|remove-at-once IMAGE COUNT PARALLEL | "
                     "floor exec CONTAINER COUNT | floor spawn ROUNDS COMMAND...");
    return 0;
}

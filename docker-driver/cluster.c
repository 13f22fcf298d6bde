/*  cluster: GetClusterInfo. */
#include "docker-driver/api.h"

#include "base/clock.h"

#include <poll.h>
#include <string.h>

#define SAMPLE_MS 100 /* between the two readings that make a CPU rate */
#define MEGABYTE 1000000

/* Docker's words for architectures, as uname has them, and Go's. */
static const struct {
    const char *docker, *go;
} architectures[] = {{"x86_64", "amd64"}, {"aarch64", "arm64"}, {"armv7l", "arm"}, {"i686", "386"}};

/* What a container used at one time. */
typedef struct {
    uint64_t cpu_ns;
    uint64_t memory;
    int64_t time; /* clock_ns() */
} usage_t;

static const char *
architecture_of(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(architectures); i++)
        if (strcmp(architectures[i].docker, word) == 0)
            return architectures[i].go;
    return word;
}

static bool
is_podman(const json_t *version)
{
    size_t i;
    json_t *component;
    json_array_foreach(json_object_get(version, "Components"), i, component)
    {
        if (strstr(docker_text(component, "Name"), "Podman"))
            return true;
    }
    return false;
}

/* Memory in use without what the kernel would give back. */
static usage_t
usage_of(const json_t *stats)
{
    const json_t *memory = json_object_get(stats, "memory_stats");
    const json_t *detail = json_object_get(memory, "stats");
    const json_t *cache = json_object_get(detail, "total_inactive_file");
    int64_t used = docker_int(memory, "usage");
    used -= cache ? json_integer_value(cache) : docker_int(detail, "inactive_file");
    int64_t cpu = docker_int(docker_at(stats, "cpu_stats", "cpu_usage", NULL), "total_usage");
    return (usage_t){.cpu_ns = cpu > 0 ? (uint64_t)cpu : 0,
                     .memory = used > 0 ? (uint64_t)used : 0,
                     .time = clock_ns()};
}

/* Reads the usage of all containers at once; one that ended meanwhile uses nothing. */
static int
sample(docker_t *self, const docker_call_t *call, const json_t *containers, usage_t *usages,
       err_t **err)
{
    size_t count = json_array_size(containers);
    docker_request_t *requests = calloc(count + 1, sizeof *requests);
    if (!requests)
        abort();
    for (size_t i = 0; i < count; i++) {
        requests[i].method = "GET";
        requests[i].path = docker_path("/containers/%s/stats?stream=false&one-shot=true",
                                       docker_text(json_array_get(containers, i), "Id"));
    }
    docker_http_run(self->http, requests, count, docker_cancel_fd(call), NULL);
    int result = 0;
    for (size_t i = 0; i < count; i++) {
        AUTO_JSON *stats = NULL;
        if (requests[i].failure && requests[i].status == 0 && result == 0) {
            if (err)
                *err = TAKE(requests[i].failure);
            result = -1;
        }
        if (!requests[i].failure &&
            docker_json(requests[i].reply.data, requests[i].reply.len, &stats, NULL) == 0)
            usages[i] = usage_of(stats);
        free((char *)requests[i].path);
        docker_request_done(&requests[i]);
    }
    free(requests);
    return result;
}

/* What is free is what the host has without what its containers use now. */
static int
measure(docker_t *self, const docker_call_t *call, Orchestrator__ClusterInfo *info, err_t **err)
{
    AUTO_JSON *containers = NULL;
    if (docker_get(self, call, docker_path("/containers/json"), &containers, err) < 0)
        return -1;
    size_t count = json_array_size(containers);
    AUTO_FREE usage_t *before = calloc(count + 1, sizeof *before);
    AUTO_FREE usage_t *after = calloc(count + 1, sizeof *after);
    double millicpus = 0;
    uint64_t memory = 0;
    if (count) {
        struct pollfd fd = {.fd = docker_cancel_fd(call), .events = POLLIN};
        if (sample(self, call, containers, before, err) < 0)
            return -1;
        if (poll(&fd, 1, SAMPLE_MS) > 0)
            return err_fail(err, ERR_CANCELLED, "the caller gave up");
        if (sample(self, call, containers, after, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < count; i++) {
        memory += after[i].memory;
        if (after[i].time > before[i].time && before[i].time && after[i].cpu_ns > before[i].cpu_ns)
            millicpus += 1000.0 * (double)(after[i].cpu_ns - before[i].cpu_ns) /
                         (double)(after[i].time - before[i].time);
    }
    uint64_t megabytes = memory / MEGABYTE;
    info->free_millicpus =
        millicpus < info->total_millicpus ? info->total_millicpus - (uint32_t)millicpus : 0;
    info->free_memory_megabytes =
        megabytes < info->total_memory_megabytes ? info->total_memory_megabytes - megabytes : 0;
    info->resources_complete = true;
    return 0;
}

int
docker_is_podman(docker_t *self, const docker_call_t *call, err_t **err)
{
    AUTO_JSON *version = NULL;
    if (docker_get(self, call, docker_path("/version"), &version, err) < 0)
        return err_wrap(err, "cannot learn what kind of Docker this is");
    return is_podman(version);
}

int
docker_cluster_info(docker_t *self, const docker_call_t *call,
                    const Orchestrator__GetClusterInfoArgs *request,
                    Orchestrator__ClusterInfo **ret_reply, err_t **err)
{
    AUTO_JSON *host = NULL;
    AUTO_JSON *version = NULL;
    unsigned api = 0;
    if (docker_http_version(self->http, &api, err) < 0 ||
        docker_get(self, call, docker_path("/info"), &host, err) < 0 ||
        docker_get(self, call, docker_path("/version"), &version, err) < 0)
        return err_wrap(err, "cannot learn about the Docker host");
    Orchestrator__ClusterInfo *info = MESSAGE_NEW(ClusterInfo, cluster_info);
    int64_t cpus = docker_int(host, "NCPU"), memory = docker_int(host, "MemTotal");
    info->kind = strdup(is_podman(version) ? "podman" : "docker");
    info->version = strdup(docker_text(version, "Version"));
    info->api_version = str_format("%u.%u", api / 1000, api % 1000);
    info->architecture = strdup(architecture_of(docker_text(host, "Architecture")));
    info->total_millicpus = cpus > 0 && cpus < 1000000 ? (uint32_t)cpus * 1000 : 0;
    info->total_memory_megabytes = memory > 0 ? (uint64_t)memory / MEGABYTE : 0;
    if (request->measure_free && measure(self, call, info, err) < 0) {
        orchestrator__cluster_info__free_unpacked(info, NULL);
        return err_wrap(err, "cannot measure what is free on the Docker host");
    }
    *ret_reply = info;
    return 0;
}

/*  cluster: GetClusterInfo. */
#include "docker-driver/api.h"

#include <string.h>
#include <time.h>

#define MEGABYTE 1000000

/* Docker's words for architectures, as uname has them, and Go's. */
static const struct {
    const char *docker, *go;
} architectures[] = {{"x86_64", "amd64"}, {"aarch64", "arm64"}, {"armv7l", "arm"}, {"i686", "386"}};

/* What a container uses. */
typedef struct {
    double millicpus; /* on average since it was made */
    uint64_t memory;  /* now, bytes */
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
usage_of(const json_t *stats, int64_t age_s)
{
    const json_t *memory = json_object_get(stats, "memory_stats");
    const json_t *detail = json_object_get(memory, "stats");
    const json_t *cache = json_object_get(detail, "total_inactive_file");
    int64_t used = docker_int(memory, "usage");
    used -= cache ? json_integer_value(cache) : docker_int(detail, "inactive_file");
    int64_t cpu = docker_int(docker_at(stats, "cpu_stats", "cpu_usage", NULL), "total_usage");
    return (usage_t){.millicpus = cpu > 0 ? (double)cpu / 1e6 / (double)(age_s > 1 ? age_s : 1) : 0,
                     .memory = used > 0 ? (uint64_t)used : 0};
}

/* Reads the usage of all containers at once; one that ended meanwhile uses nothing. One reading each: Docker reads once a
 * second at most, so a second one would come a second later. */
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
            usages[i] =
                usage_of(stats, time(NULL) - docker_int(json_array_get(containers, i), "Created"));
        free((char *)requests[i].path);
        docker_request_done(&requests[i]);
    }
    free(requests);
    return result;
}

/* What is free is what the host has without what its containers use. */
static int
measure(docker_t *self, const docker_call_t *call, Orchestrator__ClusterInfo *info, err_t **err)
{
    AUTO_JSON *containers = NULL;
    if (docker_get(self, call, docker_path("/containers/json"), &containers, err) < 0)
        return -1;
    size_t count = json_array_size(containers);
    AUTO_FREE usage_t *usages = calloc(count + 1, sizeof *usages);
    double millicpus = 0;
    uint64_t memory = 0;
    if (!usages)
        abort();
    if (sample(self, call, containers, usages, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        memory += usages[i].memory;
        millicpus += usages[i].millicpus;
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
    enum { UNKNOWN, DOCKER, PODMAN };
    int kind = atomic_load_explicit(&self->kind, memory_order_relaxed);
    if (kind == UNKNOWN) {
        AUTO_JSON *version = NULL;
        if (docker_get(self, call, docker_path("/version"), &version, err) < 0)
            return err_wrap(err, "cannot learn what kind of Docker this is");
        kind = is_podman(version) ? PODMAN : DOCKER;
        atomic_store_explicit(&self->kind, kind, memory_order_relaxed);
    }
    return kind == PODMAN;
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

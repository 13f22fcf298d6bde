/*  fuzz_docker_reply: what Docker says in JSON: inspections, lists, lines of its event and pull
 *  streams, refusals, port labels, archives, image references, configuration files. All of them read
 *  every input. */
#include "docker-driver/api.h"
#include "docker-driver/auth.h"
#include "docker-driver/reply.h"
#include "docker-driver/subnet.h"
#include "docker-driver/tar.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
free_message(void *message)
{
    if (message)
        protobuf_c_message_free_unpacked(message, NULL);
}

static int
on_line(void *arg, const json_t *line, err_t **err)
{
    free_message(docker_reply_event(line));
    return docker_progress_line(arg, line, err) < 0 ? -1 : 0;
}

static void
read_json(const json_t *json)
{
    free_message(docker_reply_service(json));
    free_message(docker_reply_engine(json));
    free_message(docker_reply_image("x", json));
    free_message(docker_reply_enclaves(json, json));
    const json_t *both = json_object_get(json, "networks");
    free_message(docker_reply_enclaves(both, json_object_get(json, "containers")));
}

static void
read_text(const char *text)
{
    AUTO(err) err = NULL;
    docker_refusal(500, text, &err);
    docker_reason(err);
    docker_taken_port(err);
    Orchestrator__ServicePort **ports = NULL;
    size_t count = 0;
    if (docker_ports_unpack(text, &ports, &count, NULL) == 0)
        docker_ports_free(ports, count);
    docker_reference_t reference = {0};
    if (docker_reference_parse(text, &reference, NULL) == 0)
        docker_reference_done(&reference);
    free(docker_auth_from_config(text, "docker.io"));
    subnet_t subnet;
    subnet_parse(text, &subnet, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = strndup((const char *)data, size);
    AUTO_JSON *json = NULL;
    if (docker_json((const char *)data, size, &json, NULL) == 0)
        read_json(json);
    read_text(text);

    docker_progress_t progress = {0};
    docker_json_lines_t lines = {.line = on_line, .arg = &progress};
    docker_json_lines_feed(&lines, (const char *)data, size, NULL);
    docker_json_lines_done(&lines);
    docker_progress_done(&progress);

    const char *file;
    size_t file_size;
    tar_first_file(data, size, &file, &file_size, NULL);
    return 0;
}

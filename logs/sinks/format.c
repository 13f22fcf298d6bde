/*  format: batches in the words of their receivers; see sinks.h. */
#include "logs/sinks/sinks.h"

#include "base/clock.h"
#include "base/moment.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define APP_MAX 48    /* bytes of APP-NAME */
#define HOST_MAX 255  /* of HOSTNAME */
#define ID_SIZE 12    /* digits of a shortened UUID */
#define USER_INFO 14  /* facility user, severity info */
#define USER_ERROR 11 /* severity error */

static json_t *
text(const char *bytes, size_t size)
{
    json_t *value = json_stringn(bytes, size);
    return value ? value : json_string("");
}

static char *
dump(json_t *json)
{
    char *out = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (!out)
        abort();
    return out;
}

static const char *
stream_name(const logs_line_t *line)
{
    return line->stream == LOGS_ERR ? "stderr" : "stdout";
}

char *
sink_json_line(const sink_batch_t *batch, const logs_line_t *line)
{
    char time[MOMENT_SIZE];
    moment_text(line->time, 9, time);
    return dump(json_pack("{s:s, s:o, s:s, s:s, s:s, s:s, s:s}", "timestamp", time, "log",
                          text(line->text, line->size), "stream", stream_name(line),
                          "kurtosis_enclave_uuid", batch->enclave_uuid, "kurtosis_enclave_name",
                          batch->enclave_name, "kurtosis_service_uuid", batch->service_uuid,
                          "kurtosis_service_name", batch->service_name));
}

/* A header field of syslog: printable ASCII, '-' for nothing. */
static void
field(str_t *out, const char *value, size_t most)
{
    size_t size = 0;
    for (; *value && size < most; value++, size++)
        str_add_char(out, *value > ' ' && *value < 127 ? *value : '_');
    str_add(out, size ? " " : "- ");
}

char *
sink_syslog_line(const sink_batch_t *batch, const logs_line_t *line)
{
    str_t out = STR_EMPTY;
    char time[MOMENT_SIZE];
    moment_text(line->time, 6, time);
    str_printf(&out, "<%d>1 %s ", line->stream == LOGS_ERR ? USER_ERROR : USER_INFO, time);
    field(&out, batch->enclave_name, HOST_MAX);
    field(&out, batch->service_name, APP_MAX);
    field(&out, batch->service_uuid, ID_SIZE);
    str_printf(&out, "- [kurtosis@32473 enclave=\"%s\" service=\"%s\"] ", batch->enclave_uuid,
               batch->service_uuid);
    size_t room = SINK_SYSLOG_MAX - out.len;
    str_add_bytes(&out, line->text, line->size < room ? line->size : room);
    for (char *c = out.data; *c; c++)
        if (*c == '\n')
            *c = ' ';
    return str_take(&out);
}

char *
sink_loki_body(const sink_batch_t *batch)
{
    json_t *streams = json_array();
    static const logs_stream_t sides[] = {LOGS_OUT, LOGS_ERR};
    for (size_t side = 0; side < ARRAY_LEN(sides); side++) {
        json_t *values = json_array();
        for (size_t i = 0; i < batch->count; i++) {
            char time[24];
            snprintf(time, sizeof time, "%" PRId64, batch->lines[i].time);
            if (batch->lines[i].stream == sides[side])
                json_array_append_new(
                    values,
                    json_pack("[s, o]", time, text(batch->lines[i].text, batch->lines[i].size)));
        }
        if (json_array_size(values) == 0) {
            json_decref(values);
            continue;
        }
        json_array_append_new(
            streams,
            json_pack("{s:{s:s, s:s, s:s, s:s, s:s, s:s}, s:o}", "stream", "job", "kurtosis",
                      "stream", sides[side] == LOGS_ERR ? "stderr" : "stdout",
                      "kurtosis_enclave_uuid", batch->enclave_uuid, "kurtosis_enclave_name",
                      batch->enclave_name, "kurtosis_service_uuid", batch->service_uuid,
                      "kurtosis_service_name", batch->service_name, "values", values));
    }
    return dump(json_pack("{s:o}", "streams", streams));
}

static json_t *
attribute(const char *key, const char *value)
{
    return json_pack("{s:s, s:{s:s}}", "key", key, "value", "stringValue", value);
}

char *
sink_otlp_body(const sink_batch_t *batch)
{
    json_t *records = json_array();
    for (size_t i = 0; i < batch->count; i++) {
        const logs_line_t *line = &batch->lines[i];
        bool is_error = line->stream == LOGS_ERR;
        char time[24];
        snprintf(time, sizeof time, "%" PRId64, line->time);
        json_array_append_new(
            records, json_pack("{s:s, s:s, s:i, s:s, s:{s:o}, s:[o]}", "timeUnixNano", time,
                               "observedTimeUnixNano", time, "severityNumber", is_error ? 17 : 9,
                               "severityText", is_error ? "ERROR" : "INFO", "body", "stringValue",
                               text(line->text, line->size), "attributes",
                               attribute("log.iostream", stream_name(line))));
    }
    json_t *resource = json_pack("[o, o, o, o, o]", attribute("service.name", batch->service_name),
                                 attribute("service.instance.id", batch->service_uuid),
                                 attribute("service.namespace", batch->enclave_name),
                                 attribute("kurtosis.enclave.uuid", batch->enclave_uuid),
                                 attribute("kurtosis.service.uuid", batch->service_uuid));
    return dump(json_pack("{s:[{s:{s:o}, s:[{s:{s:s}, s:o}]}]}", "resourceLogs", "resource",
                          "attributes", resource, "scopeLogs", "scope", "name", "kurtosis",
                          "logRecords", records));
}

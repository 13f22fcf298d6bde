/*  sinks: where else the lines of the log store go. Inside kurtosis-log-sink, which forwards to one of them.
 *
 *      file:///path                                one JSON object a line, appended
 *      syslog+unix:///path  syslog+udp://host:514  RFC 5424, one message a line; over TCP with octet counting (RFC 6587)
 *      syslog+tcp://host:601
 *      loki+http://host:3100[/path]  loki+https    Loki's push API, JSON
 *      otlp+http://host:4318[/path]  otlp+https    OpenTelemetry logs, OTLP/HTTP with JSON
 *
 *  With https "#ca=/path" may stand at the end: a file with the certificates that are trusted in place of the usual ones.
 *
 *  A batch is of one service. Delivering waits; what fails is tried again by the caller, from the same line on: a receiver
 *  gets every line at least once, and in order within a service.
 */
#ifndef KURTOSIS_LOGS_SINKS_H
#define KURTOSIS_LOGS_SINKS_H

#include "logs/logs.h"

#include <jansson.h>

#define SINK_LINES_MAX 500u          /* of one batch */
#define SINK_BYTES_MAX (512u * 1024) /* of one batch, roughly */
#define SINK_TIMEOUT_MS 10000        /* for one delivery */
#define SINK_SYSLOG_MAX 60000u       /* bytes of a syslog message; the rest of a line is cut off */

/* Lines of one service; their text is valid UTF-8. */
typedef struct {
    const char *enclave_uuid, *enclave_name, *service_uuid, *service_name;
    const logs_line_t *lines;
    size_t count;
} sink_batch_t;

typedef struct sink sink_t;

/* INVALID for a URL of no kind that there is. Connects nothing yet. */
int sink_new(const char *url, sink_t **ret_sink, err_t **err);
void sink_destroy(sink_t **self_p);
AUTO_FOR(sink)
/* Negative when the batch has to be delivered once more; INVALID when the receiver will never take it. */
int sink_deliver(sink_t *self, const sink_batch_t *batch, err_t **err);

/* What is sent, as text; yours, free(). */
char *sink_json_line(const sink_batch_t *batch, const logs_line_t *line);
char *sink_syslog_line(const sink_batch_t *batch, const logs_line_t *line);
char *sink_loki_body(const sink_batch_t *batch);
char *sink_otlp_body(const sink_batch_t *batch);

#endif

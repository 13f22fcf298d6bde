/*  kinds: the one table of log sinks: how a URL begins, what must follow, what of the beginning is part of the target, an HTTP
 *  URL's path if there is none, how sink.c delivers. */
#ifndef KURTOSIS_LOGS_KINDS_H
#define KURTOSIS_LOGS_KINDS_H

typedef enum { SINK_NEEDS_PATH, SINK_NEEDS_PORT, SINK_NEEDS_HOST } sink_needs_t;

/* Behind an HTTPS address: the file with the certificates of those who are trusted. */
#define SINK_ROOTS "#ca="

#define LOGS_SINKS(X)                                                                              \
    X("file://", PATH, "", NULL, to_file)                                                          \
    X("syslog+unix://", PATH, "", NULL, to_datagrams)                                              \
    X("syslog+udp://", PORT, "", NULL, to_datagrams)                                               \
    X("syslog+tcp://", PORT, "", NULL, to_stream)                                                  \
    X("loki+http://", HOST, "http://", "/loki/api/v1/push", to_loki)                               \
    X("loki+https://", HOST, "https://", "/loki/api/v1/push", to_loki)                             \
    X("otlp+http://", HOST, "http://", "/v1/logs", to_otlp)                                        \
    X("otlp+https://", HOST, "https://", "/v1/logs", to_otlp)

#endif

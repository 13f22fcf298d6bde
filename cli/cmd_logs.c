/*  cmd_logs: service logs. */
#include "cli/commands.h"

#include "base/clock.h"
#include "base/duration.h"
#include "base/moment.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/session.h"

#include <string.h>

#define SERVICES_MAX 1024u

/* Colours that services take in turn. */
static const out_style_t styles[] = {OUT_BLUE,   OUT_CYAN,       OUT_GREEN,       OUT_MAGENTA,
                                     OUT_YELLOW, OUT_BRIGHT_RED, OUT_BRIGHT_BLUE, OUT_BRIGHT_WHITE};

/* The services whose lines are shown. */
typedef struct {
    size_t count;
    char *uuids[SERVICES_MAX];
    char *names[SERVICES_MAX]; /* as the user wrote them */
    bool warned[SERVICES_MAX]; /* said that there are no lines */
} shown_t;

static void
shown_done(shown_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free(self->uuids[i]);
        free(self->names[i]);
    }
}

static int
shown_add(shown_t *self, const char *uuid, const char *name, err_t **err)
{
    for (size_t i = 0; i < self->count; i++)
        if (!strcmp(self->uuids[i], uuid))
            return 0;
    if (self->count == SERVICES_MAX)
        return err_fail(err, ERR_LIMIT, "more than %u services", SERVICES_MAX);
    self->uuids[self->count] = strdup(uuid);
    self->names[self->count++] = strdup(name);
    return 0;
}

/* All names that are and were, or those given; what is not known is taken as a UUID. */
static int
find_services(session_t *session, const cli_call_t *call, shown_t *shown, err_t **err)
{
    AUTO_MESSAGE ApiContainerApi__GetExistingAndHistoricalServiceIdentifiersResponse *known = NULL;
    size_t count;
    const char *const *names = cli_args(call, &count);
    bool all =
        count == 0 || cli_bool(call, "all-services") || (count == 1 && !strcmp(names[0], "*"));
    if (!session->enclave ||
        enclave_context_get_service_identifiers(session->enclave, &known, NULL) < 0) {
        if (all)
            return err_fail(err, ERR_STATE,
                            "the enclave's services are not known because its API container does "
                            "not run; name them by "
                            "their full UUIDs");
    }
    for (size_t i = 0; all && known && i < known->n_allidentifiers; i++)
        if (shown_add(shown, known->allidentifiers[i]->service_uuid, known->allidentifiers[i]->name,
                      err) < 0)
            return -1;
    for (size_t i = 0; !all && i < count; i++) {
        const char *uuid = names[i];
        AUTO(err) why = NULL;
        if (known && service_identifiers_find(known, names[i], &uuid, &why) < 0 &&
            err_code(why) != ERR_NOT_FOUND) {
            if (err)
                *err = TAKE(why);
            return -1;
        }
        if (shown_add(shown, uuid, names[i], err) < 0)
            return -1;
    }
    return 0;
}

static int
show(void *arg, const EngineApi__GetServiceLogsResponse *message, err_t **err)
{
    (void)err;
    shown_t *self = arg;
    for (size_t i = 0; i < message->n_not_found_service_uuid_set; i++)
        for (size_t k = 0; k < self->count; k++)
            if (!self->warned[k] &&
                !strcmp(self->uuids[k], message->not_found_service_uuid_set[i]->key)) {
                out_warn("there are no logs of the service '%s'", self->names[k]);
                self->warned[k] = true;
            }
    for (size_t i = 0; i < message->n_service_logs_by_service_uuid; i++) {
        const EngineApi__LogLine *lines = message->service_logs_by_service_uuid[i]->value;
        size_t k = 0;
        while (k < self->count &&
               strcmp(self->uuids[k], message->service_logs_by_service_uuid[i]->key))
            k++;
        if (!lines || !lines->n_line || k == self->count)
            continue;
        AUTO_STR name = STR_EMPTY;
        AUTO_STR text = STR_EMPTY;
        out_style(&name, styles[k % ARRAY_LEN(styles)], out_coloured(), self->names[k]);
        for (size_t line = 0; line < lines->n_line; line++) {
            str_add(&text, line ? "\n[" : "[");
            str_add_bytes(&text, name.data, name.len);
            str_add(&text, "] ");
            str_add(&text, lines->line[line]);
        }
        out_line("%s", text.data); /* all in one write */
    }
    return 0;
}

/* Points the request at the time that a flag names, if it is given: how long ago, or a moment. */
static int
read_time(const cli_call_t *call, const char *flag, Google__Protobuf__Timestamp *time,
          Google__Protobuf__Timestamp **ret_time, err_t **err)
{
    const char *text = cli_text(call, flag);
    int64_t ns, ago;
    if (!cli_given(call, flag))
        return 0;
    if (duration_parse(text, &ago, NULL) == 0)
        ns = clock_wall_ns() - ago;
    else if (!moment_parse(text, strlen(text), &ns))
        return err_fail(err, ERR_INVALID,
                        "'%s' of '--%s' is no time: write how long ago, e.g. 10m or 1h30m, or a "
                        "moment, e.g. 2006-01-02T15:04:05Z",
                        text, flag);
    google__protobuf__timestamp__init(time);
    time->seconds = ns / NS_PER_SECOND - (ns % NS_PER_SECOND < 0);
    time->nanos = (int32_t)(ns - time->seconds * NS_PER_SECOND);
    *ret_time = time;
    return 0;
}

static int
read_logs(session_t *session, const cli_call_t *call, const char *enclave_uuid, shown_t *shown,
          err_t **err)
{
    typedef EngineApi__GetServiceLogsArgs__ServiceUuidSetEntry entry_t;
    AUTO_FREE entry_t *entries = calloc(shown->count + 1, sizeof *entries);
    AUTO_FREE entry_t **list = calloc(shown->count + 1, sizeof(entry_t *));
    if (!entries || !list)
        abort();
    for (size_t i = 0; i < shown->count; i++) {
        engine_api__get_service_logs_args__service_uuid_set_entry__init(&entries[i]);
        entries[i].key = shown->uuids[i];
        entries[i].value = true;
        list[i] = &entries[i];
    }
    bool is_regex = *cli_text(call, "regex-match"), invert = cli_bool(call, "invert-match");
    EngineApi__LogLineFilter filter = ENGINE_API__LOG_LINE_FILTER__INIT;
    EngineApi__LogLineFilter *filters[] = {&filter};
    filter.operator_ = (EngineApi__LogLineOperator)(2 * is_regex + invert);
    filter.text_pattern = (char *)cli_text(call, is_regex ? "regex-match" : "match");
    EngineApi__GetServiceLogsArgs args = ENGINE_API__GET_SERVICE_LOGS_ARGS__INIT;
    args.enclave_identifier = (char *)enclave_uuid;
    args.service_uuid_set = list;
    args.n_service_uuid_set = shown->count;
    args.conjunctive_filters = filters;
    args.n_conjunctive_filters = *filter.text_pattern ? 1 : 0;
    args._follow_logs_case = ENGINE_API__GET_SERVICE_LOGS_ARGS___FOLLOW_LOGS_FOLLOW_LOGS;
    args.follow_logs = cli_bool(call, "follow");
    args._return_all_logs_case =
        ENGINE_API__GET_SERVICE_LOGS_ARGS___RETURN_ALL_LOGS_RETURN_ALL_LOGS;
    bool timed = cli_given(call, "since") || cli_given(call, "until");
    args.return_all_logs = cli_bool(call, "all") || (timed && !cli_given(call, "num"));
    args._num_log_lines_case = ENGINE_API__GET_SERVICE_LOGS_ARGS___NUM_LOG_LINES_NUM_LOG_LINES;
    args.num_log_lines = cli_number(call, "num");
    Google__Protobuf__Timestamp since, until;
    if (read_time(call, "since", &since, &args.since, err) < 0 ||
        read_time(call, "until", &until, &args.until, err) < 0)
        return -1;
    return kurtosis_context_get_service_logs(session->kurtosis, &args, show, shown, err);
}

int
service_logs_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session = {0};
    __attribute__((cleanup(shown_done))) shown_t shown = {0};
    AUTO_MESSAGE EngineApi__EnclaveInfo *info = NULL;
    if (*cli_text(call, "match") && *cli_text(call, "regex-match"))
        return err_fail(err, ERR_INVALID, "'--match' and '--regex-match' cannot be used together");
    if (session_open(&session, err) < 0 ||
        kurtosis_context_get_enclave(session.kurtosis, cli_arg(call, "enclave"), &info, err) < 0)
        return -1;
    interrupt_set(NULL, 0);
    kurtosis_context_get_enclave_context(session.kurtosis, info->enclave_uuid, &session.enclave,
                                         NULL);
    if (find_services(&session, call, &shown, err) < 0 ||
        read_logs(&session, call, info->enclave_uuid, &shown, err) < 0)
        return err_wrap(err, "cannot show the logs");
    return 0;
}

/*  postgrest: a stand-in for PostgREST where its image cannot be had.
 *
 *    PGRST_DB_URI       how to reach PostgreSQL; mandatory
 *    PGRST_DB_SCHEMAS   schema whose tables are shown; default "public"
 *    PGRST_SERVER_PORT  default 3000
 *
 *    GET /             names of the tables, a JSON array
 *    GET /<table>      its rows, a JSON array of objects; ?limit=N for the first N
 *
 *  One connection to the database, made anew when it breaks; one thread for HTTP.
 */
#include <libpq-fe.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static PGconn *database;
static const char *schema;

static const char *
setting(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : otherwise;
}

static enum MHD_Result
answer(struct MHD_Connection *http, unsigned status, const char *json)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(json), (void *)json, MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header(response, "Content-Type", "application/json; charset=utf-8");
    enum MHD_Result result = MHD_queue_response(http, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result
answer_rows(struct MHD_Connection *http, const char *sql, int count, const char *const *values)
{
    if (PQstatus(database) != CONNECTION_OK)
        PQreset(database);
    PGresult *rows = PQexecParams(database, sql, count, NULL, values, NULL, NULL, 0);
    enum MHD_Result result;
    if (PQresultStatus(rows) == PGRES_TUPLES_OK)
        result = answer(http, MHD_HTTP_OK, PQgetvalue(rows, 0, 0));
    else
        result = answer(http, MHD_HTTP_SERVICE_UNAVAILABLE,
                        "{\"message\":\"the database does not answer\"}");
    PQclear(rows);
    return result;
}

static enum MHD_Result
answer_table(struct MHD_Connection *http, const char *table)
{
    const char *limit = MHD_lookup_connection_value(http, MHD_GET_ARGUMENT_KIND, "limit");
    const char *names[] = {schema, table};
    PGresult *found = PQexecParams(database,
                                   "SELECT 1 FROM information_schema.tables WHERE table_schema = $1 "
                                   "AND table_name = $2",
                                   2, NULL, names, NULL, NULL, 0);
    int known = PQresultStatus(found) != PGRES_TUPLES_OK || PQntuples(found) == 1;
    PQclear(found);
    if (!known)
        return answer(http, MHD_HTTP_NOT_FOUND, "{\"message\":\"there is no such table\"}");

    char *quoted_schema = PQescapeIdentifier(database, schema, strlen(schema));
    char *quoted = PQescapeIdentifier(database, table, strlen(table));
    char sql[1024];
    int size = snprintf(sql, sizeof(sql),
                        "SELECT coalesce(json_agg(t), '[]')::text FROM "
                        "(SELECT * FROM %s.%s LIMIT $1::bigint) t",
                        quoted_schema, quoted);
    PQfreemem(quoted_schema);
    PQfreemem(quoted);
    if (size < 0 || (size_t)size >= sizeof(sql))
        return answer(http, MHD_HTTP_NOT_FOUND, "{\"message\":\"there is no such table\"}");
    const char *values[] = {limit};
    return answer_rows(http, sql, 1, values);
}

static enum MHD_Result
on_request(void *arg, struct MHD_Connection *http, const char *url, const char *method,
           const char *version, const char *body, size_t *body_size, void **state)
{
    (void)arg, (void)version, (void)body, (void)body_size, (void)state;
    if (strcmp(method, "GET") != 0)
        return answer(http, MHD_HTTP_METHOD_NOT_ALLOWED, "{\"message\":\"only GET is known here\"}");
    if (url[1] != '\0')
        return answer_table(http, url + 1);
    const char *values[] = {schema};
    return answer_rows(http,
                       "SELECT coalesce(json_agg(table_name), '[]')::text FROM "
                       "information_schema.tables WHERE table_schema = $1",
                       1, values);
}

int
main(void)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    sigprocmask(SIG_BLOCK, &stop, NULL);

    const char *uri = getenv("PGRST_DB_URI");
    if (uri == NULL) {
        fprintf(stderr, "postgrest: PGRST_DB_URI is not set\n");
        return 1;
    }
    schema = setting("PGRST_DB_SCHEMAS", "public");
    database = PQconnectdb(uri);
    if (PQstatus(database) != CONNECTION_OK) {
        fprintf(stderr, "postgrest: %s", PQerrorMessage(database));
        return 1;
    }
    unsigned short port = (unsigned short)strtoul(setting("PGRST_SERVER_PORT", "3000"), NULL, 10);
    struct MHD_Daemon *server =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, port, NULL, NULL, on_request, NULL, MHD_OPTION_END);
    if (server == NULL) {
        fprintf(stderr, "postgrest: cannot listen on port %u\n", port);
        return 1;
    }
    printf("postgrest: listening on port %u\n", port);
    fflush(stdout);
    int number;
    sigwait(&stop, &number);
    MHD_stop_daemon(server);
    PQfinish(database);
    return 0;
}

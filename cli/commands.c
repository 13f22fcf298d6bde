/*  commands: the table of all commands, sorted by path. Help, completion and the parser are read
 * off it. */
#include "cli/commands.h"

#include "cli/help.h"

static const char *const log_levels[] = {"panic", "fatal", "error", "warning", "warn",
                                         "info",  "debug", "trace", NULL};
static const char *const verbosities[] = {"brief",       "detailed",    "executable",
                                          "output_only", "description", NULL};
static const char *const image_downloads[] = {"missing", "always", NULL};
static const char *const outputs[] = {"", "json", NULL};
static const char *const service_outputs[] = {"", "yaml", "json", NULL};

const cli_flag_t cli_global_flags[] = {
    {"cli-log-level", 0, CLI_TEXT, "info", "Level of log lines that the CLI prints", log_levels},
    {"help", 'h', CLI_BOOL, "false", "Help for the command", NULL},
    {0},
};

#define FULL_UUIDS                                                                                 \
    {                                                                                              \
        "full-uuids", 0, CLI_BOOL, "false", "Print full UUIDs instead of shortened ones", NULL     \
    }
#define OUTPUT_JSON                                                                                \
    {                                                                                              \
        "output", 'o', CLI_TEXT, "", "Print as \"json\" instead of text", outputs                  \
    }
#define VERBOSITY                                                                                  \
    {                                                                                              \
        "verbosity", 'v', CLI_TEXT, "description",                                                 \
            "What is shown of instructions: brief, detailed, executable, output_only, "            \
            "description",                                                                         \
            verbosities                                                                            \
    }
#define ENCLAVE                                                                                    \
    {                                                                                              \
        "enclave", CLI_ARG_ENCLAVE, NULL, false                                                    \
    }
#define ENCLAVES                                                                                   \
    {                                                                                              \
        "enclaves", CLI_ARG_ENCLAVE, NULL, true                                                    \
    }
#define SERVICE                                                                                    \
    {                                                                                              \
        "service", CLI_ARG_SERVICE, NULL, false                                                    \
    }
#define SERVICES                                                                                   \
    {                                                                                              \
        "service", CLI_ARG_SERVICE, NULL, true                                                     \
    }
#define ARTIFACT                                                                                   \
    {                                                                                              \
        "artifact-identifier", CLI_ARG_ARTIFACT, NULL, false                                       \
    }
#define ENGINE_FLAGS                                                                               \
    {"version", 0, CLI_TEXT, "", "Version of the engine; empty is that of the CLI", NULL},         \
        {"log-level", 0, CLI_TEXT, "debug", "Level of log lines that the engine prints",           \
         log_levels},                                                                              \
        {"log-retention-period", 0, CLI_TEXT, "168h", "How long logs of services are kept", NULL}, \
        {"log-quota",                                                                              \
         0,                                                                                        \
         CLI_TEXT,                                                                                 \
         "4GB",                                                                                    \
         "Most that all logs together may take; the oldest go first",                              \
         NULL},                                                                                    \
        {"log-sinks",                                                                              \
         0,                                                                                        \
         CLI_TEXT,                                                                                 \
         "",                                                                                       \
         "Where else logs go: URLs separated by commas, e.g. loki+http://host:3100",               \
         NULL},                                                                                    \
        {"github-auth-token",                                                                      \
         0,                                                                                        \
         CLI_TEXT,                                                                                 \
         "",                                                                                       \
         "Access token with which enclaves made from now on clone private packages",               \
         NULL},                                                                                    \
        {"restart-api-containers",                                                                 \
         0,                                                                                        \
         CLI_BOOL,                                                                                 \
         "false",                                                                                  \
         "Also make the API containers of enclaves anew, of the engine's version",                 \
         NULL},                                                                                    \
        {"enclave-pool-size",                                                                      \
         0,                                                                                        \
         CLI_NUMBER,                                                                               \
         "0",                                                                                      \
         "Idle enclaves that are kept ready: on Docker none, so 0",                                \
         NULL},                                                                                    \
    {                                                                                              \
        "domain", 0, CLI_TEXT, "", "Public domain of the web pages, which are not there yet", NULL \
    }

const cli_command_t cli_commands[] = {
    {.path = "",
     .summary = "Kurtosis: environments of many services, described in Starlark",
     .details = "Kurtosis runs environments of many services, described in Starlark, in enclaves "
                "of their own.\n\n"
                "Begin with:\n"
                "  " CLI_PROGRAM " run ./my-package      run a package in a new enclave\n"
                "  " CLI_PROGRAM " enclave ls            the enclaves that there are\n"
                "  " CLI_PROGRAM " clean --all           remove them"},
    {.path = "__complete",
     .summary = "What may follow on a command line; for the completion scripts",
     .run = cli_run_complete,
     .hidden = true,
     .args = {{"words", CLI_ARG_TEXT, "", true}}},
    {.path = "bus", .summary = "Look at the message bus that everything here talks on"},
    {.path = "bus ls", .summary = "List who is on the bus", .run = bus_ls_run},
    {.path = "bus tap",
     .summary = "Show the messages that pass, until Ctrl-C: who asks whom for what; no content",
     .run = bus_tap_run,
     .args = {{"peer", CLI_ARG_TEXT, "", false}}},
    {.path = "clean",
     .summary = "Remove stopped enclaves and stopped engines; with --all every enclave",
     .run = clean_run,
     .flags = {{"all", 'a', CLI_BOOL, "false", "Also remove enclaves that run", NULL}}},
    {.path = "completion",
     .summary = "Print a completion script for a shell",
     .details = "Prints a completion script for bash, fish or zsh. For bash: source <(" CLI_PROGRAM
                " completion bash)",
     .run = cli_run_completion,
     .args = {{"shell", CLI_ARG_TEXT, NULL, false}}},
    {.path = "dump",
     .summary =
         "Write all that is known of engines and enclaves to a directory, to look for a fault",
     .run = dump_run,
     .args = {{"output-dirpath", CLI_ARG_PATH, "", false}}},
    {.path = "enclave", .summary = "Make, list, inspect, stop and remove enclaves"},
    {.path = "enclave add",
     .summary = "Make an empty enclave",
     .run = enclave_add_run,
     .flags = {{"name", 'n', CLI_TEXT, "", "Name of the enclave; empty lets the engine choose",
                NULL},
               {"api-container-version", 'a', CLI_TEXT, "",
                "Version of its API container; empty is the engine's", NULL},
               {"api-container-log-level", 'l', CLI_TEXT, "debug", "Log level of its API container",
                log_levels},
               {"ipv6", 0, CLI_BOOL, "false", "Give its containers IPv6 addresses, too", NULL},
               {"production", 'p', CLI_BOOL, "false", "Restart services whenever they end", NULL}}},
    {.path = "enclave attach",
     .summary = "Show the run that is under way in an enclave, to its end",
     .details =
         "Shows what a run in an enclave has done and does, to its end: one that was started "
         "elsewhere, or from\na terminal that is gone. When none is under way, the last one. "
         "The exit code is that of the run.\nCtrl-C leaves; the run goes on.",
     .run = enclave_attach_run,
     .args = {ENCLAVE},
     .flags = {{"only-new", 0, CLI_BOOL, "false", "Leave out what it has done already", NULL},
               VERBOSITY}},
    {.path = "enclave connect",
     .summary =
         "Forward the ports of an enclave's services to this machine, where they are not here",
     .run = enclave_connect_run,
     .args = {ENCLAVE}},
    {.path = "enclave dump",
     .summary = "Write all that is known of an enclave to a directory, to look for a fault",
     .run = enclave_dump_run,
     .args = {ENCLAVE, {"output-dirpath", CLI_ARG_PATH, "", false}}},
    {.path = "enclave inspect",
     .summary = "Show an enclave with its services and files artifacts",
     .run = enclave_inspect_run,
     .args = {ENCLAVE},
     .flags = {FULL_UUIDS, OUTPUT_JSON}},
    {.path = "enclave ls",
     .summary = "List the enclaves",
     .run = enclave_ls_run,
     .flags = {FULL_UUIDS, OUTPUT_JSON}},
    {.path = "enclave rm",
     .summary = "Remove enclaves with everything in them",
     .run = enclave_rm_run,
     .args = {ENCLAVES},
     .flags = {{"force", 'f', CLI_BOOL, "false", "Also remove enclaves that run", NULL}}},
    {.path = "enclave stop",
     .summary = "End every container of enclaves; they cannot be started again",
     .run = enclave_stop_run,
     .args = {ENCLAVES}},
    {.path = "engine", .summary = "Start, stop and look at the Kurtosis engine"},
    {.path = "engine logs",
     .summary = "Write what engines printed to a directory",
     .run = engine_logs_run,
     .args = {{"output-dirpath", CLI_ARG_PATH, "", false}}},
    {.path = "engine restart",
     .summary = "Stop the engine and start it again; enclaves go on meanwhile",
     .run = engine_restart_run,
     .flags = {ENGINE_FLAGS}},
    {.path = "engine start",
     .summary = "Start the engine",
     .run = engine_start_run,
     .flags = {ENGINE_FLAGS}},
    {.path = "engine status",
     .summary = "Say whether the engine runs, and its version",
     .run = engine_status_run},
    {.path = "engine stop", .summary = "Stop the engine; enclaves go on", .run = engine_stop_run},
    {.path = "files", .summary = "Files artifacts of an enclave"},
    {.path = "files download",
     .summary = "Copy a files artifact to this machine",
     .run = files_download_run,
     .args = {ENCLAVE, ARTIFACT, {"destination-path", CLI_ARG_PATH, "", false}},
     .flags = {{"no-extract", 0, CLI_BOOL, "false", "Write the archive itself, <identifier>.tgz",
                NULL}}},
    {.path = "files inspect",
     .summary = "Show what is in a files artifact, or one text file of it",
     .run = files_inspect_run,
     .args = {ENCLAVE, ARTIFACT, {"file-path", CLI_ARG_TEXT, "", false}}},
    {.path = "files rendertemplate",
     .summary = "Make a files artifact out of a template and its data",
     .run = files_rendertemplate_run,
     .args = {ENCLAVE,
              {"template-filepath", CLI_ARG_PATH, NULL, false},
              {"data-json-filepath", CLI_ARG_PATH, NULL, false},
              {"destination-relative-filepath", CLI_ARG_TEXT, NULL, false}},
     .flags = {{"name", 0, CLI_TEXT, "", "Name of the artifact; empty lets Kurtosis choose",
                NULL}}},
    {.path = "files storeservice",
     .summary = "Make a files artifact out of a service's files",
     .run = files_storeservice_run,
     .args = {ENCLAVE, SERVICE, {"filepath", CLI_ARG_TEXT, NULL, false}},
     .flags = {{"name", 0, CLI_TEXT, "", "Name of the artifact; empty lets Kurtosis choose",
                NULL}}},
    {.path = "files storeweb",
     .summary = "Make a files artifact out of a .tgz on the web",
     .run = files_storeweb_run,
     .args = {ENCLAVE, {"url", CLI_ARG_TEXT, NULL, false}},
     .flags = {{"name", 0, CLI_TEXT, "", "Name of the artifact; empty lets the CLI choose", NULL}}},
    {.path = "files upload",
     .summary = "Make a files artifact out of a file or directory",
     .run = files_upload_run,
     .args = {ENCLAVE, {"path", CLI_ARG_PATH, NULL, false}},
     .flags = {{"name", 0, CLI_TEXT, "", "Name of the artifact; empty lets Kurtosis choose",
                NULL}}},
    {.path = "help",
     .summary = "Help for a command",
     .run = cli_run_help,
     .args = {{"command", CLI_ARG_COMMAND, "", true}}},
    {.path = "port", .summary = "Ports of services"},
    {.path = "port print",
     .summary = "Print where a service's port is published",
     .run = port_print_run,
     .args = {ENCLAVE, SERVICE, {"port_id", CLI_ARG_PORT, NULL, false}},
     .flags = {{"format", 0, CLI_TEXT, "protocol,ip,number",
                "Any of protocol, ip, number in this order", NULL}}},
    {.path = "run",
     .summary = "Run a Starlark script or package",
     .details = "Runs a Starlark script (a .star file) or package (a directory with a "
                "kurtosis.yml, or github.com/author/package)\n"
                "in an enclave, and shows what it does. Arguments are JSON or YAML: " CLI_PROGRAM
                " run ./my-package '{\"count\": 3}'",
     .run = run_run,
     .args = {{"script-or-package-path", CLI_ARG_PATH, NULL, false},
              {"args", CLI_ARG_TEXT, "{}", false}},
     .flags =
         {
             {"args-file", 0, CLI_TEXT, "", "JSON or YAML file, or its URL, with the arguments",
              NULL},
             {"dependencies", 0, CLI_BOOL, "false",
              "Print the images and packages that are needed; nothing is executed", NULL},
             {"dry-run", 0, CLI_BOOL, "false", "Interpret and validate only; nothing is executed",
              NULL},
             {"enclave", 0, CLI_TEXT,
              "", "Enclave to run in, made if absent; empty makes a new one", NULL},
             {"experimental", 0, CLI_TEXT, "", "Comma-separated features: NO_INSTRUCTIONS_CACHING",
              NULL},
             {"full-uuids", 0, CLI_BOOL, "false", "Print full UUIDs at the end", NULL},
             {"image-download", 0, CLI_TEXT, "missing",
              "Which images are pulled: \"missing\" or \"always\"", image_downloads},
             {"main-file", 0, CLI_TEXT, "", "Main file of the package, relative to its root", NULL},
             {"main-function-name", 0, CLI_TEXT, "", "Function to call; empty is run", NULL},
             {"no-connect", 0, CLI_BOOL, "false", "Do not forward ports of services", NULL},
             {"non-blocking-tasks", 0, CLI_BOOL, "false",
              "Do not wait until services of tasks are removed", NULL},
             {"output-graph", 0, CLI_BOOL, "false",
              "Draw the instructions and what they depend on, as a PNG", NULL},
             {"output-graph-path", 0, CLI_TEXT, "./", "Directory for the graph", NULL},
             {"parallel", 0, CLI_BOOL, "false",
              "Run instructions that do not depend on each other at once", NULL},
             {"parallelism", 0, CLI_NUMBER, "4", "How much one instruction may do at once", NULL},
             {"privileged", 0, CLI_BOOL, "false",
              "Permit privileged services, bind mounts and the host's processes", NULL},
             {"production", 'p', CLI_BOOL, "false", "Make the enclave one whose services restart",
              NULL},
             {"pull", 0, CLI_BOOL, "false",
              "With --dependencies: bring them here, and name the packages in kurtosis.yml", NULL},
             {"resource-check", 0, CLI_BOOL, "true", "Check processors and memory before execution",
              NULL},
             {"show-enclave-inspect", 0, CLI_BOOL, "true", "Show the enclave at the end", NULL},
             VERBOSITY,
             {"with-mermaid", 0, CLI_BOOL, "false", "With --output-graph: also as Mermaid", NULL},
         }},
    {.path = "service", .summary = "Services of an enclave"},
    {.path = "service add",
     .summary = "Add a service to an enclave",
     .run = service_add_run,
     .args = {ENCLAVE,
              {"service-name", CLI_ARG_TEXT, NULL, false},
              {"image", CLI_ARG_TEXT, "", false}},
     .flags = {{"cmd", 0, CLI_TEXT, "", "Command, split at blanks", NULL},
               {"entrypoint", 0, CLI_TEXT, "", "Entrypoint, split at blanks", NULL},
               {"env", 0, CLI_TEXT, "", "Environment: K1=V1,K2=V2", NULL},
               {"files", 0, CLI_TEXT, "", "Files: MOUNT:ARTIFACT[|ARTIFACT2...],...", NULL},
               {"ports", 0, CLI_TEXT, "", "Ports: ID=[APP:]NUMBER[/tcp|udp|sctp],...", NULL},
               {"ip-address-placeholder", 0, CLI_TEXT, "",
                "Text that is replaced by the service's address", NULL},
               {"json-service-config", 0, CLI_TEXT, "",
                "File with the configuration as JSON, - for stdin", NULL},
               {"privileged", 0, CLI_BOOL, "false", "Permit privileged services and bind mounts",
                NULL},
               {"full-uuids", 0, CLI_BOOL, "false", "Print full UUIDs", NULL}}},
    {.path = "service exec",
     .summary = "Run a command in a service",
     .run = service_exec_run,
     .args = {ENCLAVE, SERVICE, {"command", CLI_ARG_TEXT, NULL, false}},
     .flags = {{"user", 'u', CLI_TEXT, "root", "User to run it as", NULL}}},
    {.path = "service inspect",
     .summary = "Show a service",
     .run = service_inspect_run,
     .args = {ENCLAVE, SERVICE},
     .flags = {{"full-uuid", 0, CLI_BOOL, "false", "Print the full UUID", NULL},
               {"output", 'o', CLI_TEXT, "", "Print its configuration as \"yaml\" or \"json\"",
                service_outputs}}},
    {.path = "service logs",
     .summary = "Show what services print",
     .run = service_logs_run,
     .args = {ENCLAVE, {"service", CLI_ARG_PAST_SERVICE, "", true}},
     .flags = {{"all", 'a', CLI_BOOL, "false", "All lines", NULL},
               {"all-services", 'x', CLI_BOOL, "false", "All services of the enclave", NULL},
               {"follow", 'f', CLI_BOOL, "false", "Go on with the lines to come", NULL},
               {"invert-match", 'v', CLI_BOOL, "false", "Only lines that do not match", NULL},
               {"match", 0, CLI_TEXT, "", "Only lines with this text, whatever its case", NULL},
               {"num", 'n', CLI_NUMBER, "200",
                "How many last lines; with --since or --until all, unless this is given", NULL},
               {"regex-match", 0, CLI_TEXT, "",
                "Only lines in which this regular expression is found", NULL},
               {"since", 0, CLI_TEXT, "",
                "Only lines printed since then: how long ago (10m, 1h30m) or a moment "
                "(2006-01-02T15:04:05Z)",
                NULL},
               {"until", 0, CLI_TEXT, "",
                "Only lines printed before then, written like --since; --follow ends then", NULL}}},
    {.path = "service rm",
     .summary = "Remove a service",
     .run = service_rm_run,
     .args = {ENCLAVE, SERVICE}},
    {.path = "service shell",
     .summary = "Open a shell in a service",
     .run = service_shell_run,
     .args = {ENCLAVE, SERVICE}},
    {.path = "service start",
     .summary = "Start stopped services",
     .run = service_start_run,
     .args = {ENCLAVE, SERVICES}},
    {.path = "service stop",
     .summary = "Stop services",
     .run = service_stop_run,
     .args = {ENCLAVE, SERVICES}},
    {.path = "service update",
     .summary = "Change a service: its container is made anew, its name, address and ports stay",
     .run = service_update_run,
     .args = {ENCLAVE, SERVICE},
     .flags = {{"image", 0, CLI_TEXT, "", "Image", NULL},
               {"cmd", 0, CLI_TEXT, "", "Command, one word", NULL},
               {"entrypoint", 0, CLI_TEXT, "", "Entrypoint, one word", NULL},
               {"env", 0, CLI_TEXT, "", "Environment that is added or changed: K1=V1,K2=V2", NULL},
               {"files", 0, CLI_TEXT, "",
                "Files that are added or changed: MOUNT:ARTIFACT[|ARTIFACT2...],...", NULL},
               {"ports", 0, CLI_TEXT, "",
                "Ports that are added or changed: ID=[APP:]NUMBER[/tcp|udp|sctp],...", NULL},
               {"privileged", 0, CLI_BOOL, "false", "Permit privileged services and bind mounts",
                NULL}}},
    {.path = "version", .summary = "Print the version of the CLI", .run = version_run},
};
const size_t cli_commands_count = ARRAY_LEN(cli_commands);

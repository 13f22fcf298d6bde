/*  complete: completion scripts, and what they call: `kurtosis __complete WORDS... LAST`.
 *
 *  It prints a candidate a line, "name<TAB>help", and at last ":" with a number: 4 means that no
 * files are offered, 0 that the shell completes files itself. Nothing is started for it: without an
 * engine there are no names.
 */
#include "cli/help.h"

#include "cli/interrupt.h"
#include "cli/manager.h"
#include "cli/output.h"
#include "cli/parse.h"

#include <string.h>

#define NO_FILES 4
#define FILES 0

static const char bash_script[] =
    "_kurtosis() {\n"
    "    local line candidates=() directive=4\n"
    "    while IFS= read -r line; do\n"
    "        case $line in\n"
    "        :*) directive=${line#:} ;;\n"
    "        *) candidates+=(\"${line%%$'\\t'*}\") ;;\n"
    "        esac\n"
    "    done < <(\"${COMP_WORDS[0]}\" __complete -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" "
    "2>/dev/null)\n"
    "    COMPREPLY=()\n"
    "    if [ \"$directive\" = 0 ]; then\n"
    "        compopt -o default\n"
    "        return\n"
    "    fi\n"
    "    compopt -o nosort 2>/dev/null\n"
    "    for line in \"${candidates[@]}\"; do\n"
    "        [[ $line == \"${COMP_WORDS[COMP_CWORD]}\"* ]] && COMPREPLY+=(\"$line\")\n"
    "    done\n"
    "}\n"
    "complete -F _kurtosis kurtosis\n";

static const char zsh_script[] =
    "#compdef kurtosis\n"
    "_kurtosis() {\n"
    "    local line directive=4\n"
    "    local -a candidates\n"
    "    while IFS= read -r line; do\n"
    "        case $line in\n"
    "        :*) directive=${line#:} ;;\n"
    "        *) candidates+=(\"${${line//:/\\\\:}/$'\\t'/:}\") ;;\n"
    "        esac\n"
    "    done < <(\"${words[1]}\" __complete -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)\n"
    "    if [ \"$directive\" = 0 ]; then _files; else _describe -V kurtosis candidates; fi\n"
    "}\n"
    "compdef _kurtosis kurtosis\n";

static const char fish_script[] =
    "function __kurtosis_complete\n"
    "    set -l words (commandline -opc) (commandline -ct)\n"
    "    $words[1] __complete -- $words[2..-1] 2>/dev/null | while read -l line\n"
    "        switch $line\n"
    "            case ':0'\n"
    "                __fish_complete_path (commandline -ct)\n"
    "            case ':*'\n"
    "            case '*'\n"
    "                echo $line\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c kurtosis -f -k -a '(__kurtosis_complete)'\n";

static const struct {
    const char *shell, *script;
} scripts[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};

int
cli_run_completion(const cli_call_t *call, err_t **err)
{
    const char *shell = cli_arg(call, "shell");
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
        if (!strcmp(scripts[i].shell, shell)) {
            out_text(scripts[i].script);
            return 0;
        }
    return err_fail(err, ERR_INVALID,
                    "there is no completion for the shell '%s'; there is for bash, fish and zsh",
                    shell);
}

/* -------------------------------------------------------------------------------- off the table */

static void
offer(const char *name, const char *help)
{
    if (help && *help)
        out_line("%s\t%s", name, help);
    else
        out_line("%s", name);
}

static void
offer_commands(const cli_command_t *group)
{
    for (size_t i = 0; i < cli_commands_count; i++)
        if (!cli_commands[i].hidden && cli_command_is_below(&cli_commands[i], group))
            offer(cli_command_name(&cli_commands[i]), cli_commands[i].summary);
}

static void
offer_flags(const cli_command_t *command)
{
    const cli_flag_t *flag;
    for (size_t i = 0; (flag = cli_command_flag(command, i)); i++) {
        AUTO_FREE char *name = str_format("--%s", flag->name);
        offer(name, flag->help);
    }
}

/* The flag that the last word is the value of, or NULL. */
static const cli_flag_t *
flag_before(const cli_command_t *command, const char *word)
{
    const cli_flag_t *flag;
    for (size_t i = 0; (flag = cli_command_flag(command, i)); i++) {
        bool is_long = str_starts(word, "--") && !strcmp(word + 2, flag->name);
        bool is_letter = flag->letter && word[0] == '-' && word[1] == flag->letter && !word[2];
        if ((is_long || is_letter) && flag->kind != CLI_BOOL)
            return flag;
    }
    return NULL;
}

/* ------------------------------------------------------------------------------- off the engine */

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
offer_sorted(char **names, size_t count)
{
    qsort(names, count, sizeof *names, by_text);
    for (size_t i = 0; i < count; i++)
        offer(names[i], NULL);
}

static void
offer_enclaves(kurtosis_context_t *kurtosis)
{
    AUTO_MESSAGE EngineApi__GetEnclavesResponse *enclaves = NULL;
    if (kurtosis_context_get_enclaves(kurtosis, &enclaves, NULL) < 0)
        return;
    AUTO_FREE char **names = calloc(enclaves->n_enclave_info + 1, sizeof *names);
    for (size_t i = 0; names && i < enclaves->n_enclave_info; i++)
        names[i] = enclaves->enclave_info[i]->value->name;
    offer_sorted(names, enclaves->n_enclave_info);
}

static void
offer_services(enclave_context_t *enclave)
{
    AUTO_MESSAGE ApiContainerApi__GetServicesResponse *services = NULL;
    if (enclave_context_get_services(enclave, NULL, 0, &services, NULL) < 0)
        return;
    AUTO_FREE char **names = calloc(services->n_service_info + 1, sizeof *names);
    for (size_t i = 0; names && i < services->n_service_info; i++)
        names[i] = services->service_info[i]->key;
    offer_sorted(names, services->n_service_info);
}

static void
offer_past_services(enclave_context_t *enclave)
{
    AUTO_MESSAGE ApiContainerApi__GetExistingAndHistoricalServiceIdentifiersResponse *known = NULL;
    if (enclave_context_get_service_identifiers(enclave, &known, NULL) < 0)
        return;
    AUTO_FREE char **names = calloc(known->n_allidentifiers + 1, sizeof *names);
    for (size_t i = 0; names && i < known->n_allidentifiers; i++)
        names[i] = known->allidentifiers[i]->name;
    offer_sorted(names, known->n_allidentifiers);
}

static void
offer_artifacts(enclave_context_t *enclave)
{
    AUTO_MESSAGE ApiContainerApi__ListFilesArtifactNamesAndUuidsResponse *artifacts = NULL;
    if (enclave_context_get_all_files_artifacts(enclave, &artifacts, NULL) < 0)
        return;
    AUTO_FREE char **names = calloc(artifacts->n_file_names_and_uuids + 1, sizeof *names);
    for (size_t i = 0; names && i < artifacts->n_file_names_and_uuids; i++)
        names[i] = artifacts->file_names_and_uuids[i]->filename;
    offer_sorted(names, artifacts->n_file_names_and_uuids);
}

static void
offer_ports(enclave_context_t *enclave, const char *service_name)
{
    AUTO(service_context) service = NULL;
    if (enclave_context_get_service_context(enclave, service_name, &service, NULL) < 0)
        return;
    const ApiContainerApi__ServiceInfo *info = service_context_info(service);
    AUTO_FREE char **names = calloc(info->n_private_ports + 1, sizeof *names);
    for (size_t i = 0; names && i < info->n_private_ports; i++)
        names[i] = info->private_ports[i]->key;
    offer_sorted(names, info->n_private_ports);
}

/* Names that the engine knows. words: the arguments given before, the enclave first. */
static void
offer_names(cli_what_t what, const char *const *words, size_t count)
{
    AUTO(kurtosis_context) kurtosis = NULL;
    AUTO(enclave_context) enclave = NULL;
    interrupt_init();
    if (manager_connect(&kurtosis, NULL) < 0)
        return;
    if (what == CLI_ARG_ENCLAVE) {
        offer_enclaves(kurtosis);
        return;
    }
    if (count == 0 || kurtosis_context_get_enclave_context(kurtosis, words[0], &enclave, NULL) < 0)
        return;
    if (what == CLI_ARG_SERVICE)
        offer_services(enclave);
    else if (what == CLI_ARG_PAST_SERVICE)
        offer_past_services(enclave);
    else if (what == CLI_ARG_ARTIFACT)
        offer_artifacts(enclave);
    else if (what == CLI_ARG_PORT && count > 1)
        offer_ports(enclave, words[1]);
}

/* ---------------------------------------------------------------------------------- the command */

/* The positional arguments among the words before the last one. */
static size_t
find_arguments(const cli_command_t *command, const char *const *words, size_t count, uint64_t path,
               const char **ret_arguments)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if ((i < 64 && path >> i & 1) || !strcmp(words[i], "--"))
            continue;
        if (*words[i] == '-' && words[i][1])
            i += flag_before(command, words[i]) != NULL;
        else
            ret_arguments[found++] = words[i];
    }
    return found;
}

static int
offer_argument(const cli_command_t *command, const char *const *arguments, size_t count)
{
    const cli_arg_t *arg = command->args;
    for (size_t i = 0; i < count && arg->name && !arg->greedy; i++)
        arg++;
    if (!arg->name)
        return NO_FILES;
    switch (arg->what) {
    case CLI_ARG_PATH:
        return FILES;
    case CLI_ARG_TEXT:
        if (!strcmp(arg->name, "shell"))
            for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
                offer(scripts[i].shell, NULL);
        return NO_FILES;
    case CLI_ARG_COMMAND:
        offer_commands(cli_command_find(""));
        return NO_FILES;
    default:
        offer_names(arg->what, arguments, count);
        return NO_FILES;
    }
}

int
cli_run_complete(const cli_call_t *call, err_t **err)
{
    (void)err;
    size_t count;
    const char *const *words = cli_args(call, &count);
    if (count == 0)
        return 0;
    const char *last = words[count - 1];
    uint64_t path;
    const cli_command_t *command = cli_parse_command((char **)words, count - 1, &path);
    AUTO_FREE const char **arguments = calloc(count + 1, sizeof *arguments);
    if (!arguments)
        abort();
    size_t given = find_arguments(command, words, count - 1, path, arguments);
    const cli_flag_t *flag = count > 1 ? flag_before(command, words[count - 2]) : NULL;
    int directive = NO_FILES;
    if (flag) {
        for (size_t i = 0; flag->choices && flag->choices[i]; i++)
            offer(flag->choices[i], NULL);
        if (!strcmp(flag->name, "enclave"))
            offer_names(CLI_ARG_ENCLAVE, NULL, 0);
        directive =
            str_ends(flag->name, "file") || str_ends(flag->name, "config") ? FILES : NO_FILES;
    } else if (*last == '-') {
        offer_flags(command);
    } else if (!command->run) {
        offer_commands(command);
    } else {
        directive = offer_argument(command, arguments, given);
    }
    out_line(":%d", directive);
    return 0;
}

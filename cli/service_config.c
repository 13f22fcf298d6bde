/*  service_config: see service_config.h. */
#include "cli/service_config.h"

#include "base/file.h"
#include "cli/starlark.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>

/* ------------------------------------------------------------------------------- lists of texts */

/* One item of "a,b,c"; the item is trimmed. */
typedef struct {
    const char *text;
    size_t size;
} item_t;

static bool
next_item(const char **at, char separator, item_t *ret)
{
    if (!**at)
        return false;
    const char stop[2] = {separator, '\0'};
    *ret = (item_t){*at, strcspn(*at, stop)};
    *at += ret->size + ((*at)[ret->size] == separator);
    while (ret->size > 0 && isspace((unsigned char)*ret->text))
        ret->text++, ret->size--;
    while (ret->size > 0 && isspace((unsigned char)ret->text[ret->size - 1]))
        ret->size--;
    return true;
}

/* Is "key<separator>" the beginning of an item before this one? */
static bool
came_before(const char *list, const char *here, const char *key, size_t size, char separator)
{
    for (const char *at = list; at < here;) {
        item_t item;
        if (!next_item(&at, ',', &item))
            break;
        if (item.text != here && item.size > size && !strncmp(item.text, key, size) &&
            item.text[size] == separator)
            return true;
        if (item.text >= here)
            break;
    }
    return false;
}

static void
quote(str_t *out, const char *text, size_t size)
{
    AUTO_FREE char *copy = strndup(text, size);
    starlark_quote(out, copy);
}

/* A list of the words between single blanks. */
static void
add_words(str_t *out, const char *name, const char *text)
{
    if (!*text)
        return;
    str_printf(out, ", %s = [", name);
    for (const char *at = text;;) {
        size_t len = strcspn(at, " ");
        quote(out, at, len);
        if (!at[len])
            break;
        str_add(out, ", ");
        at += len + 1;
    }
    str_add_char(out, ']');
}

/* ---------------------------------------------------------------------------------------- flags */

int
service_config_env(const char *list, str_t *out, err_t **err)
{
    item_t item;
    str_add_char(out, '{');
    for (const char *at = list; next_item(&at, ',', &item);) {
        const char *equals = memchr(item.text, '=', item.size);
        if (item.size == 0)
            continue;
        if (!equals || equals == item.text)
            return err_fail(err, ERR_INVALID, "'%.*s' is no environment variable: write NAME=VALUE",
                            (int)item.size, item.text);
        size_t name = (size_t)(equals - item.text);
        if (came_before(list, item.text, item.text, name, '='))
            return err_fail(err, ERR_INVALID, "the environment variable '%.*s' is given twice",
                            (int)name, item.text);
        quote(out, item.text, name);
        str_add(out, ": ");
        quote(out, equals + 1, item.size - name - 1);
        str_add(out, ", ");
    }
    str_add_char(out, '}');
    return 0;
}

/* ID=[APP:]NUMBER[/tcp|udp|sctp] */
static int
add_port(str_t *out, const item_t *item, size_t id, err_t **err)
{
    static const char *const transports[] = {"TCP", "UDP", "SCTP"};
    AUTO_FREE char *spec = strndup(item->text + id + 1, item->size - id - 1);
    char *slash = strchr(spec, '/'), *colon = strchr(spec, ':'), *number = colon ? colon + 1 : spec,
         *end;
    const char *transport = slash ? NULL : "TCP";
    for (size_t i = 0; slash && i < ARRAY_LEN(transports); i++)
        if (!strcasecmp(slash + 1, transports[i]))
            transport = transports[i];
    if (slash)
        *slash = '\0';
    if (colon)
        *colon = '\0';
    unsigned long value = isdigit((unsigned char)*number) ? strtoul(number, &end, 10) : 0;
    if (!transport || value < 1 || value > 65535 || *end || (colon && !*spec))
        return err_fail(err, ERR_INVALID,
                        "'%.*s' is no port: write ID=[APP:]NUMBER[/tcp|udp|sctp] with a number "
                        "from 1 to 65535, e.g. "
                        "http=http:80/tcp",
                        (int)item->size, item->text);
    quote(out, item->text, id);
    str_printf(out, ": PortSpec(number = %lu, transport_protocol = \"%s\"", value, transport);
    if (colon) {
        str_add(out, ", application_protocol = ");
        starlark_quote(out, spec);
    }
    str_add(out, ", wait = \"" SERVICE_PORT_WAIT "\"), ");
    return 0;
}

int
service_config_ports(const char *list, str_t *out, err_t **err)
{
    item_t item;
    str_add_char(out, '{');
    for (const char *at = list; next_item(&at, ',', &item);) {
        const char *equals = memchr(item.text, '=', item.size);
        size_t id = equals ? (size_t)(equals - item.text) : 0;
        if (item.size == 0)
            continue;
        if (id == 0)
            return err_fail(err, ERR_INVALID,
                            "'%.*s' is no port: write ID=[APP:]NUMBER[/tcp|udp|sctp]",
                            (int)item.size, item.text);
        if (came_before(list, item.text, item.text, id, '='))
            return err_fail(err, ERR_INVALID, "the port '%.*s' is given twice", (int)id, item.text);
        if (add_port(out, &item, id, err) < 0)
            return -1;
    }
    str_add_char(out, '}');
    return 0;
}

/* One artifact is a text, several a Directory of them. names is separated by '|'. */
static void
add_artifacts(str_t *out, const char *names)
{
    bool several = strchr(names, '|') != NULL;
    item_t name;
    str_add(out, several ? "Directory(artifact_names = [" : "");
    for (const char *at = names; next_item(&at, '|', &name);) {
        quote(out, name.text, name.size);
        str_add(out, several ? ", " : "");
    }
    str_add(out, several ? "])" : "");
}

int
service_config_files(const char *list, str_t *out, err_t **err)
{
    item_t item;
    str_add_char(out, '{');
    for (const char *at = list; next_item(&at, ',', &item);) {
        const char *colon = memchr(item.text, ':', item.size);
        size_t mount = colon ? (size_t)(colon - item.text) : 0;
        if (item.size == 0)
            continue;
        if (mount == 0 || mount + 1 == item.size)
            return err_fail(
                err, ERR_INVALID,
                "'%.*s' are no files: write MOUNT:ARTIFACT[|ARTIFACT2...], e.g. /etc/app:conf",
                (int)item.size, item.text);
        if (came_before(list, item.text, item.text, mount, ':'))
            return err_fail(err, ERR_INVALID, "the path '%.*s' is given twice", (int)mount,
                            item.text);
        AUTO_FREE char *names = strndup(colon + 1, item.size - mount - 1);
        quote(out, item.text, mount);
        str_add(out, ": ");
        add_artifacts(out, names);
        str_add(out, ", ");
    }
    str_add_char(out, '}');
    return 0;
}

int
service_config_from_flags(const service_flags_t *flags, str_t *out, err_t **err)
{
    const struct {
        const char *field, *list;
        int (*put)(const char *list, str_t *out, err_t **err);
    } dicts[] = {{"ports", flags->ports, service_config_ports},
                 {"env_vars", flags->env, service_config_env},
                 {"files", flags->files, service_config_files}};
    if (!*flags->image)
        return err_fail(err, ERR_INVALID,
                        "no image was given; write it after the service's name, or use "
                        "'--json-service-config'");
    str_add(out, "ServiceConfig(image = ");
    starlark_quote(out, flags->image);
    for (size_t i = 0; i < ARRAY_LEN(dicts); i++) {
        str_printf(out, ", %s = ", dicts[i].field);
        if (dicts[i].put(dicts[i].list, out, err) < 0)
            return -1;
    }
    add_words(out, "entrypoint", flags->entrypoint);
    add_words(out, "cmd", flags->cmd);
    if (*flags->ip_address_placeholder) {
        str_add(out, ", private_ip_address_placeholder = ");
        starlark_quote(out, flags->ip_address_placeholder);
    }
    str_add(out, ", tini_enabled = False)");
    return 0;
}

/* ----------------------------------------------------------------------------------------- JSON */

/* How a key of the JSON configuration becomes an argument of ServiceConfig. */
typedef enum { KEY_VALUE, KEY_PORTS, KEY_FILES, KEY_USER, KEY_TOLERATIONS } key_kind_t;

static const struct {
    const char *name;
    key_kind_t kind;
} keys[] = {
    {"image", KEY_VALUE},
    {"ports", KEY_PORTS},
    {"public_ports", KEY_PORTS},
    {"files", KEY_FILES},
    {"entrypoint", KEY_VALUE},
    {"cmd", KEY_VALUE},
    {"env_vars", KEY_VALUE},
    {"private_ip_address_placeholder", KEY_VALUE},
    {"max_cpu", KEY_VALUE},
    {"min_cpu", KEY_VALUE},
    {"max_memory", KEY_VALUE},
    {"min_memory", KEY_VALUE},
    {"user", KEY_USER},
    {"tolerations", KEY_TOLERATIONS},
    {"labels", KEY_VALUE},
    {"node_selectors", KEY_VALUE},
    {"tini_enabled", KEY_VALUE},
    {"tty_enabled", KEY_VALUE},
    {"privileged", KEY_VALUE},
    {"bind_mounts", KEY_VALUE},
    {"host_pid_namespace", KEY_VALUE},
};

/* Numbers of the transports in the JSON form. */
static const char *const transport_names[] = {"TCP", "SCTP", "UDP"};

static void
add_value(str_t *out, const json_t *value)
{
    size_t i;
    const char *key;
    json_t *item;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        str_add_char(out, '{');
        json_object_foreach((json_t *)value, key, item)
        {
            starlark_quote(out, key);
            str_add(out, ": ");
            add_value(out, item);
            str_add(out, ", ");
        }
        str_add_char(out, '}');
        break;
    case JSON_ARRAY:
        str_add_char(out, '[');
        json_array_foreach(value, i, item)
        {
            add_value(out, item);
            str_add(out, ", ");
        }
        str_add_char(out, ']');
        break;
    case JSON_STRING:
        starlark_quote(out, json_string_value(value));
        break;
    case JSON_INTEGER:
        str_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        str_printf(out, "%.17g", json_real_value(value));
        break;
    default:
        str_add(out, json_is_true(value) ? "True" : json_is_false(value) ? "False" : "None");
    }
}

/* Appends `type(field = value, ...)` of an object; fields that are not there are left out. */
static void
add_call(str_t *out, const char *type, const json_t *object, const char *const *fields)
{
    bool first = true;
    str_printf(out, "%s(", type);
    for (size_t i = 0; fields[i]; i++) {
        const json_t *value = json_object_get(object, fields[i]);
        if (!value || json_is_null(value))
            continue;
        str_printf(out, "%s%s = ", first ? "" : ", ", fields[i]);
        add_value(out, value);
        first = false;
    }
    str_add_char(out, ')');
}

static int
add_json_ports(str_t *out, const json_t *ports, err_t **err)
{
    const char *id;
    json_t *port;
    str_add_char(out, '{');
    json_object_foreach((json_t *)ports, id, port)
    {
        json_int_t number = json_integer_value(json_object_get(port, "number"));
        json_int_t transport = json_integer_value(json_object_get(port, "transport"));
        const char *application =
            json_string_value(json_object_get(port, "maybe_application_protocol"));
        const char *wait = json_string_value(json_object_get(port, "wait"));
        if (!json_is_object(port) || number < 1 || number > 65535 || transport < 0 || transport > 2)
            return err_fail(err, ERR_INVALID,
                            "the port '%s' must have a 'number' from 1 to 65535 and a 'transport' "
                            "of 0 (TCP), 1 (SCTP) or 2 "
                            "(UDP)",
                            id);
        starlark_quote(out, id);
        str_printf(out, ": PortSpec(number = %d, transport_protocol = \"%s\"", (int)number,
                   transport_names[transport]);
        if (application && *application) {
            str_add(out, ", application_protocol = ");
            starlark_quote(out, application);
        }
        str_add(out, ", wait = ");
        if (wait && *wait)
            starlark_quote(out, wait);
        else
            str_add(out, "None");
        str_add(out, "), ");
    }
    str_add_char(out, '}');
    return 0;
}

static int
add_json_files(str_t *out, const json_t *files, err_t **err)
{
    const char *path;
    json_t *names;
    str_add_char(out, '{');
    json_object_foreach((json_t *)files, path, names)
    {
        if (!json_is_array(names) || json_array_size(names) == 0)
            return err_fail(err, ERR_INVALID, "the files of '%s' must be a list of artifact names",
                            path);
        starlark_quote(out, path);
        str_add(out, ": ");
        if (json_array_size(names) == 1) {
            add_value(out, json_array_get(names, 0));
        } else {
            str_add(out, "Directory(artifact_names = ");
            add_value(out, names);
            str_add_char(out, ')');
        }
        str_add(out, ", ");
    }
    str_add_char(out, '}');
    return 0;
}

static int
add_key(str_t *out, key_kind_t kind, const json_t *value, err_t **err)
{
    static const char *const user_fields[] = {"uid", "gid", NULL};
    static const char *const toleration_fields[] = {"key",    "operator",           "value",
                                                    "effect", "toleration_seconds", NULL};
    size_t i;
    json_t *item;
    switch (kind) {
    case KEY_PORTS:
        return add_json_ports(out, value, err);
    case KEY_FILES:
        return add_json_files(out, value, err);
    case KEY_USER:
        add_call(out, "User", value, user_fields);
        return 0;
    case KEY_TOLERATIONS:
        str_add_char(out, '[');
        json_array_foreach(value, i, item)
        {
            add_call(out, "Toleration", item, toleration_fields);
            str_add(out, ", ");
        }
        str_add_char(out, ']');
        return 0;
    default:
        add_value(out, value);
        return 0;
    }
}

static int
add_object(str_t *out, const json_t *object, err_t **err)
{
    const char *name;
    json_t *value;
    bool first = true;
    str_add(out, "ServiceConfig(");
    json_object_foreach((json_t *)object, name, value)
    {
        size_t i = 0;
        while (i < ARRAY_LEN(keys) && strcmp(keys[i].name, name))
            i++;
        if (i == ARRAY_LEN(keys))
            return err_fail(err, ERR_INVALID, "a service's configuration has no key '%s'", name);
        if (json_is_null(value))
            continue;
        str_printf(out, "%s%s = ", first ? "" : ", ", name);
        if (add_key(out, keys[i].kind, value, err) < 0)
            return -1;
        first = false;
    }
    str_add_char(out, ')');
    return 0;
}

int
service_config_from_json(const char *text, str_t *out, err_t **err)
{
    json_error_t why;
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(object)) {
        json_decref(object);
        return err_fail(err, ERR_INVALID, "line %d, column %d: %s", why.line, why.column,
                        object ? "it is no JSON object" : why.text);
    }
    int result =
        json_object_get(object, "image")
            ? add_object(out, object, err)
            : err_fail(err, ERR_INVALID, "a service's configuration needs the key 'image'");
    json_decref(object);
    return result;
}

int
service_config_from_file(const char *path, str_t *out, err_t **err)
{
    bool is_stdin = !strcmp(path, "-");
    AUTO_STR text = STR_EMPTY;
    if ((is_stdin ? file_read_fd(STDIN_FILENO, "standard input", SERVICE_CONFIG_MAX, &text, err)
                  : file_read(path, SERVICE_CONFIG_MAX, &text, err)) < 0)
        return -1;
    if (service_config_from_json(text.data, out, err) < 0)
        return err_wrap(err, "cannot use the configuration '%s'", path);
    return 0;
}

/* ------------------------------------------------------------------------------------- printing */

static json_t *
texts(char *const *items, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_string(items[i]));
    return array;
}

static void
set_unless_empty(json_t *object, const char *key, json_t *value)
{
    bool is_empty = (json_is_array(value) && json_array_size(value) == 0) ||
                    (json_is_object(value) && json_object_size(value) == 0) ||
                    json_is_false(value) ||
                    (json_is_integer(value) && json_integer_value(value) == 0) ||
                    (json_is_string(value) && !*json_string_value(value));
    if (is_empty)
        json_decref(value);
    else
        json_object_set_new(object, key, value);
}

static json_t *
port_json(const ApiContainerApi__Port *port)
{
    json_t *object = json_pack("{s:i, s:i}", "number", (int)port->number, "transport",
                               (int)port->transport_protocol);
    set_unless_empty(object, "maybe_application_protocol",
                     json_string(port->maybe_application_protocol));
    set_unless_empty(object, "wait", json_string(port->maybe_wait_timeout));
    return object;
}

static json_t *
config_json(const ApiContainerApi__ServiceInfo *info)
{
    json_t *object = json_object(), *ports = json_object(), *public_ports = json_object(),
           *files = json_object(), *env = json_object(), *labels = json_object(),
           *selectors = json_object(), *binds = json_object();
    for (size_t i = 0; i < info->n_private_ports; i++)
        if (info->private_ports[i]->value)
            json_object_set_new(ports, info->private_ports[i]->key,
                                port_json(info->private_ports[i]->value));
    for (size_t i = 0; i < info->n_maybe_public_ports; i++)
        if (info->maybe_public_ports[i]->value)
            json_object_set_new(public_ports, info->maybe_public_ports[i]->key,
                                port_json(info->maybe_public_ports[i]->value));
    for (size_t i = 0; i < info->n_service_dir_paths_to_files_artifacts_list; i++) {
        const ApiContainerApi__ServiceInfo__ServiceDirPathsToFilesArtifactsListEntry *entry =
            info->service_dir_paths_to_files_artifacts_list[i];
        if (entry->value)
            json_object_set_new(files, entry->key,
                                texts(entry->value->files_artifacts_identifiers,
                                      entry->value->n_files_artifacts_identifiers));
    }
    for (size_t i = 0; info->container && i < info->container->n_env_vars; i++)
        json_object_set_new(env, info->container->env_vars[i]->key,
                            json_string(info->container->env_vars[i]->value));
    for (size_t i = 0; i < info->n_labels; i++)
        json_object_set_new(labels, info->labels[i]->key, json_string(info->labels[i]->value));
    for (size_t i = 0; i < info->n_node_selectors; i++)
        json_object_set_new(selectors, info->node_selectors[i]->key,
                            json_string(info->node_selectors[i]->value));
    for (size_t i = 0; i < info->n_bind_mounts; i++)
        json_object_set_new(binds, info->bind_mounts[i]->key,
                            json_string(info->bind_mounts[i]->value));
    set_unless_empty(object, "image",
                     json_string(info->container ? info->container->image_name : ""));
    set_unless_empty(object, "ports", ports);
    set_unless_empty(object, "public_ports", public_ports);
    set_unless_empty(object, "files", files);
    if (info->container) {
        set_unless_empty(
            object, "entrypoint",
            texts(info->container->entrypoint_args, info->container->n_entrypoint_args));
        set_unless_empty(object, "cmd",
                         texts(info->container->cmd_args, info->container->n_cmd_args));
    }
    set_unless_empty(object, "env_vars", env);
    if (info->given)
        set_unless_empty(object, "private_ip_address_placeholder",
                         json_string(info->given->ip_address_placeholder));
    set_unless_empty(object, "max_cpu", json_integer(info->max_millicpus));
    set_unless_empty(object, "min_cpu", json_integer(info->min_millicpus));
    set_unless_empty(object, "max_memory", json_integer(info->max_memory_megabytes));
    set_unless_empty(object, "min_memory", json_integer(info->min_memory_megabytes));
    if (info->user)
        set_unless_empty(
            object, "user",
            json_pack("{s:i, s:i}", "uid", (int)info->user->uid, "gid", (int)info->user->gid));
    set_unless_empty(object, "labels", labels);
    set_unless_empty(object, "node_selectors", selectors);
    set_unless_empty(object, "tini_enabled",
                     json_boolean(info->_tini_enabled_case != 0 && info->tini_enabled));
    set_unless_empty(object, "tty_enabled",
                     json_boolean(info->_tty_enabled_case != 0 && info->tty_enabled));
    set_unless_empty(object, "privileged", json_boolean(info->privileged));
    set_unless_empty(object, "bind_mounts", binds);
    set_unless_empty(object, "host_pid_namespace", json_boolean(info->host_pid_namespace));
    return object;
}

/* Can the text stand in YAML without quotes, and be read as a text again? */
static bool
is_plain(const char *text)
{
    static const char *const words[] = {"y",   "n",    "yes",   "no",  "on",
                                        "off", "true", "false", "null"};
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_/";
    static const char rest[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_/0123456789.:@+=,-";
    const char *start = text + (*text == '-');
    if (!*start || !strchr(first, *start) || strspn(start, rest) != strlen(start) ||
        str_ends(text, ":"))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (!strcasecmp(words[i], text))
            return false;
    return true;
}

static void
add_yaml_text(str_t *out, const char *text)
{
    if (is_plain(text))
        str_add(out, text);
    else
        starlark_quote(out, text);
}

static void
add_yaml(str_t *out, const json_t *value, int depth)
{
    const char *key;
    size_t i;
    json_t *item;
    if (json_is_object(value)) {
        json_object_foreach((json_t *)value, key, item)
        {
            str_printf(out, "%*s", 2 * depth, "");
            add_yaml_text(out, key);
            str_add(out, json_is_object(item) || json_is_array(item) ? ":\n" : ": ");
            add_yaml(out, item, depth + 1);
        }
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, item)
        {
            str_printf(out, "%*s- ", 2 * (depth - 1), "");
            add_yaml(out, item, depth);
        }
    } else if (json_is_string(value)) {
        add_yaml_text(out, json_string_value(value));
        str_add_char(out, '\n');
    } else if (json_is_integer(value)) {
        str_printf(out, "%" JSON_INTEGER_FORMAT "\n", json_integer_value(value));
    } else {
        str_add(out, json_is_true(value) ? "true\n" : "false\n");
    }
}

void
service_config_print(const ApiContainerApi__ServiceInfo *info, bool as_yaml, str_t *out)
{
    json_t *object = config_json(info);
    if (as_yaml) {
        add_yaml(out, object, 0);
    } else {
        AUTO_FREE char *text = json_dumps(object, JSON_INDENT(2));
        str_printf(out, "%s\n", text);
    }
    json_decref(object);
}

/*  manifest: reads kurtosis.yml. */
#include "apic/packages/manifest.h"

#include "apic/packages/file.h"
#include "apic/packages/locator.h"
#include "apic/packages/path.h"
#include "base/str.h"

#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

/* Where in the file. */
#define AT "line %zu, column %zu: "
#define PLACE(mark) (mark).line + 1, (mark).column + 1

static int read_root(yaml_document_t *document, packages_manifest_t *self, err_t **err);
static int check_name(const packages_manifest_t *self, const char *location, err_t **err);

int
packages_manifest_parse(const char *text, size_t size, packages_manifest_t **ret, err_t **err)
{
    yaml_parser_t parser;
    yaml_document_t document;
    AUTO(packages_manifest) self = calloc(1, sizeof(*self));

    self->name = strdup("");
    self->description = strdup("");
    yaml_parser_initialize(&parser);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    int rc;
    if (yaml_parser_load(&parser, &document)) {
        rc = read_root(&document, self, err);
        yaml_document_delete(&document);
    } else {
        rc = err_fail(err, ERR_INVALID, "yaml: " AT "%s", PLACE(parser.problem_mark),
                      parser.problem ? parser.problem : "cannot be read");
    }
    yaml_parser_delete(&parser);
    if (rc == 0)
        *ret = TAKE(self);
    return rc;
}

int
packages_manifest_read(const char *repositories, const char *folder, packages_manifest_t **ret,
                       err_t **err)
{
    AUTO_FREE char *path = packages_path_join(folder, PACKAGES_MANIFEST);
    struct stat status;
    if (stat(path, &status) < 0)
        return err_fail(err, ERR_NOT_FOUND,
                        "Couldn't find a 'kurtosis.yml' in the root of the package: '%s'. Packages "
                        "are expected to have a 'kurtosis.yml' at root; for more information have "
                        "a look at %s",
                        folder, PACKAGES_DOCS);

    AUTO_STR text = STR_EMPTY;
    AUTO(packages_manifest) self = NULL;
    if (packages_file_read(path, PACKAGES_MANIFEST_MAX, &text, err) < 0) {
        err_wrap(err, "Error occurred while reading the contents of '%s'", path);
        return err_wrap(err, "Error occurred while parsing %s", path);
    }
    if (packages_manifest_parse(text.data, text.len, &self, err) < 0) {
        err_wrap(err, "Error occurred while analyzing the contents of '%s'", path);
        return err_wrap(err, "Error occurred while parsing %s", path);
    }

    const size_t below = strlen(repositories);
    AUTO_FREE char *location = packages_path_within(folder, repositories)
                                   ? packages_path_join(PACKAGES_HOST, folder + below)
                                   : packages_path_clean(folder);
    if (check_name(self, location, err) < 0)
        return err_wrap(err, "Error occurred while validating %s", path);
    *ret = TAKE(self);
    return 0;
}

void
packages_manifest_destroy(packages_manifest_t **self_p)
{
    packages_manifest_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->n_replaces; i++) {
        free(self->replaces[i].from);
        free(self->replaces[i].to);
    }
    free(self->replaces);
    free(self->name);
    free(self->description);
    free(self);
    *self_p = NULL;
}

static int
check_name(const packages_manifest_t *self, const char *location, err_t **err)
{
    if (str_ends(self->name, "/"))
        return err_fail(err, ERR_INVALID,
                        "Kurtosis package name cannot have trailing \"/\"; package name: %s and "
                        "kurtosis.yml is found at: %s/kurtosis.yml",
                        self->name, location);
    AUTO(packages_locator) locator = NULL;
    if (packages_locator_parse(self->name, &locator, err) < 0)
        return err_wrap(err,
                        "Error occurred while validating package name: %s which is found in "
                        "kurtosis.yml at: '%s/kurtosis.yml'",
                        self->name, location);
    if (strcmp(self->name, location) != 0)
        return err_fail(err, ERR_INVALID,
                        "The package name in kurtosis.yml must match the location it is in. "
                        "Package name is '%s' and kurtosis.yml is found here: '%s'",
                        self->name, location);
    return 0;
}

/* The text of a scalar; a null is "". */
static int
read_scalar(yaml_node_t *node, const char *key, char **ret, err_t **err)
{
    if (node->type != YAML_SCALAR_NODE)
        return err_fail(err, ERR_INVALID, AT "'%s' should be a string", PLACE(node->start_mark),
                        key);
    const char *text = (const char *)node->data.scalar.value;
    if (strlen(text) != node->data.scalar.length)
        return err_fail(err, ERR_INVALID, AT "'%s' holds a zero byte", PLACE(node->start_mark),
                        key);
    const bool plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (plain && (!strcmp(text, "~") || !strcmp(text, "null")))
        text = "";
    free(*ret);
    *ret = strdup(text);
    return 0;
}

static int
read_replace(yaml_document_t *document, yaml_node_t *node, packages_manifest_t *self, err_t **err)
{
    if (node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0)
        return 0;
    if (node->type != YAML_MAPPING_NODE)
        return err_fail(err, ERR_INVALID,
                        AT "'replace' should map package ids to what replaces them",
                        PLACE(node->start_mark));
    const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
    const size_t count = (size_t)(node->data.mapping.pairs.top - pair);
    self->replaces = calloc(count ? count : 1, sizeof(*self->replaces));
    for (; pair < node->data.mapping.pairs.top; pair++) {
        packages_replace_t *entry = &self->replaces[self->n_replaces++];
        yaml_node_t *key = yaml_document_get_node(document, pair->key);
        yaml_node_t *value = yaml_document_get_node(document, pair->value);
        if (read_scalar(key, "replace", &entry->from, err) < 0 ||
            read_scalar(value, entry->from, &entry->to, err) < 0)
            return -1;
        for (size_t i = 0; i + 1 < self->n_replaces; i++)
            if (!strcmp(self->replaces[i].from, entry->from))
                return err_fail(err, ERR_INVALID, AT "key \"%s\" already set in map",
                                PLACE(key->start_mark), entry->from);
    }
    return 0;
}

static int
read_root(yaml_document_t *document, packages_manifest_t *self, err_t **err)
{
    enum { NAME, DESCRIPTION, REPLACE, KEYS };
    static const char *const keys[KEYS] = {"name", "description", "replace"};
    bool seen[KEYS] = {false};

    yaml_node_t *root = yaml_document_get_root_node(document);
    if (!root)
        return 0;
    if (root->type != YAML_MAPPING_NODE)
        return err_fail(err, ERR_INVALID, AT "the file should be a map with the key 'name'",
                        PLACE(root->start_mark));
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = yaml_document_get_node(document, pair->key);
        yaml_node_t *value = yaml_document_get_node(document, pair->value);
        const char *text =
            key->type == YAML_SCALAR_NODE ? (const char *)key->data.scalar.value : "(not a string)";
        int which = 0;
        while (which < KEYS && strcmp(text, keys[which]) != 0)
            which++;
        if (which == KEYS)
            return err_fail(err, ERR_INVALID,
                            AT "unknown key '%s'; known are 'name', 'description' and "
                               "'replace'",
                            PLACE(key->start_mark), text);
        if (seen[which])
            return err_fail(err, ERR_INVALID, AT "key \"%s\" already set in map",
                            PLACE(key->start_mark), text);
        seen[which] = true;
        const int rc = which == NAME          ? read_scalar(value, text, &self->name, err)
                       : which == DESCRIPTION ? read_scalar(value, text, &self->description, err)
                                              : read_replace(document, value, self, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

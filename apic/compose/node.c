/*  node: YAML as a tree that is ours. */
#include "apic/compose/internal.h"

#include <string.h>
#include <yaml.h>

#define MERGE "<<"

typedef struct {
    yaml_document_t *document;
    size_t n_nodes; /* made so far, of all documents */
} reader_t;

static int convert(reader_t *self, int index, unsigned depth, node_t **ret, err_t **err);

void
node_destroy(node_t **self_p)
{
    node_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->n; i++) {
        if (self->keys)
            free(self->keys[i]);
        node_destroy(&self->items[i]);
    }
    free(self->keys);
    free(self->items);
    free(self->text);
    free(self);
    *self_p = NULL;
}

static node_t *
node_new(node_kind_t kind)
{
    node_t *self = calloc(1, sizeof(*self));
    if (!self)
        abort();
    self->kind = kind;
    return self;
}

/* Takes the item. */
static void
append(node_t *self, const char *key, node_t *item)
{
    if ((self->n & (self->n - 1)) == 0) {
        const size_t space = self->n ? self->n * 2 : 1;
        self->items = realloc(self->items, space * sizeof(*self->items));
        if (key)
            self->keys = realloc(self->keys, space * sizeof(*self->keys));
        if (!self->items || (key && !self->keys))
            abort();
    }
    if (key)
        self->keys[self->n] = strdup(key);
    self->items[self->n++] = item;
}

static node_t **
find(const node_t *map, const char *key)
{
    for (size_t i = 0; map && map->kind == NODE_MAP && i < map->n; i++)
        if (!strcmp(map->keys[i], key))
            return &map->items[i];
    return NULL;
}

int
node_parse(const char *text, size_t size, node_t **ret_root, err_t **err)
{
    yaml_parser_t parser;
    AUTO(node) root = node_new(NODE_MAP);
    reader_t reader = {0};
    int rc = 0;
    yaml_parser_initialize(&parser);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    for (bool is_over = false; rc == 0 && !is_over;) {
        yaml_document_t document;
        if (!yaml_parser_load(&parser, &document)) {
            rc = err_fail(err, ERR_INVALID, "yaml: line %zu: %s", parser.problem_mark.line + 1,
                          parser.problem ? parser.problem : "cannot be read");
            break;
        }
        const yaml_node_t *top = yaml_document_get_root_node(&document);
        AUTO(node) node = NULL;
        is_over = !top;
        reader.document = &document;
        if (top)
            rc = convert(&reader, 1, 0, &node, err);
        yaml_document_delete(&document);
        if (rc == 0 && node && node->kind == NODE_MAP)
            node_overlay(root, TAKE(node));
        else if (rc == 0 && node && node->kind != NODE_NULL)
            rc = err_fail(err, ERR_INVALID, "the top of the file must be a map");
    }
    yaml_parser_delete(&parser);
    if (rc == 0)
        *ret_root = TAKE(root);
    return rc;
}

const node_t *
node_get(const node_t *map, const char *key)
{
    node_t **item = find(map, key);
    return item && (*item)->kind != NODE_NULL ? *item : NULL;
}

bool
node_has(const node_t *map, const char *key)
{
    return find(map, key) != NULL;
}

bool
node_key_known(const char *key, const char *const *names, size_t count)
{
    bool is_known = str_starts(key, "x-");
    for (size_t i = 0; i < count; i++)
        is_known = is_known || !strcmp(key, names[i]);
    return is_known;
}

const char *
node_text(const node_t *node, const char *otherwise)
{
    return node && node->kind == NODE_SCALAR ? node->text : otherwise;
}

node_t *
node_dup(const node_t *self)
{
    node_t *copy = node_new(self->kind);
    copy->is_plain = self->is_plain;
    copy->text = self->text ? strdup(self->text) : NULL;
    for (size_t i = 0; i < self->n; i++)
        append(copy, self->keys ? self->keys[i] : NULL, node_dup(self->items[i]));
    return copy;
}

size_t
node_count(const node_t *self)
{
    size_t count = 1;
    for (size_t i = 0; i < self->n; i++)
        count += node_count(self->items[i]);
    return count;
}

void
node_overlay(node_t *self, node_t *over)
{
    for (size_t i = 0; i < over->n; i++) {
        node_t *item = TAKE(over->items[i]);
        node_t **under = over->kind == NODE_MAP ? find(self, over->keys[i]) : NULL;
        if (!under) {
            append(self, over->kind == NODE_MAP ? over->keys[i] : NULL, item);
        } else if ((*under)->kind == item->kind && item->kind >= NODE_LIST) {
            node_overlay(*under, item);
        } else {
            node_destroy(under);
            *under = item;
        }
    }
    node_destroy(&over);
}

void
node_remove(node_t *map, const char *key)
{
    for (size_t i = 0; i < map->n; i++)
        if (!strcmp(map->keys[i], key)) {
            free(map->keys[i]);
            node_destroy(&map->items[i]);
            memmove(&map->keys[i], &map->keys[i + 1], (map->n - i - 1) * sizeof(*map->keys));
            memmove(&map->items[i], &map->items[i + 1], (map->n - i - 1) * sizeof(*map->items));
            map->n--;
            return;
        }
}

/* --------------------------------------------------------------------------------------------
 * from libyaml */

static bool
is_null(const yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;
    return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (!text[0] || !strcmp(text, "~") || !strcmp(text, "null") || !strcmp(text, "Null") ||
            !strcmp(text, "NULL"));
}

/* Adds what a "<<" names, below what is there. */
static int
merge(node_t *self, node_t *source, err_t **err)
{
    if (source->kind == NODE_LIST) {
        for (size_t i = 0; i < source->n; i++)
            if (merge(self, source->items[i], err) < 0)
                return -1;
        return 0;
    }
    if (source->kind != NODE_MAP)
        return err_fail(err, ERR_INVALID, "yaml: only maps can be merged with '<<'");
    for (size_t i = 0; i < source->n; i++)
        if (!find(self, source->keys[i]))
            append(self, source->keys[i], node_dup(source->items[i]));
    return 0;
}

static int
convert_map(reader_t *self, const yaml_node_t *from, unsigned depth, node_t *to, err_t **err)
{
    AUTO(node) merged = node_new(NODE_LIST);
    for (yaml_node_pair_t *pair = from->data.mapping.pairs.start;
         pair < from->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(self->document, pair->key);
        AUTO(node) item = NULL;
        if (key->type != YAML_SCALAR_NODE)
            return err_fail(err, ERR_INVALID, "yaml: line %zu: a key must be a text",
                            key->start_mark.line + 1);
        const char *text = (const char *)key->data.scalar.value;
        if (convert(self, pair->value, depth + 1, &item, err) < 0)
            return -1;
        if (!strcmp(text, MERGE) && key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
            append(merged, NULL, TAKE(item));
            continue;
        }
        if (find(to, text))
            return err_fail(err, ERR_INVALID, "yaml: line %zu: mapping key \"%s\" already defined",
                            key->start_mark.line + 1, text);
        append(to, text, TAKE(item));
    }
    return merged->n ? merge(to, merged, err) : 0;
}

static int
convert(reader_t *self, int index, unsigned depth, node_t **ret, err_t **err)
{
    const yaml_node_t *from = yaml_document_get_node(self->document, index);
    if (depth > COMPOSE_DEPTH_MAX)
        return err_fail(err, ERR_LIMIT, "yaml: line %zu: more than %u levels",
                        from->start_mark.line + 1, COMPOSE_DEPTH_MAX);
    if (++self->n_nodes > COMPOSE_NODES_MAX)
        return err_fail(err, ERR_LIMIT, "yaml: more than %u values", COMPOSE_NODES_MAX);
    if (from->type == YAML_SCALAR_NODE) {
        node_t *node = node_new(is_null(from) ? NODE_NULL : NODE_SCALAR);
        node->text = strndup((const char *)from->data.scalar.value, from->data.scalar.length);
        node->is_plain = from->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        *ret = node;
        return 0;
    }
    AUTO(node) node = node_new(from->type == YAML_MAPPING_NODE ? NODE_MAP : NODE_LIST);
    int rc = 0;
    if (from->type == YAML_MAPPING_NODE) {
        rc = convert_map(self, from, depth, node, err);
    } else {
        for (yaml_node_item_t *at = from->data.sequence.items.start;
             rc == 0 && at < from->data.sequence.items.top; at++) {
            AUTO(node) item = NULL;
            rc = convert(self, *at, depth + 1, &item, err);
            if (rc == 0)
                append(node, NULL, TAKE(item));
        }
    }
    if (rc == 0)
        *ret = TAKE(node);
    return rc;
}

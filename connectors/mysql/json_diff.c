/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document becomes a tree whose nodes are opened only along the paths; everything else
 * stays binary until it is printed.
 */
#include "connectors/mysql/json_diff.h"

#include "connectors/mysql/lenenc.h"

enum { OPERATION_REPLACE = 0, OPERATION_INSERT = 1, OPERATION_REMOVE = 2 };

struct node {
    struct fc_json_value value; /* while it is not open */
    bool is_open;
    bool is_object;
    uint32_t count;
    uint32_t capacity;
    struct fc_slice *keys; /* of an open object, ordered by length, then bytes */
    struct node **children;
};

struct leg {
    bool is_key;
    struct fc_slice key;
    uint64_t index;
};

struct patch {
    struct fc_arena *arena;
    struct node *root;
    struct fc_error *err;
};

static fc_code bad(const struct patch *patch, const char *why)
{
    return fc_fail(patch->err, FC_ERR_PROTOCOL, "partial JSON update: %s", why);
}

static fc_code no_room(const struct patch *patch)
{
    return fc_fail(patch->err, FC_ERR_LIMIT, "a partial JSON update needs more than %zu bytes",
                   patch->arena->limit);
}

static struct node *new_node(struct fc_arena *arena, struct fc_json_value value)
{
    struct node *node = fc_arena_alloc(arena, sizeof(*node));
    if (node != NULL) {
        memset(node, 0, sizeof(*node));
        node->value = value;
    }
    return node;
}

static fc_code reserve(struct patch *patch, struct node *node, uint32_t capacity)
{
    struct fc_slice *keys = fc_arena_alloc(patch->arena, (capacity + 1UL) * sizeof(*keys));
    struct node **children =
        fc_arena_alloc(patch->arena, (capacity + 1UL) * sizeof(struct node *));
    if (keys == NULL || children == NULL) {
        return no_room(patch);
    }
    if (node->count > 0) {
        memcpy(keys, node->keys, node->count * sizeof(*keys));
        memcpy(children, node->children, node->count * sizeof(struct node *));
    }
    node->keys = keys;
    node->children = children;
    node->capacity = capacity;
    return FC_OK;
}

/* Make children of a container's members. */
static fc_code open_node(struct patch *patch, struct node *node)
{
    struct fc_json_container container = { 0 };
    fc_code code;
    if (node->is_open) {
        return FC_OK;
    }
    if (!fc_json_is_container(&node->value)) {
        return bad(patch, "a path leads into a value that is no container");
    }
    code = fc_json_container_open(&node->value, &container, patch->err);
    if (code == FC_OK) {
        code = reserve(patch, node, container.count + 1);
    }
    for (uint32_t index = 0; code == FC_OK && index < container.count; index++) {
        struct fc_json_value value = { 0 };
        node->keys[index] = fc_slice_null();
        if (container.is_object) {
            code = fc_json_container_key(&container, index, &node->keys[index], patch->err);
        }
        if (code == FC_OK) {
            code = fc_json_container_value(&container, index, &value, patch->err);
        }
        if (code == FC_OK) {
            node->children[index] = new_node(patch->arena, value);
            code = node->children[index] == NULL ? no_room(patch) : FC_OK;
        }
    }
    if (code == FC_OK) {
        node->is_open = true;
        node->is_object = container.is_object;
        node->count = container.count;
    }
    return code;
}

static int compare_keys(struct fc_slice a, struct fc_slice b)
{
    if (a.len != b.len) {
        return a.len < b.len ? -1 : 1;
    }
    return a.len == 0 ? 0 : memcmp(a.data, b.data, a.len);
}

/* Where the key is, or would be inserted. */
static uint32_t find_key(const struct node *node, struct fc_slice key, bool *out_found)
{
    uint32_t at = 0;
    while (at < node->count && compare_keys(node->keys[at], key) < 0) {
        at++;
    }
    *out_found = at < node->count && compare_keys(node->keys[at], key) == 0;
    return at;
}

/* The character that an escape stands for; moves to its last byte. */
static uint8_t unescape_one(struct fc_slice quoted, size_t *index)
{
    static const char from[] = "bfnrt";
    static const char to[] = "\b\f\n\r\t";
    uint8_t c = quoted.data[++*index];
    const char *known = c == 0 ? NULL : strchr(from, c);
    unsigned code_point = 0;
    if (known != NULL) {
        return (uint8_t)to[known - from];
    }
    if (c != 'u' || quoted.len - *index <= 4) {
        return c;
    }
    for (int digit = 0; digit < 4; digit++) { /* the server writes control characters so */
        uint8_t hex = quoted.data[++*index];
        code_point = code_point << 4 | (unsigned)((hex & 15) + (hex > '9' ? 9 : 0));
    }
    return (uint8_t)(code_point & 0x7f);
}

static fc_code unescape(struct patch *patch, struct fc_slice quoted, struct fc_slice *out_key)
{
    uint8_t *key = fc_arena_alloc(patch->arena, quoted.len + 1);
    size_t len = 0;
    if (key == NULL) {
        return no_room(patch);
    }
    for (size_t index = 0; index < quoted.len; index++) {
        bool escaped = quoted.data[index] == '\\' && index + 1 < quoted.len;
        key[len++] = escaped ? unescape_one(quoted, &index) : quoted.data[index];
    }
    *out_key = fc_slice_of(key, len);
    return FC_OK;
}

static fc_code read_key(struct patch *patch, struct fc_reader *path, struct leg *leg)
{
    const uint8_t *start = path->at;
    leg->is_key = true;
    if (path->at < path->end && *path->at == '"') {
        for (path->at++; path->at < path->end && *path->at != '"'; path->at++) {
            if (*path->at == '\\' && path->end - path->at > 1) {
                path->at++;
            }
        }
        if (path->at >= path->end) {
            return bad(patch, "a quoted key has no end");
        }
        path->at++;
        return unescape(patch, fc_slice_of(start + 1, (size_t)(path->at - start) - 2),
                        &leg->key);
    }
    while (path->at < path->end && *path->at != '.' && *path->at != '[') {
        path->at++;
    }
    leg->key = fc_slice_of(start, (size_t)(path->at - start));
    return FC_OK;
}

static fc_code read_leg(struct patch *patch, struct fc_reader *path, struct leg *leg)
{
    uint8_t kind = fc_reader_u8(path);
    memset(leg, 0, sizeof(*leg));
    if (kind == '.') {
        return read_key(patch, path, leg);
    }
    if (kind != '[') {
        return bad(patch, "a path cannot be read");
    }
    while (path->at < path->end && *path->at >= '0' && *path->at <= '9') {
        leg->index = leg->index * 10 + (uint64_t)(*path->at++ - '0');
        if (leg->index > UINT32_MAX) {
            return bad(patch, "an array index is too large");
        }
    }
    return fc_reader_u8(path) == ']' ? FC_OK : bad(patch, "a path cannot be read");
}

/* The child's place in an open node. */
static fc_code locate(struct patch *patch, const struct node *node, const struct leg *leg,
                      uint32_t *out_at, bool *out_found)
{
    if (leg->is_key != node->is_object) {
        return bad(patch, "a path does not fit the document");
    }
    if (leg->is_key) {
        *out_at = find_key(node, leg->key, out_found);
    } else {
        *out_found = leg->index < node->count;
        *out_at = *out_found ? (uint32_t)leg->index : node->count;
    }
    return FC_OK;
}

static fc_code insert_child(struct patch *patch, struct node *node, uint32_t at,
                            const struct leg *leg, struct fc_json_value value)
{
    struct node *child = new_node(patch->arena, value);
    fc_code code = child == NULL ? no_room(patch) : FC_OK;
    if (code == FC_OK && node->count == node->capacity) {
        code = reserve(patch, node, node->capacity * 2);
    }
    if (code != FC_OK) {
        return code;
    }
    memmove(node->children + at + 1, node->children + at,
            (node->count - at) * sizeof(struct node *));
    memmove(node->keys + at + 1, node->keys + at, (node->count - at) * sizeof(node->keys[0]));
    node->children[at] = child;
    node->keys[at] = leg->key;
    node->count++;
    return FC_OK;
}

static void remove_child(struct node *node, uint32_t at)
{
    node->count--;
    memmove(node->children + at, node->children + at + 1,
            (node->count - at) * sizeof(struct node *));
    memmove(node->keys + at, node->keys + at + 1, (node->count - at) * sizeof(node->keys[0]));
}

/* Apply one difference whose last leg is a child of `parent`. */
static fc_code apply_to_child(struct patch *patch, struct node *parent, const struct leg *leg,
                              uint8_t operation, struct fc_json_value value)
{
    uint32_t at = 0;
    bool found = false;
    fc_code code = open_node(patch, parent);
    if (code == FC_OK) {
        code = locate(patch, parent, leg, &at, &found);
    }
    if (code != FC_OK) {
        return code;
    }
    if (operation == OPERATION_INSERT) {
        if (found && parent->is_object) {
            return bad(patch, "it inserts a key that is there");
        }
        return insert_child(patch, parent, at, leg, value);
    }
    if (!found) {
        return bad(patch, "it changes what is not there");
    }
    if (operation == OPERATION_REMOVE) {
        remove_child(parent, at);
        return FC_OK;
    }
    parent->children[at] = new_node(patch->arena, value);
    return parent->children[at] == NULL ? no_room(patch) : FC_OK;
}

static fc_code apply(struct patch *patch, uint8_t operation, struct fc_slice path_text,
                     struct fc_json_value value)
{
    struct node *node = patch->root;
    struct fc_reader path;
    struct leg leg;
    fc_code code;
    fc_reader_init(&path, path_text);
    if (path_text.len > 0 && path_text.data[0] == '$') {
        fc_reader_skip(&path, 1);
    }
    if (fc_reader_left(&path) == 0) {
        if (operation != OPERATION_REPLACE) {
            return bad(patch, "it inserts or removes the whole document");
        }
        node = new_node(patch->arena, value);
        patch->root = node == NULL ? patch->root : node;
        return node == NULL ? no_room(patch) : FC_OK;
    }
    for (unsigned depth = 0; depth < FC_JSON_DEPTH_MAX; depth++) {
        uint32_t at = 0;
        bool found = false;
        code = read_leg(patch, &path, &leg);
        if (code != FC_OK || fc_reader_left(&path) == 0) {
            return code != FC_OK ? code : apply_to_child(patch, node, &leg, operation, value);
        }
        code = open_node(patch, node);
        if (code == FC_OK) {
            code = locate(patch, node, &leg, &at, &found);
        }
        if (code != FC_OK || !found) {
            return code != FC_OK ? code : bad(patch, "a path does not fit the document");
        }
        node = node->children[at];
    }
    return bad(patch, "a path is too long");
}

static fc_code print_node(struct patch *patch, const struct node *node, unsigned depth,
                          size_t *budget, struct fc_buf *out)
{
    fc_code code = FC_OK;
    if (!node->is_open) {
        return fc_json_value_print(&node->value, depth, budget, out, patch->err);
    }
    if (depth == FC_JSON_DEPTH_MAX) {
        return bad(patch, "the document is nested too deep");
    }
    fc_buf_append_u8(out, node->is_object ? '{' : '[');
    for (uint32_t index = 0; code == FC_OK && index < node->count; index++) {
        if (index > 0) {
            fc_buf_append_u8(out, ',');
        }
        if (node->is_object) {
            fc_json_string_print(node->keys[index], out);
            fc_buf_append_u8(out, ':');
        }
        code = print_node(patch, node->children[index], depth + 1, budget, out);
    }
    fc_buf_append_u8(out, node->is_object ? '}' : ']');
    return code;
}

fc_code fc_json_diff_print(struct fc_slice document, struct fc_slice differences,
                           struct fc_arena *arena, struct fc_buf *out, struct fc_error *err)
{
    struct patch patch = { arena, new_node(arena, fc_json_binary_root(document)), err };
    size_t budget = document.len + differences.len + 1;
    struct fc_reader reader;
    fc_code code = FC_OK;
    if (patch.root == NULL) {
        return no_room(&patch);
    }
    fc_reader_init(&reader, differences);
    while (code == FC_OK && fc_reader_left(&reader) > 0) {
        uint8_t operation = fc_reader_u8(&reader);
        struct fc_slice path = fc_reader_slice(&reader, fc_lenenc_read(&reader));
        struct fc_slice value = fc_slice_of(path.data, 0);
        if (operation != OPERATION_REMOVE) {
            value = fc_reader_slice(&reader, fc_lenenc_read(&reader));
        }
        if (reader.failed || operation > OPERATION_REMOVE) {
            return bad(&patch, "it cannot be read");
        }
        code = apply(&patch, operation, path, fc_json_binary_root(value));
    }
    if (code == FC_OK) {
        code = print_node(&patch, patch.root, 0, &budget, out);
    }
    return code == FC_OK ? fc_buf_check(out, "JSON text", err) : code;
}

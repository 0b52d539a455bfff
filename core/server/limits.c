/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted over the whole server: connections, those of one address, and the memory of
 * requests. Any thread. */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/server/server_state.h"

bool limits_enter(struct fc_server *server, const uint8_t address[16], const char **out_why)
{
    const struct fc_slice key = fc_slice_of(address, 16);
    size_t *of_address;
    bool fits = true;
    (void)pthread_mutex_lock(&server->lock);
    of_address = fc_hashmap_get(&server->connections_of, key);
    if (server->connections_open >= server->config.connections_max) {
        *out_why = "too many connections";
        fits = false;
    } else if (server->config.connections_ip_max > 0 && of_address != NULL &&
               *of_address >= server->config.connections_ip_max) {
        *out_why = "too many connections of this address";
        fits = false;
    } else {
        if (of_address == NULL) {
            of_address = fc_new(size_t);
            (void)fc_hashmap_put(&server->connections_of, key, of_address); /* was not there */
        }
        (*of_address)++;
        server->connections++;
        server->connections_open++;
    }
    (void)pthread_mutex_unlock(&server->lock);
    return fits;
}

void limits_leave(struct fc_server *server, const uint8_t address[16])
{
    const struct fc_slice key = fc_slice_of(address, 16);
    size_t *of_address;
    (void)pthread_mutex_lock(&server->lock);
    of_address = fc_hashmap_get(&server->connections_of, key);
    fc_assert(of_address != NULL && *of_address > 0 && server->connections_open > 0);
    server->connections_open--;
    if (--*of_address == 0) {
        free(fc_hashmap_remove(&server->connections_of, key));
    }
    (void)pthread_mutex_unlock(&server->lock);
}

void limits_gone(struct fc_server *server)
{
    (void)pthread_mutex_lock(&server->lock);
    fc_assert(server->connections > 0);
    server->connections--;
    if (server->connections == 0) {
        (void)pthread_cond_broadcast(&server->gone);
    }
    (void)pthread_mutex_unlock(&server->lock);
}

bool limits_charge(struct fc_server *server, size_t bytes)
{
    size_t before = atomic_fetch_add(&server->requests_bytes, bytes);
    if (before + bytes > server->config.requests_memory_max) {
        (void)atomic_fetch_sub(&server->requests_bytes, bytes);
        return false;
    }
    return true;
}

void limits_charge_anyway(struct fc_server *server, size_t bytes)
{
    (void)atomic_fetch_add(&server->requests_bytes, bytes);
}

void limits_give_back(struct fc_server *server, size_t bytes)
{
    size_t before = atomic_fetch_sub(&server->requests_bytes, bytes);
    fc_assert(before >= bytes);
}

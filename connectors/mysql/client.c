/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MariaDB Connector/C's own replication functions know no COM_BINLOG_DUMP_GTID and lose the
 * server's errors, so there the command is sent and its packets are read one level below; where
 * packets come as they are, without TLS or compression, straight from the socket, since the
 * library reads 16 KiB at a time and copies each packet once more.
 * libmysqlclient's mysql_binlog_* do what is needed.
 */
#include "connectors/mysql/client.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/buf.h"

#ifdef LIBMARIADB

#include <ma_pvio.h>

#include <errmsg.h>

#include "connectors/mysql/packet_reader.h"

enum {
    COMMAND_DUMP_GTID = 0x1e,
    DUMP_ANNOTATE_ROWS = 2,
    DUMP_THROUGH_GTID = 4,
    PACKET_EVENT = 0x00,
    PACKET_END = 0xfe,
    PACKET_END_SIZE_MAX = 8,
    PACKET_ERROR = 0xff,
    GTID_SET_SIZE_MAX = 16 * 1024 * 1024
};

struct fc_client_dump {
    MYSQL *mysql;
    bool direct; /* from the socket, by `packets` */
    struct fc_packet_reader packets;
};

void fc_client_set_tls(MYSQL *mysql, fc_client_tls_mode mode, const char *ca, const char *cert,
                       const char *key)
{
    my_bool enforce = mode >= FC_CLIENT_TLS_REQUIRED;
    /* With a CA the chain is verified in any case; this adds the host's name. */
    my_bool verify = mode == FC_CLIENT_TLS_VERIFY_IDENTITY ||
                     (mode == FC_CLIENT_TLS_VERIFY_CA && ca == NULL);
    if (mode == FC_CLIENT_TLS_DISABLED) {
        return;
    }
    (void)mysql_ssl_set(mysql, key, cert, ca, NULL, NULL); /* also turns TLS on where offered */
    (void)mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &enforce);
    (void)mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
}

int fc_client_socket(MYSQL *mysql)
{
    return (int)mysql_get_socket(mysql);
}

/* Whether nothing stands between the packets and the socket. */
static bool can_read_directly(MYSQL *mysql)
{
    const MARIADB_PVIO *pvio = mysql->net.pvio;
    return pvio != NULL && pvio->ctls == NULL && mysql->net.compress == 0 &&
           pvio->cache_pos == pvio->cache + pvio->cache_size &&
           (pvio->type == PVIO_TYPE_UNIXSOCKET || pvio->type == PVIO_TYPE_SOCKET);
}

static void read_directly(struct fc_client_dump *dump)
{
    unsigned timeout_s = 0;
    (void)mysql_get_optionv(dump->mysql, MYSQL_OPT_READ_TIMEOUT, &timeout_s); /* 0: none set */
    fc_packet_reader_init(&dump->packets, fc_client_socket(dump->mysql),
                          timeout_s == 0 ? -1 : (int)timeout_s * 1000, 1);
    dump->direct = true;
}

/*
 * COM_BINLOG_DUMP: position(4) flags(2) server_id(4) file.
 * COM_BINLOG_DUMP_GTID: flags(2) server_id(4) file_size(4) file position(8) set_size(4) set.
 * Both as in MySQL's documentation of the client/server protocol.
 */
struct fc_client_dump *fc_client_dump_begin(MYSQL *mysql,
                                            const struct fc_client_dump_from *from)
{
    struct fc_client_dump *dump = NULL;
    struct fc_buf payload;
    int failed;
    fc_buf_init(&payload, GTID_SET_SIZE_MAX);
    if (from->by_gtid_set) {
        fc_buf_append_le16(&payload, DUMP_THROUGH_GTID);
        fc_buf_append_le32(&payload, from->server_id);
        fc_buf_append_le32(&payload, 0);
        fc_buf_append_le64(&payload, from->position);
        fc_buf_append_le32(&payload, (uint32_t)from->gtid_set.len);
        fc_buf_append_slice(&payload, from->gtid_set);
    } else {
        fc_buf_append_le32(&payload, (uint32_t)from->position);
        fc_buf_append_le16(&payload, from->statements ? DUMP_ANNOTATE_ROWS : 0);
        fc_buf_append_le32(&payload, from->server_id);
        fc_buf_append_text(&payload, from->file);
    }
    failed = payload.failed ||
             mysql->methods->db_command(mysql,
                                        from->by_gtid_set
                                            ? (enum enum_server_command)COMMAND_DUMP_GTID
                                            : COM_BINLOG_DUMP,
                                        (const char *)payload.data, payload.len, 1, NULL) != 0;
    fc_buf_release(&payload);
    if (!failed) {
        dump = fc_new(struct fc_client_dump);
        dump->mysql = mysql;
        if (can_read_directly(mysql)) {
            read_directly(dump);
        }
    }
    return dump;
}

/* The null slice when the connection failed. */
static struct fc_slice next_packet(struct fc_client_dump *dump)
{
    MYSQL *mysql = dump->mysql;
    struct fc_slice packet = { NULL, 0 };
    unsigned long length;
    if (dump->direct) {
        fc_packet_status status = fc_packet_reader_next(&dump->packets, &packet);
        if (status != FC_PACKET_READ) {
            mysql->net.pvio->set_error(
                mysql, status == FC_PACKET_LOST ? CR_SERVER_LOST : CR_MALFORMED_PACKET, "HY000",
                NULL);
        }
        return packet;
    }
    length = mysql_net_read_packet(mysql);
    return length == packet_error
               ? packet
               : fc_slice_of((const uint8_t *)mysql->net.read_pos, (size_t)length);
}

fc_client_packet fc_client_dump_next(struct fc_client_dump *dump, struct fc_slice *out_event)
{
    struct fc_slice packet = next_packet(dump);
    *out_event = fc_slice_null();
    if (packet.len == 0) {
        return FC_CLIENT_ERROR;
    }
    if (packet.data[0] == PACKET_END && packet.len <= PACKET_END_SIZE_MAX) {
        return FC_CLIENT_END;
    }
    *out_event = fc_slice_of(packet.data + 1, packet.len - 1);
    return packet.data[0] == PACKET_EVENT ? FC_CLIENT_EVENT : FC_CLIENT_ERROR;
}

bool fc_client_dump_has_next(const struct fc_client_dump *dump)
{
    return dump->direct && fc_packet_reader_has_next(&dump->packets);
}

bool fc_client_dump_is_ahead(const struct fc_client_dump *dump)
{
    return dump->direct && fc_packet_reader_is_ahead(&dump->packets);
}

void fc_client_dump_free(struct fc_client_dump *dump)
{
    if (dump != NULL && dump->direct) {
        fc_packet_reader_release(&dump->packets);
    }
    free(dump);
}

#else /* libmysqlclient */

enum { DUMP_FLAG_GTID = MYSQL_RPL_GTID, DUMP_ANNOTATE_ROWS = 2 };

struct fc_client_dump {
    MYSQL *mysql;
    MYSQL_RPL rpl;
    const struct fc_client_dump_from *from;
};

void fc_client_set_tls(MYSQL *mysql, fc_client_tls_mode mode, const char *ca, const char *cert,
                       const char *key)
{
    static const unsigned modes[] = { SSL_MODE_DISABLED, SSL_MODE_PREFERRED, SSL_MODE_REQUIRED,
                                      SSL_MODE_VERIFY_CA, SSL_MODE_VERIFY_IDENTITY };
    bool get_key = true; /* caching_sha2_password without TLS asks for the server's key */
    (void)mysql_options(mysql, MYSQL_OPT_SSL_MODE, &modes[mode]);
    (void)mysql_options(mysql, MYSQL_OPT_SSL_CA, ca);
    (void)mysql_options(mysql, MYSQL_OPT_SSL_CERT, cert);
    (void)mysql_options(mysql, MYSQL_OPT_SSL_KEY, key);
    (void)mysql_options(mysql, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &get_key);
}

int fc_client_socket(MYSQL *mysql)
{
    return mysql->net.fd;
}

static void write_gtid_set(MYSQL_RPL *rpl, unsigned char *to)
{
    const struct fc_client_dump_from *from = rpl->gtid_set_arg;
    memcpy(to, from->gtid_set.data, from->gtid_set.len);
}

struct fc_client_dump *fc_client_dump_begin(MYSQL *mysql,
                                            const struct fc_client_dump_from *from)
{
    struct fc_client_dump *dump = fc_new(struct fc_client_dump);
    dump->mysql = mysql;
    dump->rpl.file_name = from->file;
    dump->rpl.file_name_length = strlen(from->file);
    dump->rpl.start_position = from->position;
    dump->rpl.server_id = from->server_id;
    dump->rpl.flags = from->statements ? DUMP_ANNOTATE_ROWS : 0;
    if (from->by_gtid_set) {
        dump->rpl.flags = DUMP_FLAG_GTID;
        dump->rpl.gtid_set_encoded_size = from->gtid_set.len;
        dump->rpl.fix_gtid_set = write_gtid_set;
        dump->rpl.gtid_set_arg = fc_unconst(from);
    }
    if (mysql_binlog_open(mysql, &dump->rpl) != 0) {
        free(dump);
        return NULL;
    }
    return dump;
}

fc_client_packet fc_client_dump_next(struct fc_client_dump *dump, struct fc_slice *out_event)
{
    *out_event = fc_slice_null();
    if (mysql_binlog_fetch(dump->mysql, &dump->rpl) != 0) {
        return FC_CLIENT_ERROR;
    }
    if (dump->rpl.size == 0) {
        return FC_CLIENT_END;
    }
    *out_event = fc_slice_of(dump->rpl.buffer + 1, dump->rpl.size - 1); /* after the OK byte */
    return FC_CLIENT_EVENT;
}

bool fc_client_dump_has_next(const struct fc_client_dump *dump)
{
    (void)dump; /* the library does not tell */
    return false;
}

bool fc_client_dump_is_ahead(const struct fc_client_dump *dump)
{
    (void)dump;
    return false;
}

void fc_client_dump_free(struct fc_client_dump *dump)
{
    if (dump != NULL) {
        mysql_binlog_close(dump->mysql, &dump->rpl);
        free(dump);
    }
}

#endif

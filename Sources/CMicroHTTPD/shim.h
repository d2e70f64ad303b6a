#ifndef FORWARDER_CMICROHTTPD_H
#define FORWARDER_CMICROHTTPD_H

#include <microhttpd.h>
#include <sys/socket.h>

/// Everything a daemon is started with; only a holder for the arguments of `forwarder_mhd_start`.
struct forwarder_mhd_settings {
    int listen_socket;
    unsigned int connection_limit;
    /// 0 for none.
    unsigned int connection_limit_per_address;
    unsigned int idle_timeout_seconds;
    size_t memory_per_connection;
    /// Both NULL, or both PEM text.
    const char *tls_certificate;
    const char *tls_key;
    void *context;
    void *(*begin)(void *context, const char *uri, struct MHD_Connection *connection);
    MHD_AccessHandlerCallback handle;
    MHD_RequestCompletedCallback end;
    MHD_LogCallback log;
};

// Swift cannot call a variadic function: MHD_start_daemon takes its options that way.
static inline struct MHD_Daemon *forwarder_mhd_start(const struct forwarder_mhd_settings *s) {
    unsigned int flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL | MHD_USE_ITC
                         | MHD_USE_ERROR_LOG;
    // Read in order, so the logger comes first; END where the TLS options would stand hides them.
    return MHD_start_daemon(
        flags | (s->tls_certificate ? MHD_USE_TLS : 0), 0, NULL, NULL, s->handle, s->context,
        MHD_OPTION_EXTERNAL_LOGGER, s->log, s->context,
        MHD_OPTION_LISTEN_SOCKET, s->listen_socket,
        MHD_OPTION_URI_LOG_CALLBACK, s->begin, s->context,
        MHD_OPTION_NOTIFY_COMPLETED, s->end, s->context,
        MHD_OPTION_CONNECTION_LIMIT, s->connection_limit,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, s->connection_limit_per_address,
        MHD_OPTION_CONNECTION_TIMEOUT, s->idle_timeout_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, s->memory_per_connection,
        MHD_OPTION_STRICT_FOR_CLIENT, 1,
        s->tls_certificate ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, s->tls_certificate,
        MHD_OPTION_HTTPS_MEM_KEY, s->tls_key,
        MHD_OPTION_END);
}

// Variadic as well, and the answer is a union whose member depends on the question.
static inline const struct sockaddr *forwarder_mhd_peer(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info ? info->client_addr : NULL;
}

#endif

#ifndef FORWARDER_CRDKAFKA_H
#define FORWARDER_CRDKAFKA_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

/* rd_kafka_producev is variadic, and rd_kafka_produce cannot set a timestamp. Copies key and value; a value of NULL is a
 * tombstone; a timestamp of 0 means now. */
static inline rd_kafka_resp_err_t forwarder_produce(rd_kafka_t *client, rd_kafka_topic_t *topic, int32_t partition,
                                                    const void *key, size_t key_size, const void *value,
                                                    size_t value_size, int64_t timestamp_ms) {
    return rd_kafka_producev(client, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, key_size),
                             RD_KAFKA_V_VALUE((void *)value, value_size), RD_KAFKA_V_TIMESTAMP(timestamp_ms),
                             RD_KAFKA_V_END);
}

/* As above, with headers, which are taken over unless it fails. */
static inline rd_kafka_resp_err_t forwarder_produce_with_headers(rd_kafka_t *client, rd_kafka_topic_t *topic,
                                                                 int32_t partition, const void *value,
                                                                 size_t value_size, rd_kafka_headers_t *headers) {
    return rd_kafka_producev(client, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE((void *)value, value_size),
                             RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
}

/* rd_kafka_mock_broker_push_request_error_rtts is variadic and has no array form. One error and its delay. */
static inline rd_kafka_resp_err_t forwarder_mock_push_error_rtt(rd_kafka_mock_cluster_t *cluster, int32_t broker,
                                                                int16_t api_key, rd_kafka_resp_err_t error,
                                                                int rtt_ms) {
    return rd_kafka_mock_broker_push_request_error_rtts(cluster, broker, api_key, 1, error, rtt_ms);
}

#endif

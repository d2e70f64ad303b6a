#ifndef FORWARDER_CRDKAFKA_H
#define FORWARDER_CRDKAFKA_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#endif

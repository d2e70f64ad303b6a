#ifndef FORWARDER_CMICROHTTPD_H
#define FORWARDER_CMICROHTTPD_H

#include <microhttpd.h>

#endif

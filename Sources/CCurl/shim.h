#ifndef FORWARDER_CCURL_H
#define FORWARDER_CCURL_H

#include <curl/curl.h>

#endif

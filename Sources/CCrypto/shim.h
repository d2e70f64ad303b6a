#ifndef FORWARDER_CCRYPTO_H
#define FORWARDER_CCRYPTO_H

#include <openssl/evp.h>
#include <openssl/sha.h>

#endif

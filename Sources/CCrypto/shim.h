#ifndef FORWARDER_CCRYPTO_H
#define FORWARDER_CCRYPTO_H

/* SHA256_Init and its like are marked as deprecated since OpenSSL 3.0, in favour of what is looked up by its name; they are
   the same code at half the price for a text as short as an address. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/evp.h>
#include <openssl/sha.h>

/* Returns 1, as OpenSSL's functions do, when `digest` holds the hash. */
static inline int forwarder_sha256(const void *bytes, size_t count, unsigned char digest[SHA256_DIGEST_LENGTH])
{
    SHA256_CTX context;
    return SHA256_Init(&context) == 1 && SHA256_Update(&context, bytes, count) == 1
        && SHA256_Final(digest, &context) == 1;
}

#endif

#ifndef FORWARDER_CSQLITE_H
#define FORWARDER_CSQLITE_H

#include <sqlite3.h>

#endif

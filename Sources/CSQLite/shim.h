#ifndef FORWARDER_CSQLITE_H
#define FORWARDER_CSQLITE_H

#include <sqlite3.h>

// SQLITE_TRANSIENT is a cast of -1 to a function pointer, which Swift cannot import.
static inline int forwarder_sqlite3_bind_text_copied(
    sqlite3_stmt *statement, int index, const char *text, int length
) {
    return sqlite3_bind_text(statement, index, text, length, SQLITE_TRANSIENT);
}

// sqlite3_db_config is variadic.
static inline int forwarder_sqlite3_no_checkpoint_on_close(sqlite3 *database) {
    return sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}

#endif

#ifndef FORWARDER_CSPAWN_H
#define FORWARDER_CSPAWN_H

#include <spawn.h>

// glibc (2.34 and later) shows it only to who defines _GNU_SOURCE, which Swift's Glibc does not.
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

#endif

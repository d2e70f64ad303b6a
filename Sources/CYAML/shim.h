#ifndef FORWARDER_CYAML_H
#define FORWARDER_CYAML_H

#include <yaml.h>

#endif

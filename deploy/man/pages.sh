#!/usr/bin/env bash
# pages.sh PROGRAM DIRECTORY: writes conversion-forwarder(1) from what PROGRAM says of itself, and
# conversion-forwarder(5) from the configuration's reference, so that neither can be out of step.
set -euo pipefail
program=$(realpath "$1")
directory=$(realpath "$2")
cd "$(dirname "$0")/../.."

version=$("$program" version | cut -d ' ' -f 2)

# Text as it stands: no escapes, no requests, no filling.
verbatim() { echo .nf; sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\([.']\)/\\\\\&\1/"; echo .fi; }
header() { printf '.TH CONVERSION\\-FORWARDER %s "" "conversion\\-forwarder %s"\n' "$1" "$version"; }

{
    header 1
    cat <<'END'
.SH NAME
conversion\-forwarder \- storefront events from Kafka to Microsoft Advertising
.SH SYNOPSIS
.B conversion\-forwarder
.I COMMAND
[\fB\-\-config\fR \fIFILE\fR] [\fB\-\-json\fR] [\fIoptions\fR]
.SH DESCRIPTION
Reads storefront events from Kafka and delivers them, at least once, to the Conversions API and to Offline Conversions
of Microsoft Advertising. What cannot be delivered now waits on disk and is tried again.
.PP
.B conversion\-forwarder run
is the daemon. The other commands ask it, work on what it keeps on disk, or try a configuration.
.SH COMMANDS
END
    "$program" --help | sed -nE 's/^  ([a-z-]+)  .*/\1/p' | while read -r command; do
        echo ".SS ${command//-/\\-}"
        "$program" "$command" --help | verbatim
    done
    cat <<'END'
.SH EXIT STATUS
0: done. 1: what was checked or asked for is not well; of
.BR run :
it could not go on, starting it again may help. 2: wrong usage or configuration.
.SH FILES
.TP
.I /etc/conversion\-forwarder/config.yaml
the configuration, see
.BR conversion\-forwarder (5)
.TP
.I /etc/conversion\-forwarder/secrets/
under systemd: one file a secret
.TP
.I /var/lib/conversion\-forwarder/
state: retry queues, dead letters, rejects, rotated tokens, the control socket. What waits there is sent by nobody else.
.SH SEE ALSO
.BR conversion\-forwarder (5),
.I /usr/share/doc/conversion\-forwarder/runbooks/README.md
END
} >"$directory/conversion-forwarder.1"

{
    header 5
    cat <<'END'
.SH NAME
conversion\-forwarder \- every key of the configuration
.SH DESCRIPTION
.I /etc/conversion\-forwarder/config.yaml
is YAML.
.B conversion\-forwarder check
says everything that is wrong with it.
.SH KEYS
END
    verbatim <config/reference.yaml
    cat <<'END'
.SH SEE ALSO
.BR conversion\-forwarder (1)
END
} >"$directory/conversion-forwarder.5"

#!/usr/bin/env bash
# Every configuration in config/ and deploy/ is well by `check`, and man pages and completions know what there is.
source "$(dirname "$0")/common.sh"

need man-db bsdextrautils zsh
mkdir "$work/bin"
ln -s "$program" "$work/bin/conversion-forwarder"
PATH=$work/bin:$PATH

# As they are, but for secrets, which are given here, and the state directory.
for file in config/*.yaml deploy/systemd/config.yaml deploy/compose/config.yaml; do
    mkdir -p "$work/secrets"
    grep -v '^ *#' "$file" | { grep -oE 'file: /[^}]+' || true; } | while read -r _ path; do
        echo secret >"$work/secrets/$(basename "$path")"
    done
    sed -E "s|file: /[^}]*/|file: $work/secrets/|" "$file" >"$work/config.yaml"
    mapfile -t variables < <(grep -v '^ *#' "$file" | sed -nE 's/.*\{env: ([A-Z_]+)\}.*/\1=secret/p')
    code=0
    env "${variables[@]}" conversion-forwarder check --config "$work/config.yaml" >"$work/log" 2>&1 || code=$?
    # The port that is open in a container is the one thing to be warned of, and a consent is in no file.
    if [ $code -gt 1 ] || grep -E '(warning|trouble): ' "$work/log" |
        grep -vE 'admin.listen: warning|: nobody has consented yet; run' >&2; then
        cat "$work/log" >&2
        fail "check of $file: exit code $code"
    fi
done
ok "check finds config/*.yaml and deploy's configurations well"

commands=$(conversion-forwarder --help | sed -nE 's/^  ([a-z-]+)  .*/\1/p')
[ "$(wc -w <<<"$commands")" -ge 10 ] || fail "no commands in --help"
options() { conversion-forwarder "$1" --help | grep -oE -e '--[a-z-]+' | sort -u; }

deploy/man/pages.sh "$program" "$work"
for page in 1 5; do
    MANWIDTH=140 man --warnings=w --local-file "$work/conversion-forwarder.$page" >"$work/page.$page" 2>"$work/log"
    [ -s "$work/log" ] && { cat "$work/log" >&2; fail "conversion-forwarder($page)"; }
    col -bx <"$work/page.$page" >"$work/page.$page.text"
done
for command in $commands; do
    conversion-forwarder "$command" --help | while IFS= read -r line; do
        grep -qF -- "${line#"${line%%[! ]*}"}" "$work/page.1.text" || fail "conversion-forwarder(1), $command: $line"
    done
done
grep -vc '^ *$' config/reference.yaml >"$work/keys"
sed -n '/^KEYS/,/^SEE ALSO/p' "$work/page.5.text" | grep -vcE '^ *$|^(KEYS|SEE ALSO)' >"$work/shown"
cmp -s "$work/keys" "$work/shown" ||
    fail "conversion-forwarder(5) has not every line of config/reference.yaml"
ok "conversion-forwarder(1) has every line of every --help, (5) every line of the reference"

in_bash() { bash -c 'source deploy/completions/conversion-forwarder
    COMP_WORDS=(conversion-forwarder "$@") COMP_CWORD=$#
    _conversion_forwarder && printf "%s\n" "${COMPREPLY[@]}"' - "$@" | sort -u; }
in_zsh() { zsh -c 'compadd() { shift; print -l -- $@ }
    _describe() { print -l -- ${found%%:*} }
    _files() { print -l -- *(N) }
    complete_it() { source deploy/completions/_conversion-forwarder }
    words=(conversion-forwarder "$@") CURRENT=$(($# + 1)) PREFIX=$words[-1]
    complete_it' - "$@" | sort -u; }
for shell in in_bash in_zsh; do
    [ "$($shell '')" = "$(printf '%s\n' $commands --help --version | sort)" ] || fail "$shell: commands: $($shell '')"
    for command in $commands; do
        offered=$($shell "$command" --)
        [ "$(grep -e '^--' <<<"$offered")" = "$(options "$command")" ] || fail "$shell: $command: $offered"
    done
    [ "$($shell dead-letters '' | grep -v '^-' | paste -sd ' ')" = "discard list replay show" ] ||
        fail "$shell: dead-letters"
    [ "$($shell destinations '' | grep -v '^-' | paste -sd ' ')" = "pause resume" ] || fail "$shell: destinations"
    $shell check --config '' | grep -x README.md >/dev/null || fail "$shell: files"
done
ok "bash and zsh complete every command, its words and its options"

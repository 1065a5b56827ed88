#!/bin/sh
# Bring a server back: ./recover.sh BASE [TIME]
#
# Unpacks the base backup in the folder BASE into PGDATA, which must be empty, and has the server apply the
# archived log from WAL_ARCHIVE when it starts: all of it, or up to TIME ('2026-11-23 10:15:00+00').
# Run it as the user that the server runs as, then start the server. It takes writes when
# `psql -Atc 'select pg_is_in_recovery()'` says f.
set -eu
base=${1:?names a folder below BASE_BACKUPS}
time=${2:-}
data=${PGDATA:?names the empty folder of the server that is brought back}
archive=${WAL_ARCHIVE:?names the folder of archived segments}

fail() { echo "$1" >&2; exit 1; }
[ -f "$base/base.tar.gz" ] || fail "$base is no base backup: it holds no base.tar.gz"
[ -d "$archive" ] || fail "there is no archive $archive"
if [ -d "$data" ] && [ -n "$(ls -A "$data")" ]; then
    fail "$data is not empty: move aside what is there; its pg_wal may hold the newest segment"
fi
for file in "$base"/*.gz; do gzip -t "$file" || fail "$file is damaged"; done

mkdir -p "$data"
chmod 700 "$data"
tar -xzf "$base/base.tar.gz" -C "$data"
tar -xzf "$base/pg_wal.tar.gz" -C "$data/pg_wal"

# The server takes a hole in the archive for its end, and would come back without what lies behind it. (With a TIME it
# complains by itself when it does not get there.)
if [ -z "$time" ]; then
    size=$(LC_ALL=C pg_controldata "$data" | sed -n 's/^Bytes per WAL segment: *//p')
    first=$(sed -n 's/^START WAL LOCATION: .*(file \([0-9A-F]*\))$/\1/p' "$data/backup_label")
    number() { echo $((0x$(echo "$1" | cut -c9-16) * (4294967296 / size) + 0x$(echo "$1" | cut -c17-24))); }
    last=$(($(number "$first") - 1))
    for path in "$archive"/*; do
        name=${path##*/}
        case $name in *[!0-9A-F]*) continue ;; esac
        [ ${#name} = 24 ] && [ "$(number "$name")" -gt "$last" ] || continue
        [ "$(number "$name")" = $((last + 1)) ] || fail "the archive has a hole before $name: give the TIME to come back to, before it"
        last=$(number "$name")
    done
fi

# What an earlier recovery left there would decide this one.
settings=$data/postgresql.auto.conf
grep -v -E '^(restore_command|recovery_target)' "$settings" > "$settings.new" || true
{
    echo "restore_command = 'cp \"$archive/%f\" \"%p\"'"
    if [ -n "$time" ]; then
        echo "recovery_target_time = '$time'"
        echo "recovery_target_action = 'promote'"
    fi
} >> "$settings.new"
mv "$settings.new" "$settings"
touch "$data/recovery.signal"

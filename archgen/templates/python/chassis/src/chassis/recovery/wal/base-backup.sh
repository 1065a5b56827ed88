#!/bin/sh
# A base that the archived write-ahead log is applied to: a copy of the whole server while it works, in a new
# folder below BASE_BACKUPS. PGHOST, PGPORT and PGUSER say which server; its user needs the right REPLICATION.
#
# The folder gets its name only when the copy is whole, checked and on the disk.
set -eu
folder=${BASE_BACKUPS:?names the folder of base backups}
name=$(date -u +%Y%m%dT%H%M%SZ)
part=$folder/.partial-$name
trap 'rm -rf "$part"' EXIT

pg_basebackup --pgdata="$part" --format=tar --gzip --wal-method=stream --checkpoint=fast
for file in "$part"/*.gz; do gzip -t "$file"; done
sync
mv "$part" "$folder/$name"
echo "$folder/$name"

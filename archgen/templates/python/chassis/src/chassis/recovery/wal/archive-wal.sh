#!/bin/sh
# PostgreSQL's archive_command: keep one finished segment of the write-ahead log in the folder WAL_ARCHIVE.
#
#   archive_command = '/srv/wal/archive-wal.sh "%p" "%f"'
#
# Whatever is in the archive stays: a segment that is there already is done when it is the same, and refused when
# it is another one. It gets its name only when it is whole and on the disk.
set -eu
segment=$1
target=${WAL_ARCHIVE:?names the folder of archived segments}/$2

if [ -f "$target" ]; then
    cmp -s "$segment" "$target" || { echo "$target holds something else already" >&2; exit 1; }
    exit 0
fi
cp "$segment" "$target.part"
sync "$target.part"
mv "$target.part" "$target"
sync "$WAL_ARCHIVE"

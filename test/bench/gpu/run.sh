#!/bin/sh
# Puts a kit's parts together, verifies them and runs the program, without a network and with nothing installed but what a Linux
# with an NVIDIA driver has: sh run.sh [verb and arguments of npm scripts; default: bench gpu]
set -eu
kit=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
here=${NORMFORGE_KIT:-$kit/unpacked}
if [ ! -e "$here/whole" ]; then
  echo "verifying the kit's parts" >&2
  (cd "$kit" && sha256sum --check --strict --quiet parts.sha256) >&2 || {
    echo "run.sh: a part is missing or damaged (see above): copy it again" >&2
    exit 1
  }
  echo "unpacking into $here" >&2
  rm -rf "$here"
  mkdir -p "$here"
  # The names come from the list, in its order, so that no other file counts.
  sed 's/^[^ ]* [ *]//' "$kit/parts.sha256" | (cd "$kit" && xargs cat) | tar -xzf - -C "$here"
  touch "$here/whole"
fi
export NORMFORGE_CACHE="$here/cache"
export NORMFORGE_DATA="${NORMFORGE_DATA:-$here/data}"
cd "$here"
[ $# -gt 0 ] || set -- bench gpu
exec "$here/node" main/setup/run.mjs "$@"

#!/usr/bin/env bash
# Builds a real backend to send spans to. Needs Go >= 1.26 and a Go module proxy; every version is pinned by NAME/go.mod and NAME/go.sum.
#   build-backend.sh jaeger|tempo [DIR]    leaves DIR/jaeger or DIR/tempo; without DIR in the project's cache folder.
# Does nothing where the binary is there and was built from the same NAME/go.mod.
set -euo pipefail
name=${1:?jaeger or tempo}
here=$(cd "$(dirname "$0")" && pwd)
dir=${2:-${SPANMILL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/spanmill}/peers}
case $name in
  jaeger) package=github.com/jaegertracing/jaeger/cmd/jaeger ;;
  tempo) package=github.com/grafana/tempo/cmd/tempo ;;
  *) echo "unknown backend: $name" >&2; exit 2 ;;
esac
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
stamp=$dir/$name.built.mod
[ -x "$dir/$name" ] && cmp -s "$here/$name/go.mod" "$stamp" && exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/$name/go.mod" "$here/$name/go.sum" "$work/"
(cd "$work" && GOFLAGS=-mod=readonly go build -trimpath -ldflags="-s -w" -o "$work/$name" "$package")
mv "$work/$name" "$dir/"
rm -f "$stamp"
cp "$here/$name/go.mod" "$stamp" # last, so that an interrupted build is done again

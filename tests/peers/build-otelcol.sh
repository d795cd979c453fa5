#!/usr/bin/env bash
# Builds the Go Collector (what spanmill is compared with) and telemetrygen (a client). Needs Go >= 1.26 and a Go module proxy.
#   build-otelcol.sh [DIR]    leaves DIR/otelcol and DIR/telemetrygen; without DIR in the project's cache folder.
# Does nothing where both are there and were built from the manifest beside this script.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
manifest=$here/otelcol-builder.yaml
dir=${1:-${SPANMILL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/spanmill}/peers}
version=v0.161.0
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
stamp=$dir/otelcol-builder.built.yaml
[ -x "$dir/otelcol" ] && [ -x "$dir/telemetrygen" ] && cmp -s "$manifest" "$stamp" && exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
GOBIN="$work" go install "go.opentelemetry.io/collector/cmd/builder@$version"
GOBIN="$work" go install "github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen@$version"
cp "$manifest" "$work/builder.yaml"
(cd "$work" && ./builder --config builder.yaml --ldflags="-s -w")
mv "$work/build/otelcol" "$work/telemetrygen" "$dir/"
rm -f "$stamp"
cp "$work/builder.yaml" "$stamp" # last, so that an interrupted build is done again

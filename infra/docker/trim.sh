#!/bin/sh
# trim.sh FOLDER: drops what no container runs: type declarations, source maps, other packages' tests and pages, other
# platforms' native libraries.
set -eu
folder=$1

find "$folder" -type f \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' \) -delete
find "$folder" -path '*/node_modules/*' -type f \( -iname '*.md' -o -name '*.test.js' \) -delete
find "$folder" -path '*/node_modules/*' -type d \( -name test -o -name tests -o -name __tests__ -o -name benchmark -o -name benchmarks \) -prune -exec rm -r {} +

# onnxruntime-node carries the libraries of five platforms, 290 MB together.
platform=$(node -p 'process.platform')
arch=$(node -p 'process.arch')
find "$folder" -type d -path '*/onnxruntime-node/bin/napi-v*/*' -prune | while read -r found; do
  case $found in
    */"$platform") find "$found" -mindepth 1 -maxdepth 1 -type d ! -name "$arch" -exec rm -r {} + ;;
    *) rm -r "$found" ;;
  esac
done

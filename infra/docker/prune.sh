#!/bin/sh
# prune.sh PACKAGE FOLDER: puts one workspace package with its production dependencies, at the lockfile's versions, into
# FOLDER, and drops what no container runs: type declarations, source maps, other platforms' native libraries.
set -eu
package=$1
folder=$2

# Injected packages are copied, not linked to the workspace, so that the folder stands alone.
pnpm --config.inject-workspace-packages=true --filter "$package" deploy --prod "$folder"

find "$folder" -type f \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' -o -name '*.tsbuildinfo' \) -delete
rm -f "$folder/pnpm-lock.yaml"

# onnxruntime-node carries the libraries of five platforms, 290 MB together.
platform=$(node -p 'process.platform')
arch=$(node -p 'process.arch')
find "$folder/node_modules" -type d -path '*/onnxruntime-node/bin/napi-v*/*' -prune | while read -r found; do
  case $found in
    */"$platform") find "$found" -mindepth 1 -maxdepth 1 -type d ! -name "$arch" -exec rm -r {} + ;;
    *) rm -r "$found" ;;
  esac
done

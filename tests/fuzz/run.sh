#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh FUZZER ARTIFACTS SEEDS...: fuzzes for ten seconds. What is found goes to a directory that is thrown away, and
# inputs that crash to ARTIFACTS; the seeds are only read.
set -eu
fuzzer=$1
artifacts=$2
shift 2
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
G_SLICE=always-malloc "$fuzzer" -max_total_time=10 -rss_limit_mb=2048 -print_final_stats=1 \
  -artifact_prefix="$artifacts/" "$corpus" "$@"

# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# The tracepoints, held against the counters.

events() { grep -c "v4l2dma_$1:.*${2:-}" "$work/trace" || true; }

test_trace_agrees_with_the_counters() {
	local tracing=/sys/kernel/tracing name
	load_camera
	load_loop reclaim_ms=50
	echo 1 >"$tracing/events/v4l2dma/enable"
	# A mapped reader of imported frames: each is copied.
	start play "$bin" play -i "$loop" -n 60 --json
	start clone "$bin" clone -i "$camera" -o "$loop" --memory mmap --output-memory dmabuf --json
	finish play
	stop clone
	echo 0 >"$tracing/events/v4l2dma/enable"
	cat "$tracing/trace" >"$work/trace"
	echo >"$tracing/trace"

	expect_equal "frames queued" "$(counter frames)" "$(events queue)"
	expect_equal "frames dropped" "$(counter dropped)" "$(events drop)"
	expect_equal "frames copied" "$(counter copies)" "$(events copy "bytes=115200")"
	expect_equal "frames delivered" "$(counter delivered)" "$(events deliver)"
	expect_at_least "frames delivered" 60 "$(events deliver)"
	expect_at_least "frames copied" 60 "$(events copy)"
	expect_equal "readers that ended" "$(events reader begins)" "$(events reader ends)"
	expect_at_least "readers" 1 "$(events reader begins)"
	for name in release reclaim; do
		[[ -e $tracing/events/v4l2dma/v4l2dma_$name/format ]] || fail "there is no event $name"
	done
	expect_at_least "frames given back" 50 "$(events release)"
}

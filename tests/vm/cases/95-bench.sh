# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# tests/bench/loop, the short way: that it still works, and what it counts. Times are not looked at.

bench=${V4L2DMA_LOOP_BENCH:-$tree/build/tests/bench/loop/v4l2dma_loop_bench}

test_counts() {
	local beside=()
	[[ -e /dev/udmabuf ]] || modprobe vgem
	load_vivid
	load_loop max_readers=16 reclaim_ms=60000
	if modinfo v4l2loopback &>/dev/null; then
		modprobe v4l2loopback video_nr=20 max_buffers=4 max_openers=40
		beside=(--beside /dev/video20)
	else
		leave_out "v4l2loopback beside it" "not given with --module"
	fi
	timeout $((limit - 10)) "$bench" "$loop" --camera "$camera" "${beside[@]}" --quick --json >bench.json 2>bench.err || fail "$(tail -n 3 bench.err)
$(jq -r '.checks[] | select(.good | not) | .what' bench.json)"
	[[ -z ${beside[*]} ]] || modprobe -r v4l2loopback

	expect_equal "checks" 41 "$(jq '.checks | length' bench.json)"
	expect_equal "failed checks" 0 "$(jq '[.checks[] | select(.good | not)] | length' bench.json)"
	# What the checks conclude from must be there, and be of frames that came through.
	expect_equal "strategies of v4l2dma that have figures" 12 "$(figures v4l2dma)"
	[[ -z ${beside[*]} ]] || expect_equal "strategies of v4l2loopback that have figures" 4 "$(figures v4l2loopback)"
	expect_equal "bytes copied on the ways from a camera" "0 0 0 614400 614400 614400 1228800" "$(jq -r \
		'[.results[] | select(.figure == "camera" and .module == "v4l2dma").copied_bytes] | join(" ")' bench.json)"
	expect_equal "bytes copied of an imported frame, by 1, 4 and 16 readers" "614400 614400 614400" "$(jq -r \
		'[.results[] | select(.figure == "readers" and .strategy == "import > mmap").copied_bytes] | join(" ")' bench.json)"
	expect_idle
}

# figures MODULE: how many strategies it was measured with.
figures() {
	jq --arg name "$1" '[.results[] | select(.figure == "cost" and .module == $name and .cpu_us.median > 0 and
		.frames_per_second.median > 0)] | length' bench.json
}

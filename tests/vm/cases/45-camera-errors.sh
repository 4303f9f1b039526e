# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# A camera that fails: vivid's injected errors, each at the next call of its kind, and only once.

paths=(sink-exports source-exports copy)

inject() { v4l2-ctl -d "$camera" --set-ctrl="$1=${2:-1}"; }

# start_flow PATH: camera, clone, loop, play; and frames come out.
start_flow() {
	start clone "$bin" clone -i "$camera" -o "$loop" --strategy "$1" --json --frame-log "$work/written"
	await clone start
	expect_equal "path" "$1" "$(json clone start .path)"
	start play "$bin" play -i "$loop" --json --frame-log "$work/read"
	await play stats '.frames > 0'
}

# The camera and the loop, as if nothing had been.
expect_usable() {
	expect_idle
	run 0 "$bin" clone -i "$camera" -o "$loop" --dmabuf -n 3 --json
	expect_equal "path" sink-exports "$(jq -rs 'last | .path' <<<"$out")"
	expect_idle
}

# fails_in_flow CONTROL EXIT-CODE SENTENCE: on every path clone ends, and says why; the reader goes on to wait.
fails_in_flow() {
	local path
	load_camera
	load_loop
	for path in "${paths[@]}"; do
		start_flow "$path"
		inject "$1"
		finish clone "$2"
		expect_match "what clone says ($path)" "$3" "$(<"$work/clone.err")"
		expect_equal "lines on stderr ($path)" 1 "$(wc -l <"$work/clone.err")"
		expect_match "error in the JSON ($path)" "$3" "$(json clone end .error)"
		expect_equal "readers and writer after the error ($path)" "1 0" "$(counter readers writer)"
		stop play
		expect_usable
		rm "$work"/{clone,play}.{fifo,json,err}
	done
}

test_refused_qbuf_in_flow() { fails_in_flow inject_vidioc_qbuf_error 1 "QBUF.*$camera.*Invalid argument"; }
test_fatal_error_in_flow() { fails_in_flow inject_fatal_streaming_error 1 "$camera.*the driver gave up on the stream"; }
test_disconnect_in_flow() { fails_in_flow disconnect 3 "$camera.*unplugged"; }

# refuses_at_start CONTROL CALL: the path that meets the error is given up for the next one, and where there is no other,
# clone says which call failed.
refuses_at_start() {
	local path
	load_camera
	load_loop
	inject "$1"
	run 0 "$bin" clone -i "$camera" -o "$loop" --dmabuf -n 5 --json
	expect_equal "path after $2 failed" source-exports "$(jq -rs 'last | .path' <<<"$out")"
	expect_usable
	for path in "${paths[@]}"; do
		inject "$1"
		run 4 "$bin" clone -i "$camera" -o "$loop" --strategy "$path" -n 5
		expect_match "what clone says ($path)" "$path: $2.*$camera.*Invalid argument" "$err"
		expect_equal "lines on stderr ($path)" 1 "$(wc -l <<<"$err")"
		expect_usable
	done
}

test_refused_reqbufs() { refuses_at_start inject_vidioc_reqbufs_error REQBUFS; }
test_refused_qbuf() { refuses_at_start inject_vidioc_qbuf_error QBUF; }
test_refused_streamon() { refuses_at_start inject_vidioc_streamon_error STREAMON; }

# Bad frames are counted, and nobody sees them.
test_frames_marked_as_bad() {
	local path
	load_camera
	load_loop
	for path in "${paths[@]}"; do
		start_flow "$path"
		inject inject_v4l2_buf_flag_error
		await play stats ".frames > $(json play stats .frames) + 30"
		stop play
		stop clone
		expect_equal "frames marked as bad ($path)" 1 "$(json clone end .corrupt)"
		expect_same_frames "$work/written" "$work/read" "$(json play end .frames)" any-memory
		expect_equal "bad frames that play got ($path)" 0 "$(json play end .corrupt)"
		expect_usable
		rm "$work"/{clone,play}.{fifo,json,err} "$work"/{written,read}
	done
}

test_frames_lost_by_the_camera() {
	local path
	load_camera
	load_loop
	for path in "${paths[@]}"; do
		start_flow "$path"
		inject percentage_of_dropped_buffers 50
		await play stats ".frames > $(json play stats .frames) + 30"
		stop play
		stop clone
		inject percentage_of_dropped_buffers 0
		expect_at_least "frames that the camera lost ($path)" 1 "$(json clone end .dropped)"
		expect_same_frames "$work/written" "$work/read" "$(json play end .frames)" any-memory
		expect_usable
		rm "$work"/{clone,play}.{fifo,json,err} "$work"/{written,read}
	done
}

test_camera_that_gives_nothing() {
	load_camera
	load_loop
	inject percentage_of_dropped_buffers 100
	start clone "$bin" clone -i "$camera" -o "$loop" --dmabuf --json
	await clone stats
	await clone stats
	stop clone
	expect_equal "frames" 0 "$(json clone end .frames)"
	inject percentage_of_dropped_buffers 0
	expect_usable
}

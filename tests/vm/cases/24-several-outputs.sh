# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# One camera, several outputs: the same memory at all of them, and what is wrong with one is no other's concern.

# load_loops [PARAMETER]...: video10 to video12.
load_loops() { modprobe v4l2dma devices=3 video_nr=10,11,12 "$@"; }

# at NUMBER COMMAND...: with that loop as $loop.
at() {
	# shellcheck disable=SC2034 # of what is called
	local loop=/dev/video$1
	"${@:2}"
}

# start_clone OPTION...: returns when frames pass.
start_clone() {
	start clone "$bin" clone -i "$camera" --width 320 --height 180 --frame-log "$work/clone.log" --json "$@"
	await clone start
}

# start_reader FRAMES NUMBER OPTION...: is there before frames are.
start_reader() {
	start "play$2" "$bin" play -i "/dev/video$2" -n "$1" --frame-log "$work/play$2.log" --json "${@:3}"
	await "play$2" stats
}

start_readers() { # start_readers FRAMES NUMBER...
	local number
	for number in "${@:2}"; do
		start_reader "$1" "$number" --dmabuf
	done
}

# sinks FILTER: of what clone said at its end, in one line.
sinks() { json clone end "[.sinks[] | $1 | tostring] | join(\" \")"; }

# expect_all_the_same FRAMES: three readers saw the frames of clone's log, in the camera's only memory.
expect_all_the_same() {
	local number
	for number in 10 11 12; do
		expect_same_frames clone.log "play$number.log" "$1" same-memory
		expect_equal "copies and copied bytes in loop $number" "0 0" "$(at "$number" counter copies copied_bytes)"
		expect_equal "bytes that reader $number copied" 0 "$(json "play$number" end .copied_bytes)"
		expect_equal "faults that reader $number saw" 0 "$(json "play$number" end '.faults | add')"
		at "$number" expect_idle
	done
	expect_equal "bytes that clone copied" 0 "$(json clone end .copied_bytes)"
	expect_equal "outputs for which something was copied" 0 \
		"$(json clone end '[.sinks[] | select(.copied_bytes != 0)] | length')"
}

test_first_loop_exports_others_import() {
	load_camera
	load_loops
	start_readers 100 10 11 12
	start_clone -o 10 -o 11 -o 12 --dmabuf
	finish play10
	finish play11
	finish play12
	stop clone
	expect_equal path "sink-exports true" "$(json clone start '"\(.path) \(.zero_copy)"')"
	expect_equal roles "exports imports imports" "$(sinks .role)"
	expect_all_the_same 100
}

test_camera_exports_all_import() {
	load_camera
	slow_camera # null: looks at its numbers
	load_loops
	start_readers 60 10 11 12
	start_clone -o 10 -o 11 -o 12 -o null: --dmabuf --output-memory dmabuf
	finish play10
	finish play11
	finish play12
	stop clone
	expect_equal path source-exports "$(json clone end .path)"
	expect_equal roles "imports imports imports imports" "$(sinks .role)"
	expect_equal "frames that null: did not get" 0 "$(json clone end '.frames - .sinks[3].frames')"
	expect_all_the_same 60
}

# remove_one NUMBER: while clone and the others' readers are at work, who get 60 frames afterwards.
remove_one() {
	local number rest=()
	load_camera
	load_loops
	start_clone -o 10 -o 11 -o 12 --dmabuf
	run 0 "$bin" load --remove "/dev/video$1" --force
	for number in 10 11 12; do [[ $number == "$1" ]] || rest+=("$number"); done
	start_readers 60 "${rest[@]}"
	for number in "${rest[@]}"; do
		finish "play$number"
		expect_same_frames clone.log "play$number.log" 60 same-memory
		expect_equal "copies in loop $number" 0 "$(at "$number" counter copies)"
	done
	kill -INT "${pids[clone]}"
	finish clone 3
	expect_match "what clone says" "/dev/video$1 gets no frames any more, the others do: .*the device was removed" \
		"$(<"$work/clone.err")"
	expect_equal "warnings" 1 "$(grep -c 'warning' "$work/clone.err")"
	expect_equal "outputs that failed" "/dev/video$1" \
		"$(json clone end '[.sinks[] | select(.error) | .name] | join(" ")')"
	expect_match "the error of the run" "No such device" "$(json clone end .error)"
	for number in "${rest[@]}"; do at "$number" expect_idle; done
}

test_importing_loop_removed() { remove_one 11; }

# The frames lie in its memory.
test_exporting_loop_removed() { remove_one 10; }

test_every_loop_removed() {
	load_camera
	load_loops
	start_clone -o 10 -o 11
	run 0 "$bin" load --remove /dev/video10,/dev/video11 --force
	finish clone 3
	expect_equal "outputs that failed" 2 "$(json clone end '[.sinks[] | select(.error)] | length')"
}

# A copy for the loop that knows no dma-bufs, whatever the order; none for the others.
test_one_cannot_import() {
	local order size
	load_camera
	load_loops support_dmabuf=1,0,1
	for order in '-o 10 -o 11 -o 12' '-o 11 -o 10 -o 12'; do
		rm -f "$work"/clone.{fifo,json,err} "$work"/play*
		start_readers 40 10 12
		start_reader 40 11 # it has no EXPBUF either
		# shellcheck disable=SC2086 # several words
		start_clone $order
		finish play10
		finish play11
		finish play12
		stop clone
		expect_equal path sink-exports "$(json clone end .path)"
		size=$(json clone start .sizeimage)
		expect_equal "bytes announced for each" "0 $size 0" \
			"$(json clone start '[.sinks | sort_by(.name)[] | .copied_bytes_per_frame | tostring] | join(" ")')"
		expect_equal "bytes copied for each" "0 $size 0" \
			"$(json clone end '[.sinks | sort_by(.name)[] | .copied_bytes / .frames | tostring] | join(" ")')"
		expect_equal "its role" copies "$(json clone end '.sinks[] | select(.name == "/dev/video11") | .role')"
		expect_same_frames clone.log play10.log 40 same-memory
		expect_same_frames clone.log play11.log 40 any-memory
		expect_same_frames clone.log play12.log 40 same-memory
		expect_equal "copies in the loops" "0 0 0" \
			"$(at 10 counter copies) $(at 11 counter copies) $(at 12 counter copies)"
	done
	run 4 "$bin" clone -i "$camera" -o 10 -o 11 --dmabuf -n 5
	expect_match "who refuses" 'sink-exports: REQBUFS\(dmabuf, output\) /dev/video11' "$err"
	at 10 expect_idle
}

# A loop that has another format, and keeps it: its frames alone are converted, unless the camera has that format for all.
test_one_has_another_format() {
	load_camera
	load_loops
	v4l2-ctl -d /dev/video11 --set-fmt-video-out=width=320,height=180,pixelformat=NV12 >format.log
	v4l2-ctl -d /dev/video11 -c keep_format=1
	start_readers 40 10
	start_reader 40 11
	start_clone -o 10 -o 11 --format YUYV
	finish play10
	finish play11
	stop clone
	expect_equal "formats" "YUYV NV12" "$(json clone start '[.sinks[].output_format] | join(" ")')"
	expect_equal "roles" "exports copies" "$(sinks .role)"
	expect_equal "bytes copied for each" "0 $((320 * 180 * 3 / 2))" "$(sinks '(.copied_bytes / .frames)')"
	expect_same_frames clone.log play10.log 40 same-memory
	expect_equal "faults that the other reader saw" 0 "$(json play11 end '.faults | add')"
	run 4 "$bin" clone -i "$camera" -o 10 -o 11 --format YUYV --dmabuf
	expect_match "what clone says" 'YUYV 320x180 becomes NV12 320x180, because /dev/video11 does not take YUYV' "$err"
	run 0 "$bin" clone -i "$camera" -o 10 -o 11 -n 5 --dmabuf --json
	expect_equal "formats that the camera spares the conversion" "NV12 NV12" \
		"$(jq -rs 'first | [.sinks[].output_format] | join(" ")' <<<"$out")"
	at 10 expect_idle
	at 11 expect_idle
}

# A reader that stands still on a loop that drops nothing: that loop misses frames, the other one's reader does not wait.
test_one_is_slow() {
	load_camera
	load_loops overrun=leaky,lossless
	start_clone -o 10 -o 11 --dmabuf
	start slow "$bin" play -i /dev/video11 --dmabuf --json -n 1000000
	await slow stats '.frames > 0'
	kill -STOP "${pids[slow]}"
	start_readers 120 10
	finish play10
	expect_same_frames clone.log play10.log 120 same-memory
	kill -CONT "${pids[slow]}"
	await slow stats
	stop slow
	stop clone
	expect_equal "frames that the good loop missed" 0 "$(json clone end .sinks[0].dropped)"
	expect_at_least "frames that the slow loop missed" 20 "$(json clone end .sinks[1].dropped)"
	expect_equal "frames for the slow loop" 0 "$(json clone end '.frames - (.sinks[1] | .frames + .dropped)')"
}

test_one_is_taken() {
	load_camera
	load_loops
	start first "$bin" clone -i test:bars,320x180,YUYV,30 -o 11 --json
	await first start
	run 3 "$bin" clone -i "$camera" -o 10 -o 11 -n 5
	expect_match "who is busy" '/dev/video11: Device or resource busy \(another program uses it\)' "$err"
	at 10 expect_idle
	stop first
	run 0 "$bin" clone -i "$camera" -o 10 -o 11 -n 5
}

test_twice_the_same() {
	load_camera
	load_loops
	run 2 "$bin" clone -i "$camera" -o 10 -o 11 -o /dev/video10 -n 5
	expect_match "what is wrong" '/dev/video10: it is an output twice' "$err"
	run 2 "$bin" clone -i 11 -o 10 -o 11 -n 5
	expect_match "what is wrong" '/dev/video11: it is both the input and the output' "$err"
	at 10 expect_idle
}

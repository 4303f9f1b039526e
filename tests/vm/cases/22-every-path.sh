# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# Every path that the program knows, between every pair of kinds of ends: the frames that a reader gets are those that the
# source gave, hash for hash. What cannot run here is listed with clone's own reason.

is_loop() { [[ $1 == /dev/video1? ]]; }

# expect_passed PATH: what the reader logged is what clone logged. write() takes no timestamps along: there the picture,
# which has a counter in it, says which frame it is.
expect_passed() {
	case $1 in
	read-source | read-dmabuf | read-memory | read-write) expect_pictures "$1" ;;
	*) expect_same_frames written read 8 any-memory ;;
	esac
}

# expect_pictures PATH: those that came out are among those that went in.
expect_pictures() {
	expect_equal "frames of read whose picture is not in written ($1)" "8 0" "$(strangers)"
}

# How many were read, and how many of these nobody wrote.
strangers() { awk 'NR == FNR { hash[$5]; next } { all++ } !($5 in hash) { n++ } END { print all + 0, n + 0 }' written read; }

# expect_stamps SOURCE: generated frames say themselves that they are whole and in order, those of a camera say nothing.
expect_stamps() {
	expect_equal "wrong stamps" 0 "$(jq -s 'last.faults.stamp' <<<"$out")"
	expect_equal "right stamps" "$([[ $1 == test:* ]] && echo 8 || echo 0)" "$(jq -s 'last.verified' <<<"$out")"
}

# The sink that a cable leads from to the camera, which then shows the frames.
cabled=none
again=''

# At an HDMI input the cable chooses the frame rate, and vivid may say a number twice: see slow_camera.
look_at_the_camera() {
	timeout "$patience" "$bin" clone -i "$camera" -o null: -n 8 --frame-log "$work/read" 2>"$work/look.err" ||
		expect_match "what clone says of the camera" '[1-9][0-9]* frames with a sequence number that did not grow, 0 ' \
			"$(<"$work/look.err")"
}

# try_path SOURCE SINK PATH CLONE-OPTION...: 1 if it cannot run here. Of sinks that are neither a loop nor cabled the frames
# are counted.
try_path() {
	local source=$1 sink=$2 path=$3 only=()
	shift 3
	is_loop "$sink" || [[ $sink == "$cabled" ]] || only=(-n 8)
	rm -f "$work"/{clone,play}.{fifo,json,err} "$work"/{written,read}
	start clone "$bin" clone -i "$source" -o "$sink" --strategy "$path" --json --frame-log "$work/written" "${only[@]}" "$@"
	if ! begun clone; then
		finish clone 4
		return 1
	fi
	if is_loop "$sink"; then
		run 0 "$bin" play -i "$sink" -n 8 --frame-log "$work/read" --verify --json
		stop clone
		expect_passed "$path"
		expect_stamps "$source"
		loop=$sink expect_idle
	elif [[ $sink == "$cabled" ]]; then
		await clone stats '.frames > 2' # the output streams from its second frame on
		look_at_the_camera
		stop clone
		# The cable takes its time: seen once, on the debug kernel, with pictures of the camera's own.
		if [[ $(strangers) != "8 0" && $again != again ]]; then
			again='again' try_path "$source" "$sink" "$path" "$@"
			return
		fi
		expect_pictures "$path"
	else
		finish clone
		expect_equal "frames ($path)" 8 "$(json clone end .frames)"
	fi
	# Of frames with a data_offset the payload alone is copied: these bytes were said with the first frame.
	expect_equal "bytes copied of each frame ($path)" \
		"$(json clone start .copied_bytes_per_frame)" "$(json clone end '.copied_bytes / .frames')"
	expect_equal "zero-copy, and bytes copied ($path)" true \
		"$(json clone start '(.zero_copy | not) or .copied_bytes_per_frame == 0')"
}

# pass_every_path SOURCE SINK CLONE-OPTION...: prints the table, "no" for what is not possible between these two, and why;
# fails if fewer than $least ran.
pass_every_path() {
	local source=$1 sink=$2 path ran=()
	shift 2
	for path in $(every_path); do
		if try_path "$source" "$sink" "$path" "$@"; then
			ran+=("$path")
		else
			printf '  no    %s -> %s %s (%s)\n' "$source" "$sink" "$path" \
				"$(tail -n 1 "$work/clone.err" | sed "s/.*: $path: //; s/.*no path is possible: \\(.*\\) ($path).*/\\1/" | cut -c 1-150)"
		fi
	done
	printf '  ran   %s -> %s: %s\n' "$source" "$sink" "${ran[*]}"
	expect_at_least "paths that ran from $source to $sink" "$least" "${#ran[@]}"
}

size=(--width 320 --height 180)

test_camera() {
	load_camera
	load_loop
	least=10 pass_every_path "$camera" "$loop" "${size[@]}"
}

# With an allocator of dma-bufs more paths are possible; 6.1 has vgem alone.
test_camera_and_third_memory() {
	modprobe vgem
	load_camera
	load_loop
	least=14 pass_every_path "$camera" "$loop" "${size[@]}"
}

test_generated() {
	load_loop
	least=3 pass_every_path test:bars,320x180,NV12,30 "$loop"
}

test_consumer() {
	modprobe vgem
	load_camera
	slow_camera
	least=3 pass_every_path "$camera" null: "${size[@]}"
	least=1 pass_every_path test:bars,320x180,NV12,30 null:
}

# An output that is no loop: it takes addresses without a copy, and its own buffers are shown. vivid's refuses write():
# what vb2 makes of it comes with a payload of 0 bytes ("the payload is too small for plane 0", vivid_debug=2).
test_output() {
	modprobe vgem
	load_camera node_types=0x101 vid_out_nr=1
	v4l2-ctl -d /dev/video1 --set-output 1
	least=10 pass_every_path "$camera" /dev/video1 "${size[@]}"
	least=3 pass_every_path test:bars,320x180,YUYV,30 /dev/video1
}

# With a cable from the output to the camera's own input: the frames come back, pixel for pixel.
test_output_with_a_cable() {
	modprobe vgem
	load_camera node_types=0x101 vid_out_nr=1 num_inputs=1 input_types=3 num_outputs=1 output_types=1
	v4l2-ctl -d "$camera" --set-ctrl osd_text_mode=2 --set-dv-bt-timings index=0 >camera.log
	v4l2-ctl -d /dev/video1 --set-dv-bt-timings index=0 >camera.log
	# 6.1 names it otherwise.
	v4l2-ctl -d "$camera" --set-ctrl hdmi_000_0_is_connected_to=2 2>camera.log ||
		v4l2-ctl -d "$camera" --set-ctrl loop_video=1
	load_loop
	cabled=/dev/video1
	least=3 pass_every_path test:bars,640x480,YUYV,10 "$cabled"
	start feeder "$bin" clone -i test:bars,640x480,YUYV,10 -o "$loop" --json
	await feeder start
	least=10 pass_every_path "$loop" "$cabled"
	stop feeder
}

# A camera writes into the first of two loops, which is the source.
test_loop_to_loop() {
	load_camera
	modprobe v4l2dma devices=2 video_nr=10,11
	start feeder "$bin" clone -i "$camera" -o "$loop" "${size[@]}" --json
	await feeder start
	least=6 pass_every_path "$loop" /dev/video11
	stop feeder
	expect_idle
}

# Planes apart, without a data_offset (NM12) and with one (NM16), which addresses and dma-bufs must keep.
pass_planes() {
	modprobe vgem
	load_vivid multiplanar=2
	modprobe v4l2dma video_nr=10 multiplanar=1
	least=6 pass_every_path "$camera" "$loop" "${size[@]}" --format "$1"
}

test_planes() { pass_planes NM12; }

test_planes_with_an_offset() { pass_planes NM16; }

test_generated_planes() {
	modprobe v4l2dma video_nr=10 multiplanar=1
	least=2 pass_every_path test:bars,320x180,NM12,30 "$loop"
}

test_planes_from_loop_to_loop() {
	load_vivid multiplanar=2
	modprobe v4l2dma devices=2 video_nr=10,11 multiplanar=1,1
	start feeder "$bin" clone -i "$camera" -o "$loop" "${size[@]}" --format NM16 --json
	await feeder start
	least=4 pass_every_path "$loop" /dev/video11
	stop feeder
	expect_idle
}

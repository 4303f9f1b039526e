# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# Programs that know nothing of this project write into a loop and read from it. What comes out is compared with what
# went in, byte by byte; what was copied is told by the loop's counters, and a client that can do without copies does.
#
# The loop loses nothing and its reader is there first: the reader's first frames are the writer's first frames.

writer=/dev/video10
reader=/dev/video11
width=320 height=180
frame_size=$((width * height * 2))
exporters=(/dev/video0 /dev/video1) # their buffers are what --export-device gives

# Nodes of one side each: v4l2-ctl would take a node with both sides for a camera.
load_cable() { load_loop nodes=split capture_nr=11 overrun=lossless; }

# One that hangs is a failure, not the end of the run.
client() { timeout "$patience" "$@"; }

# COUNT frames of noise: no two are the same, and none looks like parts of two others.
make_frames() { head -c $(($1 * frame_size)) /dev/urandom >sent; }

# What every writer below will set, so that readers may come first.
set_format() {
	v4l2-ctl -d "$writer" --set-fmt-video-out="width=$width,height=$height,pixelformat=$1" >format.log
}

# The sink wants to know all of it. That it names the colorimetry, where the others leave it to the driver, ends no reader.
gst_caps=video/x-raw,format=YUY2,framerate=25/1,colorimetry=bt709,interlace-mode=progressive

# write_with CLIENT-MODE: all frames, to the loop's writing node.
write_with() {
	local node=$writer
	case $1 in
	ffmpeg)
		client ffmpeg -nostdin -v error -f rawvideo -pixel_format yuyv422 -video_size "${width}x$height" -framerate 30 \
			-i sent -f v4l2 "$node"
		;;
	# As a camera does: without end, and in its time.
	ffmpeg-paced)
		exec ffmpeg -nostdin -v error -re -stream_loop -1 -f rawvideo -pixel_format yuyv422 \
			-video_size "${width}x$height" -framerate 30 -i sent -f v4l2 "$node"
		;;
	gst-*)
		# The sink shows the first frame twice, unless told not to.
		client gst-launch-1.0 -q filesrc location=sent blocksize="$frame_size" ! \
			"$gst_caps,width=$width,height=$height" ! \
			v4l2sink device="$node" io-mode="${1#gst-}" sync=false show-preroll-frame=false
		;;
	v4l2-ctl-dmabuf) v4l2_ctl_writes dmabuf --export-device "${exporters[0]}" ;;
	v4l2-ctl-*) v4l2_ctl_writes "${1#v4l2-ctl-}" ;;
	esac
}

v4l2_ctl_writes() {
	client v4l2-ctl -d "$writer" --stream-out-"$1" --stream-from=sent \
		--stream-count=$(($(stat -c %s sent) / frame_size)) "${@:2}" >v4l2-ctl.log
}

# read_with CLIENT-MODE FRAMES FILE [NODE]
read_with() {
	local frames=$2 file=$3 node=${4:-$reader}
	case $1 in
	ffmpeg)
		client ffmpeg -nostdin -v error -f v4l2 -i "$node" -fps_mode passthrough -frames:v "$frames" -f rawvideo "$file"
		;;
	gst-*)
		client gst-launch-1.0 -q v4l2src device="$node" io-mode="${1#gst-}" num-buffers="$frames" ! \
			filesink location="$file"
		;;
	v4l2-ctl-dmabuf) v4l2_ctl_reads dmabuf "$frames" "$file" "$node" --export-device "${exporters[1]}" ;;
	v4l2-ctl-*) v4l2_ctl_reads "${1#v4l2-ctl-}" "$frames" "$file" "$node" ;;
	opencv)
		client /usr/bin/python3 - "$node" "$frames" "$file" <<-'PYTHON'
			import cv2, sys
			node, frames, file = sys.argv[1:]
			camera = cv2.VideoCapture(node, cv2.CAP_V4L2)
			camera.set(cv2.CAP_PROP_CONVERT_RGB, 0)
			with open(file, "wb") as out:
			    for _ in range(int(frames)):
			        good, pixels = camera.read()
			        if not good:
			            sys.exit("no frame")
			        out.write(pixels.tobytes())
		PYTHON
		;;
	esac
}

v4l2_ctl_reads() {
	client v4l2-ctl -d "$4" --stream-"$1" --stream-to="$3" --stream-count="$2" "${@:5}" >/dev/null 2>"$3.log"
}

# begin NAME COMMAND...: in the background, until 'end NAME'.
begin() {
	"${@:2}" >"$1.out" 2>&1 &
	pids[$1]=$!
}

end() {
	local status=0
	wait "${pids[$1]}" || status=$?
	expect_equal "exit code of $1 ($(tail -n 3 "$1.out"))" 0 "$status"
}

# expect_frames COUNT FILE [later|some]: whole frames of those that were sent, the first COUNT; with 'later' not the first
# ones but all from there on, with 'some' any of them.
expect_frames() {
	/usr/bin/python3 - "$frame_size" "$@" <<-'PYTHON' || fail "what came out is not what was sent"
		import sys
		size, count, file, *allowed = sys.argv[1:]
		size, count = int(size), int(count)
		def frames(name):
		    data = open(name, "rb").read()
		    return [data[at:at + size] for at in range(0, len(data), size)]
		numbers = {frame: number for number, frame in enumerate(frames("sent"))}
		got = [numbers.get(frame) for frame in frames(file)]
		complete = len(got) == count and None not in got
		if complete and "some" not in allowed:
		    first = got[0] if "later" in allowed else 0
		    complete = got == list(range(first, first + count))
		if not complete:
		    sys.exit(f"    {file}: expected {count} frames, got {len(got)}: {got}")
	PYTHON
}

# pass WRITER READER COPIES [later]: 20 frames from one to the other, and what the loop copied for each.
pass() {
	local before
	before=$(counts)
	rm -f received
	begin reader read_with "$2" 20 received
	await_counter readers_streaming 1
	begin writer write_with "$1"
	end reader
	end writer
	expect_frames 20 received ${4:+"$4"}
	expect_idle
	expect_copies "$3" "$1 -> $2" "$before"
}

counts() { counter copies copied_bytes frames; }

# expect_copies none|once WHAT COUNTS: of the frames that passed since these counts.
expect_copies() {
	local before after copies frames
	read -ra before <<<"$3"
	read -ra after <<<"$(counts)"
	copies=$((after[0] - before[0])) frames=$((after[2] - before[2]))
	echo "    $2: $copies copies of $frames frames"
	expect_equal "bytes of $copies copies, $2" $((copies * frame_size)) $((after[1] - before[1]))
	case $1 in
	none) expect_equal "copies, $2" 0 "$copies" ;;
	once)
		# The frames that the reader left behind may be copied, or not.
		expect_at_least "copies, $2" 20 "$copies"
		expect_at_least "frames, of which each is copied once at most, $2" "$copies" "$frames"
		;;
	esac
}

# Its reader asks for as many buffers as there are; so many frames may still wait when the writer leaves, and are lost.
test_ffmpeg() {
	load_cable
	make_frames 60
	set_format YUYV
	pass ffmpeg ffmpeg once
}

# Compressed pictures pass as they are.
test_ffmpeg_mjpeg() {
	load_cable
	ffmpeg -nostdin -v error -f lavfi -i testsrc2=size=${width}x$height:rate=30 -frames:v 60 -c:v mjpeg sent.avi
	set_format MJPG
	begin reader client ffmpeg -nostdin -v error -f v4l2 -input_format mjpeg -i "$reader" -c copy -frames:v 15 received.avi
	await_counter readers_streaming 1
	begin writer client ffmpeg -nostdin -v error -i sent.avi -c copy -f v4l2 "$writer"
	end reader
	end writer
	ffprobe -v error -show_packets -show_data_hash md5 -of csv=p=0 -show_entries packet=data_hash sent.avi |
		sed -n 1,15p >sent.md5
	ffprobe -v error -show_packets -show_data_hash md5 -of csv=p=0 -show_entries packet=data_hash received.avi \
		>received.md5
	expect_equal "pictures received" 15 "$(wc -l <received.md5)"
	cmp sent.md5 received.md5 || fail "the pictures are not those that were sent"
	expect_idle
}

# Not with io-mode=rw: the sink has no write(), and shows nothing.
test_gstreamer_sink() {
	load_cable
	make_frames 30
	set_format YUYV
	pass gst-mmap v4l2-ctl-mmap none
	pass gst-dmabuf v4l2-ctl-mmap none
	pass gst-userptr v4l2-ctl-mmap once
}

test_gstreamer_source() {
	load_cable
	make_frames 30
	set_format YUYV
	pass v4l2-ctl-mmap gst-mmap none
	pass v4l2-ctl-mmap gst-dmabuf none
	pass v4l2-ctl-mmap gst-rw once
}

test_v4l2_ctl() {
	load_vivid n_devs=2 node_types=0x1,0x1 vid_cap_nr=0,1
	load_cable
	make_frames 30
	set_format YUYV
	pass v4l2-ctl-mmap v4l2-ctl-mmap none
	pass v4l2-ctl-user v4l2-ctl-mmap once
	pass v4l2-ctl-dmabuf v4l2-ctl-mmap once
	pass v4l2-ctl-mmap v4l2-ctl-user once
	pass v4l2-ctl-mmap v4l2-ctl-dmabuf once
	pass v4l2-ctl-dmabuf v4l2-ctl-dmabuf once
	pass v4l2-ctl-user v4l2-ctl-user once
}

# It takes longer to be loaded than all others together, and starts anew when it is told how to deliver frames.
test_opencv() {
	patience=$((limit * 4 / 5))
	load_cable
	make_frames 60
	set_format YUYV
	pass v4l2-ctl-mmap opencv none later
}

# Three different programs at once; each gets every frame, and none is copied for it.
test_different_clients_at_once() {
	load_cable
	make_frames 60
	set_format YUYV
	begin ffmpeg read_with ffmpeg 20 by-ffmpeg
	begin gstreamer read_with gst-dmabuf 20 by-gstreamer
	begin v4l2-ctl read_with v4l2-ctl-mmap 20 by-v4l2-ctl
	await_counter readers_streaming 3
	begin writer write_with v4l2-ctl-mmap
	end ffmpeg
	end gstreamer
	end v4l2-ctl
	end writer
	expect_frames 20 by-ffmpeg
	expect_frames 20 by-gstreamer
	expect_frames 20 by-v4l2-ctl
	expect_equal copies 0 "$(counter copies)"
	expect_idle
}

# As most people use a loop: one node, a program that writes at its own pace, and others that are there before it, stay
# longer than it does, and come later. Frames are dropped then, but none is torn.
test_clients_outlive_the_writer() {
	load_loop
	writer=$loop reader=$loop
	make_frames 30
	set_format YUYV
	begin ffmpeg read_with ffmpeg 150 by-ffmpeg
	begin gstreamer read_with gst-mmap 150 by-gstreamer
	await_counter readers_streaming 2
	write_some_frames
	await_counter readers_streaming 2 # who has not had all its frames stays
	begin writer write_with ffmpeg-paced
	end ffmpeg
	end gstreamer
	read_with gst-mmap 10 by-latecomer
	end_writer
	expect_frames 150 by-ffmpeg some
	expect_frames 150 by-gstreamer some
	expect_frames 10 by-latecomer some
	expect_idle
}

# A writer that is killed when some of its frames have come through.
write_some_frames() {
	begin writer write_with ffmpeg-paced
	await_counter writer 256 # by write()
	await_counter delivered 20 -ge
	end_writer
	await_counter writer 0
}

end_writer() {
	kill "${pids[writer]}"
	wait "${pids[writer]}" || true
}

# through CLIENT SOURCE-MODE SINK-MODE FIRST SECOND [READER-MODE]: a program takes frames from one loop and puts them into
# another, and how often each of the two loops copied them.
through() {
	local before before2 second=/dev/video12
	before=$(counts) before2=$(loop=$second counts)
	rm -f received
	begin reader read_with "v4l2-ctl-${6:-mmap}" 20 received /dev/video13
	loop=$second await_counter readers_streaming 1
	begin middle "pump_with_$1" "$2" "$3"
	await_counter readers_streaming 1
	begin writer write_with v4l2-ctl-mmap
	end reader
	end middle
	end writer
	expect_frames 20 received
	expect_copies "$4" "$1 takes with $2" "$before"
	loop=$second expect_copies "$5" "$1 gives with $3" "$before2"
	expect_idle
	loop=$second expect_idle
}

pump_with_gstreamer() {
	client gst-launch-1.0 -q v4l2src device="$reader" io-mode="$1" num-buffers=30 ! \
		v4l2sink device=/dev/video12 io-mode="$2" sync=false show-preroll-frame=false
}

pump_with_v4l2-ctl() {
	client v4l2-ctl -d "$reader" --stream-"$1" --out-device /dev/video12 --stream-out-"$2" --stream-count=30
}

load_two_cables() {
	load_loop devices=2 video_nr=10,12 nodes=split capture_nr=11,13 overrun=lossless
	make_frames 60
	set_format YUYV
	writer=/dev/video12 set_format YUYV
}

# Who mapped its buffers gets a copy of a dma-buf that comes in; a dma-buf that goes out costs nothing.
test_gstreamer_between_loops() {
	load_two_cables
	through gstreamer mmap mmap none none
	through gstreamer dmabuf dmabuf-import none once
	# GStreamer maps for reading only, and vb2 of 6.1 wants to write to all memory that it pins, in every driver.
	if [[ $(uname -r) == 6.1.* ]]; then
		leave_out "v4l2sink io-mode=userptr" "vb2 of 6.1 cannot pin it"
	else
		through gstreamer dmabuf userptr none once
	fi
}

# The source fills the sink's buffers, of which the sink makes more than the reader has (CREATE_BUFS): it must have memory
# of its own.
test_gstreamer_lends_the_next_loops_memory() {
	load_two_cables
	through gstreamer dmabuf-import dmabuf once once user
	through gstreamer userptr mmap once once user
}

test_v4l2_ctl_between_loops() {
	load_two_cables
	through v4l2-ctl mmap dmabuf none once
	through v4l2-ctl dmabuf mmap once none
	through v4l2-ctl user user once once
}

# The camera fills the loop's slots: whoever reads, and however, nothing is copied.
test_v4l2_ctl_lets_a_camera_fill_the_loop() {
	load_camera
	load_cable
	set_format YUYV
	begin ffmpeg read_with ffmpeg 20 by-ffmpeg
	begin v4l2-ctl read_with v4l2-ctl-mmap 20 by-v4l2-ctl
	await_counter readers_streaming 2
	begin writer client v4l2-ctl -d "$camera" --stream-dmabuf --out-device "$writer" --stream-out-mmap --stream-count=60
	end ffmpeg
	end v4l2-ctl
	end writer
	cmp by-ffmpeg by-v4l2-ctl || fail "the two readers did not get the same frames"
	split -b "$frame_size" by-ffmpeg picture.
	expect_at_least "different pictures" 15 "$(sha256sum picture.* | cut -d' ' -f1 | sort -u | wc -l)"
	expect_equal "frames in each" $((20 * frame_size)) "$(stat -c %s by-ffmpeg)"
	expect_equal "copies and copied bytes" "0 0" "$(counter copies copied_bytes)"
	expect_idle
}

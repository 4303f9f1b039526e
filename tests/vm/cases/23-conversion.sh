# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# Formats that differ: another format of the camera where that spares a conversion, else the conversion, whose pictures are
# compared with those that ffmpeg makes of the same frames; lines that are padded, which are copied bit for bit.

from=/dev/video10
output=/dev/video1
width=320 height=180
frames=6

# Two loops that lose nothing: the first is clone's source, the second its sink.
load_two_loops() {
	load_loop devices=2 video_nr=10,11 overrun=lossless
	loop=/dev/video11
}

# set_source FORMAT [,NAME=NUMBER]...: of the first loop.
set_source() {
	v4l2-ctl -d "$from" --set-fmt-video-out="width=$width,height=$height,pixelformat=$1${2:-}" >format.log
}

# pass_files BYTES CLONE-OPTION...: each of the files in sent/ is a frame; what the second loop's reader gets, of so many
# bytes a frame, goes to 'got'. Reader and clone are there before the first frame.
pass_files() {
	local bytes=$1 hold file
	shift
	start clone "$bin" clone -i "$from" -o "$loop" --json "$@"
	await clone stats
	timeout "$patience" head -c $((frames * bytes)) "$loop" >got &
	pids[reader]=$!
	await_counter readers 1 -ge
	exec {hold}>"$from"
	for file in sent/*; do
		timeout "$patience" dd if="$file" bs=16M count=1 status=none >&"$hold"
	done
	wait "${pids[reader]}" || fail "the reader got no more than $(stat -c %s got) bytes"
	stop clone
	exec {hold}>&-
	expect_equal "bytes that came" $((frames * bytes)) "$(stat -c %s got)"
}

# make_pictures FFMPEG-OPTION...: moving ones, as files of a frame each in sent/.
make_pictures() {
	mkdir sent
	ffmpeg -nostdin -v error -f lavfi -i "testsrc2=size=${width}x$height:rate=10" -frames:v "$frames" "$@"
}

make_raw_pictures() { # make_raw_pictures PIXEL-FORMAT BYTES
	make_pictures -pix_fmt "$1" -f rawvideo all
	split -b "$2" -d all sent/
}

# expect_pictures FILE DECIBEL: each frame of 'got' looks like the same frame of FILE, and unlike its neighbour.
expect_pictures() {
	/usr/bin/python3 - "$1" "$frames" "$2" <<-'PYTHON' || fail "the pictures are others"
		import math, sys
		name, count, least = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
		wanted, got = open(name, "rb").read(), open("got", "rb").read()
		if len(wanted) != len(got):
		    sys.exit(f"{len(wanted)} bytes are not {len(got)}")
		size = len(wanted) // count
		frame = lambda data, i: data[i * size:(i + 1) * size]
		def psnr(a, b):
		    error = sum((x - y) ** 2 for x, y in zip(a, b)) / len(a)
		    return 99 if error == 0 else 10 * math.log10(255 ** 2 / error)
		values = [psnr(frame(wanted, i), frame(got, i)) for i in range(count)]
		others = [psnr(frame(wanted, i), frame(got, (i + 1) % count)) for i in range(count)]
		print("  PSNR of the frames:", *(f"{value:.1f}" for value in values), "of others:", f"{max(others):.1f}")
		sys.exit(min(values) < least or min(values) <= max(others))
	PYTHON
}

expect_copied() { # expect_copied PATH BYTES
	expect_equal "path" "$1" "$(json clone end .path)"
	expect_equal "bytes copied for each frame" "$2 $2" \
		"$(json clone start .copied_bytes_per_frame) $(json clone end '.copied_bytes / .frames')"
}

test_yuyv_to_nv12() {
	make_raw_pictures yuyv422 $((width * height * 2))
	load_two_loops
	set_source YUYV
	pass_files $((width * height * 3 / 2)) --output-format NV12
	ffmpeg -nostdin -v error -f rawvideo -pixel_format yuyv422 -video_size "${width}x$height" -i all -pix_fmt nv12 \
		-f rawvideo expected
	expect_pictures expected 40
	expect_equal "formats" "YUYV NV12 320 180" \
		"$(json clone start '"\(.format) \(.output_format) \(.output_width) \(.output_height)"')"
	expect_copied copy $((width * height * 3 / 2))
	expect_idle
}

# By write() the converted frame is copied once more.
test_written() {
	make_raw_pictures yuyv422 $((width * height * 2))
	load_two_loops
	set_source YUYV
	pass_files $((width * height)) --output-format GREY --output-memory write
	ffmpeg -nostdin -v error -f rawvideo -pixel_format yuyv422 -video_size "${width}x$height" -i all -pix_fmt yuv422p \
		-f rawvideo planes
	split -b $((width * height * 2)) -d planes plane.
	# Greys are full range to FFmpeg.
	/usr/bin/python3 - plane.* >expected <<-'PYTHON'
		import sys
		for name in sys.argv[1:]:
		    luma = open(name, "rb").read()[:320 * 180]
		    sys.stdout.buffer.write(bytes(min(255, max(0, round((y - 16) * 255 / 219))) for y in luma))
	PYTHON
	expect_pictures expected 40
	expect_copied read-source $((width * height * 2))
	expect_idle
}

# One of the pictures is broken: it is counted, and the others pass.
test_mjpg_to_yuyv() {
	make_pictures -c:v mjpeg -q:v 2 -pix_fmt yuvj422p sent/%02d.jpg
	ffmpeg -nostdin -v error -i sent/%02d.jpg -pix_fmt yuyv422 -color_range tv -f rawvideo expected
	head -c 2000 sent/03.jpg >sent/03-broken.jpg
	load_two_loops
	set_source MJPG
	pass_files $((width * height * 2)) --output-format YUYV
	expect_pictures expected 35
	expect_equal "frames, and those that were broken" "$frames 1" "$(json clone end '"\(.frames) \(.corrupt)"')"
	expect_match "what clone says" 'left out.*decode JPEG' "$(<clone.err)"
	expect_idle
}

# Nothing ever comes: that is said, and Ctrl-C is a clean end.
test_nothing_but_broken_pictures() {
	local hold i deadline=$((SECONDS + patience))
	make_pictures -c:v mjpeg -pix_fmt yuvj422p -frames:v 1 sent/%02d.jpg
	head -c 2000 sent/01.jpg >broken.jpg
	load_two_loops
	set_source MJPG
	start clone "$bin" clone -i "$from" -o "$loop" --json --output-format YUYV
	await clone stats
	exec {hold}>"$from"
	for ((i = 0; i < 20; i++)); do
		timeout "$patience" dd if=broken.jpg bs=16M count=1 status=none >&"$hold"
	done
	until grep -q "every frame of $from is bad" clone.err; do
		((SECONDS < deadline)) || fail "clone says nothing of it: $(<clone.err)"
		read -r -t 0.05 <> <(:) || true
	done
	stop clone
	exec {hold}>&-
	expect_equal "good frames" 0 "$(json clone end .frames)"
	expect_at_least "bad frames" 10 "$(json clone end .corrupt)" # the last ones may still be in the loop
	expect_idle
}

# The pixels are the same: nothing but they is copied, and bit for bit.
padded_lines() { # padded_lines CLONE-OPTION...
	local line=$((width * 2)) padded=704
	mkdir sent
	head -c $((frames * padded * height)) /dev/urandom >all
	split -b $((padded * height)) -d all sent/
	load_two_loops
	set_source YUYV ",bytesperline=$padded"
	expect_match "the source" "Bytes per Line +: $padded" "$(v4l2-ctl -d "$from" --get-fmt-video-out)"
	v4l2-ctl -d "$loop" --set-fmt-video-out="width=$width,height=$height,pixelformat=YUYV" >format.log
	v4l2-ctl -d "$loop" -c keep_format=1
	pass_files $((line * height)) "$@"
	/usr/bin/python3 - "$padded" "$line" <<-'PYTHON' || fail "the pixels are others"
		import sys
		padded, line = map(int, sys.argv[1:])
		sent, got = open("all", "rb").read(), open("got", "rb").read()
		rows = [sent[i:i + line] for i in range(0, len(sent), padded)]
		sys.exit(b"".join(rows) != got)
	PYTHON
	expect_idle
}

test_padded_lines_copied() {
	padded_lines
	expect_copied copy $((width * height * 2))
}

test_padded_lines_written() {
	padded_lines --output-memory write
	expect_copied read-source $((width * height * 4))
}

# A sink with one format: the camera has it, too, and nothing is converted or copied.
test_camera_agrees() {
	load_camera
	load_loop
	v4l2-ctl -d "$loop" --set-fmt-video-out=width=320,height=180,pixelformat=NV12 >format.log
	v4l2-ctl -d "$loop" -c keep_format=1
	start clone "$bin" clone -i "$camera" -o "$loop" --fps 15 --dmabuf --json
	await clone start
	expect_equal "formats" "NV12 NV12" "$(json clone start '"\(.format) \(.output_format)"')"
	expect_match "what clone says" "delivers NV12 320x180 instead of YUYV 320x180" "$(<clone.err)"
	expect_match "frame rate" '15[.]000' "$(v4l2-ctl -d "$camera" --get-parm)"
	stop clone
	expect_equal "bytes copied" 0 "$(json clone end .copied_bytes)"
	# The user's choice is not touched.
	run 4 "$bin" clone -i "$camera" -o "$loop" --format YUYV --dmabuf
	expect_match "what clone says" 'YUYV 320x180 becomes NV12 320x180.*does not take YUYV.*Without --dmabuf' "$err"
	expect_equal "lines that clone says ($err)" 1 "$(wc -l <<<"$err")"
	run 0 "$bin" clone -i "$camera" -o "$loop" --format YUYV -n 3 --json
	expect_equal "bytes copied" $((3 * 320 * 180 * 3 / 2)) "$(jq -s 'last | .copied_bytes' <<<"$out")"
	expect_idle
}

# What is asked for is tried at the camera first, too.
test_output_format_of_the_camera() {
	load_camera
	load_loop
	run 0 "$bin" clone -i "$camera" -o "$loop" --output-format RGB3 -n 3 --json
	expect_equal "formats, copies" "RGB3 RGB3 0" \
		"$(jq -rs '"\(first.format) \(first.output_format) \(last.copied_bytes)"' <<<"$out")"
	run 4 "$bin" clone -i "$camera" -o "$loop" --format YUYV --output-format RGB3 --dmabuf
	expect_match "what clone says" 'YUYV 320x180 becomes RGB3 320x180, because it was asked for.*Without --output-format' "$err"
	expect_idle
}

# An output with its own size, which takes nothing else: frames are scaled.
test_output_of_one_size() {
	modprobe -r vivid
	modprobe vivid n_devs=1 node_types=0x101 vid_cap_nr=0 vid_out_nr=1 ccs_out_mode=0
	echo other >"$camera_options" # not the next case's camera
	v4l2-ctl -d "$camera" --set-fmt-video=width=320,height=180,pixelformat=YUYV --set-parm=30 >camera.log
	run 0 "$bin" clone -i "$camera" -o "$output" -n 3 --json
	local size
	size=$(v4l2-ctl -d "$output" --get-fmt-video-out | sed -n 's|.*Width/Height *: ||p')
	expect_equal "formats" "YUYV 320x180 YUYV ${size/\//x}" "$(jq -rs \
		'first | "\(.format) \(.width)x\(.height) \(.output_format) \(.output_width)x\(.output_height)"' <<<"$out")"
	expect_equal "frames" 3 "$(jq -s 'last | .frames' <<<"$out")"
	expect_match "why" "$output does not take YUYV 320x180" "$err"
	run 0 "$bin" clone -i "$camera" -o "$output" --format NV12 --output-format YUYV -n 3 --json
	expect_equal "format" YUYV "$(jq -rs 'first | .output_format' <<<"$out")"
	run 2 "$bin" clone -i "$camera" -o "$output" --output-width 64 --output-height 64
	expect_match "what clone says" '64x64.*does not offer this' "$err"
	run 4 "$bin" clone -i "$camera" -o "$output" --format YUYV --dmabuf
	expect_match "what clone says" 'YUYV 320x180 becomes YUYV.*does not take YUYV 320x180' "$err"
}

# Both sides of vivid have the same formats: nothing is converted without a word.
test_output_agrees() {
	modprobe -r vivid
	modprobe vivid n_devs=1 node_types=0x101 vid_cap_nr=0 vid_out_nr=1
	echo other >"$camera_options"
	v4l2-ctl -d "$camera" --set-fmt-video=width=320,height=180,pixelformat=YUYV --set-parm=30 >camera.log
	run 0 "$bin" clone -i "$camera" -o "$output" -n 3 --dmabuf --json
	expect_equal "formats, copies" "YUYV YUYV 0" \
		"$(jq -rs '"\(first.format) \(first.output_format) \(last.copied_bytes)"' <<<"$out")"
	run 0 "$bin" clone -i "$camera" -o "$output" -n 3 --format YUYV --output-format NV12 --json
	expect_equal "formats, copies" "YUYV NV12 $((3 * 320 * 180 * 3 / 2))" \
		"$(jq -rs '"\(first.format) \(first.output_format) \(last.copied_bytes)"' <<<"$out")"
}

test_generated_and_scaled() {
	load_loop
	start clone "$bin" clone -i test:smpte,320x180 -o "$loop" --output-width 160 --output-height 90 --json
	await clone start
	run 0 "$bin" play -i "$loop" -n 3 --snapshot frame.png --json
	stop clone
	expect_equal "what the reader gets" "YUYV 160x90" "$(jq -rs 'first | "\(.format) \(.width)x\(.height)"' <<<"$out")"
	expect_match "file type" 'PNG image data, 160 x 90' "$(file frame.png)"
	expect_equal "path" read-copy "$(json clone end .path)"
	# The leftmost and the rightmost bar: 75 % white and blue.
	expect_equal "colours of the bars" "grey blue" "$(ffmpeg -nostdin -v error -i frame.png -f rawvideo -pix_fmt rgb24 - |
		/usr/bin/python3 -c '
import sys
data = sys.stdin.buffer.read()
def name(x, y):
    r, g, b = data[(y * 160 + x) * 3:][:3]
    return "grey" if min(r, g, b) > 170 and max(r, g, b) < 210 else "blue" if b > 150 and max(r, g) < 40 else f"{r} {g} {b}"
print(name(5, 50), name(155, 50))')"
	expect_idle
}

test_wrong_output_formats() {
	load_camera
	load_loop
	run 2 "$bin" clone -i "$camera" -o "$loop" --output-format YUYW
	expect_match "near matches" 'YUYW.*YUYV' "$err"
	run 2 "$bin" clone -i "$camera" -o "$loop" --output-width 100000 --output-height 100000
	expect_match "the size" '100000 not in range 1 to 16384' "$err"
	run 2 "$bin" clone -i "$camera" -o "$loop" --output-width 15000
	expect_match "the size" '15000x180.*does not offer this; the nearest is' "$err"
	run 4 "$bin" clone -i "$camera" -o "$loop" --output-format H264
	expect_match "the format" 'cannot convert to this format.*It can with' "$err"
	run 4 "$bin" clone -i "$camera" -o "$loop" --format YUYV --output-format NV12 --strategy sink-exports
	expect_match "the path" 'the formats differ: frames become NV12' "$err"
	expect_idle
}

# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# A USB camera: uvcvideo -> clone -> loop -> play. The camera is a program of the tests behind vhci_hcd, see
# tests/vm/uvc; it logs what it sends, so that what arrives is compared with the camera and not with another reader.

uvc_camera=$tree/build/tests/vm/uvc/v4l2dma_uvc_camera

# plug_in NAME [OPTION]...: a camera that logs into NAME.log; its nodes go to $camera and $metadata.
plug_in() {
	local name=$1
	shift
	start "$name" "$uvc_camera" --log "$work/$name.log" "$@"
	await "$name" metadata
	camera=$(json "$name" camera .device)
	metadata=$(json "$name" metadata .device)
}

# Ends when the kernel has taken the camera's nodes away. Whoever still holds something of the camera then keeps
# uvcvideo from being unloaded, which guest-tests finds.
pull_out() {
	kill -TERM "${pids[$1]}"
	finish "$1"
	expect_equal "nodes that the kernel took away" 2 "$(grep -c '"removed"' "$work/$1.json")"
}

# uvcvideo copies frames in workers, which on several CPUs may finish in another order than they began: seen on the debug
# kernel, as timestamps that go back. On one CPU they do not.
load_uvc() {
	local mask=/sys/devices/virtual/workqueue/cpumask
	# shellcheck disable=SC2064 # as it is now
	trap "echo $(<"$mask") >$mask" EXIT
	echo 1 >"$mask"
	modprobe uvcvideo "$@"
	modprobe vhci_hcd
	load_loop
}

# send_uvc_frames FRAMES FORMAT READER-OPTIONS CLONE-OPTION...
send_uvc_frames() {
	load_uvc
	plug_in uvc
	pass_frames "$1" "$3" --format "$2" --dmabuf "${@:4}"
	expect_sent uvc.log clone.log
	expect_sent uvc.log play.log
	expect_no_copy
	pull_out uvc
}

# expect_sent CAMERA-LOG FRAME-LOG: every frame is one that the camera sent in order: the hash goes over the payload,
# so the length is the same too.
expect_sent() {
	local report
	report=$(awk '
		/^#/ { next }
		NR == FNR { number[$3] = $1; damage[$3] = $4; next }
		{
			frames++
			if (!($5 in number)) unknown++
			else if (damage[$5] != "ok") damaged++
			else if (number[$5] <= last) disordered++
			last = number[$5]
		}
		END { printf "%s, %d unknown, %d damaged, %d disordered", frames ? "frames" : "no frame",
			unknown, damaged, disordered }
	' "$1" "$2")
	expect_equal "frames of $2 in $1" "frames, 0 unknown, 0 damaged, 0 disordered" "$report"
}

# The camera's own buffers come out at the reader, or it fills those of the loop.
camera_exports() {
	send_uvc_frames 40 "$1" --dmabuf --output-memory dmabuf
	expect_equal path source-exports "$(json clone end .path)"
	expect_same_frames clone.log play.log 40 same-memory
}

camera_imports() {
	send_uvc_frames 40 "$1" "" --memory dmabuf --output-memory mmap
	expect_equal path sink-exports "$(json clone end .path)"
	expect_same_frames clone.log play.log 40 any-memory
}

test_uvc_exports_dmabuf_reader() { camera_exports YUYV; }
test_uvc_imports_mapped_reader() { camera_imports YUYV; }
test_uvc_mjpg_exports() { camera_exports MJPG; }

test_uvc_mjpg_imports() {
	camera_imports MJPG
	expect_at_least "different lengths of the pictures" 20 "$(cut -d' ' -f2 uvc.log | sort -u | wc -l)"
}

# What others make of it: the file that a client writes is the JPEG that the camera sent, and decoders take it.
test_uvc_mjpg_pictures() {
	local number
	load_uvc
	plug_in uvc
	start clone "$bin" clone -i "$camera" -o "$loop" --format MJPG --width 640 --height 360 --dmabuf --json
	await clone start
	run 0 v4l2-ctl -d "$loop" --stream-mmap --stream-count=1 --stream-to=frame.jpg
	run 0 "$bin" play -i "$loop" --dmabuf -n 2 --snapshot frame.png
	stop clone
	expect_match "file type" 'JPEG image data.* 640x360' "$(file frame.jpg)"
	expect_equal "what ffprobe sees" mjpeg,640,360 \
		"$(ffprobe -v error -show_entries stream=codec_name,width,height -of csv=p=0 frame.jpg)"
	run 0 ffmpeg -v error -xerror -i frame.jpg -f null -
	expect_equal "complaints of the decoder" "" "$err"
	expect_match "file type" 'PNG image data, 640 x 360' "$(file frame.png)"
	number=$(grep -ao 'v4l2dma picture [0-9]*' frame.jpg)
	expect_equal "bytes of ${number#v4l2dma }" "$(awk -v number="${number##* }" '$1 == number { print $2 }' uvc.log)" \
		"$(stat -c %s frame.jpg)"
	expect_idle
	pull_out uvc
}

# The camera's buffers are smaller than what the loop has for such frames, and somebody reads.
test_uvc_mjpg_smaller_than_the_loops() {
	load_uvc
	plug_in uvc
	v4l2-ctl -d "$loop" --set-fmt-video-out=width=320,height=180,pixelformat=MJPG,sizeimage=900000 >format.log
	expect_match "the loop" 'Size Image +: 900000' "$(v4l2-ctl -d "$loop" --get-fmt-video-out)"
	pass_frames 20 --dmabuf --format MJPG --dmabuf --output-memory dmabuf
	expect_equal path source-exports "$(json clone end .path)"
	expect_same_frames clone.log play.log 20 same-memory
	expect_sent uvc.log play.log
	expect_no_copy
	pull_out uvc
}

# unplug FORMAT CLONE-OPTION...: while frames flow. The reader goes on waiting, the loop serves the next camera.
unplug() {
	local format=$1
	shift
	load_uvc
	plug_in first
	start clone "$bin" clone -i "$camera" -o "$loop" --format "$format" --dmabuf --json "$@"
	await clone start
	start play "$bin" play -i "$loop" --dmabuf --json
	await play start
	await play stats '.frames > 0'
	pull_out first
	finish clone 3
	expect_match "what clone says" "$camera.*unplugged" "$(<"$work/clone.err")"
	expect_equal "lines that clone says ($(<"$work/clone.err"))" 1 "$(wc -l <"$work/clone.err")"
	stop play
	expect_idle
	plug_in second
	run 0 "$bin" clone -i "$camera" -o "$loop" --format "$format" --dmabuf -n 10 --frame-log clone.log "$@"
	expect_sent second.log clone.log
	expect_idle
	pull_out second
}

test_uvc_unplugged_exports() { unplug YUYV --output-memory dmabuf; }
test_uvc_unplugged_imports() { unplug MJPG --memory dmabuf --output-memory mmap; }

# Another one of the same kind at the same port is the same one. The loop's reader goes on without noticing.
test_uvc_plugged_in_again() {
	load_uvc
	plug_in first
	start clone "$bin" clone -i "$camera" -o "$loop" --format MJPG --dmabuf --reconnect --json
	await clone start
	start play "$bin" play -i "$loop" --dmabuf --json
	await play stats '.frames > 0'
	pull_out first
	await clone waiting
	expect_match "what is waited for" "$camera to be plugged in again" "$(json clone waiting .for)"
	expect_equal "writers meanwhile" 0 "$(counter writer)"
	plug_in second
	await clone start
	await play stats ".frames > $(json play stats .frames) + 3"
	run 0 "$bin" play -i "$loop" --dmabuf -n 10 --frame-log play.log
	expect_sent second.log play.log
	stop play
	expect_equal "faults that play saw" 0 "$(json play end '.faults | add')"
	stop clone
	expect_no_copy
	pull_out second
}

# A frame that the reader holds outlives the camera, its driver's queue and the clone.
test_uvc_unplugged_while_a_reader_holds_a_frame() {
	local again
	load_uvc
	plug_in uvc
	start clone "$bin" clone -i "$camera" -o "$loop" --format YUYV --dmabuf --output-memory dmabuf --json
	await clone start
	mkfifo again
	exec {again}<>again
	start holder "$tree/build/tests/vm/loop/v4l2dma_hold_frame" "$loop" <&"$again"
	await holder held
	pull_out uvc
	finish clone 3
	echo >&"$again"
	finish holder
	expect_equal "the frame, before and after" "$(json holder held '[.fnv1a, .bytes]')" "$(json holder again '[.fnv1a, .bytes]')"
	expect_at_least "different bytes in it" 10 "$(json holder again .different_bytes)"
	expect_idle
}

# damaged KIND NODROP FORMAT: each third picture is damaged on its way. The driver drops such frames, or with nodrop=1 (newer
# kernels' default) marks them; clone counts these and passes none on.
damaged() {
	load_uvc nodrop="$2"
	plug_in uvc --damage "$1" 3
	start play "$bin" play -i "$loop" -n 20 --frame-log "$work/play.log" --json
	await play stats
	start clone "$bin" clone -i "$camera" -o "$loop" --format "$3" --dmabuf --frame-log "$work/clone.log" --json
	await clone start
	finish play
	stop clone
	expect_sent uvc.log clone.log
	expect_sent uvc.log play.log
	expect_equal "faults that play saw" 0 "$(json play end '.faults | add')"
	expect_at_least "damaged pictures that the camera sent" 5 "$(grep -vc ok uvc.log)"
	if (($2)); then
		expect_at_least "frames that clone counts as corrupt" 5 "$(json clone end .corrupt)"
	else
		expect_equal "frames that clone counts as corrupt" 0 "$(json clone end .corrupt)"
	fi
	expect_idle
	pull_out uvc
}

test_uvc_frames_cut_short_dropped() { damaged cut 0 YUYV; }
test_uvc_frames_cut_short_marked() { damaged cut 1 YUYV; }
test_uvc_frames_flagged() { damaged flagged 1 MJPG; }
test_uvc_packets_lost() { damaged lost 1 MJPG; }

test_uvc_inspect() {
	load_uvc
	plug_in uvc
	run 0 "$bin" inspect "$camera" --json
	expect_equal "driver" uvcvideo "$(jq -r '.devices[0].driver' <<<"$out")"
	expect_equal "memory that the camera takes" '{"mmap":"yes","userptr":"yes","dmabuf":"yes","export":"yes"}' \
		"$(jq -c '.devices[0].sides[0].memory' <<<"$out")"
	expect_equal "formats" YUYV,MJPG "$(jq -r '[.devices[0].sides[0].formats[].fourcc] | join(",")' <<<"$out")"
	run 0 "$bin" inspect "$metadata"
	expect_match "what the other node is" 'metadata' "$out"
	run 3 "$bin" clone -i "$metadata" -o "$loop"
	expect_match "what clone says" "$metadata.*metadata" "$err"
	run 3 "$bin" play -i "$metadata"
	expect_match "what play says" "$metadata.*metadata" "$err"
	run 2 "$bin" clone -i "$camera" -o "$loop" --width 320 --height 240
	expect_match "what clone says" "$camera does not offer this.*320x180" "$err"
	pull_out uvc
}

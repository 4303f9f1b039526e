# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# camera -> clone -> loop -> play: which memory the frames lie in, what is copied, and that they are the same frames.

# send_frames FRAMES READER-OPTIONS CLONE-OPTION...
send_frames() {
	load_camera
	load_loop
	pass_frames "$@"
}

test_camera_exports_dmabuf_reader() {
	send_frames 300 --dmabuf --dmabuf --output-memory dmabuf
	expect_equal path source-exports "$(json clone end .path)"
	expect_same_frames clone.log play.log 300 same-memory
	expect_no_copy
}

test_loop_exports_mapped_reader() {
	send_frames 300 "" --dmabuf --output-memory mmap
	expect_equal path sink-exports "$(json clone end .path)"
	expect_same_frames clone.log play.log 300 any-memory
	expect_no_copy
}

test_loop_exports_dmabuf_reader() {
	send_frames 100 --dmabuf --dmabuf
	expect_equal path sink-exports "$(json clone end .path)"
	expect_same_frames clone.log play.log 100 same-memory
	expect_no_copy
}

# Where a copy is unavoidable it is made, once, and said.
test_camera_exports_mapped_reader() {
	send_frames 100 "" --output-memory dmabuf
	expect_same_frames clone.log play.log 100 any-memory
	expect_equal "copies in the loop" 100 "$(counter copies)"
}

# Unless the loop knows that the camera's buffers keep their places: then a reader that comes later maps them.
test_camera_exports_fixed_bindings() {
	load_camera
	load_loop
	start clone "$bin" clone -i "$camera" -o "$loop" --width 320 --height 180 --fps 30 --output-memory dmabuf \
		--fixed-bindings --frame-log "$work/clone.log" --json
	await clone stats '.frames > 8' # each buffer was there
	run 0 "$bin" play -i "$loop" -n 30 --frame-log play.log
	run 0 v4l2-ctl -d "$loop" --stream-mmap --stream-count=10 --stream-to=/dev/null
	stop clone
	expect_equal path source-exports "$(json clone end .path)"
	expect_same_frames clone.log play.log 30 any-memory
	expect_at_least "frames that readers got" 40 "$(counter delivered)"
	expect_equal "copies in the loop" "0 0" "$(counter copies copied_bytes)"
	expect_idle
	run 0 "$bin" load --add --video-nr 11
	run 2 "$bin" clone -i "$loop" -o /dev/video11 --fixed-bindings
	expect_match "what clone says" "a loop's frames come in whatever memory" "$err"
}

test_mapped_copy() {
	send_frames 100 "" --memory mmap --output-memory mmap
	expect_same_frames clone.log play.log 100 any-memory
	expect_equal "copies in the loop" 0 "$(counter copies)"
	expect_equal "bytes that clone copied for each frame" "$(json clone start .sizeimage)" \
		"$(json clone end '.copied_bytes / .frames')"
}

# A camera whose memory must be contiguous takes the loop's fds at REQBUFS and refuses them at QBUF.
test_falls_back_at_the_call_that_fails() {
	load_camera allocators=1
	load_loop
	# Large enough that the loop's pages are not contiguous by chance.
	run 0 "$bin" clone -i "$camera" -o "$loop" --width 1280 --height 720 --dmabuf -n 5 --json -v
	expect_equal path source-exports "$(jq -rs 'last | .path' <<<"$out")"
	expect_match "what was tried" 'sink-exports +0 +imports +exports +failed: QBUF.*Bad address' "$err"
	expect_match "what was taken" 'source-exports +0 +exports +imports +taken' "$err"
	expect_idle
}

test_snapshot() {
	load_camera
	load_loop
	start clone "$bin" clone -i "$camera" -o "$loop" --width 640 --height 360 --fps 30 --dmabuf --json
	await clone start
	run 0 "$bin" play --dmabuf -n 3 --snapshot "$work/frame.png"
	expect_match "file type" 'PNG image data, 640 x 360' "$(file "$work/frame.png")"
	stop clone
}

# A camera that wants its memory in one piece, as those without an IOMMU do.
test_contiguous_memory() {
	load_camera allocators=1
	load_loop
	# A picture that is not contiguous by chance.
	run 4 "$bin" clone -i "$camera" -o "$loop" --width 1280 --height 720 --dmabuf --memory dmabuf -n 20
	expect_match "what was refused" 'QBUF' "$err"
	modprobe -r v4l2dma
	load_loop contiguous=1
	start clone "$bin" clone -i "$camera" -o "$loop" --width 1280 --height 720 --dmabuf --memory dmabuf \
		--frame-log "$work/clone.log" --json
	await clone start
	run 0 "$bin" play -i "$loop" --dmabuf -n 30 --frame-log "$work/play.log"
	stop clone
	expect_equal path sink-exports "$(json clone end .path)"
	expect_equal "copies in the loop" 0 "$(counter copies)"
	expect_same_frames clone.log play.log 30 same-memory
}

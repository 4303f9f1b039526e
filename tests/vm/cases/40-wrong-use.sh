# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# Wrong use: a sentence that names the thing, the right exit code, and nothing left behind.

# wrong EXIT-CODE SENTENCE ARGUMENT...
wrong() {
	run "$1" "$bin" "${@:3}"
	expect_match "stderr of '${*:3}'" "$2" "$err"
	expect_equal "lines on stderr of '${*:3}' ($err)" 1 "$(wc -l <<<"$err")"
	expect_equal "stdout of '${*:3}'" "" "$out"
}

test_clone_wrong_devices() {
	load_camera
	load_loop
	wrong 3 'video0.*(not an output|cannot output|no output|capture)' clone -i "$loop" -o "$camera"
	wrong 3 '/dev/video77.*No such file' clone -i /dev/video77 -o "$loop"
	wrong 3 '/dev/video77.*No such file' clone -i "$camera" -o /dev/video77
	wrong 3 '/dev/null.*not a (V4L2|video) device' clone -i /dev/null -o "$loop"
	wrong 2 'both the input and the output' clone -i "$loop" -o "$loop"
	expect_idle
}

test_clone_wrong_formats() {
	load_camera
	load_loop
	wrong 2 '100000' clone -i "$camera" -o "$loop" --width 100000 --height 100000
	wrong 2 '640x360' clone -i "$camera" -o "$loop" --width 641 --height 361
	wrong 2 'YUYW.*YUYV' clone -i "$camera" -o "$loop" --format YUYW
	wrong 2 'fps' clone -i "$camera" -o "$loop" --fps 1234
	wrong 2 'width' clone -i "$camera" -o "$loop" --width -5
	expect_idle
}

test_busy() {
	load_camera
	load_loop
	start clone "$bin" clone -i "$camera" -o "$loop" --dmabuf --json
	await clone start
	modprobe -r v4l2dma 2>rmmod.err && fail "the module went while in use"
	wrong 3 "$loop.*(another program|busy)" clone -i "$camera" -o "$loop"
	wrong 3 'in use' load --unload
	stop clone
	expect_idle
}

test_busy_camera() {
	load_camera
	load_loop
	start clone "$bin" clone -i "$camera" -o "$loop" --dmabuf --json
	await clone start
	wrong 3 "$camera.*(another program|busy)" clone -i "$camera" -o null:
	stop clone
}

test_zero_copy_that_cannot_be_had() {
	load_camera
	load_loop support_dmabuf=0
	run 4 "$bin" clone -i "$camera" -o "$loop" --dmabuf
	expect_match "which call refused" 'EXPBUF' "$err"
	expect_match "which call refused" 'REQBUFS' "$err"
	expect_idle
	# Without the demand the camera gets the addresses of the loop's memory; or there is a copy, which is said.
	run 0 "$bin" clone -i "$camera" -o "$loop" -n 5 --json
	expect_equal "path" sink-lends "$(jq -rs 'last | .path' <<<"$out")"
	expect_equal "bytes copied" 0 "$(jq -rs 'last | .copied_bytes' <<<"$out")"
	run 0 "$bin" clone -i "$camera" -o "$loop" -n 5 --json --memory mmap --output-memory mmap
	expect_equal "bytes copied" "$(jq -rs 'first | .sizeimage * 5' <<<"$out")" "$(jq -rs 'last | .copied_bytes' <<<"$out")"
	start writer "$bin" clone -i "$camera" -o "$loop" --json
	await writer start
	run 4 "$bin" play -i "$loop" --dmabuf -n 5
	expect_match "which call refused" 'EXPBUF' "$err"
	stop writer
	expect_idle
}

test_play_without_a_loop() {
	load_camera
	wrong 3 'no loop.*v4l2dma load' play
	wrong 3 '/dev/video77' play -i /dev/video77
}

test_play_demands_another_size() {
	load_camera
	load_loop
	wrong 2 '640x480' play -i "$loop" --width 1920
}

test_group() {
	load_camera
	load_loop allowed_gid=4242
	chmod 666 "$loop"
	wrong_as() {
		run "$1" setpriv --reuid 65534 --regid 65534 --clear-groups "${@:2}"
	}
	wrong_as 3 "$bin" play -i "$loop" -n 1
	expect_match "who is refused" "$loop: Permission denied" "$err"
	wrong_as 3 "$bin" inspect "$loop"
	wrong_as 3 "$bin" play -n 1
	expect_match "what is refused where no loop is named" "open /dev/video.*: Permission denied \(and there is no other loop" "$err"
	# The group may be primary or supplementary; root needs none.
	run 0 setpriv --reuid 65534 --regid 4242 --clear-groups v4l2-ctl -d "$loop" --info
	run 0 setpriv --reuid 65534 --regid 65534 --groups 4242 v4l2-ctl -d "$loop" --info
	run 0 "$bin" inspect "$loop"
}

test_control_node_is_for_root() {
	load_loop
	chmod 666 "$loop"
	expect_equal "mode of the control node" 600 "$(stat -c %a /dev/v4l2dma)"
	run 0 setpriv --reuid 65534 --regid 65534 --clear-groups "$bin" inspect "$loop"
	expect_match "what an ordinary user is told" 'root' "$out"
}

test_full_disk() {
	load_camera
	load_loop
	mkdir "$work/full"
	mount -t tmpfs -o size=4k none "$work/full"
	start clone "$bin" clone -i "$camera" -o "$loop" --width 640 --height 360 --fps 30 --dmabuf --json
	await clone start
	# The picture is larger than the disk, and half of it must not stay.
	run 1 "$bin" play -i "$loop" --dmabuf -n 300 --snapshot "$work/full/frame.png"
	expect_match "what play says" "full/frame.png: No space left on device" "$err"
	expect_equal "files on the full disk" "" "$(ls -A "$work/full")"
	run 1 "$bin" play -i "$loop" --dmabuf -n 3000 --frame-log "$work/full/frames"
	expect_match "what play says" "full/frames: No space left on device" "$err"
	# Its own limit, of 1024 bytes, is no other matter.
	mkdir "$work/limited"
	run 1 bash -c 'ulimit -f 1; exec "$@"' - "$bin" play -i "$loop" --dmabuf -n 300 --snapshot "$work/limited/frame.png"
	expect_match "what play says" "limited/frame.png: File too large" "$err"
	expect_equal "files beyond the limit" "" "$(ls -A "$work/limited")"
	# A reader that fails is no concern of the writer.
	run 0 "$bin" play -i "$loop" --dmabuf -n 10
	stop clone
	umount "$work/full"
	expect_idle
}

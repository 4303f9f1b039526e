# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# Pictures that FFmpeg hands out as DRM PRIME: a screen's, which lie in the graphics card's memory. They go on as the very
# dma-bufs that the screen is read from, or are copied once, and counted, where something else is wanted of them.

frames=5
grab=(--input-container kmsgrab)

# The graphics card that tests/vm/run gives every guest, with a picture on it that is also in the file "shown".
show_picture() {
	local line connectors
	[[ -d /sys/module/virtio_gpu ]] || modprobe virtio-gpu
	connectors=(/sys/class/drm/card*-Virtual-1)
	card=/dev/dri/$(basename "${connectors[0]%%-*}")
	start screen "$tree/build/tests/vm/screen/v4l2dma_screen" "$card" shown
	read -r -t "$patience" -u "${fds[screen]}" line || fail "no picture: $(cat screen.err)"
	size=${line% *} inode=${line#* }
	bytes=$((${size%x*} * ${size#*x} * 4))
	run 0 "$bin" clone -i shown --input-container raw --format XR24 --width "${size%x*}" --height "${size#*x}" \
		-o null: --frame-log picture --json
	hash=$(awk '!/^#/ { print $5 }' picture)
}

# Nobody holds anything of the card's any more. Its driver stays: it gives objects back to the host when they are gone, and
# does not wait for that when it is unloaded.
hide_picture() {
	local deadline=$((SECONDS + patience)) all=/sys/kernel/debug/dma_buf/bufinfo
	kill -TERM "${pids[screen]}"
	finish screen
	[[ -e $all ]] || mount -t debugfs debugfs /sys/kernel/debug
	while grep -q "\b0*$inode\b" "$all"; do
		((SECONDS < deadline)) || fail "somebody holds the picture's dma-buf: $(cat "$all")"
		read -r -t 0.05 <> <(:) || true
	done
}

# watch_screen READER-OPTIONS CLONE-OPTION...: screen -> clone -> loop -> play, which sees the picture and nothing else.
watch_screen() {
	local reader_options=$1
	shift
	rm -f "$work"/{clone,play}.{fifo,json,err}
	# shellcheck disable=SC2086 # several words
	start play "$bin" play -i "$loop" $reader_options -n "$frames" --frame-log read --json
	await play stats
	start clone "$bin" clone "${grab[@]}" -i "$card" -o "$loop" --json "$@"
	await clone start
	finish play
	stop clone
	expect_equal "pictures that play saw" "$(yes "$hash" | head -n "$frames")" "$(awk '!/^#/ { print $5 }' read)"
}

test_goes_on_as_dmabuf() {
	show_picture
	load_loop
	watch_screen --dmabuf --dmabuf
	expect_equal "the path" source-exports "$(json clone start .path)"
	expect_equal "dma-bufs that play was given" "$inode" "$(awk '!/^#/ { print $4 }' read | sort -u)"
	expect_no_copy
	hide_picture
}

test_copied_once() {
	local memory
	show_picture
	load_loop
	for memory in mmap write; do
		watch_screen "" --output-memory "$memory"
		expect_equal "format" "XR24 $size" "$(json clone start '"\(.format) \(.width)x\(.height)"')"
	done
	watch_screen "" --output-memory mmap
	expect_equal "bytes copied of each frame" "$bytes" "$(json clone end '.copied_bytes / .frames')"
	expect_idle
	hide_picture
}

test_another_format() {
	show_picture
	load_loop
	run 4 "$bin" clone "${grab[@]}" -i "$card" -o "$loop" --format NV12 --dmabuf
	expect_match "what clone says" 'NV12 .* is not how its pictures are in memory' "$err"
	run 0 "$bin" clone "${grab[@]}" -i "$card" -o "$loop" --format NV12 -n 2 --json
	expect_idle
	hide_picture
}

test_exported() {
	show_picture
	run 0 "$bin" export "${grab[@]}" -i "$card" -o shot.png
	ffmpeg -nostdin -v error -i shot.png -f rawvideo -pix_fmt bgr0 -y shot.raw
	cmp shot.raw shown || fail "the picture of the screen is another one"
	run 0 "$bin" export "${grab[@]}" -i "$card" -n 3 -o shot.mkv --codec ffv1
	expect_equal "frames of the film" 3 \
		"$(ffprobe -v error -count_frames -show_entries stream=nb_read_frames -of csv=p=0 shot.mkv | tr -d ,)"
	hide_picture
}

test_no_screen() {
	run 3 "$bin" clone "${grab[@]}" -i /dev/dri/card7 -o null:
	expect_match "what clone says" '/dev/dri/card7' "$err"
	show_picture
	run 3 setpriv --reuid=65534 --clear-groups "$bin" clone "${grab[@]}" -i "$card" -o null:
	expect_match "what clone says" "$card" "$err"
	hide_picture
}

# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# Every path that the program knows, from each kind of source into a loop: the frames that a reader gets are those that the
# source gave, hash for hash. What cannot run here is listed with clone's own reason.

# expect_passed PATH: what the reader logged is what clone logged. write() takes no timestamps along: there the picture,
# which has a counter in it, says which frame it is.
expect_passed() {
	case $1 in
	read-source | read-dmabuf | read-memory | read-write)
		expect_equal "frames of read whose picture is not in written ($1)" 0 \
			"$(awk 'NR == FNR { hash[$5]; next } !($5 in hash) { n++ } END { print n + 0 }' written read)"
		;;
	*) expect_same_frames written read 8 any-memory ;;
	esac
}

# pass_every_path SOURCE CLONE-OPTION...: prints the table; fails if fewer than $least ran.
pass_every_path() {
	local source=$1 path ran=()
	shift
	load_loop
	for path in $(every_path); do
		rm -f "$work"/{clone,play}.{fifo,json,err} "$work"/{written,read}
		start clone "$bin" clone -i "$source" -o "$loop" --strategy "$path" --json --frame-log "$work/written" "$@"
		if ! begun clone; then
			finish clone 4
			leave_out "$source $path" "$(tail -n 1 "$work/clone.err" | cut -c 1-150)"
			continue
		fi
		run 0 "$bin" play -i "$loop" -n 8 --frame-log "$work/read"
		stop clone
		expect_passed "$path"
		expect_equal "bytes copied for each frame ($path)" "$(json clone start .copied_bytes_per_frame)" \
			"$(json clone end '.copied_bytes / .frames')"
		expect_idle
		ran+=("$path")
	done
	printf '  ran   %s: %s\n' "$source" "${ran[*]}"
	expect_at_least "paths that ran from $source" "$least" "${#ran[@]}"
}

test_camera() {
	load_camera
	least=10 pass_every_path "$camera" --width 320 --height 180
}

# With an allocator of dma-bufs more paths are possible; 6.1 has vgem alone.
test_camera_and_third_memory() {
	modprobe vgem
	load_camera
	least=14 pass_every_path "$camera" --width 320 --height 180
}

test_generated() {
	least=3 pass_every_path test:bars,320x180,NV12,30
}

test_multiplanar_camera() {
	load_vivid multiplanar=2
	modprobe v4l2dma video_nr=10 multiplanar=1
	local path
	for path in sink-exports source-exports sink-lends copy; do
		rm -f "$work"/{clone,play}.{fifo,json,err} "$work"/{written,read}
		start clone "$bin" clone -i "$camera" -o "$loop" --width 320 --height 180 --format NM16 --strategy "$path" --json \
			--frame-log "$work/written"
		await clone start
		run 0 "$bin" play -i "$loop" -n 8 --frame-log "$work/read"
		stop clone
		expect_same_frames written read 8 any-memory
		expect_idle
	done
}

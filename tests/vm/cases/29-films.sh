# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# A film as a camera: decoded into the loop's memory, hash for hash what FFmpeg makes of it, by each of the four methods of
# output; what is copied is counted; compressed, in a loop, with a camera's readers.

frames=24

# make_film FILE FFMPEG-OPTION...: small moving pictures, whose sides are whole blocks.
make_film() {
	local file=$1
	shift
	ffmpeg -nostdin -v error -f lavfi -i "testsrc2=size=256x208:rate=25" -frames:v "$frames" -pix_fmt yuv420p "$@" -y "$file"
}

# The films' hashes, without a device: what must come out of a loop.
log_film() { # log_film FILE LOG [CLONE-OPTION...]
	run 0 "$bin" clone -i "$1" -o null: --no-pace --frame-log "$2" --json "${@:3}"
	expect_equal "frames of $1" "$frames" "$(grep -vc '^#' "$2")"
}

# A loop that loses nothing, in the film's format, colours included: a reader that is there first misses no frame.
load_film_loop() { # load_film_loop FILE [CLONE-OPTION...]
	load_loop overrun=lossless
	run 0 "$bin" clone -i "$1" -o "$loop" -n 1 "${@:2}"
}

# start_reader FRAMES PLAY-OPTION...: it settles how many slots the loop has, of which a decoder needs some.
start_reader() {
	start play "$bin" play -i "$loop" -n "$1" --buffers 24 --frame-log "$work/read" --json "${@:2}"
	await play stats
}

# play_film FILE CLONE-OPTION...
play_film() {
	local film=$1
	shift
	rm -f "$work"/{clone,play}.{fifo,json,err}
	start_reader "$frames"
	start clone "$bin" clone -i "$film" -o "$loop" --frame-log "$work/written" --json "$@"
	finish clone # first: a reader would wait for ever for a clone that failed
	finish play
	expect_equal "frames that play got" "$frames" "$(json play end .frames)"
	expect_equal "faults that play saw" 0 "$(json play end '.faults | add')"
	expect_equal "frames of the film" "$frames" "$(json clone end .frames)"
	expect_idle
}

# The reader got the film's pictures, each of them, in their order.
expect_film() { # expect_film LOG
	expect_equal "pictures of the film that the reader got" "$(awk '!/^#/ { print $5 }' "$1")" "$(awk '!/^#/ { print $5 }' "$work/read")"
}

test_every_method_of_output() {
	local method copied
	modprobe vgem # 6.1 has no other allocator
	make_film film.mp4 -c:v libx264 -qp 0 -bf 2
	load_film_loop film.mp4
	log_film film.mp4 decoded
	for method in mmap dmabuf userptr; do
		play_film film.mp4 --output-memory "$method"
		expect_film decoded
		# The kernel copies what it is given by address, and clone says so; an imported frame it copies for readers that map.
		case $method in
		mmap) copied="0 0" ;;
		dmabuf) copied="0 79872" ;;
		userptr) copied="79872 79872" ;;
		esac
		expect_equal "bytes of each frame that clone and the loop copied ($method)" "$copied" \
			"$(json clone end '.copied_bytes / .frames') $(($(json play end .loop.copied_bytes) / frames))"
	done
}

# A writer by write() does not hear when its frames were read: what waits when it closes the loop is lost. So it goes on.
test_write() {
	make_film film.mp4 -c:v libx264 -qp 0 -bf 2
	load_film_loop film.mp4
	log_film film.mp4 decoded
	start_reader "$frames"
	start clone "$bin" clone -i film.mp4 -o "$loop" --output-memory write --loop --json
	finish play
	stop clone
	expect_film decoded
	expect_equal "bytes copied of each frame" 79872 "$(json clone end '.copied_bytes / .frames')"
	expect_idle
}

test_zero_copy() {
	modprobe vgem
	make_film film.mkv -c:v ffv1
	load_film_loop film.mkv
	log_film film.mkv decoded
	start_reader "$frames" --dmabuf
	start clone "$bin" clone -i film.mkv -o "$loop" --dmabuf --frame-log "$work/written" --json
	finish clone
	finish play
	expect_film decoded
	expect_same_frames "$work/written" "$work/read" "$frames" same-memory
	expect_no_copy
	# What cannot be decoded in place is no zero-copy, and that is said.
	ffmpeg -nostdin -v error -i film.mkv -vf scale=250:190,setsar=1 -c:v ffv1 -y odd.mkv
	run 4 "$bin" clone -i odd.mkv -o "$loop" --dmabuf
	expect_match "what clone says" 'not zero-copy' "$err"
}

# Raw pictures need no decoder: the file is read into the loop's memory, whatever the size.
test_raw() {
	local film
	make_film film.y4m -vf scale=330:190,setsar=1
	ffmpeg -nostdin -v error -i film.y4m -f rawvideo film.raw
	for film in film.y4m film.raw; do
		load_film_loop "$film" --format YU12 --width 330 --height 190
		run 0 "$bin" clone -i "$film" -o null: --no-pace --frame-log decoded --format YU12 --width 330 --height 190
		play_film "$film" --output-memory mmap --format YU12 --width 330 --height 190
		expect_film decoded
		expect_equal "bytes of $film that clone and the loop copied" "0 0" \
			"$(json clone end .copied_bytes) $(json play end .loop.copied_bytes)"
	done
}

# A loop that loses nothing keeps all it gets while its reader stands still: the decoder's buffers do not go there.
test_reader_that_stands_still() {
	local rounds=4
	load_loop overrun=lossless reclaim_ms=60000
	make_film film.mp4 -c:v libx264 -qp 0 -bf 2
	run 0 "$bin" clone -i film.mp4 -o "$loop" -n 1
	start_reader $((rounds * frames))
	kill -STOP "${pids[play]}"
	start clone "$bin" clone -i film.mp4 -o "$loop" --output-memory mmap --no-pace --loop -n $((rounds * frames)) --json
	await clone stats '.frames > 3'
	kill -CONT "${pids[play]}"
	finish clone
	finish play
	expect_equal "frames that play got" $((rounds * frames)) "$(json play end .frames)"
	expect_equal "bytes that clone copied" 0 "$(json clone end .copied_bytes)"
	expect_idle
}

test_copied_where_it_does_not_fit() {
	make_film film.mkv -c:v libx264 -qp 0 -vf scale=320:180,setsar=1
	load_film_loop film.mkv
	log_film film.mkv decoded
	play_film film.mkv
	expect_film decoded
	expect_equal "bytes copied of each frame" 86400 "$(json clone end '.copied_bytes / .frames')"
}

# As 1080 lines, 200 are no whole blocks: more are decoded than shown, for which only planes that lie apart have room.
test_zero_copy_of_planes_apart() {
	modprobe vgem
	make_film film.mp4 -c:v libx264 -qp 0 -vf scale=256:200,setsar=1
	load_loop multiplanar=1 overrun=lossless
	run 0 "$bin" clone -i film.mp4 -o "$loop" -n 1 --format YM12
	log_film film.mp4 decoded --format YM12
	start_reader "$frames" --dmabuf
	start clone "$bin" clone -i film.mp4 -o "$loop" --dmabuf --format YM12 --frame-log "$work/written" --json
	finish clone
	finish play
	expect_film decoded
	expect_same_frames "$work/written" "$work/read" "$frames" same-memory
	expect_no_copy
}

test_another_format() {
	local wishes=(--format YUYV --width 128 --height 104)
	make_film film.mkv -c:v ffv1
	load_film_loop film.mkv "${wishes[@]}"
	play_film film.mkv "${wishes[@]}"
	expect_same_frames written read "$frames" any-memory
	expect_equal "bytes written, once" $((128 * 104 * 2)) "$(json clone end '.copied_bytes / .frames')"
	expect_equal "format" "YUYV 128" "$(json clone start '"\(.format) \(.width)"')"
}

test_compressed() {
	make_film film.avi -c:v mjpeg -q:v 3
	load_film_loop film.avi --format MJPG
	play_film film.avi --format MJPG
	expect_same_frames written read "$frames" any-memory
	expect_equal "format" MJPG "$(json clone start .format)"
	# Each frame is the file's packet, as the loop's reader would write it to a file.
	expect_equal "bytes of all packets" \
		"$(ffprobe -v error -show_entries packet=size -of csv=p=0 film.avi | tr -d , | awk '{ s += $1 } END { print s }')" \
		"$(json clone end .copied_bytes)"
}

test_round_and_round() {
	make_film film.mp4 -c:v libx264 -qp 0
	load_film_loop film.mp4
	start_reader $((3 * frames + 5))
	start clone "$bin" clone -i film.mp4 -o "$loop" --loop --json
	finish play
	stop clone
	expect_equal "frames" $((3 * frames + 5)) "$(json play end .frames)"
	# Forty milliseconds from each to the next, from the last of a round to the first, too.
	expect_equal "steps of the timestamps" 40000 "$(awk '!/^#/ { if (n++) print $2 - last; last = $2 }' "$work/read" | sort -u)"
	log_film film.mp4 decoded
	expect_equal "picture at the begin of the third round" "$(awk '!/^#/ { print $5; exit }' decoded)" \
		"$(awk -v n=$((2 * frames)) '!/^#/ && i++ == n { print $5 }' "$work/read")"
	expect_idle
}

test_killed_in_the_middle() {
	load_loop
	make_film film.mp4 -c:v libx264
	start clone "$bin" clone -i film.mp4 -o "$loop" --loop --json
	await clone stats '.frames > 3'
	kill -KILL "${pids[clone]}"
	wait "${pids[clone]}" 2>/dev/null || true
	unset "pids[clone]"
	expect_idle
	run 0 "$bin" clone -i film.mp4 -o "$loop" --no-pace
}

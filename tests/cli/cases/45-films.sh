# shellcheck shell=bash disable=SC2154 # bin, tree, work, out, err are of tests/cli/run
# SPDX-License-Identifier: MIT
#
# Films as a source, without devices. Into loops: tests/vm/cases/29-films.sh.

make_film() { # make_film FILE FFMPEG-OPTION...
	ffmpeg -nostdin -v error -f lavfi -i "testsrc2=size=64x48:rate=25" -frames:v 10 "${@:2}" -y "$1"
}

# The pictures' hashes, as clone has them.
hashes() { # hashes LOG
	awk '!/^#/ { print $5 }' "$1"
}

expect_frames() { # expect_frames NUMBER
	expect_equal "frames ($err)" "$1" "$(jq -s 'last | .frames' <<<"$out")"
}

test_film_kinds() {
	local file
	make_film film.mkv -c:v ffv1 -pix_fmt yuv420p
	run 0 "$bin" clone -i film.mkv -o null: --no-pace --frame-log log --json
	expect_frames 10
	ffmpeg -nostdin -v error -i film.mkv film.y4m
	for file in film.nut film.avi; do
		ffmpeg -nostdin -v error -i film.mkv -c:v rawvideo "$file"
	done
	for file in film.nut film.avi film.y4m; do
		run 0 "$bin" clone -i "$file" -o null: --no-pace --frame-log "$file.log" --json
		expect_equal "pictures of $file" "$(hashes log)" "$(hashes "$file.log")"
	done
	# Without a header; from a pipe; as pictures in files; by a URL.
	ffmpeg -nostdin -v error -i film.mkv -f rawvideo film.raw
	run 0 "$bin" clone -i film.raw -o null: --no-pace --format YU12 --width 64 --height 48 --frame-log raw.log --json
	expect_equal "pictures of film.raw" "$(hashes log)" "$(hashes raw.log)"
	for file in film.mkv film.y4m; do
		head -c 100M "$file" | "$bin" clone -i - -o null: --no-pace --frame-log pipe.log --json >pipe.json
		expect_equal "pictures of a piped $file" "$(hashes log)" "$(hashes pipe.log)"
	done
	mkfifo pipe
	cat film.mkv >pipe &
	run 0 "$bin" clone -i pipe -o null: --no-pace --json
	expect_frames 10
	mkdir pictures
	ffmpeg -nostdin -v error -i film.mkv -pix_fmt rgb24 pictures/%03d.png
	run 0 "$bin" clone -i pictures/%03d.png -o null: --no-pace --json
	expect_frames 10
	expect_equal "format of PNG" RGB3 "$(jq -rs 'first | .format' <<<"$out")"
	run 0 "$bin" clone -i "file://$work/film.mkv" -o null: --no-pace --json
	expect_frames 10
	cp film.mkv 'a:b?c.mkv'
	run 0 "$bin" clone -i 'a:b?c.mkv' -o null: --no-pace --json
	expect_frames 10
}

# What is in it lies in the file as it does in memory, and is read straight to there.
test_raw_films() {
	local raw=(--format YU12 --width 64 --height 48) file size pid
	make_film film.mkv -c:v ffv1 -pix_fmt yuv420p
	ffmpeg -nostdin -v error -i film.mkv film.y4m
	ffmpeg -nostdin -v error -i film.mkv -f rawvideo film.raw
	run 0 "$bin" clone -i film.mkv -o null: --no-pace --loop -n 25 --frame-log log
	for file in film.y4m film.raw; do
		run 0 "$bin" clone -i "$file" "${raw[@]}" -o null: --no-pace --loop -n 25 --frame-log "$file.log" --json
		expect_frames 25
		expect_equal "pictures of $file, again and again" "$(hashes log)" "$(hashes "$file.log")"
		expect_equal "bytes copied of $file" 0 "$(jq -s 'last | .copied_bytes' <<<"$out")"
		run 0 "$bin" clone -i "$file" "${raw[@]}" -o null: --no-pace --seek 0.2 --frame-log seek.log --json
		expect_equal "pictures of the second half of $file" "$(hashes log | sed -n 6,10p)" "$(hashes seek.log)"
		# It has no end yet, or lost it.
		size=$(stat -c %s "$file")
		head -c $((size - 1000)) "$file" >"short.${file##*.}"
		run 0 "$bin" clone -i "short.${file##*.}" "${raw[@]}" -o null: --no-pace --json
		expect_frames 9
	done
	expect_equal "pictures of a raw file that are not whole" 1 "$(jq -s 'last | .corrupt' <<<"$out")"
	# From a pipe; nobody has the first picture twice, so it is copied.
	ffmpeg -nostdin -v error -f lavfi -i testsrc2=size=320x240:rate=25 -frames:v 10 -pix_fmt yuv420p -f rawvideo large.raw
	raw=(--format YU12 --width 320 --height 240)
	run 0 "$bin" clone -i large.raw "${raw[@]}" -o null: --no-pace --frame-log log
	dd if=large.raw bs=1000 status=none | "$bin" clone -i - --input-container raw "${raw[@]}" -o null: --no-pace \
		--frame-log pipe.log --json >pipe.json
	expect_equal "pictures of a pipe" "$(hashes log)" "$(hashes pipe.log)"
	(($(jq -s 'last | .copied_bytes' pipe.json) <= 115200 + 65536)) || fail "more than the first picture was copied: $(<pipe.json)"
	head -c 300000 large.raw | "$bin" clone -i - --input-container raw "${raw[@]}" -o null: --no-pace --json >pipe.json
	expect_equal "pictures of a pipe that ends too soon" "2 1" "$(jq -rs 'last | "\(.frames) \(.corrupt)"' pipe.json)"
	# Its writer says no more in the middle of one, and stays: a signal ends it.
	mkfifo pipe
	exec {hold}<>pipe
	head -c 30000 film.raw >pipe
	: >pipe.json
	"$bin" clone -i pipe --input-container raw --format YU12 --width 64 --height 48 -o null: --no-pace --json \
		--stats-interval 0.1 >pipe.json 2>err &
	pid=$!
	until [[ $(jq -s 'map(.frames // 0) | max' pipe.json) == 6 ]]; do
		kill -0 "$pid" || fail "it ended by itself: $(<err)"
		read -r -t 0.05 <> <(:) || true
	done
	kill -INT "$pid"
	wait "$pid" || fail "exit code $? after a signal: $(<err)"
	exec {hold}>&-
	expect_equal "pictures until then" 6 "$(jq -s 'last | .frames' pipe.json)"
	{ head -c $((size / 2)) film.y4m; echo nonsense; cat film.y4m; } >damaged.y4m
	run 1 "$bin" clone -i damaged.y4m -o null: --no-pace
	expect_match "what is said of a damaged file" 'read damaged.y4m: its data are damaged' "$err"
	# Wanted in another format, it is converted like any film.
	run 0 "$bin" clone -i film.y4m --format NV12 -o null: --no-pace --json
	expect_frames 10
	expect_equal "bytes written for each frame" 4608 "$(jq -s 'last | .copied_bytes / .frames' <<<"$out")"
}

test_film_times() {
	make_film film.mkv -c:v ffv1
	run 0 "$bin" clone -i film.mkv -o null: --no-pace --frame-log log --json
	expect_equal "steps" 40000 "$(awk '!/^#/ { if (n++) print $2 - last; last = $2 }' log | sort -u)"
	run 0 "$bin" clone -i film.mkv -o null: --no-pace --fps 100 --frame-log log --json
	expect_equal "steps at 100 a second" 10000 "$(awk '!/^#/ { if (n++) print $2 - last; last = $2 }' log | sort -u)"
	run 0 "$bin" clone -i film.mkv -o null: --no-pace --loop -n 25 --frame-log log --json
	expect_equal "steps of a loop" 40000 "$(awk '!/^#/ { if (n++) print $2 - last; last = $2 }' log | sort -u)"
	expect_equal "sixth picture of each round" 1 "$(awk '!/^#/ && (i++ % 10) == 5 { print $5 }' log | sort -u | wc -l)"
	run 0 "$bin" clone -i film.mkv -o null: --no-pace --seek 0.2 --json
	expect_frames 5
	run 0 "$bin" clone -i film.mkv -o null: --no-pace -n 3 --json
	expect_frames 3
	wrong 2 '--seek 3: film.mkv has no picture there' clone -i film.mkv -o null: --seek 3
	# A pipe has to be read up to there: in longer films FFmpeg would look for the next key frame, and find it too late.
	ffmpeg -nostdin -v error -f lavfi -i testsrc2=size=640x480:rate=30 -frames:v 120 -c:v libx264 -g 15 -qp 18 -y long.mkv
	out=$("$bin" clone -i - -o null: --no-pace --seek 2 --json <long.mkv)
	expect_frames 60
	mkfifo pipe
	cp film.mkv pipe &
	wrong 2 '--loop pipe: it cannot be begun again' clone -i pipe -o null: --loop
}

test_film_of_another_size_and_format() {
	make_film film.mkv -c:v libx264 -pix_fmt yuv420p
	run 0 "$bin" clone -i film.mkv -o null: --no-pace --format NV12 --width 32 --json
	expect_equal "format" "NV12 32x24" "$(jq -rs 'first | "\(.format) \(.width)x\(.height)"' <<<"$out")"
	expect_equal "bytes written" 1152 "$(jq -s 'last | .copied_bytes / .frames' <<<"$out")"
	run 0 "$bin" clone -i film.mkv -o null: --no-pace --format H264 --frame-log log --json
	expect_equal "format" "H264 10" "$(jq -rs '"\(first | .format) \(last | .frames)"' <<<"$out")"
	# What cannot be begun again has lost none to the look at its first picture.
	"$bin" clone -i - -o null: --no-pace --format H264 --frame-log pipe.log --stats-interval 0 <film.mkv 2>err
	expect_equal "packets from a pipe" "$(hashes log)" "$(hashes pipe.log)"
	wrong 2 '--format MJPG: film.mkv cannot be brought to this format. As it is compressed it is H264' \
		clone -i film.mkv -o null: --format MJPG
	wrong 2 'pixel format NVxx: unknown' clone -i film.mkv -o null: --format NVxx
	wrong 2 'is a film and has no controls' clone -i film.mkv -o null: --set gain=1
}

test_film_options_of_what_is_no_film() {
	local option
	for option in --loop --seek=1 --no-pace --input-container=raw --as-stored --hwaccel=vaapi --decoder=h264; do
		wrong 2 'it is no film. Leave --loop' clone -i 250 -o null: "$option"
		wrong 2 'it is no film' clone -i test:bars -o null: "$option"
	done
	make_film film.mkv -c:v ffv1
	wrong 2 '--seek: Value -1 not in range' clone -i film.mkv -o null: --seek=-1
	wrong 2 'container matrska: .*Did you mean matroska' clone -i film.mkv -o null: --input-container matrska
	wrong 2 'does not say what is in it. Name --format' clone -i film.mkv -o null: --input-container raw
}

# What a decoder in hardware makes of a film needs one; that there is none does not.
test_film_and_its_decoder() {
	make_film film.mkv -c:v libx264
	run 0 "$bin" clone -i film.mkv -o null: --no-pace --frame-log usual
	run 0 "$bin" clone -i film.mkv -o null: --no-pace --frame-log named --decoder h264
	expect_equal "pictures by the same decoder" "$(awk '{ print $5 }' usual)" "$(awk '{ print $5 }' named)"
	wrong 2 '--decoder vp8: it does not decode h264. For h264 it has h264' clone -i film.mkv -o null: --decoder vp8
	wrong 2 '--decoder h265x: this FFmpeg has no such decoder. For h264' clone -i film.mkv -o null: --decoder h265x
	wrong 2 '--hwaccel vaap: FFmpeg has no such interface to hardware. It has .*vaapi' clone -i film.mkv -o null: --hwaccel vaap
	wrong 3 'open hardware vaapi:/dev/dri/none: .*leave --hwaccel away' clone -i film.mkv -o null: --hwaccel vaapi:/dev/dri/none
	make_film film.avi -c:v ffv1
	wrong 4 '--hwaccel vaapi: FFmpeg.s decoder ffv1 cannot use it' clone -i film.avi -o null: --hwaccel vaapi
}

test_input_device() {
	run 0 "$bin" clone -i testsrc=size=64x48:rate=10 --input-container lavfi -o null: -n 3 --no-pace --json
	expect_equal "frames" "RGB3 64 3" "$(jq -rs '"\(first | .format) \(first | .width) \(last | .frames)"' <<<"$out")"
	wrong 3 'open /dev/dri/none: ' clone -i /dev/dri/none --input-container kmsgrab -o null:
}

test_film_that_is_none() {
	wrong 3 'open nofilm.mkv: No such file' clone -i nofilm.mkv -o null:
	wrong 3 "open $work: Is a directory" clone -i "$work" -o null:
	wrong 2 'open nothing://there: FFmpeg has no such protocol to read from' clone -i nothing://there -o null:
	wrong 5 '127.0.0.1:1.*refused' clone -i tcp://127.0.0.1:1 -o null:
	if ((EUID != 0)); then
		: >secret.mkv
		chmod 0 secret.mkv
		wrong 3 'open secret.mkv: Permission denied' clone -i secret.mkv -o null:
	fi
	wrong 2 'open udp://localhost: it names no port .*udp://HOST:5000' clone -i udp://localhost -o null:
	printf 'YUV4MPEG2 W99999 H99999 F25:1 C420\nFRAME\n' >huge.y4m
	wrong 3 'open huge.y4m: it is no film that FFmpeg knows' clone -i huge.y4m -o null:
	mkfifo pipe # nobody writes
	wrong 1 'wait for pipe: no picture came in time' clone -i pipe -o null: --timeout 0.2
}

# Pictures in numbered files begin at any number, and have no gaps.
test_film_of_pictures() {
	local i
	for i in 07 08 09 10 12; do
		run 0 "$bin" export -i test:bars,32x32,RGB3 -o "p$i.png"
	done
	wrong 3 'open p%02d.png: p11.png is missing between others. .*no gaps' clone -i p%02d.png -o null:
	rm p12.png
	run 0 "$bin" clone -i p%02d.png -o null: --no-pace
	expect_match "pictures" 'clone: 4 frames' "$err"
	wrong 3 'open q%02d.png: .*no file is called so' clone -i q%02d.png -o null:
}

# One picture is a film, too, however FFmpeg finds out what it is.
test_film_of_one_picture() {
	local name
	for name in one.jpg one.tga one.png one.bmp 'one%d.jpg'; do
		ffmpeg -nostdin -v error -f lavfi -i testsrc=size=32x32 -frames:v 1 -update 1 "x.${name#*.}"
		mv "x.${name#*.}" "$name"
		run 0 "$bin" clone -i "$name" -o null: --no-pace
		expect_match "$name" 'clone: 1 frames' "$err"
		run 0 "$bin" clone -i "$name" -o null: --no-pace --loop -n 3
		expect_match "$name, again and again" 'clone: 3 frames' "$err"
	done
}

# Where no picture says its time they are counted.
test_film_without_times() {
	local name
	for name in film.h264 film.hevc film.mkv; do
		ffmpeg -nostdin -v error -f lavfi -i testsrc=size=64x48:rate=25 -frames:v 50 -bf 2 -g 10 -x265-params log-level=none "$name"
		run 0 "$bin" clone -i "$name" -o null: --no-pace --seek 1.2
		expect_match "$name" 'clone: 20 frames' "$err"
		wrong 2 '--seek 2: .*has no picture there' clone -i "$name" -o null: --seek 2
	done
}

# Three recordings of one second, one behind the other: packets keep their distances.
test_film_put_together() {
	ffmpeg -nostdin -v error -f lavfi -i testsrc=size=64x48:rate=25 -frames:v 25 -bf 2 one.ts
	cat one.ts one.ts one.ts >three.ts
	run 0 "$bin" export -i three.ts -o three.mkv
	expect_match "copied" '75 frames, 2.9[0-9]* s, .* copy' "$err"
	expect_equal "pictures closer than half a step" 0 \
		"$(ffprobe -v error -show_entries packet=pts_time -of csv=p=0 three.mkv | sort -n | awk 'NR > 1 && $1 - last < 0.02 { ++close_ } { last = $1 } END { print close_ + 0 }')"
}

test_film_that_is_raw() {
	head -c 100000 /dev/zero >film.yuv
	cp film.yuv film.raw
	local name
	for name in film.yuv film.raw; do
		wrong 2 "open $name: a raw file does not say what is in it. Name --format" clone -i "$name" -o null:
		wrong 2 "open $name: a raw file does not say" clone -i "$name" -o null: --width 64 --height 48
	done
}

# What lacks room is no missing package.
test_film_with_few_files() {
	needs_limits
	make_film film.mkv -c:v ffv1
	run 1 bash -c 'ulimit -n 5 && exec "$@"' - "$bin" clone -i film.mkv -o null:
	expect_match "error" 'Too many open files' "$err"
	expect_equal "advice to install" "" "$(grep install <<<"$err" || true)"
}

test_film_that_ends_in_the_middle() {
	make_film film.mkv -c:v ffv1
	# Its writer goes away: what came is shown.
	head -c $(($(stat -c %s film.mkv) / 2)) film.mkv | "$bin" clone -i - -o null: --no-pace --json >part.json
	expect_match "frames of a part" '^[1-9]$' "$(jq -s 'last | .frames' part.json)"
	# Its writer says no more, and stays: --timeout ends it.
	mkfifo pipe
	exec {hold}<>pipe
	head -c $(($(stat -c %s film.mkv) / 2)) film.mkv >pipe
	run 1 "$bin" clone -i pipe -o null: --no-pace --timeout 1
	expect_match "what it says" 'no (frame|picture) came' "$err"
	exec {hold}>&-
}

# However broken: it ends by itself, says one sentence where it fails, and is no other exit code.
test_broken_films() {
	local name how status count=0
	"$tree/tests/fuzz/broken-films" . >list
	while read -r name how; do
		status=0
		timeout 60 "$bin" clone -i "$name" -o null: --no-pace --timeout 20 >out 2>err </dev/null || status=$?
		case $how in
		whole) expect_equal "exit code and frames of $name" "0 12" "$status $(sed -nE 's/.*clone: ([0-9]+) frames in.*/\1/p' err)" ;;
		none) expect_equal "exit code of $name ($(<err))" 3 "$status" ;;
		any) expect_match "exit code of $name ($(tail -n 1 err))" '^(0|1|3)$' "$status" ;;
		esac
		expect_equal "errors said of $name ($(<err))" $((status != 0)) "$(grep -c 'v4l2dma: error' err || true)"
		count=$((count + 1))
	done <list
	((count > 150)) || fail "only $count films"
}

# shellcheck shell=bash disable=SC2154 # bin, work, out, err are of tests/cli/run
# SPDX-License-Identifier: MIT
#
# export, from generated pictures into files. ffprobe, ffmpeg and GStreamer are the second opinion.

needs_ffmpeg() { command -v ffprobe ffmpeg >/dev/null || skip 'there is no ffmpeg'; }
probe() { ffprobe -v error "${@:2}" -of csv=p=0 "$1" </dev/null; }
frames_in() { probe "$1" -count_frames -select_streams v -show_entries stream=nb_read_frames | awk -F, 'NR == 1 { print $1 }'; }
# export_to FILE OPTION...: from small pictures, which come fast.
export_to() { run 0 "$bin" export -i test:bars,320x240,NV12,60 -o "$1" --stats-interval 0 "${@:2}"; }
# wait_for FILE BYTES PID: until it has so many. A file that stops to grow is a failure of whoever writes it.
wait_for() {
	until [[ -e $1 && $(stat -c %s "$1") -ge $2 ]]; do
		kill -0 "$3" 2>/dev/null || fail "the command ended before $1 had $2 bytes: $(<"$work/err")"
	done
}

test_export_help() {
	local option
	run 0 "$bin" export --help
	for option in --input --output --container --codec --bitrate --preset --segment --lossless --force --duration \
		--frames --output-format --fps --frame-log --verify --json; do
		expect_match "help" "$option" "$out"
	done
	expect_equal "stderr" "" "$err"
}

test_export_wrong_options() {
	wrong 2 '--input is required' export -o x.mkv
	wrong 2 '--output is required' export -i test:bars
	wrong 2 'its name is empty' export -i test:bars -o ''
	wrong 2 "'4X' is not a bit rate" export -i test:bars -o x.mkv --bitrate 4X
	wrong 2 "'12' is not a bit rate" export -i test:bars -o x.mkv --bitrate 12
	wrong 2 '--segment: Value 0 not in range' export -i test:bars -o x%d.mkv --segment 0
	wrong 2 '--duration: Value nan not in range' export -i test:bars -o x.mkv --duration nan
	wrong 2 '--segment x.mkv: all files would have this one name.*%d' export -i test:bars -o x.mkv --segment 1
	wrong 2 'no extension that says what to write.*--container' export -i test:bars -o film
	wrong 2 'container mkw: unknown' export -i test:bars -o film.mkw
	wrong 2 'container matrosca: unknown\. There are: matroska' export -i test:bars -o x --container matrosca
	wrong 2 'codec libx2645: unknown\. There are: libx264' export -i test:bars -o x.mkv --codec libx2645
	wrong 4 'codec vp7: this FFmpeg knows it, but cannot encode it' export -i test:bars -o x.mkv --codec vp7
	wrong 2 'container mp4: it does not take ffv1\. It takes: h264' export -i test:bars -o x.mp4 --codec ffv1
	wrong 2 '--codec ffv1: y4m has no codecs' export -i test:bars -o x.y4m --codec ffv1
	wrong 2 '--bitrate raw: nothing is encoded' export -i test:bars -o x.raw --bitrate 1M
	wrong 2 '--codec copy: YUYV 640x480 is not compressed' export -i test:bars -o x.mkv --codec copy
	wrong 2 '--output-format RGB3: libx264 does not take it' export -i test:bars -o x.mkv --output-format RGB3
	wrong 2 '--json and this both write to standard output' export -i test:bars -o - --json
	wrong 2 'open foo://bar: FFmpeg has no such protocol' export -i test:bars -o foo://bar --container mpegts
	wrong 2 '--container rtp x.bin: it goes to rtp://HOST:PORT only' export -i test:bars -o x.bin --container rtp
	wrong 2 '--codec copy decodes nothing' export -i test:bars -o x.mkv --codec copy --decoder h264
	wrong 2 '--frames x.png: one picture has one frame.*%d' export -i test:bars -o x.png -n 3
	wrong 2 'this protocol does not say in what' export -i test:bars -o http://localhost:1/x
	wrong 2 '--preset fats: libx264 has no such preset\. There are: fast' export -i test:bars -o x.mkv --preset fats
	[[ -z $(find . -name 'x*' -o -name 'film*') ]] || fail "files of runs that never began: $(ls)"
}

test_export_files_that_cannot_be_written() {
	mkdir folder.mkv
	wrong 1 'write /nonexistent/x.mkv: No such file' export -i test:bars -o /nonexistent/x.mkv
	wrong 2 'export folder.mkv: it is a folder' export -i test:bars -o folder.mkv
	echo mine >x.mkv
	wrong 2 'write x.mkv: it exists\. With --force' export -i test:bars -o x.mkv
	expect_equal "what was there" mine "$(<x.mkv)"
	ln -s nowhere link.mkv
	wrong 2 'write link.mkv: it exists' export -i test:bars -o link.mkv
	mkfifo pipe.mkv
	wrong 1 'pipe.mkv: No such device or address.*Start what reads this pipe first' export -i test:bars -o pipe.mkv
	# The output is looked at first, and a missing device leaves no file.
	wrong 3 '/dev/video250' export -i 250 -o y.mkv
	[[ ! -e y.mkv ]] || fail 'a file without a frame'
	export_to x.mkv -n 3 --force
	expect_match "overwritten" Lavf "$(strings x.mkv | head -5 | tr '\n' ' ')"
}

test_export_films() {
	needs_ffmpeg
	local name
	for name in x.mkv x.mp4 x.mov x.ts x.avi x.nut x.flv x.h264 x.mpg; do
		export_to "$name" -n 12 --json --lossless
		expect_equal "$name: frames" "12 12 0" \
			"$(jq -rs 'last | "\(.frames) \(.written.frames) \(.dropped)"' <<<"$out")"
		expect_equal "$name: bytes" "$(stat -c %s "$name")" "$(jq -s 'last | .written.bytes' <<<"$out")"
		expect_equal "$name: path" read-write "$(jq -rs 'last | .path' <<<"$out")"
		expect_equal "$name: frames, by ffprobe" 12 "$(frames_in "$name")"
	done
	run 0 "$bin" export -i test:bars,65x49,YUYV,60 -o odd.mkv -n 3 --lossless --stats-interval 0
	expect_equal "odd sizes" "65,49,yuv444p" "$(probe odd.mkv -show_entries stream=width,height,pix_fmt)"
	# libx264 takes NV12 from where it is; mpeg4 does not.
	export_to copy.mkv -n 2 --json --codec libx264
	expect_equal "copied" 0 "$(jq -s 'last | .copied_bytes' <<<"$out")"
	export_to copy2.mkv -n 2 --json --codec mpeg4
	expect_equal "copied" $((2 * 320 * 240 * 3 / 2)) "$(jq -s 'last | .copied_bytes' <<<"$out")"
}

# times FILE: of each packet, when it is shown and when it is decoded, from the first one that is shown on.
times() {
	ffprobe -v error -select_streams v -show_entries packet=pts_time,dts_time -of json "$1" </dev/null |
		jq -r --argjson d "$2" '[.packets[] | [.pts_time, .dts_time] | map(if . == null then null else tonumber end)] |
			(map(.[0]) | min) as $first | .[] | map(if . == null then "-" else (. - $first) * $d | round end) | join(" ")'
}
pictures() { ffmpeg -nostdin -v error -i "$1" -f framemd5 - | grep -v '^#' | awk '{ print $NF }'; }

# Packets that are decoded in another order than they are shown in keep both times, and every bit.
test_export_copies_films() {
	needs_ffmpeg
	local from to codec
	ffmpeg -nostdin -v error -f lavfi -i testsrc2=size=96x64:rate=25 -frames:v 40 -c:v libx264 -bf 3 -g 20 -pix_fmt yuv420p film.mp4 \
		2>/dev/null || skip 'this ffmpeg has no libx264'
	ffmpeg -nostdin -v error -i film.mp4 -c copy film.mkv
	ffmpeg -nostdin -v error -i film.mp4 -c copy film.ts
	pictures film.mp4 >film.md5
	for from in mp4 mkv ts; do
		for to in mkv mp4 ts mov h264; do
			run 0 "$bin" export -i "film.$from" -o "$from.$to" --stats-interval 0 --json
			expect_equal "$from to $to: written" "copy 40 0" \
				"$(jq -rs 'last | "\(.written.codec) \(.written.frames) \(.corrupt)"' <<<"$out")"
			expect_equal "$from to $to: pictures" "$(<film.md5)" "$(pictures "$from.$to")"
			[[ $to == h264 ]] || expect_equal "$from to $to: shown, in milliseconds" "$(times film.mp4 1000 | cut -d' ' -f1)" \
				"$(times "$from.$to" 1000 | cut -d' ' -f1)"
		done
		for to in mp4 ts mov; do
			expect_equal "$from to $to: order of decoding" "$(times film.mp4 1000 | cut -d' ' -f2 | sort -nc 2>&1)" \
				"$(times "$from.$to" 1000 | cut -d' ' -f2 | sort -nc 2>&1)"
		done
	done
	expect_equal "both times, to the microsecond" "$(times film.mp4 1000000)" "$(times mp4.mp4 1000000)"
	# A pipe cannot be begun again: what was looked at to find its first picture is copied, too.
	"$bin" export -i - -o piped.mp4 --stats-interval 0 --json <film.ts >out
	expect_equal "piped: written" "copy 40" "$(jq -rs 'last | "\(.written.codec) \(.written.frames)"' out)"
	expect_equal "piped: pictures" "$(<film.md5)" "$(pictures piped.mp4)"
	expect_equal "piped: shown" "$(times film.mp4 1000 | cut -d' ' -f1)" "$(times piped.mp4 1000 | cut -d' ' -f1)"
	run 0 "$bin" export -i film.mp4 -o film.y4m --stats-interval 0
	run 0 "$bin" export -i film.y4m -o film.raw --stats-interval 0
	timeout 20 "$bin" export -i - -o - --container raw --stats-interval 0 <film.y4m >piped.raw 2>err
	cmp film.raw piped.raw || fail "a y4m film through two pipes is another one"
	# Containers without times get what they can show.
	for codec in avi:mpeg4 y4m:rawvideo; do
		run 0 "$bin" export -i film.mp4 -o "x.${codec%:*}" --stats-interval 0 --json
		expect_equal "${codec%:*}: written" "${codec#*:} 40" "$(jq -rs 'last | "\(.written.codec) \(.written.frames)"' <<<"$out")"
	done
	wrong 2 'container avi: it has no times for packets .*mkv' export -i film.mp4 -o y.avi --codec copy
	wrong 2 'mp4.h264: its packets do not say when they are shown' export -i mp4.h264 --input-container h264 -o y.mkv --codec copy
	run 0 "$bin" export -i film.mp4 -o short.mkv --duration 0.4 --stats-interval 0
	expect_equal "frames of a duration" 10 "$(frames_in short.mkv)"
}

test_export_copies_packets_of_each_codec() {
	needs_ffmpeg
	local line codec from to
	for line in 'mpeg1video mpg mkv' 'mpeg2video mpg ts' 'mpeg4 mp4 mkv' 'mpeg4 avi mp4' 'mjpeg mov mkv' 'libvpx webm mkv' \
		'libvpx-vp9 webm mp4' 'libsvtav1 mkv mp4' 'libsvtav1 mp4 webm' 'libx265 mp4 ts'; do
		read -r codec from to <<<"$line"
		ffmpeg -nostdin -v error -f lavfi -i testsrc2=size=128x96:rate=25 -frames:v 30 -c:v "$codec" -pix_fmt yuv420p -g 10 \
			"$codec.$from" 2>/dev/null </dev/null || continue
		run 0 "$bin" export -i "$codec.$from" -o "$codec.out.$to" --stats-interval 0 --json
		expect_equal "$line: written" "copy 30" "$(jq -rs 'last.written | "\(.codec) \(.frames)"' <<<"$out")"
		expect_equal "$line: pictures" "$(pictures "$codec.$from")" "$(pictures "$codec.out.$to")"
	done
}

# box FILE NAME: the first bytes that an mp4 has there.
box() {
	local offset
	offset=$(grep -abo "$2" "$1" | head -1 | cut -d: -f1)
	od -An -tx1 -j "$offset" -N 14 "$1"
}

# What a container says of packets is what it said of them in the film.
test_export_describes_packets() {
	needs_ffmpeg
	local film=(-f lavfi -i testsrc2=size=128x96:rate=25 -frames:v 20) colours
	ffmpeg -nostdin -v error "${film[@]}" -c:v libvpx-vp9 -pix_fmt yuv444p -b:v 0 -crf 40 v.webm 2>/dev/null || skip 'this ffmpeg has no libvpx-vp9'
	ffmpeg -nostdin -v error "${film[@]}" -c:v libx264 -pix_fmt yuv420p -color_primaries bt2020 -color_trc arib-std-b67 -colorspace bt2020nc \
		-color_range tv h.mkv 2>/dev/null || skip 'this ffmpeg has no libx264'
	for name in v.webm:vpcC h.mkv:colr; do
		ffmpeg -nostdin -v error -i "${name%:*}" -c copy right.mp4 -y
		run 0 "$bin" export -i "${name%:*}" -o x.mp4 --force --stats-interval 0
		expect_equal "${name%:*}: its ${name#*:} box" "$(box right.mp4 "${name#*:}")" "$(box x.mp4 "${name#*:}")"
	done
	run 0 "$bin" export -i h.mkv -o x.mkv --force --stats-interval 0
	colours=color_range,color_space,color_transfer,color_primaries
	expect_equal "colours" "$(probe h.mkv -show_entries "stream=$colours")" "$(probe x.mkv -show_entries "stream=$colours")"
}

# Matroska can begin before time 0, where its index does not; mp4 has no number for a long pause.
test_export_times_that_are_hard_to_say() {
	needs_ffmpeg
	local offset name
	ffmpeg -nostdin -v error -f lavfi -i testsrc2=size=96x64:rate=25 -c:v libx264 -pix_fmt yuv420p -g 10 -frames:v 50 -bf 0 film.mkv \
		2>/dev/null || skip 'this ffmpeg has no libx264'
	for offset in -0.04 -1 -10; do
		ffmpeg -nostdin -v error -y -itsoffset "$offset" -i film.mkv -copyts -avoid_negative_ts disabled -c copy n.mkv
		run 0 "$bin" clone -i n.mkv -o null: --no-pace --json --stats-interval 0
		expect_equal "pictures from $offset s on" 50 "$(jq -s 'last | .frames' <<<"$out")"
		run 0 "$bin" export -i n.mkv -o n.mp4 --force --stats-interval 0
		expect_equal "copied from $offset s on" 50 "$(frames_in n.mp4)"
	done
	ffmpeg -nostdin -v error -i film.mkv -vf "setpts='PTS+if(gte(N,25),2400,0)/TB'" -vsync vfr -c:v libx264 -bf 0 gap.mkv
	for name in gap.mp4 gap2.mp4; do
		# shellcheck disable=SC2046 # an option or nothing
		run 1 "$bin" export -i gap.mkv -o "$name" --stats-interval 0 $([[ $name == gap.mp4 ]] || echo --codec libx264)
		expect_match "$name" 'longer than this container has a number for.*\.mkv' "$err"
		expect_equal "what came before the pause" 25 "$(frames_in "$name")"
	done
	run 0 "$bin" export -i gap.mkv -o long.mkv --stats-interval 0
	expect_equal "pictures with a pause" 50 "$(frames_in long.mkv)"
}

# Broadcasts: pictures begin to come in another order in the middle. And what a film hides is not shown.
test_export_packets_of_put_together_films() {
	needs_ffmpeg
	local film=(-f lavfi -i testsrc2=size=96x64:rate=25 -c:v libx264 -pix_fmt yuv420p -g 12)
	ffmpeg -nostdin -v error "${film[@]}" -frames:v 40 -bf 0 a.ts 2>/dev/null || skip 'this ffmpeg has no libx264'
	ffmpeg -nostdin -v error "${film[@]}" -frames:v 40 -bf 3 -output_ts_offset 1.8 b.ts
	cat a.ts b.ts >mixed.ts
	run 0 "$bin" export -i mixed.ts -o mixed.mkv --stats-interval 0 --json
	expect_equal "written" "copy 80 0" "$(jq -rs 'last | "\(.written.codec) \(.written.frames) \(.corrupt)"' <<<"$out")"
	expect_equal "pictures" "$(pictures mixed.ts)" "$(pictures mixed.mkv)"
	expect_equal "shown" "$(times mixed.ts 1000 | cut -d' ' -f1)" "$(times mixed.mkv 1000 | cut -d' ' -f1)"
	ffmpeg -nostdin -v error "${film[@]}" -frames:v 40 -bf 0 whole.mp4
	ffmpeg -nostdin -v error -ss 0.6 -i whole.mp4 -c copy cut.mp4
	run 0 "$bin" export -i cut.mp4 -o cut.mkv --stats-interval 0
	expect_equal "pictures that are not hidden" "$(pictures cut.mp4 | wc -l)" "$(pictures cut.mkv | wc -l)"
	run 0 "$bin" export -i cut.mp4 -o copied.mkv --codec copy --stats-interval 0
	expect_match "what is seen in a copy" 'hides pictures at its beginning' "$err"
}

# Lines end with the last pixel, as all others have them, although a device's have room for whole groups.
test_export_odd_widths() {
	needs_ffmpeg
	local format name
	ffmpeg -nostdin -v error -f lavfi -i testsrc2=size=97x55:rate=25 -frames:v 5 -c:v ffv1 -pix_fmt yuv420p odd.mkv
	for format in YU12:yuv420p NV12:nv12 422P:yuv422p YUYV:yuyv422 411P:yuv411p NV24:nv24 RGB3:rgb24 YV12: GREY:gray; do
		run 0 "$bin" export -i test:gradient,97x55,${format%:*} -o x.raw -n 5 --force --stats-interval 0
		[[ $format == YV12: ]] || expect_equal "$format: bytes" \
			"$(ffmpeg -nostdin -v error -f lavfi -i testsrc=size=97x55 -frames:v 5 -pix_fmt "${format#*:}" -f rawvideo - | wc -c)" "$(stat -c %s x.raw)"
		run 0 "$bin" export -i x.raw --format "${format%:*}" --width 97 --height 55 -o y.raw --force --stats-interval 0
		cmp x.raw y.raw || fail "$format: raw pictures that are read and written are others"
		run 0 "$bin" export -i test:gradient,97x55,${format%:*} -o x.y4m -n 5 --force --stats-interval 0
		expect_equal "$format: y4m" 5 "$(frames_in x.y4m)"
	done
	for name in odd.y4m odd.raw; do
		run 0 "$bin" export -i odd.mkv -o "$name" --stats-interval 0
	done
	expect_equal "pictures" "$(pictures odd.mkv)" "$(pictures odd.y4m)"
	ffmpeg -nostdin -v error -i odd.mkv -f rawvideo right.raw
	cmp right.raw odd.raw || fail 'raw pictures are not FFmpeg'"'"'s'
}

test_export_of_a_codec_that_the_container_has_not() {
	needs_ffmpeg
	local codec
	for codec in libvpx:webm:mp4:h264 mpeg2video:ts:webm:vp[89] libx264:mp4:webm:vp[89]; do
		IFS=: read -r codec from to becomes <<<"$codec"
		ffmpeg -nostdin -v error -f lavfi -i testsrc2=size=96x64:rate=27 -frames:v 12 -c:v "$codec" -pix_fmt yuv420p -bf 0 "$codec.$from" \
			2>/dev/null || continue
		run 0 "$bin" export -i "$codec.$from" -o "$codec.out.$to" --stats-interval 0
		expect_match "$codec in $to" "^$becomes,12" "$(probe "$codec.out.$to" -count_frames -show_entries stream=codec_name,nb_read_frames)"
	done
	[[ ! -e libvpx.webm ]] || wrong 2 'container mp4: it does not take vp8' export -i libvpx.webm -o x.mp4 --codec copy
}

test_export_rates() {
	needs_ffmpeg
	ffmpeg -nostdin -v error -f lavfi -i testsrc2=size=96x64:rate=27 -frames:v 12 -c:v ffv1 film.mkv
	run 0 "$bin" export -i film.mkv -o film.avi --stats-interval 0
	expect_equal "of a film" "27/1,12" "$(probe film.avi -count_frames -show_entries stream=r_frame_rate,nb_read_frames)"
	run 0 "$bin" export -i test:bars,96x64,NV12,27 -o test.avi -n 4 --stats-interval 0 --lossless
	expect_equal "of generated pictures" "27/1" "$(probe test.avi -show_entries stream=r_frame_rate)"
}

test_export_as_stored() {
	needs_ffmpeg
	local codec
	ffmpeg -nostdin -v error -f lavfi -i testsrc2=size=96x64:rate=25 -frames:v 8 -vf setsar=4/3 -c:v mjpeg -pix_fmt yuvj420p film.mov
	ffmpeg -nostdin -v error -i film.mov -c copy -metadata:s:v rotate=90 turned.mov
	for codec in '' '--codec=copy' '--codec=mpeg4'; do
		run 0 "$bin" export -i turned.mov -o x.mov --as-stored --force ${codec:+"$codec"} --stats-interval 0
		expect_equal "${codec:-stored}: size and shape" "96,64,4:3" \
			"$(probe x.mov -show_entries stream=width,height,sample_aspect_ratio | head -1 | cut -d, -f1-3)"
		expect_equal "${codec:-stored}: rotation" "$(ffprobe -v error -show_streams turned.mov | grep ^rotation=)" \
			"$(ffprobe -v error -show_streams x.mov | grep ^rotation=)"
	done
}

test_export_by_gstreamer() {
	command -v gst-launch-1.0 >/dev/null || skip 'there is no GStreamer'
	local demuxer
	for demuxer in matroskademux qtdemux; do
		gst-inspect-1.0 "$demuxer" >/dev/null 2>&1 || skip "GStreamer has no $demuxer"
	done
	for demuxer in x.mkv:matroskademux x.mp4:qtdemux; do
		export_to "${demuxer%:*}" -n 9 --lossless
		expect_equal "$demuxer: frames" 9 "$(gst-launch-1.0 -v filesrc location="${demuxer%:*}" ! "${demuxer#*:}" ! \
			fakesink silent=false 2>&1 </dev/null | grep -c 'chain.*fakesink')"
	done
}

test_export_timestamps_are_the_frames() {
	needs_ffmpeg
	local name digits
	for name in x.mp4:6 x.mkv:3; do
		digits=${name#*:} name=${name%:*}
		export_to "$name" -n 10 --frame-log log --lossless
		expect_equal "$name: times" \
			"$(awk -v d="$digits" 'NR == 1 { f = $2 } { printf "%." d "f\n", ($2 - f) / 1e6 }' log)" \
			"$(probe "$name" -show_entries packet=pts_time | tr -d , | sort -n |
				awk -v d="$digits" '{ printf "%." d "f\n", $1 }')"
	done
}

test_export_colours() {
	needs_ffmpeg
	export_to x.mkv -n 2
	expect_equal "limited range, square pixels" "1:1,tv" \
		"$(probe x.mkv -show_entries stream=sample_aspect_ratio,color_range)"
	run 0 "$bin" export -i test:bars,320x240,RGB3,60 -o rgb.mkv -n 2 --stats-interval 0
	expect_equal "RGB becomes what players expect" "tv,smpte170m" \
		"$(probe rgb.mkv -show_entries stream=color_range,color_space)"
}

test_export_raw_and_y4m() {
	needs_ffmpeg
	local frame=$((64 * 48 * 3 / 2))
	run 0 "$bin" clone -i test:bars,64x48,NV12,60 -o x.raw -o x.y4m -o x.nv12 -n 4 --stats-interval 0
	expect_equal "bytes" $((4 * frame)) "$(stat -c %s x.raw)"
	cmp x.raw x.nv12
	ffmpeg -nostdin -v error -f rawvideo -pixel_format nv12 -video_size 64x48 -i x.raw -pix_fmt yuv420p -f framemd5 raw.md5
	ffmpeg -nostdin -v error -i x.y4m -f framemd5 y4m.md5
	expect_equal "pictures" "$(grep -v '^#' raw.md5 | awk '{ print $NF }')" "$(grep -v '^#' y4m.md5 | awk '{ print $NF }')"
	run 0 "$bin" export -i test:bars,64x48,YUYV,60 -o y.nv12 -n 2 --stats-interval 0
	expect_match "the name says so" 'YUYV 64x48 becomes NV12 64x48 .*the name says so' "$err"
	expect_equal "bytes" $((2 * frame)) "$(stat -c %s y.nv12)"
	run 0 "$bin" export -i test:bars,64x48,YUYV,60 -o one.y4m -n 1 --stats-interval 0
	expect_match "one frame" '^YUV4MPEG2 W64 H48 F60:1 Ip A1:1 C422' "$(head -1 one.y4m)"
	run 0 "$bin" export -i test:bars,64x48,YUYV,60 -o fps.y4m -n 2 --fps 50 --stats-interval 0
	expect_match "a rate that was said" 'F50:1' "$(head -1 fps.y4m)"
}

test_export_png() {
	needs_ffmpeg
	export_to x.png --json
	expect_equal "frames" 1 "$(jq -s 'last | .written.frames' <<<"$out")"
	expect_equal "picture" "png,320,240" "$(probe x.png -show_entries stream=codec_name,width,height)"
	export_to 'n-%03d.png' -n 3 --lossless
	expect_equal "files" "n-000.png n-001.png n-002.png" "$(echo n-*)"
	wrong 2 'write n-000.png: it exists' export -i test:bars -o 'n-%03d.png' -n 1
	rm n-000.png n-001.png
	wrong 2 'write n-002.png: it exists\. With --force' export -i test:bars -o 'n-%03d.png' -n 3
	[[ ! -e n-000.png ]] || fail 'it began'
	export_to 'n-%03d.png' -n 2 --lossless
	export_to small.png --output-width 64 --output-height 48
	expect_equal "size" "64,48" "$(probe small.png -show_entries stream=width,height)"
}

test_export_lossless_codecs() {
	needs_ffmpeg
	local codec format
	# Bit by bit: tests/unit/media/frame_writer_test.cpp.
	for codec in ffv1 rawvideo; do
		for format in YUYV NV12 YU12 422P XR24 GREY; do
			run 0 "$bin" export -i "test:black,128x96,$format,60" -o "$codec-$format.nut" --codec "$codec" -n 3 --lossless \
				--stats-interval 0
			expect_equal "$codec $format: frames" 3 "$(frames_in "$codec-$format.nut")"
		done
	done
}

test_export_to_standard_output() {
	needs_ffmpeg
	# shellcheck disable=SC2016 # for the inner shell
	local piped='file=$1; shift; exec "$@" >"$file"'
	run 0 bash -c "$piped" - piped.mkv "$bin" export -i test:bars,320x240,NV12,60 -o - -n 5 --lossless --stats-interval 0
	expect_equal "matroska" "matroska,webm" "$(probe piped.mkv -show_entries format=format_name | tr -d '"')"
	expect_equal "frames" 5 "$(frames_in piped.mkv)"
	run 0 bash -c "$piped" - piped.raw "$bin" export -i test:bars,320x240,NV12,60 -o - -n 3 --container raw --stats-interval 0
	expect_equal "bytes" $((3 * 320 * 240 * 3 / 2)) "$(stat -c %s piped.raw)"
	expect_match "everything else on stderr" 'export: standard output: 3 frames' "$err"
	# A named pipe is written to as it is.
	mkfifo pipe.mkv
	cat pipe.mkv >through.mkv &
	export_to pipe.mkv -n 5 --lossless
	wait $!
	expect_equal "frames through a pipe" 5 "$(frames_in through.mkv)"
}

test_export_reader_that_goes() {
	local status=0
	# head reads a little and goes: EPIPE, and no signal that kills.
	{ timeout 20 "$bin" export -i test:bars,320x240,NV12,60 -o - --container raw 2>err || echo $? >status; } | head -c 100 >/dev/null
	status=$(<status)
	expect_equal "exit code" 1 "$status"
	expect_match "sentence" 'write standard output: Broken pipe' "$(<err)"
}

# A reader that opens the pipe and does not read: frames are dropped, the source goes on.
test_export_reader_that_sleeps() {
	mkfifo pipe.raw
	exec 7<>pipe.raw
	timeout 20 "$bin" export -i test:bars,640x480,YUYV,120 -o pipe.raw --json --stats-interval 0.1 >out 2>err &
	local pid=$!
	until [[ $(jq -s 'last | .dropped // 0' out 2>/dev/null) -gt 20 ]] 2>/dev/null; do kill -0 $pid || fail "it ended: $(<err)"; done
	kill -INT "$(pgrep -P $pid)" # timeout would pass it on twice
	local status=0
	wait $pid || status=$?
	exec 7>&-
	expect_equal "exit code" 1 "$status"
	expect_match "what was wrong" 'write pipe.raw: Connection timed out\. Nobody reads' "$(<err)"
}

# A second Ctrl-C leaves out what an encoder looks ahead for, and does not wait for who reads slowly.
test_export_forced() {
	needs_ffmpeg
	local pid
	timeout 60 "$bin" export -i test:checker,1280x720,NV12,60 -o x.mkv --preset placebo --json --stats-interval 0.1 >out 2>err &
	pid=$!
	until [[ $(jq -s 'last | .frames // 0' out 2>/dev/null) -gt 8 ]] 2>/dev/null; do kill -0 $pid || fail "it ended: $(<err)"; done
	kill -INT "$(pgrep -P $pid)"
	kill -TERM "$(pgrep -P $pid)"
	wait $pid || fail "exit code $? after the second: $(<err)"
	expect_equal "interrupted" true "$(jq -s 'last | .interrupted' out)"
}

test_export_slow_encoder() {
	needs_ffmpeg
	run 0 "$bin" export -i test:checker,1280x720,NV12,120 -o x.mkv --preset placebo -n 6 --json --stats-interval 0
	expect_equal "frames" 6 "$(frames_in x.mkv)"
	expect_equal "counted alike" 6 "$(jq -s 'last | .written.frames' <<<"$out")"
	run 0 "$bin" export -i test:checker,1280x720,NV12,120 -o y.mkv --preset slower -n 24 --lossless --json --frame-log log \
		--stats-interval 0
	expect_equal "nothing is lost" "24 0" "$(jq -rs 'last | "\(.written.frames) \(.dropped)"' <<<"$out")"
	expect_equal "in order, none missing" "$(seq 0 23)" "$(cut -d' ' -f1 log)"
}

test_export_killed() {
	needs_ffmpeg
	local name pid bytes
	for name in x.mkv:40000 x.mp4:40000 x.ts:40000 x.mov:40000; do
		bytes=${name#*:} name=${name%:*}
		timeout -s KILL 30 "$bin" export -i test:gradient,320x240,NV12,60 -o "$name" --bitrate 2M >out 2>err &
		pid=$!
		wait_for "$name" "$bytes" $pid
		kill -KILL "$(pgrep -P $pid)"
		wait $pid || true
		(($(frames_in "$name" 2>/dev/null) > 30 )) || fail "$name: not playable after kill -9"
	done
}

test_export_interrupted() {
	needs_ffmpeg
	local pid
	timeout 30 "$bin" export -i test:bars,320x240,NV12,60 -o x.mp4 --json --stats-interval 0.1 >out 2>err &
	pid=$!
	until [[ $(jq -s 'last | .frames // 0' out 2>/dev/null) -gt 10 ]] 2>/dev/null; do kill -0 $pid || fail "it ended: $(<err)"; done
	kill -INT "$(pgrep -P $pid)"
	wait $pid || fail "exit code $? after Ctrl-C: $(<err)"
	expect_equal "all frames are in it" "$(jq -s 'last | .frames' out)" "$(frames_in x.mp4)"
	expect_equal "interrupted" true "$(jq -s 'last | .interrupted' out)"
}

test_export_full_disk() {
	needs_ffmpeg
	local name codec frames=2
	for name in x.mkv:ffv1 x.ts:mpeg2video x.raw:rawvideo; do
		codec=${name#*:} name=${name%:*}
		run 1 bash -c 'ulimit -f 300 && exec "$@"' - "$bin" export -i test:gradient,320x240,NV12,60 -o "$name" --codec "$codec"
		expect_match "$name: sentence" "write $name: File too large\. The first [0-9]+ bytes are kept" "$err"
		if [[ $name != x.raw ]]; then
			frames=$(frames_in "$name" 2>/dev/null)
			((frames > 1)) || fail "$name: not playable"
		fi
	done
	mkdir disk
	mount -t tmpfs -o size=1m v4l2dma-test disk 2>/dev/null || return 0
	run 1 "$bin" export -i test:gradient,320x240,NV12,60 -o disk/x.mkv --codec ffv1 || { umount disk; false; }
	expect_match "sentence" 'write disk/x.mkv: No space left on device\. The first [0-9]+ bytes' "$err"
	(($(frames_in disk/x.mkv 2>/dev/null) > 2)) || { umount disk; fail 'not playable'; }
	for name in none.mkv none.mp4 none.y4m; do
		run 1 "$bin" export -i test:gradient,320x240,NV12,60 -o "disk/$name" -n 30 || { umount disk; false; }
		expect_match "$name" 'Nothing was written' "$err" || { umount disk; false; }
		[[ ! -e disk/$name ]] || { umount disk; fail "$name: an empty file"; }
	done
	umount disk
}

# A terminal that is closed ends a film as Ctrl-C does.
test_export_hangup() {
	needs_ffmpeg
	local pid
	"$bin" export -i test:gradient,320x240,NV12,60 -o x.mkv --stats-interval 0 --frame-log log 2>err &
	pid=$!
	until [[ -s log ]]; do kill -0 "$pid" || fail "it ended: $(<err)"; done
	kill -HUP "$pid"
	wait "$pid" || fail "exit code $? after SIGHUP: $(<err)"
	(($(frames_in x.mkv) > 0)) || fail 'not playable'
}

# A film is copied where who reads the file finds it again, else decoded and encoded.
test_export_what_a_container_holds() {
	needs_ffmpeg
	local from to how film=(-nostdin -v error -f lavfi -i "testsrc=size=64x48:rate=25" -frames:v 10)
	ffmpeg "${film[@]}" -c:v mjpeg -pix_fmt yuvj420p film.mjpeg.avi
	ffmpeg "${film[@]}" -c:v libx264 -pix_fmt yuv420p film.h264.mp4
	ffmpeg "${film[@]}" -c:v libvpx film.vp8.webm
	while read -r from to how; do
		run 0 "$bin" export -i film."$from".* -o "to.$to"
		expect_equal "$from to $to" "$how 10" \
			"$(ffprobe -v error -count_packets -show_entries stream=codec_name,nb_read_packets -of csv=p=0 "to.$to" | head -n 1 | tr ',' ' ' | xargs)"
		rm "to.$to"
	done <<-END
		mjpeg ts h264
		mjpeg mp4 mjpeg
		vp8 ts h264
		vp8 mov h264
		vp8 mpg mpeg1video
		vp8 mkv vp8
		h264 ts h264
		h264 mjpeg mjpeg
		h264 m2v mpeg2video
		h264 gif gif
		h264 ogv theora
		h264 swf flv1
		vp8 h264 h264
	END
	wrong 2 'container mpegts: it does not take mjpeg' export -i film.mjpeg.avi -o x.ts --codec copy
	[[ ! -e x.ts ]] || fail 'a file that nobody can read'
	wrong 2 '--codec copy: the frames stay as they are' export -i film.h264.mp4 -o x.mkv --codec copy --output-width 32
	wrong 2 'ffv1 does not take it. The nearest that it takes is YU12' export -i film.h264.mp4 -o x.mkv --codec ffv1 --output-format NV12
	wrong 1 'codec dvvideo: .*--output-width' export -i test: -o x.dv -n 1
}

# Who runs under nohup does not hear of it.
test_export_nohup() {
	needs_ffmpeg
	local pid seen
	(trap '' HUP && exec "$bin" export -i test:gradient,320x240,NV12,60 -o x.mkv --stats-interval 0 --frame-log log 2>err) &
	pid=$!
	until [[ -s log ]]; do kill -0 "$pid" || fail "it ended: $(<err)"; done
	kill -HUP "$pid"
	seen=$(wc -l <log)
	until (($(wc -l <log) > seen + 5)); do kill -0 "$pid" || fail "it ended: $(<err)"; done
	kill -INT "$pid"
	wait "$pid" || fail "exit code $? after SIGINT: $(<err)"
}

# After one Ctrl-C all that was taken comes into the file, however slow the encoder is.
test_export_stopped_once() {
	needs_ffmpeg
	local pid
	"$bin" export -i test:checker,640x480,NV12,60 -o x.mkv --preset placebo --lossless --json --stats-interval 0.1 >out 2>err &
	pid=$!
	until [[ $(jq -s 'last | .frames // 0' out 2>/dev/null) -gt 20 ]] 2>/dev/null; do kill -0 "$pid" || fail "it ended: $(<err)"; done
	kill -INT "$pid"
	wait "$pid" || fail "exit code $? after SIGINT: $(<err)"
	expect_equal "frames in the file" "$(jq -s 'last | .frames' out)" "$(frames_in x.mkv)"
}

test_export_pictures_by_clone() {
	needs_ffmpeg
	run 0 timeout 30 "$bin" clone -i test:bars,64x48,RGB3 -o a.png -o b.png --json
	expect_equal "pictures" "2" "$(find . -name '?.png' -size +0 | wc -l)"
	expect_equal "frames, dropped, copied" "1 0 $((2 * 64 * 48 * 3))" \
		"$(jq -rs 'last | "\(.frames) \(.dropped) \(.copied_bytes)"' <<<"$out")"
	run 0 "$bin" export -i test:bars,64x48,RGB3 -o c.png
	expect_equal "said of a conversion that is none" "" "$(grep becomes <<<"$err" || true)"
}

test_export_segments() {
	needs_ffmpeg
	local file sum=0
	export_to 'part-%02d.mkv' -n 60 --segment 0.4 --lossless --json
	expect_equal "files" "$(find . -name 'part-*.mkv' | wc -l)" "$(jq -s 'last | .written.files' <<<"$out")"
	for file in part-*.mkv; do
		expect_match "$file begins with a key frame at 0" '^0.000000,K' \
			"$(probe "$file" -show_entries packet=pts_time,flags | sed -n 1p)"
		sum=$((sum + $(frames_in "$file")))
	done
	expect_equal "frames of all" 60 "$sum"
	[[ -e part-00.mkv && -e part-01.mkv && -e part-02.mkv ]] || fail "too few: $(ls)"
}

test_export_duration() {
	export_to x.mkv --duration 0.5 --json --lossless --frame-log log
	# The frame at half a second and those behind it are left out.
	awk 'NR == 1 { f = $2 } $2 - f >= 500000 { exit 1 }' log || fail "frames beyond the duration"
	expect_equal "all frames" "$(wc -l <log)" "$(jq -s 'last | .written.frames' <<<"$out")"
}

test_export_to_a_peer() {
	needs_ffmpeg
	local pid port=$((20000 + RANDOM % 20000))
	# Who listens may not be there yet: it is asked until it is.
	ffmpeg -nostdin -v error -i "tcp://127.0.0.1:$port?listen" -c copy got.mkv 2>peer.err &
	pid=$!
	until run_once "$port"; do kill -0 $pid 2>/dev/null || skip "nobody can listen here: $(<peer.err)"; done
	wait $pid
	expect_equal "frames at the peer" 10 "$(frames_in got.mkv)"
	wrong 5 "open tcp://127.0.0.1:$port: Connection refused" export -i test:bars -o "tcp://127.0.0.1:$port"
	run 0 "$bin" export -i test:bars,320x240,NV12,60 -o "udp://127.0.0.1:$port" -n 3 --lossless --stats-interval 0
}
run_once() {
	timeout 20 "$bin" export -i test:bars,320x240,NV12,60 -o "tcp://127.0.0.1:$1" -n 10 --lossless --stats-interval 0 >/dev/null 2>&1
}

test_export_by_clone() {
	needs_ffmpeg
	run 0 "$bin" clone -i test:bars,320x240,NV12,60 -o null: -o x.mkv -o y.ts -n 10 --json --stats-interval 0
	expect_equal "roles" "touches touches touches" "$(jq -rs 'last | [.sinks[].role] | join(" ")' <<<"$out")"
	expect_equal "frames" "$(jq -s 'last | .sinks[1].frames' <<<"$out")" "$(frames_in x.mkv)"
	wrong 2 'write x.mkv: it exists' clone -i test:bars -o x.mkv
	run 0 "$bin" clone -i test:bars,320x240,NV12,60 -o x.mkv -n 6 --force --codec mpeg4 --lossless --stats-interval 0
	expect_equal "options of files" "mpeg4,6" "$(probe x.mkv -count_frames -show_entries stream=codec_name,nb_read_frames)"
	run 0 "$bin" clone -i test:bars,320x240,NV12,60 -o null: -o 'z%d.mkv' -n 20 --segment 0.1 --preset ultrafast --stats-interval 0
	[[ -e z1.mkv ]] || fail "one segment: $(ls)"
	wrong 2 '--codec: no output is a file' clone -i test:bars -o null: --codec h264
	wrong 2 '--force: no output is a file' clone -i test:bars -o null: --force
	wrong 2 '--lossless: of several outputs none is waited for' clone -i test:bars -o null: -o y.mkv --lossless
	wrong 2 'write x.mkv: it is both the input and the output' clone -i x.mkv -o x.mkv --force
	wrong 2 'write w.mkv: it is an output twice' clone -i test:bars -o w.mkv -o null: -o w.mkv
	ln x.mkv same.mkv
	wrong 2 'write x.mkv: it is an output twice' clone -i test:bars -o same.mkv -o x.mkv --force
	wrong 2 'two outputs both write to standard output' clone -i test:bars -o - -o - --container y4m
	wrong 2 '--json and this both write to standard output' clone -i test:bars -o - -o null: --json
	wrong 2 '--sdp x.sdp: it describes one stream' clone -i test:bars -o rtp://127.0.0.1:5004 -o w.mkv --sdp x.sdp
	wrong 2 'write x.mkv: it is both the input and the output' clone -i x.mkv -o rtp://127.0.0.1:5004 --sdp x.mkv --force
	local sum
	sum=$(md5sum <x.mkv)
	wrong 2 'both the input and the output' export -i x.mkv -o "file://$PWD/x.mkv" --force
	wrong 2 'both the input and the output' export -i "file://$PWD/x.mkv" -o x.mkv --force
	wrong 2 'it exists' export -i test:bars -o "file://$PWD/x.mkv"
	# shellcheck disable=SC2094 # it shall notice
	if "$bin" export -i - -o x.mkv --force <x.mkv 2>err; then
		fail 'it wrote over the film that it read'
	fi
	mkdir folder
	cp x.mkv folder/film007.mkv
	wrong 2 'both the input and the output' export -i ./folder/film007.mkv -o folder/film%03d.mkv --segment 1 --force
	mkdir sequence
	run 0 "$bin" export -i x.mkv -o sequence/%02d.png --stats-interval 0
	wrong 2 'both the input and the output' export -i sequence/%02d.png -o ./sequence/%02d.png --force
	wrong 2 'w.y4m: it is an output twice' clone -i test:bars -o w.y4m -o ./w.y4m
	wrong 2 'w0.y4m: it is an output twice' clone -i test:bars -o w%d.y4m -o w0.y4m
	wrong 2 'both the input and the output' clone -i x.mkv -o null: --frame-log x.mkv
	wrong 2 'w.mkv: it is an output twice' export -i test:bars -o w.mkv --frame-log w.mkv
	mkfifo pipe.ts
	wrong 2 'write pipe.ts: it is an output twice' clone -i x.mkv -o pipe.ts -o pipe.ts
	if "$bin" export -i x.mkv -o /dev/stdout --container mkv --json 2>err | cat >both; then
		[[ ! -s both ]] || fail "a film and JSON in one pipe: $(head -c 200 both | tr -d '\0')"
	fi
	expect_equal "the film that is there" "$sum" "$(md5sum <x.mkv)"
	run 0 "$bin" export -i "file://$PWD/x.mkv" -o "file://$PWD/by-url.mkv" --stats-interval 0
	expect_equal "a film by its URL" "$(frames_in x.mkv)" "$(frames_in by-url.mkv)"
	[[ ! -e w.mkv && ! -e x.sdp ]] || fail "files of runs that never began: $(ls)"
	run 0 "$bin" clone -i test:bars,320x240,NV12,60 -o one.png --stats-interval 0
	expect_equal "a picture" "320,240" "$(probe one.png -show_entries stream=width,height)"
	wrong 3 'x.unknown: no video device' clone -i test:bars -o x.unknown
}

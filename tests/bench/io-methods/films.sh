# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# The films that are played: H.264, which FFmpeg decodes into the loop's memory, and raw pictures, which are read into it.

# film_file DIR NAME: of a NAME such as h264-640x480.
film_file() {
	case $2 in
	h264-*) echo "$1/$2.mp4" ;;
	*) echo "$1/$2.y4m" ;;
	esac
}

# make_film DIR NAME FRAMES: unless one of that length is there.
make_film() {
	local file codec=(-f yuv4mpegpipe)
	file=$(film_file "$1" "$2")
	[[ $2 != h264-* ]] || codec=(-c:v libx264 -preset veryfast -f mp4)
	[[ "$(cat "$file.frames" 2>/dev/null)" != "$3" ]] || return 0
	mkdir -p "$1"
	ffmpeg -nostdin -v error -y -f lavfi -i "testsrc2=size=${2#*-}:rate=30" -frames:v "$3" -pix_fmt yuv420p \
		"${codec[@]}" "$file.new"
	mv "$file.new" "$file"
	echo "$3" >"$file.frames"
}

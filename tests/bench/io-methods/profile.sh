# shellcheck shell=bash disable=SC2154 # variables of the command that reads this
# SPDX-License-Identifier: MIT
#
# Where the time goes, by perf with the kernel's timer (an emulated processor counts no cycles). What a system call or a page
# fault does is found by the functions above it.

# What each is played for.
profile_seconds=8

profile_all() {
	local film way
	if ! perf record -e cpu-clock -o "$work/perf.data" true >/dev/null 2>&1; then
		note "no profile: perf (the package linux-perf) is not there or does not run"
		return
	fi
	for film in h264-640x480 raw-640x480; do
		for way in null/none write/none mmap/none userptr/mmap dmabuf/mmap dmabuf/expbuf; do
			note "$film, ${way%/*}, reader: ${way#*/}, profile"
			profile_one "$film" "${way%/*}" "${way#*/}"
		done
	done
}

# profile_one FILM METHOD READER: the program in the middle of a film that does not end, and its reader.
profile_one() {
	local options clone fifo=$work/profile.fifo line pids
	options_of "$2"
	[[ $3 == none ]] || start_reader "$3"
	rm -f "$fifo"
	mkfifo "$fifo"
	"$bin" clone -i "$(film_file "$films" "$1")" "${options[@]}" --no-pace --loop --stats-interval 1 --json >"$fifo" 2>/dev/null &
	clone=$!
	exec 3<"$fifo"
	while read -r -t 60 -u 3 line && [[ $line != *'"event":"stats"'* ]]; do :; done
	pids=$clone
	[[ $3 == none ]] || pids+=,$(pgrep -P "$reader_pid")
	perf record -q -e cpu-clock -F 499 -g -p "$pids" -o "$work/perf.data" -- sleep "$profile_seconds" >/dev/null 2>&1
	kill -INT "$clone"
	cat <&3 >/dev/null
	exec 3<&-
	wait "$clone" || true
	[[ $3 == none ]] || stop_reader
	perf script -i "$work/perf.data" -F pid,ip,sym,dso 2>/dev/null | classify "$clone" |
		jq -Rcn --arg film "$1" --arg method "$2" --arg reader "$3" '
			reduce (inputs | split("\t")) as [$side, $where, $count] ({clone: {}, play: {}}; .[$side][$where] = ($count | tonumber)) |
			{film: $film, method: $method, reader: $reader} + .' >>"$work/profile"
}

# classify PID: samples of perf script, each a line with the process, then its functions from the innermost one, then an
# empty line. A line for each place: clone or play, the place, and how many samples.
classify() {
	awk -v clone="$1" '
		function copies(name) { return name ~ /^(rep_movs_alternative|copy_user|copy_page|_?_?memcpy|memcpy_orig|memmove|__memmove)/ }
		function place(   i) {
			if (inner_dso ~ /libav|libsw|x264/) return "decode"
			if (inner_dso !~ /^\[/) {
				if (copies(inner)) return "memcpy"
				return inner_dso ~ /libc/ ? "rest of libc" : "program"
			}
			if (stack ~ /!ksys_read( |$)/ && stack ~ /!vfs_read( |$)/) return "read the film"
			if (stack ~ /exc_page_fault/) return "page faults"
			if (stack ~ /!ksys_write( |$)/) return copies(inner) ? "write: the copy" : "write: the rest"
			if (stack ~ /!(v4l2dma_reader_dqbuf|vb2_dqbuf|vb2_core_dqbuf)( |$)/) return copies(inner) ? "DQBUF: the copy" : "DQBUF"
			if (stack ~ /!(vb2_qbuf|vb2_core_qbuf|qbuf)( |$)/) return "QBUF"
			if (stack ~ /!dma_buf_ioctl( |$)/) return "DMA_BUF_SYNC"
			if (stack ~ /!vb2_(core_)?expbuf( |$)/) return "EXPBUF"
			if (stack ~ /!do_timerfd_settime( |$)/) return "timerfd_settime"
			if (stack ~ /!do_futex( |$)/) return "futex"
			if (stack ~ /!do_epoll_wait( |$)/) return "epoll_wait"
			if (stack ~ /!__x64_sys_(munmap|mmap|mprotect|madvise|brk)( |$)/) return "memory from the kernel and back"
			if (stack ~ /!video_usercopy( |$)/) return "other ioctls"
			return "kernel, the rest"
		}
		function flush() {
			if (inner != "") count[(pid == clone ? "clone" : "play") "\t" place()]++
			inner = stack = ""
		}
		/^ *[0-9]+ *$/ { flush(); pid = $1; next }
		NF == 0 { flush(); next }
		{ dso = $NF; gsub(/[()]/, "", dso); name = $2
		  if (inner == "") { inner = name; inner_dso = dso }
		  sub(/.*\//, "", dso); stack = stack " " dso "!" name }
		END { flush(); for (key in count) print key "\t" count[key] }
	'
}

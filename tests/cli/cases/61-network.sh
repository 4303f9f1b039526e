# shellcheck shell=bash disable=SC2154 # bin, work, out, err are of tests/cli/run
# SPDX-License-Identifier: MIT
#
# URLs of the network, written and read, with ffmpeg at the other end; on 127.0.0.1 alone. Nothing is slept for: a port is
# waited for until it is in /proc/net, for as long as the one lives who is to open it.

source_name=test:bars,320x240,NV12,60

needs_protocols() { # needs_protocols NAME...
	local name
	command -v ffprobe ffmpeg >/dev/null || skip 'there is no ffmpeg'
	for name in "$@"; do
		(($(ffmpeg -v quiet -protocols | grep -cxF "  $name") == 2)) || skip "this FFmpeg does not speak $name"
	done
}

# Whoever was started ends with the case.
end_peers() {
	local pid
	for pid in $(jobs -p); do kill -- "$pid" 2>/dev/null || true; done
}

port_is_open() { # port_is_open tcp|udp PORT [STATE]
	local hex
	printf -v hex ':%04X' "$2"
	awk -v port="$hex" -v state="${3:-}" 'substr($2, length($2) - 4) == port && (state == "" || $4 == state) { found = 1 }
		END { exit !found }' "/proc/net/$1" "/proc/net/${1}6"
}

choose_port() { # sets port; RTP takes the next one, too
	trap end_peers EXIT
	while port=$((20000 + RANDOM % 10000 * 2)); port_is_open udp "$port" || port_is_open udp $((port + 1)) || port_is_open tcp "$port"; do :; done
}

wait_for_port() { # wait_for_port tcp|udp PID: until that process listens
	local state=''
	[[ $1 == udp ]] || state=0A
	until port_is_open "$1" "$port" $state; do
		kill -0 "$2" 2>/dev/null || fail "nobody opened port $port: $(cat peer.err flow.err 2>/dev/null)"
	done
}

start_peer() { # start_peer FFMPEG-OPTION...: sets peer
	timeout 40 ffmpeg -nostdin -v error "$@" 2>peer.err </dev/null &
	peer=$!
}

start() { # start ARGUMENT...: sets pid
	timeout 40 "$bin" "$@" >flow.out 2>flow.err </dev/null &
	pid=$!
}

ended() { # ended EXIT-CODE: of start()
	local status=0
	wait "$pid" || status=$?
	expect_equal "exit code ($(<flow.err))" "$1" "$status"
}

# The program, not the timeout around it.
interrupt() {
	local child=''
	until [[ -n $child ]]; do
		child=$(pgrep -P "$pid") || kill -0 "$pid" 2>/dev/null || fail "it ended: $(<flow.err)"
	done
	kill -INT "$child"
}

export_to() { # export_to URL OPTION...
	run 0 "$bin" export -i "$source_name" -o "$1" --lossless --stats-interval 0 "${@:2}"
}

frames_in() {
	ffprobe -v error -count_frames -select_streams v -show_entries stream=nb_read_frames -of csv=p=0 "$1" |
		awk -F, 'NR == 1 { print $1 }'
}

# expect_live FILE FRAMES: all there, none of which the decoder complains of or that waits for another, and key frames that
# are a second apart.
expect_live() {
	expect_equal "frames in $1" "$2" "$(frames_in "$1" 2>said)"
	expect_equal "what the decoder says of $1" "" "$(<said)"
	expect_equal "pictures of $1 that wait for others" 0 \
		"$(ffprobe -v error -show_entries stream=has_b_frames -of csv=p=0 "$1" | awk -F, 'NR == 1 { print $1 }')"
	expect_match "longest way to a key frame in $1" '^6[01]$' \
		"$(ffprobe -v error -select_streams v -show_entries packet=flags -of csv=p=0 "$1" |
			awk '/K/ { if (n > most) most = n; n = 0 } NF { ++n } END { print most }')"
}

test_network_export_srt() {
	local port peer pid
	needs_protocols srt
	choose_port
	start_peer -i "srt://127.0.0.1:$port?mode=listener" -c copy called.ts
	wait_for_port udp "$peer"
	export_to "srt://127.0.0.1:$port" -n 130 --json
	wait "$peer" || true # the end of SRT is an error to ffmpeg
	expect_live called.ts 130
	expect_equal "container" mpegts "$(jq -rs 'last | .written.container' <<<"$out")"
	choose_port
	start export -i "$source_name" -o "srt://127.0.0.1:$port?mode=listener" --lossless -n 130 --stats-interval 0
	wait_for_port udp "$pid"
	start_peer -i "srt://127.0.0.1:$port" -c copy caller.ts
	ended 0
	wait "$peer" || true
	expect_live caller.ts 130
}

test_network_export_rtmp() {
	local port peer
	needs_protocols rtmp
	choose_port
	start_peer -listen 1 -i "rtmp://127.0.0.1:$port/live/x" -c copy got.mkv
	wait_for_port tcp "$peer"
	export_to "rtmp://127.0.0.1:$port/live/x" -n 130 --json
	wait "$peer" || true
	expect_live got.mkv 130
	expect_equal "container" flv "$(jq -rs 'last | .written.container' <<<"$out")"
}

test_network_export_rtsp() {
	local port peer
	needs_protocols rtp
	choose_port
	start_peer -rtsp_flags listen -i "rtsp://127.0.0.1:$port/x" -c copy got.mkv
	wait_for_port tcp "$peer"
	export_to "rtsp://127.0.0.1:$port/x?tcp" -n 130 --json
	wait "$peer" || true
	expect_live got.mkv 130
	(($(jq -s 'last | .written.bytes' <<<"$out") > 1000)) || fail "bytes: $out"
}

# RTSP has no times of decoding, which packets need whose pictures are shown in another order: they are encoded anew.
test_network_export_of_reordered_pictures() {
	local port peer
	needs_protocols rtp
	ffmpeg -nostdin -v error -f lavfi -i testsrc2=size=128x96:rate=25 -frames:v 40 -c:v libx264 -bf 2 -pix_fmt yuv420p film.mp4
	choose_port
	start_peer -rtsp_flags listen -i "rtsp://127.0.0.1:$port/x" -c copy got.mkv
	wait_for_port tcp "$peer"
	run 0 "$bin" export -i film.mp4 -o "rtsp://127.0.0.1:$port/x?tcp" --json --stats-interval 0
	wait "$peer" || true
	expect_equal "what was done" "libx264 40" "$(jq -rs 'last | "\(.written.codec) \(.written.frames)"' <<<"$out")"
	expect_equal "frames" 40 "$(ffprobe -v error -count_frames -show_entries stream=nb_read_frames -of csv=p=0 got.mkv | tr -d ,)"
}

test_network_export_tcp() {
	local port peer pid
	needs_protocols tcp
	choose_port
	start export -i "$source_name" -o "tcp://127.0.0.1:$port?listen" --lossless -n 130 --stats-interval 0
	wait_for_port tcp "$pid"
	start_peer -i "tcp://127.0.0.1:$port" -c copy got.ts
	ended 0
	wait "$peer"
	expect_live got.ts 130
}

# Somebody begins to watch in the middle, with nothing but the URL, or the SDP.
test_network_late_watchers() {
	local port pid scheme
	needs_protocols udp rtp
	for scheme in udp rtp; do
		choose_port
		start export -i "$source_name" -o "$scheme://127.0.0.1:$port" --stats-interval 0
		run 0 ffmpeg -nostdin -v quiet -i "$scheme://127.0.0.1:$port" -frames:v 30 -f framemd5 -
		expect_equal "$scheme: pictures at ffmpeg" 30 "$(grep -vc '^#' <<<"$out")"
		run 0 "$bin" clone -i "$scheme://127.0.0.1:$port" -o null: -n 30 --json --timeout 15
		expect_equal "$scheme: pictures at clone" "30 320x240" \
			"$(jq -rs '"\(last | .frames) \(first | .width)x\(first | .height)"' <<<"$out")"
		interrupt
		ended 0
	done
	choose_port
	wrong 2 "--sdp udp://127.0.0.1:$port: players need none" export -i test:bars -o "udp://127.0.0.1:$port" --sdp x.sdp
	wrong 2 'both write to standard output' export -i test:bars -o "rtp://127.0.0.1:$port" --container rtp --sdp - --json
	start export -i "$source_name" -o "rtp://127.0.0.1:$port" --container rtp --sdp x.sdp --stats-interval 0
	until grep -qs '^a=fmtp' x.sdp; do kill -0 "$pid" || fail "it ended: $(<flow.err)"; done
	run 0 ffmpeg -nostdin -v quiet -protocol_whitelist file,rtp,udp -i x.sdp -frames:v 30 -f framemd5 -
	expect_equal "pictures at ffmpeg, by SDP" 30 "$(grep -vc '^#' <<<"$out")"
	run 0 "$bin" clone -i x.sdp -o null: -n 30 --json --timeout 15
	expect_equal "pictures at clone, by SDP" 30 "$(jq -s 'last | .frames' <<<"$out")"
	interrupt
	ended 0
	wrong 2 'write x.sdp: it exists' export -i test:bars -o "rtp://127.0.0.1:$port" --container rtp --sdp x.sdp
	# What is no SDP by its name makes no connections.
	cp x.sdp x.mkv
	run 3 "$bin" clone -i x.mkv -o null: --timeout 5
}

# Datagrams are whole packets of the transport stream: receivers that are strict know no others.
test_network_datagrams() {
	local port peer pid
	needs_protocols udp
	command -v perl >/dev/null || skip 'there is no perl'
	choose_port
	# shellcheck disable=SC2016 # Perl's variables
	timeout 40 perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Proto => "udp", LocalAddr => "127.0.0.1", LocalPort => $ARGV[0])
		or die; for (1 .. 200) { $s->recv($d, 65536); printf "%d %x\n", length($d) % 188, ord $d }' "$port" >datagrams &
	peer=$!
	wait_for_port udp "$peer"
	start export -i "$source_name" -o "udp://127.0.0.1:$port" --bitrate 4M --stats-interval 0
	wait "$peer"
	interrupt
	ended 0
	expect_equal "what is beyond whole packets, and first bytes" "200 0 47" "$(sort datagrams | uniq -c | xargs)"
}

# send FFMPEG-OPTION...: 50 pictures as they are due.
send() {
	start_peer -re -f lavfi -i testsrc2=size=320x240:rate=50 -frames:v 50 -c:v libx264 -tune zerolatency -g 25 -pix_fmt yuv420p "$@"
}

test_network_sources() {
	local port peer pid
	needs_protocols srt rtmp tcp
	choose_port
	start export -i "tcp://127.0.0.1:$port?listen" -o tcp.mkv --stats-interval 0
	wait_for_port tcp "$pid"
	send -f mpegts "tcp://127.0.0.1:$port"
	ended 0
	expect_equal "frames by tcp" 50 "$(frames_in tcp.mkv)"
	# Neither ffmpeg's RTMP nor SRT tells the end of a stream from a loss; what came is kept.
	choose_port
	send -f flv -listen 1 "rtmp://127.0.0.1:$port/live/x"
	wait_for_port tcp "$peer"
	start export -i "rtmp://127.0.0.1:$port/live/x" -o rtmp.mkv --stats-interval 0
	ended 5
	expect_equal "frames by rtmp" 50 "$(frames_in rtmp.mkv)"
	choose_port
	start export -i "srt://127.0.0.1:$port?mode=listener" -o srt.mkv --stats-interval 0
	wait_for_port udp "$pid"
	send -f mpegts "srt://127.0.0.1:$port"
	ended 5
	expect_match "how SRT ends" 'the other end went away' "$(<flow.err)"
	(($(frames_in srt.mkv) >= 30)) || fail "frames by srt: $(frames_in srt.mkv)"
}

test_network_nobody_there() {
	local port url
	needs_protocols srt rtmp tcp rtp
	choose_port
	wrong 5 'Connection refused\. Start the other end first, or wait for it here by \?listen' export -i test:bars -o "tcp://127.0.0.1:$port"
	wrong 5 'nobody answers there.* Start the other end .*mode=listener' export -i test:bars -o "srt://127.0.0.1:$port"
	for url in "rtmp://127.0.0.1:$port/live/x" "rtsp://127.0.0.1:$port/x"; do
		run 5 "$bin" export -i test:bars -o "$url" --stats-interval 0
		expect_match "$url" "open $url: Connection refused. Start the other end first" "$err"
		wrong 5 "open $url: Connection refused. Start the other end first" clone -i "$url" -o null:
	done
	wrong 5 'nobody answers there' clone -i "srt://127.0.0.1:$port" -o null:
	for url in "srt://127.0.0.1:$port?mode=listener" "tcp://127.0.0.1:$port?listen"; do
		wrong 1 'nobody was there in time' export -i test:bars -o "$url" --timeout 0.3
	done
	for url in "srt://127.0.0.1:$port?mode=listener" "tcp://127.0.0.1:$port?listen" "udp://127.0.0.1:$port" "rtp://127.0.0.1:$port"; do
		wrong 1 'no picture came in time' clone -i "$url" -o null: --timeout 0.3
	done
}

test_network_interrupted_while_it_connects() {
	local port pid kind
	needs_protocols srt tcp udp
	for kind in 'udp srt mode=listener' 'tcp tcp listen'; do
		read -r protocol scheme query <<<"$kind"
		choose_port
		start export -i test:bars -o "$scheme://127.0.0.1:$port?$query"
		wait_for_port "$protocol" "$pid"
		interrupt
		ended 0
		expect_equal "what $scheme says" "" "$(grep error flow.err || true)"
		start clone -i "$scheme://127.0.0.1:$port?$query" -o null:
		wait_for_port "$protocol" "$pid"
		interrupt
		ended 0
	done
	start clone -i "udp://127.0.0.1:$port" -o null:
	wait_for_port udp "$pid"
	interrupt
	ended 0
}

# It takes the connection and says nothing.
test_network_silent_peer() {
	local port peer pid url
	needs_protocols rtmp tcp rtp
	for url in rtmp://127.0.0.1:PORT/live/x rtsp://127.0.0.1:PORT/x; do
		choose_port
		start_peer -i "tcp://127.0.0.1:$port?listen" -c copy -f null -
		wait_for_port tcp "$peer"
		run 1 "$bin" export -i test:bars -o "${url/PORT/$port}" --timeout 0.5 --stats-interval 0
		expect_match "$url" 'nobody was there in time' "$err"
		choose_port
		start_peer -i "tcp://127.0.0.1:$port?listen" -c copy -f null -
		wait_for_port tcp "$peer"
		start export -i test:bars -o "${url/PORT/$port}" --stats-interval 0
		until port_is_open tcp "$port" 01; do kill -0 "$pid" 2>/dev/null || fail "it ended: $(<flow.err)"; done
		interrupt
		ended 0
		choose_port
		start_peer -i "tcp://127.0.0.1:$port?listen" -c copy -f null -
		wait_for_port tcp "$peer"
		wrong 1 'no picture came in time' clone -i "${url/PORT/$port}" -o null: --timeout 0.5
	done
}

test_network_peer_that_leaves() {
	local port peer pid
	needs_protocols tcp rtmp
	choose_port
	start_peer -listen 1 -i "rtmp://127.0.0.1:$port/live/x" -frames:v 40 -f null -
	wait_for_port tcp "$peer"
	run 5 "$bin" export -i "$source_name" -o "rtmp://127.0.0.1:$port/live/x" --stats-interval 0
	expect_match "rtmp" "write rtmp://127.0.0.1:$port/live/x: the other end went away" "$err"
	choose_port
	start_peer -i "tcp://127.0.0.1:$port?listen" -frames:v 40 -f null -
	wait_for_port tcp "$peer"
	# Others go on without it; the exit code tells.
	start clone -i "$source_name" -o "tcp://127.0.0.1:$port" -o null: --stats-interval 0
	wait "$peer"
	until grep -q 'gets no frames any more' flow.err; do kill -0 "$pid" 2>/dev/null || fail "it ended: $(<flow.err)"; done
	interrupt
	ended 5
}

test_network_codec_that_the_protocol_does_not_carry() {
	local port peer
	needs_protocols rtp
	choose_port
	start_peer -rtsp_flags listen -i "rtsp://127.0.0.1:$port/x" -f null -
	wait_for_port tcp "$peer"
	run 2 "$bin" export -i test:bars -o "rtsp://127.0.0.1:$port/x" --codec ffv1 --stats-interval 0
	expect_match "sentence" 'container rtsp: it does not take ffv1\. It takes: ' "$err"
}

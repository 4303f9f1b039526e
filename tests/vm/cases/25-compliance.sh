# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# What v4l2-compliance of a newer Debian says of a loop, in every state that is one of those it knows, streaming
# with every memory type: no failure, no warning.

capture=/dev/video11
exporter=/dev/video1

# load_cameras FOURCC [OPTION...]: two, one to write from, and one whose buffers are large enough for every frame.
load_cameras() {
	local fourcc=$1
	load_vivid n_devs=2 node_types=0x1,0x1 vid_cap_nr=0,1 "${@:2}"
	v4l2-ctl -d "$exporter" --set-fmt-video="width=1280,height=720,pixelformat=$fourcc"
}

# ask DEVICE: sets $complaints.
ask() {
	"$V4L2DMA_COMPLIANCE" -d "$1" -s 6 -e "$exporter" >compliance 2>&1 || true
	complaints=$(tr '\r' '\n' <compliance | grep -E '^\s*(fail|warn):' || true)
}

# check DEVICE [WAIVER]: a waiver is a pattern, needed exactly once; one that is not needed any more is a failure, too.
check() {
	local complaints failures=0
	ask "$1"
	# It read()s twice without blocking and wants the same answer; a frame that comes in between is no fault.
	for _ in 1 2; do
		[[ $complaints == *"ret2 != ret"* ]] || break
		ask "$1"
	done
	if [[ -n ${2:-} ]]; then
		expect_equal "uses of the waiver '$2'" 1 "$(grep -cE "$2" <<<"$complaints")"
		complaints=$(grep -vE "$2" <<<"$complaints" || true)
		failures=1
	fi
	expect_equal "failures and warnings" "" "$complaints"
	expect_match "the end" "Failed: $failures, Warnings: 0" "$(tail -n 1 compliance)"
	expect_match "streaming" 'test DMABUF \(select\): OK' "$(grep -a DMABUF compliance)"
}

# Something writes into the loop until the end of the case. Slowly: a first frame that is dropped because the reader
# was not there in time is a warning, as it is with any camera.
start_writer() {
	start clone "$bin" clone -i "$camera" -o "$loop" --fps 10 --json
	await clone stats
}

end_writer() {
	stop clone
	expect_idle
}

test_exclusive_caps() {
	load_cameras YUYV
	load_loop exclusive_caps=1 max_readers=1
	check "$loop"
	start_writer
	check "$loop"
	end_writer
}

test_split_nodes() {
	load_cameras YUYV
	load_loop nodes=split capture_nr=11 max_readers=1
	check "$loop"
	start_writer
	check "$capture"
	end_writer
}

test_several_readers() {
	load_cameras YUYV
	load_loop nodes=split capture_nr=11
	start_writer
	# A second handle may own buffers: that is what the loop is for.
	check "$capture" 'q2.reqbufs\(node->node2, 1\) != EBUSY'
	end_writer
}

test_no_signal() {
	load_cameras YUYV
	load_loop nodes=split capture_nr=11 max_readers=1 timeout=1
	check "$capture"
	expect_idle
}

test_multiplanar() {
	load_cameras YM12 multiplanar=2,2
	load_loop nodes=split capture_nr=11 max_readers=1 multiplanar=1 timeout=1
	v4l2-ctl -d "$loop" --set-fmt-video-out=width=320,height=240,pixelformat=YM12
	check "$loop"
	check "$capture"
	modprobe -r v4l2dma
	load_loop exclusive_caps=1 max_readers=1 multiplanar=1
	check "$loop"
}

# shellcheck shell=bash disable=SC2154 # bin, work, out, err are of tests/cli/run
# SPDX-License-Identifier: MIT
#
# load: everything that is decided before a kernel is asked. The kernels' own answers are in tests/vm/cases.

test_load_values_out_of_range() {
	wrong 2 '--devices.* 0 is not possible, 1 to 32' load --devices 0
	wrong 2 '--devices.* 33 is not possible' load --devices 33
	wrong 2 "--devices cannot be 'many'" load --devices many
	wrong 2 "--max-readers cannot be '1000000000000'" load --max-readers 1000000000000
	wrong 2 '--devices needs a value' load --devices
	wrong 2 '--min-buffers' load --min-buffers 1
	wrong 2 '--max-buffers' load --max-buffers 33
	wrong 2 '--max-buffers' load --min-buffers 9 --max-buffers 4
	wrong 2 '--max-readers' load --max-readers 0
	wrong 2 '--support-dmabuf' load --support-dmabuf 2
	wrong 2 '--multiplanar' load --multiplanar 2
	wrong 2 '--debug' load --debug -1
	wrong 2 '--reclaim-ms: 60001 is not possible, 1 to 60000 are' load --reclaim-ms 60001
	wrong 2 "--nodes: 'both' is neither single nor split" load --nodes both
	wrong 2 "--overrun: 'never' is neither leaky nor lossless" load --overrun never
	wrong 2 '--capture-nr.*only with --nodes split' load --capture-nr 3
	wrong 2 '--exclusive-caps has no meaning' load --nodes split --exclusive-caps 1
}

test_load_lists() {
	wrong 2 "'x' is no device number" load --video-nr 1,x
	wrong 2 "'' is no device number" load --video-nr 1,
	wrong 2 "'010' is no device number.*leading zeros" load --video-nr 010
	wrong 2 '4 is given twice' load --video-nr 4,4
	wrong 2 '--video-nr is given more than once' load --video-nr 4 --video-nr 5
	wrong 2 '3 numbers for 2 loops' load --devices 2 --video-nr 1,2,3
	wrong 2 'a label is empty' load --card-label ''
	wrong 2 'no label can contain one' load --devices 1 --card-label 'door, front'
	wrong 2 'quote' load --card-label 'the "best"'
	wrong 2 'more than 31 bytes' load --card-label 01234567890123456789012345678901
	wrong 2 'neither 0 nor 1' load --exclusive-caps yes
	wrong 2 '2 values for 3 loops' load --devices 3 --exclusive-caps 0,1
}

test_load_group() {
	wrong 2 "there is no group 'nobody-has-this-group'" load --allowed-gid nobody-has-this-group
	wrong 2 'no group number' load --allowed-gid -1
}

test_load_options_that_contradict() {
	wrong 2 '--unload goes without --reload' load --unload --reload
	wrong 2 '--unload goes without --devices' load --unload --devices 2
	wrong 2 '--unload goes without --list' load --unload --list
	wrong 2 '--add goes without --reload' load --add --reload
	wrong 2 '--add: it makes one loop' load --add --card-label a,b
	wrong 2 '--remove goes without --devices' load --remove 3 --devices 1
	wrong 2 '--remove needs the name of a loop' load --remove 3,
	wrong 2 '--set needs the name of a loop' load --set '' --debug 1
	wrong 2 '--list goes without --debug' load --list --debug 1
	wrong 2 '--force goes with --remove only' load --force
	wrong 2 '--set: there is nothing to change' load --set 3
	wrong 2 '--min-buffers: it is fixed' load --set 3 --min-buffers 3
	wrong 2 '--set: numbers, names, nodes, overrun and memory are fixed' load --set 3 --overrun lossless
	wrong 2 "unexpected argument 'word'" load word
	wrong 2 "unknown option '--device' \(did you mean '--devices'\?\)" load --device 2
}

test_load_at_run_time_without_the_module() {
	[[ ! -e /sys/module/v4l2dma ]] || skip "the module is loaded on this machine"
	local option
	for option in --add --list '--remove 3' '--set 3 --debug 1'; do
		# shellcheck disable=SC2086 # an option and its value
		wrong 3 "/dev/v4l2dma: .*not loaded.*v4l2dma load" load $option
	done
}

test_load_wrong_files() {
	[[ ! -e /sys/module/v4l2dma ]] || skip "the module is loaded on this machine"
	wrong 3 '/nonexistent/v4l2dma.ko: No such file' load --module /nonexistent/v4l2dma.ko
	wrong 3 'not a file' load --module /
	echo "no module" >"$work/broken.ko"
	wrong 3 'broken.ko: this file is not a kernel module' load --module "$work/broken.ko"
	: >"$work/empty.ko"
	wrong 3 'empty.ko' load --module "$work/empty.ko"
}

test_load_of_another_kernel() {
	[[ ! -e /sys/module/v4l2dma ]] || skip "the module is loaded on this machine"
	[[ -n ${fake_module:-} ]] || skip "the unit tests are not built"
	wrong 3 "built for kernel 1\.2\.3-fake, this one is $(uname -r)" load --module "$fake_module"
	wrong 3 "no parameter 'max_readers'" load --module "$fake_module" --max-readers 4
}

test_unload_what_is_not_loaded() {
	[[ ! -e /sys/module/v4l2dma ]] || skip "the module is loaded on this machine"
	wrong 3 'not loaded' load --unload
}

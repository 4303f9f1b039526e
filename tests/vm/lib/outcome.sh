# shellcheck shell=bash disable=SC2154 # what common.sh and the command set
# SPDX-License-Identifier: MIT
#
# What came of a run: the exit code, and what a reader needs to understand a failure.

show_log_tail() {
	note "the end of the guest's kernel log:"
	tail -n "$1" "$results/kernel.log" >&2
}

# The folder that nobody asked for stays when it explains a failure.
keep_results() {
	# shellcheck disable=SC2034 # clean_up in the command reads it
	own_results=''
	note "$results/kernel.log has the whole log"
}

# report_outcome: exits with the run's code.
report_outcome() {
	local code='' complaints=''
	touch "$results/kernel.log"
	sed -i 's/\r*$//' "$results/kernel.log"
	[[ -z $verbose ]] || cat "$results/kernel.log" >&2
	[[ -s $run_dir/control/status ]] && code=$(<"$run_dir/control/status")
	complaints=$("$vm_dir/lib/scan-kernel-log" "$results/kernel.log") || true
	if [[ -n $complaints ]]; then
		note "the kernel complained:"
		printf '%s\n' "$complaints" >&2
	fi
	sed -n 's/.*v4l2dma-vm: notice: \(unreferenced object.*\):$/lost memory that is not of the module: \1/p;
		s/.*v4l2dma-vm: notice: \(kmemleak is off\)/\1/p' "$results/kernel.log" | while read -r line; do note "$line"; done
	if ((qemu_code == 124 || qemu_code == 137)); then
		note "the time of $timeout s is over"
		show_log_tail 15
		code=124
	elif [[ -z $code ]]; then
		explain_death
		code=125
	elif [[ -n $complaints ]] && ((code == 0)); then
		code=126
	fi
	if ((code != 0)) && [[ -n $complaints || $code == 12[456] ]]; then
		keep_results
	fi
	exit "$code"
}

explain_death() {
	if [[ -s $run_dir/qemu.log ]]; then
		note "QEMU says:"
		cat "$run_dir/qemu.log" >&2
	fi
	if grep -q 'Kernel panic' "$results/kernel.log"; then
		note "the guest's kernel panicked before the command ended"
	else
		note "the guest ended before the command did"
	fi
	show_log_tail 40
}

# shellcheck shell=bash disable=SC2154,SC2054 # what common.sh and the command set
# SPDX-License-Identifier: MIT
#
# Starting QEMU, and finding out whether KVM can be used.

# QEMU reads a comma in a value as the end of the value; two of them stand for one.
qemu_path() { printf '%s' "${1//,/,,}"; }

# TCG is slow at AVX, which glibc would use for every memcpy if the CPU had it; SMAP and SMEP catch a module that
# touches user memory directly.
tcg_cpu=Nehalem,+smap,+smep,+umip,+rdrand,+pdpe1gb

# Debian's kernels zero every page that they hand out: a module that forgets to would get away with it.
cmdline="init_on_alloc=0"

# set_machine INITRAMFS KERNEL-LOG ACCELERATOR: sets the array $machine to a QEMU command that boots the kernel.
set_machine() {
	local cpu=$tcg_cpu accelerator=$3 image=$kernel/boot/vmlinux-$version
	[[ -e $image ]] || image=$kernel/boot/vmlinuz-$version
	[[ $accelerator == kvm ]] && cpu=host
	[[ $accelerator == tcg ]] && accelerator=tcg,thread=multi
	find_qemu
	machine=("${qemu[@]}"
		-nodefaults -no-user-config -display none -no-reboot
		-machine pc,usb=off -accel "$accelerator" -cpu "$cpu" -smp "$smp" -m "$memory"
		-kernel "$image" -initrd "$1"
		-append "console=ttyS0 loglevel=8 printk.time=1 panic=-1 mitigations=off no_timer_check random.trust_cpu=on $cmdline"
		-chardev "file,id=log,path=$(qemu_path "$2")" -serial chardev:log
		-device virtio-rng-pci)
}

# A /dev/kvm that is there need not work (nested virtualisation may be missing or broken): the only proof is a guest
# that boots. The answer holds until the host boots again.
probe_kvm() {
	local answer=$1 folder=$2 machine
	set_machine "$folder/initramfs" "$folder/probe.log" kvm
	machine+=(-append "console=ttyS0 panic=-1 v4l2dma.probe")
	timeout -k 2 "${V4L2DMA_VM_PROBE_SECONDS:-15}" "${machine[@]}" </dev/null >/dev/null 2>&1 || true
	if grep -q 'v4l2dma-vm: probe answered' "$folder/probe.log" 2>/dev/null; then
		echo kvm >"$folder/answer"
	else
		note "KVM of this machine cannot run a guest (tried once for this boot of the host); using TCG"
		echo tcg >"$folder/answer"
	fi
	mkdir -p "${answer%/*}"
	mv -f "$folder/answer" "$answer"
}

# Prints kvm or tcg; FOLDER has the initramfs and takes the traces of a probe.
accelerator() {
	local folder=$1 answer
	if [[ -n ${V4L2DMA_VM_ACCEL:-} ]]; then
		printf '%s\n' "$V4L2DMA_VM_ACCEL"
	elif [[ ! -r /dev/kvm || ! -w /dev/kvm ]]; then
		echo tcg
	else
		answer=$cache/kvm/$(cat /proc/sys/kernel/random/boot_id)-$EUID
		[[ -s $answer ]] || probe_kvm "$answer" "$folder"
		cat "$answer"
	fi
}

// SPDX-License-Identifier: MIT
// An object file with the .modinfo of a kernel module, for everything that is decided before the kernel sees
// it. No kernel takes it.

#define MODINFO __attribute__((section(".modinfo"), used)) static const char

MODINFO name_field[] = "name=v4l2dma";
MODINFO vermagic_field[] = "vermagic=1.2.3-fake SMP mod_unload ";
MODINFO depends_field[] = "depends=videodev,videobuf2-common";
MODINFO parm_field[] = "parm=devices:Number of loops";
MODINFO parmtype_field[] = "parmtype=debug:uint";

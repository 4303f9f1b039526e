// SPDX-License-Identifier: MIT
#include "dmabuf/identity.h"

namespace v4l2dma {

Result<DmabufIdentity> identify_dmabuf(int fd, System& system) {
    struct stat status {};
    if (const int result = system.fstat(fd, status); result < 0)
        return system_error("fstat", "dma-buf", -result);
    return DmabufIdentity{.device = status.st_dev, .inode = status.st_ino};
}

} // namespace v4l2dma

// SPDX-License-Identifier: MIT
#include "base/folder_watch.h"

#include <array>
#include <sys/inotify.h>
#include <unistd.h>

namespace v4l2dma {

Result<FolderWatch> FolderWatch::create(const std::string& folder) {
    UniqueFd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!fd)
        return system_error("inotify", folder);
    // IN_ATTRIB: udev gives a node its group after the kernel made it.
    if (::inotify_add_watch(fd.get(), folder.c_str(), IN_CREATE | IN_MOVED_TO | IN_ATTRIB) < 0)
        return system_error("inotify", folder);
    return FolderWatch(std::move(fd));
}

void FolderWatch::drain() const noexcept {
    std::array<std::byte, 4096> events{};
    while (::read(fd_.get(), events.data(), events.size()) > 0) {
    }
}

} // namespace v4l2dma

// SPDX-License-Identifier: MIT
#include "media/urgency.h"

#include <cstdint>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace v4l2dma {

Result<Urgency> Urgency::create() {
    UniqueFd hurry_fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    UniqueFd give_up_fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!hurry_fd || !give_up_fd)
        return system_error("eventfd", "");
    return Urgency(std::move(hurry_fd), std::move(give_up_fd));
}

void Urgency::set(const UniqueFd& fd) noexcept {
    const std::uint64_t number = 1;
    (void)!::write(fd.get(), &number, sizeof number);
}

bool Urgency::is_set(const UniqueFd& fd) noexcept {
    pollfd waited{.fd = fd.get(), .events = POLLIN, .revents = 0};
    return ::poll(&waited, 1, 0) > 0;
}

void Urgency::reset() noexcept {
    std::uint64_t number = 0;
    for (const UniqueFd* fd : {&hurry_fd_, &give_up_fd_})
        (void)!::read(fd->get(), &number, sizeof number);
}

} // namespace v4l2dma

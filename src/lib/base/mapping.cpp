// SPDX-License-Identifier: MIT
#include "base/mapping.h"

#include <string>
#include <sys/mman.h>
#include <utility>

namespace v4l2dma {

namespace {

int protection(MapAccess access) {
    switch (access) {
    case MapAccess::read:
        return PROT_READ;
    case MapAccess::write:
        return PROT_WRITE;
    case MapAccess::read_write:
        break;
    }
    return PROT_READ | PROT_WRITE;
}

} // namespace

Mapping::Mapping(Mapping&& other) noexcept
    : address_(std::exchange(other.address_, nullptr)), length_(std::exchange(other.length_, 0)) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
    if (this != &other) {
        reset();
        address_ = std::exchange(other.address_, nullptr);
        length_ = std::exchange(other.length_, 0);
    }
    return *this;
}

Mapping::~Mapping() {
    reset();
}

Result<Mapping> Mapping::map(int fd, std::size_t length, off_t offset, MapAccess access,
                             std::string_view object, System& system) {
    const std::expected<std::byte*, int> address = system.mmap(fd, length, protection(access), offset);
    if (!address)
        return system_error("mmap", object, address.error());
    return Mapping(*address, length);
}

Result<Mapping> Mapping::anonymous(std::size_t length, System& system) {
    const std::expected<std::byte*, int> address = system.mmap_anonymous(length);
    if (!address)
        return system_error("mmap", std::to_string(length) + " bytes of memory", address.error());
    return Mapping(*address, length);
}

void Mapping::reset() noexcept {
    if (address_ != nullptr)
        ::munmap(address_, length_);
    address_ = nullptr;
    length_ = 0;
}

} // namespace v4l2dma

// SPDX-License-Identifier: MIT
#include "dmabuf/allocator.h"

#include "dmabuf/allocator_kinds.h"

#include <algorithm>
#include <cctype>
#include <fcntl.h>
#include <limits>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

namespace v4l2dma {

namespace {

constexpr std::string_view heap_folder = "/dev/dma_heap";
constexpr std::string_view card_folder = "/dev/dri";
constexpr std::uint64_t largest_file = std::numeric_limits<off_t>::max() / 2; // what can be rounded up, too

/// What all allocators of a kind have in common.
struct Kind {
    std::unique_ptr<DmabufAllocator> (*make)(DmabufAllocator::Node node);
    std::string_view if_missing;
    std::string_view if_forbidden; ///< the groups are those of systemd's udev rules
};

constexpr Kind heap_kind = {make_heap_allocator, "It needs a kernel with CONFIG_DMABUF_HEAPS_SYSTEM",
                            "Run as root, or give the node to a group by a udev rule"};
constexpr Kind udmabuf_kind = {make_udmabuf_allocator, "It needs a kernel with CONFIG_UDMABUF",
                               "Run as a member of the group kvm or as root"};
constexpr Kind drm_kind = {make_drm_allocator,
                           "It needs a display's driver; `modprobe vgem` is one without a display",
                           "Run as a member of the group video or as root"};

/// Where an allocator might be.
struct Candidate {
    const Kind* kind;
    std::string name;
    std::string path;
    bool only_by_name = false;
};

bool is_card(std::string_view name) {
    constexpr std::string_view prefix = "card";
    return name.starts_with(prefix) && name.size() > prefix.size() &&
           std::ranges::all_of(name.substr(prefix.size()),
                               [](unsigned char c) { return std::isdigit(c) != 0; });
}

/// In the order of their numbers; without any, the first, whose open() tells why.
void add_cards(std::vector<Candidate>& candidates, System& system) {
    std::vector<std::string> cards = system.list_folder(std::string(card_folder));
    std::erase_if(cards, [](const std::string& name) { return !is_card(name); });
    std::ranges::stable_sort(cards, {}, &std::string::size); // card10 after card9
    for (const std::string& card : cards)
        candidates.push_back({&drm_kind, "drm", fmt::format("{}/{}", card_folder, card)});
    if (cards.empty())
        candidates.push_back({&drm_kind, "drm", fmt::format("{}/card0", card_folder)});
}

/// Best first. Heaps other than "system" are carved out for somebody (CMA, protected memory).
std::vector<Candidate> find_candidates(System& system) {
    const std::string system_heap = fmt::format("{}/system", heap_folder);
    std::vector<Candidate> candidates = {{&heap_kind, "system", system_heap},
                                         {&udmabuf_kind, "udmabuf", "/dev/udmabuf"}};
    add_cards(candidates, system);
    for (const std::string& heap : system.list_folder(std::string(heap_folder)))
        if (heap != "system")
            candidates.push_back({&heap_kind, heap, fmt::format("{}/{}", heap_folder, heap), true});
    return candidates;
}

std::unexpected<Error> open_error(const Candidate& candidate, int code) {
    Error error = system_error("open", candidate.path, code).error();
    error.kind = ErrorKind::device;
    if (code == ENOENT || code == ENODEV || code == ENXIO)
        error.remedy = candidate.kind->if_missing;
    else if (code == EACCES || code == EPERM)
        error.remedy = candidate.kind->if_forbidden;
    return std::unexpected(std::move(error));
}

/// Opens it and lets it prove itself: a DRM card that opens may still have no dumb buffers (ENOSYS).
Result<std::unique_ptr<DmabufAllocator>> open_candidate(const Candidate& candidate, System& system) {
    UniqueFd fd;
    if (const int result = system.open(candidate.path.c_str(), O_RDWR | O_CLOEXEC); result >= 0)
        fd.reset(result);
    else
        return open_error(candidate, -result);
    std::unique_ptr<DmabufAllocator> allocator =
        candidate.kind->make({candidate.name, candidate.path, std::move(fd), &system});
    if (const Result<DmabufBuffer> page = allocator->allocate(1); !page) {
        Error error = page.error();
        error.kind = ErrorKind::device;
        return std::unexpected(std::move(error));
    }
    return allocator;
}

bool is_meant(const Candidate& candidate, std::string_view wish) {
    return wish.empty() ? !candidate.only_by_name : candidate.name == wish || candidate.path == wish;
}

std::unexpected<Error> unknown(std::string_view wish, const std::vector<Candidate>& candidates) {
    std::string names;
    std::string_view last; // several cards are one name
    for (const Candidate& candidate : candidates)
        if (candidate.name != last) {
            last = candidate.name;
            names += (names.empty() ? "" : ", ") + candidate.name;
        }
    return make_error(ErrorKind::usage, "allocator of dma-bufs", wish, "there is none of this name",
                      "There may be: " + names);
}

/// One sentence for all that failed; what to do is said of the one that is most easily helped.
std::unexpected<Error> none_works(std::vector<Error> errors) {
    if (errors.size() == 1)
        return std::unexpected(std::move(errors.front()));
    const auto forbidden = std::ranges::find_if(
        errors, [](const Error& error) { return error.code == EACCES || error.code == EPERM; });
    const std::string remedy = forbidden != errors.end() ? forbidden->remedy : errors.back().remedy;
    std::string reasons;
    for (Error& error : errors) {
        error.remedy.clear();
        reasons += (reasons.empty() ? "" : "; ") + error.message();
    }
    return make_error(ErrorKind::device, "allocator of dma-bufs", "", "none works: " + reasons, remedy);
}

} // namespace

Result<std::unique_ptr<DmabufAllocator>> DmabufAllocator::open(std::string_view wish, System& system) {
    const std::vector<Candidate> candidates = find_candidates(system);
    std::vector<Error> errors;
    for (const Candidate& candidate : candidates) {
        if (!is_meant(candidate, wish))
            continue;
        Result<std::unique_ptr<DmabufAllocator>> allocator = open_candidate(candidate, system);
        if (allocator)
            return allocator;
        errors.push_back(std::move(allocator.error()));
    }
    if (errors.empty())
        return unknown(wish, candidates);
    return none_works(std::move(errors));
}

Result<DmabufBuffer> DmabufAllocator::allocate(std::size_t bytes) const {
    if (bytes == 0)
        return system_error("allocate", object(bytes), EINVAL);
    if (Status possible = check_available(bytes); !possible)
        return std::unexpected(std::move(possible.error()));
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    Result<UniqueFd> fd = create((bytes + page - 1) / page * page);
    if (!fd)
        return std::unexpected(std::move(fd.error()));
    Result<DmabufBuffer> buffer = DmabufBuffer::adopt(std::move(*fd), system());
    if (buffer && buffer->size() < bytes)
        return make_error(ErrorKind::device, "allocate", object(bytes),
                          fmt::format("it gave {} bytes", buffer->size()));
    return buffer;
}

Status DmabufAllocator::check_available(std::size_t bytes) const {
    const std::uint64_t available = system().available_memory().value_or(largest_file);
    if (bytes <= std::min(available, largest_file))
        return {};
    Error error = system_error("allocate", object(bytes), ENOMEM).error();
    error.detail = fmt::format("{} bytes are available", available);
    return std::unexpected(std::move(error));
}

std::string DmabufAllocator::object(std::size_t bytes) const {
    return fmt::format("{}, {} bytes", path_, bytes);
}

Status check_allocator_name(std::string_view name, System& system) {
    if (name.empty())
        return {};
    const std::vector<Candidate> candidates = find_candidates(system);
    if (std::ranges::any_of(candidates,
                            [&](const Candidate& candidate) { return is_meant(candidate, name); }))
        return {};
    return unknown(name, candidates);
}

std::vector<AllocatorState> list_allocators(System& system) {
    std::vector<AllocatorState> states;
    for (const Candidate& candidate : find_candidates(system)) {
        const Result<std::unique_ptr<DmabufAllocator>> allocator = open_candidate(candidate, system);
        states.push_back({.name = candidate.name,
                          .path = candidate.path,
                          .only_by_name = candidate.only_by_name,
                          .usable = allocator ? Status{} : std::unexpected(allocator.error())});
    }
    return states;
}

} // namespace v4l2dma

// SPDX-License-Identifier: MIT
#include "flow/strategy.h"

namespace v4l2dma {

namespace {

using enum MemoryRole;
using Memory = Strategy::Memory;

// Best first among those that copy equally often; how often that is depends on the two ends. The sink's own
// memory first: into a loop it serves every kind of reader without a copy. dma-bufs come before addresses,
// which the kernel must pin; and where there is a copy, our own comes before those of read(), write() and a
// loop that is given addresses, which lose timestamps or do not start before the frame is queued.
constexpr Strategy table[] = {
    {"sink-exports", "the sink exports its buffers, the source imports them", Memory::sink, imports, exports},
    {"source-exports", "the source exports its buffers, the sink imports them", Memory::source, exports,
     imports},
    {"shared-dmabuf", "both import dma-bufs of a third allocator", Memory::dmabuf, imports, imports},
    {"sink-lends", "the source gets the addresses of the sink's mapped buffers", Memory::sink, borrows,
     lends},
    {"copy", "both sides are mapped, one copy by the CPU", Memory::both, lends, copies},
    {"copy-dmabuf", "the source exports its buffers, the CPU copies from them into the sink's", Memory::both,
     exports, copies},
    {"source-lends", "the sink gets the addresses of the source's mapped buffers", Memory::source, lends,
     borrows},
    {"fill-sink", "the source writes into the sink's mapped buffers", Memory::sink, touches, lends},
    {"read-source", "the sink reads the source's mapped buffers", Memory::source, lends, touches},
    {"fill-dmabuf", "the source writes into dma-bufs of a third allocator, the sink imports them",
     Memory::dmabuf, touches, imports},
    {"read-dmabuf", "the source imports dma-bufs of a third allocator, the sink reads them", Memory::dmabuf,
     imports, touches},
    {"dmabuf-to-address", "the source imports dma-bufs of a third allocator, the sink gets their addresses",
     Memory::dmabuf, imports, borrows},
    {"address-to-dmabuf",
     "the source gets the addresses of a third allocator's dma-bufs, the sink imports them", Memory::dmabuf,
     borrows, imports},
    {"shared-memory", "both get the addresses of ordinary memory", Memory::plain, borrows, borrows},
    {"fill-memory", "the source writes into ordinary memory, the sink gets its addresses", Memory::plain,
     touches, borrows},
    {"read-memory", "the source gets the addresses of ordinary memory, the sink reads it", Memory::plain,
     borrows, touches},
    {"copy-shared-dmabuf",
     "the source imports dma-bufs of a third allocator, the CPU copies from them into the sink's",
     Memory::dmabuf, imports, copies},
    {"copy-memory",
     "the source gets the addresses of ordinary memory, the CPU copies from it into the sink's buffers",
     Memory::plain, borrows, copies},
    {"read-write", "the source writes into ordinary memory, the sink reads it", Memory::plain, touches,
     touches},
    {"read-copy", "the source writes into ordinary memory, the CPU copies from it into the sink's buffers",
     Memory::plain, touches, copies},
};

} // namespace

std::string_view to_text(MemoryRole role) noexcept {
    switch (role) {
    case exports:
        return "exports";
    case lends:
        return "lends";
    case imports:
        return "imports";
    case borrows:
        return "borrows";
    case touches:
        return "touches";
    case copies:
        break;
    }
    return "copies";
}

std::string_view to_text(IoMethod method) noexcept {
    switch (method) {
    case IoMethod::rw:
        return "rw";
    case IoMethod::userptr:
        return "userptr";
    case IoMethod::dmabuf:
        return "dmabuf";
    case IoMethod::mmap:
        break;
    }
    return "mmap";
}

IoMethod method_of(MemoryRole role) noexcept {
    switch (role) {
    case imports:
        return IoMethod::dmabuf;
    case borrows:
        return IoMethod::userptr;
    case touches:
        return IoMethod::rw;
    case exports:
    case lends:
    case copies:
        break;
    }
    return IoMethod::mmap;
}

bool Strategy::moves_dmabufs() const noexcept {
    return source == imports || source == exports || sink == imports || sink == exports;
}

std::span<const Strategy> strategies() {
    return table;
}

Path path_between(const Source& source, const Sink& sink, const Strategy& strategy) {
    return {.strategy = &strategy, .copies = source.copies(strategy.source) + sink.copies(strategy.sink)};
}

} // namespace v4l2dma

// SPDX-License-Identifier: MIT
#include "flow/strategy.h"

namespace v4l2dma {

namespace {

Status failed(Error& error) {
    return std::unexpected(std::move(error));
}

// The camera fills the sink's own memory: into a loop this serves every kind of reader without a copy.
Status sink_exports(Source& source, Sink& sink, std::uint32_t buffers) {
    if (Result<std::uint32_t> count = sink.allocate(buffers); !count)
        return failed(count.error());
    Result<std::span<DmabufBuffer>> exported = sink.export_buffers();
    if (!exported)
        return failed(exported.error());
    if (Status status = source.import_buffers(*exported); !status)
        return status;
    return source.start();
}

Status source_exports(Source& source, Sink& sink, std::uint32_t buffers) {
    const Result<std::uint32_t> count = source.allocate(buffers);
    if (!count)
        return std::unexpected(count.error());
    if (Status status = source.export_frames(); !status)
        return status;
    if (Status status = sink.prepare_import(*count); !status)
        return status;
    return source.start();
}

Status sink_reads(Source& source, Sink&, std::uint32_t buffers) {
    if (Result<std::uint32_t> count = source.allocate(buffers); !count)
        return failed(count.error());
    if (Status status = source.map(); !status)
        return status;
    return source.start();
}

Status copy(Source& source, Sink& sink, std::uint32_t buffers) {
    if (Result<std::uint32_t> count = sink.allocate(buffers); !count)
        return failed(count.error());
    if (Status status = sink.map(); !status)
        return status;
    return sink_reads(source, sink, buffers);
}

constexpr Strategy table[] = {
    {"sink-exports", "the sink exports its buffers, the source imports them", MemoryRole::imports,
     MemoryRole::exports, true, false, sink_exports},
    {"source-exports", "the source exports its buffers, the sink imports them", MemoryRole::exports,
     MemoryRole::imports, true, false, source_exports},
    {"mmap", "the sink reads the source's mapped buffers", MemoryRole::maps, MemoryRole::reads, false, false,
     sink_reads},
    {"copy", "both sides are mapped, one copy by the CPU", MemoryRole::maps, MemoryRole::maps, false, true,
     copy},
};

} // namespace

std::optional<Memory> Strategy::memory_of(MemoryRole role) noexcept {
    switch (role) {
    case MemoryRole::exports:
    case MemoryRole::maps:
        return Memory::mmap;
    case MemoryRole::imports:
        return Memory::dmabuf;
    case MemoryRole::reads:
        break;
    }
    return std::nullopt;
}

std::span<const Strategy> strategies() {
    return table;
}

} // namespace v4l2dma

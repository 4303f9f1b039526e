// SPDX-License-Identifier: MIT
// A reader that takes one frame as a dma-buf and keeps it, for the cases in tests/vm/cases: prints what is in
// it, as a line of JSON, and once more when it is told so, by anything on stdin.
//
// Usage: v4l2dma_hold_frame /dev/videoN
#include "client.h"

#include <bitset>
#include <cstdio>
#include <exception>

namespace {

void describe(const char* event, std::span<const std::uint32_t> frame) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    std::bitset<256> seen;
    for (const std::byte byte : std::as_bytes(frame)) {
        const auto value = std::to_integer<unsigned>(byte);
        hash = (hash ^ value) * 0x100000001b3U;
        seen.set(value);
    }
    std::printf("{\"event\":\"%s\",\"bytes\":%zu,\"fnv1a\":\"%016llx\",\"different_bytes\":%zu}\n", event,
                frame.size_bytes(), static_cast<unsigned long long>(hash), seen.count());
    std::fflush(stdout);
}

void hold(const char* node) {
    Client reader(node);
    start_reading(reader);
    v4l2_buffer buffer{};
    must(reader.dequeue(buffer), "DQBUF");
    MappedDmabufs frame;
    frame.add(reader.must_export(buffer.index), buffer.bytesused);
    describe("held", frame.map(0));
    (void)std::getchar();
    describe("again", frame.map(0));
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "Usage: v4l2dma_hold_frame /dev/videoN\n");
        return 2;
    }
    try {
        hold(argv[1]);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "v4l2dma_hold_frame: %s\n", error.what());
        return 1;
    }
}

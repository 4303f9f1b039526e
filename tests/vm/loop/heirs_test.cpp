// SPDX-License-Identifier: MIT
// What is open in several processes, and what lives longer than the loop that it came from.
#include "client.h"
#include "control.h"
#include "process.h"

#include <cerrno>
#include <cstring>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

namespace {

/// A message of one byte with room for an fd.
struct FdMessage {
    FdMessage() {
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_control = control;
        header.msg_controllen = sizeof control;
    }
    FdMessage(const FdMessage&) = delete;
    FdMessage& operator=(const FdMessage&) = delete;

    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    char byte = 0;
    iovec part{&byte, 1};
    msghdr header{};
};

bool send_fd(int socket, int fd) {
    FdMessage message;
    cmsghdr* rights = CMSG_FIRSTHDR(&message.header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
    return ::sendmsg(socket, &message.header, 0) == 1;
}

int receive_fd(int socket) {
    FdMessage message;
    int fd = -1;
    if (::recvmsg(socket, &message.header, 0) == 1 && CMSG_FIRSTHDR(&message.header) != nullptr)
        std::memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message.header)), sizeof fd);
    return fd;
}

/// The errno of an attempt to unload the module; 0 would be the end of all tests.
int try_to_unload() {
    return ::syscall(SYS_delete_module, "v4l2dma", O_NONBLOCK) == 0 ? 0 : errno;
}

/// A reader that holds one frame, painted with @p number.
void hold_a_frame(Client& writer, Client& reader, std::uint32_t number) {
    start_writing(writer);
    start_reading(reader);
    paint(writer.map(0), number);
    REQUIRE(writer.queue(0) == 0);
    v4l2_buffer buffer{};
    REQUIRE(reader.dequeue(buffer) == 0);
}

} // namespace

TEST_SUITE("heirs") {
    TEST_CASE("a frame is held until the last process has closed the handle") {
        Client writer(loop_node(), O_NONBLOCK);
        Client reader(loop_node());
        hold_a_frame(writer, reader, 7);
        Signpost end;
        Process heir([&] { end.await(); });
        reader.close();
        v4l2_buffer buffer{};
        CHECK(writer.dequeue(buffer) == EAGAIN);
        CHECK(loop_info().readers == 1);
        REQUIRE(end.reach());
        CHECK(heir.wait() == 0);
        CHECK(writer.dequeue(buffer) == 0);
        CHECK(loop_info().readers == 0);
    }

    TEST_CASE("a handle that is passed on goes on streaming in the other process") {
        Client writer(loop_node());
        Client reader(loop_node());
        hold_a_frame(writer, reader, 8);
        int sockets[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
        Process other([&] {
            reader.close(); // its only way is the socket now
            const int fd = receive_fd(sockets[1]);
            v4l2_buffer buffer{};
            buffer.type = capture;
            buffer.memory = V4L2_MEMORY_MMAP;
            const bool good = ::ioctl(fd, VIDIOC_QBUF, &buffer) == 0 &&
                              ::ioctl(fd, VIDIOC_DQBUF, &buffer) == 0 && buffer.index == 1;
            ::_exit(good ? 0 : 1);
        });
        REQUIRE(send_fd(sockets[0], reader.fd()));
        reader.close();
        v4l2_buffer buffer{};
        REQUIRE(writer.dequeue(buffer) == 0); // the other process gave it back
        REQUIRE(writer.queue(1) == 0);
        CHECK(other.wait() == 0);
        REQUIRE(writer.dequeue(buffer) == 0);
        CHECK(buffer.index == 1);
        ::close(sockets[0]);
        ::close(sockets[1]);
    }

    TEST_CASE("a dma-buf in another process outlives the loop, and keeps the module") {
        REQUIRE(module_references() == 0);
        int sockets[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
        Signpost gone;
        Signpost looked;
        Signpost end;
        std::size_t bytes = 640 * 480 * 2;
        Process other([&] {
            const int fd = receive_fd(sockets[1]);
            gone.await();
            const auto pixels = map_dmabuf(fd, bytes);
            if (painted(pixels.first(bytes / sizeof(std::uint32_t))) != 9U)
                ::_exit(2);
            looked.reach();
            end.await();
        });
        looked.only_wait();
        {
            AddedLoop loop;
            Client writer(loop.node());
            Client reader(loop.node());
            hold_a_frame(writer, reader, 9);
            const int fd = reader.export_fd(0);
            REQUIRE(send_fd(sockets[0], fd));
            ::close(fd);
            REQUIRE(loop.remove(V4L2DMA_REMOVE_FORCE) == 0);
        }
        REQUIRE(gone.reach());
        REQUIRE(looked.await());
        CHECK(module_references() > 0);
        CHECK(try_to_unload() == EWOULDBLOCK);
        REQUIRE(end.reach());
        CHECK(other.wait() == 0);
        CHECK(module_references() == 0);
        ::close(sockets[0]);
        ::close(sockets[1]);
    }

    TEST_CASE("a mapping alone keeps the memory, and the module") {
        REQUIRE(module_references() == 0);
        std::span<std::uint32_t> pixels;
        std::size_t bytes = 0;
        {
            AddedLoop loop;
            Client writer(loop.node());
            start_writing(writer);
            bytes = writer.length();
            const int fd = writer.export_fd(2);
            pixels = map_dmabuf(fd, bytes);
            ::close(fd);
            paint(pixels, 10);
        }
        CHECK(painted(pixels) == 10);
        CHECK(module_references() > 0);
        CHECK(try_to_unload() == EWOULDBLOCK);
        ::munmap(pixels.data(), bytes);
        CHECK(module_references() == 0);
    }
}

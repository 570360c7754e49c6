// SPDX-License-Identifier: GPL-2.0
#include "netlink/socket.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

namespace nfto::netlink {
namespace {

struct CloseSocket {
    void operator()(mnl_socket *socket) const noexcept
    {
        mnl_socket_close(socket);
    }
};
using Handle = std::unique_ptr<mnl_socket, CloseSocket>;

class File {
public:
    explicit File(const std::string &path) noexcept
        : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC))
    {}
    File(const File &) = delete;
    File &operator=(const File &) = delete;
    ~File()
    {
        if (fd_ >= 0)
            ::close(fd_);
    }
    [[nodiscard]] int fd() const noexcept { return fd_; }

private:
    int fd_;
};

Failure failed(std::string what, int code, std::string why = {})
{
    return Failure(Error{std::move(what), code, std::move(why)});
}

class SocketTransport final : public Transport {
public:
    explicit SocketTransport(Handle handle) : handle_(std::move(handle)) {}

    [[nodiscard]] Result<void> send(std::span<const std::byte> data) override;
    [[nodiscard]] Result<std::optional<std::span<const std::byte>>>
    receive(std::chrono::milliseconds timeout) override;
    [[nodiscard]] std::uint32_t port_id() const noexcept override
    {
        return mnl_socket_get_portid(handle_.get());
    }
    [[nodiscard]] Result<void> join(std::uint32_t group) override;
    [[nodiscard]] int fd() const noexcept override
    {
        return mnl_socket_get_fd(handle_.get());
    }

private:
    Handle handle_;
    std::vector<std::byte> buffer_ = std::vector<std::byte>(max_message);
};

Result<void> SocketTransport::send(std::span<const std::byte> data)
{
    if (mnl_socket_sendto(handle_.get(), data.data(), data.size()) < 0)
        return failed("sending a netlink message", errno);
    return {};
}

Result<std::optional<std::span<const std::byte>>>
SocketTransport::receive(std::chrono::milliseconds timeout)
{
    using Count = std::chrono::milliseconds::rep;
    const std::string what = "receiving a netlink message";
    pollfd wanted{fd(), POLLIN, 0};
    const int ready =
        poll(&wanted, 1,
             static_cast<int>(std::clamp<Count>(
                 timeout.count(), -1, std::numeric_limits<int>::max())));
    if (ready < 0)
        return failed(what, errno);
    if (ready == 0)
        return std::nullopt;

    sockaddr_nl from{};
    iovec vector{buffer_.data(), buffer_.size()};
    msghdr header{};
    header.msg_name = &from;
    header.msg_namelen = sizeof(from);
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    const ssize_t size = recvmsg(fd(), &header, MSG_DONTWAIT);
    if (size < 0 && errno != EAGAIN)
        return failed(what, errno);
    if ((header.msg_flags & MSG_TRUNC) != 0)
        return failed(what, EIO, "It is longer than any that was expected");
    // Others than the kernel may send to this socket.
    if (size < 0 || from.nl_pid != 0)
        return std::span<const std::byte>();
    return std::span<const std::byte>(buffer_.data(),
                                      static_cast<std::size_t>(size));
}

Result<void> SocketTransport::join(std::uint32_t group)
{
    if (setsockopt(fd(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
                   sizeof(group)) < 0)
        return failed("joining a netlink group", errno);
    return {};
}

// --- opening ---

Handle open_here(int bus, int &code) noexcept
{
    Handle handle(mnl_socket_open2(bus, SOCK_CLOEXEC));
    if (handle && mnl_socket_bind(handle.get(), 0, MNL_SOCKET_AUTOPID) == 0)
        return handle;
    code = errno;
    return nullptr;
}

/// A thread that cannot go back to its own network namespace would do all that
/// it does later in the wrong one; one that ends need not go back.
Handle open_there(int bus, int netns, int &code)
{
    Handle handle;
    std::thread([&]() noexcept {
        if (setns(netns, CLONE_NEWNET) < 0)
            code = errno;
        else
            handle = open_here(bus, code);
    }).join();
    return handle;
}

const char *why_not_there(int code) noexcept
{
    switch (code) {
    case EINVAL:
        return "This is no network namespace";
    case EPERM:
        return "Going there needs CAP_SYS_ADMIN";
    default:
        return "";
    }
}

Result<Handle> open_in(int bus, const std::string &netns)
{
    const bool is_path = netns.find('/') != std::string::npos;
    const std::string what =
        fmt::format("opening a socket in the network namespace {}", netns);
    const File file(is_path ? netns : "/run/netns/" + netns);
    if (file.fd() < 0) {
        const int code = errno;
        return failed(what, code,
                      code == ENOENT ? "There is none of this name; those that "
                                       "have one: ip netns"
                                     : "");
    }
    int code = 0;
    try {
        Handle handle = open_there(bus, file.fd(), code);
        if (handle)
            return handle;
    } catch (const std::system_error &error) {
        code = error.code().value();
    }
    return failed(what, code, why_not_there(code));
}

Result<Handle> open_handle(int bus, const std::string &netns)
{
    if (!netns.empty())
        return open_in(bus, netns);
    int code = 0;
    Handle handle = open_here(bus, code);
    if (handle)
        return handle;
    return failed("opening a netlink socket", code);
}

void set_option(int fd, int level, int option, int value) noexcept
{
    // What an older kernel does not have it is asked for nevertheless: sentences
    // would be missing, and what is read works without.
    (void)setsockopt(fd, level, option, &value, sizeof(value));
}

void set_backlog(int fd, int bytes) noexcept
{
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
        set_option(fd, SOL_SOCKET, SO_RCVBUF, bytes);
}

} // namespace

Result<std::unique_ptr<Transport>>
open_socket(int bus, const std::string &netns, int backlog)
{
    auto handle = open_handle(bus, netns);
    if (!handle)
        return Failure(handle.error());
    const int fd = mnl_socket_get_fd(handle->get());
    for (const int option :
         {NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK})
        set_option(fd, SOL_NETLINK, option, 1);
    if (backlog > 0)
        set_backlog(fd, backlog);
    return std::make_unique<SocketTransport>(std::move(*handle));
}

} // namespace nfto::netlink

// SPDX-License-Identifier: GPL-2.0
/// @file
/// What carries netlink messages: a socket, or in tests something else.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <nfto/export.hpp>
#include <nfto/result.hpp>

namespace nfto {

/// Sends and receives netlink messages.
class NFTO_EXPORT Transport {
public:
    Transport() = default;
    Transport(const Transport &) = delete;
    Transport &operator=(const Transport &) = delete;
    virtual ~Transport() = default;

    /// Sends whole netlink messages.
    [[nodiscard]] virtual Result<void>
    send(std::span<const std::byte> data) = 0;
    /// One datagram, valid until the next call, or nothing after this time
    /// (negative: without end). One that is of no interest is an empty datagram.
    /// ENOBUFS when some were lost, EINTR when a signal came.
    [[nodiscard]] virtual Result<std::optional<std::span<const std::byte>>>
    receive(std::chrono::milliseconds timeout) = 0;
    /// Of the socket, which answers are addressed to (nlmsg_pid).
    [[nodiscard]] virtual std::uint32_t port_id() const noexcept = 0;
    /// Joins a multicast group by its number.
    [[nodiscard]] virtual Result<void> join(std::uint32_t group) = 0;
    /// For poll(2), or -1.
    [[nodiscard]] virtual int fd() const noexcept = 0;
};

} // namespace nfto

// SPDX-License-Identifier: GPL-2.0
// Netlink messages of a datagram.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nfto/result.hpp>

#include "netlink/attr.hpp"

namespace nfto::netlink {

struct Message {
    std::uint16_t type = 0;
    std::uint16_t flags = 0;
    std::uint32_t seq = 0;
    std::uint32_t port_id = 0;
    Bytes payload;
};

/// One message after the other.
class MessageReader {
public:
    explicit MessageReader(Bytes datagram = {}) noexcept : rest_(datagram) {}

    /// False at the end, and where there is something that is no message.
    [[nodiscard]] bool next(Message &message) noexcept;
    /// Whether next() has come to the end.
    [[nodiscard]] bool done() const noexcept { return rest_.empty(); }

private:
    Bytes rest_;
};

/// What NLMSG_ERROR and NLMSG_DONE say.
struct Status {
    /// 0, or a positive errno.
    int code = 0;
    /// The kernel's sentence, or empty.
    std::string why;
};

/// Nothing if the message makes no sense.
[[nodiscard]] std::optional<Status> parse_error(const Message &message);
[[nodiscard]] std::optional<Status> parse_done(const Message &message);

/// A message of generic netlink.
struct GenlMessage {
    std::uint8_t command = 0;
    Bytes attrs;
};

/// Nothing if it is too short for one.
[[nodiscard]] std::optional<GenlMessage> parse_genl(const Message &message);

} // namespace nfto::netlink

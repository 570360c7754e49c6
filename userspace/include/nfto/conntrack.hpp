// SPDX-License-Identifier: GPL-2.0
/// @file
/// What conntrack knows of a connection, for those that never became a flow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nfto/export.hpp>
#include <nfto/result.hpp>
#include <nfto/types.hpp>

namespace nfto {

/// A connection that conntrack follows (IPCTNL_MSG_CT_GET).
struct Connection {
    Tuple orig;
    Tuple reply;
    std::uint32_t id = 0;
    std::uint16_t zone = 0;
    std::uint32_t mark = 0;
    /// IPS_* of linux/netfilter/nf_conntrack_common.h.
    std::uint32_t status = 0;
    /// Seconds until it is forgotten.
    std::uint32_t timeout_s = 0;
    /// "ESTABLISHED" and so on, as conntrack -L has it; TCP only.
    std::string tcp_state;
    /// Name of its helper, or empty.
    std::string helper;
    /// Per direction (original, reply), where conntrack accounts.
    std::optional<std::uint64_t> packets[2];
    std::optional<std::uint64_t> bytes[2];

    [[nodiscard]] bool seen_reply() const noexcept { return status & 1U << 1; }
    [[nodiscard]] bool assured() const noexcept { return status & 1U << 2; }
    [[nodiscard]] bool snat() const noexcept { return status & 1U << 4; }
    [[nodiscard]] bool dnat() const noexcept { return status & 1U << 5; }
    /// IPS_OFFLOAD
    [[nodiscard]] bool offload() const noexcept { return status & 1U << 14; }
    /// IPS_HW_OFFLOAD
    [[nodiscard]] bool hw_offload() const noexcept { return status & 1U << 15; }
};

/// The connection that a packet belongs to, in either direction, as it is before
/// or after NAT. Nothing if conntrack has none; EPERM without CAP_NET_ADMIN;
/// ENOPROTOOPT where the kernel has no nf_conntrack_netlink.
[[nodiscard]] NFTO_EXPORT Result<std::optional<Connection>>
find_connection(const Tuple &tuple, std::uint16_t zone = 0,
                const std::string &netns = {});

} // namespace nfto

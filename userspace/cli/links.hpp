// SPDX-License-Identifier: GPL-2.0
/// @file
/// What the system says of its network devices.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nfto/result.hpp>

namespace nfto::cli {

/// ethtool's hw-tc-offload.
enum class TcOffload {
    /// The driver does not have it, or nobody could be asked.
    absent,
    off,
    on,
};

struct Link {
    std::uint32_t ifindex = 0;
    std::string name;
    bool up = false;
    /// Its frames have Ethernet headers.
    bool ethernet = false;
    /// "vlan", "bridge", "bond"; empty for a NIC.
    std::string kind;
    /// Of the device below, where that is in this network namespace.
    std::optional<std::uint32_t> below;
    /// Of the bridge or bond that it is a port of.
    std::optional<std::uint32_t> master;
    /// The same for all ports of a switch, or empty.
    std::string switch_id;
    /// "0000:01:00.0": the device that it belongs to, or empty.
    std::string parent;
    /// As ethtool -i says, or empty.
    std::string driver;
    TcOffload tc_offload = TcOffload::absent;
};

/// All devices of the own network namespace.
[[nodiscard]] Result<std::vector<Link>> read_links();

[[nodiscard]] const Link *find_link(const std::vector<Link> &links,
                                    const std::string &name) noexcept;
[[nodiscard]] const Link *find_link(const std::vector<Link> &links,
                                    std::uint32_t ifindex) noexcept;

} // namespace nfto::cli

// SPDX-License-Identifier: GPL-2.0
// A netlink socket of a network namespace.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <nfto/result.hpp>
#include <nfto/transport.hpp>

namespace nfto::netlink {

/// As large as messages are: the kernel makes those of a dump as long as the
/// buffer that the last one was received with, up to this.
inline constexpr std::size_t max_message = 32768;

/// @param bus NETLINK_*
/// @param netns a name as "ip netns" knows it or a path, empty: the own one. The
///   calling thread never leaves its own: another one goes there, and ends.
/// @param backlog bytes that the kernel keeps for us before it loses what came,
///   0: its default
[[nodiscard]] Result<std::unique_ptr<Transport>>
open_socket(int bus, const std::string &netns, int backlog = 0);

} // namespace nfto::netlink

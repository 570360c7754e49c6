// SPDX-License-Identifier: GPL-2.0
// The inside of nfto/conntrack.hpp.
#pragma once

#include <memory>
#include <optional>

#include <nfto/conntrack.hpp>
#include <nfto/transport.hpp>

#include "netlink/attr.hpp"

namespace nfto::netlink {

/// From attributes CTA_*. False as with the others of parse.hpp.
[[nodiscard]] bool parse(Bytes attrs, Connection &connection);

/// find_connection() over something that need be no socket.
[[nodiscard]] Result<std::optional<Connection>>
find_connection(std::unique_ptr<Transport> transport, const Tuple &tuple,
                std::uint16_t zone);

} // namespace nfto::netlink

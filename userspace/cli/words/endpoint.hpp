// SPDX-License-Identifier: GPL-2.0
/// @file
/// The connection that somebody types.
#pragma once

#include <string_view>

#include <nfto/types.hpp>

#include "problem.hpp"

namespace nfto::cli {

/// "tcp", "10.1.0.2:4000", "[2001:db8::1]:53". Protocols without ports have
/// addresses alone: "gre", "10.1.0.2", "2001:db8::1".
/// @return a usage problem that names the word.
[[nodiscard]] tl::expected<Tuple, Problem>
parse_tuple(std::string_view proto, std::string_view src, std::string_view dst);

} // namespace nfto::cli

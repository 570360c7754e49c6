// SPDX-License-Identifier: GPL-2.0
// What a setup's text and its transaction have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nfto/ruleset.hpp>

namespace nfto::nftables {

// Says in "nft list ruleset" whose the table is, and is how we know it.
inline constexpr const char *owner_comment = "made by nft-offload";
inline constexpr const char *flowtable_name = "ft";
inline constexpr const char *chain_name = "forward";

// IPPROTO_* of a protocol that flows can have.
[[nodiscard]] std::optional<std::uint8_t>
protocol_number(std::string_view name);
// Those of the setup or the default ones, as nft lists them.
[[nodiscard]] std::vector<std::string> protocols_of(const Setup &setup);

} // namespace nfto::nftables

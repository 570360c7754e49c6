// SPDX-License-Identifier: GPL-2.0
// The requests of ruleset.hpp over any transport.
#pragma once

#include <string>

#include <nfto/ruleset.hpp>
#include <nfto/transport.hpp>

namespace nfto::nftables {

[[nodiscard]] Result<Ruleset> read_over(Transport &transport);
[[nodiscard]] Result<void> create_over(Transport &transport,
                                       const Setup &setup);
[[nodiscard]] Result<void> remove_over(Transport &transport,
                                       const std::string &table);

} // namespace nfto::nftables

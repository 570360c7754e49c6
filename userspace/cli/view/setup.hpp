// SPDX-License-Identifier: GPL-2.0
/// @file
/// A setup, shown.
#pragma once

#include <string>

#include <nfto/ruleset.hpp>

#include "view/json.hpp"

namespace nfto::cli {

/// "Table inet nft_offload: eth0, eth1; tcp, udp; hardware, counter."
[[nodiscard]] std::string setup_line(const Setup &setup);
/// Members of the object that is being written.
void write_setup(Json &json, const Setup &setup);

} // namespace nfto::cli

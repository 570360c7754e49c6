// SPDX-License-Identifier: GPL-2.0
/// @file
/// Lines of "top", for a screen and for plain text.
#pragma once

#include <string>
#include <vector>

#include "top/model.hpp"

namespace nfto::cli {

/// Totals and ports, a line each.
[[nodiscard]] std::vector<std::string> top_header(TopModel &model,
                                                  const Text &text);
/// So many columns show all there is of a flow; with fewer, it is less, so that
/// the connection can be seen in 80.
constexpr std::size_t top_wide = 132;

/// The heading of the list of flows.
[[nodiscard]] std::string top_heading(std::size_t columns = top_wide);
/// A flow below the heading.
[[nodiscard]] std::string top_line(const TopFlow &flow, const Text &text,
                                   Devices &devices,
                                   std::size_t columns = top_wide);
/// The same as JSON, members of the object that is being written.
void put_top(Json &json, TopModel &model, Devices &devices, std::size_t limit);

} // namespace nfto::cli

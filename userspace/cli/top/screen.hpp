// SPDX-License-Identifier: GPL-2.0
/// @file
/// "top" on a terminal.
#pragma once

#include <chrono>

#include "top/model.hpp"

namespace nfto::cli {

/// Shows the model until "q" is pressed or a signal comes, @a count times at
/// most.
/// @return a problem when the terminal is of no use, or the model's.
[[nodiscard]] Outcome show_on_screen(Context &context, TopModel &model,
                                     Client &client,
                                     std::chrono::milliseconds interval,
                                     std::optional<std::uint64_t> count);

} // namespace nfto::cli

// SPDX-License-Identifier: GPL-2.0
/// @file
/// What the admin can do about a reason.
#pragma once

#include <string_view>

#include <nfto/enums.hpp>

namespace nfto::cli {

/// A sentence for each reason; never empty for one that this tool knows.
[[nodiscard]] std::string_view advice(Reason reason) noexcept;

} // namespace nfto::cli

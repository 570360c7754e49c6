// SPDX-License-Identifier: GPL-2.0
/// @file
/// The words that say which flows are meant, as iproute2 has them: "state half
/// dev eth0 dst 10.0.0.0/8".
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include <nfto/types.hpp>

#include "words/grammar.hpp"

namespace nfto::cli {

/// What a flow list is sorted by.
enum class Sort { packets, bytes, rate, idle, expires, id };

/// What the words said.
struct FlowQuery {
    Filter filter;
    /// The one flow; then there is no filter.
    std::optional<std::uint64_t> id;
    std::optional<Sort> sort;
    std::optional<std::uint64_t> limit;
    /// How long to wait between two dumps; rates are wanted if given.
    std::optional<std::chrono::milliseconds> rate;
};

/// The words of a filter, for a verb's params.
[[nodiscard]] std::vector<Param> filter_params();
/// These, sort, limit and rate.
[[nodiscard]] std::vector<Param> show_params();

/// How names in a filter are found.
struct FilterNames {
    std::function<tl::expected<std::uint32_t, Problem>(std::string_view)> device;
    /// The flowtables there are, asked for only when one is named.
    std::function<Result<std::vector<Table>>()> tables;
};

/// @return a usage problem, or no_such for a device or table that is not there.
[[nodiscard]] tl::expected<FlowQuery, Problem>
parse_query(const Arguments &args, const FilterNames &names);

/// "packets"
[[nodiscard]] std::string_view name(Sort sort) noexcept;

/// A number from 0 to @a max, decimal or with 0x.
[[nodiscard]] tl::expected<std::uint64_t, Problem>
parse_number(std::string_view word, std::string_view text, std::uint64_t max);
/// The id of the flowtable of this name or id.
/// @return no_such, or a usage problem where there are several.
[[nodiscard]] tl::expected<std::uint32_t, Problem>
find_table(std::string_view text, const std::vector<Table> &tables);
/// Seconds from 0.1 to 86400, with or without a fraction.
[[nodiscard]] tl::expected<std::chrono::milliseconds, Problem>
parse_seconds(std::string_view word, std::string_view text);

} // namespace nfto::cli

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
    std::function<tl::expected<std::uint32_t, Problem>(std::string_view)>
        device;
    /// The flowtables there are, asked for only when one is named.
    std::function<Result<std::vector<Flowtable>>()> flowtables;
};

/// @return a usage problem, or no_such for a device or flowtable that is not
/// there.
[[nodiscard]] tl::expected<FlowQuery, Problem>
parse_query(const Arguments &args, const FilterNames &names);

/// "packets"
[[nodiscard]] std::string_view name(Sort sort) noexcept;

/// A number from 0 to @a max, decimal or with 0x.
[[nodiscard]] tl::expected<std::uint64_t, Problem>
parse_number(std::string_view word, std::string_view text, std::uint64_t max);
/// What names a flowtable, in one word or three.
[[nodiscard]] Param flowtable_param(Param::Kind kind, bool required = false);
/// The id of the flowtable that these words name: NAME, TABLE/NAME or an id; or
/// FAMILY, TABLE and NAME.
/// @return no_such, or a usage problem where there are several.
[[nodiscard]] tl::expected<std::uint32_t, Problem>
find_flowtable(const std::vector<std::string_view> &words,
               const std::vector<Flowtable> &flowtables);
/// Seconds from 0.1 to 86400, with or without a fraction.
[[nodiscard]] tl::expected<std::chrono::milliseconds, Problem>
parse_seconds(std::string_view word, std::string_view text);

} // namespace nfto::cli

// SPDX-License-Identifier: GPL-2.0
/// @file
/// What flows carry in a second, by looking at them twice.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <nfto/types.hpp>

#include "view/view.hpp"

namespace nfto::cli {

/// What was counted for one direction, in hardware and software together;
/// nothing where nothing counts.
struct Total {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
};
[[nodiscard]] std::optional<Total>
total_of(const Direction &direction) noexcept;
/// Of both directions.
[[nodiscard]] Total total_of(const Flow &flow) noexcept;

/// The counters of all flows at one time, to compare later ones with.
class Snapshot {
public:
    void add(const Flow &flow);
    /// To be called after the last add().
    void seal();
    /// Nothing for a flow that was not there or that nothing counts.
    [[nodiscard]] std::optional<Rates> rates(const Flow &flow,
                                             double seconds) const;

private:
    struct Entry {
        std::uint64_t id = 0;
        Total orig;
        Total reply;
    };
    std::vector<Entry> entries_;
};

} // namespace nfto::cli

// SPDX-License-Identifier: GPL-2.0
/// @file
/// What "top" knows, without a screen.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "context.hpp"
#include "view/rates.hpp"
#include "words/filter.hpp"

namespace nfto::cli {

/// Of a flow, what a list of very many of them needs.
struct TopFlow {
    std::uint64_t id = 0;
    Tuple orig;
    std::uint32_t in_ifindex = 0;
    std::uint32_t out_ifindex = 0;
    FlowState state = FlowState::software;
    /// The first direction's that is not in hardware.
    Reason reason = Reason::none;
    Total total;
    /// Of both directions; nothing before it was looked at twice.
    std::optional<Rate> rate;
    std::uint32_t idle_ms = 0;
    std::uint32_t expires_ms = 0;
};

/// Time as the model sees it; tests have their own.
struct TopClock {
    using Time = std::chrono::nanoseconds;
    /// Of a clock that does not jump.
    std::function<Time()> now;
    /// CPU time of this process, that in the kernel too.
    std::function<Time()> cpu;
};
[[nodiscard]] TopClock real_clock();

/// Totals and ports are asked for each time. All flows are only looked at when
/// what the last look cost is less than 2.5 % of a CPU since.
class TopModel {
public:
    TopModel(Client &client, FlowQuery query,
             std::chrono::milliseconds interval, TopClock clock);

    /// Asks for what is due.
    [[nodiscard]] Result<void> refresh();
    /// Another filter from now on; the list is made anew with the next
    /// refresh(), whatever it costs.
    void set_filter(const Filter &filter);
    void set_sort(Sort sort);

    [[nodiscard]] const Info &info() const { return client_.info(); }
    [[nodiscard]] const Stats &stats() const noexcept { return stats_; }
    [[nodiscard]] const std::vector<Port> &ports() const noexcept
    {
        return ports_;
    }
    [[nodiscard]] Sort sort() const noexcept { return sort_; }
    /// All of the filter's, counted when they were looked at.
    [[nodiscard]] const Counts &counts() const noexcept { return counts_; }
    /// The first ones of the list, at most so many behind the @a skip first.
    [[nodiscard]] std::vector<TopFlow> flows(std::size_t skip,
                                             std::size_t count);
    [[nodiscard]] std::size_t size() const noexcept { return flows_.size(); }
    /// How old the list is.
    [[nodiscard]] std::chrono::milliseconds age() const;
    /// What time the rates are of; 0: there are none yet.
    [[nodiscard]] std::chrono::milliseconds window() const noexcept;

private:
    using Time = TopClock::Time;
    struct Look {
        Time when;
        Snapshot snapshot;
    };

    [[nodiscard]] Result<void> look();
    /// The look to compare with: the last one that is old enough, else the
    /// oldest. Older ones are forgotten.
    [[nodiscard]] const Look *reference(Time now);
    void take(const Flow &flow, const Look *before, double seconds);
    void count(FlowState state);

    Client &client_;
    Filter filter_;
    Sort sort_;
    Time interval_;
    TopClock clock_;
    Stats stats_;
    std::vector<Port> ports_;
    Counts counts_;
    std::vector<TopFlow> flows_;
    /// So many at the beginning of flows_ are in order.
    std::size_t sorted_ = 0;
    std::deque<Look> looks_;
    Time looked_{};
    Time window_{};
    /// When the next look is due.
    Time due_{};
};

} // namespace nfto::cli

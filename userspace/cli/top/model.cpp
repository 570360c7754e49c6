// SPDX-License-Identifier: GPL-2.0
#include "top/model.hpp"

#include <algorithm>
#include <ctime>

namespace nfto::cli {
namespace {

/// A look that took so much CPU is not repeated before this many times as long.
constexpr int cost_factor = 40;
/// Drivers are asked for their counters each 10 seconds.
constexpr std::chrono::seconds rate_window{10};

TopClock::Time read_clock(clockid_t clock)
{
    timespec time{};
    clock_gettime(clock, &time);
    return std::chrono::seconds(time.tv_sec) +
           std::chrono::nanoseconds(time.tv_nsec);
}

double bytes_per_s(const TopFlow &flow)
{
    return flow.rate ? flow.rate->bytes : -1;
}

bool before(Sort sort, const TopFlow &a, const TopFlow &b)
{
    switch (sort) {
    case Sort::rate:
        // Where no rate is known yet, what has carried most is first.
        if (bytes_per_s(a) != bytes_per_s(b))
            return bytes_per_s(a) > bytes_per_s(b);
        [[fallthrough]];
    case Sort::bytes:
        if (a.total.bytes != b.total.bytes)
            return a.total.bytes > b.total.bytes;
        break;
    case Sort::packets:
        if (a.total.packets != b.total.packets)
            return a.total.packets > b.total.packets;
        break;
    case Sort::idle:
        if (a.idle_ms != b.idle_ms)
            return a.idle_ms > b.idle_ms;
        break;
    case Sort::expires:
        if (a.expires_ms != b.expires_ms)
            return a.expires_ms < b.expires_ms;
        break;
    case Sort::id:
        break;
    }
    return a.id < b.id;
}

Reason first_reason(const Flow &flow)
{
    return flow.dir_orig.reason != Reason::none ? flow.dir_orig.reason
                                                : flow.dir_reply.reason;
}

} // namespace

TopClock real_clock()
{
    return {[] { return read_clock(CLOCK_MONOTONIC); },
            [] { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }};
}

TopModel::TopModel(Client &client, FlowQuery query,
                   std::chrono::milliseconds interval, TopClock clock)
    : client_(client), filter_(query.filter),
      sort_(query.sort.value_or(Sort::rate)), interval_(interval),
      clock_(std::move(clock))
{}

Result<void> TopModel::refresh()
{
    auto stats = client_.stats();
    if (!stats)
        return Failure(stats.error());
    stats_ = std::move(*stats);
    auto ports = client_.ports();
    if (!ports)
        return Failure(ports.error());
    ports_ = std::move(*ports);
    if (clock_.now() < due_)
        return {};
    const Time cpu = clock_.cpu();
    auto done = look();
    const Time cost = clock_.cpu() - cpu;
    due_ = looked_ + std::max(interval_, cost_factor * cost);
    return done;
}

Result<void> TopModel::look()
{
    const Time now = clock_.now();
    const Look *before = reference(now);
    window_ = before ? now - before->when : Time(0);
    const double seconds = std::chrono::duration<double>(window_).count();
    flows_.clear();
    sorted_ = 0;
    counts_ = {};
    Snapshot snapshot;
    auto done = client_.flows(filter_, [&](const Flow &flow) {
        take(flow, before, seconds);
        snapshot.add(flow);
        return true;
    });
    if (!done)
        return done;
    snapshot.seal();
    looks_.push_back({now, std::move(snapshot)});
    looked_ = now;
    return {};
}

const TopModel::Look *TopModel::reference(Time now)
{
    while (looks_.size() > 1 && now - looks_[1].when >= rate_window)
        looks_.pop_front();
    return looks_.empty() ? nullptr : &looks_.front();
}

void TopModel::take(const Flow &flow, const Look *before, double seconds)
{
    std::optional<Rate> rate;
    if (before && seconds > 0)
        if (const auto both = before->snapshot.rates(flow, seconds))
            rate = Rate{both->orig.packets + both->reply.packets,
                        both->orig.bytes + both->reply.bytes};
    const FlowState state = flow.state();
    count(state);
    flows_.push_back({flow.id, flow.orig, flow.dir_orig.in_ifindex,
                      flow.dir_orig.out_ifindex, state, first_reason(flow),
                      total_of(flow), rate, flow.idle_ms, flow.expires_ms});
}

void TopModel::count(FlowState state)
{
    ++counts_.flows;
    switch (state) {
    case FlowState::hardware:
        ++counts_.hardware;
        break;
    case FlowState::half:
        ++counts_.half;
        break;
    case FlowState::waiting:
        ++counts_.waiting;
        break;
    case FlowState::software:
        ++counts_.software;
        break;
    }
}

void TopModel::set_filter(const Filter &filter)
{
    filter_ = filter;
    due_ = Time(0);
}

void TopModel::set_sort(Sort sort)
{
    sort_ = sort;
    sorted_ = 0;
}

std::vector<TopFlow> TopModel::flows(std::size_t skip, std::size_t count)
{
    const std::size_t end = std::min(skip + count, flows_.size());
    if (skip >= end)
        return {};
    const auto at = [this](std::size_t n) {
        return flows_.begin() + static_cast<std::ptrdiff_t>(n);
    };
    // Only what is looked at is put in order.
    if (end > sorted_) {
        std::partial_sort(at(0), at(end), flows_.end(),
                          [this](const TopFlow &a, const TopFlow &b) {
                              return before(sort_, a, b);
                          });
        sorted_ = end;
    }
    return {at(skip), at(end)};
}

std::chrono::milliseconds TopModel::age() const
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() -
                                                                 looked_);
}

std::chrono::milliseconds TopModel::window() const noexcept
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(window_);
}

} // namespace nfto::cli

// SPDX-License-Identifier: GPL-2.0
#include "view/rates.hpp"

#include <algorithm>

namespace nfto::cli {
namespace {

/// Counters of a flow do not go back, but a driver's word is not trusted.
double per_second(std::uint64_t before, std::uint64_t now, double seconds)
{
    return now > before ? static_cast<double>(now - before) / seconds : 0;
}

Rate rate(const Total &before, const Total &now, double seconds)
{
    return {per_second(before.packets, now.packets, seconds),
            per_second(before.bytes, now.bytes, seconds)};
}

} // namespace

std::optional<Total> total_of(const Direction &direction) noexcept
{
    if (!direction.hw_packets && !direction.sw_packets)
        return std::nullopt;
    return Total{
        direction.hw_packets.value_or(0) + direction.sw_packets.value_or(0),
        direction.hw_bytes.value_or(0) + direction.sw_bytes.value_or(0)};
}

Total total_of(const Flow &flow) noexcept
{
    const Total orig = total_of(flow.dir_orig).value_or(Total{});
    const Total reply = total_of(flow.dir_reply).value_or(Total{});
    return {orig.packets + reply.packets, orig.bytes + reply.bytes};
}

void Snapshot::add(const Flow &flow)
{
    const auto orig = total_of(flow.dir_orig);
    const auto reply = total_of(flow.dir_reply);
    if (orig || reply)
        entries_.push_back(
            {flow.id, orig.value_or(Total{}), reply.value_or(Total{})});
}

void Snapshot::seal()
{
    std::sort(entries_.begin(), entries_.end(),
              [](const Entry &a, const Entry &b) { return a.id < b.id; });
}

std::optional<Rates> Snapshot::rates(const Flow &flow, double seconds) const
{
    const auto found = std::lower_bound(
        entries_.begin(), entries_.end(), flow.id,
        [](const Entry &entry, std::uint64_t id) { return entry.id < id; });
    if (found == entries_.end() || found->id != flow.id)
        return std::nullopt;
    const auto orig = total_of(flow.dir_orig);
    const auto reply = total_of(flow.dir_reply);
    return Rates{rate(found->orig, orig.value_or(Total{}), seconds),
                 rate(found->reply, reply.value_or(Total{}), seconds)};
}

} // namespace nfto::cli

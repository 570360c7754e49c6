// SPDX-License-Identifier: GPL-2.0
#include "top/view.hpp"

#include <algorithm>

#include "view/view.hpp"

namespace nfto::cli {
namespace {

constexpr std::size_t bar_width = 20;

/// "[#####-----]", where it is known how much there is room for.
std::string bar(std::uint64_t part, std::uint64_t whole)
{
    const std::size_t full =
        whole ? std::min<std::size_t>(part * bar_width / whole, bar_width) : 0;
    return fmt::format("[{:#>{}}{:->{}}]", "", full, "", bar_width - full);
}

std::string port_line(const Port &port)
{
    std::string line =
        fmt::format("  {:<12} {:<12}", printable(port.name), name(port.state));
    if (port.full_at)
        line +=
            fmt::format(" {} {} of {}", bar(port.in_hardware, *port.full_at),
                        port.in_hardware, *port.full_at);
    else
        line += fmt::format(" {} in hardware", port.in_hardware);
    line += fmt::format(", {} queued", port.queued);
    const std::string error = error_text(port.error, port.why);
    return error.empty() ? line : line + "  " + error;
}

std::string share_line(const Stats &stats)
{
    const Stats::Recent recent = stats.recent.value_or(Stats::Recent{});
    return fmt::format(
        "packets in hardware: now {}, in total {}",
        percent(recent.hw_packets, recent.hw_packets + recent.packets),
        percent(stats.hw_packets, stats.hw_packets + stats.packets));
}

std::string rates_line(const Stats &stats, const Text &text)
{
    const Stats::Recent recent = stats.recent.value_or(Stats::Recent{});
    const double seconds = std::max(recent.ms / 1000.0, 0.001);
    const auto rate = [&](std::uint64_t packets, std::uint64_t bytes) {
        return fmt::format(
            "{} {}", text.packet_rate(static_cast<double>(packets) / seconds),
            text.bit_rate(static_cast<double>(bytes) / seconds));
    };
    return fmt::format("hardware {}, software {}",
                       rate(recent.hw_packets, recent.hw_bytes),
                       rate(recent.packets, recent.bytes));
}

std::string flows_line(const Counts &counts)
{
    return fmt::format(
        "{}: {} in hardware, {} half, {} waiting, {} in software",
        plural(counts.flows, "flow"), counts.hardware, counts.half,
        counts.waiting, counts.software);
}

/// Of what time the list is, and how it is sorted.
std::string list_line(TopModel &model, const Text &text)
{
    std::string line =
        fmt::format("list of {} ago",
                    text.time(static_cast<std::uint64_t>(model.age().count())));
    if (model.window().count())
        line += fmt::format(
            ", rates of {}",
            text.time(static_cast<std::uint64_t>(model.window().count())));
    return line + fmt::format(", sorted by {}", name(model.sort()));
}

/// The text cut to its column; what is cut off has a mark.
std::string fit(std::string text, std::size_t columns)
{
    if (text.size() > columns) {
        text.resize(columns - 1);
        text += '~';
    }
    return text;
}

} // namespace

std::vector<std::string> top_header(TopModel &model, const Text &text)
{
    std::vector<std::string> lines{
        share_line(model.stats()), rates_line(model.stats(), text),
        flows_line(model.counts()), list_line(model, text)};
    for (const Port &port : model.ports())
        lines.push_back(port_line(port));
    return lines;
}

std::string top_heading(std::size_t columns)
{
    if (columns < top_wide)
        return fmt::format("{:>9} {:>9} {:>8}  {:<9} {}", "PACKETS/S", "BITS/S",
                           "IDLE", "STATE", "CONNECTION");
    return fmt::format("{:>12} {:>14} {:>12} {:>10} {:>10}  {:<14} {:<12} {}",
                       "PACKETS/S", "BITS/S", "PACKETS", "BYTES", "IDLE",
                       "STATE", "FROM", "CONNECTION");
}

std::string top_line(const TopFlow &flow, const Text &text, Devices &devices,
                     std::size_t columns)
{
    // The units are in the heading.
    const auto number = [](const std::string &with_unit,
                           std::string_view unit) {
        return with_unit.substr(0, with_unit.size() -
                                       std::min(unit.size(), with_unit.size()));
    };
    const std::string state(flow.state == FlowState::hardware ||
                                    flow.reason == Reason::none
                                ? name(flow.state)
                                : name(flow.reason));
    const std::string packets =
        flow.rate ? number(text.packet_rate(flow.rate->packets), "pkt/s") : "-";
    const std::string bits =
        flow.rate ? number(text.bit_rate(flow.rate->bytes), "bit/s") : "-";
    if (columns < top_wide)
        return fmt::format("{:>9} {:>9} {:>8}  {:<9} {}", packets, bits,
                           text.time(flow.idle_ms), fit(state, 9),
                           tuple_text(flow.orig));
    return fmt::format("{:>12} {:>14} {:>12} {:>10} {:>10}  {:<14} {:<12} {}",
                       packets, bits, flow.total.packets,
                       text.bytes(flow.total.bytes), text.time(flow.idle_ms),
                       fit(state, 14), fit(devices.shown(flow.in_ifindex), 12),
                       tuple_text(flow.orig));
}

void put_top(Json &json, TopModel &model, Devices &devices, std::size_t limit)
{
    {
        const auto stats = json.object("stats");
        put(json, model.stats());
    }
    {
        const auto ports = json.array("ports");
        for (const Port &port : model.ports()) {
            const auto object = json.object();
            put(json, port);
        }
    }
    {
        const auto object = json.object("count");
        put(json, model.counts());
    }
    json.member("flows_age_ms", model.age().count());
    json.member("rate_ms", model.window().count());
    const auto flows = json.array("flows");
    for (const TopFlow &flow : model.flows(0, limit)) {
        const auto object = json.object();
        json.member("id", flow.id);
        {
            const auto orig = json.object("orig");
            put(json, flow.orig);
        }
        json.member("in_ifindex", flow.in_ifindex);
        if (const auto &device = devices.name(flow.in_ifindex); !device.empty())
            json.member("in", device);
        json.member("state", name(flow.state));
        json.member("reason", name(flow.reason));
        json.member("packets", flow.total.packets);
        json.member("bytes", flow.total.bytes);
        if (flow.rate) {
            json.member("packet_rate", flow.rate->packets);
            json.member("byte_rate", flow.rate->bytes);
        }
        json.member("idle_ms", flow.idle_ms);
        json.member("expires_ms", flow.expires_ms);
    }
}

} // namespace nfto::cli

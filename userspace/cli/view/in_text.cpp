// SPDX-License-Identifier: GPL-2.0
#include "view/view.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <netinet/in.h>

#include <nfto/ruleset.hpp>

namespace nfto::cli {
namespace {

std::string endpoint(const Address &address,
                     const std::optional<std::uint16_t> &port)
{
    if (!port)
        return address.text();
    return address.v6 ? fmt::format("[{}]:{}", address.text(), *port)
                      : fmt::format("{}:{}", address.text(), *port);
}

/// "hw 100 pkt 12.3 kB", empty where it is not counted.
std::string counter_text(const Text &text, std::string_view where,
                         const std::optional<std::uint64_t> &packets,
                         const std::optional<std::uint64_t> &bytes)
{
    if (!packets)
        return {};
    return fmt::format("  {} {} pkt {}", where, *packets,
                       text.bytes(bytes.value_or(0)));
}

void print_direction(Text &text, Devices &devices, std::string_view arrow,
                     const Direction &direction,
                     const std::optional<Rate> &rate)
{
    std::string line =
        fmt::format("  {} {} > {}", arrow, devices.shown(direction.in_ifindex),
                    devices.shown(direction.out_ifindex));
    if (direction.route_ifindex != direction.out_ifindex)
        line +=
            fmt::format(" route {}", devices.shown(direction.route_ifindex));
    if (direction.next_hop)
        line += " via " + direction.next_hop->text();
    if (direction.mac)
        line += fmt::format(" at {}", nfto::text(*direction.mac));
    if (!direction.encap.empty())
        line += " " + encap_text(direction.encap);
    line += "  " + direction_state(text, direction);
    line += counter_text(text, "hw", direction.hw_packets, direction.hw_bytes);
    line += counter_text(text, "sw", direction.sw_packets, direction.sw_bytes);
    if (rate)
        line += fmt::format("  {} {}", text.packet_rate(rate->packets),
                            text.bit_rate(rate->bytes));
    text.print("{}\n", line);
}

} // namespace

std::string protocol_name(std::uint8_t l4proto)
{
    switch (l4proto) {
    case IPPROTO_ICMP:
        return "icmp";
    case IPPROTO_TCP:
        return "tcp";
    case IPPROTO_UDP:
        return "udp";
    case IPPROTO_GRE:
        return "gre";
    case IPPROTO_ICMPV6:
        return "icmpv6";
    case IPPROTO_SCTP:
        return "sctp";
    default:
        return fmt::format("{}", l4proto);
    }
}

std::string tuple_text(const Tuple &tuple)
{
    return fmt::format("{} {} > {}", protocol_name(tuple.l4proto),
                       endpoint(tuple.src, tuple.sport),
                       endpoint(tuple.dst, tuple.dport));
}

std::string error_text(int error, const std::string &why)
{
    std::string text;
    if (error) {
        text = errno_name(error);
        if (text.empty())
            text = fmt::format("errno {}", error);
    }
    if (!why.empty())
        text +=
            fmt::format("{}\"{}\"", text.empty() ? "" : " ", printable(why));
    return text;
}

std::string direction_state(const Text &text, const Direction &direction)
{
    if (direction.hw == Hw::in)
        return text.paint(Colour::good, "in hardware");
    std::string state(name(direction.hw));
    if (direction.reason != Reason::none)
        state += fmt::format(": {}", name(direction.reason));
    const std::string error = error_text(direction.error, direction.why);
    if (!error.empty())
        state += fmt::format(" ({})", error);
    return text.paint(direction.reason == Reason::waiting ||
                              direction.hw != Hw::out
                          ? Colour::middling
                          : Colour::bad,
                      state);
}

std::string encap_text(const std::vector<Encap> &encap)
{
    std::string text;
    for (const Encap &one : encap) {
        const std::string_view blank = text.empty() ? "" : " ";
        switch (one.proto) {
        case 0x8100:
            text += fmt::format("{}vlan {}", blank, one.id);
            break;
        case 0x88a8:
            text += fmt::format("{}qinq {}", blank, one.id);
            break;
        case 0x8864:
            text += fmt::format("{}pppoe {}", blank, one.id);
            break;
        default:
            text += fmt::format("{}{:#06x} {}", blank, one.proto, one.id);
        }
    }
    return text;
}

std::string nat_text(const Flow &flow)
{
    std::string text;
    // What the reply is sent to is what the source was turned into.
    if (flow.snat)
        text = "snat " + endpoint(flow.reply.dst, flow.reply.dport);
    if (flow.dnat)
        text += fmt::format("{}dnat {}", text.empty() ? "" : " ",
                            endpoint(flow.reply.src, flow.reply.sport));
    return text;
}

Colour colour_of(FlowState state) noexcept
{
    switch (state) {
    case FlowState::hardware:
        return Colour::good;
    case FlowState::half:
    case FlowState::waiting:
        return Colour::middling;
    case FlowState::software:
        break;
    }
    return Colour::bad;
}

Colour colour_of(PortState state) noexcept
{
    return state == PortState::bound ? Colour::good : Colour::bad;
}

void print_flow(Text &text, Devices &devices, const Flow &flow,
                const std::optional<Rates> &rates)
{
    std::string line = fmt::format(
        "{} {}  {}", text.paint(Colour::faint, fmt::format("{}:", flow.id)),
        text.paint(Colour::strong, tuple_text(flow.orig)),
        text.paint(colour_of(flow.state()), name(flow.state())));
    if (const std::string nat = nat_text(flow); !nat.empty())
        line += "  " + nat;
    line += fmt::format("  idle {}  expires {}", text.time(flow.idle_ms),
                        text.time(flow.expires_ms));
    if (flow.mark)
        line += fmt::format("  mark {:#x}", flow.mark);
    if (flow.zone)
        line += fmt::format("  zone {}", flow.zone);
    text.print("{}\n", line);
    print_direction(text, devices, "->", flow.dir_orig,
                    rates ? std::optional(rates->orig) : std::nullopt);
    print_direction(text, devices, "<-", flow.dir_reply,
                    rates ? std::optional(rates->reply) : std::nullopt);
}

std::string flowtable_name(const Flowtable &flowtable)
{
    if (flowtable.name.empty())
        return fmt::format("{} (deleted)", flowtable.id);
    return fmt::format("{} {} {}", family_name(flowtable.family),
                       printable(flowtable.table), printable(flowtable.name));
}

std::string when_text(std::uint64_t ns)
{
    constexpr std::uint64_t second = 1000000000;
    const auto seconds = static_cast<std::time_t>(ns / second);
    std::tm local{};
    std::array<char, 32> date{};
    if (!localtime_r(&seconds, &local) ||
        !std::strftime(date.data(), date.size(), "%F %T", &local))
        return fmt::format("{}", ns);
    return fmt::format("{}.{:03}", date.data(), ns % second / 1000000);
}

void print_refusal(Text &text, Devices &devices, const Refusal &refusal)
{
    text.print("{}  {}  {}", when_text(refusal.when_ns),
               text.paint(Colour::middling, name(refusal.reason)),
               refusal.orig ? tuple_text(*refusal.orig) : "no connection");
    if (refusal.zone)
        text.print("  zone {}", refusal.zone);
    text.print("  from {}  {}\n", devices.shown(refusal.ifindex),
               plural(refusal.count, "time"));
}

void print_reasons(Text &text, const std::vector<ReasonCount> &reasons)
{
    constexpr std::array<std::string_view, reason_kind_count> titles{
        "left to the slow path", "refused", "ended", "not in hardware"};
    for (std::uint32_t kind = 0; kind < titles.size(); ++kind) {
        std::string line;
        for (const ReasonCount &one : reasons)
            if (counts_for(one.reason) == ReasonKind{kind})
                line += fmt::format("{}{} {}", line.empty() ? "" : ", ",
                                    name(one.reason), one.count);
        if (!line.empty())
            text.print("  {}: {}\n", titles.at(kind), line);
    }
}

std::optional<ReasonKind> counts_for(Reason reason) noexcept
{
    const auto all = kinds(reason);
    return all.empty() ? std::nullopt : std::optional(all.front());
}

namespace {

/// Names of the reasons that are of this kind, behind those given.
std::vector<std::string_view> with_kind(ReasonKind kind,
                                        std::vector<std::string_view> names)
{
    for (std::uint32_t value = 0; value < reason_count; ++value) {
        const auto all = kinds(Reason{value});
        if (std::find(all.begin(), all.end(), kind) != all.end())
            names.push_back(name(Reason{value}));
    }
    return names;
}

} // namespace

std::vector<std::string_view> direction_reasons()
{
    return with_kind(ReasonKind::not_in_hardware, {name(Reason::none)});
}

std::vector<std::string_view> refusal_reasons()
{
    return with_kind(ReasonKind::refused, {});
}

} // namespace nfto::cli

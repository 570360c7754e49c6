// SPDX-License-Identifier: GPL-2.0
#include <algorithm>
#include <cerrno>

#include "context.hpp"
#include "verbs/verbs.hpp"
#include "view/view.hpp"

namespace nfto::cli {
namespace {

/// All that status shows. What could not be asked for is absent.
struct Picture {
    Info module;
    std::vector<Flowtable> flowtables;
    std::vector<Port> ports;
    Stats stats;
    std::optional<Counts> counts;
    /// Or why it could not be read.
    Result<Ruleset> ruleset;
};

Result<Picture> take(System &system)
{
    auto client = system.client();
    if (!client)
        return Failure(client.error());
    auto flowtables = client->flowtables();
    if (!flowtables)
        return Failure(flowtables.error());
    auto ports = client->ports();
    if (!ports)
        return Failure(ports.error());
    auto stats = client->stats();
    if (!stats)
        return Failure(stats.error());
    auto counts = client->count({});
    if (!counts && counts.error().code != EPERM)
        return Failure(counts.error());
    return Picture{client->info(),
                   std::move(*flowtables),
                   std::move(*ports),
                   std::move(*stats),
                   counts ? std::optional(*counts) : std::nullopt,
                   system.ruleset()};
}

const Flowtable *ours(const Picture &picture, const RulesetFlowtable &flowtable)
{
    for (const Flowtable &one : picture.flowtables)
        if (one.name == flowtable.name && one.table == flowtable.table &&
            one.family == flowtable.family)
            return &one;
    return nullptr;
}

/// Each connection begins with packets that come too early to make a flow.
bool is_usual(Reason reason) noexcept
{
    return reason == Reason::not_established || reason == Reason::not_confirmed;
}

std::uint64_t refused(const Stats &stats)
{
    std::uint64_t sum = 0;
    for (const ReasonCount &one : stats.reasons)
        if (counts_for(one.reason) == ReasonKind::refused &&
            !is_usual(one.reason))
            sum += one.count;
    return sum;
}

// --- JSON ---

void put(Json &json, const Picture &picture, const RulesetFlowtable &flowtable)
{
    const Flowtable *found = ours(picture, flowtable);
    json.member("family", family_name(flowtable.family));
    json.member("table", flowtable.table);
    json.member("name", flowtable.name);
    json.member("provider", found ? "nft_offload" : "nf_flow_table");
    if (found)
        json.member("id", found->id);
    json.member("offload", flowtable.offload);
    json.member("counter", flowtable.counter);
    {
        const auto array = json.array("devices");
        for (const std::string &device : flowtable.devices)
            json.element(device);
    }
}

/// Hardware's part of all packets of the fast path, from 0 to 1; null where
/// there were none.
void put_share(Json &json, std::string_view name, std::uint64_t hardware,
               std::uint64_t software)
{
    if (hardware + software)
        json.member(name, static_cast<double>(hardware) /
                              static_cast<double>(hardware + software));
    else
        json.null_member(name);
}

void put_ruleset(Json &json, const Picture &picture)
{
    const auto array = json.array("flowtables");
    for (const RulesetFlowtable &flowtable : picture.ruleset->flowtables) {
        const auto object = json.object();
        put(json, picture, flowtable);
    }
}

void put_flowtables(Json &json, Devices &devices, const Picture &picture)
{
    {
        const auto ruleset = json.object("ruleset");
        if (!picture.ruleset)
            put_error(json, picture.ruleset.error().code,
                      picture.ruleset.error().why);
        else
            put_ruleset(json, picture);
    }
    const auto array = json.array("flowtables");
    for (const Flowtable &flowtable : picture.flowtables) {
        const auto object = json.object();
        put(json, devices, flowtable);
    }
}

void put_flows(Json &json, const Picture &picture)
{
    const auto object = json.object("count");
    if (picture.counts)
        put(json, *picture.counts);
    else
        json.member("flows", picture.stats.flows);
}

void put(Json &json, Devices &devices, const Picture &picture)
{
    {
        const auto object = json.object("module");
        json.member("version", picture.module.version);
        json.member("abi_version", picture.module.abi_version);
    }
    put_flowtables(json, devices, picture);
    {
        const auto array = json.array("ports");
        for (const Port &port : picture.ports) {
            const auto object = json.object();
            put(json, port);
        }
    }
    put_flows(json, picture);
    json.member("refused", refused(picture.stats));
    {
        const auto object = json.object("hardware_share");
        const Stats::Recent recent =
            picture.stats.recent.value_or(Stats::Recent{});
        put_share(json, "now", recent.hw_packets, recent.packets);
        put_share(json, "total", picture.stats.hw_packets,
                  picture.stats.packets);
    }
    const auto object = json.object("stats");
    put(json, picture.stats);
}

// --- text ---

std::string provider_text(Text &text, const Picture &picture,
                          const RulesetFlowtable &flowtable)
{
    const Flowtable *found = ours(picture, flowtable);
    if (!found)
        return text.paint(Colour::bad, "nf_flow_table, the kernel's own");
    return fmt::format("{}, {}", text.paint(Colour::good, "nft_offload"),
                       plural(found->flows, "flow"));
}

std::string flags_text(bool offload, bool counter)
{
    return fmt::format("{}{}", offload ? "offload" : "software",
                       counter ? " counter" : "");
}

std::string joined(const std::vector<std::string> &names)
{
    std::string text;
    for (const std::string &one : names)
        text += (text.empty() ? "" : " ") + printable(one);
    return text;
}

void print_ruleset(Text &text, const Picture &picture)
{
    Columns columns;
    for (const RulesetFlowtable &flowtable : picture.ruleset->flowtables)
        columns.row(
            {fmt::format("{} {} {}", family_name(flowtable.family),
                         printable(flowtable.table), printable(flowtable.name)),
             flags_text(flowtable.offload, flowtable.counter),
             joined(flowtable.devices),
             provider_text(text, picture, flowtable)});
    columns.print(text.out(), "  ");
    if (picture.ruleset->flowtables.empty())
        text.print("  none; to create one: nft-offload enable DEV...\n");
}

/// Only what the module says, which everybody may read.
void print_flowtables(Text &text, Devices &devices, const Picture &picture)
{
    Columns columns;
    for (const Flowtable &flowtable : picture.flowtables) {
        std::vector<std::string> names;
        for (const std::uint32_t ifindex : flowtable.devices)
            names.push_back(devices.shown(ifindex));
        columns.row({flowtable_name(flowtable),
                     flags_text(flowtable.offload, flowtable.counter),
                     joined(names),
                     "nft_offload, " + plural(flowtable.flows, "flow")});
    }
    columns.print(text.out(), "  ");
    const Error &error = picture.ruleset.error();
    if (error.code == EPERM)
        text.print("  flowtables of other providers are unknown without "
                   "CAP_NET_ADMIN\n");
    else
        text.print("  flowtables of other providers are unknown: {}\n",
                   printable(error.message()));
}

void print_ports(Text &text, const Picture &picture)
{
    Columns columns;
    for (const Port &port : picture.ports) {
        std::string in_hardware =
            fmt::format("{} in hardware", port.in_hardware);
        if (port.full_at)
            in_hardware += fmt::format(" (full at {})", *port.full_at);
        columns.row({printable(port.name),
                     text.paint(colour_of(port.state), name(port.state)),
                     std::string(name(port.kind)), in_hardware,
                     fmt::format("{} queued", port.queued),
                     error_text(port.error, port.why)});
    }
    columns.print(text.out(), "  ");
    if (picture.ports.empty())
        text.print(
            "  none; the devices of a flowtable with \"flags offload\" are "
            "ports\n");
}

void print_flows(Text &text, const Picture &picture)
{
    if (picture.counts)
        text.print("flows: {}: {} in hardware, {} half, {} waiting, {} in "
                   "software\n",
                   picture.counts->flows, picture.counts->hardware,
                   picture.counts->half, picture.counts->waiting,
                   picture.counts->software);
    else
        text.print("flows: {}, {} in hardware\n", picture.stats.flows,
                   plural(picture.stats.in_hardware, "direction"));
    text.print("refused: {}\n", plural(refused(picture.stats), "time"));
}

void print_share(Text &text, const Stats &stats)
{
    const Stats::Recent recent = stats.recent.value_or(Stats::Recent{});
    text.print(
        "packets in hardware: now {}, in total {}\n",
        text.paint(Colour::strong, percent(recent.hw_packets,
                                           recent.hw_packets + recent.packets)),
        text.paint(Colour::strong, percent(stats.hw_packets,
                                           stats.hw_packets + stats.packets)));
}

void print(Text &text, Devices &devices, const Picture &picture)
{
    text.print("module: nft_offload {} (netlink ABI {})\n",
               printable(picture.module.version), picture.module.abi_version);
    text.print("flowtables:\n");
    if (picture.ruleset)
        print_ruleset(text, picture);
    else
        print_flowtables(text, devices, picture);
    text.print("ports:\n");
    print_ports(text, picture);
    print_flows(text, picture);
    print_share(text, picture.stats);
}

Outcome run(Context &context)
{
    const auto picture = take(context.system);
    if (!picture)
        return fail(picture.error());
    if (context.json)
        put(*context.json, context.devices, *picture);
    else
        print(context.text, context.devices, *picture);
    return Exit::ok;
}

} // namespace

Verb status_verb()
{
    return {
        "status",
        "",
        "All on one screen; the same as no argument at all",
        "Packets are those that the fast path has forwarded, in hardware or "
        "in software;\n\"now\" means the last 10 to 20 seconds. Most of it "
        "is shown to everybody.",
        {},
        run};
}

} // namespace nfto::cli

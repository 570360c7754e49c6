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
    std::vector<Table> tables;
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
    auto tables = client->tables();
    if (!tables)
        return Failure(tables.error());
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
                   std::move(*tables),
                   std::move(*ports),
                   std::move(*stats),
                   counts ? std::optional(*counts) : std::nullopt,
                   system.ruleset()};
}

const Table *ours(const Picture &picture, const Flowtable &flowtable)
{
    for (const Table &table : picture.tables)
        if (table.name == flowtable.name && table.table == flowtable.table &&
            table.family == flowtable.family)
            return &table;
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
        if (kind_of(one.reason) == ReasonKind::refused && !is_usual(one.reason))
            sum += one.count;
    return sum;
}

// --- JSON ---

void put(Json &json, Devices &devices, const Picture &picture,
         const Flowtable &flowtable)
{
    const Table *table = ours(picture, flowtable);
    json.member("family", family_name(flowtable.family));
    json.member("table", flowtable.table);
    json.member("name", flowtable.name);
    json.member("provider", table ? "nft_offload" : "nf_flow_table");
    json.member("offload", flowtable.offload);
    json.member("counter", flowtable.counter);
    {
        const auto array = json.array("devices");
        for (const std::string &device : flowtable.devices)
            json.element(device);
    }
    if (table) {
        const auto object = json.object("module_table");
        put(json, devices, *table);
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

void put_flowtables(Json &json, Devices &devices, const Picture &picture)
{
    if (!picture.ruleset) {
        const auto object = json.object("ruleset");
        put_error(json, picture.ruleset.error().code,
                  picture.ruleset.error().why);
    } else {
        const auto array = json.array("flowtables");
        for (const Flowtable &flowtable : picture.ruleset->flowtables) {
            const auto object = json.object();
            put(json, devices, picture, flowtable);
        }
    }
    const auto array = json.array("tables");
    for (const Table &table : picture.tables) {
        const auto object = json.object();
        put(json, devices, table);
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
                          const Flowtable &flowtable)
{
    const Table *table = ours(picture, flowtable);
    if (!table)
        return text.paint(Colour::bad, "nf_flow_table, the kernel's own");
    return fmt::format("{}, {}", text.paint(Colour::good, "nft_offload"),
                       plural(table->flows, "flow"));
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
    for (const Flowtable &flowtable : picture.ruleset->flowtables)
        columns.row({fmt::format("{} {} {}", family_name(flowtable.family),
                                 printable(flowtable.table),
                                 printable(flowtable.name)),
                     flags_text(flowtable.offload, flowtable.counter),
                     joined(flowtable.devices),
                     provider_text(text, picture, flowtable)});
    columns.print(text.out(), "  ");
    if (picture.ruleset->flowtables.empty())
        text.print("  none; nft-offload enable DEV... makes one\n");
}

/// Only what the module says, which everybody may read.
void print_tables(Text &text, Devices &devices, const Picture &picture)
{
    Columns columns;
    for (const Table &table : picture.tables) {
        std::vector<std::string> names;
        for (const std::uint32_t ifindex : table.devices)
            names.push_back(devices.shown(ifindex));
        columns.row({table_name(table),
                     flags_text(table.offload, table.counter), joined(names),
                     "nft_offload, " + plural(table.flows, "flow")});
    }
    columns.print(text.out(), "  ");
    const Error &error = picture.ruleset.error();
    if (error.code == EPERM)
        text.print("  those of other providers: unknown without "
                   "CAP_NET_ADMIN\n");
    else
        text.print("  those of other providers: unknown, {}\n",
                   printable(error.message()));
}

void print_ports(Text &text, const Picture &picture)
{
    Columns columns;
    for (const Port &port : picture.ports) {
        std::string entries = fmt::format("{} entries", port.in_hardware);
        if (port.full_at)
            entries += fmt::format(" (full at {})", *port.full_at);
        columns.row({printable(port.name),
                     text.paint(colour_of(port.state), name(port.state)),
                     std::string(name(port.kind)), entries,
                     fmt::format("{} queued", port.queued),
                     error_text(port.error, port.why)});
    }
    columns.print(text.out(), "  ");
    if (picture.ports.empty())
        text.print("  none; a flowtable with \"flags offload\" has ports\n");
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
    text.print("refused: {} times\n", refused(picture.stats));
}

void print_share(Text &text, const Stats &stats)
{
    const Stats::Recent recent = stats.recent.value_or(Stats::Recent{});
    text.print("packets in hardware: now {}, in total {}\n",
               text.paint(Colour::strong,
                          percent(recent.hw_packets,
                                  recent.hw_packets + recent.packets)),
               text.paint(Colour::strong,
                          percent(stats.hw_packets,
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
        print_tables(text, devices, picture);
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
    return {"status", "", "All on one screen; also without any argument",
            "Packets are those that the fast path forwards, in hardware or in "
            "software;\n\"now\" is the last 10 to 20 seconds. Most of it is "
            "readable without\nprivileges.",
            {}, run};
}

} // namespace nfto::cli

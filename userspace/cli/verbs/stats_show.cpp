// SPDX-License-Identifier: GPL-2.0
#include "context.hpp"
#include "verbs/verbs.hpp"
#include "view/view.hpp"

namespace nfto::cli {
namespace {

void print(Text &text, const Stats &stats)
{
    Columns columns({Columns::Align::left, Columns::Align::right});
    const auto line = [&](std::string_view what, std::uint64_t packets,
                          std::uint64_t bytes) {
        columns.row({std::string(what), fmt::format("{} pkt", packets),
                     text.bytes(bytes)});
    };
    text.print("{}, {}, {}, {} in hardware\n",
               plural(stats.flowtables, "flowtable"),
               plural(stats.ports, "port"), plural(stats.flows, "flow"),
               plural(stats.in_hardware, "direction"));
    line("hardware", stats.hw_packets, stats.hw_bytes);
    line("software", stats.packets, stats.bytes);
    if (stats.recent) {
        const std::string ago =
            fmt::format("in the last {}", text.time(stats.recent->ms));
        line("hardware, " + ago, stats.recent->hw_packets,
             stats.recent->hw_bytes);
        line("software, " + ago, stats.recent->packets, stats.recent->bytes);
    }
    columns.print(text.out(), "  ");
    print_reasons(text, stats.reasons);
}

Outcome run(Context &context)
{
    auto client = context.system.client();
    if (!client)
        return fail(client.error());
    const auto stats = client->stats();
    if (!stats)
        return fail(stats.error());
    if (!context.json) {
        print(context.text, *stats);
        return Exit::ok;
    }
    const auto object = context.json->object("stats");
    put(*context.json, *stats);
    return Exit::ok;
}

} // namespace

Verb stats_show_verb()
{
    return {
        "stats",
        "show",
        "Totals of the network namespace",
        "What hardware and software have forwarded, and how often each reason "
        "was met.",
        {},
        run};
}

} // namespace nfto::cli

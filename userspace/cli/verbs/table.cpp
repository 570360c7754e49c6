// SPDX-License-Identifier: GPL-2.0
#include "context.hpp"
#include "verbs/verbs.hpp"
#include "view/view.hpp"
#include "words/filter.hpp"

namespace nfto::cli {
namespace {

void print(Text &text, Devices &devices, const Table &table)
{
    text.print("{}: {}  priority {}", table.id,
               text.paint(Colour::strong, table_name(table)), table.priority);
    text.print("  {}{}{}\n", table.offload ? "offload" : "software",
               table.counter ? "  counter" : "",
               table.follow_ruleset == false ? "  follow-ruleset off" : "");
    text.print("  devices");
    for (const std::uint32_t ifindex : table.devices)
        text.print(" {}", devices.shown(ifindex));
    text.print("\n  {}  in software {} pkt {}\n", plural(table.flows, "flow"),
               table.packets, text.bytes(table.bytes));
    print_reasons(text, table.reasons);
}

Outcome run(Context &context)
{
    auto client = context.system.client();
    if (!client)
        return fail(client.error());
    const auto tables = client->tables();
    if (!tables)
        return fail(tables.error());
    if (!context.json) {
        for (const Table &table : *tables)
            print(context.text, context.devices, table);
        return Exit::ok;
    }
    const auto array = context.json->array("tables");
    for (const Table &table : *tables) {
        const auto object = context.json->object();
        put(*context.json, context.devices, table);
    }
    return Exit::ok;
}

Outcome run_set(Context &context)
{
    auto client = context.system.client();
    if (!client)
        return fail(client.error());
    const auto tables = client->tables();
    if (!tables)
        return fail(tables.error());
    const auto id = find_table(*context.args.get("table"), *tables);
    if (!id)
        return fail(id.error());
    const auto table = client->set_table(
        *id, {.follow_ruleset = context.args.get("follow-ruleset") == "on"});
    if (!table)
        return fail(table.error());
    if (!context.json) {
        print(context.text, context.devices, *table);
        return Exit::ok;
    }
    const auto object = context.json->object("table");
    put(*context.json, context.devices, *table);
    return Exit::ok;
}

std::vector<std::string_view> on_or_off()
{
    return {"on", "off"};
}

} // namespace

Verb table_set_verb()
{
    return {"table",
            "set",
            "Change how a flowtable is dealt with",
            "With follow-ruleset on, flows are checked against a ruleset that "
            "has changed:\nthey leave the hardware until a packet of each "
            "direction has been through it.",
            {{Param::Kind::operand, "table", "TABLE", "its name or id",
              nullptr, true},
             {Param::Kind::pair, "follow-ruleset", "SWITCH",
              "whether flows are checked", on_or_off, true}},
            run_set};
}

Verb table_show_verb()
{
    return {"table",
            "show",
            "Flowtables that the module provides",
            "One that nftables has deleted is there for as long as it has "
            "flows. Those of\nother providers are in \"nft-offload status\".",
            {},
            run};
}

} // namespace nfto::cli

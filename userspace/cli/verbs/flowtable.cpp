// SPDX-License-Identifier: GPL-2.0
#include "context.hpp"
#include "verbs/verbs.hpp"
#include "view/view.hpp"
#include "words/filter.hpp"

namespace nfto::cli {
namespace {

void print(Text &text, Devices &devices, const Flowtable &flowtable)
{
    text.print("{}: {}  priority {}", flowtable.id,
               text.paint(Colour::strong, flowtable_name(flowtable)),
               flowtable.priority);
    text.print("  {}{}{}\n", flowtable.offload ? "offload" : "software",
               flowtable.counter ? "  counter" : "",
               flowtable.follow_ruleset == false ? "  follow-ruleset off" : "");
    text.print("  devices");
    for (const std::uint32_t ifindex : flowtable.devices)
        text.print(" {}", devices.shown(ifindex));
    text.print("\n  {}  in software {} pkt {}\n",
               plural(flowtable.flows, "flow"), flowtable.packets,
               text.bytes(flowtable.bytes));
    print_reasons(text, flowtable.reasons);
}

Outcome run(Context &context)
{
    auto client = context.system.client();
    if (!client)
        return fail(client.error());
    const auto flowtables = client->flowtables();
    if (!flowtables)
        return fail(flowtables.error());
    if (!context.json) {
        for (const Flowtable &flowtable : *flowtables)
            print(context.text, context.devices, flowtable);
        return Exit::ok;
    }
    const auto array = context.json->array("flowtables");
    for (const Flowtable &flowtable : *flowtables) {
        const auto object = context.json->object();
        put(*context.json, context.devices, flowtable);
    }
    return Exit::ok;
}

Outcome run_set(Context &context)
{
    auto client = context.system.client();
    if (!client)
        return fail(client.error());
    const auto flowtables = client->flowtables();
    if (!flowtables)
        return fail(flowtables.error());
    const auto id = find_flowtable(context.args.all("flowtable"), *flowtables);
    if (!id)
        return fail(id.error());
    const auto flowtable = client->set_flowtable(
        *id, {.follow_ruleset = context.args.get("follow-ruleset") == "on"});
    if (!flowtable)
        return fail(flowtable.error());
    if (!context.json) {
        print(context.text, context.devices, *flowtable);
        return Exit::ok;
    }
    const auto object = context.json->object("flowtable");
    put(*context.json, context.devices, *flowtable);
    return Exit::ok;
}

std::vector<std::string_view> on_or_off()
{
    return {"on", "off"};
}

} // namespace

Verb flowtable_set_verb()
{
    return {"flowtable",
            "set",
            "Change whether a flowtable follows changes of the ruleset",
            "With follow-ruleset on, which is the default, a change of the "
            "ruleset takes all\nflows out of the hardware, until a packet of "
            "each direction has passed it.",
            {flowtable_param(Param::Kind::operand, true),
             {Param::Kind::pair, "follow-ruleset", "SWITCH",
              "whether flows are checked after a change", on_or_off, true}},
            run_set};
}

Verb flowtable_show_verb()
{
    return {"flowtable",
            "show",
            "Flowtables that the module provides",
            "A flowtable that was deleted from the ruleset is shown until its "
            "last flow has\nended. \"nft-offload status\" shows flowtables of "
            "other providers, too.",
            {},
            run};
}

} // namespace nfto::cli

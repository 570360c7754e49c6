// SPDX-License-Identifier: GPL-2.0
#include "context.hpp"
#include "verbs/verbs.hpp"
#include "view/view.hpp"

namespace nfto::cli {
namespace {

Result<std::vector<Port>> wanted(Client &client,
                                 std::optional<std::uint32_t> ifindex)
{
    if (!ifindex)
        return client.ports();
    return client.port(*ifindex).map(
        [](Port port) { return std::vector<Port>{std::move(port)}; });
}

void print(Text &text, const Port &port)
{
    text.print("{}: {}", text.paint(Colour::strong, printable(port.name)),
               text.paint(colour_of(port.state), name(port.state)));
    if (port.kind != PortKind::none)
        text.print(" ({})", name(port.kind));
    text.print("  used by {}\n", plural(port.users, "flowtable"));
    if (const std::string error = error_text(port.error, port.why);
        !error.empty())
        text.print("  {}\n", error);
    text.print("  in hardware {}", port.in_hardware);
    if (port.full_at)
        text.print(" (full at {})", *port.full_at);
    text.print("  queued {}  workers {}\n", port.queued, port.workers);
    text.print("  accepted {}  refused {}  removed {}  stuck {}  queries {}"
               "  lost {}\n",
               port.accepted, port.refused, port.removed, port.stuck,
               port.queries, port.lost);
    text.print("  forwarded {} pkt {}\n", port.packets, text.bytes(port.bytes));
}

Outcome run(Context &context)
{
    std::optional<std::uint32_t> ifindex;
    auto client = context.system.client();
    if (!client)
        return fail(client.error());
    if (const auto device = context.args.get("device")) {
        const auto found = find_device(*device);
        if (!found)
            return fail(found.error());
        ifindex = *found;
    }
    const auto ports = wanted(*client, ifindex);
    if (!ports) {
        Problem problem = problem_of(ports.error());
        if (problem.exit == Exit::no_such)
            problem.hint = "To see what is missing: nft-offload check " +
                           std::string(*context.args.get("device"));
        return fail(problem);
    }
    if (!context.json) {
        for (const Port &port : *ports)
            print(context.text, port);
        return Exit::ok;
    }
    const auto array = context.json->array("ports");
    for (const Port &port : *ports) {
        const auto object = context.json->object();
        put(*context.json, port);
    }
    return Exit::ok;
}

} // namespace

Verb port_show_verb()
{
    return {"port",
            "show",
            "Devices that may take flows, and what their drivers did",
            "A port is a device of a flowtable with \"flags offload\".",
            {{Param::Kind::operand, "device", "DEV", "only this one"}},
            run};
}

} // namespace nfto::cli

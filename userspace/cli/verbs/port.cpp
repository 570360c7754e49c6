// SPDX-License-Identifier: GPL-2.0
#include <fmt/format.h>

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

// A device that is set need be no port.
bool is_port(const Port &port)
{
    return port.workers > 0;
}

void print(Text &text, const Port &port)
{
    text.print("{}:", text.paint(Colour::strong, printable(port.name)));
    if (is_port(port))
        text.print(" {}", text.paint(colour_of(port.state), name(port.state)));
    if (port.kind != PortKind::none)
        text.print(" ({})", name(port.kind));
    text.print("  used by {}", plural(port.users, "flowtable"));
    if (!port.driver.empty())
        text.print("  driver {}", printable(port.driver));
    if (port.block != Block::by_default)
        text.print("  block {}", name(port.block));
    text.print("\n");
    if (!is_port(port))
        return;
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

// What may happen, where the driver is allowed although it is not known to be
// right.
std::string warning_of(const Port &port)
{
    if (port.harm.empty())
        return {};
    return fmt::format(
        "The driver {} {}: packets of its flows may be sent to wrong places or "
        "be lost. To take them out of the NIC again: nft-offload port set {} "
        "block default",
        port.driver, port.harm, port.name);
}

Outcome run_set(Context &context)
{
    const auto block = from_name<Block>(*context.args.get("block"));
    const auto device = find_device(*context.args.get("device"));
    if (!device)
        return fail(device.error());
    auto client = context.system.client();
    if (!client)
        return fail(client.error());
    const auto port = client->set_port(*device, {.block = *block});
    if (!port)
        return fail(port.error());
    const auto warning = warning_of(*port);
    if (!context.json) {
        print(context.text, *port);
        if (!warning.empty())
            context.text.print("{}\n", printable(warning));
        return Exit::ok;
    }
    const auto object = context.json->object("port");
    put(*context.json, *port);
    if (!warning.empty())
        context.json->member("warning", warning);
    return Exit::ok;
}

std::vector<std::string_view> blocks()
{
    return {"default", "on", "off", "force"};
}

} // namespace

Verb port_set_verb()
{
    return {
        "port",
        "set",
        "Say whether a driver may be given flows as rules of tc flower",
        "By default, a driver that takes no flowtables is given flows if it "
        "is known to\ncarry them out right. \"on\" is for one that is not "
        "known, \"force\" also for one\nthat is known to do something "
        "else; packets may be lost then.",
        {{Param::Kind::operand, "device", "DEV", "the device", nullptr, true},
         {Param::Kind::pair, "block", "SWITCH",
          "whether its driver may be given them", blocks, true}},
        run_set};
}

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

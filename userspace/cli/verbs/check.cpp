// SPDX-License-Identifier: GPL-2.0
#include <algorithm>
#include <array>
#include <set>

#include "check/checks.hpp"
#include "context.hpp"
#include "verbs/verbs.hpp"

namespace nfto::cli {
namespace {

// So many flows are looked at for devices that no flowtable names.
constexpr std::size_t enough_flows = 1000;

constexpr std::array<std::string_view, 4> level_names{"ok", "warning",
                                                      "unknown", "problem"};

Exit exit_of(const Findings &findings)
{
    auto worst = Level::ok;
    for (const auto &finding : findings)
        worst = std::max(worst, finding.level);
    switch (worst) {
    case Level::ok:
        return Exit::ok;
    case Level::warning:
        return Exit::warnings;
    case Level::unknown:
        return Exit::unknown;
    case Level::problem:
        break;
    }
    return Exit::will_not_work;
}

// Not there is not asked: the answer would be the same for all of the system.
std::vector<std::string> strays_of(Client &client, Devices &devices)
{
    std::set<std::string> names;
    std::size_t seen = 0;
    Filter filter;

    filter.reason = Reason::no_port;
    // Without CAP_NET_ADMIN there are none to be seen, and the ruleset says so.
    (void)client.flows(filter, [&](const Flow &flow) {
        for (const auto *direction : {&flow.dir_orig, &flow.dir_reply})
            if (direction->reason == Reason::no_port)
                names.insert(devices.shown(direction->in_ifindex));
        return ++seen < enough_flows;
    });
    return {names.begin(), names.end()};
}

World look(Context &context)
{
    auto client = context.system.client();
    World world{context.system.files,
                client.map([](const Client &one) { return one.info(); }),
                {},
                {},
                context.system.ruleset(),
                context.system.links(),
                {},
                {}};

    if (client) {
        world.flowtables =
            client->flowtables().value_or(std::vector<Flowtable>());
        world.ports = client->ports().value_or(std::vector<Port>());
        world.strays = strays_of(*client, context.devices);
    }
    for (const auto device : context.args.all("dev"))
        world.devices.emplace_back(device);
    return world;
}

Colour colour_of(Level level) noexcept
{
    switch (level) {
    case Level::ok:
        return Colour::good;
    case Level::warning:
    case Level::unknown:
        return Colour::middling;
    case Level::problem:
        break;
    }
    return Colour::bad;
}

std::string_view conclusion(Exit exit) noexcept
{
    switch (exit) {
    case Exit::ok:
        return "Hardware offload works here.";
    case Exit::warnings:
        return "Hardware offload works here, with the warnings above.";
    case Exit::unknown:
        return "Not everything could be found out.";
    default:
        return "Hardware offload does not work here; see the problems above.";
    }
}

void print(Text &text, const Finding &finding)
{
    const auto level = name(finding.level);
    text.print("{}{:{}}  {}{}\n", text.paint(colour_of(finding.level), level),
               "", level_names[1].size() - level.size(),
               finding.subject.empty() ? "" : printable(finding.subject) + ": ",
               printable(finding.text));
    if (!finding.todo.empty())
        text.print("{:9}{}\n", "", printable(finding.todo));
}

void put(Json &json, const Finding &finding)
{
    const auto object = json.object();
    json.member("check", finding.check);
    if (!finding.subject.empty())
        json.member("subject", finding.subject);
    json.member("result", name(finding.level));
    json.member("text", finding.text);
    if (!finding.todo.empty())
        json.member("todo", finding.todo);
}

void put(Json &json, const Findings &findings, Exit exit)
{
    json.member("exit", static_cast<int>(exit));
    const auto array = json.array("checks");
    for (const auto &finding : findings)
        put(json, finding);
}

Outcome run(Context &context)
{
    const auto findings = check_all(look(context));
    const auto exit = exit_of(findings);

    if (context.json) {
        put(*context.json, findings, exit);
    } else {
        for (const auto &finding : findings)
            print(context.text, finding);
        context.text.print("{}\n", conclusion(exit));
    }
    return exit;
}

} // namespace

std::string_view name(Level level) noexcept
{
    return level_names.at(static_cast<std::size_t>(level));
}

Findings check_all(const World &world)
{
    Findings findings;

    check_kernel(world, findings);
    check_module(world, findings);
    check_modprobe(world, findings);
    check_provider(world, findings);
    check_forwarding(world, findings);
    check_accounting(world, findings);
    check_ruleset(world, findings);
    check_devices(world, findings);
    return findings;
}

Verb check_verb()
{
    return {
        "check",
        "",
        "Whether hardware offload will work here, and why not",
        "It changes nothing, and works before anything is set up. It looks at "
        "the\ndevices named, or else at those of all flowtables. The exit "
        "status is 0, 10 (it\nworks, with warnings), 11 (it will not work) "
        "or 12 (not everything is known).",
        {{.kind = Param::Kind::operand,
          .name = "dev",
          .value = "DEV",
          .help = "devices to look at",
          .repeat = true}},
        run};
}

} // namespace nfto::cli

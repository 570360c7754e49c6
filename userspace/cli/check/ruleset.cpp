// SPDX-License-Identifier: GPL-2.0
// The ruleset's flowtables, and who provides them.
#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "check/checks.hpp"

namespace nfto::cli {
namespace {

std::string name_of(const RulesetFlowtable &flowtable)
{
    return fmt::format("{} {} {}", family_name(flowtable.family),
                       flowtable.table, flowtable.name);
}

bool is_ours(const World &world, const RulesetFlowtable &flowtable)
{
    return std::any_of(world.flowtables.begin(), world.flowtables.end(),
                       [&](const Flowtable &one) {
                           return one.family == flowtable.family &&
                                  one.table == flowtable.table &&
                                  one.name == flowtable.name;
                       });
}

bool has_rule(const Ruleset &ruleset, const RulesetFlowtable &flowtable)
{
    return std::any_of(ruleset.rules.begin(), ruleset.rules.end(),
                       [&](const FlowRule &rule) {
                           return rule.family == flowtable.family &&
                                  rule.table == flowtable.table &&
                                  rule.flowtable == flowtable.name;
                       });
}

void check_flowtable(const World &world, const RulesetFlowtable &flowtable,
                     Findings &findings)
{
    const auto subject = name_of(flowtable);
    const auto before = findings.size();
    const auto add = [&](Level level, std::string text, std::string todo) {
        findings.push_back(
            {"flowtable", subject, level, std::move(text), std::move(todo)});
    };

    if (world.module && !is_ours(world, flowtable))
        add(Level::problem,
            "The kernel's own path provides it, because it was created before "
            "nft_offload was loaded.",
            "Load the ruleset again: systemctl restart nftables");
    if (!has_rule(*world.ruleset, flowtable))
        add(Level::problem,
            fmt::format(
                "No rule has \"flow add @{}\", so it gets no connections.",
                flowtable.name),
            fmt::format("nft add rule {} {} CHAIN meta l4proto '{{ tcp, udp "
                        "}}' "
                        "flow add @{}, with CHAIN in the forward hook",
                        family_name(flowtable.family), flowtable.table,
                        flowtable.name));
    if (flowtable.devices.empty())
        add(Level::problem, "It has no devices.",
            fmt::format("nft add flowtable {} '{{ devices = {{ DEV }} ; }}'",
                        subject));
    if (!flowtable.offload)
        add(Level::warning,
            "It has no \"flags offload\", so its flows stay in software.",
            "Add \"flags offload\" to it and load the ruleset again.");
    if (!flowtable.counter)
        add(Level::warning,
            "It has no \"counter\", so the packets of its flows are not counted.",
            "Add \"counter\" to it and load the ruleset again.");
    if (findings.size() == before)
        add(Level::ok,
            fmt::format(
                "It has the devices {}, and a rule adds connections to it.",
                fmt::join(flowtable.devices, ", ")),
            {});
}

Finding unreadable(const Error &error)
{
    if (error.code == EPERM || error.code == EACCES)
        return {"ruleset",
                {},
                Level::unknown,
                "Only root can read the ruleset.",
                "sudo nft-offload check"};
    if (error.code == EOPNOTSUPP || error.code == EPROTONOSUPPORT ||
        error.code == EINVAL)
        return {"ruleset",
                {},
                Level::problem,
                "This kernel has no nf_tables, or has not loaded it.",
                "modprobe nf_tables"};
    return {"ruleset",
            {},
            Level::unknown,
            error.message() + ".",
            "nft list ruleset"};
}

} // namespace

void check_ruleset(const World &world, Findings &findings)
{
    if (!world.ruleset) {
        findings.push_back(unreadable(world.ruleset.error()));
        return;
    }
    if (world.ruleset->flowtables.empty())
        findings.push_back({"ruleset",
                            {},
                            Level::warning,
                            "There is no flowtable yet.",
                            "nft-offload enable DEV..."});
    for (const auto &flowtable : world.ruleset->flowtables)
        check_flowtable(world, flowtable, findings);
    if (!world.strays.empty())
        findings.push_back({"flows",
                            {},
                            Level::warning,
                            fmt::format("Flows arrive at {}, which no "
                                        "flowtable names.",
                                        fmt::join(world.strays, ", ")),
                            "Add them to the flowtable's devices."});
}

} // namespace nfto::cli

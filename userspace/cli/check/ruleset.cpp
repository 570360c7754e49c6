// SPDX-License-Identifier: GPL-2.0
// The ruleset's flowtables, and who provides them.
#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "check/checks.hpp"

namespace nfto::cli {
namespace {

std::string name_of(const Flowtable &flowtable)
{
    return fmt::format("{} {} {}", family_name(flowtable.family),
                       flowtable.table, flowtable.name);
}

bool is_ours(const World &world, const Flowtable &flowtable)
{
    return std::any_of(world.tables.begin(), world.tables.end(),
                       [&](const Table &table) {
                           return table.family == flowtable.family &&
                                  table.table == flowtable.table &&
                                  table.name == flowtable.name;
                       });
}

bool has_rule(const Ruleset &ruleset, const Flowtable &flowtable)
{
    return std::any_of(ruleset.rules.begin(), ruleset.rules.end(),
                       [&](const FlowRule &rule) {
                           return rule.family == flowtable.family &&
                                  rule.table == flowtable.table &&
                                  rule.flowtable == flowtable.name;
                       });
}

void check_flowtable(const World &world, const Flowtable &flowtable,
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
            "It is the kernel's own: it was made before nft_offload was there.",
            "Load the ruleset anew: systemctl restart nftables");
    if (!has_rule(*world.ruleset, flowtable))
        add(Level::problem,
            fmt::format("No rule has \"flow add @{}\": it gets no connections.",
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
            "It has no \"flags offload\": its flows stay in software.",
            "Add \"flags offload\" to it and load the ruleset anew.");
    if (!flowtable.counter)
        add(Level::warning,
            "It has no \"counter\": what its flows carry is not counted.",
            "Add \"counter\" to it and load the ruleset anew.");
    if (findings.size() == before)
        add(Level::ok,
            fmt::format("Of {}; a rule adds connections to it.",
                        fmt::join(flowtable.devices, ", ")),
            {});
}

Finding unreadable(const Error &error)
{
    if (error.code == EPERM || error.code == EACCES)
        return {"ruleset",
                {},
                Level::unknown,
                "The ruleset can be read by root alone.",
                "sudo nft-offload check"};
    if (error.code == EOPNOTSUPP || error.code == EPROTONOSUPPORT ||
        error.code == EINVAL)
        return {"ruleset",
                {},
                Level::problem,
                "There is no nf_tables here.",
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
                            "Add it to the flowtable's devices."});
}

} // namespace nfto::cli

// SPDX-License-Identifier: GPL-2.0
#include "verbs/verbs.hpp"

#include <array>

namespace nfto::cli {
namespace {

struct Summary {
    std::string_view object;
    std::string_view text;
};

/// Of objects with commands; others are told by their verb.
constexpr std::array<Summary, 5> summaries{{
    {"flow", "Connections that the fast path forwards"},
    {"port", "Devices that may take flows"},
    {"flowtable", "Flowtables that the module provides"},
    {"stats", "Totals of the network namespace"},
    {"refusal", "Connections that did not become flows"},
}};

} // namespace

std::span<const Verb> verbs()
{
    static const std::vector<Verb> table{
        status_verb(),        flow_show_verb(),  flow_count_verb(),
        flow_delete_verb(),   flow_flush_verb(), flow_revalidate_verb(),
        port_show_verb(),     port_set_verb(),   flowtable_show_verb(),
        flowtable_set_verb(), stats_show_verb(), refusal_show_verb(),
        explain_verb(),       top_verb(),        monitor_verb(),
        check_verb(),         probe_verb(),      enable_verb(),
        disable_verb(),       help_verb(),       version_verb(),
    };
    return table;
}

std::string_view object_summary(std::string_view object) noexcept
{
    for (const Summary &summary : summaries)
        if (summary.object == object)
            return summary.text;
    for (const Verb &verb : verbs())
        if (verb.object == object)
            return verb.summary;
    return {};
}

} // namespace nfto::cli

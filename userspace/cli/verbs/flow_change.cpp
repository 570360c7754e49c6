// SPDX-License-Identifier: GPL-2.0
#include "verbs/flow_common.hpp"
#include "verbs/verbs.hpp"
#include "view/view.hpp"

namespace nfto::cli {
namespace {

struct Ready {
    Client client;
    FlowQuery query;
};

tl::expected<Ready, Problem> prepare(Context &context)
{
    auto client = context.system.client();
    if (!client)
        return fail(client.error());
    auto query = query_of(context.args, *client);
    if (!query)
        return fail(query.error());
    return Ready{std::move(*client), *query};
}

bool has_filter(const Arguments &args)
{
    for (const Param &param : filter_params())
        if (args.has(param.name))
            return true;
    return false;
}

void print(Context &context, const Counts &counts)
{
    if (!context.json) {
        context.text.print(
            "{}: {} in hardware, {} half, {} waiting, {} in software\n",
            plural(counts.flows, "flow"), counts.hardware, counts.half,
            counts.waiting, counts.software);
        return;
    }
    const auto object = context.json->object("count");
    put(*context.json, counts);
}

void print(Context &context, const Changed &changed, bool offers)
{
    if (!context.json) {
        context.text.print("{}: {} ended", plural(changed.flows, "flow"),
                           changed.ended);
        if (offers)
            context.text.print(", {} offered again", changed.offered);
        context.text.print("\n");
        return;
    }
    const auto object = context.json->object("changed");
    context.json->member("flows", changed.flows);
    context.json->member("ended", changed.ended);
    if (offers)
        context.json->member("offered", changed.offered);
}

Outcome run_count(Context &context)
{
    auto ready = prepare(context);
    if (!ready)
        return fail(ready.error());
    const auto counts = ready->client.count(ready->query.filter);
    if (!counts)
        return fail(flow_problem(counts.error()));
    print(context, *counts);
    return Exit::ok;
}

Outcome end_flows(Context &context)
{
    auto ready = prepare(context);
    if (!ready)
        return fail(ready.error());
    const auto changed = ready->query.id
                             ? ready->client.end_flow(*ready->query.id)
                             : ready->client.end_flows(ready->query.filter);
    if (!changed)
        return fail(flow_problem(changed.error()));
    print(context, *changed, false);
    return Exit::ok;
}

Outcome run_delete(Context &context)
{
    // A filter that somebody forgot must not end all flows.
    if (!has_filter(context.args))
        return fail(wrong_usage("'flow delete' needs a filter.",
                                "To end all flows: nft-offload flow flush"));
    return end_flows(context);
}

Outcome run_revalidate(Context &context)
{
    auto ready = prepare(context);
    if (!ready)
        return fail(ready.error());
    const auto changed = ready->query.id
                             ? ready->client.revalidate_flow(*ready->query.id)
                             : ready->client.revalidate(ready->query.filter);
    if (!changed)
        return fail(flow_problem(changed.error()));
    print(context, *changed, true);
    return Exit::ok;
}

/// An id is one flow, which need not be counted.
std::vector<Param> count_params()
{
    std::vector<Param> params = filter_params();
    std::erase_if(params,
                  [](const Param &param) { return param.name == "id"; });
    return params;
}

} // namespace

Verb flow_count_verb()
{
    return {"flow",
            "count",
            "How many flows there are, and where",
            "All that is given must be true of a flow.",
            count_params(),
            run_count};
}

Verb flow_delete_verb()
{
    return {"flow",
            "delete",
            "End the flows that a filter chooses",
            "The connections continue in the slow path, where their next "
            "packets may begin\nnew flows.",
            filter_params(),
            run_delete};
}

Verb flow_flush_verb()
{
    return {"flow",
            "flush",
            "End all flows",
            "The connections continue in the slow path, where their next "
            "packets may begin\nnew flows.",
            {},
            end_flows};
}

Verb flow_revalidate_verb()
{
    return {"flow",
            "revalidate",
            "Check flows again: routes, neighbours, refusals of drivers",
            "Flows whose route or neighbour is not valid any more end. What a "
            "driver has\nrefused is offered to it again. Without a filter, all "
            "flows are checked.",
            filter_params(),
            run_revalidate};
}

} // namespace nfto::cli

// SPDX-License-Identifier: GPL-2.0
#include "context.hpp"
#include "verbs/verbs.hpp"
#include "view/view.hpp"

namespace nfto::cli {
namespace {

Outcome run(Context &context)
{
    std::optional<Reason> reason;
    if (const auto word = context.args.get("reason"))
        reason = from_name<Reason>(*word);
    auto client = context.system.client();
    if (!client)
        return fail(client.error());
    const auto refusals = client->refusals(reason);
    if (!refusals)
        return fail(refusals.error());
    if (!context.json) {
        for (const Refusal &refusal : *refusals)
            print_refusal(context.text, context.devices, refusal);
        return Exit::ok;
    }
    const auto array = context.json->array("refusals");
    for (const Refusal &refusal : *refusals) {
        const auto object = context.json->object();
        put(*context.json, context.devices, refusal);
    }
    return Exit::ok;
}

} // namespace

Verb refusal_show_verb()
{
    return {"refusal",
            "show",
            "Connections that did not become flows, and why",
            "Each processor remembers its last refusals, with the time of the "
            "last attempt.\nWhat a driver has refused is a flow nevertheless: "
            "nft-offload flow show reason\nrefused",
            {{Param::Kind::pair, "reason", "REASON", "only for this reason",
              refusal_reasons}},
            run};
}

} // namespace nfto::cli

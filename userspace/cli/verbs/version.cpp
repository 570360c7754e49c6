// SPDX-License-Identifier: GPL-2.0
#include "context.hpp"
#include "verbs/verbs.hpp"

namespace nfto::cli {
namespace {

Outcome run(Context &context)
{
    if (context.json) {
        context.json->member("tool_version", NFTO_VERSION);
        context.json->member("abi_version", abi_version);
    } else {
        context.text.print("nft-offload {} (netlink ABI {})\n", NFTO_VERSION,
                           abi_version);
    }
    return Exit::ok;
}

} // namespace

Verb version_verb()
{
    return {"version",
            "",
            "The version of this tool",
            "The version of the module is in \"nft-offload status\".",
            {},
            run};
}

} // namespace nfto::cli

// SPDX-License-Identifier: GPL-2.0
// What nf_tables says of a small ruleset.
#pragma once

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "bytes.hpp"

namespace samples {

using namespace bytes;

inline constexpr std::uint8_t inet = 1;

inline Buffer nf(std::uint8_t type, const Buffer &attrs,
                 std::uint16_t flags = 2)
{
    Buffer payload;
    put(payload, inet);
    put(payload, std::uint8_t{0});
    put(payload, std::uint16_t{0});
    put(payload, attrs);
    return message(static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type),
                   flags, payload);
}

inline Buffer generation(std::uint32_t number)
{
    return nf(NFT_MSG_NEWGEN, be(NFTA_GEN_ID, number), 0);
}

inline Buffer flowtable()
{
    return nf(
        NFT_MSG_NEWFLOWTABLE,
        join({str(NFTA_FLOWTABLE_TABLE, "t"), str(NFTA_FLOWTABLE_NAME, "ft"),
              nest(NFTA_FLOWTABLE_HOOK,
                   {be(NFTA_FLOWTABLE_HOOK_NUM, std::uint32_t{0}),
                    be(NFTA_FLOWTABLE_HOOK_PRIORITY, std::uint32_t{0xfffffffb}),
                    nest(NFTA_FLOWTABLE_HOOK_DEVS,
                         {str(NFTA_DEVICE_NAME, "eth0"),
                          str(NFTA_DEVICE_NAME, "eth1")})}),
              be(NFTA_FLOWTABLE_FLAGS, std::uint32_t{NFT_FLOWTABLE_HW_OFFLOAD |
                                                     NFT_FLOWTABLE_COUNTER})}));
}

inline Buffer chain()
{
    return nf(NFT_MSG_NEWCHAIN,
              join({str(NFTA_CHAIN_TABLE, "t"), str(NFTA_CHAIN_NAME, "forward"),
                    nest(NFTA_CHAIN_HOOK,
                         {be(NFTA_HOOK_HOOKNUM, std::uint32_t{2}),
                          be(NFTA_HOOK_PRIORITY, std::uint32_t{0})})}));
}

inline Buffer expression(std::string_view name, const Buffer &data)
{
    return nest(NFTA_LIST_ELEM,
                {str(NFTA_EXPR_NAME, name), nest(NFTA_EXPR_DATA, {data})});
}

inline Buffer rule(std::string_view chain_name)
{
    return nf(
        NFT_MSG_NEWRULE,
        join({str(NFTA_RULE_TABLE, "t"), str(NFTA_RULE_CHAIN, chain_name),
              be(NFTA_RULE_HANDLE, std::uint64_t{7}),
              nest(NFTA_RULE_EXPRESSIONS,
                   {expression("from_the_future", be(1, std::uint32_t{1})),
                    expression("flow_offload",
                               str(NFTA_FLOW_TABLE_NAME, "ft"))})}));
}

} // namespace samples

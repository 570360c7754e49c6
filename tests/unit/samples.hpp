// SPDX-License-Identifier: GPL-2.0
// Each object as the module sends it, with everything that it may have.
#pragma once

#include <linux/genetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/nfto.h>

#include "bytes.hpp"

namespace samples {

using namespace bytes;

inline Buffer info(std::uint32_t abi = NFTO_ABI_VERSION)
{
    return join(
        {str(NFTO_A_INFO_VERSION, "0.1.0"), u32(NFTO_A_INFO_ABI_VERSION, abi)});
}

inline Buffer group(std::uint16_t number, std::string_view name,
                    std::uint32_t id)
{
    return nest(number, {u32(CTRL_ATTR_MCAST_GRP_ID, id),
                         str(CTRL_ATTR_MCAST_GRP_NAME, name)});
}

inline Buffer family_attrs()
{
    return join({str(CTRL_ATTR_FAMILY_NAME, "nfto"),
                 u16(CTRL_ATTR_FAMILY_ID, family), u32(CTRL_ATTR_VERSION, 1),
                 u32(CTRL_ATTR_HDRSIZE, 0), u32(CTRL_ATTR_MAXATTR, 0),
                 nest(CTRL_ATTR_MCAST_GROUPS,
                      {group(1, "flows", 11), group(2, "ports", 12),
                       group(3, "refusals", 13)})});
}

inline Buffer port()
{
    return join(
        {u32(NFTO_A_PORT_IFINDEX, 3), str(NFTO_A_PORT_NAME, "lan"),
         u32(NFTO_A_PORT_STATE, NFTO_PORT_STATE_BOUND),
         u32(NFTO_A_PORT_KIND, NFTO_PORT_KIND_FLOWER),
         u32(NFTO_A_PORT_ERRNO, 95), str(NFTO_A_PORT_WHY, "no offload here"),
         u32(NFTO_A_PORT_USERS, 2), u32(NFTO_A_PORT_IN_HARDWARE, 100),
         u32(NFTO_A_PORT_FULL_AT, 4096), u32(NFTO_A_PORT_QUEUED, 7),
         u32(NFTO_A_PORT_WORKERS, 4), u64(NFTO_A_PORT_ACCEPTED, 1000),
         u64(NFTO_A_PORT_REFUSED, 1001), u64(NFTO_A_PORT_REMOVED, 1002),
         u64(NFTO_A_PORT_STUCK, 1003), u64(NFTO_A_PORT_QUERIES, 1004),
         u64(NFTO_A_PORT_LOST, 1005), u64(NFTO_A_PORT_PACKETS, 0x100000001),
         u64(NFTO_A_PORT_BYTES, 0x200000002)});
}

inline Buffer reason_count(int type, std::uint32_t reason, std::uint64_t count)
{
    return nest(type, {u32(NFTO_A_REASON_COUNT_REASON, reason),
                       u64(NFTO_A_REASON_COUNT_COUNT, count)});
}

inline Buffer module_flowtable()
{
    return join(
        {u32(NFTO_A_FLOWTABLE_ID, 5), str(NFTO_A_FLOWTABLE_NAME, "ft"),
         str(NFTO_A_FLOWTABLE_TABLE, "filter"), u32(NFTO_A_FLOWTABLE_FAMILY, 1),
         u32(NFTO_A_FLOWTABLE_PRIORITY, static_cast<std::uint32_t>(-10)),
         flag(NFTO_A_FLOWTABLE_OFFLOAD), flag(NFTO_A_FLOWTABLE_COUNTER),
         u32(NFTO_A_FLOWTABLE_FLOWS, 50), u64(NFTO_A_FLOWTABLE_PACKETS, 51),
         u64(NFTO_A_FLOWTABLE_BYTES, 52), u32(NFTO_A_FLOWTABLE_DEVICES, 3),
         u32(NFTO_A_FLOWTABLE_DEVICES, 4),
         reason_count(NFTO_A_FLOWTABLE_REASONS, NFTO_REASON_NO_FLOW, 9),
         reason_count(NFTO_A_FLOWTABLE_REASONS, NFTO_REASON_EXPIRED, 10),
         u8(NFTO_A_FLOWTABLE_FOLLOW_RULESET, 0)});
}

inline Buffer tuple(int type, std::uint32_t last_byte, std::uint16_t sport,
                    std::uint16_t dport)
{
    return nest(type, {u8(NFTO_A_TUPLE_L4PROTO, 6),
                       raw(NFTO_A_TUPLE_SRC, {10, 1, 0, last_byte}),
                       raw(NFTO_A_TUPLE_DST, {10, 2, 0, 2}),
                       u16(NFTO_A_TUPLE_SPORT, sport),
                       u16(NFTO_A_TUPLE_DPORT, dport)});
}

inline Buffer tuple6(int type)
{
    return nest(type, {u8(NFTO_A_TUPLE_L4PROTO, 47),
                       raw(NFTO_A_TUPLE_SRC,
                           {0xfd, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}),
                       raw(NFTO_A_TUPLE_DST, {0xfd, 2, 0, 0, 0, 0, 0, 0, 0, 0,
                                              0, 0, 0, 0, 0, 2})});
}

inline Buffer encap(std::uint16_t proto, std::uint16_t id)
{
    return nest(NFTO_A_DIR_ENCAP,
                {u16(NFTO_A_ENCAP_PROTO, proto), u16(NFTO_A_ENCAP_ID, id)});
}

inline Buffer full_dir(int type)
{
    return nest(
        type,
        {u32(NFTO_A_DIR_IN_IFINDEX, 3), u32(NFTO_A_DIR_OUT_IFINDEX, 4),
         u32(NFTO_A_DIR_ROUTE_IFINDEX, 9),
         raw(NFTO_A_DIR_MAC, {2, 0, 0, 0, 1, 0xfe}),
         raw(NFTO_A_DIR_NEXT_HOP, {10, 2, 0, 254}), encap(0x88a8, 100),
         encap(0x8100, 200), u32(NFTO_A_DIR_MTU, 1500),
         u32(NFTO_A_DIR_HW, NFTO_HW_ADDING),
         u32(NFTO_A_DIR_REASON, NFTO_REASON_BUSY), u32(NFTO_A_DIR_ERRNO, 16),
         str(NFTO_A_DIR_WHY, "firmware is busy"), u32(NFTO_A_DIR_TRIES, 3),
         u64(NFTO_A_DIR_COOKIE, 0xffff888012345),
         u64(NFTO_A_DIR_HW_PACKETS, 21), u64(NFTO_A_DIR_HW_BYTES, 22),
         u64(NFTO_A_DIR_SW_PACKETS, 23), u64(NFTO_A_DIR_SW_BYTES, 24)});
}

/// What there is always.
inline Buffer short_dir(int type)
{
    return nest(type,
                {u32(NFTO_A_DIR_IN_IFINDEX, 4), u32(NFTO_A_DIR_OUT_IFINDEX, 3),
                 u32(NFTO_A_DIR_ROUTE_IFINDEX, 3), u32(NFTO_A_DIR_MTU, 1400),
                 u32(NFTO_A_DIR_HW, NFTO_HW_OUT),
                 u32(NFTO_A_DIR_REASON, NFTO_REASON_NO_PORT),
                 u32(NFTO_A_DIR_TRIES, 0)});
}

inline Buffer full_flow(std::uint64_t id = 77)
{
    return join(
        {u64(NFTO_A_FLOW_ID, id), u32(NFTO_A_FLOW_FLOWTABLE, 5),
         u32(NFTO_A_FLOW_NAT, NFTO_NAT_SOURCE), u32(NFTO_A_FLOW_MARK, 42),
         u32(NFTO_A_FLOW_CT_ID, 0xdeadbeef), u32(NFTO_A_FLOW_ZONE, 65535),
         tuple(NFTO_A_FLOW_ORIG, 2, 4000, 80),
         tuple(NFTO_A_FLOW_REPLY, 3, 80, 4000), u32(NFTO_A_FLOW_IDLE_MS, 250),
         u32(NFTO_A_FLOW_EXPIRES_MS, 29750), full_dir(NFTO_A_FLOW_DIR_ORIG),
         short_dir(NFTO_A_FLOW_DIR_REPLY)});
}

inline Buffer short_flow(std::uint64_t id)
{
    return join({u64(NFTO_A_FLOW_ID, id), u32(NFTO_A_FLOW_FLOWTABLE, 6),
                 tuple6(NFTO_A_FLOW_ORIG), tuple6(NFTO_A_FLOW_REPLY),
                 short_dir(NFTO_A_FLOW_DIR_ORIG),
                 short_dir(NFTO_A_FLOW_DIR_REPLY)});
}

/// What an event of one direction has.
inline Buffer flow_hw(int dir_type)
{
    return join({u64(NFTO_A_FLOW_ID, 77), u32(NFTO_A_FLOW_FLOWTABLE, 5),
                 tuple(NFTO_A_FLOW_ORIG, 2, 4000, 80),
                 nest(dir_type, {u32(NFTO_A_DIR_IN_IFINDEX, 3),
                                 u32(NFTO_A_DIR_HW, NFTO_HW_OUT),
                                 u32(NFTO_A_DIR_REASON, NFTO_REASON_REFUSED),
                                 u32(NFTO_A_DIR_ERRNO, 95),
                                 str(NFTO_A_DIR_WHY, "no such action")})});
}

inline Buffer stats(bool recent = true)
{
    Buffer all =
        join({u32(NFTO_A_STATS_FLOWTABLES, 1), u32(NFTO_A_STATS_PORTS, 2),
              u32(NFTO_A_STATS_FLOWS, 3), u32(NFTO_A_STATS_IN_HARDWARE, 4),
              u64(NFTO_A_STATS_PACKETS, 5), u64(NFTO_A_STATS_BYTES, 6),
              u64(NFTO_A_STATS_HW_PACKETS, 7), u64(NFTO_A_STATS_HW_BYTES, 8),
              reason_count(NFTO_A_STATS_REASONS, NFTO_REASON_TTL, 9)});
    if (recent)
        put(all, join({u32(NFTO_A_STATS_RECENT_MS, 12000),
                       u64(NFTO_A_STATS_RECENT_PACKETS, 11),
                       u64(NFTO_A_STATS_RECENT_BYTES, 12),
                       u64(NFTO_A_STATS_RECENT_HW_PACKETS, 13),
                       u64(NFTO_A_STATS_RECENT_HW_BYTES, 14)}));
    return all;
}

inline Buffer refusal()
{
    return join({u64(NFTO_A_REFUSAL_WHEN_NS, 1700000000000000000),
                 u32(NFTO_A_REFUSAL_COUNT, 8),
                 u32(NFTO_A_REFUSAL_REASON, NFTO_REASON_HELPER),
                 tuple(NFTO_A_REFUSAL_ORIG, 9, 5060, 5061),
                 u32(NFTO_A_REFUSAL_ZONE, 7), u32(NFTO_A_REFUSAL_IFINDEX, 3),
                 u32(NFTO_A_REFUSAL_CPU, 1)});
}

inline Buffer counts()
{
    return join({u32(NFTO_A_COUNT_FLOWS, 10), u32(NFTO_A_COUNT_HARDWARE, 1),
                 u32(NFTO_A_COUNT_HALF, 2), u32(NFTO_A_COUNT_WAITING, 3),
                 u32(NFTO_A_COUNT_SOFTWARE, 4)});
}

inline Buffer changed()
{
    return join({u32(NFTO_A_COUNT_FLOWS, 10), u32(NFTO_A_COUNT_ENDED, 6),
                 u32(NFTO_A_COUNT_OFFERED, 5)});
}

inline Buffer probe_answer()
{
    return join({u32(NFTO_A_PROBE_ACCEPTED, 31), u32(NFTO_A_PROBE_LEFT, 1),
                 u32(NFTO_A_PROBE_STATE, NFTO_PORT_STATE_BOUND),
                 u32(NFTO_A_PROBE_KIND, NFTO_PORT_KIND_FLOWTABLE),
                 u32(NFTO_A_PROBE_ERRNO, 28), str(NFTO_A_PROBE_WHY, "full"),
                 u32(NFTO_A_PROBE_REASON, NFTO_REASON_FULL),
                 flag(NFTO_A_PROBE_COUNTS)});
}

// --- conntrack ---

inline Buffer ct_tuple(int type, std::uint32_t src, std::uint32_t dst,
                       std::uint16_t sport, std::uint16_t dport)
{
    return nest(type,
                {nest(CTA_TUPLE_IP, {raw(CTA_IP_V4_SRC, {10, 1, 0, src}),
                                     raw(CTA_IP_V4_DST, {10, 2, 0, dst})}),
                 nest(CTA_TUPLE_PROTO,
                      {u8(CTA_PROTO_NUM, 6), be(CTA_PROTO_SRC_PORT, sport),
                       be(CTA_PROTO_DST_PORT, dport)})});
}

inline Buffer connection()
{
    return join(
        {ct_tuple(CTA_TUPLE_ORIG, 2, 3, 4000, 80),
         ct_tuple(CTA_TUPLE_REPLY, 4, 5, 80, 61000),
         be(CTA_STATUS, std::uint32_t{0x818e}),
         be(CTA_TIMEOUT, std::uint32_t{431999}),
         nest(CTA_PROTOINFO, {nest(CTA_PROTOINFO_TCP,
                                   {u8(CTA_PROTOINFO_TCP_STATE, 3),
                                    u8(CTA_PROTOINFO_TCP_WSCALE_REPLY, 7)})}),
         nest(CTA_HELP, {str(CTA_HELP_NAME, "ftp")}),
         nest(CTA_COUNTERS_ORIG,
              {be(CTA_COUNTERS_PACKETS, std::uint64_t{0x100000001}),
               be(CTA_COUNTERS_BYTES, std::uint64_t{2000})}),
         nest(CTA_COUNTERS_REPLY, {be(CTA_COUNTERS_PACKETS, std::uint64_t{3}),
                                   be(CTA_COUNTERS_BYTES, std::uint64_t{4})}),
         be(CTA_MARK, std::uint32_t{42}), be(CTA_ID, std::uint32_t{0xdeadbeef}),
         be(CTA_USE, std::uint32_t{1}), be(CTA_ZONE, std::uint16_t{7})});
}

} // namespace samples

// SPDX-License-Identifier: GPL-2.0
#include "netlink/parse.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <linux/genetlink.h>
#include <linux/nfto.h>

namespace nfto::netlink {
namespace {

bool get_errno(const Attr &attr, int &value) noexcept
{
    return get_u32_as(attr, value, std::numeric_limits<int>::max());
}

bool get_zone(const Attr &attr, std::uint16_t &value) noexcept
{
    return get_u32_as(attr, value, std::numeric_limits<std::uint16_t>::max());
}

bool get_switch(const Attr &attr, std::optional<bool> &on) noexcept
{
    std::uint8_t value = 0;
    if (!get(attr, value))
        return false;
    on = value != 0;
    return true;
}

bool get(const Attr &attr, std::optional<Mac> &mac) noexcept
{
    if (attr.payload.size() != sizeof(Mac))
        return false;
    mac = load<Mac>(attr.payload);
    return true;
}

// --- what others consist of ---

bool take(const Attr &attr, Tuple &tuple) noexcept
{
    switch (attr.type) {
    case NFTO_A_TUPLE_L4PROTO:
        return get(attr, tuple.l4proto);
    case NFTO_A_TUPLE_SRC:
        return get(attr, tuple.src);
    case NFTO_A_TUPLE_DST:
        return get(attr, tuple.dst);
    case NFTO_A_TUPLE_SPORT:
        return get(attr, tuple.sport);
    case NFTO_A_TUPLE_DPORT:
        return get(attr, tuple.dport);
    default:
        return true;
    }
}

bool get(const Attr &nest, Tuple &tuple)
{
    tuple = Tuple{};
    return for_each(nest.payload,
                    [&](const Attr &attr) { return take(attr, tuple); }) &&
           tuple.src.v6 == tuple.dst.v6;
}

bool get(const Attr &nest, std::optional<Tuple> &tuple)
{
    return get(nest, tuple.emplace());
}

bool take(const Attr &attr, Encap &encap) noexcept
{
    switch (attr.type) {
    case NFTO_A_ENCAP_PROTO:
        return get(attr, encap.proto);
    case NFTO_A_ENCAP_ID:
        return get(attr, encap.id);
    default:
        return true;
    }
}

bool take(const Attr &attr, ReasonCount &count) noexcept
{
    switch (attr.type) {
    case NFTO_A_REASON_COUNT_REASON:
        return get(attr, count.reason);
    case NFTO_A_REASON_COUNT_COUNT:
        return get(attr, count.count);
    default:
        return true;
    }
}

/// One more of those that come several times.
template <typename T> bool append(const Attr &nest, std::vector<T> &list)
{
    T &item = list.emplace_back();
    return for_each(nest.payload,
                    [&](const Attr &attr) { return take(attr, item); });
}

// --- directions ---

bool take_counter(const Attr &attr, Direction &dir) noexcept
{
    switch (attr.type) {
    case NFTO_A_DIR_HW_PACKETS:
        return get(attr, dir.hw_packets);
    case NFTO_A_DIR_HW_BYTES:
        return get(attr, dir.hw_bytes);
    case NFTO_A_DIR_SW_PACKETS:
        return get(attr, dir.sw_packets);
    case NFTO_A_DIR_SW_BYTES:
        return get(attr, dir.sw_bytes);
    default:
        return true;
    }
}

bool take_hardware(const Attr &attr, Direction &dir)
{
    switch (attr.type) {
    case NFTO_A_DIR_HW:
        return get(attr, dir.hw);
    case NFTO_A_DIR_REASON:
        return get(attr, dir.reason);
    case NFTO_A_DIR_ERRNO:
        return get_errno(attr, dir.error);
    case NFTO_A_DIR_WHY:
        return get(attr, dir.why);
    case NFTO_A_DIR_TRIES:
        return get(attr, dir.tries);
    case NFTO_A_DIR_COOKIE:
        return get(attr, dir.cookie);
    default:
        return take_counter(attr, dir);
    }
}

bool take(const Attr &attr, Direction &dir)
{
    switch (attr.type) {
    case NFTO_A_DIR_IN_IFINDEX:
        return get(attr, dir.in_ifindex);
    case NFTO_A_DIR_OUT_IFINDEX:
        return get(attr, dir.out_ifindex);
    case NFTO_A_DIR_ROUTE_IFINDEX:
        return get(attr, dir.route_ifindex);
    case NFTO_A_DIR_MAC:
        return get(attr, dir.mac);
    case NFTO_A_DIR_NEXT_HOP:
        return get(attr, dir.next_hop.emplace());
    case NFTO_A_DIR_ENCAP:
        return append(attr, dir.encap);
    case NFTO_A_DIR_MTU:
        return get(attr, dir.mtu);
    default:
        return take_hardware(attr, dir);
    }
}

/// As new, with the memory that it has.
void clear(Direction &dir)
{
    Direction fresh;
    fresh.why = std::move(dir.why);
    fresh.why.clear();
    fresh.encap = std::move(dir.encap);
    fresh.encap.clear();
    dir = std::move(fresh);
}

bool get(const Attr &nest, Direction &dir)
{
    clear(dir);
    return for_each(nest.payload,
                    [&](const Attr &attr) { return take(attr, dir); });
}

// --- flows ---

bool get_nat(const Attr &attr, Flow &flow) noexcept
{
    std::uint32_t nat = 0;
    if (!get(attr, nat))
        return false;
    flow.snat = (nat & std::uint32_t{NFTO_NAT_SOURCE}) != 0;
    flow.dnat = (nat & std::uint32_t{NFTO_NAT_DESTINATION}) != 0;
    return true;
}

bool take_connection(const Attr &attr, Flow &flow)
{
    switch (attr.type) {
    case NFTO_A_FLOW_ZONE:
        return get_zone(attr, flow.zone);
    case NFTO_A_FLOW_MARK:
        return get(attr, flow.mark);
    case NFTO_A_FLOW_CT_ID:
        return get(attr, flow.ct_id);
    case NFTO_A_FLOW_NAT:
        return get_nat(attr, flow);
    case NFTO_A_FLOW_ORIG:
        return get(attr, flow.orig);
    case NFTO_A_FLOW_REPLY:
        return get(attr, flow.reply);
    default:
        return true;
    }
}

bool take(const Attr &attr, Flow &flow)
{
    switch (attr.type) {
    case NFTO_A_FLOW_ID:
        return get(attr, flow.id);
    case NFTO_A_FLOW_FLOWTABLE:
        return get(attr, flow.flowtable);
    case NFTO_A_FLOW_IDLE_MS:
        return get(attr, flow.idle_ms);
    case NFTO_A_FLOW_EXPIRES_MS:
        return get(attr, flow.expires_ms);
    case NFTO_A_FLOW_DIR_ORIG:
        return get(attr, flow.dir_orig);
    case NFTO_A_FLOW_DIR_REPLY:
        return get(attr, flow.dir_reply);
    case NFTO_A_FLOW_END_REASON:
        return get(attr, flow.end_reason);
    default:
        return take_connection(attr, flow);
    }
}

void clear(Flow &flow)
{
    Flow fresh;
    fresh.dir_orig = std::move(flow.dir_orig);
    fresh.dir_reply = std::move(flow.dir_reply);
    clear(fresh.dir_orig);
    clear(fresh.dir_reply);
    flow = std::move(fresh);
}

/// @param there whether a direction is there
bool take(const Attr &attr, FlowHw &event, bool &there)
{
    switch (attr.type) {
    case NFTO_A_FLOW_ID:
        return get(attr, event.id);
    case NFTO_A_FLOW_FLOWTABLE:
        return get(attr, event.flowtable);
    case NFTO_A_FLOW_ORIG:
        return get(attr, event.orig);
    case NFTO_A_FLOW_DIR_ORIG:
    case NFTO_A_FLOW_DIR_REPLY:
        there = true;
        event.reply = attr.type == NFTO_A_FLOW_DIR_REPLY;
        return get(attr, event.direction);
    default:
        return true;
    }
}

// --- ports, flowtables, totals ---

bool take_counter(const Attr &attr, Port &port) noexcept
{
    switch (attr.type) {
    case NFTO_A_PORT_ACCEPTED:
        return get(attr, port.accepted);
    case NFTO_A_PORT_REFUSED:
        return get(attr, port.refused);
    case NFTO_A_PORT_REMOVED:
        return get(attr, port.removed);
    case NFTO_A_PORT_STUCK:
        return get(attr, port.stuck);
    case NFTO_A_PORT_QUERIES:
        return get(attr, port.queries);
    case NFTO_A_PORT_LOST:
        return get(attr, port.lost);
    case NFTO_A_PORT_PACKETS:
        return get(attr, port.packets);
    case NFTO_A_PORT_BYTES:
        return get(attr, port.bytes);
    default:
        return true;
    }
}

bool take(const Attr &attr, Port &port)
{
    switch (attr.type) {
    case NFTO_A_PORT_IFINDEX:
        return get(attr, port.ifindex);
    case NFTO_A_PORT_NAME:
        return get(attr, port.name);
    case NFTO_A_PORT_STATE:
        return get(attr, port.state);
    case NFTO_A_PORT_KIND:
        return get(attr, port.kind);
    case NFTO_A_PORT_ERRNO:
        return get_errno(attr, port.error);
    case NFTO_A_PORT_WHY:
        return get(attr, port.why);
    case NFTO_A_PORT_USERS:
        return get(attr, port.users);
    case NFTO_A_PORT_IN_HARDWARE:
        return get(attr, port.in_hardware);
    case NFTO_A_PORT_FULL_AT:
        return get(attr, port.full_at);
    case NFTO_A_PORT_QUEUED:
        return get(attr, port.queued);
    case NFTO_A_PORT_WORKERS:
        return get(attr, port.workers);
    case NFTO_A_PORT_DRIVER:
        return get(attr, port.driver);
    case NFTO_A_PORT_BLOCK:
        return get(attr, port.block);
    case NFTO_A_PORT_REASON:
        return get(attr, port.reason);
    case NFTO_A_PORT_HARM:
        return get(attr, port.harm);
    default:
        return take_counter(attr, port);
    }
}

bool take(const Attr &attr, Flowtable &flowtable)
{
    switch (attr.type) {
    case NFTO_A_FLOWTABLE_ID:
        return get(attr, flowtable.id);
    case NFTO_A_FLOWTABLE_NAME:
        return get(attr, flowtable.name);
    case NFTO_A_FLOWTABLE_TABLE:
        return get(attr, flowtable.table);
    case NFTO_A_FLOWTABLE_FAMILY:
        return get(attr, flowtable.family);
    case NFTO_A_FLOWTABLE_PRIORITY:
        return get(attr, flowtable.priority);
    case NFTO_A_FLOWTABLE_OFFLOAD:
        return get_flag(attr, flowtable.offload);
    case NFTO_A_FLOWTABLE_COUNTER:
        return get_flag(attr, flowtable.counter);
    case NFTO_A_FLOWTABLE_DEVICES:
        return get(attr, flowtable.devices.emplace_back());
    case NFTO_A_FLOWTABLE_FLOWS:
        return get(attr, flowtable.flows);
    case NFTO_A_FLOWTABLE_PACKETS:
        return get(attr, flowtable.packets);
    case NFTO_A_FLOWTABLE_BYTES:
        return get(attr, flowtable.bytes);
    case NFTO_A_FLOWTABLE_REASONS:
        return append(attr, flowtable.reasons);
    case NFTO_A_FLOWTABLE_FOLLOW_RULESET:
        return get_switch(attr, flowtable.follow_ruleset);
    default:
        return true;
    }
}

Stats::Recent &recent_of(Stats &stats)
{
    return stats.recent ? *stats.recent : stats.recent.emplace();
}

bool take_recent(const Attr &attr, Stats &stats)
{
    switch (attr.type) {
    case NFTO_A_STATS_RECENT_MS:
        return get(attr, recent_of(stats).ms);
    case NFTO_A_STATS_RECENT_PACKETS:
        return get(attr, recent_of(stats).packets);
    case NFTO_A_STATS_RECENT_BYTES:
        return get(attr, recent_of(stats).bytes);
    case NFTO_A_STATS_RECENT_HW_PACKETS:
        return get(attr, recent_of(stats).hw_packets);
    case NFTO_A_STATS_RECENT_HW_BYTES:
        return get(attr, recent_of(stats).hw_bytes);
    default:
        return true;
    }
}

bool take(const Attr &attr, Stats &stats)
{
    switch (attr.type) {
    case NFTO_A_STATS_FLOWTABLES:
        return get(attr, stats.flowtables);
    case NFTO_A_STATS_PORTS:
        return get(attr, stats.ports);
    case NFTO_A_STATS_FLOWS:
        return get(attr, stats.flows);
    case NFTO_A_STATS_IN_HARDWARE:
        return get(attr, stats.in_hardware);
    case NFTO_A_STATS_PACKETS:
        return get(attr, stats.packets);
    case NFTO_A_STATS_BYTES:
        return get(attr, stats.bytes);
    case NFTO_A_STATS_HW_PACKETS:
        return get(attr, stats.hw_packets);
    case NFTO_A_STATS_HW_BYTES:
        return get(attr, stats.hw_bytes);
    case NFTO_A_STATS_REASONS:
        return append(attr, stats.reasons);
    default:
        return take_recent(attr, stats);
    }
}

bool take(const Attr &attr, Refusal &refusal)
{
    switch (attr.type) {
    case NFTO_A_REFUSAL_WHEN_NS:
        return get(attr, refusal.when_ns);
    case NFTO_A_REFUSAL_COUNT:
        return get(attr, refusal.count);
    case NFTO_A_REFUSAL_REASON:
        return get(attr, refusal.reason);
    case NFTO_A_REFUSAL_ORIG:
        return get(attr, refusal.orig);
    case NFTO_A_REFUSAL_ZONE:
        return get_zone(attr, refusal.zone);
    case NFTO_A_REFUSAL_IFINDEX:
        return get(attr, refusal.ifindex);
    case NFTO_A_REFUSAL_CPU:
        return get(attr, refusal.cpu);
    default:
        return true;
    }
}

// --- what was done ---

bool take(const Attr &attr, Counts &counts) noexcept
{
    switch (attr.type) {
    case NFTO_A_COUNT_FLOWS:
        return get(attr, counts.flows);
    case NFTO_A_COUNT_HARDWARE:
        return get(attr, counts.hardware);
    case NFTO_A_COUNT_HALF:
        return get(attr, counts.half);
    case NFTO_A_COUNT_WAITING:
        return get(attr, counts.waiting);
    case NFTO_A_COUNT_SOFTWARE:
        return get(attr, counts.software);
    default:
        return true;
    }
}

bool take(const Attr &attr, Changed &changed) noexcept
{
    switch (attr.type) {
    case NFTO_A_COUNT_FLOWS:
        return get(attr, changed.flows);
    case NFTO_A_COUNT_ENDED:
        return get(attr, changed.ended);
    case NFTO_A_COUNT_OFFERED:
        return get(attr, changed.offered);
    default:
        return true;
    }
}

bool take(const Attr &attr, ProbeAnswer &answer)
{
    switch (attr.type) {
    case NFTO_A_PROBE_ACCEPTED:
        return get(attr, answer.accepted);
    case NFTO_A_PROBE_LEFT:
        return get(attr, answer.left);
    case NFTO_A_PROBE_STATE:
        return get(attr, answer.state);
    case NFTO_A_PROBE_KIND:
        return get(attr, answer.kind);
    case NFTO_A_PROBE_ERRNO:
        return get_errno(attr, answer.error);
    case NFTO_A_PROBE_WHY:
        return get(attr, answer.why);
    case NFTO_A_PROBE_REASON:
        return get(attr, answer.reason);
    case NFTO_A_PROBE_COUNTS:
        return get_flag(attr, answer.counts);
    default:
        return true;
    }
}

bool take(const Attr &attr, Info &info)
{
    switch (attr.type) {
    case NFTO_A_INFO_VERSION:
        return get(attr, info.version);
    case NFTO_A_INFO_ABI_VERSION:
        return get(attr, info.abi_version);
    default:
        return true;
    }
}

// --- the controller ---

bool parse_group(Bytes attrs, Family &family)
{
    std::string name;
    std::optional<std::uint32_t> id;
    const bool good = for_each(attrs, [&](const Attr &attr) {
        if (attr.type == CTRL_ATTR_MCAST_GRP_NAME)
            return get(attr, name);
        return attr.type != CTRL_ATTR_MCAST_GRP_ID || get(attr, id);
    });
    if (!good || name.empty() || !id)
        return false;
    family.groups[name] = *id;
    return true;
}

bool take(const Attr &attr, Family &family)
{
    if (attr.type == CTRL_ATTR_FAMILY_ID)
        return get(attr, family.id);
    if (attr.type != CTRL_ATTR_MCAST_GROUPS)
        return true;
    return for_each(attr.payload, [&](const Attr &group) {
        return parse_group(group.payload, family);
    });
}

template <typename T> bool parse_all(Bytes attrs, T &object)
{
    return for_each(attrs,
                    [&](const Attr &attr) { return take(attr, object); });
}

// --- events ---

template <typename T, typename Object>
bool parse_event_as(Bytes attrs, Object T::*member, std::optional<Event> &event)
{
    return parse(attrs, event.emplace().emplace<T>().*member);
}

} // namespace

bool get(const Attr &attr, Address &address) noexcept
{
    const std::size_t size = attr.payload.size();
    if (size != 4 && size != 16)
        return false;
    address = Address{};
    address.v6 = size == 16;
    std::memcpy(address.bytes.data(), attr.payload.data(), size);
    return true;
}

bool parse(Bytes attrs, Info &info)
{
    return parse_all(attrs, info);
}

bool parse(Bytes attrs, Port &port)
{
    return parse_all(attrs, port) && port.ifindex != 0;
}

bool parse(Bytes attrs, Flowtable &flowtable)
{
    return parse_all(attrs, flowtable) && flowtable.id != 0;
}

bool parse(Bytes attrs, Flow &flow)
{
    clear(flow);
    return parse_all(attrs, flow) && flow.id != 0;
}

bool parse(Bytes attrs, FlowHw &event)
{
    bool there = false;
    return for_each(
               attrs,
               [&](const Attr &attr) { return take(attr, event, there); }) &&
           event.id != 0 && there;
}

bool parse(Bytes attrs, Stats &stats)
{
    return parse_all(attrs, stats);
}

bool parse(Bytes attrs, Refusal &refusal)
{
    return parse_all(attrs, refusal);
}

bool parse(Bytes attrs, Counts &counts)
{
    return parse_all(attrs, counts);
}

bool parse(Bytes attrs, Changed &changed)
{
    return parse_all(attrs, changed);
}

bool parse(Bytes attrs, ProbeAnswer &answer)
{
    return parse_all(attrs, answer);
}

bool parse(Bytes attrs, Family &family)
{
    return parse_all(attrs, family) && family.id >= NLMSG_MIN_TYPE;
}

bool parse_event(std::uint8_t command, Bytes attrs, std::optional<Event> &event)
{
    switch (command) {
    case NFTO_CMD_FLOW_NEW:
        return parse_event_as(attrs, &FlowNew::flow, event);
    case NFTO_CMD_FLOW_END:
        return parse_event_as(attrs, &FlowEnd::flow, event);
    case NFTO_CMD_FLOW_HW:
        return parse(attrs, event.emplace().emplace<FlowHw>());
    case NFTO_CMD_PORT_CHANGE:
        return parse_event_as(attrs, &PortChange::port, event);
    case NFTO_CMD_REFUSAL_NEW:
        return parse_event_as(attrs, &RefusalNew::refusal, event);
    default:
        event.reset();
        return true;
    }
}

} // namespace nfto::netlink

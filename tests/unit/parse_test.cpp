// SPDX-License-Identifier: GPL-2.0
// Attributes become objects: all of them, none, unknown ones, and wrong ones.
#include <functional>
#include <string>
#include <type_traits>

#include "catch.hpp"
#include "netlink/conntrack.hpp"
#include "netlink/message.hpp"
#include "netlink/parse.hpp"
#include "samples.hpp"

using namespace nfto;
using bytes::Buffer;

namespace {

template <typename T> bool parses(const Buffer &attrs)
{
    T object;
    return netlink::parse(attrs, object);
}

template <typename T> T parsed(const Buffer &attrs)
{
    T object;
    REQUIRE(netlink::parse(attrs, object));
    return object;
}

/// How long what is at a place there says that it is.
std::uint16_t length_at(const Buffer &attrs, std::size_t at)
{
    std::uint16_t length = 0;
    std::memcpy(&length, &attrs[at], sizeof(length));
    return length;
}

std::uint16_t type_at(const Buffer &attrs, std::size_t at)
{
    std::uint16_t type = 0;
    std::memcpy(&type, &attrs[at + 2], sizeof(type));
    return type;
}

Buffer part(const Buffer &attrs, std::size_t from, std::size_t to)
{
    const auto begin = attrs.begin();
    return {begin + static_cast<std::ptrdiff_t>(from),
            begin + static_cast<std::ptrdiff_t>(to)};
}

/// Where the attribute after this one begins.
std::size_t after(const Buffer &attrs, std::size_t at)
{
    return at + ((length_at(attrs, at) + 3U) & ~3U);
}

/// The attributes, that at a place with another number of bytes.
Buffer resized(const Buffer &attrs, std::size_t at, std::size_t size)
{
    Buffer payload = part(attrs, at + 4, at + length_at(attrs, at));
    payload.resize(size);
    return bytes::join({part(attrs, 0, at),
                        bytes::attr_of(type_at(attrs, at), payload),
                        part(attrs, after(attrs, at), attrs.size())});
}

/// The attributes of a level, each with a byte less and a byte more; but for
/// nests, and for texts, which have any length.
template <typename T>
void check_lengths(const Buffer &attrs,
                   const std::function<Buffer(const Buffer &)> &wrap,
                   const std::vector<std::uint16_t> &texts)
{
    REQUIRE(parses<T>(wrap(attrs)));
    for (std::size_t at = 0; at < attrs.size(); at = after(attrs, at)) {
        const std::uint16_t type = type_at(attrs, at);
        const std::size_t size = length_at(attrs, at) - 4U;
        if ((type & bytes::nested) != 0 ||
            std::find(texts.begin(), texts.end(), type) != texts.end())
            continue;
        INFO("attribute " << type << " of " << size << " bytes");
        CHECK_FALSE(parses<T>(wrap(resized(attrs, at, size + 1))));
        if (size > 0)
            CHECK_FALSE(parses<T>(wrap(resized(attrs, at, size - 1))));
    }
}

template <typename T>
void check_lengths(const Buffer &attrs, std::vector<std::uint16_t> texts = {})
{
    check_lengths<T>(
        attrs, [](const Buffer &all) { return all; }, texts);
}

/// Cut off anywhere but between two attributes, it makes no sense.
template <typename T> void check_cut(const Buffer &attrs)
{
    for (std::size_t at = 0; at < attrs.size(); at = after(attrs, at)) {
        for (std::size_t size = 1; size < length_at(attrs, at); ++size) {
            INFO(at + size << " of " << attrs.size() << " bytes");
            CHECK_FALSE(parses<T>(part(attrs, 0, at + size)));
        }
    }
}

/// What a newer module may say changes nothing.
template <typename T> void check_unknown(const Buffer &attrs)
{
    const Buffer unknown =
        bytes::join({bytes::u32(200, 1), bytes::raw(201, {1, 2, 3}),
                     bytes::flag(0x3fff), bytes::nest(202, {bytes::u8(1, 2)})});
    CHECK(parses<T>(bytes::join({unknown, attrs})));
    CHECK(parses<T>(bytes::join({attrs, unknown})));
}

void check_orig(const Tuple &tuple)
{
    CHECK(tuple.l4proto == 6);
    CHECK(tuple.src.text() == "10.1.0.2");
    CHECK(tuple.dst.text() == "10.2.0.2");
    CHECK(tuple.sport == 4000);
    CHECK(tuple.dport == 80);
}

void check_full_dir(const Direction &dir)
{
    CHECK(dir.in_ifindex == 3);
    CHECK(dir.out_ifindex == 4);
    CHECK(dir.route_ifindex == 9);
    REQUIRE(dir.mac);
    CHECK(text(*dir.mac) == "02:00:00:00:01:fe");
    REQUIRE(dir.next_hop);
    CHECK(dir.next_hop->text() == "10.2.0.254");
    CHECK(dir.encap == std::vector<Encap>{{0x88a8, 100}, {0x8100, 200}});
    CHECK(dir.mtu == 1500);
    CHECK(dir.hw == Hw::adding);
    CHECK(dir.reason == Reason::busy);
    CHECK(dir.error == 16);
    CHECK(dir.why == "firmware is busy");
    CHECK(dir.tries == 3);
    CHECK(dir.cookie == 0xffff888012345);
    CHECK(dir.hw_packets == 21);
    CHECK(dir.hw_bytes == 22);
    CHECK(dir.sw_packets == 23);
    CHECK(dir.sw_bytes == 24);
}

void check_short_dir(const Direction &dir)
{
    CHECK(dir.in_ifindex == 4);
    CHECK(dir.mtu == 1400);
    CHECK(dir.hw == Hw::out);
    CHECK(dir.reason == Reason::no_port);
    CHECK_FALSE(dir.mac);
    CHECK_FALSE(dir.next_hop);
    CHECK(dir.encap.empty());
    CHECK(dir.error == 0);
    CHECK(dir.why.empty());
    CHECK_FALSE(dir.cookie);
    CHECK_FALSE(dir.hw_packets);
    CHECK_FALSE(dir.hw_bytes);
    CHECK_FALSE(dir.sw_packets);
    CHECK_FALSE(dir.sw_bytes);
}

} // namespace

TEST_CASE("a flow with all there is")
{
    const auto flow = parsed<Flow>(samples::full_flow());
    CHECK(flow.id == 77);
    CHECK(flow.flowtable == 5);
    CHECK(flow.zone == 65535);
    CHECK(flow.mark == 42);
    CHECK(flow.ct_id == 0xdeadbeef);
    CHECK(flow.snat);
    CHECK_FALSE(flow.dnat);
    check_orig(flow.orig);
    CHECK(flow.reply.src.text() == "10.1.0.3");
    CHECK(flow.reply.sport == 80);
    CHECK(flow.idle_ms == 250);
    CHECK(flow.expires_ms == 29750);
    check_full_dir(flow.dir_orig);
    check_short_dir(flow.dir_reply);
    CHECK_FALSE(flow.end_reason);
    CHECK(flow.state() == FlowState::waiting);
}

TEST_CASE("nothing of one flow is left in the next")
{
    Flow flow;
    REQUIRE(netlink::parse(
        bytes::join({samples::full_flow(),
                     bytes::u32(NFTO_A_FLOW_END_REASON, NFTO_REASON_EXPIRED)}),
        flow));
    CHECK(flow.end_reason == Reason::expired);
    REQUIRE(netlink::parse(samples::short_flow(78), flow));
    CHECK(flow.id == 78);
    CHECK(flow.flowtable == 6);
    CHECK(flow.zone == 0);
    CHECK(flow.mark == 0);
    CHECK(flow.ct_id == 0);
    CHECK_FALSE(flow.snat);
    CHECK(flow.idle_ms == 0);
    CHECK(flow.orig.src.text() == "fd01::2");
    CHECK(flow.orig.l4proto == 47);
    CHECK_FALSE(flow.orig.sport);
    CHECK_FALSE(flow.orig.dport);
    CHECK_FALSE(flow.end_reason);
    check_short_dir(flow.dir_orig);
    check_short_dir(flow.dir_reply);
    REQUIRE(netlink::parse(samples::full_flow(), flow));
    check_full_dir(flow.dir_orig);
}

TEST_CASE("what NAT does is two bits")
{
    const auto flow = parsed<Flow>(bytes::join(
        {bytes::u64(NFTO_A_FLOW_ID, 1), bytes::u32(NFTO_A_FLOW_NAT, 0xfe)}));
    CHECK_FALSE(flow.snat);
    CHECK(flow.dnat);
}

TEST_CASE("a port with all there is, and with nothing")
{
    const auto port = parsed<Port>(samples::port());
    CHECK(port.ifindex == 3);
    CHECK(port.name == "lan");
    CHECK(port.state == PortState::bound);
    CHECK(port.kind == PortKind::flower);
    CHECK(port.error == 95);
    CHECK(port.why == "no offload here");
    CHECK(port.users == 2);
    CHECK(port.in_hardware == 100);
    CHECK(port.full_at == 4096);
    CHECK(port.queued == 7);
    CHECK(port.workers == 4);
    CHECK(port.accepted == 1000);
    CHECK(port.refused == 1001);
    CHECK(port.removed == 1002);
    CHECK(port.stuck == 1003);
    CHECK(port.queries == 1004);
    CHECK(port.lost == 1005);
    CHECK(port.packets == 0x100000001);
    CHECK(port.bytes == 0x200000002);
    const auto bare = parsed<Port>(bytes::u32(NFTO_A_PORT_IFINDEX, 1));
    CHECK(bare.ifindex == 1);
    CHECK(bare.error == 0);
    CHECK(bare.why.empty());
    CHECK_FALSE(bare.full_at);
    CHECK(bare.driver.empty());
    CHECK(bare.block == Block::by_default);
    CHECK(bare.reason == Reason::none);
    const auto driver = parsed<Port>(
        bytes::join({bytes::u32(NFTO_A_PORT_IFINDEX, 1),
                     bytes::str(NFTO_A_PORT_DRIVER, "bnxt_en"),
                     bytes::u32(NFTO_A_PORT_BLOCK, NFTO_BLOCK_FORCE),
                     bytes::u32(NFTO_A_PORT_REASON, NFTO_REASON_DRIVER_UNKNOWN),
                     bytes::str(NFTO_A_PORT_HARM, "does harm")}));
    CHECK(driver.driver == "bnxt_en");
    CHECK(driver.block == Block::force);
    CHECK(driver.reason == Reason::driver_unknown);
    CHECK(driver.harm == "does harm");
}

TEST_CASE("a table with all there is, and one that nftables has deleted")
{
    const auto flowtable = parsed<Flowtable>(samples::module_flowtable());
    CHECK(flowtable.id == 5);
    CHECK(flowtable.name == "ft");
    CHECK(flowtable.table == "filter");
    CHECK(flowtable.family == 1);
    CHECK(flowtable.priority == -10);
    CHECK(flowtable.offload);
    CHECK(flowtable.counter);
    CHECK(flowtable.devices == std::vector<std::uint32_t>{3, 4});
    CHECK(flowtable.flows == 50);
    CHECK(flowtable.packets == 51);
    CHECK(flowtable.bytes == 52);
    REQUIRE(flowtable.reasons.size() == 2);
    CHECK(flowtable.reasons[0].reason == Reason::no_flow);
    CHECK(flowtable.reasons[0].count == 9);
    CHECK(flowtable.reasons[1].reason == Reason::expired);
    CHECK(flowtable.reasons[1].count == 10);
    CHECK(flowtable.follow_ruleset == false);
    CHECK_FALSE(
        parsed<Flowtable>(bytes::u32(NFTO_A_FLOWTABLE_ID, 6)).follow_ruleset);
    const auto bare = parsed<Flowtable>(bytes::u32(NFTO_A_FLOWTABLE_ID, 9));
    CHECK(bare.name.empty());
    CHECK_FALSE(bare.offload);
    CHECK_FALSE(bare.counter);
    CHECK(bare.devices.empty());
    CHECK(bare.reasons.empty());
}

TEST_CASE("totals, with and without what is recent")
{
    const auto stats = parsed<Stats>(samples::stats());
    CHECK(stats.flowtables == 1);
    CHECK(stats.ports == 2);
    CHECK(stats.flows == 3);
    CHECK(stats.in_hardware == 4);
    CHECK(stats.packets == 5);
    CHECK(stats.bytes == 6);
    CHECK(stats.hw_packets == 7);
    CHECK(stats.hw_bytes == 8);
    REQUIRE(stats.reasons.size() == 1);
    CHECK(stats.reasons[0].reason == Reason::ttl);
    REQUIRE(stats.recent);
    CHECK(stats.recent->ms == 12000);
    CHECK(stats.recent->packets == 11);
    CHECK(stats.recent->bytes == 12);
    CHECK(stats.recent->hw_packets == 13);
    CHECK(stats.recent->hw_bytes == 14);
    CHECK_FALSE(parsed<Stats>(samples::stats(false)).recent);
}

TEST_CASE("a refusal, with and without a tuple")
{
    const auto refusal = parsed<Refusal>(samples::refusal());
    CHECK(refusal.when_ns == 1700000000000000000);
    CHECK(refusal.count == 8);
    CHECK(refusal.reason == Reason::helper);
    REQUIRE(refusal.orig);
    CHECK(refusal.orig->src.text() == "10.1.0.9");
    CHECK(refusal.orig->sport == 5060);
    CHECK(refusal.zone == 7);
    CHECK(refusal.ifindex == 3);
    CHECK(refusal.cpu == 1);
    CHECK_FALSE(parsed<Refusal>(bytes::u32(NFTO_A_REFUSAL_COUNT, 1)).orig);
}

TEST_CASE("what was counted, changed, offered")
{
    const auto counts = parsed<Counts>(samples::counts());
    CHECK(counts.flows == 10);
    CHECK(counts.hardware == 1);
    CHECK(counts.half == 2);
    CHECK(counts.waiting == 3);
    CHECK(counts.software == 4);
    const auto changed = parsed<Changed>(samples::changed());
    CHECK(changed.flows == 10);
    CHECK(changed.ended == 6);
    CHECK(changed.offered == 5);
    const auto answer = parsed<ProbeAnswer>(samples::probe_answer());
    CHECK(answer.accepted == 31);
    CHECK(answer.left == 1);
    CHECK(answer.state == PortState::bound);
    CHECK(answer.kind == PortKind::flowtable);
    CHECK(answer.error == 28);
    CHECK(answer.why == "full");
    CHECK(answer.reason == Reason::full);
    CHECK(answer.counts);
    CHECK_FALSE(parsed<ProbeAnswer>(Buffer()).counts);
}

TEST_CASE("the module and its family")
{
    const auto info = parsed<Info>(samples::info());
    CHECK(info.version == "0.1.0");
    CHECK(info.abi_version == 1);
    const auto family = parsed<netlink::Family>(samples::family_attrs());
    CHECK(family.id == bytes::family);
    CHECK(family.groups == std::map<std::string, std::uint32_t>{
                               {"flows", 11}, {"ports", 12}, {"refusals", 13}});
    const auto without = parsed<netlink::Family>(bytes::u16(1, 16));
    CHECK(without.groups.empty());
}

TEST_CASE("an object that is nothing makes no sense")
{
    CHECK_FALSE(parses<Port>({}));
    CHECK_FALSE(parses<Flowtable>({}));
    CHECK_FALSE(parses<Flow>({}));
    CHECK_FALSE(parses<FlowHw>({}));
    CHECK_FALSE(parses<netlink::Family>({}));
    CHECK_FALSE(parses<Flow>(bytes::u64(NFTO_A_FLOW_ID, 0)));
    // A number that is no family's but netlink's own.
    CHECK_FALSE(parses<netlink::Family>(bytes::u16(CTRL_ATTR_FAMILY_ID, 3)));
    CHECK_FALSE(parses<netlink::Family>(bytes::join(
        {bytes::u16(CTRL_ATTR_FAMILY_ID, 33),
         bytes::nest(
             CTRL_ATTR_MCAST_GROUPS,
             {bytes::nest(1, {bytes::u32(CTRL_ATTR_MCAST_GRP_ID, 1)})})})));
    CHECK_FALSE(parses<netlink::Family>(bytes::join(
        {bytes::u16(CTRL_ATTR_FAMILY_ID, 33),
         bytes::nest(CTRL_ATTR_MCAST_GROUPS,
                     {bytes::nest(1, {bytes::str(CTRL_ATTR_MCAST_GRP_NAME,
                                                 "flows")})})})));
    // An event of a direction must have a direction.
    CHECK_FALSE(parses<FlowHw>(bytes::u64(NFTO_A_FLOW_ID, 1)));
}

TEST_CASE("numbers that have no room make no sense")
{
    const Buffer id = bytes::u64(NFTO_A_FLOW_ID, 1);
    CHECK(parses<Flow>(bytes::join({id, bytes::u32(NFTO_A_FLOW_ZONE, 65535)})));
    CHECK_FALSE(
        parses<Flow>(bytes::join({id, bytes::u32(NFTO_A_FLOW_ZONE, 65536)})));
    CHECK(parses<ProbeAnswer>(bytes::u32(NFTO_A_PROBE_ERRNO, 0x7fffffff)));
    CHECK_FALSE(
        parses<ProbeAnswer>(bytes::u32(NFTO_A_PROBE_ERRNO, 0x80000000)));
    CHECK_FALSE(parses<Refusal>(bytes::u32(NFTO_A_REFUSAL_ZONE, 0x10000)));
}

TEST_CASE("values of a newer module are kept")
{
    const auto answer =
        parsed<ProbeAnswer>(bytes::u32(NFTO_A_PROBE_REASON, reason_count + 5));
    CHECK(static_cast<std::uint32_t>(answer.reason) == reason_count + 5);
    CHECK(name(answer.reason) == "unknown");
}

TEST_CASE("texts end at a zero byte, or with the attribute")
{
    const Buffer index = bytes::u32(NFTO_A_PORT_IFINDEX, 1);
    const auto named = [&](const Buffer &attr) {
        return parsed<Port>(bytes::join({index, attr})).name;
    };
    CHECK(named(bytes::raw(NFTO_A_PORT_NAME, {'a', 'b', 0, 'c', 0})) == "ab");
    CHECK(named(bytes::raw(NFTO_A_PORT_NAME, {'a', 'b'})) == "ab");
    CHECK(named(bytes::raw(NFTO_A_PORT_NAME, {})).empty());
}

TEST_CASE("addresses have 4 bytes or 16, both of a tuple as many")
{
    const auto with = [](const Buffer &src, const Buffer &dst) {
        return parses<Refusal>(bytes::nest(NFTO_A_REFUSAL_ORIG, {src, dst}));
    };
    const Buffer src4 = bytes::raw(NFTO_A_TUPLE_SRC, {1, 2, 3, 4});
    const Buffer dst4 = bytes::raw(NFTO_A_TUPLE_DST, {1, 2, 3, 4});
    const Buffer dst16 = bytes::attr_of(NFTO_A_TUPLE_DST, Buffer(16));
    CHECK(with(src4, dst4));
    CHECK_FALSE(with(src4, dst16));
    for (const std::size_t size : {0U, 3U, 5U, 15U, 17U, 32U}) {
        INFO(size);
        CHECK_FALSE(with(bytes::attr_of(NFTO_A_TUPLE_SRC, Buffer(size)), dst4));
    }
}

TEST_CASE("wrong lengths make no sense, unknown attributes do")
{
    check_lengths<Info>(samples::info(), {NFTO_A_INFO_VERSION});
    check_lengths<Port>(samples::port(), {NFTO_A_PORT_NAME, NFTO_A_PORT_WHY});
    check_lengths<Flowtable>(samples::module_flowtable(),
                             {NFTO_A_FLOWTABLE_NAME, NFTO_A_FLOWTABLE_TABLE});
    check_lengths<Flow>(samples::full_flow());
    check_lengths<FlowHw>(samples::flow_hw(NFTO_A_FLOW_DIR_REPLY));
    check_lengths<Stats>(samples::stats());
    check_lengths<Refusal>(samples::refusal());
    check_lengths<Counts>(samples::counts());
    check_lengths<Changed>(bytes::join({bytes::u32(NFTO_A_COUNT_FLOWS, 1),
                                        bytes::u32(NFTO_A_COUNT_ENDED, 1),
                                        bytes::u32(NFTO_A_COUNT_OFFERED, 1)}));
    check_lengths<ProbeAnswer>(samples::probe_answer(), {NFTO_A_PROBE_WHY});
    check_lengths<netlink::Family>(bytes::u16(CTRL_ATTR_FAMILY_ID, 33));

    check_unknown<Info>(samples::info());
    check_unknown<Port>(samples::port());
    check_unknown<Flowtable>(samples::module_flowtable());
    check_unknown<Flow>(samples::full_flow());
    check_unknown<FlowHw>(samples::flow_hw(NFTO_A_FLOW_DIR_REPLY));
    check_unknown<Stats>(samples::stats());
    check_unknown<Refusal>(samples::refusal());
    check_unknown<Counts>(samples::counts());
    check_unknown<Changed>(samples::changed());
    check_unknown<ProbeAnswer>(samples::probe_answer());
    check_unknown<netlink::Family>(samples::family_attrs());
    check_unknown<Connection>(samples::connection());
}

TEST_CASE("wrong lengths in nests make no sense")
{
    const Buffer id = bytes::u64(NFTO_A_FLOW_ID, 1);
    const auto in = [&](int nest) {
        return [&id, nest](const Buffer &attrs) {
            return bytes::join({id, bytes::nest(nest, {attrs})});
        };
    };
    const auto inside = [](const Buffer &nest) {
        return part(nest, 4, nest.size());
    };
    check_lengths<Flow>(inside(samples::tuple(NFTO_A_FLOW_ORIG, 1, 2, 3)),
                        in(NFTO_A_FLOW_ORIG), {});
    check_lengths<Flow>(inside(samples::tuple(NFTO_A_FLOW_REPLY, 1, 2, 3)),
                        in(NFTO_A_FLOW_REPLY), {});
    check_lengths<Flow>(inside(samples::full_dir(NFTO_A_FLOW_DIR_ORIG)),
                        in(NFTO_A_FLOW_DIR_ORIG), {NFTO_A_DIR_WHY});
    check_lengths<Flow>(inside(samples::full_dir(NFTO_A_FLOW_DIR_REPLY)),
                        in(NFTO_A_FLOW_DIR_REPLY), {NFTO_A_DIR_WHY});
    check_lengths<Flow>(inside(samples::encap(1, 2)),
                        [&](const Buffer &attrs) {
                            return in(NFTO_A_FLOW_DIR_ORIG)(bytes::nest(
                                NFTO_A_DIR_ENCAP, {attrs}));
                        },
                        {});
    check_lengths<Stats>(
        inside(samples::reason_count(NFTO_A_STATS_REASONS, 1, 2)),
        [](const Buffer &attrs) {
            return bytes::nest(NFTO_A_STATS_REASONS, {attrs});
        },
        {});
}

TEST_CASE("what is cut off makes no sense")
{
    check_cut<Port>(samples::port());
    check_cut<Flowtable>(samples::module_flowtable());
    check_cut<Flow>(samples::full_flow());
    check_cut<Stats>(samples::stats());
    check_cut<Refusal>(samples::refusal());
    check_cut<ProbeAnswer>(samples::probe_answer());
    check_cut<netlink::Family>(samples::family_attrs());
    check_cut<Connection>(samples::connection());
}

TEST_CASE("attributes that cannot be make no sense")
{
    // Shorter than their own header; longer than what there is.
    CHECK_FALSE(parses<Counts>(bytes::hex("03 00 04 00")));
    CHECK_FALSE(parses<Counts>(bytes::hex("00 00 04 00")));
    CHECK_FALSE(parses<Counts>(bytes::hex("09 00 04 00 01 00 00 00")));
    CHECK_FALSE(parses<Counts>(bytes::hex("ff ff 04 00 01 00 00 00")));
    CHECK(parses<Counts>(bytes::hex("08 00 04 00 01 00 00 00")));
    // The flag that says that there are others within is not asked for.
    CHECK(parsed<Counts>(bytes::hex("08 00 04 c0 01 00 00 00")).flows == 1);
}

TEST_CASE("a connection of conntrack")
{
    const auto ct = parsed<Connection>(samples::connection());
    CHECK(ct.orig.src.text() == "10.1.0.2");
    CHECK(ct.orig.dst.text() == "10.2.0.3");
    CHECK(ct.orig.sport == 4000);
    CHECK(ct.orig.dport == 80);
    CHECK(ct.orig.l4proto == 6);
    CHECK(ct.reply.src.text() == "10.1.0.4");
    CHECK(ct.reply.dport == 61000);
    CHECK(ct.id == 0xdeadbeef);
    CHECK(ct.zone == 7);
    CHECK(ct.mark == 42);
    CHECK(ct.status == 0x818e);
    CHECK(ct.seen_reply());
    CHECK(ct.assured());
    CHECK_FALSE(ct.snat());
    CHECK_FALSE(ct.dnat());
    CHECK_FALSE(ct.offload());
    CHECK(ct.hw_offload());
    CHECK(ct.timeout_s == 431999);
    CHECK(ct.tcp_state == "ESTABLISHED");
    CHECK(ct.helper == "ftp");
    CHECK(ct.packets[0] == 0x100000001);
    CHECK(ct.bytes[0] == 2000);
    CHECK(ct.packets[1] == 3);
    CHECK(ct.bytes[1] == 4);
    const auto bare = parsed<Connection>(Buffer());
    CHECK(bare.tcp_state.empty());
    CHECK(bare.helper.empty());
    CHECK_FALSE(bare.packets[0]);
    CHECK_FALSE(bare.bytes[1]);
    // How many use it is left alone.
    check_lengths<Connection>(samples::connection(), {CTA_USE});
}

TEST_CASE(
    "a connection's keys of GRE are no ports, its zone may be its tuple's")
{
    const auto ct = parsed<Connection>(bytes::nest(
        CTA_TUPLE_ORIG,
        {bytes::be(CTA_TUPLE_ZONE, std::uint16_t{9}),
         bytes::nest(CTA_TUPLE_PROTO,
                     {bytes::u8(CTA_PROTO_NUM, 47),
                      bytes::be(CTA_PROTO_SRC_PORT, std::uint16_t{0}),
                      bytes::be(CTA_PROTO_DST_PORT, std::uint16_t{0})})}));
    CHECK(ct.orig.l4proto == 47);
    CHECK_FALSE(ct.orig.sport);
    CHECK_FALSE(ct.orig.dport);
    CHECK(ct.zone == 9);
    const auto state = [](std::uint8_t value) {
        return parsed<Connection>(
                   bytes::nest(CTA_PROTOINFO,
                               {bytes::nest(CTA_PROTOINFO_TCP,
                                            {bytes::u8(CTA_PROTOINFO_TCP_STATE,
                                                       value)})}))
            .tcp_state;
    };
    CHECK(state(0) == "NONE");
    CHECK(state(9) == "SYN_SENT2");
    CHECK(state(10) == "UNKNOWN");
}

TEST_CASE("messages of a datagram")
{
    using netlink::MessageReader;
    netlink::Message message;
    const Buffer two = bytes::join({bytes::message(20, 3, Buffer(5), 6, 7),
                                    bytes::message(21, 0, {}, 8, 9)});
    MessageReader reader(two);
    REQUIRE(reader.next(message));
    CHECK(message.type == 20);
    CHECK(message.flags == 3);
    CHECK(message.seq == 6);
    CHECK(message.port_id == 7);
    CHECK(message.payload.size() == 5);
    CHECK_FALSE(reader.done());
    REQUIRE(reader.next(message));
    CHECK(message.type == 21);
    CHECK(message.payload.empty());
    CHECK_FALSE(reader.next(message));
    CHECK(reader.done());

    for (const std::size_t size : {1U, 15U, 17U, 20U, 39U}) {
        INFO(size);
        MessageReader cut(netlink::Bytes(two).first(size));
        while (cut.next(message)) {
        }
        CHECK_FALSE(cut.done());
    }
    // One that says that it is shorter than its header.
    const Buffer tiny = bytes::hex("0f000000 0000 0000 00000000 00000000");
    MessageReader bad(tiny);
    CHECK_FALSE(bad.next(message));
    CHECK_FALSE(bad.done());
}

TEST_CASE("what errors say")
{
    using netlink::parse_done;
    using netlink::parse_error;
    netlink::Message message;
    const auto first = [&](const Buffer &data) {
        netlink::MessageReader reader(data);
        REQUIRE(reader.next(message));
        return message;
    };
    Buffer data = bytes::ack(2, "There is none");
    auto status = parse_error(first(data));
    REQUIRE(status);
    CHECK(status->code == 2);
    CHECK(status->why == "There is none");

    // The whole request comes back where its header alone was not asked for.
    Buffer payload;
    bytes::put(payload, -22);
    bytes::put(payload, bytes::message(33, 5, bytes::genl(1, bytes::u8(1, 2))));
    bytes::put(payload, bytes::join({bytes::u32(2, 20), bytes::str(1, "No")}));
    data = bytes::message(bytes::type_error, bytes::ack_tlvs, payload);
    status = parse_error(first(data));
    REQUIRE(status);
    CHECK(status->code == 22);
    CHECK(status->why == "No");

    data = bytes::done(2, "Nor here");
    status = parse_done(first(data));
    REQUIRE(status);
    CHECK(status->code == 2);
    CHECK(status->why == "Nor here");
    data = bytes::done();
    CHECK(parse_done(first(data))->code == 0);

    const auto error_of = [&](std::uint16_t flags, const Buffer &bad) {
        data = bytes::message(bytes::type_error, flags, bad);
        return parse_error(first(data));
    };
    CHECK_FALSE(error_of(0, {}));
    CHECK_FALSE(error_of(0, Buffer(19)));
    CHECK(error_of(0, Buffer(20)));
    // An errno that is none.
    CHECK_FALSE(error_of(0, bytes::join({bytes::hex("01000000"), Buffer(16)})));
    CHECK_FALSE(error_of(0, bytes::join({bytes::hex("00000080"), Buffer(16)})));
    // A request that is longer than what there is, or shorter than its header.
    CHECK_FALSE(
        error_of(bytes::ack_tlvs,
                 bytes::join({bytes::hex("feffffff ffffff00"), Buffer(12)})));
    CHECK(error_of(bytes::ack_tlvs,
                   bytes::join({bytes::hex("feffffff 00000000"), Buffer(12)})));
    // A sentence that is cut off.
    CHECK_FALSE(error_of(bytes::ack_tlvs | bytes::capped,
                         bytes::join({bytes::hex("feffffff"), Buffer(16),
                                      bytes::hex("10000100 41")})));
    data = bytes::message(bytes::type_done, 0, Buffer(3));
    CHECK_FALSE(parse_done(first(data)));
    data = bytes::message(33, 0, Buffer(3));
    CHECK_FALSE(netlink::parse_genl(first(data)));
}

// SPDX-License-Identifier: GPL-2.0
/// @file
/// What the module tells, as plain data. Numbers have the units that
/// netlink/nfto.yaml gives them; what is absent there is std::nullopt here.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nfto/enums.hpp>
#include <nfto/export.hpp>
#include <nfto/result.hpp>

namespace nfto {

/// An IPv4 or IPv6 address.
struct Address {
    /// Network order; IPv4 has the first 4 bytes, the others are 0.
    std::array<std::uint8_t, 16> bytes{};
    bool v6 = false;

    /// 4 or 16.
    [[nodiscard]] std::size_t size() const noexcept { return v6 ? 16 : 4; }
    /// As inet_ntop(3) writes it.
    [[nodiscard]] NFTO_EXPORT std::string text() const;
    /// From text as inet_pton(3) takes it. EINVAL.
    [[nodiscard]] NFTO_EXPORT static Result<Address>
    parse(std::string_view text);
    friend bool operator==(const Address &, const Address &) = default;
};

/// An address and how many of its leading bits count.
struct Prefix {
    Address address;
    /// 0 to 32, or to 128.
    std::uint8_t length = 0;

    /// The address alone where all bits count.
    [[nodiscard]] NFTO_EXPORT std::string text() const;
    /// "10.0.0.0/8", "2001:db8::/32", or an address alone. EINVAL.
    [[nodiscard]] NFTO_EXPORT static Result<Prefix>
    parse(std::string_view text);
    friend bool operator==(const Prefix &, const Prefix &) = default;
};

using Mac = std::array<std::uint8_t, 6>;
/// "02:00:00:00:01:02"
[[nodiscard]] NFTO_EXPORT std::string text(const Mac &mac);

/// One direction of a connection as conntrack has it.
struct Tuple {
    /// IPPROTO_*.
    std::uint8_t l4proto = 0;
    Address src;
    Address dst;
    /// Absent where the protocol has no ports.
    std::optional<std::uint16_t> sport;
    std::optional<std::uint16_t> dport;

    /// Source and destination exchanged.
    [[nodiscard]] NFTO_EXPORT Tuple reversed() const;
    friend bool operator==(const Tuple &, const Tuple &) = default;
};

/// A header between Ethernet's and IP's.
struct Encap {
    /// EtherType: 0x8100 (802.1Q), 0x88a8 (802.1ad), 0x8864 (PPPoE).
    std::uint16_t proto = 0;
    /// VLAN id or PPPoE session.
    std::uint16_t id = 0;
    friend bool operator==(const Encap &, const Encap &) = default;
};

/// The module.
struct Info {
    /// As in modinfo.
    std::string version;
    std::uint32_t abi_version = 0;
};

/// A device that may take flows.
struct Port {
    std::uint32_t ifindex = 0;
    std::string name;
    PortState state = PortState::unbound;
    PortKind kind = PortKind::none;
    /// Errno of the last attempt to bind or unbind, 0 when it succeeded.
    int error = 0;
    /// The driver's sentence for it, or empty.
    std::string why;
    /// Flowtables that name the device.
    std::uint32_t users = 0;
    /// Entries in hardware, one for each direction of a flow.
    std::uint32_t in_hardware = 0;
    /// Entries that were in when the driver last said that it was full.
    std::optional<std::uint32_t> full_at;
    /// Directions that wait for a worker.
    std::uint32_t queued = 0;
    std::uint32_t workers = 0;
    /// Rules that the driver accepted, and that it refused.
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;
    /// Entries that it removed, and that it refused to remove.
    std::uint64_t removed = 0;
    std::uint64_t stuck = 0;
    /// Questions for what an entry has counted.
    std::uint64_t queries = 0;
    /// Entries that it did not know any more.
    std::uint64_t lost = 0;
    /// Forwarded by the hardware, as far as the driver was asked.
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    /// Name of the driver; empty until it was asked.
    std::string driver;
    /// What was said by Client::set_port().
    Block block = Block::by_default;
    /// Why directions are not in hardware while it is not bound; none while it
    /// is.
    Reason reason = Reason::none;
    /// What the driver does with packets, "driver X ..."; only in the answer to
    /// Client::set_port(), where it was allowed all the same.
    std::string harm;
};

/// What can be changed of a port.
struct PortSetting {
    Block block = Block::by_default;
};

/// How often something had a reason.
struct ReasonCount {
    Reason reason = Reason::none;
    std::uint64_t count = 0;
};

/// A flowtable that has the module as its provider.
struct Flowtable {
    std::uint32_t id = 0;
    /// Of the flowtable, and of the nftables table that it is in; empty when nftables has deleted it and
    /// flows are left.
    std::string name;
    std::string table;
    /// NFPROTO_INET (1), NFPROTO_IPV4 (2) or NFPROTO_IPV6 (10).
    std::uint32_t family = 0;
    std::int32_t priority = 0;
    /// It has "flags offload".
    bool offload = false;
    /// It has "counter".
    bool counter = false;
    /// Ifindex of each device.
    std::vector<std::uint32_t> devices;
    std::uint32_t flows = 0;
    /// Forwarded by the software fast path.
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    std::vector<ReasonCount> reasons;
    /// Its flows are checked against a ruleset that has changed; not known of
    /// modules that never do.
    std::optional<bool> follow_ruleset;
};

/// What can be changed of a flowtable; what is not there stays as it is.
struct FlowtableChange {
    std::optional<bool> follow_ruleset;
};

/// Where one direction of a flow goes.
struct Direction {
    std::uint32_t in_ifindex = 0;
    std::uint32_t out_ifindex = 0;
    std::uint32_t route_ifindex = 0;
    /// Of the next hop, which is a gateway or the destination itself.
    std::optional<Mac> mac;
    std::optional<Address> next_hop;
    /// What it leaves with, outermost first.
    std::vector<Encap> encap;
    std::uint32_t mtu = 0;
    Hw hw = Hw::out;
    /// Why it is not in hardware; none when it is.
    Reason reason = Reason::none;
    /// Errno that the driver answered last, 0: it did not refuse.
    int error = 0;
    /// The driver's sentence for it, or empty.
    std::string why;
    /// Failures in a row.
    std::uint32_t tries = 0;
    /// What the driver knows the entry by, while it is not out.
    std::optional<std::uint64_t> cookie;
    /// Only with "counter".
    std::optional<std::uint64_t> hw_packets;
    std::optional<std::uint64_t> hw_bytes;
    /// Only with "counter", and where conntrack accounts.
    std::optional<std::uint64_t> sw_packets;
    std::optional<std::uint64_t> sw_bytes;
};

/// A connection that the fast path forwards.
struct Flow {
    /// Unique while the module is loaded, never 0.
    std::uint64_t id = 0;
    /// Id of its flowtable.
    std::uint32_t flowtable = 0;
    std::uint16_t zone = 0;
    std::uint32_t mark = 0;
    std::uint32_t ct_id = 0;
    bool snat = false;
    bool dnat = false;
    /// As each direction arrives.
    Tuple orig;
    Tuple reply;
    std::uint32_t idle_ms = 0;
    std::uint32_t expires_ms = 0;
    Direction dir_orig;
    Direction dir_reply;
    /// Why it has ended; only in events.
    std::optional<Reason> end_reason;

    /// By its directions.
    [[nodiscard]] NFTO_EXPORT FlowState state() const noexcept;
};

/// Totals of the last 10 to 20 seconds.
struct RecentStats {
    std::uint32_t ms = 0;
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    std::uint64_t hw_packets = 0;
    std::uint64_t hw_bytes = 0;
};

/// Totals of a network namespace.
struct Stats {
    std::uint32_t flowtables = 0;
    std::uint32_t ports = 0;
    std::uint32_t flows = 0;
    /// Entries, one for each direction of a flow.
    std::uint32_t in_hardware = 0;
    /// Of the software fast path.
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    std::uint64_t hw_packets = 0;
    std::uint64_t hw_bytes = 0;
    std::vector<ReasonCount> reasons;

    using Recent = RecentStats;
    /// Absent while there is nothing to compare with.
    std::optional<Recent> recent;
};

/// A connection that did not become a flow.
struct Refusal {
    /// Nanoseconds since 1970, of the last time.
    std::uint64_t when_ns = 0;
    /// How often in a row.
    std::uint32_t count = 0;
    Reason reason = Reason::none;
    /// The connection's original direction; absent where there is none.
    std::optional<Tuple> orig;
    std::uint16_t zone = 0;
    std::uint32_t ifindex = 0;
    std::uint32_t cpu = 0;
};

/// Which flows. All that is given must be true of a flow; the kernel decides.
struct Filter {
    /// Id of the flowtable. Unknown ones are an error, ENOENT.
    std::optional<std::uint32_t> flowtable;
    /// A direction arrives at, leaves from or is routed to this device.
    std::optional<std::uint32_t> ifindex;
    /// A direction arrives at this device.
    std::optional<std::uint32_t> in_ifindex;
    /// The flow is there.
    std::optional<FlowState> state;
    /// A direction is there; with reason and devices, the same direction.
    std::optional<Hw> hw;
    std::optional<Reason> reason;
    /// One of the four addresses of the connection's tuples.
    std::optional<Prefix> address;
    /// One of the ports of the connection's tuples.
    std::optional<std::uint16_t> port;
    /// Of one direction as it arrives: all of these of the same one.
    std::optional<Prefix> src;
    std::optional<Prefix> dst;
    std::optional<std::uint16_t> sport;
    std::optional<std::uint16_t> dport;
    std::optional<std::uint8_t> l4proto;
    std::optional<std::uint32_t> mark;
    /// Bits of the mark that count.
    std::uint32_t mark_mask = 0xffffffff;
    std::optional<std::uint16_t> zone;
};

/// How many flows, and where they are.
struct Counts {
    std::uint32_t flows = 0;
    std::uint32_t hardware = 0;
    std::uint32_t half = 0;
    std::uint32_t waiting = 0;
    std::uint32_t software = 0;
};

/// What a request did to the flows that it chose.
struct Changed {
    std::uint32_t flows = 0;
    std::uint32_t ended = 0;
    /// Flows of which a direction is offered to its driver again.
    std::uint32_t offered = 0;
};

/// A rule to offer to a driver.
struct ProbeRequest {
    std::uint32_t ifindex = 0;
    /// Where its packets would leave; the same device if absent.
    std::optional<std::uint32_t> out_ifindex;
    Feature feature = Feature::ipv4_tcp;
    /// How many at the same time, 1 to 1048576.
    std::uint32_t count = 1;
};

/// What the driver made of it.
struct ProbeAnswer {
    std::uint32_t accepted = 0;
    /// Entries that the driver did not take out again: 0.
    std::uint32_t left = 0;
    /// If not bound, nothing was offered; error and why are the binding's.
    PortState state = PortState::unbound;
    PortKind kind = PortKind::none;
    /// Errno of the refusal, 0: none.
    int error = 0;
    std::string why;
    /// Why no such rule can be built, or none.
    Reason reason = Reason::none;
    /// It answers when asked for what such a rule counted.
    bool counts = false;
};

} // namespace nfto

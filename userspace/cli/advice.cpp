// SPDX-License-Identifier: GPL-2.0
#include "advice.hpp"

#include <algorithm>
#include <array>

namespace nfto::cli {
namespace {

struct Advice {
    Reason reason;
    std::string_view text;
};

/// In the order of netlink/nfto.yaml.
constexpr auto table = std::to_array<Advice>({
    {Reason::none, "There is nothing to do."},
    {Reason::no_flow,
     "Wait for the next packet that reaches a rule with \"flow add\"."},
    {Reason::truncated, "Look at the sender: tcpdump -v shows broken packets."},
    {Reason::fragment,
     "Make the sender's packets smaller than the MTU of the path."},
    {Reason::ip_options,
     "There is nothing to do: packets with IP options always take the "
     "slow path."},
    {Reason::checksum,
     "Look for a device that damages packets: ethtool -S DEV."},
    {Reason::ttl, "Look for a routing loop or for a traceroute: mtr ADDRESS."},
    {Reason::protocol,
     "There is nothing to do: only TCP, UDP and GRE become flows."},
    {Reason::gre_version,
     "There is nothing to do: PPTP's GRE always takes the slow path."},
    {Reason::mtu,
     "Let TCP use smaller segments: nft add rule ... tcp option maxseg "
     "size set rt mtu."},
    {Reason::not_for_us,
     "Look for a device in promiscuous mode, or for a wrong neighbour "
     "entry at the sender."},
    {Reason::dropped,
     "Look why the machine has no free memory: free -m, dmesg."},
    {Reason::no_conntrack,
     "Remove \"notrack\" from the ruleset for this connection."},
    {Reason::not_established,
     "Wait for the end of the handshake. If it does not end, look at the "
     "connection: conntrack -L."},
    {Reason::not_confirmed,
     "Put \"flow add\" into the forward chain, and wait for the next "
     "packet."},
    {Reason::helper,
     "If the helper is not needed, remove it from the ruleset: nft list "
     "ct helpers."},
    {Reason::seq_adjust,
     "Do not use synproxy or the helper for connections that have to be "
     "fast."},
    {Reason::nat_clash,
     "There is nothing to do: the next connection is not affected."},
    {Reason::gre_nat,
     "Do not translate GRE, or accept that it takes the slow path."},
    {Reason::ipsec,
     "There is nothing to do: packets of IPsec always take the slow "
     "path."},
    {Reason::no_route,
     "Look at the routes in both directions: ip route get ADDRESS."},
    {Reason::no_memory,
     "Look why the machine has no free memory: free -m, dmesg."},
    {Reason::exists,
     "Use conntrack zones, so that each packet belongs to one connection "
     "only."},
    {Reason::expired,
     "If pauses of the connection are longer than the time-out, raise "
     "it: sysctl net.netfilter.nf_flowtable_tcp_timeout, or "
     "_udp_timeout."},
    {Reason::tcp_close,
     "There is nothing to do: the connection is at its end."},
    {Reason::ct_gone,
     "There is nothing to do: somebody has deleted the conntrack entry."},
    {Reason::route_stale,
     "If it happens often, look at what changes the routes: ip monitor "
     "route."},
    {Reason::device_down, "Set the device up: ip link set DEV up."},
    {Reason::device_gone,
     "Add the device to the flowtable once it exists again: nft add "
     "flowtable ..."},
    {Reason::flowtable_gone,
     "There is nothing to do: a new ruleset has new flows."},
    {Reason::worn_out,
     "Look why it enters and leaves the hardware so often: nft-offload "
     "monitor flows."},
    {Reason::deleted,
     "There is nothing to do: the next packet may begin a new flow."},
    {Reason::software_flowtable,
     "Add \"flags offload\" to the flowtable, and load the ruleset "
     "again."},
    {Reason::waiting,
     "Wait. If it does not change, look at the queue: nft-offload port "
     "show."},
    {Reason::no_port,
     "Add the device that it arrives at to the flowtable's devices."},
    {Reason::port_unbound,
     "Look why the port takes no flows: nft-offload check DEV."},
    {Reason::no_ethernet,
     "Tunnels and other links that are not Ethernet cannot be offloaded. "
     "If the device is an Ethernet device, add it to the flowtable's "
     "devices."},
    {Reason::neighbour, "Look whether the next hop answers: ip neigh."},
    {Reason::encapsulation,
     "Use fewer VLAN tags or tunnels on this way. What the driver takes: "
     "nft-offload probe DEV."},
    {Reason::address, "Look at the Ethernet addresses: ip neigh, ip link."},
    {Reason::refused,
     "Look at what the driver takes: nft-offload probe DEV. To offer the "
     "flow to the driver again: nft-offload flow revalidate."},
    {Reason::full,
     "Let fewer connections use the hardware. Either add a condition to "
     "the rule with \"flow add\", so that it matches fewer connections, "
     "or shorten the time-out after which idle ones leave: sysctl "
     "net.netfilter.nf_flowtable_tcp_timeout."},
    {Reason::busy, "Wait: the driver is asked again."},
    {Reason::lost, "Look why the device was reset: dmesg."},
    {Reason::leaving, "Wait: if the entry is still needed, it is made anew."},
    {Reason::neighbour_changed,
     "After a failover there is nothing to do. If it happens often, two "
     "hosts may use the same address: arping -D."},
    {Reason::neighbour_lost,
     "Look at the next hop, and at the link to it: ip neigh, ping."},
    {Reason::device_changed,
     "There is nothing to do: the next packet begins a new flow."},
    {Reason::no_carrier,
     "Look at the cable and at its other end: ethtool DEV."},
    {Reason::bridge_moved,
     "After a host has moved there is nothing to do. If it happens "
     "often, look for a loop: bridge monitor fdb."},
    {Reason::route_changed,
     "There is nothing to do. If it happens often, look at what changes "
     "the routes: ip monitor route."},
    {Reason::route_check, "Wait for a packet of this direction."},
    {Reason::ruleset_check,
     "Wait for a packet of this direction. If nothing changes, the "
     "ruleset does not let it reach \"flow add\" any more: nft list "
     "ruleset."},
    {Reason::ruleset_denied,
     "Look which rule takes the packets: nft monitor trace."},
    {Reason::tcp_syn, "Nothing to do: the next connection begins."},
    {Reason::multicast, "Nothing to do: multicast stays in the slow path."},
    {Reason::bridged,
     "If bridged packets need not pass the forward chain: sysctl "
     "net.bridge.bridge-nf-call-iptables=0, and -ip6tables."},
    {Reason::driver_unknown,
     "Look what is known of the driver: nft-offload check DEV."},
});

constexpr bool is_complete()
{
    std::uint32_t next = 0;
    return table.size() == reason_count &&
           std::all_of(table.begin(), table.end(), [&](const Advice &one) {
               return one.reason == Reason{next++} && !one.text.empty();
           });
}
static_assert(is_complete(), "each reason has one advice, in their order");

} // namespace

std::string_view advice(Reason reason) noexcept
{
    const auto at = static_cast<std::size_t>(reason);
    return at < table.size() ? table.at(at).text
                             : "The module is newer than this tool. Install "
                               "the same version of both.";
}

} // namespace nfto::cli

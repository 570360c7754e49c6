// SPDX-License-Identifier: GPL-2.0
#include "advice.hpp"

namespace nfto::cli {

// No default: the compiler finds the reason that has no advice.
std::string_view advice(Reason reason) noexcept
{
    switch (reason) {
    case Reason::none:
        return "Nothing to do.";
    case Reason::no_flow:
        return "Wait for the next packet that reaches a rule with \"flow "
               "add\".";
    case Reason::truncated:
        return "Look at the sender: tcpdump -v shows broken packets.";
    case Reason::fragment:
        return "Make the sender's packets smaller than the path's MTU.";
    case Reason::ip_options:
        return "Nothing to do here: packets with IP options are for the slow "
               "path.";
    case Reason::checksum:
        return "Look for a device that breaks packets: ethtool -S DEV.";
    case Reason::ttl:
        return "Look for a routing loop, or a traceroute: mtr ADDRESS.";
    case Reason::protocol:
        return "Nothing to do: only TCP, UDP and GRE become flows.";
    case Reason::gre_version:
        return "Nothing to do: PPTP's GRE stays in the slow path.";
    case Reason::mtu:
        return "Let TCP use smaller segments: nft add rule ... tcp option "
               "maxseg size set rt mtu.";
    case Reason::not_for_us:
        return "Look for a device in promiscuous mode, or a wrong neighbour "
               "entry at the sender.";
    case Reason::dropped:
    case Reason::no_memory:
        return "Give the machine memory: free -m, dmesg.";
    case Reason::no_conntrack:
        return "Take \"notrack\" out of the ruleset for this connection.";
    case Reason::not_established:
        return "Wait for the handshake to end; if it never does: conntrack -L.";
    case Reason::not_confirmed:
        return "Have \"flow add\" in the forward chain, and wait for the next "
               "packet.";
    case Reason::helper:
        return "If the helper is not needed, take it out of the ruleset: nft "
               "list ct helpers.";
    case Reason::seq_adjust:
        return "Leave synproxy or the helper out for connections that are to "
               "be "
               "fast.";
    case Reason::nat_clash:
        return "Nothing to do: the next connection is not affected.";
    case Reason::gre_nat:
        return "Do not translate GRE, or leave it in the slow path.";
    case Reason::ipsec:
        return "Nothing to do: IPsec is for the slow path.";
    case Reason::no_route:
        return "Look at the routes both ways: ip route get ADDRESS.";
    case Reason::exists:
        return "Use conntrack zones so that packets belong to one connection "
               "each.";
    case Reason::expired:
        return "If it is idle for longer than that: sysctl "
               "net.netfilter.nf_flowtable_tcp_timeout, or _udp_timeout.";
    case Reason::tcp_close:
        return "Nothing to do: the connection is at its end.";
    case Reason::ct_gone:
        return "Nothing to do: somebody has deleted the conntrack entry.";
    case Reason::route_stale:
        return "If it happens often, look at what changes the routes: ip "
               "monitor "
               "route.";
    case Reason::device_down:
        return "Set the device up: ip link set DEV up.";
    case Reason::device_gone:
        return "Add the device to the flowtable when it is there: nft add "
               "flowtable ...";
    case Reason::table_gone:
        return "Nothing to do: a new ruleset has new flows.";
    case Reason::worn_out:
        return "Look why it goes in and out so often: nft-offload monitor "
               "flows.";
    case Reason::deleted:
        return "Nothing to do: the next packet may begin a new flow.";
    case Reason::software_table:
        return "Add \"flags offload\" to the flowtable and load the ruleset "
               "anew.";
    case Reason::waiting:
        return "Wait; if it stays so, look at the queue: nft-offload port "
               "show.";
    case Reason::no_port:
        return "Add the device that it arrives at to the flowtable's devices.";
    case Reason::port_unbound:
        return "See why the port takes no flows: nft-offload check DEV.";
    case Reason::no_ethernet:
        return "Nothing to do for tunnels and other links that are not "
               "Ethernet; "
               "otherwise add the device to the flowtable's devices.";
    case Reason::neighbour:
        return "Look whether the next hop answers: ip neigh.";
    case Reason::encapsulation:
        return "Use fewer tags or tunnels on this way: nft-offload probe DEV "
               "shows what the driver takes.";
    case Reason::address:
        return "Look at the addresses: ip neigh, ip link.";
    case Reason::refused:
        return "See what the driver takes: nft-offload probe DEV. To offer it "
               "again: nft-offload flow revalidate.";
    case Reason::full:
        return "Keep less in the hardware: fewer connections reach \"flow "
               "add\", "
               "or a shorter net.netfilter.nf_flowtable_tcp_timeout.";
    case Reason::busy:
        return "Wait: the driver is asked again.";
    case Reason::lost:
        return "Look why the device was reset: dmesg.";
    case Reason::leaving:
        return "Wait: it is made anew if it is still needed.";
    case Reason::neighbour_changed:
        return "Nothing to do after a failover. If it happens often, two "
               "hosts may have the same address: arping -D.";
    case Reason::neighbour_lost:
        return "Look at the next hop, and at the link to it: ip neigh, "
               "ping.";
    case Reason::device_changed:
        return "Nothing to do: the next packet begins a new flow.";
    case Reason::no_carrier:
        return "Look at the cable and at the other end: ethtool DEV.";
    case Reason::bridge_moved:
        return "Nothing to do after a move. If it happens often, look for "
               "a loop: bridge monitor fdb.";
    case Reason::route_changed:
        return "Nothing to do. If it happens often, look at what changes "
               "the routes: ip monitor route.";
    case Reason::route_check:
        return "Wait for a packet of this direction.";
    case Reason::ruleset_check:
        return "Wait for a packet of this direction. If it stays so, the "
               "ruleset does not let it reach \"flow add\" any more: nft "
               "list ruleset.";
    case Reason::ruleset_denied:
        return "See which rule takes them: nft monitor trace.";
    case Reason::driver_unknown:
        return "See what is known of the driver: nft-offload check DEV.";
    }
    return "This tool is older than the module; install the same version.";
}

} // namespace nfto::cli

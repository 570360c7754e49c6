/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	netlink/nfto.yaml */
/* YNL-GEN uapi header */

#ifndef _UAPI_LINUX_NFTO_H
#define _UAPI_LINUX_NFTO_H

#define NFTO_FAMILY_NAME	"nfto"
#define NFTO_FAMILY_VERSION	1

#define NFTO_ABI_VERSION	1

/**
 * enum nfto_reason - Why a packet took the slow path, a flow was refused or
 *   has ended, or a direction is not in hardware. What is counted for a reason
 *   is the first of its kinds.
 * @NFTO_REASON_NONE: There is no reason. A direction with it is in hardware.
 * @NFTO_REASON_NO_FLOW: The packet was left to the slow path. It belongs to no
 *   flow of the flowtable; the first packets of every connection do not.
 * @NFTO_REASON_TRUNCATED: The packet was left to the slow path. It ends before
 *   its headers do, or it is no IP packet after all. A flow is refused for the
 *   same reason when such a packet would begin it.
 * @NFTO_REASON_FRAGMENT: The packet was left to the slow path. It is an IPv4
 *   fragment.
 * @NFTO_REASON_IP_OPTIONS: The packet was left to the slow path. It has IPv4
 *   options. A flow is refused for the same reason when such a packet would
 *   begin it.
 * @NFTO_REASON_CHECKSUM: The packet was left to the slow path. The checksum of
 *   its IPv4 header is wrong.
 * @NFTO_REASON_TTL: The packet was left to the slow path. Its TTL or hop limit
 *   is 1; the slow path answers with ICMP.
 * @NFTO_REASON_PROTOCOL: The packet was left to the slow path, or the flow was
 *   refused. The protocol is not TCP, UDP or GRE. IPv6 extension headers,
 *   those of fragments among them, count as other protocols.
 * @NFTO_REASON_GRE_VERSION: The packet was left to the slow path, or the flow
 *   was refused. It is GRE of another version than 0; PPTP uses version 1.
 * @NFTO_REASON_MTU: The packet was left to the slow path. It is larger than
 *   the MTU of the route; the slow path fragments it or answers with ICMP.
 * @NFTO_REASON_NOT_FOR_US: The packet was left to the slow path. Its
 *   link-layer destination is another host.
 * @NFTO_REASON_DROPPED: The packet belongs to a flow, and was dropped in the
 *   fast path because there was no memory.
 * @NFTO_REASON_NO_CONNTRACK: The flow was refused. The packet that reached
 *   "flow add" has no conntrack entry, because of notrack.
 * @NFTO_REASON_NOT_ESTABLISHED: The flow was refused. The handshake of TCP is
 *   not over, or the packet has FIN or RST. Each packet that reaches "flow
 *   add" is another attempt.
 * @NFTO_REASON_NOT_CONFIRMED: The flow was refused. The conntrack entry is not
 *   confirmed yet, or it was deleted.
 * @NFTO_REASON_HELPER: The flow was refused. The connection has a conntrack
 *   helper (FTP, SIP...), which has to see each packet.
 * @NFTO_REASON_SEQ_ADJUST: The flow was refused. A helper or synproxy changes
 *   the sequence numbers of the connection.
 * @NFTO_REASON_NAT_CLASH: The flow was refused. Two packets that came at the
 *   same time made two conntrack entries of one connection, and this is the
 *   one that does not live long.
 * @NFTO_REASON_GRE_NAT: The flow was refused. It is GRE, and NAT translates
 *   it.
 * @NFTO_REASON_IPSEC: The flow was refused. The packet came out of IPsec.
 * @NFTO_REASON_NO_ROUTE: The flow was refused. One of its directions has no
 *   route.
 * @NFTO_REASON_NO_MEMORY: The flow was refused. There was no memory for it.
 * @NFTO_REASON_EXISTS: The flow was refused. There is a flow already for
 *   packets with the same addresses and ports.
 * @NFTO_REASON_EXPIRED: The flow has ended. No packet came within the time-out
 *   (nf_flowtable_tcp_timeout, nf_flowtable_udp_timeout), neither in software
 *   nor in hardware.
 * @NFTO_REASON_TCP_CLOSE: The flow has ended. A TCP packet with FIN or RST was
 *   seen; conntrack follows the rest of the connection.
 * @NFTO_REASON_CT_GONE: The flow has ended. Its conntrack entry was deleted
 *   (conntrack -D or -F).
 * @NFTO_REASON_ROUTE_STALE: The flow has ended. Its route or neighbour is not
 *   valid any more, or the flowtable has got another device. The next packet
 *   takes the new way and may begin a flow there.
 * @NFTO_REASON_DEVICE_DOWN: The flow has ended. A device that it uses was set
 *   down.
 * @NFTO_REASON_DEVICE_GONE: The flow has ended. A device that it uses was
 *   removed, or was taken out of the flowtable.
 * @NFTO_REASON_FLOWTABLE_GONE: The flow has ended. Its flowtable was deleted.
 * @NFTO_REASON_WORN_OUT: The flow has ended. It was put into hardware 127
 *   times, which is as often as cookies can tell apart. The connection's next
 *   packet begins a new flow.
 * @NFTO_REASON_DELETED: The flow has ended. Somebody asked for that
 *   (nft-offload flow delete or flush). The connection's next packet may begin
 *   a new flow.
 * @NFTO_REASON_SOFTWARE_FLOWTABLE: The direction is not in hardware. The
 *   flowtable has no "flags offload".
 * @NFTO_REASON_WAITING: The direction is not in hardware yet. It waits in the
 *   queue of its port.
 * @NFTO_REASON_NO_PORT: The direction is not in hardware. The device that it
 *   arrives at is not one of the flowtable's devices.
 * @NFTO_REASON_PORT_UNBOUND: The direction is not in hardware. The port takes
 *   no flows now; the state, error and sentence of the port say why.
 * @NFTO_REASON_NO_ETHERNET: The direction is not in hardware. It arrives at or
 *   leaves by something that is not Ethernet, or by a device that is not one
 *   of the flowtable's devices.
 * @NFTO_REASON_NEIGHBOUR: The direction is not in hardware. The next hop's
 *   link-layer address is not known now. When it becomes known, the flow has
 *   ended with this reason, and the next packet begins a new flow.
 * @NFTO_REASON_ENCAPSULATION: The direction is not in hardware. A rule has no
 *   room for all the VLAN tags, PPPoE headers or tunnels that its packets are
 *   wrapped in.
 * @NFTO_REASON_ADDRESS: The direction is not in hardware. The Ethernet address
 *   of the next hop, or of the device that it leaves from, cannot be written
 *   into a rule.
 * @NFTO_REASON_REFUSED: The direction is not in hardware. The driver refused
 *   it, and is not asked again until something changes; error and sentence are
 *   the driver's.
 * @NFTO_REASON_FULL: The direction is not in hardware. The device's table is
 *   full.
 * @NFTO_REASON_BUSY: The direction is not in hardware. The driver failed in a
 *   way that may pass (EBUSY, ENOMEM, EEXIST...); it is asked again.
 * @NFTO_REASON_LOST: The direction is not in hardware. The device has lost its
 *   entry, as it does in a reset; the entry is put back.
 * @NFTO_REASON_LEAVING: The direction is not in hardware any more. Its entry
 *   is being removed or was removed, because the end of the flow has come or
 *   because the entry has to be made anew.
 * @NFTO_REASON_NEIGHBOUR_CHANGED: The flow has ended. The next hop has another
 *   link-layer address now. The connection's next packet begins a new flow.
 * @NFTO_REASON_NEIGHBOUR_LOST: The flow has ended. The next hop does not
 *   answer any more. Until it answers, this machine gets the packets and
 *   reports to their sender that it is unreachable.
 * @NFTO_REASON_DEVICE_CHANGED: The flow has ended. A device that it uses has
 *   another Ethernet address, MTU or master. The connection's next packet
 *   begins a new flow.
 * @NFTO_REASON_NO_CARRIER: The flow has ended. A device that it uses has lost
 *   its carrier, or has it again. While there is no carrier, the direction is
 *   not in hardware for the same reason.
 * @NFTO_REASON_BRIDGE_MOVED: The flow has ended. A bridge has learned its next
 *   hop at another port. The connection's next packet begins a new flow.
 * @NFTO_REASON_ROUTE_CHANGED: The flow has ended. It has another route now.
 *   The connection's next packet begins a new flow.
 * @NFTO_REASON_ROUTE_CHECK: The direction is not in hardware, or the packet
 *   was left to the slow path. Routes have changed, and one packet of this
 *   direction has to go through routing first, to see whether its route has
 *   changed too.
 * @NFTO_REASON_RULESET_CHECK: The direction is not in hardware, or the packet
 *   was left to the slow path. The ruleset has changed, and one packet of this
 *   direction has to go through it first and reach "flow add" again.
 * @NFTO_REASON_RULESET_DENIED: The flow has ended. The ruleset has changed,
 *   and packets of the connection do not reach "flow add" any more.
 * @NFTO_REASON_TCP_SYN: The packet was left to the slow path. It is a SYN;
 *   conntrack decides whether a connection begins anew.
 * @NFTO_REASON_MULTICAST: The flow was refused. The packet is for more than
 *   one receiver.
 * @NFTO_REASON_BRIDGED: The flow was refused. The packet is bridged, not
 *   routed; br_netfilter shows it to the forward chain.
 * @NFTO_REASON_DRIVER_UNKNOWN: The direction is not in hardware. The driver of
 *   the port is not known to carry out flows right, or it is known not to; the
 *   port's sentence says which.
 */
enum nfto_reason {
	NFTO_REASON_NONE,
	NFTO_REASON_NO_FLOW,
	NFTO_REASON_TRUNCATED,
	NFTO_REASON_FRAGMENT,
	NFTO_REASON_IP_OPTIONS,
	NFTO_REASON_CHECKSUM,
	NFTO_REASON_TTL,
	NFTO_REASON_PROTOCOL,
	NFTO_REASON_GRE_VERSION,
	NFTO_REASON_MTU,
	NFTO_REASON_NOT_FOR_US,
	NFTO_REASON_DROPPED,
	NFTO_REASON_NO_CONNTRACK,
	NFTO_REASON_NOT_ESTABLISHED,
	NFTO_REASON_NOT_CONFIRMED,
	NFTO_REASON_HELPER,
	NFTO_REASON_SEQ_ADJUST,
	NFTO_REASON_NAT_CLASH,
	NFTO_REASON_GRE_NAT,
	NFTO_REASON_IPSEC,
	NFTO_REASON_NO_ROUTE,
	NFTO_REASON_NO_MEMORY,
	NFTO_REASON_EXISTS,
	NFTO_REASON_EXPIRED,
	NFTO_REASON_TCP_CLOSE,
	NFTO_REASON_CT_GONE,
	NFTO_REASON_ROUTE_STALE,
	NFTO_REASON_DEVICE_DOWN,
	NFTO_REASON_DEVICE_GONE,
	NFTO_REASON_FLOWTABLE_GONE,
	NFTO_REASON_WORN_OUT,
	NFTO_REASON_DELETED,
	NFTO_REASON_SOFTWARE_FLOWTABLE,
	NFTO_REASON_WAITING,
	NFTO_REASON_NO_PORT,
	NFTO_REASON_PORT_UNBOUND,
	NFTO_REASON_NO_ETHERNET,
	NFTO_REASON_NEIGHBOUR,
	NFTO_REASON_ENCAPSULATION,
	NFTO_REASON_ADDRESS,
	NFTO_REASON_REFUSED,
	NFTO_REASON_FULL,
	NFTO_REASON_BUSY,
	NFTO_REASON_LOST,
	NFTO_REASON_LEAVING,
	NFTO_REASON_NEIGHBOUR_CHANGED,
	NFTO_REASON_NEIGHBOUR_LOST,
	NFTO_REASON_DEVICE_CHANGED,
	NFTO_REASON_NO_CARRIER,
	NFTO_REASON_BRIDGE_MOVED,
	NFTO_REASON_ROUTE_CHANGED,
	NFTO_REASON_ROUTE_CHECK,
	NFTO_REASON_RULESET_CHECK,
	NFTO_REASON_RULESET_DENIED,
	NFTO_REASON_TCP_SYN,
	NFTO_REASON_MULTICAST,
	NFTO_REASON_BRIDGED,
	NFTO_REASON_DRIVER_UNKNOWN,

	/* private: */
	__NFTO_REASON_MAX,
	NFTO_REASON_MAX = (__NFTO_REASON_MAX - 1)
};

/**
 * enum nfto_port_state - Whether a port takes flows.
 * @NFTO_PORT_STATE_UNBOUND: The device takes no flows; errno and sentence say
 *   why. The driver is asked again when that may help.
 * @NFTO_PORT_STATE_BOUND: The driver has said that it takes flows.
 * @NFTO_PORT_STATE_SWITCHED_OFF: The device's feature hw-tc-offload is off
 *   (ethtool -K DEVICE hw-tc-offload on).
 * @NFTO_PORT_STATE_STUCK: The driver refuses to unbind, or to remove entries.
 * @NFTO_PORT_STATE_GONE: The device was unregistered; the port goes with its
 *   last entry.
 */
enum nfto_port_state {
	NFTO_PORT_STATE_UNBOUND,
	NFTO_PORT_STATE_BOUND,
	NFTO_PORT_STATE_SWITCHED_OFF,
	NFTO_PORT_STATE_STUCK,
	NFTO_PORT_STATE_GONE,

	/* private: */
	__NFTO_PORT_STATE_MAX,
	NFTO_PORT_STATE_MAX = (__NFTO_PORT_STATE_MAX - 1)
};

/**
 * enum nfto_port_kind - How a port is bound to its driver.
 * @NFTO_PORT_KIND_NONE: Not bound.
 * @NFTO_PORT_KIND_FLOWTABLE: ndo_setup_tc(TC_SETUP_FT).
 * @NFTO_PORT_KIND_INDIRECT: By the indirect block, for devices that have no
 *   driver of their own.
 * @NFTO_PORT_KIND_FLOWER: ndo_setup_tc(TC_SETUP_BLOCK), as rules of tc flower.
 */
enum nfto_port_kind {
	NFTO_PORT_KIND_NONE,
	NFTO_PORT_KIND_FLOWTABLE,
	NFTO_PORT_KIND_INDIRECT,
	NFTO_PORT_KIND_FLOWER,

	/* private: */
	__NFTO_PORT_KIND_MAX,
	NFTO_PORT_KIND_MAX = (__NFTO_PORT_KIND_MAX - 1)
};

/**
 * enum nfto_block - Whether a device's driver may be given flows as rules of
 *   tc flower.
 * @NFTO_BLOCK_DEFAULT: If it is known to carry them out right.
 * @NFTO_BLOCK_ON: Also if that is not known.
 * @NFTO_BLOCK_OFF: Not at all.
 * @NFTO_BLOCK_FORCE: Also if it is known to do something else.
 */
enum nfto_block {
	NFTO_BLOCK_DEFAULT,
	NFTO_BLOCK_ON,
	NFTO_BLOCK_OFF,
	NFTO_BLOCK_FORCE,

	/* private: */
	__NFTO_BLOCK_MAX,
	NFTO_BLOCK_MAX = (__NFTO_BLOCK_MAX - 1)
};

/**
 * enum nfto_hw - Where a direction is.
 * @NFTO_HW_OUT: Not in the hardware.
 * @NFTO_HW_ADDING: FLOW_CLS_REPLACE is on its way.
 * @NFTO_HW_IN: The driver has accepted it.
 * @NFTO_HW_REMOVING: FLOW_CLS_DESTROY is on its way.
 */
enum nfto_hw {
	NFTO_HW_OUT,
	NFTO_HW_ADDING,
	NFTO_HW_IN,
	NFTO_HW_REMOVING,

	/* private: */
	__NFTO_HW_MAX,
	NFTO_HW_MAX = (__NFTO_HW_MAX - 1)
};

/**
 * enum nfto_flow_state - Where a flow is, by its directions. Exactly one of
 *   these is true of a flow.
 * @NFTO_FLOW_STATE_HARDWARE: Both directions are in the hardware.
 * @NFTO_FLOW_STATE_HALF: One of them is.
 * @NFTO_FLOW_STATE_WAITING: None is, and one has the reason "waiting" or is on
 *   its way in.
 * @NFTO_FLOW_STATE_SOFTWARE: None is, for other reasons.
 */
enum nfto_flow_state {
	NFTO_FLOW_STATE_HARDWARE,
	NFTO_FLOW_STATE_HALF,
	NFTO_FLOW_STATE_WAITING,
	NFTO_FLOW_STATE_SOFTWARE,

	/* private: */
	__NFTO_FLOW_STATE_MAX,
	NFTO_FLOW_STATE_MAX = (__NFTO_FLOW_STATE_MAX - 1)
};

/**
 * enum nfto_feature - What a driver can be offered. Each is a rule as it is
 *   made for a flow.
 * @NFTO_FEATURE_IPV4_TCP: TCP over IPv4.
 * @NFTO_FEATURE_IPV4_UDP: UDP over IPv4.
 * @NFTO_FEATURE_IPV6_TCP: TCP over IPv6.
 * @NFTO_FEATURE_IPV6_UDP: UDP over IPv6.
 * @NFTO_FEATURE_IPV4_NAT: TCP over IPv4, source address and port translated.
 * @NFTO_FEATURE_IPV6_NAT: TCP over IPv6 likewise.
 * @NFTO_FEATURE_VLAN_IN: TCP over IPv4, arrives with an 802.1Q tag.
 * @NFTO_FEATURE_VLAN_OUT: TCP over IPv4, leaves with an 802.1Q tag.
 * @NFTO_FEATURE_QINQ_OUT: TCP over IPv4, leaves with an 802.1ad tag and an
 *   802.1Q one in it.
 * @NFTO_FEATURE_PPPOE_OUT: TCP over IPv4, leaves in a PPPoE session.
 * @NFTO_FEATURE_IPV4_GRE: GRE over IPv4.
 */
enum nfto_feature {
	NFTO_FEATURE_IPV4_TCP,
	NFTO_FEATURE_IPV4_UDP,
	NFTO_FEATURE_IPV6_TCP,
	NFTO_FEATURE_IPV6_UDP,
	NFTO_FEATURE_IPV4_NAT,
	NFTO_FEATURE_IPV6_NAT,
	NFTO_FEATURE_VLAN_IN,
	NFTO_FEATURE_VLAN_OUT,
	NFTO_FEATURE_QINQ_OUT,
	NFTO_FEATURE_PPPOE_OUT,
	NFTO_FEATURE_IPV4_GRE,

	/* private: */
	__NFTO_FEATURE_MAX,
	NFTO_FEATURE_MAX = (__NFTO_FEATURE_MAX - 1)
};

/**
 * enum nfto_nat - What NAT does to a connection.
 * @NFTO_NAT_SOURCE: The source is translated (SNAT, masquerade).
 * @NFTO_NAT_DESTINATION: The destination is translated (DNAT, redirect).
 */
enum nfto_nat {
	NFTO_NAT_SOURCE = 1,
	NFTO_NAT_DESTINATION = 2,
};

enum {
	NFTO_A_INFO_PAD = 1,
	NFTO_A_INFO_VERSION,
	NFTO_A_INFO_ABI_VERSION,

	__NFTO_A_INFO_MAX,
	NFTO_A_INFO_MAX = (__NFTO_A_INFO_MAX - 1)
};

enum {
	NFTO_A_PORT_PAD = 1,
	NFTO_A_PORT_IFINDEX,
	NFTO_A_PORT_NAME,
	NFTO_A_PORT_STATE,
	NFTO_A_PORT_KIND,
	NFTO_A_PORT_ERRNO,
	NFTO_A_PORT_WHY,
	NFTO_A_PORT_USERS,
	NFTO_A_PORT_IN_HARDWARE,
	NFTO_A_PORT_FULL_AT,
	NFTO_A_PORT_QUEUED,
	NFTO_A_PORT_WORKERS,
	NFTO_A_PORT_ACCEPTED,
	NFTO_A_PORT_REFUSED,
	NFTO_A_PORT_REMOVED,
	NFTO_A_PORT_STUCK,
	NFTO_A_PORT_QUERIES,
	NFTO_A_PORT_LOST,
	NFTO_A_PORT_PACKETS,
	NFTO_A_PORT_BYTES,
	NFTO_A_PORT_DRIVER,
	NFTO_A_PORT_BLOCK,
	NFTO_A_PORT_REASON,
	NFTO_A_PORT_HARM,

	__NFTO_A_PORT_MAX,
	NFTO_A_PORT_MAX = (__NFTO_A_PORT_MAX - 1)
};

enum {
	NFTO_A_REASON_COUNT_PAD = 1,
	NFTO_A_REASON_COUNT_REASON,
	NFTO_A_REASON_COUNT_COUNT,

	__NFTO_A_REASON_COUNT_MAX,
	NFTO_A_REASON_COUNT_MAX = (__NFTO_A_REASON_COUNT_MAX - 1)
};

enum {
	NFTO_A_FLOWTABLE_PAD = 1,
	NFTO_A_FLOWTABLE_ID,
	NFTO_A_FLOWTABLE_NAME,
	NFTO_A_FLOWTABLE_TABLE,
	NFTO_A_FLOWTABLE_FAMILY,
	NFTO_A_FLOWTABLE_PRIORITY,
	NFTO_A_FLOWTABLE_OFFLOAD,
	NFTO_A_FLOWTABLE_COUNTER,
	NFTO_A_FLOWTABLE_DEVICES,
	NFTO_A_FLOWTABLE_FLOWS,
	NFTO_A_FLOWTABLE_PACKETS,
	NFTO_A_FLOWTABLE_BYTES,
	NFTO_A_FLOWTABLE_REASONS,
	NFTO_A_FLOWTABLE_FOLLOW_RULESET,

	__NFTO_A_FLOWTABLE_MAX,
	NFTO_A_FLOWTABLE_MAX = (__NFTO_A_FLOWTABLE_MAX - 1)
};

enum {
	NFTO_A_TUPLE_L4PROTO = 1,
	NFTO_A_TUPLE_SRC,
	NFTO_A_TUPLE_DST,
	NFTO_A_TUPLE_SPORT,
	NFTO_A_TUPLE_DPORT,

	__NFTO_A_TUPLE_MAX,
	NFTO_A_TUPLE_MAX = (__NFTO_A_TUPLE_MAX - 1)
};

enum {
	NFTO_A_ENCAP_PROTO = 1,
	NFTO_A_ENCAP_ID,

	__NFTO_A_ENCAP_MAX,
	NFTO_A_ENCAP_MAX = (__NFTO_A_ENCAP_MAX - 1)
};

enum {
	NFTO_A_DIR_PAD = 1,
	NFTO_A_DIR_IN_IFINDEX,
	NFTO_A_DIR_OUT_IFINDEX,
	NFTO_A_DIR_ROUTE_IFINDEX,
	NFTO_A_DIR_MAC,
	NFTO_A_DIR_ENCAP,
	NFTO_A_DIR_MTU,
	NFTO_A_DIR_HW,
	NFTO_A_DIR_REASON,
	NFTO_A_DIR_ERRNO,
	NFTO_A_DIR_WHY,
	NFTO_A_DIR_TRIES,
	NFTO_A_DIR_COOKIE,
	NFTO_A_DIR_HW_PACKETS,
	NFTO_A_DIR_HW_BYTES,
	NFTO_A_DIR_SW_PACKETS,
	NFTO_A_DIR_SW_BYTES,
	NFTO_A_DIR_NEXT_HOP,

	__NFTO_A_DIR_MAX,
	NFTO_A_DIR_MAX = (__NFTO_A_DIR_MAX - 1)
};

enum {
	NFTO_A_FILTER_FLOWTABLE = 1,
	NFTO_A_FILTER_IFINDEX,
	NFTO_A_FILTER_IN_IFINDEX,
	NFTO_A_FILTER_HW,
	NFTO_A_FILTER_REASON,
	NFTO_A_FILTER_ADDRESS,
	NFTO_A_FILTER_PREFIX_LEN,
	NFTO_A_FILTER_PORT,
	NFTO_A_FILTER_L4PROTO,
	NFTO_A_FILTER_MARK,
	NFTO_A_FILTER_MARK_MASK,
	NFTO_A_FILTER_ZONE,
	NFTO_A_FILTER_STATE,
	NFTO_A_FILTER_SRC,
	NFTO_A_FILTER_SRC_LEN,
	NFTO_A_FILTER_DST,
	NFTO_A_FILTER_DST_LEN,
	NFTO_A_FILTER_SPORT,
	NFTO_A_FILTER_DPORT,

	__NFTO_A_FILTER_MAX,
	NFTO_A_FILTER_MAX = (__NFTO_A_FILTER_MAX - 1)
};

enum {
	NFTO_A_FLOW_PAD = 1,
	NFTO_A_FLOW_ID,
	NFTO_A_FLOW_FILTER,
	NFTO_A_FLOW_FLOWTABLE,
	NFTO_A_FLOW_ZONE,
	NFTO_A_FLOW_MARK,
	NFTO_A_FLOW_CT_ID,
	NFTO_A_FLOW_NAT,
	NFTO_A_FLOW_ORIG,
	NFTO_A_FLOW_REPLY,
	NFTO_A_FLOW_IDLE_MS,
	NFTO_A_FLOW_EXPIRES_MS,
	NFTO_A_FLOW_DIR_ORIG,
	NFTO_A_FLOW_DIR_REPLY,
	NFTO_A_FLOW_END_REASON,

	__NFTO_A_FLOW_MAX,
	NFTO_A_FLOW_MAX = (__NFTO_A_FLOW_MAX - 1)
};

enum {
	NFTO_A_COUNT_PAD = 1,
	NFTO_A_COUNT_FILTER,
	NFTO_A_COUNT_ID,
	NFTO_A_COUNT_FLOWS,
	NFTO_A_COUNT_HARDWARE,
	NFTO_A_COUNT_HALF,
	NFTO_A_COUNT_WAITING,
	NFTO_A_COUNT_SOFTWARE,
	NFTO_A_COUNT_ENDED,
	NFTO_A_COUNT_OFFERED,

	__NFTO_A_COUNT_MAX,
	NFTO_A_COUNT_MAX = (__NFTO_A_COUNT_MAX - 1)
};

enum {
	NFTO_A_PROBE_PAD = 1,
	NFTO_A_PROBE_IFINDEX,
	NFTO_A_PROBE_OUT_IFINDEX,
	NFTO_A_PROBE_FEATURE,
	NFTO_A_PROBE_COUNT,
	NFTO_A_PROBE_ACCEPTED,
	NFTO_A_PROBE_LEFT,
	NFTO_A_PROBE_STATE,
	NFTO_A_PROBE_KIND,
	NFTO_A_PROBE_ERRNO,
	NFTO_A_PROBE_WHY,
	NFTO_A_PROBE_REASON,
	NFTO_A_PROBE_COUNTS,

	__NFTO_A_PROBE_MAX,
	NFTO_A_PROBE_MAX = (__NFTO_A_PROBE_MAX - 1)
};

enum {
	NFTO_A_STATS_PAD = 1,
	NFTO_A_STATS_FLOWTABLES,
	NFTO_A_STATS_PORTS,
	NFTO_A_STATS_FLOWS,
	NFTO_A_STATS_IN_HARDWARE,
	NFTO_A_STATS_PACKETS,
	NFTO_A_STATS_BYTES,
	NFTO_A_STATS_HW_PACKETS,
	NFTO_A_STATS_HW_BYTES,
	NFTO_A_STATS_REASONS,
	NFTO_A_STATS_RECENT_MS,
	NFTO_A_STATS_RECENT_PACKETS,
	NFTO_A_STATS_RECENT_BYTES,
	NFTO_A_STATS_RECENT_HW_PACKETS,
	NFTO_A_STATS_RECENT_HW_BYTES,

	__NFTO_A_STATS_MAX,
	NFTO_A_STATS_MAX = (__NFTO_A_STATS_MAX - 1)
};

enum {
	NFTO_A_REFUSAL_PAD = 1,
	NFTO_A_REFUSAL_WHEN_NS,
	NFTO_A_REFUSAL_COUNT,
	NFTO_A_REFUSAL_REASON,
	NFTO_A_REFUSAL_ORIG,
	NFTO_A_REFUSAL_ZONE,
	NFTO_A_REFUSAL_IFINDEX,
	NFTO_A_REFUSAL_CPU,

	__NFTO_A_REFUSAL_MAX,
	NFTO_A_REFUSAL_MAX = (__NFTO_A_REFUSAL_MAX - 1)
};

enum {
	NFTO_CMD_INFO_GET = 1,
	NFTO_CMD_PORT_GET,
	NFTO_CMD_FLOWTABLE_GET,
	NFTO_CMD_FLOW_GET,
	NFTO_CMD_STATS_GET,
	NFTO_CMD_REFUSAL_GET,
	NFTO_CMD_FLOW_COUNT,
	NFTO_CMD_FLOW_DEL,
	NFTO_CMD_FLOW_REVALIDATE,
	NFTO_CMD_PORT_PROBE,
	NFTO_CMD_FLOW_NEW,
	NFTO_CMD_FLOW_END,
	NFTO_CMD_FLOW_HW,
	NFTO_CMD_PORT_CHANGE,
	NFTO_CMD_REFUSAL_NEW,
	NFTO_CMD_FLOWTABLE_SET,
	NFTO_CMD_PORT_SET,

	__NFTO_CMD_MAX,
	NFTO_CMD_MAX = (__NFTO_CMD_MAX - 1)
};

#define NFTO_MCGRP_PORTS	"ports"
#define NFTO_MCGRP_FLOWS	"flows"
#define NFTO_MCGRP_REFUSALS	"refusals"

#endif /* _UAPI_LINUX_NFTO_H */

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
 *   has ended, or a direction is not in hardware.
 * @NFTO_REASON_NONE: No reason; a direction with it is in hardware.
 * @NFTO_REASON_NO_FLOW: Packet left to the slow path. It belongs to no flow of
 *   the flowtable, as the first packets of every connection.
 * @NFTO_REASON_TRUNCATED: Packet left to the slow path. It ends before its
 *   headers do, or is no IP packet after all. Also, flow refused for such a
 *   packet.
 * @NFTO_REASON_FRAGMENT: Packet left to the slow path. It is an IPv4 fragment.
 * @NFTO_REASON_IP_OPTIONS: Packet left to the slow path. It has IPv4 options.
 *   A flow is refused for it when the packet that would begin it has them.
 * @NFTO_REASON_CHECKSUM: Packet left to the slow path. The checksum of its
 *   IPv4 header is wrong.
 * @NFTO_REASON_TTL: Packet left to the slow path. Its TTL or hop limit is 1;
 *   the slow path answers with ICMP.
 * @NFTO_REASON_PROTOCOL: Packet left to the slow path, or flow refused. The
 *   protocol is none of TCP, UDP and GRE. IPv6 extension headers are none
 *   either, fragments among them.
 * @NFTO_REASON_GRE_VERSION: Packet left to the slow path, or flow refused. It
 *   is not GRE of version 0; PPTP's is of version 1.
 * @NFTO_REASON_MTU: Packet left to the slow path. It is larger than the MTU of
 *   the route; the slow path fragments it or answers with ICMP.
 * @NFTO_REASON_NOT_FOR_US: Packet left to the slow path. Its link-layer
 *   destination is another host.
 * @NFTO_REASON_DROPPED: Packet of a flow, dropped in the fast path for want of
 *   memory.
 * @NFTO_REASON_NO_CONNTRACK: Flow refused. The packet that reached "flow add"
 *   has no conntrack entry, because of notrack.
 * @NFTO_REASON_NOT_ESTABLISHED: Flow refused. TCP's handshake is not over, or
 *   the packet has FIN or RST. Asked again with each packet that reaches "flow
 *   add".
 * @NFTO_REASON_NOT_CONFIRMED: Flow refused. The conntrack entry is not
 *   confirmed yet, or was deleted.
 * @NFTO_REASON_HELPER: Flow refused. The connection has a conntrack helper
 *   (FTP, SIP...) which has to see each packet.
 * @NFTO_REASON_SEQ_ADJUST: Flow refused. Sequence numbers of the connection
 *   are adjusted, by a helper or by synproxy.
 * @NFTO_REASON_NAT_CLASH: Flow refused. The conntrack entry clashed with
 *   another one when it was made, of packets that came at the same time; it
 *   does not live long.
 * @NFTO_REASON_GRE_NAT: Flow refused. It is GRE and translated by NAT.
 * @NFTO_REASON_IPSEC: Flow refused. The packet came out of IPsec.
 * @NFTO_REASON_NO_ROUTE: Flow refused. One of its directions has no route.
 * @NFTO_REASON_NO_MEMORY: Flow refused. There was no memory for it.
 * @NFTO_REASON_EXISTS: Flow refused. Another flow has the same packets.
 * @NFTO_REASON_EXPIRED: Flow has ended. No packet for the time-out
 *   (nf_flowtable_tcp_timeout, nf_flowtable_udp_timeout), neither in software
 *   nor in hardware.
 * @NFTO_REASON_TCP_CLOSE: Flow has ended. TCP's FIN or RST was seen; conntrack
 *   follows the rest of the connection.
 * @NFTO_REASON_CT_GONE: Flow has ended. Its conntrack entry was deleted
 *   (conntrack -D or -F).
 * @NFTO_REASON_ROUTE_STALE: Flow has ended. Its route or neighbour is not
 *   valid any more, or the flowtable has got another device; the next packet
 *   goes the new way and may begin a flow there.
 * @NFTO_REASON_DEVICE_DOWN: Flow has ended. A device that it uses was set
 *   down.
 * @NFTO_REASON_DEVICE_GONE: Flow has ended. A device that it uses was removed,
 *   or taken out of the flowtable.
 * @NFTO_REASON_TABLE_GONE: Flow has ended. Its flowtable was deleted.
 * @NFTO_REASON_WORN_OUT: Flow has ended. It was put into hardware as often as
 *   cookies can tell apart (127 times); the connection's next packet begins a
 *   new flow.
 * @NFTO_REASON_DELETED: Flow has ended. Somebody asked for it (flow-del); the
 *   connection's next packet may begin a new one.
 * @NFTO_REASON_SOFTWARE_TABLE: Direction not in hardware. The flowtable has no
 *   "flags offload".
 * @NFTO_REASON_WAITING: Direction not in hardware yet. It is in the queue of
 *   its port.
 * @NFTO_REASON_NO_PORT: Direction not in hardware. The device that it arrives
 *   at is none of the flowtable's.
 * @NFTO_REASON_PORT_UNBOUND: Direction not in hardware. The port takes no
 *   flows now; its state, error and sentence say why.
 * @NFTO_REASON_NO_ETHERNET: Direction not in hardware. It arrives at or leaves
 *   by something that is not Ethernet, or by a device that is none of the
 *   flowtable's.
 * @NFTO_REASON_NEIGHBOUR: Direction not in hardware. The next hop's link-layer
 *   address is not known now. Also, flow ended because it is known at last;
 *   the next packet begins a new one.
 * @NFTO_REASON_ENCAPSULATION: Direction not in hardware. A rule cannot say how
 *   its packets are wrapped (more tags, PPPoE or tunnels than a rule has room
 *   for).
 * @NFTO_REASON_ADDRESS: Direction not in hardware. The Ethernet address of the
 *   next hop or of the own device is none that can be written into a rule.
 * @NFTO_REASON_REFUSED: Direction not in hardware. The driver refused it, and
 *   is not asked again until something changes; error and sentence are the
 *   driver's.
 * @NFTO_REASON_FULL: Direction not in hardware. The device's table is full.
 * @NFTO_REASON_BUSY: Direction not in hardware. The driver failed in a way
 *   that may pass (EBUSY, ENOMEM, EEXIST...); it is asked again.
 * @NFTO_REASON_LOST: Direction not in hardware. The device has lost its entry,
 *   as after a reset; it is put back.
 * @NFTO_REASON_LEAVING: Direction not in hardware any more. It is being taken
 *   out or was, because the flow has ended or its entry has to be made anew.
 * @NFTO_REASON_NEIGHBOUR_CHANGED: Flow has ended. The next hop has another
 *   link-layer address now; the connection's next packet begins a new flow.
 * @NFTO_REASON_NEIGHBOUR_LOST: Flow has ended. The next hop does not answer
 *   any more; until it does the host has the packets, and tells who sends
 *   them.
 * @NFTO_REASON_DEVICE_CHANGED: Flow has ended. A device that it uses has
 *   another Ethernet address, MTU or master; the connection's next packet
 *   begins a new flow.
 * @NFTO_REASON_NO_CARRIER: Flow has ended. A device that it uses has lost its
 *   carrier, or has it again. Also, direction not in hardware while there is
 *   none.
 * @NFTO_REASON_BRIDGE_MOVED: Flow has ended. A bridge has learned its next hop
 *   at another port; the connection's next packet begins a new flow.
 * @NFTO_REASON_ROUTE_CHANGED: Flow has ended. It has another route now; the
 *   connection's next packet begins a new flow.
 * @NFTO_REASON_ROUTE_CHECK: Direction not in hardware, or packet left to the
 *   slow path. Routes have changed: one packet goes through routing first, to
 *   see whether this direction's has.
 * @NFTO_REASON_RULESET_CHECK: Direction not in hardware, or packet left to the
 *   slow path. The ruleset has changed: one packet goes through it first, and
 *   must reach "flow add" again.
 * @NFTO_REASON_RULESET_DENIED: Flow has ended. The ruleset has changed, and
 *   packets do not reach "flow add" any more.
 * @NFTO_REASON_DRIVER_UNKNOWN: Direction not in hardware. The port's driver is
 *   not known to carry out flows right, or is known not to; the port's
 *   sentence says so.
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
	NFTO_REASON_TABLE_GONE,
	NFTO_REASON_WORN_OUT,
	NFTO_REASON_DELETED,
	NFTO_REASON_SOFTWARE_TABLE,
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
	NFTO_REASON_DRIVER_UNKNOWN,

	/* private: */
	__NFTO_REASON_MAX,
	NFTO_REASON_MAX = (__NFTO_REASON_MAX - 1)
};

/**
 * enum nfto_port_state - Of a port.
 * @NFTO_PORT_STATE_UNBOUND: The device takes no flows; error and sentence say
 *   why. Tried again when there is hope.
 * @NFTO_PORT_STATE_BOUND: The driver has said that it takes flows.
 * @NFTO_PORT_STATE_SWITCHED_OFF: The device's feature hw-tc-offload is off
 *   (ethtool -K DEVICE hw-tc-offload on).
 * @NFTO_PORT_STATE_STUCK: The driver refuses to unbind, or to take entries
 *   out.
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
 * @NFTO_PORT_KIND_INDIRECT: By the indirect block, for devices without a
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
 * enum nfto_place - Where a flow is, by its directions. Exactly one of these
 *   is true of a flow.
 * @NFTO_PLACE_HARDWARE: Both directions are in the hardware.
 * @NFTO_PLACE_HALF: One of them is.
 * @NFTO_PLACE_WAITING: None is, and one has the reason "waiting" or is on its
 *   way in.
 * @NFTO_PLACE_SOFTWARE: None is, for other reasons.
 */
enum nfto_place {
	NFTO_PLACE_HARDWARE,
	NFTO_PLACE_HALF,
	NFTO_PLACE_WAITING,
	NFTO_PLACE_SOFTWARE,

	/* private: */
	__NFTO_PLACE_MAX,
	NFTO_PLACE_MAX = (__NFTO_PLACE_MAX - 1)
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
	NFTO_A_PORT_ERROR,
	NFTO_A_PORT_WHY,
	NFTO_A_PORT_USERS,
	NFTO_A_PORT_IN_HARDWARE,
	NFTO_A_PORT_FULL_AT,
	NFTO_A_PORT_QUEUED,
	NFTO_A_PORT_WORKERS,
	NFTO_A_PORT_ADDS,
	NFTO_A_PORT_REFUSED,
	NFTO_A_PORT_REMOVES,
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
	NFTO_A_TABLE_PAD = 1,
	NFTO_A_TABLE_ID,
	NFTO_A_TABLE_NAME,
	NFTO_A_TABLE_TABLE_NAME,
	NFTO_A_TABLE_FAMILY,
	NFTO_A_TABLE_PRIORITY,
	NFTO_A_TABLE_HW,
	NFTO_A_TABLE_COUNTER,
	NFTO_A_TABLE_DEVICE,
	NFTO_A_TABLE_FLOWS,
	NFTO_A_TABLE_PACKETS,
	NFTO_A_TABLE_BYTES,
	NFTO_A_TABLE_REASON_COUNT,
	NFTO_A_TABLE_FOLLOW_RULESET,

	__NFTO_A_TABLE_MAX,
	NFTO_A_TABLE_MAX = (__NFTO_A_TABLE_MAX - 1)
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
	NFTO_A_DIR_STATE,
	NFTO_A_DIR_REASON,
	NFTO_A_DIR_ERROR,
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
	NFTO_A_FILTER_TABLE = 1,
	NFTO_A_FILTER_IFINDEX,
	NFTO_A_FILTER_IN_IFINDEX,
	NFTO_A_FILTER_STATE,
	NFTO_A_FILTER_REASON,
	NFTO_A_FILTER_ADDRESS,
	NFTO_A_FILTER_PREFIX_LEN,
	NFTO_A_FILTER_PORT,
	NFTO_A_FILTER_L4PROTO,
	NFTO_A_FILTER_MARK,
	NFTO_A_FILTER_MARK_MASK,
	NFTO_A_FILTER_ZONE,
	NFTO_A_FILTER_PLACE,
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
	NFTO_A_FLOW_TABLE,
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
	NFTO_A_FLOW_REASON,

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
	NFTO_A_PROBE_ERROR,
	NFTO_A_PROBE_WHY,
	NFTO_A_PROBE_REASON,
	NFTO_A_PROBE_COUNTS,

	__NFTO_A_PROBE_MAX,
	NFTO_A_PROBE_MAX = (__NFTO_A_PROBE_MAX - 1)
};

enum {
	NFTO_A_STATS_PAD = 1,
	NFTO_A_STATS_TABLES,
	NFTO_A_STATS_PORTS,
	NFTO_A_STATS_FLOWS,
	NFTO_A_STATS_IN_HARDWARE,
	NFTO_A_STATS_PACKETS,
	NFTO_A_STATS_BYTES,
	NFTO_A_STATS_HW_PACKETS,
	NFTO_A_STATS_HW_BYTES,
	NFTO_A_STATS_REASON_COUNT,
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
	NFTO_A_REFUSAL_WHEN,
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
	NFTO_CMD_TABLE_GET,
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
	NFTO_CMD_TABLE_SET,
	NFTO_CMD_PORT_SET,

	__NFTO_CMD_MAX,
	NFTO_CMD_MAX = (__NFTO_CMD_MAX - 1)
};

#define NFTO_MCGRP_PORTS	"ports"
#define NFTO_MCGRP_FLOWS	"flows"
#define NFTO_MCGRP_REFUSALS	"refusals"

#endif /* _UAPI_LINUX_NFTO_H */

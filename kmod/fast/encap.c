// SPDX-License-Identifier: GPL-2.0
/*
 * VLAN tags and PPPoE around packets that arrive. Those around packets that
 * leave are put there by the device that they are handed to.
 */
#include <linux/if_vlan.h>
#include <linux/ppp_defs.h>
#include "fast/internal.h"

/* RFC 2516, section 4, and the protocol field of RFC 1661 */
struct pppoe {
	u8 version_type;
	u8 code;
	__be16 session;
	__be16 length;
	__be16 protocol;
};

#define VERSION_TYPE	0x11

static void note_encap(struct nfto_packet *p, u16 id, __be16 proto)
{
	p->key.encap[p->key.n_encap].id = id;
	p->key.encap[p->key.n_encap++].proto = proto;
}

/* A flow has a VLAN; which priority its packets have is their own affair. */
static __be16 parse_vlan(struct sk_buff *skb, struct nfto_packet *p)
{
	const struct vlan_hdr *vlan;

	if (!pskb_may_pull(skb, VLAN_HLEN))
		return 0;
	vlan = (const void *)skb_network_header(skb);
	note_encap(p, ntohs(vlan->h_vlan_TCI) & VLAN_VID_MASK, skb->protocol);
	p->offset = VLAN_HLEN;
	p->there = skb->len - VLAN_HLEN;
	return vlan->h_vlan_encapsulated_proto;
}

static __be16 parse_pppoe(struct sk_buff *skb, struct nfto_packet *p)
{
	const struct pppoe *pppoe;
	unsigned int length;

	if (!pskb_may_pull(skb, sizeof(*pppoe)))
		return 0;
	pppoe = (const void *)skb_network_header(skb);
	length = ntohs(pppoe->length);
	/* Everything else, and what is cut short, is left to pppoe_rcv(). */
	if (pppoe->version_type != VERSION_TYPE || pppoe->code ||
	    length < sizeof(pppoe->protocol) ||
	    skb->len - offsetof(struct pppoe, protocol) < length)
		return 0;
	p->there = length - sizeof(pppoe->protocol);
	note_encap(p, ntohs(pppoe->session), skb->protocol);
	p->offset = sizeof(*pppoe);
	switch (ntohs(pppoe->protocol)) {
	case PPP_IP:
		return htons(ETH_P_IP);
	case PPP_IPV6:
		return htons(ETH_P_IPV6);
	}
	return 0;
}

/**
 * nfto_encap_parse() - what is around a packet
 * @skb: as the ingress hook gets it: its outer tag is beside it
 * @p: @key.encap, @offset and @there are filled in
 *
 * Return: the EtherType of what is inside, or 0.
 */
__be16 nfto_encap_parse(struct sk_buff *skb, struct nfto_packet *p)
{
	if (skb_vlan_tag_present(skb))
		note_encap(p, skb_vlan_tag_get_id(skb), skb->vlan_proto);
	switch (skb->protocol) {
	case htons(ETH_P_8021Q):
		return parse_vlan(skb, p);
	case htons(ETH_P_PPP_SES):
		return parse_pppoe(skb, p);
	default:
		return skb->protocol;
	}
}

/**
 * nfto_encap_pop() - take it off
 * @skb: the packet, writable
 * @p: of nfto_encap_parse()
 * @proto: what is inside
 */
void nfto_encap_pop(struct sk_buff *skb, const struct nfto_packet *p,
		    __be16 proto)
{
	if (!p->key.n_encap)
		return;
	if (skb_vlan_tag_present(skb))
		__vlan_hwaccel_clear_tag(skb);
	__skb_pull(skb, p->offset);
	skb_reset_network_header(skb);
	skb->protocol = proto;
}

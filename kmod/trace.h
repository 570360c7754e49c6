/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints: /sys/kernel/tracing/events/nfto. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM nfto

#if !defined(_NFTO_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _NFTO_TRACE_H

#include <linux/in6.h>
#include <linux/tracepoint.h>
#include "netlink/netlink-names.h"
#include "events.h"
#include "flow/flow.h"
#include "hw/hw.h"
#include "nfto.h"

#ifndef _NFTO_TRACE_ADDR
#define _NFTO_TRACE_ADDR
#define NFTO_TRACE_WHY	128

/* A tuple's ends as sockaddr, for %pISpc. */
static inline void nfto_trace_ends(const struct nf_conntrack_tuple *t,
				   u8 src[sizeof(struct sockaddr_in6)],
				   u8 dst[sizeof(struct sockaddr_in6)])
{
	bool ports = t->dst.protonum == IPPROTO_TCP ||
		     t->dst.protonum == IPPROTO_UDP;

	memset(src, 0, sizeof(struct sockaddr_in6));
	memset(dst, 0, sizeof(struct sockaddr_in6));
	if (t->src.l3num == NFPROTO_IPV6) {
		struct sockaddr_in6 *s = (struct sockaddr_in6 *)src;
		struct sockaddr_in6 *d = (struct sockaddr_in6 *)dst;

		s->sin6_family = AF_INET6;
		d->sin6_family = AF_INET6;
		s->sin6_addr = t->src.u3.in6;
		d->sin6_addr = t->dst.u3.in6;
		s->sin6_port = ports ? t->src.u.all : 0;
		d->sin6_port = ports ? t->dst.u.all : 0;
	} else {
		struct sockaddr_in *s = (struct sockaddr_in *)src;
		struct sockaddr_in *d = (struct sockaddr_in *)dst;

		s->sin_family = AF_INET;
		d->sin_family = AF_INET;
		s->sin_addr.s_addr = t->src.u3.ip;
		d->sin_addr.s_addr = t->dst.u3.ip;
		s->sin_port = ports ? t->src.u.all : 0;
		d->sin_port = ports ? t->dst.u.all : 0;
	}
}
#endif

TRACE_DEFINE_ENUM(NFTO_EV_ADD);
TRACE_DEFINE_ENUM(NFTO_EV_ADDED);
TRACE_DEFINE_ENUM(NFTO_EV_FAILED);
TRACE_DEFINE_ENUM(NFTO_EV_REMOVE);
TRACE_DEFINE_ENUM(NFTO_EV_REMOVED);
TRACE_DEFINE_ENUM(NFTO_EV_STUCK);
TRACE_DEFINE_ENUM(NFTO_EV_LOST);

DECLARE_EVENT_CLASS(nfto_flow,
	TP_PROTO(const struct nfto_flow *flow),
	TP_ARGS(flow),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, table)
		__field(u8, l4proto)
		__field(u8, reason)
		__array(u8, src, sizeof(struct sockaddr_in6))
		__array(u8, dst, sizeof(struct sockaddr_in6))
	),
	TP_fast_assign(
		__entry->id = flow->id;
		__entry->table = flow->table->id;
		__entry->l4proto = flow->dir[0].proto;
		__entry->reason = flow->end_reason;
		nfto_trace_ends(&flow->ct->tuplehash[0].tuple, __entry->src,
				__entry->dst);
	),
	TP_printk("id=%llu flowtable=%u proto=%u src=%pISpc dst=%pISpc reason=%s",
		  __entry->id, __entry->table, __entry->l4proto, __entry->src,
		  __entry->dst,
		  __print_symbolic(__entry->reason, NFTO_REASON_NAMES))
);

DEFINE_EVENT(nfto_flow, nfto_flow_added,
	TP_PROTO(const struct nfto_flow *flow),
	TP_ARGS(flow)
);

DEFINE_EVENT(nfto_flow, nfto_flow_ended,
	TP_PROTO(const struct nfto_flow *flow),
	TP_ARGS(flow)
);

/* What a driver said is in @result until the direction is added again. */
TRACE_EVENT(nfto_dir,
	TP_PROTO(const struct nfto_dir *dir, unsigned int from,
		 unsigned int event, unsigned int to),
	TP_ARGS(dir, from, event, to),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(unsigned long, cookie)
		__field(int, err)
		__field(int, iif)
		__field(u8, reply)
		__field(u8, from)
		__field(u8, event)
		__field(u8, to)
		__field(u8, reason)
	),
	TP_fast_assign(
		nfto_result_text(dir->result, &__entry->err);
		__entry->id = nfto_flow_of(dir)->id;
		__entry->cookie = nfto_dir_cookie(dir);
		__entry->iif = dir->iif;
		__entry->reply = dir->reply;
		__entry->from = from;
		__entry->event = event;
		__entry->to = to;
		__entry->reason = dir->out_reason;
	),
	TP_printk("id=%llu dir=%s iif=%d cookie=%lx from=%s event=%s to=%s reason=%s err=%d",
		  __entry->id, __entry->reply ? "reply" : "orig", __entry->iif,
		  __entry->cookie,
		  __print_symbolic(__entry->from, NFTO_HW_NAMES),
		  __print_symbolic(__entry->event,
				   { NFTO_EV_ADD, "add" },
				   { NFTO_EV_ADDED, "added" },
				   { NFTO_EV_FAILED, "failed" },
				   { NFTO_EV_REMOVE, "remove" },
				   { NFTO_EV_REMOVED, "removed" },
				   { NFTO_EV_STUCK, "stuck" },
				   { NFTO_EV_LOST, "lost" }),
		  __print_symbolic(__entry->to, NFTO_HW_NAMES),
		  __print_symbolic(__entry->reason, NFTO_REASON_NAMES),
		  __entry->err)
);

TRACE_EVENT(nfto_port,
	TP_PROTO(const struct nfto_port *port),
	TP_ARGS(port),
	TP_STRUCT__entry(
		__array(char, name, IFNAMSIZ)
		__array(char, why, NFTO_TRACE_WHY)
		__field(int, ifindex)
		__field(int, err)
		__field(u8, state)
		__field(u8, kind)
	),
	TP_fast_assign(
		int unused;
		const char *why = nfto_result_text(port->result, &unused);

		strscpy(__entry->name, port->name, IFNAMSIZ);
		strscpy(__entry->why, why ?: "", NFTO_TRACE_WHY);
		__entry->ifindex = port->ifindex;
		__entry->err = port->error;
		__entry->state = port->state;
		__entry->kind = port->kind;
	),
	TP_printk("name=%s ifindex=%d state=%s kind=%s err=%d why=\"%s\"",
		  __entry->name, __entry->ifindex,
		  __print_symbolic(__entry->state, NFTO_PORT_STATE_NAMES),
		  __print_symbolic(__entry->kind, NFTO_PORT_KIND_NAMES),
		  __entry->err, __entry->why)
);

TRACE_EVENT(nfto_refuse,
	TP_PROTO(const struct nf_conn *ct, unsigned int reason),
	TP_ARGS(ct, reason),
	TP_STRUCT__entry(
		__field(u8, l4proto)
		__field(u8, reason)
		__array(u8, src, sizeof(struct sockaddr_in6))
		__array(u8, dst, sizeof(struct sockaddr_in6))
	),
	TP_fast_assign(
		__entry->l4proto = nf_ct_protonum(ct);
		__entry->reason = reason;
		nfto_trace_ends(&ct->tuplehash[0].tuple, __entry->src,
				__entry->dst);
	),
	TP_printk("proto=%u src=%pISpc dst=%pISpc reason=%s",
		  __entry->l4proto, __entry->src, __entry->dst,
		  __print_symbolic(__entry->reason, NFTO_REASON_NAMES))
);

/* A look at what routes have changed. */
TRACE_EVENT(nfto_routes,
	TP_PROTO(const struct nfto_routes_seen *seen),
	TP_ARGS(seen),
	TP_STRUCT__entry(
		__field(u32, changes)
		__field(u32, all)
		__field(u32, nexthops)
		__field(u32, walked)
		__field(u32, ended)
		__field(u32, renewed)
	),
	TP_fast_assign(
		__entry->changes = seen->changes;
		__entry->all = seen->all;
		__entry->nexthops = seen->nexthops;
		__entry->walked = seen->walked;
		__entry->ended = seen->ended;
		__entry->renewed = seen->renewed;
	),
	TP_printk("changes=%u all=%u nexthops=%u walked=%u ended=%u renewed=%u",
		  __entry->changes, __entry->all, __entry->nexthops,
		  __entry->walked, __entry->ended, __entry->renewed)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>

/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of hw/ share. */
#ifndef _NFTO_HW_INTERNAL_H
#define _NFTO_HW_INTERNAL_H

#include <net/pkt_cls.h>
#include "nfto.h"
#include "events.h"
#include "hw/hw.h"

/* What is kept of a driver's sentence; with its end. */
#define NFTO_TEXT_MAX	160

/* A worker takes and gives back that many at once. */
#define BATCH	16

enum op {
	OP_NONE,
	OP_ADD,
	OP_REMOVE,
	OP_STATS,
	OP_STUCK,	/* nothing, until it is tried again */
	OP_END,		/* the flow has no numbers left */
};

/**
 * struct nfto_worker - one of a port's workers
 * @work: runs while there is something in the queue
 * @port: the port
 * @rule: where it builds rules
 * @cls: where it builds commands
 * @extack: what the driver says
 * @stats: what it was asked; only this worker writes
 * @batch: what it works on
 * @op: what is to be done with each of them; at the end OP_NONE or OP_STUCK
 * @n: how many
 * @n_adds: how many of them are to be put in, and are not yet
 * @item: number of the first of them, 0: none; under the port's lock
 * @calls: how many it has made
 * @running: it is queued or runs; under the port's lock
 */
struct nfto_worker {
	struct delayed_work work;
	struct nfto_port *port;
	struct nfto_rule *rule;
	struct flow_cls_offload cls;
	struct netlink_ext_ack extack;
	struct nfto_port_stats stats;
	struct nfto_dir *batch[BATCH];
	enum op op[BATCH];
	unsigned int n;
	unsigned int n_adds;
	u64 item;
	u32 calls;
	bool running;
};

enum nfto_trust {
	NFTO_TRUST_UNKNOWN,	/* nobody has looked */
	NFTO_TRUST_RIGHT,	/* does what it is asked, or refuses */
	NFTO_TRUST_ADMIN,	/* leaves something out that the admin may accept */
	NFTO_TRUST_WRONG,	/* accepts, and does something else */
};

/**
 * struct nfto_dialect - how a rule has to be written so that a driver is right
 * @driver: its name, with a star at the beginning or the end for any; or ""
 * @trust: enum nfto_trust, when it is bound by TC_SETUP_BLOCK
 * @harm: what it does with packets then, "driver X ..."; unless it is right
 * @ttl: enum nfto_ttl; unknown: that is found out
 * @csum: it wants to be told that checksums change, where IPv4's header does
 * @meta: it wants to know the ingress port; otherwise the block is the port's
 * @tcp_flags: it can leave packets with FIN or RST to the host
 * @outer_first: of two tags the outer one is pushed first, as nf_flow_table has
 *	it, and not the inner one, as TC has it
 * @decapsulates: it takes PPPoE off by itself; there is no key or action for that
 * @only_8021q: it does not push other tags, and does not look at those that come
 * @ipv6_own_source: it writes its port's own address as an IPv6 packet's source
 * @max_encap: that many tags, 0: as many as there can be
 * @full: errno for a full table beside -ENOSPC, or 0
 * @gone: errno for an entry that it does not have, beside the usual ones, or 0
 */
struct nfto_dialect {
	const char *driver;
	u8 trust;
	const char *harm;
	u8 ttl;
	bool csum;
	bool meta;
	bool tcp_flags;
	bool outer_first;
	bool decapsulates;
	bool only_8021q;
	bool ipv6_own_source;
	u8 max_encap;
	int full;
	int gone;
};

/* dialect.c */
const struct nfto_dialect *nfto_dialect_of(struct net_device *dev,
					   enum nfto_port_kind kind,
					   char name[NFTO_DRIVER_LEN]);
bool nfto_dialect_may_block(const struct nfto_dialect *d, const char *driver,
			    u8 block);
u8 nfto_choice_get(struct nfto_net *nn, const struct net_device *dev,
		   const char *driver);
int nfto_choice_set(struct nfto_net *nn, const struct net_device *dev,
		    const char *driver, u8 block);

/* port.c */
void nfto_port_bind_rtnl(struct nfto_port *port);

/* engine.c */
int nfto_engine_start(struct nfto_port *port);
void nfto_engine_free(struct nfto_port *port);
void nfto_engine_kick_all(struct nfto_port *port);
void nfto_engine_flush(struct nfto_port *port);
void nfto_engine_flush_dev(struct nfto_port *port, int ifindex,
			   unsigned long until);
void nfto_engine_drain(struct nfto_port *port);

/* worker.c */
struct nfto_worker *nfto_worker_alloc(struct nfto_port *port);
void nfto_worker_free(struct nfto_worker *w);
void nfto_worker_batch(struct nfto_worker *w);
enum nfto_reason nfto_worker_offer(struct nfto_worker *w,
				   const struct nfto_dir *dir, int *err,
				   const char **why);
bool nfto_worker_counts(struct nfto_worker *w, const struct nfto_dir *dir);
bool nfto_worker_withdraw(struct nfto_worker *w, const struct nfto_dir *dir);

/* rule.c */
struct nfto_rule *nfto_rule_alloc(void);
void nfto_rule_free(struct nfto_rule *rule);
enum nfto_reason nfto_rule_build(struct nfto_rule *rule,
				 const struct nfto_dir *dir,
				 const struct nfto_dialect *d, bool ttl);
struct flow_rule *nfto_rule_get(struct nfto_rule *rule);

/* result.c */
u16 nfto_result_get(int err, const char *text);

#endif

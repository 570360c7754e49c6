// SPDX-License-Identifier: GPL-2.0
/*
 * Packets between the contexts of the adapter: a queue and the NAPI that
 * empties it, on a CPU of the admin's choice.
 */
#include <linux/delay.h>
#include "sim.h"

/* A producer is stopped at this many packets and woken at half of it. */
#define RING_FULL	1024
/* What comes from elsewhere (other ports) is dropped only here. */
#define RING_MAX	(4 * RING_FULL)

static void kick(void *data)
{
	struct sim_ring *ring = data;

	clear_bit(0, &ring->kicked);
	/* Pairs with test_and_set_bit(): who saw the bit is polled for here. */
	smp_mb__after_atomic();
	napi_schedule(&ring->napi);
}

void sim_ring_init(struct sim_ring *ring, struct net_device *dev,
		   struct net_device *producer, const int *cpu,
		   int (*poll)(struct napi_struct *napi, int budget))
{
	skb_queue_head_init(&ring->in);
	__skb_queue_head_init(&ring->work);
	INIT_CSD(&ring->csd, kick, ring);
	ring->cpu = cpu;
	ring->producer = producer;
	netif_napi_add(dev, &ring->napi, poll);
}

void sim_ring_open(struct sim_ring *ring)
{
	skb_queue_purge(&ring->in);
	napi_enable(&ring->napi);
	WRITE_ONCE(ring->open, true);
}

/*
 * The netdev goes down. A producer that saw @open may still append: what it
 * leaves is freed when the netdev opens again or by sim_ring_free().
 */
void sim_ring_close(struct sim_ring *ring)
{
	WRITE_ONCE(ring->open, false);
	napi_disable(&ring->napi);
	skb_queue_purge(&ring->in);
	__skb_queue_purge(&ring->work);
}

/*
 * Both netdevs of all ports are unregistered, and that includes a
 * synchronize_net() after the rings were closed: no producer is left, all of
 * them being in softirq or under a transmit queue's lock. Only an interrupt
 * that was on its way can still come; it finds the NAPI disabled.
 */
void sim_ring_free(struct sim_ring *ring)
{
	if (!ring->cpu)
		return;
	while (test_bit(0, &ring->kicked))
		usleep_range(10, 100);
	skb_queue_purge(&ring->in);
	netif_napi_del(&ring->napi);
}

static void ring_schedule(struct sim_ring *ring)
{
	int cpu = READ_ONCE(*ring->cpu);

	if (cpu < 0 || cpu == smp_processor_id()) {
		napi_schedule(&ring->napi);
		return;
	}
	if (test_and_set_bit(0, &ring->kicked))
		return;
	if (!cpu_online(cpu) ||
	    smp_call_function_single_async(cpu, &ring->csd)) {
		clear_bit(0, &ring->kicked);
		napi_schedule(&ring->napi);
	}
}

/**
 * sim_ring_put() - give a packet to the ring's context
 * @ring: the ring
 * @skb: always consumed
 *
 * Context: BH disabled.
 * Return: false when the packet was dropped because the ring is full or closed.
 */
bool sim_ring_put(struct sim_ring *ring, struct sk_buff *skb)
{
	if (!READ_ONCE(ring->open) || skb_queue_len_lockless(&ring->in) >= RING_MAX) {
		kfree_skb(skb);
		return false;
	}

	skb_queue_tail(&ring->in, skb);
	if (ring->producer &&
	    skb_queue_len_lockless(&ring->in) >= RING_FULL) {
		netif_stop_queue(ring->producer);
		/* Pairs with the barrier in sim_ring_get(): one of us sees it. */
		smp_mb__after_atomic();
		if (skb_queue_len_lockless(&ring->in) < RING_FULL / 2)
			netif_wake_queue(ring->producer);
	}
	ring_schedule(ring);
	return true;
}

/**
 * sim_ring_get() - the next packet
 * @ring: the ring
 *
 * Context: the ring's NAPI poll.
 * Return: a packet, or NULL when there is none.
 */
struct sk_buff *sim_ring_get(struct sim_ring *ring)
{
	if (skb_queue_empty(&ring->work)) {
		spin_lock(&ring->in.lock);
		skb_queue_splice_tail_init(&ring->in, &ring->work);
		spin_unlock(&ring->in.lock);

		smp_mb(); /* Pairs with the barrier in sim_ring_put(). */
		if (ring->producer && netif_running(ring->producer) &&
		    netif_queue_stopped(ring->producer))
			netif_wake_queue(ring->producer);
	}
	return __skb_dequeue(&ring->work);
}

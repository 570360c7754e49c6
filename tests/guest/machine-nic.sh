#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The simulated NIC of a machine of its own, and hosts behind it: netns a behind
# lan, b behind wan. The machine is the router.
#
#   machine-nic.sh early|late   at boot; another adapter, with far0 and far1
set -eu

sim=/sys/kernel/debug/nft_offload_sim

if [ "$1" = late ]; then
	echo "sim1 profile=mlx5-rep host=far0,far1 wire=far0w,far1w" >$sim/new_adapter
	ip link set far0 up
	ip link set far1 up
	exit
fi
modprobe nft_offload_sim
echo "sim0 profile=mlx5-rep host=lan,wan wire=lanw,wanw" >$sim/new_adapter
sysctl -qw net.ipv4.ip_forward=1
n=0
for pair in a:lan b:wan; do
	ns=${pair%:*} dev=${pair#*:} n=$((n + 1))
	ip netns add "$ns"
	ip link set "${dev}w" netns "$ns"
	ip addr add "10.$n.0.1/24" dev "$dev"
	ip link set "$dev" up
	ip -n "$ns" link set lo up
	ip -n "$ns" addr add "10.$n.0.2/24" dev "${dev}w"
	ip -n "$ns" link set "${dev}w" up
	ip -n "$ns" route add default via "10.$n.0.1"
done

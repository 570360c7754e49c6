// SPDX-License-Identifier: GPL-2.0
/*
 * A socket of the kernel's own that hears what subsystems announce on their netlink
 * groups, where they have no notifier for modules.
 */
#include <linux/net.h>
#include <linux/random.h>
#include <net/sock.h>
#include "way/internal.h"

/*
 * Reads all that has come. A message that was lost may have been any: then @lost is
 * called, once.
 */
static void listen_work(struct work_struct *work)
{
	struct nfto_listener *l = container_of(work, struct nfto_listener, work);
	struct nlmsghdr nlh;
	bool lost = false;
	int len;

	if (READ_ONCE(l->closed))
		return;
	for (;;) {
		struct kvec vec = { .iov_base = &nlh, .iov_len = sizeof(nlh) };
		struct msghdr msg = {};

		len = kernel_recvmsg(l->sock, &msg, &vec, 1, sizeof(nlh),
				     MSG_DONTWAIT);
		if (len == -ENOBUFS)
			lost = true;
		else if (len < 0)
			break;
		else if (len == sizeof(nlh))
			l->heard(l->nn, nlh.nlmsg_type, nlh.nlmsg_len);
	}
	if (lost)
		l->heard(l->nn, 0, 0);
	if (l->end)
		l->end(l->nn);
}

/* Context: any; also where messages were lost. */
static void wake_listener(struct sock *sk)
{
	struct nfto_listener *l = sk->sk_user_data;

	queue_work(nfto_wq, &l->work);
}

/*
 * The socket holds no reference of its netns. It is bound to a random port number,
 * because that of the current process may be wanted by the process. It is connected
 * to the kernel, so that nobody else can send to it: then sock_release() waits for
 * everybody who might call wake_listener().
 */
static int join_groups(struct nfto_listener *l, struct socket *sock, u32 groups)
{
	struct sockaddr_nl addr = {
		.nl_family = AF_NETLINK,
		.nl_pid = get_random_u32() | BIT(31),
		.nl_groups = groups,
	};
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	sock->sk->sk_user_data = l;
	sock->sk->sk_data_ready = wake_listener;
	sock->sk->sk_error_report = wake_listener;
	/* The type of the address differs between kernels. */
	return kernel_bind(sock, (void *)&addr, sizeof(addr)) ?:
	       kernel_connect(sock, (void *)&kernel, sizeof(kernel), 0);
}

void nfto_listen_init(struct nfto_listener *l, struct nfto_net *nn,
		      void (*heard)(struct nfto_net *nn, u16 type, u32 len),
		      void (*end)(struct nfto_net *nn))
{
	l->nn = nn;
	l->heard = heard;
	l->end = end;
	INIT_WORK(&l->work, listen_work);
}

int nfto_listen_open(struct nfto_listener *l, int protocol, u32 groups)
{
	struct socket *sock;
	int err;

	if (l->sock)
		return 0;
	err = sock_create_kern(l->nn->net, PF_NETLINK, SOCK_RAW, protocol, &sock);
	if (err)
		return err;
	/* The work reads from this. */
	l->sock = sock;
	err = join_groups(l, sock, groups);
	if (err)
		nfto_listen_close(l);
	return err;
}

/* The work may be queued, but it does not touch the socket any more. */
void nfto_listen_close(struct nfto_listener *l)
{
	if (!l->sock)
		return;
	WRITE_ONCE(l->closed, true);
	cancel_work_sync(&l->work);
	sock_release(l->sock);
	cancel_work_sync(&l->work);
	l->sock = NULL;
	l->closed = false;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nf_conntrack_nfqftp - conntrack helper "nfq-ftp": queues those packets of FTP control connections that nfq-ftp-helper
 * must see, and no others.
 *
 * Which packets these are is core/wire/scan.h's, which keeps its 32 bytes in the helper's private data. This file is
 * what connects it with the kernel; compat.h knows in what kernels differ.
 *
 * The helper's help() accepts everything. Packets are queued from hooks of our own, right before the one in which
 * conntrack calls help(), adjusts sequence numbers and confirms. A packet that help() queued would skip the rest of that
 * hook when nobody listens to the queue, and so leave with wrong numbers where an earlier one was edited; queued here, it
 * goes through it in any case, once.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "compat.h"
#include "core/wire/scan.h"
#include "fast.h"

#include <generated/utsrelease.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/jhash.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_helper.h>
#include <net/netlink.h>
#include <net/tcp.h>

MODULE_LICENSE("GPL");
MODULE_AUTHOR("the nfq-ftp-helper authors");
MODULE_DESCRIPTION("FTP connection tracking helper that asks user space");
MODULE_ALIAS_NFCT_HELPER(NFQFTP_NAME);

static ushort queue;
module_param(queue, ushort, 0644);
MODULE_PARM_DESC(queue, "first queue (0)");

static ushort queues = 1;
module_param(queues, ushort, 0644);
MODULE_PARM_DESC(queues, "number of queues, connections are spread over them (1)");

static int sure_queue = -1;
module_param(sure_queue, int, 0644);
MODULE_PARM_DESC(sure_queue, "first of as many queues for marked connections, -1: the same queues (-1)");

static uint mark = 0x200000;
module_param(mark, uint, 0644);
MODULE_PARM_DESC(mark, "connections with one of these bits in their mark never bypass the queue (0x200000)");

static bool scan = true;
module_param(scan, bool, 0644);
MODULE_PARM_DESC(scan, "queue only what user space must see (Y); N: all that carry payload");

/* ---- counters ---- */

struct nfqftp_counters {
	unsigned long packets; /* of control connections */
	unsigned long payload; /* of these, with payload */
	unsigned long queued;
	unsigned long sure;    /* of these, of marked connections */
	unsigned long related; /* of data connections that were given the helper too: accepted */
};

static DEFINE_PER_CPU(struct nfqftp_counters, nfqftp_counters);

static int counters_get(char *buffer, const struct kernel_param *kp)
{
	struct nfqftp_counters sum = {};
	int cpu, length;

	for_each_possible_cpu(cpu) {
		const struct nfqftp_counters *one = per_cpu_ptr(&nfqftp_counters, cpu);

		sum.packets += READ_ONCE(one->packets);
		sum.payload += READ_ONCE(one->payload);
		sum.queued += READ_ONCE(one->queued);
		sum.sure += READ_ONCE(one->sure);
		sum.related += READ_ONCE(one->related);
	}
	length = scnprintf(buffer, PAGE_SIZE, "packets %lu\npayload %lu\nqueued %lu\nsure %lu\nrelated %lu\n",
			   sum.packets, sum.payload, sum.queued, sum.sure, sum.related);
	return length + fast_print(buffer + length, PAGE_SIZE - length);
}

static const struct kernel_param_ops counters_ops = {
	.get = counters_get,
};

module_param_cb(counters, &counters_ops, NULL, 0444);
MODULE_PARM_DESC(counters, "packets seen and queued (read only)");

static int layout_get(char *buffer, const struct kernel_param *kp)
{
	return scnprintf(buffer, PAGE_SIZE, "%u\n", SCAN_LAYOUT);
}

static const struct kernel_param_ops layout_ops = {
	.get = layout_get,
};

module_param_cb(layout, &layout_ops, NULL, 0444);
MODULE_PARM_DESC(layout, "what its notes for user space look like (read only)");

/* ---- a packet ---- */

/* A segment, and where its payload stands. */
struct nfqftp_packet {
	struct scan_segment segment;
	unsigned int protoff;
	unsigned int payload;
};

/* Offset of the TCP header, negative where there is none. */
static int tcp_offset(const struct sk_buff *skb, u8 pf)
{
	__be16 fragment;
	int offset;
	u8 next;

	if (pf == NFPROTO_IPV4)
		return skb_network_offset(skb) + ip_hdrlen(skb);
	next = ipv6_hdr(skb)->nexthdr;
	offset = ipv6_skip_exthdr(skb, skb_network_offset(skb) + sizeof(struct ipv6hdr), &next, &fragment);
	return next == IPPROTO_TCP ? offset : -1;
}

static bool look_at(struct nfqftp_packet *packet, const struct sk_buff *skb, u8 pf)
{
	const int offset = tcp_offset(skb, pf);
	const struct tcphdr *th;
	struct tcphdr header;

	if (offset < 0)
		return false;
	th = skb_header_pointer(skb, offset, sizeof(header), &header);
	if (!th || th->doff * 4 < sizeof(header))
		return false;
	packet->protoff = offset;
	packet->payload = offset + th->doff * 4;
	if (packet->payload > skb->len)
		return false;
	packet->segment = (struct scan_segment){
		.seq = ntohl(th->seq),
		.ack = ntohl(th->ack_seq),
		.length = skb->len - packet->payload,
		.flags = tcp_flag_byte(th),
	};
	return true;
}

static void read_payload(struct scan *state, struct nfqftp_packet *packet, const struct sk_buff *skb, u32 fresh)
{
	unsigned int offset = skb->len - fresh;
	u8 buffer[128];

	while (offset < skb->len) {
		const unsigned int length = min_t(unsigned int, skb->len - offset, sizeof(buffer));
		const u8 *data = skb_header_pointer(skb, offset, length, buffer);

		if (!data) {
			scan_whole(state);
			return;
		}
		scan_read(state, &packet->segment, data, length);
		offset += length;
	}
}

/* The largest window advertised for what a direction sends: conntrack sees every packet. As MAXACKWINDOW there. */
static u32 largest_window(const struct nf_conn *ct, enum ip_conntrack_dir dir)
{
	return clamp_t(u32, READ_ONCE(ct->proto.tcp.seen[!dir].td_maxwin), 66000, 1 << 30);
}

/*
 * All packets of a marked connection are needed in user space, and none may bypass: one that conntrack does not adjust is
 * adjusted there; one that it adjusts carries the mark while an edit is in flight, of which conntrack need not have been
 * told all.
 */
static bool is_marked(const struct nf_conn *ct)
{
#if IS_ENABLED(CONFIG_NF_CONNTRACK_MARK)
	return READ_ONCE(ct->mark) & READ_ONCE(mark);
#else
	return false;
#endif
}

/* What becomes of a packet. */
enum nfqftp_way {
	NFQFTP_PASS,
	NFQFTP_SENT, /* passes, with text of ours: user space never sees it */
	NFQFTP_QUEUE,
	NFQFTP_DROP,
};

static enum nfqftp_way scan_packet(struct scan *state, const struct fast_packet *place, struct nfqftp_packet *packet)
{
	const u32 fresh = scan_begin(state, &packet->segment);
	const enum fast_way again = fast_again(place, state, &packet->segment);
	bool hand_over;

	if (again != FAST_NOT)
		return again == FAST_PASS ? NFQFTP_SENT : NFQFTP_DROP;
	read_payload(state, packet, place->skb, fresh);
	fast_carry_out(place->ct, &packet->segment);
	if (scan_announces(state, &packet->segment))
		fast_announce(place, &packet->segment);
	hand_over = scan_end(state, &packet->segment);
	fast_carry_out(place->ct, &packet->segment);
	fast_keep(place->ct, state, &packet->segment);
	if (hand_over)
		return NFQFTP_QUEUE;
	return packet->segment.edited ? NFQFTP_SENT : NFQFTP_PASS;
}

/* Must user space see it? @marked: it has a hand in the connection. */
static enum nfqftp_way decide(struct nf_conn *ct, struct scan *private, enum ip_conntrack_info ctinfo,
			      struct nfqftp_packet *packet, struct sk_buff *skb, bool marked)
{
	const enum ip_conntrack_dir dir = CTINFO2DIR(ctinfo);
	const struct fast_packet place = { skb, ct, ctinfo, packet->protoff, packet->payload };
	const bool checked = READ_ONCE(nf_ct_net(ct)->ct.sysctl_checksum);
	spinlock_t *lock = fast_lock(ct);
	enum nfqftp_way way;
	struct seqadj adj;
	struct scan state;

	packet->segment.side = dir == IP_CT_DIR_ORIGINAL ? DIRECTION_ORIGINAL : DIRECTION_REPLY;
	packet->segment.window[DIRECTION_ORIGINAL] = largest_window(ct, IP_CT_DIR_ORIGINAL);
	packet->segment.window[DIRECTION_REPLY] = largest_window(ct, IP_CT_DIR_REPLY);
	spin_lock_bh(lock);
	state = *private;
	if (!checked) /* packets come with wrong checksums: nobody may go by what they say */
		scan_whole(&state);
	/* In the numbers of the one who sent what is acknowledged: conntrack is yet to adjust it. */
	adj = fast_adjustment(ct, !dir);
	packet->segment.ack = seqadj_back(&adj, packet->segment.ack);
	fast_look_at(&place, !marked && checked && READ_ONCE(scan), &state, &packet->segment);
	way = scan_packet(&state, &place, packet);
	fast_publish(ct, private, &state);
	spin_unlock_bh(lock);
	return way;
}

/* What is handed over without the scan. */
static bool carries_something(const struct scan_segment *segment)
{
	return segment->length || segment->flags & (SCAN_SYN | SCAN_FIN | SCAN_RST);
}

/* Both directions of a connection go to the same queue, also when a later one has the same addresses. */
static u32 flow_hash(const struct nf_conn *ct)
{
	const struct nf_conntrack_tuple *tuple = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	const u32 ports = (__force u32)tuple->src.u.tcp.port << 16 | (__force u32)tuple->dst.u.tcp.port;

	return jhash2(tuple->src.u3.all, ARRAY_SIZE(tuple->src.u3.all),
		      jhash2(tuple->dst.u3.all, ARRAY_SIZE(tuple->dst.u3.all), ports));
}

static unsigned int to_queue(const struct nf_conn *ct, bool sure)
{
	const u32 number = reciprocal_scale(flow_hash(ct), max_t(u32, READ_ONCE(queues), 1));
	const int sure_first = READ_ONCE(sure_queue);

	this_cpu_inc(nfqftp_counters.queued);
	if (!sure)
		return NF_QUEUE_NR(READ_ONCE(queue) + number) | NF_VERDICT_FLAG_QUEUE_BYPASS;
	this_cpu_inc(nfqftp_counters.sure);
	return NF_QUEUE_NR((sure_first < 0 ? READ_ONCE(queue) : sure_first) + number);
}

static int nfqftp_help(struct sk_buff *skb, unsigned int protoff, struct nf_conn *ct, enum ip_conntrack_info ctinfo)
{
	return NF_ACCEPT;
}

/*
 * The connection of a packet that is ours and goes this way for the first time, and its scan, which is not to be looked
 * for again: until a connection is confirmed, its extension is gone for whoever asks after any helper has been
 * unregistered. Its first packet is the SYN, or it is none of conntrack's.
 */
static struct nf_conn *our_connection(const struct sk_buff *skb, const struct nf_hook_state *state,
				      enum ip_conntrack_info *ctinfo, struct scan **scan_state)
{
	const struct nf_conntrack_helper *helper;
	struct nf_conn_help *help;
	struct nf_conn *ct;

	ct = nf_ct_get(skb, ctinfo);
	if (!ct || (*ctinfo != IP_CT_ESTABLISHED && *ctinfo != IP_CT_ESTABLISHED_REPLY && *ctinfo != IP_CT_NEW))
		return NULL;
	help = nfct_help(ct);
	if (!help)
		return NULL;
	helper = rcu_dereference(help->helper);
	if (!helper || !compat_helper_is(helper, nfqftp_help) || nf_ct_protonum(ct) != IPPROTO_TCP)
		return NULL;
	/* On its way through a VRF, or through the loopback device, a packet passes twice. */
	if (nf_is_loopback_packet(skb) || (state->hook == NF_INET_POST_ROUTING && netif_is_l3_master(state->out)))
		return NULL;
	*scan_state = (struct scan *)help->data;
	return ct;
}

static unsigned int nfqftp_hook(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct nfqftp_packet packet;
	enum ip_conntrack_info ctinfo;
	struct scan *scan_state;
	enum nfqftp_way way;
	struct nf_conn *ct;
	bool marked;

	ct = our_connection(skb, state, &ctinfo, &scan_state);
	if (!ct)
		return NF_ACCEPT;
	if (ct->master) { /* some kernels give the helper to data connections too */
		this_cpu_inc(nfqftp_counters.related);
		return NF_ACCEPT;
	}
	if (!look_at(&packet, skb, state->pf))
		return NF_ACCEPT;
	this_cpu_inc(nfqftp_counters.packets);
	if (packet.segment.length)
		this_cpu_inc(nfqftp_counters.payload);
	marked = is_marked(ct);
	way = decide(ct, scan_state, ctinfo, &packet, skb, marked);
	if (way == NFQFTP_DROP || way == NFQFTP_SENT)
		return way == NFQFTP_DROP ? NF_DROP : NF_ACCEPT;
	if (!READ_ONCE(scan) && carries_something(&packet.segment))
		way = NFQFTP_QUEUE;
	if (way == NFQFTP_PASS && !marked)
		return NF_ACCEPT;
	return to_queue(ct, marked);
}

/* ---- ctnetlink ---- */

/* The caller has found the extension already, but until a connection is confirmed it may be gone the next time. */
static int nfqftp_to_nlattr(struct sk_buff *skb, const struct nf_conn *ct)
{
	spinlock_t *lock = &((struct nf_conn *)ct)->lock;
	const struct nf_conn_help *help = nfct_help(ct);
	struct scan state;

	if (!help)
		return 0;
	spin_lock_bh(lock);
	memcpy(&state, help->data, sizeof(state));
	spin_unlock_bh(lock);
	return nla_put(skb, CTA_HELP_INFO, sizeof(state), &state) ? -ENOSPC : 0;
}

/* ---- registration ---- */

// clang-format off
#define NFQFTP_POLICY							\
	{								\
		.name = NFQFTP_NAME,					\
		.max_expected = FTP_EXPECTED_MAX,			\
		.timeout = FTP_EXPECTED_SECONDS,			\
	}
// clang-format on

static const struct nf_conntrack_expect_policy nfqftp_policy[FAST_CLASSES] = {
	[FAST_USER_SPACES] = NFQFTP_POLICY,
	[FAST_UNANSWERED] = NFQFTP_POLICY,
	[FAST_ACCEPTED] = NFQFTP_POLICY,
	[FAST_AWAITED] = NFQFTP_POLICY,
};

static const u8 nfqftp_families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };
static struct nf_conntrack_helper nfqftp_helpers[ARRAY_SIZE(nfqftp_families)];
static struct nf_conntrack_helper *nfqftp_registered[ARRAY_SIZE(nfqftp_families)];

static int nfqftp_register(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nfqftp_families); i++) {
		compat_helper_init(&nfqftp_helpers[i], nfqftp_families[i], NFQFTP_NAME, nfqftp_policy, FAST_CLASSES - 1,
				   nfqftp_help);
		nfqftp_helpers[i].to_nlattr = nfqftp_to_nlattr;
	}
	return compat_helpers_register(nfqftp_helpers, ARRAY_SIZE(nfqftp_helpers), nfqftp_registered);
}

static void nfqftp_unregister(void)
{
	compat_helpers_unregister(nfqftp_registered, ARRAY_SIZE(nfqftp_registered));
}

/* @confirm: priority of conntrack's own hook there. Of two with the same, the one registered last would come first. */
// clang-format off
#define NFQFTP_HOOK(family, where, confirm)				\
	{								\
		.hook = nfqftp_hook,					\
		.pf = (family),						\
		.hooknum = (where),					\
		.priority = (confirm) - 1,				\
	}
// clang-format on

static const struct nf_hook_ops nfqftp_hooks[] = {
	NFQFTP_HOOK(NFPROTO_IPV4, NF_INET_POST_ROUTING, NF_IP_PRI_CONNTRACK_CONFIRM),
	NFQFTP_HOOK(NFPROTO_IPV4, NF_INET_LOCAL_IN, NF_IP_PRI_CONNTRACK_CONFIRM),
	NFQFTP_HOOK(NFPROTO_IPV6, NF_INET_POST_ROUTING, NF_IP6_PRI_LAST),
	NFQFTP_HOOK(NFPROTO_IPV6, NF_INET_LOCAL_IN, NF_IP6_PRI_LAST - 1),
};

static int __net_init nfqftp_net_init(struct net *net)
{
	return nf_register_net_hooks(net, nfqftp_hooks, ARRAY_SIZE(nfqftp_hooks));
}

static void __net_exit nfqftp_net_exit(struct net *net)
{
	nf_unregister_net_hooks(net, nfqftp_hooks, ARRAY_SIZE(nfqftp_hooks));
}

static struct pernet_operations nfqftp_net_ops = {
	.init = nfqftp_net_init,
	.exit = nfqftp_net_exit,
};

/* What whoever loads it should know. Without marks it queues what the scan asks for, and no more. */
static void tell_of_kernel(void)
{
#ifdef NFQFTP_UNTRIED
	pr_info("it has not been tried on this kernel, " UTS_RELEASE ", which has an interface that it knows\n");
#endif
#if !IS_ENABLED(CONFIG_NF_CONNTRACK_MARK)
	pr_warn("this kernel has no connection marks (CONFIG_NF_CONNTRACK_MARK):\n");
	pr_warn("edited connections pass while nobody is on the queue, and those that user space adjusts break\n");
#endif
}

static int __init nfqftp_init(void)
{
	int error;

	NF_CT_HELPER_BUILD_BUG_ON(sizeof(struct scan));

	error = fast_init();
	if (error)
		return error;
	error = nfqftp_register();
	if (error) {
		if (error == -EBUSY)
			pr_err("a helper \"" NFQFTP_NAME "\" is there already: nfct helper delete " NFQFTP_NAME "\n");
		goto exit_fast;
	}
	error = register_pernet_subsys(&nfqftp_net_ops);
	if (error)
		goto unregister;
	tell_of_kernel();
	return 0;

unregister:
	nfqftp_unregister();
exit_fast:
	fast_exit();
	return error;
}

/* Unregistering the helpers waits until no hook runs any more. */
static void __exit nfqftp_exit(void)
{
	unregister_pernet_subsys(&nfqftp_net_ops);
	nfqftp_unregister();
	fast_exit();
}

module_init(nfqftp_init);
module_exit(nfqftp_exit);

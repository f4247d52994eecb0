// SPDX-License-Identifier: GPL-2.0-or-later
#include "fast_expect.h"

#include "compat.h"

#include <linux/jiffies.h>
#include <linux/moduleparam.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_expect.h>
#include <net/netfilter/nf_conntrack_helper.h>
#include <net/netfilter/nf_nat.h>
#include <net/netfilter/nf_nat_helper.h>

#define REMOVED_MAX 8	  /* expectations of one class at a time: twice as many as there can be */
#define DAY	    86400 /* seconds */

static uint timeout = FTP_EXPECTED_SECONDS;
module_param(timeout, uint, 0664);
MODULE_PARM_DESC(timeout, "seconds that a data connection is expected for (300)");

static uint longest = 3600;
module_param(longest, uint, 0664);
MODULE_PARM_DESC(longest, "the same, from its announcement, where its transfer is long in coming (3600)");

static bool is_open(const struct nf_conntrack_expect *exp, unsigned int class)
{
	return exp->class == class && !compat_expect_is_over(exp);
}

/* Those of one class, in a list of our own: what removes one takes the lock itself. Return: how many. */
static unsigned int find_class(struct nf_conn_help *help, unsigned int class,
			       struct nf_conntrack_expect *found[REMOVED_MAX])
{
	struct nf_conntrack_expect *exp;
	unsigned int count = 0;

	spin_lock_bh(&nf_conntrack_expect_lock);
	hlist_for_each_entry(exp, &help->expectations, lnode) {
		if (is_open(exp, class) && count < REMOVED_MAX && refcount_inc_not_zero(&exp->use))
			found[count++] = exp;
	}
	spin_unlock_bh(&nf_conntrack_expect_lock);
	return count;
}

/* Return: how many they were. */
static unsigned int take_back(struct nf_conn *ct, unsigned int class)
{
	struct nf_conntrack_expect *found[REMOVED_MAX];
	struct nf_conn_help *help = nfct_help(ct);
	unsigned int count;

	if (!help || !READ_ONCE(help->expecting[class]))
		return 0;
	count = find_class(help, class, found);
	for (unsigned int i = 0; i < count; i++) {
		nf_ct_unexpect_related(found[i]);
		nf_ct_expect_put(found[i]);
	}
	return count;
}

static s32 expect_jiffies(void)
{
	return clamp_t(uint, READ_ONCE(timeout), 1, DAY) * HZ;
}

/* Once for each: so it is expected until so long after its announcement. */
static s32 jiffies_more(void)
{
	return max_t(s32, min_t(uint, READ_ONCE(longest), DAY) * HZ - expect_jiffies(), 0);
}

/* Those of one class are of another from now on, and expected for so much longer. */
static void move(struct nf_conn *ct, unsigned int from, unsigned int to, s32 more)
{
	struct nf_conn_help *help = nfct_help(ct);
	struct nf_conntrack_expect *exp;

	if (!help || !READ_ONCE(help->expecting[from]))
		return;
	spin_lock_bh(&nf_conntrack_expect_lock);
	hlist_for_each_entry(exp, &help->expectations, lnode) {
		if (!is_open(exp, from))
			continue;
		help->expecting[from]--;
		help->expecting[to]++;
		exp->class = to;
		if (more)
			compat_expect_prolong(exp, more);
	}
	spin_unlock_bh(&nf_conntrack_expect_lock);
}

/* They have no more than the usual time left, and never get more again: they stay of their class. */
static void limit(struct nf_conn *ct)
{
	const u32 until = nfct_time_stamp + expect_jiffies();
	struct nf_conn_help *help = nfct_help(ct);
	struct nf_conntrack_expect *exp;

	if (!help || !READ_ONCE(help->expecting[FAST_AWAITED]))
		return;
	spin_lock_bh(&nf_conntrack_expect_lock);
	hlist_for_each_entry(exp, &help->expectations, lnode) {
		const s32 less = until - compat_expect_until(exp);

		if (is_open(exp, FAST_AWAITED) && less < 0)
			compat_expect_prolong(exp, less);
	}
	spin_unlock_bh(&nf_conntrack_expect_lock);
}

unsigned int fast_expect_carry_out(struct nf_conn *ct, struct scan_segment *segment)
{
	unsigned int gone = 0;

	if (segment->accepted == SCAN_GONE)
		gone = take_back(ct, FAST_ACCEPTED) + take_back(ct, FAST_AWAITED);
	if (segment->unanswered == SCAN_GONE)
		gone += take_back(ct, FAST_UNANSWERED);
	else if (segment->unanswered == SCAN_ACCEPTED)
		move(ct, FAST_UNANSWERED, FAST_ACCEPTED, 0);
	if (segment->wait == SCAN_WAIT_BEGINS)
		move(ct, FAST_ACCEPTED, FAST_AWAITED, jiffies_more());
	else if (segment->wait == SCAN_WAIT_ENDS)
		limit(ct);
	segment->accepted = segment->unanswered = SCAN_STAYS;
	segment->wait = SCAN_WAIT_STAYS;
	return gone;
}

/* Conntrack has given it its time when the packet came in; longer is what is left alone. One that ends, or has not begun, does as it likes. */
void fast_keep(struct nf_conn *ct, const struct scan *scan, const struct scan_segment *segment)
{
	const u32 seconds = segment->fast ? plain_keeps(scan_transfer(scan), min_t(uint, READ_ONCE(longest), DAY)) : 0;
	const u32 until = nfct_time_stamp + seconds * HZ;

	if (!seconds || !nf_ct_is_confirmed(ct) || test_bit(IPS_FIXED_TIMEOUT_BIT, &ct->status) ||
	    READ_ONCE(ct->proto.tcp.state) != TCP_CONNTRACK_ESTABLISHED)
		return;
	if ((s32)(until - READ_ONCE(ct->timeout)) > 0)
		WRITE_ONCE(ct->timeout, until);
}

/* ---- connections in the way ---- */

static bool has_ended(const struct nf_conn *ct)
{
	const u8 state = READ_ONCE(ct->proto.tcp.state);

	return state == TCP_CONNTRACK_TIME_WAIT || state == TCP_CONNTRACK_CLOSE;
}

static bool is_end(const union nf_inet_addr *address, __be16 port, const struct nf_conntrack_man *end)
{
	return nf_inet_addr_cmp(address, &end->u3) && port == end->u.tcp.port;
}

/*
 * Has conntrack a connection with this tuple that does not lead from the outer end to the inner one? @ended: one that has ended, too. What it
 * looks at on the way may be over, and is taken from conntrack's table.
 */
static bool is_others(const struct nf_conn *ct, const struct nf_conntrack_tuple *tuple,
		      const struct nf_conntrack_man *outer, const struct nf_conntrack_man *inner, bool ended)
{
	struct nf_conntrack_tuple_hash *found = nf_conntrack_find_get(nf_ct_net(ct), nf_ct_zone(ct), tuple);
	const struct nf_conntrack_tuple *original, *reply;
	struct nf_conn *other;
	bool is;

	if (!found)
		return false;
	other = nf_ct_tuplehash_to_ctrack(found);
	original = &other->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	reply = &other->tuplehash[IP_CT_DIR_REPLY].tuple;
	is = (ended || !has_ended(other)) && (!is_end(&original->dst.u3, original->dst.u.tcp.port, outer) ||
					      !is_end(&reply->src.u3, reply->src.u.tcp.port, inner));
	nf_ct_put(other);
	return is;
}

static __be16 port_below(__be16 port)
{
	return htons(ntohs(port) - 1);
}

bool fast_is_in_the_way(const struct fast_packet *packet, const struct plain *plain)
{
	const struct nf_conntrack_tuple *mine = &packet->ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	const struct nf_conntrack_tuple *theirs = &packet->ct->tuplehash[IP_CT_DIR_REPLY].tuple;
	const struct nf_conntrack_man outer = { .u3 = theirs->dst.u3, .u.tcp.port = htons(plain->expected.dst.port) };
	const struct nf_conntrack_man inner = { .u3 = mine->src.u3, .u.tcp.port = htons(plain->inside.port) };
	struct nf_conntrack_tuple original = *theirs, reply = *mine;

	if (CTINFO2DIR(packet->ctinfo) != IP_CT_DIR_ORIGINAL || !(packet->ct->status & IPS_NAT_MASK))
		return false;
	original.src.u.tcp.port = port_below(theirs->src.u.tcp.port);
	original.dst.u.tcp.port = outer.u.tcp.port;
	reply.src.u.tcp.port = inner.u.tcp.port;
	reply.dst.u.tcp.port = port_below(mine->dst.u.tcp.port);
	return is_others(packet->ct, &original, &outer, &inner, false) ||
	       is_others(packet->ct, &reply, &outer, &inner, true);
}

/* ---- */

struct nf_conntrack_expect *fast_expect(const struct fast_packet *packet, const struct plain *plain)
{
	const enum ip_conntrack_dir dir = CTINFO2DIR(packet->ctinfo);
	const struct nf_conntrack_tuple *theirs = &packet->ct->tuplehash[!dir].tuple;
	const unsigned int class = dir == IP_CT_DIR_ORIGINAL ? FAST_UNANSWERED : FAST_ACCEPTED;
	struct nf_conntrack_expect *exp = nf_ct_expect_alloc(packet->ct);
	__be16 port = htons(plain->expected.dst.port);

	if (!exp)
		return NULL;
	nf_ct_expect_init(exp, class, nf_ct_l3num(packet->ct), &theirs->src.u3, &theirs->dst.u3, IPPROTO_TCP, NULL,
			  &port);
	if (packet->ct->status & IPS_NAT_MASK) {
		exp->saved_proto.tcp.port = htons(plain->inside.port);
		exp->dir = !dir;
		exp->expectfn = nf_nat_follow_master;
	}
	if (nf_ct_expect_related(exp, 0) == 0) {
		compat_expect_prolong(exp, expect_jiffies() - FTP_EXPECTED_SECONDS * HZ);
		return exp;
	}
	nf_ct_expect_put(exp);
	return NULL;
}

/* ---- how many ---- */

/*
 * Others have such classes, too. Its control connection is there as long as this is in conntrack's table and not over: whatever takes that away
 * takes this away first, under the same lock.
 */
static bool is_ours(const struct nf_conntrack_expect *exp)
{
	const struct nf_conntrack_helper *helper;
	const struct nf_conn_help *help;

	if (exp->class == FAST_USER_SPACES || compat_expect_is_over(exp))
		return false;
	help = nfct_help(exp->master);
	helper = help ? rcu_dereference(help->helper) : NULL;
	return helper && !strcmp(helper->name, NFQFTP_NAME);
}

void fast_expect_each(void (*see)(const struct nf_conn *ct))
{
	struct nf_conntrack_expect *exp;

	for (unsigned int i = 0; i < nf_ct_expect_hsize; i++) {
		if (hlist_empty(&nf_ct_expect_hash[i]))
			continue;
		spin_lock_bh(&nf_conntrack_expect_lock);
		hlist_for_each_entry(exp, &nf_ct_expect_hash[i], hnode)
			if (is_ours(exp))
				see(exp->master);
		spin_unlock_bh(&nf_conntrack_expect_lock);
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "fast_client.h"

#include "core/plain/pace.h"
#include "core/plain/part.h"
#include "fast_expect.h"

#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>
#include <net/net_namespace.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_expect.h>
#include <net/netns/generic.h>
#include <net/netns/hash.h>

#define CLIENTS_ORDER 10

static uint rate = PACE_DEFAULT;
module_param(rate, uint, 0664);
MODULE_PARM_DESC(rate, "announcements per client and second, what is more is user space's (5000)");

static uint most;
module_param(most, uint, 0664);
MODULE_PARM_DESC(most,
		 "data connections expected at a time, what is more is user space's (half of what the kernel allows)");

/* What is expected, at the most: what was counted once, and all that came since. Nobody tells of an expectation's end. */
struct fast_sum {
	atomic_t sum;
	int before, counted; /* under `counting' */
};

/* Clients whose addresses come to the same share it: nobody can choose which. */
struct fast_client {
	spinlock_t lock;
	struct pace pace;
	struct fast_sum open;
};

/* A network namespace's. */
struct fast_net {
	struct fast_sum open;
};

static struct fast_client *clients;
static siphash_key_t client_key;
static unsigned int fast_net_id;

static struct fast_client *client_of(const struct nf_conn *ct)
{
	const struct nf_conntrack_tuple *tuple = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	const u8 family = nf_ct_l3num(ct) == NFPROTO_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6;
	struct {
		u8 address[16];
		u32 family, net;
	} key = { .family = family, .net = net_hash_mix(nf_ct_net(ct)) };

	memcpy(key.address, &tuple->src.u3, endpoint_client_length(family));
	return &clients[siphash(&key, sizeof(key), &client_key) >> (64 - CLIENTS_ORDER)];
}

u32 fast_client_number(const struct nf_conn *ct)
{
	return client_of(ct) - clients;
}

static struct fast_net *net_of(const struct net *net)
{
	return net_generic(net, fast_net_id);
}

/* ---- counting ---- */

#define COUNT_LEAST NSEC_PER_MSEC /* nanoseconds from one count to the next */
#define COUNT_MOST  NSEC_PER_SEC
#define COUNT_PAUSE 100 /* times as long as it took */

/* Behind fast_lock(), before nf_conntrack_expect_lock. */
static DEFINE_SPINLOCK(counting);

static void see(const struct nf_conn *ct)
{
	client_of(ct)->open.counted++;
	net_of(nf_ct_net(ct))->open.counted++;
}

static void begin(struct fast_sum *open)
{
	open->before = atomic_read(&open->sum);
	open->counted = 0;
}

/* What has come while it was counted stays in the sum. */
static void end(struct fast_sum *open)
{
	atomic_add(open->counted - open->before, &open->sum);
}

static void each_sum(void (*act)(struct fast_sum *open))
{
	struct net *net;

	for (unsigned int i = 0; i < 1 << CLIENTS_ORDER; i++)
		act(&clients[i].open);
	for_each_net_rcu(net)
		act(&net_of(net)->open);
}

/*
 * All at once, so that nobody who asks for it again and again keeps others from having it. Whoever comes while that is done waits for it. It is
 * done while packets wait, so a hundredth of the time at the most goes into it.
 */
static void count_anew(void)
{
	static u64 from; /* not before */
	u64 now;

	spin_lock_bh(&counting);
	now = ktime_get_ns();
	if (now >= from) {
		each_sum(begin);
		fast_expect_each(see);
		each_sum(end);
		from = ktime_get_ns();
		from += clamp_t(u64, COUNT_PAUSE * (from - now), COUNT_LEAST, COUNT_MOST);
	}
	spin_unlock_bh(&counting);
}

/* ---- what it may ---- */

static bool keeps_pace(struct fast_client *client)
{
	bool may;

	spin_lock_bh(&client->lock);
	may = pace_spend(&client->pace, READ_ONCE(rate), jiffies_to_msecs(jiffies));
	spin_unlock_bh(&client->lock);
	return may;
}

/* Where nothing else is set conntrack allows one for each 64 buckets of its table; that may have been made larger since. */
static u32 half_of_default(void)
{
	return min(READ_ONCE(nf_conntrack_htable_size) / 128, 2 * nf_ct_expect_hsize);
}

static bool fits(struct fast_client *client, struct fast_net *net)
{
	const struct part part = { atomic_read(&client->open.sum), atomic_read(&net->open.sum) };
	const uint said = READ_ONCE(most);

	return part_fits(&part, said ? said : half_of_default());
}

/* Those that ask on other processors at the same moment come on top. */
static bool has_part(struct fast_client *client, struct fast_net *net)
{
	if (!fits(client, net)) {
		count_anew();
		if (!fits(client, net))
			return false;
	}
	atomic_inc(&client->open.sum);
	atomic_inc(&net->open.sum);
	return true;
}

bool fast_client_may(const struct nf_conn *ct)
{
	struct fast_client *client = client_of(ct);

	return keeps_pace(client) && has_part(client, net_of(nf_ct_net(ct)));
}

/* ---- coming and going ---- */

static struct pernet_operations fast_net_ops = {
	.id = &fast_net_id,
	.size = sizeof(struct fast_net),
};

int fast_client_init(void)
{
	int error;

	clients = kvcalloc(1 << CLIENTS_ORDER, sizeof(*clients), GFP_KERNEL);
	if (!clients)
		return -ENOMEM;
	for (unsigned int i = 0; i < 1 << CLIENTS_ORDER; i++)
		spin_lock_init(&clients[i].lock);
	get_random_bytes(&client_key, sizeof(client_key));
	error = register_pernet_subsys(&fast_net_ops);
	if (error)
		kvfree(clients);
	return error;
}

void fast_client_exit(void)
{
	unregister_pernet_subsys(&fast_net_ops);
	kvfree(clients);
}

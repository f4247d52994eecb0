// SPDX-License-Identifier: GPL-2.0-or-later
#include "fast_client.h"

#include "core/plain/pace.h"

#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>
#include <net/netns/hash.h>

#define CLIENTS_ORDER 10

static uint rate = PACE_DEFAULT;
module_param(rate, uint, 0664);
MODULE_PARM_DESC(rate, "announcements per client and second, what is more is user space's (5000)");

/* Clients whose addresses come to the same share it: nobody can choose which. */
struct fast_client {
	spinlock_t lock;
	struct pace pace;
};

static struct fast_client *clients;
static siphash_key_t client_key;

static struct fast_client *client_of(const struct nf_conn *ct)
{
	const struct nf_conntrack_tuple *tuple = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	const struct endpoint who = { .family = nf_ct_l3num(ct) == NFPROTO_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6 };
	struct {
		u8 address[16];
		u32 family, net;
	} key = { .family = who.family, .net = net_hash_mix(nf_ct_net(ct)) };

	memcpy(key.address, &tuple->src.u3, pace_client_length(&who));
	return &clients[siphash(&key, sizeof(key), &client_key) >> (64 - CLIENTS_ORDER)];
}

bool fast_client_may(const struct nf_conn *ct)
{
	struct fast_client *client = client_of(ct);
	bool may;

	spin_lock_bh(&client->lock);
	may = pace_spend(&client->pace, READ_ONCE(rate), jiffies_to_msecs(jiffies));
	spin_unlock_bh(&client->lock);
	return may;
}

int fast_client_init(void)
{
	clients = kvcalloc(1 << CLIENTS_ORDER, sizeof(*clients), GFP_KERNEL);
	if (!clients)
		return -ENOMEM;
	for (unsigned int i = 0; i < 1 << CLIENTS_ORDER; i++)
		spin_lock_init(&clients[i].lock);
	get_random_bytes(&client_key, sizeof(client_key));
	return 0;
}

void fast_client_exit(void)
{
	kvfree(clients);
}

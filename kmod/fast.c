// SPDX-License-Identifier: GPL-2.0-or-later
#include "fast.h"

#include "core/plain/lease.h"
#include "core/plain/place.h"
#include "core/plain/plain.h"
#include "fast_client.h"
#include "fast_expect.h"

#include <linux/hash.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/tcp.h>
#include <net/dst.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_expect.h>
#include <net/netfilter/nf_conntrack_helper.h>
#include <net/netfilter/nf_conntrack_seqadj.h>
#include <net/netfilter/nf_nat.h>
#include <net/netfilter/nf_nat_helper.h>
#include <net/tcp.h>

#define BUCKETS_ORDER 10

static bool fast = true;
module_param(fast, bool, 0644);
MODULE_PARM_DESC(fast, "deal with plain announcements in the kernel (Y)");

static uint min_port = PLAIN_PORT_MIN;
module_param(min_port, uint, 0664);
MODULE_PARM_DESC(min_port, "lowest port of a data connection that is dealt with in the kernel (1024)");

/* Writing to parameters is done by one at a time. */
static struct lease aside;

static u32 clock(void)
{
	return (u32)ktime_get_seconds();
}

static bool is_aside(void)
{
	const struct lease now = { READ_ONCE(aside.until) };

	return lease_left(&now, clock());
}

static int aside_set(const char *text, const struct kernel_param *kp)
{
	struct lease wanted = { READ_ONCE(aside.until) };
	unsigned int seconds;
	const int error = kstrtouint(text, 0, &seconds);

	if (error)
		return error;
	lease_take(&wanted, clock(), seconds);
	WRITE_ONCE(aside.until, wanted.until);
	return 0;
}

static int aside_get(char *buffer, const struct kernel_param *kp)
{
	const struct lease now = { READ_ONCE(aside.until) };

	return scnprintf(buffer, PAGE_SIZE, "%u\n", lease_left(&now, clock()));
}

static const struct kernel_param_ops aside_ops = {
	.set = aside_set,
	.get = aside_get,
};

module_param_cb(aside, &aside_ops, NULL, 0664);
MODULE_PARM_DESC(aside, "leave all to user space for so many seconds from now, 60 at the most (0)");

struct fast_counters {
	unsigned long announced; /* expectations made */
	unsigned long edited;	 /* of these, with another text */
	unsigned long again;	 /* edited segments that came again */
	unsigned long declined;	 /* plain announcements that user space is to see all the same */
	unsigned long withdrawn; /* expectations taken back */
};

static DEFINE_PER_CPU(struct fast_counters, fast_counters);

int fast_print(char *buffer, size_t size)
{
	struct fast_counters sum = {};
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct fast_counters *one = per_cpu_ptr(&fast_counters, cpu);

		sum.announced += READ_ONCE(one->announced);
		sum.edited += READ_ONCE(one->edited);
		sum.again += READ_ONCE(one->again);
		sum.declined += READ_ONCE(one->declined);
		sum.withdrawn += READ_ONCE(one->withdrawn);
	}
	return scnprintf(buffer, size, "announced %lu\nedited %lu\nagain %lu\ndeclined %lu\nwithdrawn %lu\n",
			 sum.announced, sum.edited, sum.again, sum.declined, sum.withdrawn);
}

/* ---- edits ---- */

struct fast_bucket {
	spinlock_t lock;
	struct plain_place place[PLACES];
	struct plain_edit edit[PLACES]; /* what is in each */
};

static struct fast_bucket *buckets;

static struct fast_bucket *bucket_of(const struct nf_conn *ct)
{
	return &buckets[hash_ptr(ct, BUCKETS_ORDER)];
}

spinlock_t *fast_lock(const struct nf_conn *ct)
{
	return &bucket_of(ct)->lock;
}

void fast_publish(struct nf_conn *ct, struct scan *private, const struct scan *scan)
{
	spin_lock_bh(&ct->lock);
	*private = *scan;
	spin_unlock_bh(&ct->lock);
}

static struct plain_edit *edit_in(const struct nf_conn *ct, const struct plain_place *place)
{
	struct fast_bucket *bucket = bucket_of(ct);

	return &bucket->edit[place - bucket->place];
}

/* ---- packets ---- */

static bool mangle(const struct fast_packet *packet, u32 offset, u32 length, const char *text, u32 text_length)
{
	return __nf_nat_mangle_tcp_packet(packet->skb, packet->ct, packet->ctinfo, packet->protoff, offset, length,
					  text, text_length, false);
}

/* Another number, and without FIN and URG, whose place is not known any more. */
static bool renumber(const struct fast_packet *packet, u32 seq)
{
	struct sk_buff *skb = packet->skb;
	struct tcphdr *th;
	__be16 *flags;
	__be16 cleared;

	if (skb_ensure_writable(skb, packet->payload))
		return false;
	th = (struct tcphdr *)(skb->data + packet->protoff);
	if (th->seq != htonl(seq)) {
		inet_proto_csum_replace4(&th->check, skb, th->seq, htonl(seq), false);
		th->seq = htonl(seq);
	}
	flags = (__be16 *)th + 6;
	cleared = *flags & ~htons(SCAN_FIN | SCAN_URG);
	inet_proto_csum_replace2(&th->check, skb, *flags, cleared, false);
	*flags = cleared;
	return true;
}

struct seqadj fast_adjustment(struct nf_conn *ct, enum ip_conntrack_dir dir)
{
	struct seqadj adj;

	spin_lock_bh(&ct->lock);
	adj = fast_read_adjustment(ct, dir);
	spin_unlock_bh(&ct->lock);
	return adj;
}

/* As ctnetlink does: absolute values. The windows stay strict. */
static void adjust(struct nf_conn *ct, enum ip_conntrack_dir dir, const struct seqadj *adj)
{
	struct nf_ct_seqadj *seq = &nfct_seqadj(ct)->seq[dir];

	spin_lock_bh(&ct->lock);
	seq->correction_pos = adj->pos;
	seq->offset_before = adj->before;
	seq->offset_after = adj->after;
	spin_unlock_bh(&ct->lock);
	set_bit(IPS_SEQ_ADJUST_BIT, &ct->status);
}

/* What a SYN's sender takes; 0: it does not say. */
static u16 read_mss(const struct fast_packet *packet)
{
	u8 buffer[MAX_TCP_OPTION_SPACE];
	const unsigned int length = packet->payload - packet->protoff - sizeof(struct tcphdr);
	const u8 *options = skb_header_pointer(packet->skb, packet->protoff + sizeof(struct tcphdr), length, buffer);
	unsigned int at = 0;

	while (options && at + 1 < length && options[at] != TCPOPT_EOL) {
		if (options[at] == TCPOPT_NOP) {
			at++;
			continue;
		}
		if (options[at + 1] < 2 || at + options[at + 1] > length)
			return 0;
		if (options[at] == TCPOPT_MSS && options[at + 1] == TCPOLEN_MSS)
			return options[at + 2] << 8 | options[at + 3];
		at += options[at + 1];
	}
	return 0;
}

void fast_look_at(const struct fast_packet *packet, bool may, const struct scan *scan, struct scan_segment *segment)
{
	struct plain_place *place;

	segment->fast = may && READ_ONCE(fast) && !is_aside() && !skb_is_gso(packet->skb);
	if (!(segment->flags & SCAN_SYN) || scan->started)
		return;
	segment->mss = read_mss(packet);
	place = plain_place_of(bucket_of(packet->ct)->place, packet->ct);
	if (place) /* of another connection, which had the same place in memory */
		place->owner = NULL;
}

enum fast_way fast_again(const struct fast_packet *packet, const struct scan *scan, const struct scan_segment *segment)
{
	struct plain_place *place = plain_place_of(bucket_of(packet->ct)->place, packet->ct);
	const struct plain_edit *edit;
	struct plain_again again;
	struct seqadj adj;

	if (!place || !scan->started) /* without its SYN it may be another connection's */
		return FAST_NOT;
	edit = edit_in(packet->ct, place);
	place->acknowledged = !scan->side[edit->side].edit;
	adj = fast_adjustment(packet->ct, CTINFO2DIR(packet->ctinfo));
	if (!plain_again(edit, &adj, segment, &again))
		return FAST_NOT;
	this_cpu_inc(fast_counters.again);
	if (skb_is_gso(packet->skb) || !renumber(packet, again.seq) ||
	    !mangle(packet, again.kept, segment->length - again.kept, "", 0) ||
	    !mangle(packet, again.offset, again.length, edit->text, again.new_length))
		return FAST_DROP;
	return FAST_PASS;
}

/* ---- announcements ---- */

void fast_carry_out(struct nf_conn *ct, struct scan_segment *segment)
{
	this_cpu_add(fast_counters.withdrawn, fast_expect_carry_out(ct, segment));
}

static void read_address(const struct nf_conn *ct, const struct nf_conntrack_man *man, struct endpoint *endpoint)
{
	const bool v4 = nf_ct_l3num(ct) == NFPROTO_IPV4;

	memset(endpoint, 0, sizeof(*endpoint));
	endpoint->family = v4 ? FAMILY_IPV4 : FAMILY_IPV6;
	memcpy(endpoint->address, &man->u3, v4 ? 4 : 16);
}

/* Ports of the control connection matter to nobody here. */
static void read_connection(const struct fast_packet *packet, struct plain_connection *connection)
{
	for (int d = 0; d < 2; d++) {
		const struct nf_conntrack_tuple *tuple = &packet->ct->tuplehash[d].tuple;
		const struct nf_conntrack_man dst = { .u3 = tuple->dst.u3 };

		read_address(packet->ct, &tuple->src, &connection->tuple[d].src);
		read_address(packet->ct, &dst, &connection->tuple[d].dst);
	}
	connection->adj = fast_adjustment(packet->ct, CTINFO2DIR(packet->ctinfo));
	connection->adjustable = nfct_seqadj(packet->ct);
	connection->port_min = min_t(uint, READ_ONCE(min_port), U16_MAX);
}

/* Return false where it is user space's: nothing has changed then. */
static bool perform(const struct fast_packet *packet, const struct plain *plain, enum plain_action action)
{
	const u32 client = fast_client_number(packet->ct), now = clock();
	struct plain_place *place = plain_place_for(bucket_of(packet->ct)->place, packet->ct, client, now);
	const int growth = (int)plain->edit.new_length - plain->edit.old_length;
	struct nf_conntrack_expect *exp;
	bool done = true;

	if (action == PLAIN_EDIT &&
	    (!place || (growth > 0 && packet->skb->len + growth > dst_mtu(skb_dst(packet->skb)))))
		return false;
	exp = fast_expect(packet, plain);
	if (!exp)
		return false;
	if (action == PLAIN_EDIT)
		done = mangle(packet, plain->offset, plain->edit.old_length, plain->edit.text, plain->edit.new_length);
	if (!done)
		nf_ct_unexpect_related(exp);
	nf_ct_expect_put(exp);
	if (!done || action != PLAIN_EDIT)
		return done;
	*place = (struct plain_place){ packet->ct, client, now, false };
	*edit_in(packet->ct, place) = plain->edit;
	adjust(packet->ct, CTINFO2DIR(packet->ctinfo), &plain->adj);
	return true;
}

void fast_announce(const struct fast_packet *packet, struct scan_segment *segment)
{
	enum plain_action action = PLAIN_DECLINE;
	struct plain_connection connection;
	u8 buffer[PLAIN_PAYLOAD_MAX];
	const u8 *payload = NULL;
	struct plain plain;

	if (segment->length <= sizeof(buffer) && skb_dst(packet->skb))
		payload = skb_header_pointer(packet->skb, packet->payload, segment->length, buffer);
	if (payload) {
		read_connection(packet, &connection);
		action = plain_decide(segment, payload, &connection, &plain);
	}
	if (action == PLAIN_DECLINE || fast_is_in_the_way(packet, &plain) || !fast_client_may(packet->ct) ||
	    !perform(packet, &plain, action)) {
		this_cpu_inc(fast_counters.declined);
		return;
	}
	segment->done = true;
	segment->edited = action == PLAIN_EDIT;
	this_cpu_inc(fast_counters.announced);
	if (segment->edited)
		this_cpu_inc(fast_counters.edited);
}

/* ---- coming and going ---- */

int fast_init(void)
{
	int error;

	buckets = kvcalloc(1 << BUCKETS_ORDER, sizeof(*buckets), GFP_KERNEL);
	if (!buckets)
		return -ENOMEM;
	for (unsigned int i = 0; i < 1 << BUCKETS_ORDER; i++)
		spin_lock_init(&buckets[i].lock);
	error = fast_client_init();
	if (error)
		kvfree(buckets);
	return error;
}

/* No hook runs any more. */
void fast_exit(void)
{
	fast_client_exit();
	kvfree(buckets);
}

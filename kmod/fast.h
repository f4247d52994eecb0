/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fast - plain announcements, dealt with in the kernel: what core/plain/plain.h decides is performed here, on a packet, on conntrack's
 * expectations and on its adjustment. A kernel without CONFIG_NF_NAT has none of it: everything is queued that announces.
 *
 * All of it, and the scan, is done under one lock, fast_lock()'s: before those of conntrack's table, which looking something up there may
 * take, before nf_conntrack_expect_lock and ct->lock. ctnetlink asks for a note while it holds one of the table's: so what a note is read from
 * is written under ct->lock, by fast_publish(), and read under that alone.
 */
#ifndef KMOD_FAST_H
#define KMOD_FAST_H

#include "core/wire/scan.h"

#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_seqadj.h>

#define NFQFTP_NAME "nfq-ftp"

/* A packet of a connection. Offsets are from skb->data. */
struct fast_packet {
	struct sk_buff *skb;
	struct nf_conn *ct;
	enum ip_conntrack_info ctinfo;
	unsigned int protoff; /* TCP header */
	unsigned int payload;
};

/* Classes of expectations. */
enum {
	FAST_USER_SPACES, /* ctnetlink's own, where nothing else is said */
	FAST_UNANSWERED,  /* ours, by a command that has not been answered yet */
	FAST_ACCEPTED,
	FAST_AWAITED, /* accepted, and a transfer is asked for: it has its longest time */
	FAST_CLASSES,
};

enum fast_way {
	FAST_NOT,  /* none of ours */
	FAST_PASS, /* it leaves with the text that its bytes were replaced by */
	FAST_DROP, /* it ought to, and there is no memory: its sender sends it again */
};

/* How conntrack adjusts what a direction sends. Under ct->lock: ctnetlink writes a field at a time. */
static inline struct seqadj fast_read_adjustment(const struct nf_conn *ct, enum ip_conntrack_dir dir)
{
	const struct nf_conn_seqadj *seqadj = nfct_seqadj(ct);

	if (!seqadj || !test_bit(IPS_SEQ_ADJUST_BIT, &ct->status))
		return (struct seqadj){};
	return (struct seqadj){ .pos = seqadj->seq[dir].correction_pos,
				.before = seqadj->seq[dir].offset_before,
				.after = seqadj->seq[dir].offset_after };
}

#ifdef NFQFTP_FAST

int fast_init(void);
void fast_exit(void);
spinlock_t *fast_lock(const struct nf_conn *ct);

/* Under fast_lock(): the connection's private data becomes this. Who reads it elsewhere takes ct->lock. */
void fast_publish(struct nf_conn *ct, struct scan *private, const struct scan *scan);

/* The same, under fast_lock(). */
struct seqadj fast_adjustment(struct nf_conn *ct, enum ip_conntrack_dir dir);

/* Before scan_begin(): what the scan has to know of the packet besides. @may: nobody else has a hand in its connection. */
void fast_look_at(const struct fast_packet *packet, bool may, const struct scan *scan, struct scan_segment *segment);

/* After scan_begin(): is it a segment that has been edited? */
enum fast_way fast_again(const struct fast_packet *packet, const struct scan *scan, const struct scan_segment *segment);

/* After all has been read, and again after scan_end(): what the segment's lines make of our expectations. */
void fast_carry_out(struct nf_conn *ct, struct scan_segment *segment);

/* In the end: a connection in which a transfer is waited for, or goes on, is kept by conntrack, however silent it is. */
void fast_keep(struct nf_conn *ct, const struct scan *scan, const struct scan_segment *segment);

/* Between these, where scan_announces(): perform it, if it can be. */
void fast_announce(const struct fast_packet *packet, struct scan_segment *segment);

/* Counters' lines. Return: bytes written. */
int fast_print(char *buffer, size_t size);

#else

static inline int fast_init(void)
{
	return 0;
}

static inline void fast_exit(void)
{
}

static inline spinlock_t *fast_lock(const struct nf_conn *ct)
{
	return &((struct nf_conn *)ct)->lock;
}

static inline void fast_publish(struct nf_conn *ct, struct scan *private, const struct scan *scan)
{
	*private = *scan;
}

static inline struct seqadj fast_adjustment(struct nf_conn *ct, enum ip_conntrack_dir dir)
{
	return fast_read_adjustment(ct, dir);
}

static inline void fast_look_at(const struct fast_packet *packet, bool may, const struct scan *scan,
				struct scan_segment *segment)
{
}

static inline enum fast_way fast_again(const struct fast_packet *packet, const struct scan *scan,
				       const struct scan_segment *segment)
{
	return FAST_NOT;
}

static inline void fast_carry_out(struct nf_conn *ct, struct scan_segment *segment)
{
}

static inline void fast_keep(struct nf_conn *ct, const struct scan *scan, const struct scan_segment *segment)
{
}

static inline void fast_announce(const struct fast_packet *packet, struct scan_segment *segment)
{
}

static inline int fast_print(char *buffer, size_t size)
{
	return 0;
}

#endif

#endif

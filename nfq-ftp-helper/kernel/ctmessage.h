/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ctmessage - core's tuples, bindings, expectations and adjustments as ctnetlink messages, and back. No socket here.
 *
 * Writing functions append to a message whose buffer has CTMESSAGE_MAX bytes, which is more than any of these messages
 * can take. Reading functions check every length, and leave their result alone when they fail.
 */
#ifndef KERNEL_CTMESSAGE_H
#define KERNEL_CTMESSAGE_H

#include "core/conntrack.h"

#include <linux/netlink.h>
#include <stdbool.h>
#include <sys/socket.h>

#define CTMESSAGE_MAX 1024

/* AF_INET or AF_INET6; of none: AF_UNSPEC, which is all. */
static inline uint8_t ctmessage_family(uint8_t family)
{
	if (!family)
		return AF_UNSPEC;
	return family == FAMILY_IPV4 ? AF_INET : AF_INET6;
}

#define CONNECTION_HELPER_MAX 16 /* NF_CT_HELPER_NAME_LEN */

#define CONNECTION_LABELS_MAX  16 /* bytes: NF_CT_LABELS_MAX_SIZE */
#define CONNECTION_LABEL_WORDS (CONNECTION_LABELS_MAX / 4)

/* A connection as the kernel describes it. */
struct connection {
	struct binding binding;
	uint32_t labels[CONNECTION_LABEL_WORDS]; /* a bit each, the first in the first word's lowest */
	uint32_t mark;
	uint32_t status;  /* IPS_* */
	uint32_t seconds; /* until conntrack forgets it, unless a packet comes */
	bool established; /* TCP: both ends have begun, none has ended */
	bool ended;	  /* TCP: both have; a SYN from the end that did so first begins it anew (TIME_WAIT) */
	bool reset;	  /* TCP: by one of them, just now */
	bool liberal;	  /* TCP: conntrack does not look at windows, in either direction */
	char helper[CONNECTION_HELPER_MAX]; /* its helper's name; "": it has none */
};

/* What names a packet's flow, wherever on its way through the kernel it is. */
struct flow {
	struct tuple original;
	uint32_t id; /* CTA_ID; 0: the kernel does not tell */
	uint32_t mark;
	uint16_t zone;
	bool expected; /* another connection's helper has expected it: it is a data connection */
};

/* An expectation as the kernel describes it. */
struct expected {
	struct tuple master; /* original direction */
	uint32_t id;
	uint32_t seconds; /* until it is expected no more */
};

/**
 * ctmessage_begin - start a message
 * @buffer: CTMESSAGE_MAX bytes, aligned to 4
 * @type: subsystem and type, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET for instance
 * @flags: NLM_F_* besides NLM_F_REQUEST
 * @family: FAMILY_IPV4 or FAMILY_IPV6; 0: of all
 * @seq: netlink sequence number
 *
 * Return: the message, which is @buffer.
 */
struct nlmsghdr *ctmessage_begin(void *buffer, uint16_t type, uint16_t flags, uint8_t family, uint32_t seq);

/* A tuple as attribute @type. */
void ctmessage_put_tuple(struct nlmsghdr *message, uint16_t type, const struct tuple *tuple);

/* A conntrack zone as attribute @type, unless it is the default one. */
void ctmessage_put_zone(struct nlmsghdr *message, uint16_t type, uint16_t zone);

/* What is expected, from any port. */
void ctmessage_put_expected(struct nlmsghdr *message, const struct tuple *tuple);

/* All of an expectation but its master and zone. @seconds: until it lapses, where its helper has no policy. */
void ctmessage_put_expectation(struct nlmsghdr *message, const struct expectation *expectation, uint32_t seconds);

/* A sequence adjustment as attribute @type, CTA_SEQ_ADJ_ORIG or CTA_SEQ_ADJ_REPLY. */
void ctmessage_put_seqadj(struct nlmsghdr *message, uint16_t type, const struct seqadj *adjustment);

/* "Be liberal about sequence numbers", both directions. */
void ctmessage_put_liberal(struct nlmsghdr *message);

/* Label number @label, of 8 * CONNECTION_LABELS_MAX, on or off; the others stay. */
void ctmessage_put_label(struct nlmsghdr *message, uint8_t label, bool on);

/* Of a dump: only connections whose original and reply tuples have these source ports. */
void ctmessage_put_source_ports(struct nlmsghdr *message, const struct endpoint *original,
				const struct endpoint *reply);

/**
 * ctmessage_read_connection - the attributes of a connection
 * @data: CTA_* attributes: what follows the nfgenmsg, or the inside of NFQA_CT
 * @length: bytes there
 * @connection: filled in
 *
 * Return: 0; -EBADMSG: they contradict themselves; -EPROTONOSUPPORT: not TCP.
 */
int ctmessage_read_connection(const void *data, size_t length, struct connection *connection);

/* The least of it, for every packet. Errors likewise. */
int ctmessage_read_flow(const void *data, size_t length, struct flow *flow);

/**
 * ctmessage_read_private - what a conntrack helper that is a kernel module keeps about a connection
 * @data: as for ctmessage_read_connection()
 * @length: likewise
 * @helper: its name
 * @size: filled in: bytes there
 *
 * Return: CTA_HELP_INFO's inside, in @data; NULL: the connection has another helper, or none, or this one tells nothing.
 */
const void *ctmessage_read_private(const void *data, size_t length, const char *helper, size_t *size);

/* ctmessage_read_connection() for an expectation's CTA_EXPECT_* attributes. */
int ctmessage_read_expected(const void *data, size_t length, struct expected *expected);

#endif

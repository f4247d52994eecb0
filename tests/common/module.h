/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * module - the kernel module for one connection, but for the kernel: it decides by core/wire/scan and core/plain as that does, and performs
 * it on a packet, on conntrack's adjustments and on a list of expectations.
 */
#ifndef COMMON_MODULE_H
#define COMMON_MODULE_H

#include "common/packet.h"
#include "core/plain/plain.h"

#define MODULE_OPEN_MAX 4

/* An expectation of the module's own. */
struct module_open {
	struct tuple expected;
	struct endpoint inside;
	enum direction by; /* whose announcement it is */
	bool accepted;
	bool awaited; /* it has its longest time */
};

/* What has become of a packet. */
enum module_way {
	MODULE_PASSES,
	MODULE_EDITED, /* passes, with other text */
	MODULE_AGAIN,  /* likewise, once more; what is left of it */
	MODULE_QUEUED,
};

struct module {
	struct plain_connection connection; /* its adj is filled in here */
	struct seqadj *adj;		    /* by enum direction: conntrack's */
	bool fast;
	bool (*is_taken)(const struct tuple *expected); /* by somebody else */
	struct scan scan;
	struct plain_edit edit;
	bool kept; /* it is one */
	struct module_open open[MODULE_OPEN_MAX];
	unsigned int opens;
	struct plain plain;	 /* MODULE_EDITED: what was done */
	struct plain_again left; /* MODULE_AGAIN: what was */
	unsigned long announced, edited, again;
};

/**
 * module_input - a packet comes by
 * @module: its connection's
 * @side: who sent it
 * @packet: changed in place
 * @marked: the connection is: nothing is fast
 * @piece: its payload is read in pieces of so many bytes; not 0
 */
enum module_way module_input(struct module *module, enum direction side, struct packet *packet, bool marked,
			     uint32_t piece);

/* Somebody else expects this tuple from now on. */
void module_give_way(struct module *module, const struct tuple *expected);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expectations - the model's table of connections that are expected.
 *
 * An expectation is known under three names: as conntrack sees the new connection's first packet, before any NAT
 * (CONNTRACK: this one must be unique); as the router's inside sees it (INSIDE); and as its outside sees it
 * (OUTSIDE). Without NAT the three are the same. Each names a source address and a destination with its port.
 */
#ifndef MODEL_EXPECTATIONS_H
#define MODEL_EXPECTATIONS_H

#include "core/conntrack.h"
#include "index.h"

enum model_expected_as {
	EXPECTED_CONNTRACK,
	EXPECTED_INSIDE,
	EXPECTED_OUTSIDE,
	EXPECTED_AS,
};

struct model_expected {
	struct index_link link[EXPECTED_AS];
	struct tuple as[EXPECTED_AS];	      /* src.port is ignored */
	struct model_expected *newer, *older; /* by expiry, which is nearly the order of creation and renewal */
	const void *master;		      /* identifies it; never looked into */
	uint64_t expires;		      /* milliseconds */
};

struct expectations {
	struct index index[EXPECTED_AS];
	struct model_expected *oldest, *newest;
	struct model_expected *spare; /* memory of such as are gone; the next one is "newer" */
	size_t count;
};

/**
 * expectations_add - expect a connection until @expires
 * @expectations: the table
 * @master: identifies the master
 * @as: what to expect, under its three names
 * @expires: milliseconds
 *
 * Return: 0; -EBUSY when another master expects this tuple; -ENOMEM.
 */
int expectations_add(struct expectations *expectations, const void *master, const struct tuple as[EXPECTED_AS],
		     uint64_t expires);

/* The oldest that a new connection with this tuple matches, or NULL. */
struct model_expected *expectations_find(const struct expectations *expectations, enum model_expected_as as,
					 const struct tuple *tuple);

/* It is expected until @expires. */
void expectations_renew(struct expectations *expectations, struct model_expected *expected, uint64_t expires);

void expectations_remove(struct expectations *expectations, struct model_expected *expected);

/* Remove all that a master expects; all whose time has come; all. */
void expectations_remove_master(struct expectations *expectations, const void *master);
void expectations_expire(struct expectations *expectations, uint64_t now);
void expectations_free(struct expectations *expectations);

#endif

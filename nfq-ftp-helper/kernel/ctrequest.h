/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ctrequest - single questions to ctnetlink, as messages of an exchange, and what their answers say.
 */
#ifndef KERNEL_CTREQUEST_H
#define KERNEL_CTREQUEST_H

#include "exchange.h"

/* Added to an exchange: */

/* A connection. Conntrack's hash knows both its tuples. */
void ctrequest_get(struct exchange *exchange, const struct tuple *tuple, uint16_t zone);

/* Connections, all of them (exchange_walk()). Of this family; to be narrowed. */
struct nlmsghdr *ctrequest_walk(struct exchange *exchange, uint8_t family, uint16_t zone);

/* Connections, all of them that rules have given a helper, of whichever family and zone. */
void ctrequest_walk_helped(struct exchange *exchange);

/* A change of a connection, to be filled in. @flags: NLM_F_ACK, or 0 for exchange_post() */
struct nlmsghdr *ctrequest_update(struct exchange *exchange, const struct tuple *original, uint16_t zone,
				  unsigned int flags);

/* A connection is to be forgotten, unless another has taken its place. For exchange_post(). */
void ctrequest_forget(struct exchange *exchange, const struct binding *binding);

/* An expectation. */
void ctrequest_get_expected(struct exchange *exchange, const struct tuple *tuple, uint16_t zone);

/*
 * With CTREQUEST_NEW a new one: its answer's error is -EEXIST or -EBUSY where this tuple is expected already, by an equal one or another. With no
 * @flags one that is there gets so many seconds from now: -ENOENT where there is none.
 */
#define CTREQUEST_NEW (NLM_F_CREATE | NLM_F_EXCL)
void ctrequest_expect(struct exchange *exchange, unsigned int flags, const struct binding *master,
		      const struct expectation *expectation, uint32_t seconds);

/* What came back; of a walk, an answer that is the object. Return: 0, the answer's error, or -EBADMSG. */
int ctrequest_connection(const struct answer *answer, struct connection *connection);
int ctrequest_expected(const struct answer *answer, struct expected *expected);

/* The private data of the connection's helper, where that is @helper; else NULL. */
const void *ctrequest_private(const struct answer *answer, const char *helper, size_t *size);

/* An exchange of its own. */
int ctrequest_delete_expected(struct exchange *exchange, const struct tuple *tuple, uint16_t zone, uint32_t id);

#endif

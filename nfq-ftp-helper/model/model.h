/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model - conntrack and NAT in memory: the second implementation of struct conntrack.
 *
 * It stands where the kernel stands around the engine: a packet from the inside is first tracked, then handed to the
 * engine, then translated to what the outside sees; and back. Replay, tests, fuzzers and benchmarks use it.
 *
 * NAT is static, one inside address to one outside address (model_add_nat); several inside addresses may share an
 * outside one. A connection keeps its source port unless another connection already shows that one to the same peer
 * (a port collision, as under masquerade).
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "core/conntrack.h"
#include "core/wire/segment.h"
#include "nat.h"

struct model;

/* What model_track() says of a packet's connection. */
struct model_connection {
	struct binding binding;
	enum direction direction; /* in which this packet goes */
	bool is_new;		  /* this packet made the connection */
	bool expected;		  /* an expectation admitted it */
};

/* NULL when memory is short. seqadj_by: what adjust_seq() answers. */
struct model *model_new(enum seqadj_by seqadj_by);
void model_free(struct model *model);

/* The interface handed to the engine. */
struct conntrack *model_conntrack(struct model *model);

/*
 * inside is seen as outside from the other side; ports are ignored. Where several inside addresses share an outside
 * one, who connects to that reaches the first. Errors are nat_add()'s.
 */
int model_add_nat(struct model *model, const struct endpoint *inside, const struct endpoint *outside);

/* Seconds: expectations time out after so many, 300 if nothing else is said; and silent connections, which stay otherwise. */
void model_set_timeouts(struct model *model, uint32_t expectation, uint32_t connection);

/* Time passes: milliseconds, as session_input()'s. */
void model_set_time(struct model *model, uint64_t now);

/*
 * Find or make the connection of a packet, in view. A SYN makes a new one where the old one has been closed; a
 * SYN/ACK that is seen first goes in the reply direction. -ENOMEM; -EADDRINUSE: NAT has no pair of endpoints left
 * for it.
 */
int model_track(struct model *model, const struct segment *segment, enum model_view view,
		struct model_connection *connection);

/*
 * Find or make the connection of which one knows who is the client, seen in the middle: original is the client's
 * direction. Errors as for model_track().
 */
int model_pick_up(struct model *model, const struct tuple *original, enum model_view view,
		  struct model_connection *connection);

/* Translate a packet's headers from one view to the other, in place. -ENOENT: its connection is not known. */
int model_translate(struct model *model, struct segment *segment, enum model_view from);

/* Expectations open at the moment. */
size_t model_expectations(const struct model *model);

#endif

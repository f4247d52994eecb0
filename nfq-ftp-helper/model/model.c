// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model - conntrack and NAT in memory.
 *
 * Theory of operation. A connection is two tuples, both in its original direction: as the router's inside sees it
 * and as its outside does. Inside is where the engine stands, the mangle FORWARD hook: behind destination and before
 * source translation on the way out, and the other way round for replies. conntrack's own pair of tuples follows
 * from them:
 *
 *	original = { inside.src, outside.dst }		what the client sent
 *	reply    = { inside.dst, outside.src }		what the server sends back
 *
 * whether the client is translated (inside.src != outside.src), the server (inside.dst != outside.dst), both or
 * neither. So a packet is found, in either view and direction, by its pair of endpoints in that view's index; and
 * translating it is writing the other view's.
 *
 * A packet of no known connection makes one. If an expectation matches, the connection is translated as that says,
 * and the expectation is used up; otherwise addresses are looked up in the static list. The source keeps its port
 * unless the outside index has that pair of endpoints already; then another port is taken.
 *
 * What it does not do: count windows, or refuse anything. A connection stays until it has been closed and its endpoints are used
 * again; or silent for long, where that is asked for.
 */
#include "model.h"

#include "core/wire/ftp.h"
#include "expectations.h"
#include "index.h"
#include "nat.h"

#include <stdlib.h>

/* Ports below this are exchanged among themselves, as nf_nat does. */
#define PORT_UNPRIVILEGED 1024

/* Two views, and the two of the three names of an expectation that belong to them. */
_Static_assert(EXPECTED_INSIDE - MODEL_INSIDE == EXPECTED_OUTSIDE - MODEL_OUTSIDE, "views and names in one order");

enum closing {
	CLOSING_ORIGINAL = 1, /* its FIN has been seen */
	CLOSING_REPLY = 2,
	CLOSED = 3,
};

struct model_tracked {
	struct index_link link[MODEL_VIEWS];
	struct tuple tuple[MODEL_VIEWS]; /* of the original direction */
	struct seqadj seqadj[2];	 /* by enum direction */
	uint64_t seen;			 /* milliseconds: its last packet, or since when it is kept */
	bool expected;
	uint8_t closing; /* enum closing */
};

struct model {
	struct conntrack conntrack; /* first: what the engine holds */
	enum seqadj_by seqadj_by;
	uint64_t now;
	uint64_t silence; /* milliseconds after which a connection is forgotten; 0: none is */
	struct nat nat;
	struct index index[MODEL_VIEWS];
	struct model_tracked *found; /* what was looked up last; more is asked about it as a rule. Or NULL */
	struct expectations expectations;
	uint32_t port_offset; /* where the next search for a free port begins */
};

static uint64_t hash_tuple(const struct tuple *tuple)
{
	return index_hash_ends(&tuple->src, &tuple->dst);
}

static struct model_tracked *lookup(const struct model *model, enum model_view view, const struct tuple *seen,
				    enum direction *direction)
{
	struct index_link *link = index_first(&model->index[view], hash_tuple(seen));
	const struct tuple back = tuple_inverse(seen);

	for (; link; link = index_next(link)) {
		/* The link is number "view" of an array. */
		struct model_tracked *connection = index_entry(link - view, struct model_tracked, link[0]);

		*direction = DIRECTION_ORIGINAL;
		if (tuple_equal(&connection->tuple[view], seen))
			return connection;
		*direction = DIRECTION_REPLY;
		if (tuple_equal(&connection->tuple[view], &back))
			return connection;
	}
	return NULL;
}

/* Which endpoints the connection has in the other view; takes the expectation that says so. */
static void translate_new(struct model *model, enum model_view from, struct model_tracked *connection)
{
	enum model_view to = model_view_other(from);
	const struct tuple *seen = &connection->tuple[from];
	struct tuple *tuple = &connection->tuple[to];
	struct model_expected *expected;

	expected = expectations_find(&model->expectations, EXPECTED_INSIDE + from, seen);
	connection->expected = expected;
	if (!expected) {
		tuple->src = nat_map(&model->nat, &seen->src, to);
		tuple->dst = nat_map(&model->nat, &seen->dst, to);
		return;
	}
	*tuple = expected->as[EXPECTED_INSIDE + to];
	tuple->src.port = seen->src.port;
	expectations_remove(&model->expectations, expected);
}

/* Change the source port until no connection has this pair of endpoints outside. -EADDRINUSE: all do. */
static int choose_port(struct model *model, struct tuple *outside)
{
	bool privileged = outside->src.port < PORT_UNPRIVILEGED;
	uint32_t low = privileged ? 1 : PORT_UNPRIVILEGED;
	uint32_t count = (privileged ? PORT_UNPRIVILEGED : 65536) - low;
	enum direction ignored;

	for (uint32_t tries = 0; tries <= count; tries++) {
		if (!lookup(model, MODEL_OUTSIDE, outside, &ignored))
			return 0;
		outside->src.port = (uint16_t)(low + model->port_offset++ % count);
	}
	return -EADDRINUSE;
}

static void connection_remove(struct model *model, struct model_tracked *connection)
{
	expectations_remove_master(&model->expectations, connection);
	index_remove(&model->index[MODEL_INSIDE], &connection->link[MODEL_INSIDE]);
	index_remove(&model->index[MODEL_OUTSIDE], &connection->link[MODEL_OUTSIDE]);
	if (model->found == connection)
		model->found = NULL;
	free(connection);
}

static void remove_linked(void *model, struct index_link *link)
{
	connection_remove(model, index_entry(link, struct model_tracked, link[MODEL_INSIDE]));
}

static int connection_insert(struct model *model, struct model_tracked *connection)
{
	struct index_link *link = connection->link;
	enum direction ignored;
	int error;

	if (lookup(model, MODEL_INSIDE, &connection->tuple[MODEL_INSIDE], &ignored))
		return -EADDRINUSE;
	error = choose_port(model, &connection->tuple[MODEL_OUTSIDE]);
	if (error)
		return error;
	error = index_insert(&model->index[MODEL_INSIDE], &link[MODEL_INSIDE],
			     hash_tuple(&connection->tuple[MODEL_INSIDE]));
	if (error)
		return error;
	error = index_insert(&model->index[MODEL_OUTSIDE], &link[MODEL_OUTSIDE],
			     hash_tuple(&connection->tuple[MODEL_OUTSIDE]));
	if (error)
		index_remove(&model->index[MODEL_INSIDE], &link[MODEL_INSIDE]);
	return error;
}

static int connection_new(struct model *model, enum model_view view, const struct tuple *original,
			  struct model_tracked **made)
{
	struct model_tracked *connection = calloc(1, sizeof(*connection));
	int error;

	if (!connection)
		return -ENOMEM;
	connection->tuple[view] = *original;
	translate_new(model, view, connection);
	error = connection_insert(model, connection);
	if (error) {
		free(connection);
		return error;
	}
	*made = connection;
	return 0;
}

/*
 * In which direction the first packet of a connection goes. SYN and SYN/ACK say so; in the middle of a connection
 * only an expectation can, and without one the first packet is taken for the original direction, as conntrack does.
 */
static enum direction first_direction(const struct model *model, enum model_view view, const struct segment *segment,
				      const struct tuple *seen)
{
	enum model_expected_as as = EXPECTED_INSIDE + view;
	const struct tuple back = tuple_inverse(seen);

	if (segment->flags & TCP_SYN)
		return (segment->flags & TCP_ACK) ? DIRECTION_REPLY : DIRECTION_ORIGINAL;
	if (expectations_find(&model->expectations, as, seen))
		return DIRECTION_ORIGINAL;
	return expectations_find(&model->expectations, as, &back) ? DIRECTION_REPLY : DIRECTION_ORIGINAL;
}

static struct binding binding_of(const struct model_tracked *connection)
{
	const struct tuple *inside = &connection->tuple[MODEL_INSIDE];
	const struct tuple *outside = &connection->tuple[MODEL_OUTSIDE];

	return (struct binding){
		.tuple = {
			[DIRECTION_ORIGINAL] = { .src = inside->src, .dst = outside->dst },
			[DIRECTION_REPLY] = { .src = inside->dst, .dst = outside->src },
		},
	};
}

/* Is it the connection that has this binding? There is one at the most. */
static bool has_binding(const struct model_tracked *connection, const struct binding *binding)
{
	const struct tuple *inside = &connection->tuple[MODEL_INSIDE];

	return endpoint_equal(&inside->src, &binding->tuple[DIRECTION_ORIGINAL].src) &&
	       endpoint_equal(&inside->dst, &binding->tuple[DIRECTION_REPLY].src);
}

static struct model_tracked *connection_of(const struct model *model, const struct binding *binding)
{
	const struct tuple inside = {
		.src = binding->tuple[DIRECTION_ORIGINAL].src,
		.dst = binding->tuple[DIRECTION_REPLY].src,
	};
	enum direction ignored;

	if (model->found && has_binding(model->found, binding))
		return model->found;
	return lookup(model, MODEL_INSIDE, &inside, &ignored);
}

static void note_closing(struct model_tracked *connection, enum direction direction, uint8_t flags)
{
	if (flags & TCP_RST)
		connection->closing = CLOSED;
	if (flags & TCP_FIN)
		connection->closing |= direction == DIRECTION_ORIGINAL ? CLOSING_ORIGINAL : CLOSING_REPLY;
}

static bool begins_again(const struct model_tracked *connection, const struct segment *segment)
{
	return connection->closing == CLOSED && (segment->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static int track(struct model *model, enum model_view view, const struct tuple *original,
		 struct model_tracked **connection, struct model_connection *tracked)
{
	if (!*connection) {
		int error = connection_new(model, view, original, connection);

		if (error)
			return error;
		tracked->is_new = true;
	}
	(*connection)->seen = model->now;
	tracked->binding = binding_of(*connection);
	tracked->expected = (*connection)->expected;
	return 0;
}

int model_track(struct model *model, const struct segment *segment, enum model_view view,
		struct model_connection *connection)
{
	struct tuple original = { .src = segment->src, .dst = segment->dst };
	enum direction direction;
	struct model_tracked *found = lookup(model, view, &original, &direction);
	int error;

	*connection = (struct model_connection){ 0 };
	if (found && begins_again(found, segment)) {
		connection_remove(model, found);
		found = NULL;
	}
	if (!found)
		direction = first_direction(model, view, segment, &original);
	if (direction == DIRECTION_REPLY)
		original = tuple_inverse(&original);
	error = track(model, view, &original, &found, connection);
	if (error)
		return error;
	connection->direction = direction;
	note_closing(found, direction, segment->flags);
	return 0;
}

int model_pick_up(struct model *model, const struct tuple *original, enum model_view view,
		  struct model_connection *connection)
{
	struct model_tracked *found = lookup(model, view, original, &(enum direction){ DIRECTION_ORIGINAL });

	*connection = (struct model_connection){ 0 };
	return track(model, view, original, &found, connection);
}

int model_translate(struct model *model, struct segment *segment, enum model_view from)
{
	const struct tuple seen = { .src = segment->src, .dst = segment->dst };
	enum direction direction;
	const struct model_tracked *connection = lookup(model, from, &seen, &direction);
	struct tuple tuple;

	if (!connection)
		return -ENOENT;
	tuple = connection->tuple[model_view_other(from)];
	if (direction == DIRECTION_REPLY)
		tuple = tuple_inverse(&tuple);
	segment_translate(segment, &tuple.src, &tuple.dst);
	return 0;
}

static uint64_t expiry(const struct model *model, uint32_t seconds)
{
	return model->now + UINT64_C(1000) * seconds;
}

static struct model *model_of(struct conntrack *conntrack)
{
	return (struct model *)(void *)conntrack;
}

static int model_find(struct conntrack *conntrack, const struct tuple *seen, uint16_t zone, struct binding *binding,
		      enum direction *direction)
{
	struct model *model = model_of(conntrack);
	struct model_tracked *connection = lookup(model, MODEL_INSIDE, seen, direction);

	if (!connection)
		return -ENOENT;
	model->found = connection;
	*binding = binding_of(connection);
	binding->zone = zone;
	memcpy(binding->seqadj, connection->seqadj, sizeof(binding->seqadj));
	return 0;
}

/*
 * The three names of what is expected. A translated connection follows its master as nf_nat_follow_master() has it: its source becomes
 * where the master sends to, seen from the other side; its destination the announcing party's own endpoint. Any other is translated as
 * every new connection is, by the static list.
 */
static void name(const struct model *model, const struct binding *master, const struct expectation *expectation,
		 struct tuple as[EXPECTED_AS])
{
	const struct tuple *tuple = &expectation->tuple;

	as[EXPECTED_CONNTRACK] = as[EXPECTED_INSIDE] = as[EXPECTED_OUTSIDE] = *tuple;
	as[EXPECTED_INSIDE].dst = nat_map(&model->nat, &tuple->dst, MODEL_INSIDE);
	as[EXPECTED_OUTSIDE].src = nat_map(&model->nat, &tuple->src, MODEL_OUTSIDE);
	if (!expectation->translated)
		return;
	as[EXPECTED_INSIDE].dst = expectation->nat_src;
	as[EXPECTED_OUTSIDE].src = master->tuple[!expectation->nat_direction].dst;
}

static int model_expect(struct conntrack *conntrack, const struct binding *master,
			const struct expectation *expectation)
{
	struct model *model = model_of(conntrack);
	const struct model_tracked *connection = connection_of(model, master);
	struct tuple as[EXPECTED_AS];

	if (!connection)
		return -ENOENT;
	name(model, master, expectation, as);
	return expectations_add(&model->expectations, connection, as,
				expiry(model, conntrack_expected_seconds(conntrack)));
}

/* What is expected on behalf of this master; NULL where it is not, or on another's. */
static struct model_expected *expected_of(struct model *model, const struct binding *master,
					  const struct expectation *expectation)
{
	struct model_expected *expected =
		expectations_find(&model->expectations, EXPECTED_CONNTRACK, &expectation->tuple);

	return expected && has_binding(expected->master, master) ? expected : NULL;
}

static int model_renew(struct conntrack *conntrack, const struct binding *master, const struct expectation *expectation,
		       uint32_t seconds)
{
	struct model *model = model_of(conntrack);
	struct model_expected *expected = expected_of(model, master, expectation);

	if (expected)
		expectations_renew(&model->expectations, expected, expiry(model, seconds));
	return expected ? 0 : -ENOENT;
}

static void model_unexpect(struct conntrack *conntrack, const struct binding *master,
			   const struct expectation *expectation)
{
	struct model *model = model_of(conntrack);
	struct model_expected *expected = expected_of(model, master, expectation);

	if (expected)
		expectations_remove(&model->expectations, expected);
}

static int model_adjust_seq(struct conntrack *conntrack, const struct binding *master, enum direction direction,
			    const struct seqadj *adjustment)
{
	struct model *model = model_of(conntrack);
	struct model_tracked *connection = connection_of(model, master);

	if (!connection)
		return -ENOENT;
	if (model->seqadj_by == SEQADJ_KERNEL)
		connection->seqadj[direction] = *adjustment;
	return model->seqadj_by;
}

static int model_look(struct conntrack *conntrack, const struct tuple *seen, uint16_t zone, struct sight *sight)
{
	struct model *model = model_of(conntrack);
	struct model_tracked *connection = lookup(model, MODEL_INSIDE, seen, &(enum direction){ DIRECTION_ORIGINAL });

	(void)zone;
	if (!connection)
		return -ENOENT;
	if (sight->keep)
		connection->seen = model->now;
	return 0;
}

static const struct conntrack_ops model_ops = {
	.find = model_find,
	.expect = model_expect,
	.renew = model_renew,
	.unexpect = model_unexpect,
	.adjust_seq = model_adjust_seq,
	.look = model_look,
};

struct model *model_new(enum seqadj_by seqadj_by)
{
	struct model *model = calloc(1, sizeof(*model));

	if (!model)
		return NULL;
	model->conntrack.ops = &model_ops;
	model->seqadj_by = seqadj_by;
	return model;
}

void model_free(struct model *model)
{
	if (!model)
		return;
	expectations_free(&model->expectations);
	index_each(&model->index[MODEL_INSIDE], remove_linked, model);
	index_free(&model->index[MODEL_INSIDE]);
	index_free(&model->index[MODEL_OUTSIDE]);
	free(model);
}

struct conntrack *model_conntrack(struct model *model)
{
	return &model->conntrack;
}

int model_add_nat(struct model *model, const struct endpoint *inside, const struct endpoint *outside)
{
	return nat_add(&model->nat, inside, outside);
}

void model_set_timeouts(struct model *model, uint32_t expectation, uint32_t connection)
{
	model->conntrack.expected_seconds = expectation;
	model->silence = UINT64_C(1000) * connection;
}

static void forget_silent(void *context, struct index_link *link)
{
	const struct model_tracked *connection = index_entry(link, struct model_tracked, link[MODEL_INSIDE]);
	struct model *model = context;

	if (model->now - connection->seen > model->silence)
		remove_linked(model, link);
}

void model_set_time(struct model *model, uint64_t now)
{
	if (now > model->now)
		model->now = now;
	expectations_expire(&model->expectations, model->now);
	if (model->silence)
		index_each(&model->index[MODEL_INSIDE], forget_silent, model);
}

size_t model_expectations(const struct model *model)
{
	return model->expectations.count;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sessions that the kernel module deals with by itself (core/plain): no worker knows of them, so conntrack is asked, in which each has the
 * module's note. One of which a packet has been queued is in a table since.
 */
#include "answer.h"
#include "core/wire/scan.h"
#include "kernel/cthelper.h"
#include "kernel/ctrequest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

static unsigned int state_of(const struct scan_note *note)
{
	if (note->opaque)
		return SESSION_OPAQUE;
	return note->early && !note->greeted ? SESSION_GREETING : SESSION_READY;
}

static bool is_wanted(const struct filter *filter, const struct connection *connection, unsigned int state)
{
	const struct tuple *original = &connection->binding.tuple[DIRECTION_ORIGINAL];

	return (!filter->state || filter->state == state) && filter_takes_ends(filter, &original->src, &original->dst);
}

/* What neither the note nor conntrack says is null. */
static void add_fast(struct response *answer, const struct connection *connection, const struct scan_note *note)
{
	const struct binding *binding = &connection->binding;
	const struct tuple *original = &binding->tuple[DIRECTION_ORIGINAL];
	const struct seqadj *adj = binding->seqadj;
	char client[ENDPOINT_PRINT_MAX], server[ENDPOINT_PRINT_MAX];

	answer_format(
		answer,
		"{\"client\":\"%s\",\"server\":\"%s\",\"zone\":%u,\"queue\":null,\"state\":\"%s\",\"command\":\"\","
		"\"age\":null,\"idle\":null,\"logged_in\":%s,\"seqadj\":\"%s\",\"shift\":{\"client\":%" PRId32
		",\"server\":%" PRId32 "},\"expectations\":null,\"fast\":true}",
		endpoint_print(&original->src, client), endpoint_print(&original->dst, server), binding->zone,
		question_state_name(state_of(note)), note->early && !note->logged_in ? "false" : "true",
		answer_adjusted_by(false, &adj[DIRECTION_ORIGINAL], &adj[DIRECTION_REPLY]),
		adj[DIRECTION_ORIGINAL].after, adj[DIRECTION_REPLY].after);
}

void answer_fast_object(void *context, const struct nlmsghdr *object)
{
	const struct answer found = { .message = object };
	struct response *answer = context;
	struct connection connection;
	struct scan_note note;
	size_t size;
	const void *private = ctrequest_private(&found, CTHELPER_NAME, &size);

	if (!private || !scan_note(private, size, &note) || !note.alone ||
	    ctrequest_connection(&found, &connection) < 0 || !connection.established)
		return;
	if (is_wanted(&answer->question.filter, &connection, state_of(&note)))
		add_fast(answer, &connection, &note);
}

static int begin(struct response *answer)
{
	int error;

	answer->walk = calloc(1, sizeof(*answer->walk));
	error = answer->walk ? exchange_open(answer->walk, NETLINK_NETFILTER) : -ENOMEM;
	if (error)
		return error;
	ctrequest_walk_helped(answer->walk);
	return exchange_walk_begin(answer->walk);
}

/* Where conntrack does not answer, the daemon is told so by others, too; what is listed is what there is to be had. */
bool answer_fast(struct response *answer)
{
	const struct options *options = answer->view->config.options;

	if (options->attach.mode != MODE_KMOD || answer->question.kind != QUESTION_SESSIONS)
		return true;
	if (!answer->walk && begin(answer) < 0)
		return true;
	return exchange_walk_on(answer->walk, answer_fast_object, answer) <= 0;
}

void answer_fast_end(struct response *answer)
{
	if (answer->walk)
		exchange_close(answer->walk);
	free(answer->walk);
	answer->walk = NULL;
}

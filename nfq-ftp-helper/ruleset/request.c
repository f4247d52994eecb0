// SPDX-License-Identifier: GPL-2.0-or-later
#include "request.h"

#include "daemon/attachment.h"

const struct ruleset_place ruleset_assign_places[RULESET_ASSIGN_PLACES] = {
	{ .hook = "prerouting", .chain = "PREROUTING", .to_server = true, .sees_in = true },
	{ .hook = "output", .chain = "OUTPUT", .to_server = true, .sees_out = true },
};

const struct ruleset_place ruleset_queue_places[RULESET_QUEUE_PLACES] = {
	{ .hook = "forward", .chain = "FORWARD", .to_server = true, .sees_in = true, .sees_out = true },
	{ .hook = "forward", .chain = "FORWARD", .to_server = false, .sees_in = true, .sees_out = true },
	{ .hook = "input", .chain = "INPUT", .to_server = true, .sees_in = true, .not_lo = true },
	{ .hook = "input", .chain = "INPUT", .to_server = false, .sees_in = true, .not_lo = true },
	{ .hook = "postrouting", .chain = "POSTROUTING", .to_server = true, .sees_out = true, .from_here = true },
	{ .hook = "postrouting", .chain = "POSTROUTING", .to_server = false, .sees_out = true, .from_here = true },
};

static const char *name_or_any(const char *name)
{
	return name[0] ? name : NULL;
}

const char *ruleset_in(const struct ruleset_place *place, const struct ruleset_interfaces *interfaces)
{
	if (!place->sees_in)
		return NULL;
	return name_or_any(place->to_server ? interfaces->client : interfaces->server);
}

const char *ruleset_out(const struct ruleset_place *place, const struct ruleset_interfaces *interfaces)
{
	if (!place->sees_out)
		return NULL;
	return name_or_any(place->to_server ? interfaces->server : interfaces->client);
}

const char *ruleset_helper(const struct ruleset_request *request)
{
	return request->run.mode == MODE_QUEUE ? request->carrier : RULESET_HELPER;
}

bool ruleset_payload_only(const struct ruleset_request *request)
{
	return request->run.seqadj == SEQADJ_MODE_KERNEL;
}

const char *ruleset_backend_name(enum ruleset_backend backend)
{
	return backend == RULESET_BACKEND_NFT ? "nft" : "iptables";
}

static void write_queue_option(const char *option, const struct queue_range *range, FILE *out)
{
	fprintf(out, " --%s %u", option, range->first);
	if (range->last != range->first)
		fprintf(out, ":%u", range->last);
}

void ruleset_write_run(const struct ruleset_request *request, FILE *out)
{
	static const char *const seqadj[] = {
		[SEQADJ_MODE_AUTO] = "auto",
		[SEQADJ_MODE_KERNEL] = "kernel",
		[SEQADJ_MODE_SELF] = "self",
	};
	const struct options *run = &request->run;

	fprintf(out, "nfq-ftp-helper run --mode %s", attachment_name(request->run.mode));
	if (request->run.mode == MODE_CTHELPER && run->queues.first > 0)
		write_queue_option("queue", &run->queues, out);
	if (request->run.mode != MODE_QUEUE)
		return;
	write_queue_option("queue", &run->queues, out);
	write_queue_option("sure-queue", &run->sure_queues, out);
	fprintf(out, " --mark 0x%x/0x%x --seqadj %s", run->mark, run->mark_mask, seqadj[run->seqadj]);
}

void ruleset_write_head(const struct ruleset_request *request, FILE *out)
{
	fprintf(out, "# nfq-ftp-helper: mode %s, backend %s; it goes with: ", attachment_name(request->run.mode),
		ruleset_backend_name(request->backend));
	ruleset_write_run(request, out);
	fputc('\n', out);
}

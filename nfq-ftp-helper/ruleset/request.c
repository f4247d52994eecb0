// SPDX-License-Identifier: GPL-2.0-or-later
#include "request.h"

#include "host/interface.h"
#include "host/module.h"
#include "kernel/cthelper.h"
#include "output/pasted.h"

#include <stdarg.h>
#include <string.h>

const struct request_place request_assign_places[REQUEST_ASSIGN_PLACES] = {
	{ .hook = "prerouting", .chain = "PREROUTING", .to_server = true, .sees_in = true },
	{ .hook = "output", .chain = "OUTPUT", .to_server = true, .sees_out = true },
};

const struct request_place request_queue_places[REQUEST_QUEUE_PLACES] = {
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

const char *request_in(const struct request_place *place, const struct request_interfaces *interfaces)
{
	if (!place->sees_in)
		return NULL;
	return name_or_any(place->to_server ? interfaces->client : interfaces->server);
}

const char *request_out(const struct request_place *place, const struct request_interfaces *interfaces)
{
	if (!place->sees_out)
		return NULL;
	return name_or_any(place->to_server ? interfaces->server : interfaces->client);
}

const char *request_helper(const struct request *request)
{
	return request->attach.mode == MODE_QUEUE ? request->carrier : CTHELPER_NAME;
}

const char *request_helper_comes_by(const struct request *request)
{
	return request->attach.mode == MODE_KMOD ? "load the module with `modprobe " MODULE_NAME "'" :
						   "start `nfq-ftp-helper run --mode cthelper'";
}

bool request_payload_only(const struct request *request)
{
	return request->attach.seqadj == SEQADJ_MODE_KERNEL;
}

/* At the end of a command. One that is cut short for want of room would be another: REQUEST_COMMAND_MAX has all that can be said. */
static void __attribute__((format(printf, 2, 3))) say(char text[REQUEST_COMMAND_MAX], const char *format, ...)
{
	const size_t length = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + length, REQUEST_COMMAND_MAX - length, format, arguments);
	va_end(arguments);
}

const char *request_run(const struct request *request, char text[REQUEST_COMMAND_MAX])
{
	const struct attach *attach = &request->attach;
	char queues[QUEUE_RANGE_TEXT_MAX], sure[QUEUE_RANGE_TEXT_MAX];

	text[0] = '\0';
	say(text, "nfq-ftp-helper run --mode %s", mode_names[attach->mode]);
	if (attach->mode == MODE_QUEUE || (attach->mode == MODE_CTHELPER && attach->queues.first > 0))
		say(text, " --queue %s", queue_range_text(&attach->queues, queues));
	if (attach->mode == MODE_QUEUE)
		say(text, " --sure-queue %s --mark 0x%x/0x%x%s --seqadj %s",
		    queue_range_text(&attach->sure_queues, sure), attach->mark, attach->mark_mask,
		    attach->labels ? " --label" : "", attach_seqadj_names[attach->seqadj]);
	return text;
}

/* A path of 255 bytes has room, but where many of them are to be quoted. */
#define FILE_WORD_MAX 264

static void say_queues(const struct request *request, char text[REQUEST_COMMAND_MAX])
{
	const struct queue_range *queues = &request->attach.queues;
	struct queue_range sure = request->attach.sure_queues;
	char range[QUEUE_RANGE_TEXT_MAX];

	if (queues->last > 0 || request->in_file.queues)
		say(text, " --queue %s", queue_range_text(queues, range));
	if (sure.given || (request->in_file.sure_queues && queue_range_next(queues, &sure)))
		say(text, " --sure-queue %s", queue_range_text(&sure, range));
}

static void say_attach(const struct request *request, char text[REQUEST_COMMAND_MAX])
{
	const struct attach *attach = &request->attach;

	say_queues(request, text);
	if (attach->mark_mask)
		say(text, " --mark 0x%x/0x%x", attach->mark, attach->mark_mask);
	if (attach->labels)
		say(text, " --label");
	if (attach->seqadj != SEQADJ_MODE_AUTO || request->in_file.seqadj)
		say(text, " --seqadj %s", attach_seqadj_names[attach->seqadj]);
}

static void say_interfaces(const struct request *request, char text[REQUEST_COMMAND_MAX])
{
	char pairs[REQUEST_INTERFACES_MAX * (2 * IF_NAMESIZE + 1)] = "", word[sizeof(pairs) + 3];
	int length = 0;

	for (unsigned int i = 0; i < request->interface_count; i++) {
		const struct request_interfaces *pair = &request->interfaces[i];

		if (pair->client[0] || pair->server[0])
			length += snprintf(pairs + length, sizeof(pairs) - (size_t)length, "%s%s:%s", i ? "," : "",
					   pair->client, pair->server);
	}
	if (length)
		say(text, " --interface %s", pasted(pairs, word, sizeof(word)));
}

const char *request_apply(const struct request *request, char text[REQUEST_COMMAND_MAX])
{
	char ports[PORTS_TEXT_MAX], file[FILE_WORD_MAX];

	text[0] = '\0';
	say(text, "nfq-ftp-helper rules --apply");
	if (request->file)
		say(text, " -c %s", pasted(request->file, file, sizeof(file)));
	if (request->attach.mode != MODE_AUTO || request->in_file.mode)
		say(text, " --mode %s", mode_names[request->attach.mode]);
	if (request->backend)
		say(text, " --backend %s", request->backend);
	if (strcmp(request->carrier, ATTACH_CARRIER) != 0 || request->in_file.carrier)
		say(text, " --carrier %s", request->carrier);
	say_attach(request, text);
	if (request->ports.given)
		say(text, " --port %s", ports_text(&request->ports, ports));
	say_interfaces(request, text);
	if (request->zone >= 0)
		say(text, " --zone %d", request->zone);
	return text;
}

const char *request_missing_interface(const struct request *request)
{
	for (unsigned int i = 0; i < request->interface_count; i++) {
		const struct request_interfaces *pair = &request->interfaces[i];

		if (pair->client[0] && !interface_exists(pair->client))
			return pair->client;
		if (pair->server[0] && !interface_exists(pair->server))
			return pair->server;
	}
	return NULL;
}

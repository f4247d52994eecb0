// SPDX-License-Identifier: GPL-2.0-or-later
#include "reporter.h"

#include "core/wire/bytes.h"
#include "host/attach.h"
#include "kernel/ctnetlink.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Lines a second of one thread. */
#define TOLD_PER_SECOND	   500
#define REFUSED_PER_SECOND 10

/* Of a text from the network, this much is shown. */
#define EXCERPT_MAX 96

/* Of one that could not be read: these as they are; and it is like an address with so many of its marks. */
#define SHAPE_SHOWN ",.|: ()[]/-"
#define MARKS_MIN   3

/* " in=eth0 out=eth1", or nothing. */
#define PLACE_MAX (2 * IF_NAMESIZE + 16)

/* Behind all refusals: why a connection is not followed. */
enum {
	REASON_SHARE = REFUSALS,
	REASON_FULL,
	REASONS,
};

void reporter_open(struct reporter *reporter)
{
	memset(reporter, 0, sizeof(*reporter));
	interfaces_open(&reporter->interfaces);
}

void reporter_close(struct reporter *reporter)
{
	interfaces_close(&reporter->interfaces);
}

/*
 * A text from the network, without the end of its line, in printable characters, between quotes that it cannot end; nor can it take their
 * end away from who reads such lines, to whom \" is no end: a backslash may delimit the parts of EPRT's argument.
 */
static const char *excerpt(const char *text, uint32_t length, char buffer[EXCERPT_MAX])
{
	uint32_t shown;

	while (length && (text[length - 1] == '\r' || text[length - 1] == '\n'))
		length--;
	shown = length < EXCERPT_MAX - 4 ? length : EXCERPT_MAX - 4;
	memcpy(buffer, text, shown);
	for (uint32_t i = 0; i < shown; i++) {
		if (buffer[i] < ' ' || buffer[i] > '~' || buffer[i] == '"' || buffer[i] == '\\')
			buffer[i] = '?';
	}
	snprintf(buffer + shown, 4, "%s", shown < length ? "..." : "");
	return buffer;
}

static const char *place(const struct reporter *reporter, char buffer[PLACE_MAX])
{
	char in[IF_NAMESIZE], out[IF_NAMESIZE];

	buffer[0] = '\0';
	if (reporter->packet)
		snprintf(buffer, PLACE_MAX, " in=%s out=%s",
			 interfaces_name(&reporter->interfaces, reporter->packet->in, in),
			 interfaces_name(&reporter->interfaces, reporter->packet->out, out));
	return buffer;
}

/* Where a line is about a connection, this ends it: "client=A server=B in=eth0 out=eth1". */
#define PARTIES_MAX (2 * ENDPOINT_PRINT_MAX + PLACE_MAX + 32)

static const char *parties(const struct reporter *reporter, const struct report *report, char buffer[PARTIES_MAX])
{
	char client[ENDPOINT_PRINT_MAX], server[ENDPOINT_PRINT_MAX], where[PLACE_MAX];

	snprintf(buffer, PARTIES_MAX, "client=%s server=%s%s", endpoint_print(&report->client, client),
		 endpoint_print(&report->server, server), place(reporter, where));
	return buffer;
}

/* What is told of a kind of report, and how. */
struct kind {
	enum log_level level;
	const char *event;
	void (*tell)(const struct kind *kind, const struct report *report, const char *whom);
};

static void tell_rewrite(const struct kind *kind, const struct report *report, const char *whom)
{
	char from[EXCERPT_MAX], to[EXCERPT_MAX];

	log_line(kind->level, "event=%s command=%s from=\"%s\" to=\"%s\" growth=%" PRId32 " seq=%" PRIu32 " %s",
		 kind->event, report->command, excerpt(report->from, report->from_length, from),
		 excerpt(report->to, report->to_length, to), report->adj.after - report->adj.before, report->seq, whom);
}

static void tell_expectation(const struct kind *kind, const struct report *report, const char *whom)
{
	const struct expectation *expectation = report->expectation;
	char src[ENDPOINT_PRINT_MAX], dst[ENDPOINT_PRINT_MAX], inner[ENDPOINT_PRINT_MAX];
	const bool behind_nat =
		expectation->translated && !endpoint_equal(&expectation->nat_src, &expectation->tuple.dst);

	/* Its port is any. */
	endpoint_print_address(&expectation->tuple.src, src);
	endpoint_print(&expectation->tuple.dst, dst);
	endpoint_print(&expectation->nat_src, inner);
	log_line(kind->level, "event=%s command=%s data-from=%s data-to=%s%s%s %s", kind->event, report->command, src,
		 dst, behind_nat ? " inside=" : "", behind_nat ? inner : "", whom);
}

/* What to do where it was conntrack that refused. */
static const char *conntrack_advice(int error)
{
	switch (-error) {
	case EOPNOTSUPP:
		return "the connection has no helper, or was given it too late: assign a TCP helper to port 21 in "
		       "raw PREROUTING (iptables -t raw -A PREROUTING -p tcp --dport 21 -j CT --helper " ATTACH_CARRIER
		       ")";
	case EPERM:
		return "this program needs CAP_NET_ADMIN";
	case EAGAIN:
		return "too many at once of connections whose source and destination are both translated; a kernel "
		       "with CONFIG_NETFILTER_NETLINK_GLUE_CT can tell them without a search";
	case EMFILE:
		return "the helper or net.netfilter.nf_conntrack_expect_max allows no more expectations";
	case CTNETLINK_TWICE:
		return "its helper is one of user space, and with that and an NFQUEUE rule the kernel would adjust "
		       "sequence numbers twice: use --seqadj auto or self, or another carrier";
	default:
		return strerror(-error);
	}
}

const char *reporter_advice(enum refusal refusal, int error)
{
	return refusal == REFUSED_CONNTRACK ? conntrack_advice(error) : refusal_advice(refusal);
}

/* Nothing but digits and what stands between them in an address, several times: no password looks so. */
static bool is_like_an_address(const char *text)
{
	unsigned int marks = 0;

	for (; *text; text++) {
		if (strchr(",.|:", *text))
			marks++;
		else if (!bytes_is_digit((uint8_t)*text) && !strchr(" ()", *text))
			return false;
	}
	return marks >= MARKS_MIN;
}

/* What it is made of, for those who debug. It may be a password. */
static const char *shape(char *text)
{
	if (is_like_an_address(text))
		return text;
	for (char *at = text; *at; at++) {
		if (bytes_is_letter((uint8_t)*at))
			*at = 'a';
		else if (bytes_is_digit((uint8_t)*at))
			*at = '9';
		else if (!strchr(SHAPE_SHOWN, *at))
			*at = '?';
	}
	return text;
}

/*
 * What was announced, where it is an address and a port. Anything else may be whatever somebody has typed in the wrong
 * place, a password or a name.
 */
static const char *refused_text(const struct report *report, char buffer[EXCERPT_MAX])
{
	if (report->port && report->refusal != REFUSED_MALFORMED)
		return excerpt(report->from, report->from_length, buffer);
	if (log_enabled(LOG_LEVEL_DEBUG)) {
		(void)excerpt(report->from, report->from_length, buffer);
		return shape(buffer);
	}
	snprintf(buffer, EXCERPT_MAX, "(%" PRIu32 " bytes)", report->from_length);
	return buffer;
}

static void tell_refusal(const struct kind *kind, const struct report *report, const char *whom)
{
	const char *help = reporter_advice(report->refusal, report->error);
	char from[EXCERPT_MAX];

	log_line(kind->level, "event=%s reason=%s command=%s argument=\"%s\" why=\"%s\"%s%s%s %s", kind->event,
		 refusal_name(report->refusal), report->command, refused_text(report, from),
		 refusal_text(report->refusal), help ? " advice=\"" : "", help ? help : "", help ? "\"" : "", whom);
}

static void tell_happened(const struct kind *kind, const struct report *report, const char *whom)
{
	(void)report;
	log_line(kind->level, "event=%s %s", kind->event, whom);
}

static void tell_limit(const struct kind *kind, const struct report *report, const char *whom)
{
	if (report->taken)
		log_line(kind->level,
			 "event=%s reason=share sessions=%" PRIu32 " why=\"its client has its share of them\" "
			 "advice=\"--share-exempt lifts the limit for a network that stands for many clients\" %s",
			 kind->event, report->taken, whom);
	else
		log_line(kind->level,
			 "event=%s reason=full why=\"the table is full\" advice=\"--sessions sets its size\" %s",
			 kind->event, whom);
}

/* Whose packets come, and who has none that do. */
static void tell_one_way(const struct kind *kind, const struct report *report, const char *whom)
{
	const bool sent = report->direction == DIRECTION_ORIGINAL;
	char sender[ENDPOINT_PRINT_MAX], silent[ENDPOINT_PRINT_MAX];

	endpoint_print_address(sent ? &report->client : &report->server, sender);
	endpoint_print_address(sent ? &report->server : &report->client, silent);
	log_line(
		kind->level,
		"event=%s come-from=%s missing-from=%s why=\"packets of one direction do not come here, so nothing is "
		"edited or opened\" advice=\"route both directions of connections with %s through this machine and queue "
		"both, or queue neither\" said=once %s",
		kind->event, sender, silent, silent, whom);
}

static const struct kind kinds[] = {
	[REPORT_REWRITE] = { LOG_LEVEL_INFO, "rewrite", tell_rewrite },
	[REPORT_EXPECT] = { LOG_LEVEL_INFO, "expect", tell_expectation },
	[REPORT_UNEXPECT] = { LOG_LEVEL_INFO, "unexpect", tell_expectation },
	[REPORT_REFUSE] = { LOG_LEVEL_WARNING, "refuse", tell_refusal },
	[REPORT_OPAQUE] = { LOG_LEVEL_INFO, "encrypted", tell_happened },
	[REPORT_LIMIT] = { LOG_LEVEL_WARNING, "not-followed", tell_limit },
	[REPORT_ONE_WAY] = { LOG_LEVEL_WARNING, "one-way", tell_one_way },
	[REPORT_BEGIN] = { LOG_LEVEL_DEBUG, "opened", tell_happened },
	[REPORT_END] = { LOG_LEVEL_DEBUG, "closed", tell_happened },
};

/* Whose packets are missed. */
static const struct endpoint *silent_host(const struct report *report)
{
	return report->direction == DIRECTION_ORIGINAL ? &report->server : &report->client;
}

/* Has it been said of this host, or of as many others as are remembered? */
static bool is_said(const struct reporter *reporter, const struct endpoint *host)
{
	for (unsigned int i = 0; i < reporter->one_way_count; i++)
		if (endpoint_address_equal(&reporter->one_way[i], host))
			return true;
	return reporter->one_way_count == REPORTER_HOSTS;
}

/* Those that a client can bring about have a reason. REASONS: none. */
static unsigned int reason_of(const struct report *report)
{
	if (report->kind == REPORT_REFUSE)
		return report->refusal;
	if (report->kind == REPORT_LIMIT)
		return report->taken ? REASON_SHARE : REASON_FULL;
	return REASONS;
}

static const char *reason_name(unsigned int reason)
{
	if (reason < REFUSALS)
		return refusal_name(reason);
	return reason == REASON_SHARE ? "share" : "full";
}

static bool is_allowed(struct reporter *reporter, const struct report *report)
{
	const bool warning = kinds[report->kind].level == LOG_LEVEL_WARNING;
	const unsigned int reason = reason_of(report);

	if (report->kind == REPORT_ONE_WAY && is_said(reporter, silent_host(report)))
		return false;
	if (reason != REASONS && !throttle_allows(&reporter->throttle, &report->client, reason, reporter->now))
		return false;
	return log_allowed(warning ? &reporter->refused : &reporter->told, reporter->now,
			   warning ? REFUSED_PER_SECOND : TOLD_PER_SECOND);
}

void reporter_report(void *context, const struct report *report)
{
	const struct kind *kind = &kinds[report->kind];
	struct reporter *reporter = context;
	char whom[PARTIES_MAX];

	if (!log_enabled(kind->level) || !is_allowed(reporter, report))
		return;
	if (report->kind == REPORT_ONE_WAY)
		reporter->one_way[reporter->one_way_count++] = *silent_host(report);
	kind->tell(kind, report, parties(reporter, report, whom));
}

static void tell_left_out(const struct throttle_place *place)
{
	char client[ENDPOINT_PRINT_MAX] = "others";

	if (place->client.family)
		endpoint_print_address(&place->client, client);
	log_line(LOG_LEVEL_WARNING, "event=left-out reason=%s client=%s%s lines=%" PRIu32 " seconds=%u",
		 place->client.family ? reason_name(place->reason) : "any", client,
		 place->client.family == FAMILY_IPV6 ? "/64" : "", place->left_out, THROTTLE_MILLISECONDS / 1000);
}

void reporter_tick(struct reporter *reporter, uint64_t now)
{
	reporter->now = now;
	interfaces_refresh(&reporter->interfaces);
	throttle_tick(&reporter->throttle, now, tell_left_out);
	log_settle(&reporter->told, now, LOG_LEVEL_INFO, "events");
	log_settle(&reporter->refused, now, LOG_LEVEL_WARNING, "warnings");
}

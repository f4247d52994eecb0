// SPDX-License-Identifier: GPL-2.0-or-later
#include "replay_report.h"

#include "output/say.h"

#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

void replay_report_time(void *context, const struct timeval *time)
{
	struct replay_reporter *reporter = context;

	if (!reporter->begun)
		reporter->first = *time;
	reporter->begun = true;
	reporter->now = *time;
}

/* JSON. jansson leaves out a member whose value could not be made, so memory that is short costs that member only. */

static json_t *json_bytes(const char *bytes, size_t length)
{
	char text[2 * 512];
	size_t at = 0;

	/* What is not ASCII came in no known encoding: each byte becomes the character of its number. */
	for (size_t i = 0; i < length && at + 2 < sizeof(text); i++) {
		const uint8_t byte = (uint8_t)bytes[i];

		if (byte >= 0x80)
			text[at++] = (char)(0xc0 | byte >> 6);
		text[at++] = (char)(byte >= 0x80 ? 0x80 | (byte & 0x3f) : byte);
	}
	return json_stringn(text, at);
}

static json_t *json_endpoint(const struct endpoint *endpoint)
{
	char text[ENDPOINT_PRINT_MAX];

	return json_string(endpoint_print(endpoint, text));
}

static json_t *json_count(uint64_t count)
{
	return json_integer((json_int_t)count);
}

static json_t *json_event(const struct replay_reporter *reporter, const char *event)
{
	json_t *object = json_object();

	json_object_set_new(object, "event", json_string(event));
	json_object_set_new(object, "ts",
			    json_real((double)reporter->now.tv_sec + (double)reporter->now.tv_usec / 1e6));
	return object;
}

/* Print the line, and be done with it. */
static void json_line(json_t *object)
{
	json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(16));
	putchar('\n');
	json_decref(object);
}

static void json_parties(json_t *object, const struct endpoint *client, const struct endpoint *server)
{
	json_object_set_new(object, "client", json_endpoint(client));
	json_object_set_new(object, "server", json_endpoint(server));
}

static void json_report(const struct replay_reporter *reporter, const char *event, const struct report *report)
{
	json_t *object = json_event(reporter, event);
	char address[ENDPOINT_PRINT_MAX];

	json_parties(object, &report->client, &report->server);
	json_object_set_new(object, "command", json_string(report->command));
	if (report->from)
		json_object_set_new(object, "from", json_bytes(report->from, report->from_length));
	if (report->to)
		json_object_set_new(object, "to", json_bytes(report->to, report->to_length));
	if (report->port)
		json_object_set_new(object, "port", json_count(report->port));
	if (report->expectation) {
		json_object_set_new(object, "source",
				    json_string(endpoint_print_address(&report->expectation->tuple.src, address)));
		json_object_set_new(object, "destination", json_endpoint(&report->expectation->tuple.dst));
	}
	if (report->kind == REPORT_REFUSE)
		json_object_set_new(object, "reason", json_string(refusal_name(report->refusal)));
	json_line(object);
}

static void json_data(const struct replay_reporter *reporter, const struct tuple *original, bool expected)
{
	json_t *object = json_event(reporter, "data");

	json_parties(object, &original->src, &original->dst);
	json_object_set_new(object, "port", json_count(original->dst.port));
	json_object_set_new(object, "expected", json_boolean(expected));
	json_line(object);
}

/* What the summary has, for programs and for people: a row each. */
struct count {
	const char *name;
	uint64_t count;
	const char *text;
	const char
		*tail; /* of a heading, which is said of none, too: what follows its text, and the "s" of the plural */
};

#define COUNTS_MAX 24

/* The refusals by their reasons stand behind this one. */
#define COUNT_REFUSED "refused"

/* Headings, and their parts. Return: how many rows. */
static unsigned int count_all(const struct replay_summary *summary, const struct playback_counts *played,
			      const struct counters *counters, struct count rows[COUNTS_MAX])
{
	const uint64_t *reports = summary->reports;
	const struct count all[] = {
		{ "packets", played->packets, "packet", "" },
		{ "malformed", played->malformed, "damaged: passed as they were", NULL },
		{ "checksums_ignored", played->checksums_ignored, "of a wrong checksum: read all the same", NULL },
		{ "truncated", played->truncated, "of control cut off when they were captured: not read", NULL },
		{ "dropped", played->dropped, "held back or dropped, for their senders to send again", NULL },
		{ "control_connections", played->controls, "FTP control connection", "" },
		{ "sessions", counters->sessions, "followed", NULL },
		{ "picked_up", counters->picked_up, "picked up in the middle", NULL },
		{ "one_way", reports[REPORT_ONE_WAY], "of which one direction only is there: not read", NULL },
		{ "opaque", reports[REPORT_OPAQUE], "turned to TLS: not read from there on", NULL },
		{ "announced", reports[REPORT_EXPECT] + reports[REPORT_REFUSE], "data connection", " announced" },
		{ "expectations", reports[REPORT_EXPECT], "expected", NULL },
		{ "rewrites", reports[REPORT_REWRITE], "with the text rewritten", NULL },
		{ COUNT_REFUSED, reports[REPORT_REFUSE], NULL, NULL },
		{ "still_expected", played->still_expected, "still expected at the end", NULL },
		{ "data_connections", summary->data_expected + summary->data_unexpected, "connection", " besides" },
		{ "data_expected", summary->data_expected, "as announced", NULL },
		{ "data_unexpected", summary->data_unexpected, "that nobody announced", NULL },
		{ "other_connections", played->others, "more, which have nothing to do with FTP", NULL },
	};

	memcpy(rows, all, sizeof(all));
	return sizeof(all) / sizeof(all[0]);
}

static json_t *json_refusals(const struct counters *counters)
{
	json_t *refusals = json_object();

	for (unsigned int i = 0; i < REFUSALS; i++)
		if (counters->refusals[i])
			json_object_set_new(refusals, refusal_name(i), json_count(counters->refusals[i]));
	return refusals;
}

static void json_summary(const struct replay_reporter *reporter, const struct playback_counts *played,
			 const struct counters *counters)
{
	json_t *object = json_event(reporter, "summary");
	struct count rows[COUNTS_MAX];
	const unsigned int count = count_all(&reporter->summary, played, counters, rows);

	for (unsigned int i = 0; i < count; i++)
		json_object_set_new(object, rows[i].name, json_count(rows[i].count));
	json_object_set_new(object, "refusals", json_refusals(counters));
	json_line(object);
}

/* For people. */

static void print_bytes(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (isascii((unsigned char)bytes[i]) && isprint((unsigned char)bytes[i]))
			putchar(bytes[i]);
		else
			printf("\\x%02x", (unsigned char)bytes[i]);
}

static void print_endpoint(const struct endpoint *endpoint)
{
	char text[ENDPOINT_PRINT_MAX];

	fputs(endpoint_print(endpoint, text), stdout);
}

/* When, and between whom: what each line begins with. */
static void print_parties(const struct replay_reporter *reporter, const struct endpoint *client,
			  const struct endpoint *server)
{
	struct timeval since;

	timersub(&reporter->now, &reporter->first, &since);
	printf("%5lld.%06ld  ", (long long)since.tv_sec, (long)since.tv_usec);
	print_endpoint(client);
	fputs(" > ", stdout);
	print_endpoint(server);
	fputs("   ", stdout);
}

static void print_rewrite(const struct report *report)
{
	printf("%s ", report->command);
	print_bytes(report->from, report->from_length);
	fputs(" -> ", stdout);
	print_bytes(report->to, report->to_length);
	printf("   (what follows moves by %+" PRId32 ")", report->adj.after);
}

static void print_expectation(const struct report *report)
{
	char address[ENDPOINT_PRINT_MAX];

	if (!report->expectation)
		return;
	printf("%s -> ", endpoint_print_address(&report->expectation->tuple.src, address));
	print_endpoint(&report->expectation->tuple.dst);
}

static void print_expect(const struct report *report)
{
	printf("%s ", report->command);
	print_bytes(report->from, report->from_length);
	fputs("   expects ", stdout);
	print_expectation(report);
}

static void print_unexpect(const struct report *report)
{
	fputs("no longer expects ", stdout);
	print_expectation(report);
}

static void print_refuse(const struct report *report)
{
	printf("%s ", report->command);
	print_bytes(report->from, report->from_length);
	printf("   refused: %s", refusal_text(report->refusal));
	if (report->error)
		printf(": %s", strerror(-report->error));
}

static void print_limit(const struct report *report)
{
	fputs(report->taken ? "not followed: the client has its share" : "not followed: the table is full", stdout);
}

static void print_one_way(const struct report *report)
{
	printf("only the %s's packets are here: nothing is edited or opened",
	       report->direction == DIRECTION_ORIGINAL ? "client" : "server");
}

/* What becomes of a report: its JSON event, where it has one, and its line for people: always the same, or printed. */
static const struct report_form {
	const char *event;
	const char *line;
	void (*print)(const struct report *report);
} report_forms[] = {
	[REPORT_REWRITE] = { "rewrite", NULL, print_rewrite },
	[REPORT_EXPECT] = { "expect", NULL, print_expect },
	[REPORT_UNEXPECT] = { "unexpect", NULL, print_unexpect },
	[REPORT_REFUSE] = { "refuse", NULL, print_refuse },
	[REPORT_OPAQUE] = { NULL, "encrypted from here on", NULL },
	[REPORT_LIMIT] = { NULL, NULL, print_limit },
	[REPORT_ONE_WAY] = { NULL, NULL, print_one_way },
	[REPORT_BEGIN] = { NULL, "control connection begins", NULL },
	[REPORT_END] = { NULL, "control connection ends", NULL },
};

void replay_report_engine(void *context, const struct report *report)
{
	struct replay_reporter *reporter = context;
	const struct report_form *form = &report_forms[report->kind];

	reporter->summary.reports[report->kind]++;
	if (reporter->json) {
		if (form->event)
			json_report(reporter, form->event, report);
		return;
	}
	print_parties(reporter, &report->client, &report->server);
	if (form->line)
		fputs(form->line, stdout);
	else
		form->print(report);
	putchar('\n');
}

void replay_report_data(struct replay_reporter *reporter, const struct tuple *original, bool expected)
{
	++*(expected ? &reporter->summary.data_expected : &reporter->summary.data_unexpected);
	if (reporter->json) {
		json_data(reporter, original, expected);
		return;
	}
	print_parties(reporter, &original->src, &original->dst);
	printf("%s\n", expected ? "data connection, as announced" : "connection that nobody announced");
}

static void print_refusals(const struct counters *counters)
{
	for (unsigned int i = 0; i < REFUSALS; i++)
		if (counters->refusals[i])
			printf("%8" PRIu64 " refused: %s\n", counters->refusals[i], refusal_text(i));
}

static void print_summary(const struct replay_summary *summary, const struct playback_counts *played,
			  const struct counters *counters)
{
	struct count rows[COUNTS_MAX];
	const unsigned int count = count_all(summary, played, counters, rows);

	putchar('\n');
	say_line(stdout, "%s:", summary->path);
	for (unsigned int i = 0; i < count; i++) {
		if (!rows[i].text)
			print_refusals(counters);
		else if (rows[i].tail)
			printf("  %" PRIu64 " %s%s%s\n", rows[i].count, rows[i].text, rows[i].count == 1 ? "" : "s",
			       rows[i].tail);
		else if (rows[i].count)
			printf("%8" PRIu64 " %s\n", rows[i].count, rows[i].text);
	}
}

void replay_report_summary(struct replay_reporter *reporter, const struct playback_counts *played,
			   const struct counters *counters)
{
	if (reporter->json)
		json_summary(reporter, played, counters);
	else
		print_summary(&reporter->summary, played, counters);
}

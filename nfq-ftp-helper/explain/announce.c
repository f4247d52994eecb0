// SPDX-License-Identifier: GPL-2.0-or-later
#include "announce.h"

#include "core/wire/ftp.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *const side_names[] = { [DIRECTION_ORIGINAL] = "client", [DIRECTION_REPLY] = "server" };

/* The other one's. */
static const char *other_name(enum direction direction)
{
	return side_names[direction_other(direction)];
}

static enum direction direction_of(const struct ladder_row *row)
{
	return row->way == LADDER_TO_SERVER ? DIRECTION_ORIGINAL : DIRECTION_REPLY;
}

static void keep_text(char kept[ANNOUNCE_TEXT_MAX], const char *text, uint32_t *length)
{
	if (*length > ANNOUNCE_TEXT_MAX - 1)
		*length = ANNOUNCE_TEXT_MAX - 1;
	if (!text)
		*length = 0;
	if (*length)
		memcpy(kept, text, *length);
	kept[*length] = '\0';
}

void announce_keep(struct announce_report *kept, const struct report *report)
{
	kept->report = *report;
	keep_text(kept->from, report->from, &kept->report.from_length);
	keep_text(kept->to, report->to, &kept->report.to_length);
	snprintf(kept->command, sizeof(kept->command), "%s", report->command ? report->command : "");
	kept->expects = report->expectation != NULL;
	if (kept->expects)
		kept->expectation = *report->expectation;
}

/* What it said, from where it is now. */
static struct report report_of(const struct announce_report *kept)
{
	struct report report = kept->report;

	report.from = kept->from;
	report.to = kept->to;
	report.command = kept->command;
	report.expectation = kept->expects ? &kept->expectation : NULL;
	return report;
}

/* "11*256+185 = 3001"; where it is written as one number, the other way round. */
static void note_sum(struct ladder *ladder, struct ladder_row *row, enum ladder_note_kind kind, enum notation notation,
		     const struct endpoint *endpoint)
{
	char address[ENDPOINT_PRINT_MAX] = "the server's own address";
	const unsigned int port = endpoint->port;

	if (endpoint->family)
		endpoint_print_address(endpoint, address);
	if (notation == NOTATION_HOST_PORT || notation == NOTATION_LONG)
		ladder_note(ladder, row, kind, "%u*256+%u = %u: port %u of %s", port / 256, port % 256, port, port,
			    address);
	else
		ladder_note(ladder, row, kind, "%u = %u*256+%u: port %u of %s, written as one number", port, port / 256,
			    port % 256, port, address);
}

/* As the engine reads the line: which word it begins with, and where that one's argument does; the line's length where there is none. */
static const struct ftp_word *find_argument(const struct ladder_row *row, size_t *argument)
{
	const enum direction side = direction_of(row);
	const uint8_t *bytes = (const uint8_t *)row->text.bytes;
	struct ftp_line line = { .phase = FTP_PHASE_START };
	enum ftp_event event = FTP_MORE;
	size_t at = 0;

	while (at < row->text.length && event != FTP_ARGUMENT) {
		at += ftp_scan(&line, side, 0, bytes + at, row->text.length - at, &event);
		if (event == FTP_STRANGE || event == FTP_FOREIGN)
			return NULL;
	}
	*argument = at;
	return ftp_line_word(&line, side);
}

static int read_argument(const struct ladder_row *row, enum notation notation, size_t at, struct endpoint *endpoint)
{
	const char *text = row->text.bytes + at;
	const size_t length = row->text.length - at;
	size_t argument;
	char delimiter;

	if (row->way == LADDER_TO_CLIENT)
		return endpoint_find(notation, text, length, endpoint, &delimiter, &argument);
	return endpoint_parse(notation, text, length, endpoint, &delimiter);
}

bool announce_line(struct ladder *ladder, struct ladder_dialogue *dialogue, struct ladder_row *row,
		   struct announcement_row *announcement)
{
	struct endpoint endpoint = { 0 };
	size_t argument;
	const struct ftp_word *word = row->text.bytes ? find_argument(row, &argument) : NULL;

	if (!word || word->notation == NOTATION_NONE)
		return false;
	*announcement = (struct announcement_row){ .dialogue = dialogue, .row = row, .word = word };
	if (read_argument(row, word->notation, argument, &endpoint) < 0) {
		ladder_note(ladder, row, LADDER_NOTE_SUM, "no address and port that could be read");
		return true;
	}
	announcement->port = endpoint.port;
	note_sum(ladder, row, LADDER_NOTE_SUM, word->notation, &endpoint);
	return true;
}

bool announce_is_about(const struct announcement_row *announcement, const struct announce_report *kept)
{
	const struct report *report = &kept->report;
	const struct ladder_row *row = announcement->row;

	return endpoint_equal(&announcement->dialogue->end[LADDER_CLIENT], &report->client) &&
	       !announcement->reported[report->kind] && strcmp(announcement->word->text, kept->command) == 0 &&
	       direction_of(row) == report->direction && row->text.bytes &&
	       memmem(row->text.bytes, row->text.length, kept->from, report->from_length);
}

/* Why another text stands there, as far as it can be seen from the two. */
static void note_why(struct ladder *ladder, struct announcement_row *announcement, const struct report *report)
{
	const enum ladder_side side = report->direction == DIRECTION_ORIGINAL ? LADDER_CLIENT : LADDER_SERVER;
	const struct ladder_dialogue *dialogue = announcement->dialogue;
	char own[ENDPOINT_PRINT_MAX], seen[ENDPOINT_PRINT_MAX];

	endpoint_print_address(&dialogue->end[side], own);
	endpoint_print_address(&dialogue->seen[side], seen);
	if (!endpoint_address_equal(&dialogue->end[side], &dialogue->seen[side]))
		ladder_note(ladder, announcement->row, LADDER_NOTE_REWRITE,
			    "%s becomes %s: the %s's address, %s, means nothing to the %s, who knows it as %s",
			    report->from, report->to, side_names[report->direction], own, other_name(report->direction),
			    seen);
	else
		ladder_note(ladder, announcement->row, LADDER_NOTE_REWRITE,
			    "%s becomes %s: what was written cannot be reached; %s is the %s's own address",
			    report->from, report->to, seen, side_names[report->direction]);
}

static void note_shift(struct ladder *ladder, struct ladder_row *row, const struct report *report)
{
	const int growth = (int)report->to_length - (int)report->from_length;

	if (growth == 0 && report->adj.after == 0)
		ladder_note(ladder, row, LADDER_NOTE_SHIFT, "the text is as long as before: no sequence number moves");
	else
		ladder_note(ladder, row, LADDER_NOTE_SHIFT,
			    "%+d byte%s: from here on the %s's sequence numbers move by %+" PRId32
			    ", and what the %s acknowledges moves back",
			    growth, abs(growth) == 1 ? "" : "s", side_names[report->direction], report->adj.after,
			    other_name(report->direction));
}

/* The whole line as its receiver gets it. */
static void set_received(struct ladder *ladder, struct ladder_row *row, const struct report *report)
{
	const char *at =
		row->text.bytes ? memmem(row->text.bytes, row->text.length, report->from, report->from_length) : NULL;
	const size_t before = at ? (size_t)(at - row->text.bytes) : 0;
	const size_t behind = at ? row->text.length - before - report->from_length : 0;
	char *line = at ? malloc(before + report->to_length + behind) : NULL;

	if (!line)
		return;
	memcpy(line, row->text.bytes, before);
	memcpy(line + before, report->to, report->to_length);
	memcpy(line + before + report->to_length, at + report->from_length, behind);
	ladder_set_text(ladder, &row->received, line, before + report->to_length + behind);
	free(line);
}

static void tell_rewrite(struct ladder *ladder, struct announcement_row *announcement, struct ladder_row *row,
			 const struct report *report)
{
	struct endpoint endpoint = { 0 };
	char delimiter;

	if (!announcement) {
		ladder_note(ladder, row, LADDER_NOTE_REWRITE, "%s %s becomes %s", report->command, report->from,
			    report->to);
		return;
	}
	set_received(ladder, row, report);
	note_why(ladder, announcement, report);
	if (endpoint_parse(announcement->word->notation, report->to, report->to_length, &endpoint, &delimiter) > 0)
		note_sum(ladder, row, LADDER_NOTE_REWRITE, announcement->word->notation, &endpoint);
	if (endpoint.port && announcement->port && endpoint.port != announcement->port)
		ladder_note(ladder, row, LADDER_NOTE_FACT, "port %u is taken on the other side: %u stands for it",
			    announcement->port, endpoint.port);
	note_shift(ladder, row, report);
}

static void tell_expect(struct ladder *ladder, struct announcement_row *announcement, struct ladder_row *row,
			const struct report *report)
{
	char src[ENDPOINT_PRINT_MAX], dst[ENDPOINT_PRINT_MAX], behind[ENDPOINT_PRINT_MAX];
	const struct expectation *expectation = report->expectation;
	bool translated;

	if (!expectation)
		return;
	translated = expectation->translated && !endpoint_equal(&expectation->nat_src, &expectation->tuple.dst);
	if (announcement)
		announcement->expected = translated ? expectation->nat_src : expectation->tuple.dst;
	ladder_note(ladder, row, LADDER_NOTE_EXPECT, "let in: one connection from %s, any port, to %s%s%s",
		    endpoint_print_address(&expectation->tuple.src, src), endpoint_print(&expectation->tuple.dst, dst),
		    translated ? ", which is " : "", translated ? endpoint_print(&expectation->nat_src, behind) : "");
}

/* What can be done about a refusal at the two ends; what can be done at the router is refusal_advice(). NULL: nothing there. */
static const char *const remedies[REFUSALS] = {
	[REFUSED_NO_GREETING] = "no client announces before the greeting: see what sent it",
	[REFUSED_NO_EXCHANGE] = "capture the connection from its beginning; live, the next command opens",
	[REFUSED_NOT_FTP] = "a client of FTP must begin with FTP commands; what else it is needs no helper",
	[REFUSED_MALFORMED] = "the sender must write it as RFC 959, 2428 or 1639 has it, octets up to 255",
	[REFUSED_TOO_LONG] = "the sender must write an address and a port, and nothing else",
	[REFUSED_STALLED] = "the sender must send the whole argument without waiting for the other side",
	[REFUSED_STALE] = "the client asks again, and then it opens",
	[REFUSED_ADDRESS] = "the sender must name its own address; from server to server (FXP) it does not",
	[REFUSED_FOREIGN] = "set the public address at the server (vsftpd: pasv_address, pure-ftpd: -P)",
	[REFUSED_PORT] = "the sender must announce a port of 1024 or more: below are services",
	[REFUSED_UNASKED] = "only PASV, EPSV and LPSV are answered so: see what the server answers",
	[REFUSED_PIPELINE] = "the client must wait for some replies before it asks for more",
	[REFUSED_SPACE] = "a larger segment size on the path (MSS) gives it room",
};

static void tell_refuse(struct ladder *ladder, struct announcement_row *announcement, struct ladder_row *row,
			const struct report *report)
{
	const char *advice = refusal_advice(report->refusal);
	const char *remedy = remedies[report->refusal];

	(void)announcement;
	ladder_note(ladder, row, LADDER_NOTE_REFUSED, "nothing is opened for it: %s%s%s", refusal_text(report->refusal),
		    report->error ? ": " : "", report->error ? strerror(-report->error) : "");
	if (advice)
		ladder_note(ladder, row, LADDER_NOTE_ADVICE, "%s", advice);
	if (remedy)
		ladder_note(ladder, row, LADDER_NOTE_ADVICE, "%s", remedy);
}

void announce_tell(struct ladder *ladder, struct announcement_row *announcement, struct ladder_row *row,
		   const struct announce_report *kept)
{
	static void (*const tellers[])(struct ladder *, struct announcement_row *, struct ladder_row *,
				       const struct report *) = {
		[REPORT_REWRITE] = tell_rewrite,
		[REPORT_EXPECT] = tell_expect,
		[REPORT_REFUSE] = tell_refuse,
	};
	const struct report report = report_of(kept);
	const enum report_kind kind = report.kind;

	if (kind >= sizeof(tellers) / sizeof(tellers[0]) || !tellers[kind])
		return;
	if (announcement) {
		announcement->reported[kind] = true;
		row = announcement->row;
	}
	if (row)
		tellers[kind](ladder, announcement, row, &report);
}

void announce_tell_opaque(struct ladder *ladder, struct ladder_row *row)
{
	ladder_note(ladder, row, LADDER_NOTE_FACT,
		    "encrypted from here on: addresses and ports are not seen, nothing can be rewritten or opened");
	ladder_note(
		ladder, row, LADDER_NOTE_ADVICE,
		"give the server a fixed range of passive ports and open that, or let clients say CCC after the login");
}

void announce_tell_limit(struct ladder *ladder, struct ladder_row *row)
{
	ladder_note(ladder, row, LADDER_NOTE_REFUSED, "the connection is not followed: there is no room for it");
}

bool announce_leads_to(const struct announcement_row *announcement, const struct endpoint *dst)
{
	const enum ladder_side side = announcement->row->way == LADDER_TO_SERVER ? LADDER_CLIENT : LADDER_SERVER;

	if (announcement->expected.family && endpoint_equal(&announcement->expected, dst))
		return true;
	return announcement->port == dst->port && endpoint_address_equal(&announcement->dialogue->end[side], dst);
}

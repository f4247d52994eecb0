// SPDX-License-Identifier: GPL-2.0-or-later
#include "told.h"

#include "announce.h"

#include <inttypes.h>
#include <stdlib.h>

#define TEXT_MAX (ANNOUNCE_TEXT_MAX + 64)

struct told_session {
	struct endpoint client, server; /* as the daemon knows them */
	size_t number;			/* of its dialogue */
	bool ended;
};

struct told {
	struct ladder *ladder;
	told_ready *ready;
	void *context;
	struct told_session *sessions;
	size_t count, going_on;
	/* The last row, where it is an announcement: more is said of it, at once. */
	struct ladder_row *row; /* NULL: it is not */
	size_t number;
	struct announcement_row announcement;
};

struct told *told_new(struct ladder *ladder, told_ready *ready, void *context)
{
	struct told *told = calloc(1, sizeof(*told));

	if (told)
		*told = (struct told){ .ladder = ladder, .ready = ready, .context = context };
	return told;
}

void told_free(struct told *told)
{
	if (told)
		free(told->sessions);
	free(told);
}

size_t told_going_on(const struct told *told)
{
	return told->going_on;
}

static void hand_out(const struct told *told, size_t number, const struct ladder_row *row)
{
	if (row && told->ready)
		told->ready(told->context, number, row);
}

void told_flush(struct told *told)
{
	hand_out(told, told->number, told->row);
	told->row = NULL;
}

static struct ladder_dialogue *dialogue_of(const struct told *told, const struct told_session *session)
{
	return told->ladder->dialogues[session->number];
}

static struct told_session *find_told(const struct told *told, const struct endpoint *client,
				      const struct endpoint *server)
{
	for (size_t i = told->count; i-- > 0;) {
		struct told_session *session = &told->sessions[i];

		if (!session->ended && endpoint_equal(&session->client, client) &&
		    endpoint_equal(&session->server, server))
			return session;
	}
	return NULL;
}

/* NULL: no memory, or no room. */
static struct told_session *begin_told(struct told *told, const struct endpoint *client, const struct endpoint *server)
{
	struct told_session *grown = reallocarray(told->sessions, told->count + 1, sizeof(*grown));
	struct ladder_dialogue *dialogue = grown ? ladder_add_dialogue(told->ladder) : NULL;

	if (grown)
		told->sessions = grown;
	told->ladder->no_memory |= !grown;
	if (!dialogue)
		return NULL;
	dialogue->end[LADDER_CLIENT] = dialogue->seen[LADDER_CLIENT] = *client;
	dialogue->end[LADDER_SERVER] = dialogue->seen[LADDER_SERVER] = *server;
	grown[told->count] = (struct told_session){ *client, *server, told->ladder->dialogue_count - 1, false };
	told->going_on++;
	return &grown[told->count++];
}

/* NULL: no memory, or no room. */
static struct ladder_row *add_row(struct told *told, const struct told_session *session, int64_t time,
				  enum ladder_kind kind, enum ladder_way way, const char *text)
{
	struct ladder_dialogue *dialogue = dialogue_of(told, session);
	const struct ladder_row row = { .time = time,
					.kind = kind,
					.way = way,
					.port = { dialogue->end[LADDER_CLIENT].port,
						  dialogue->end[LADDER_SERVER].port } };

	told_flush(told);
	return ladder_add_row(told->ladder, dialogue, &row, text, strlen(text));
}

/* One of which no more is said. */
static void add_whole_row(struct told *told, const struct told_session *session, int64_t time, enum ladder_kind kind,
			  enum ladder_way way, const char *text)
{
	hand_out(told, session->number, add_row(told, session, time, kind, way, text));
}

void told_session(struct told *told, int64_t time, const struct endpoint *client, const struct endpoint *server,
		  const char *text)
{
	const struct told_session *session = find_told(told, client, server) ? NULL : begin_told(told, client, server);

	if (session)
		add_whole_row(told, session, time, LADDER_MISSING, LADDER_BOTH_WAYS, text);
}

void told_lost(struct told *told, int64_t time, uint64_t count)
{
	char text[TEXT_MAX];

	snprintf(text, sizeof(text), "( %" PRIu64 " events are lost here: not read fast enough )", count);
	for (size_t i = 0; i < told->count; i++)
		if (!told->sessions[i].ended)
			add_whole_row(told, &told->sessions[i], time, LADDER_MISSING, LADDER_BOTH_WAYS, text);
}

/* ---- reports ---- */

static enum ladder_way way_of(const struct report *report)
{
	return report->direction == DIRECTION_ORIGINAL ? LADDER_TO_SERVER : LADDER_TO_CLIENT;
}

/* The line, as far as it is told: of a reply not its prose. */
static void print_announcement(const struct report *report, char text[TEXT_MAX])
{
	const int length = (int)report->from_length;
	const bool bare = report->direction == DIRECTION_ORIGINAL || (length && report->from[0] == '(');

	if (!length)
		snprintf(text, TEXT_MAX, "%s ( what it says is not told )", report->command);
	else
		snprintf(text, TEXT_MAX, "%s %s%.*s%s", report->command, bare ? "" : "(", length, report->from,
			 bare ? "" : ")");
}

/* Where its end is translated, what it is here and there. */
static void learn_ends(struct ladder_dialogue *dialogue, const struct report *report)
{
	const enum ladder_side side = report->direction == DIRECTION_ORIGINAL ? LADDER_CLIENT : LADDER_SERVER;
	const struct expectation *expectation = report->expectation;

	if (!expectation || !expectation->translated)
		return;
	memcpy(dialogue->end[side].address, expectation->nat_src.address, sizeof(dialogue->end[side].address));
	memcpy(dialogue->seen[side].address, expectation->tuple.dst.address, sizeof(dialogue->seen[side].address));
}

static void tell_announcement(struct told *told, const struct told_session *session, int64_t time,
			      const struct report *report)
{
	struct ladder_dialogue *dialogue = dialogue_of(told, session);
	char text[TEXT_MAX];
	struct ladder_row *row;

	print_announcement(report, text);
	row = add_row(told, session, time, LADDER_LINE, way_of(report), text);
	if (!row)
		return;
	told->row = row;
	told->number = session->number;
	if (!announce_line(told->ladder, dialogue, row, &told->announcement))
		told->announcement = (struct announcement_row){ .dialogue = dialogue, .row = row };
}

/* What is told of an announcement comes at once; the first of it is its line. */
static void tell_of_announcement(struct told *told, const struct told_session *session, int64_t time,
				 const struct report *report)
{
	struct announce_report kept;
	const bool same = told->row && told->number == session->number && report->kind == REPORT_REWRITE;

	if (!same)
		tell_announcement(told, session, time, report);
	if (!told->row)
		return;
	announce_keep(&kept, report);
	announce_tell(told->ladder, told->announcement.word ? &told->announcement : NULL, told->row, &kept);
}

static void tell_rest_of_told(struct told *told, const struct told_session *session, int64_t time,
			      const struct report *report)
{
	struct ladder_row *row = NULL;
	char text[TEXT_MAX];

	if (report->kind == REPORT_OPAQUE) {
		row = add_row(told, session, time, LADDER_MISSING, LADDER_BOTH_WAYS, "( encrypted )");
		announce_tell_opaque(told->ladder, row);
	} else if (report->kind == REPORT_LIMIT) {
		row = add_row(told, session, time, LADDER_CONTROL, LADDER_TO_SERVER, "( no room )");
		announce_tell_limit(told->ladder, row);
	} else if (report->kind == REPORT_ONE_WAY) {
		row = add_row(told, session, time, LADDER_MISSING, way_of(report), "( packets of one direction only )");
		ladder_note(
			told->ladder, row, LADDER_NOTE_REFUSED,
			"packets of the %s only come here: nothing is rewritten or opened; let both directions pass "
			"this router",
			report->direction == DIRECTION_ORIGINAL ? "client" : "server");
	} else if (report->kind == REPORT_UNEXPECT && report->expectation) {
		snprintf(text, sizeof(text), "( port %u is shut again )", report->expectation->tuple.dst.port);
		row = add_row(told, session, time, LADDER_MISSING, LADDER_BOTH_WAYS, text);
	}
	hand_out(told, session->number, row);
}

static void tell_not_ftp(struct told *told, const struct told_session *session, int64_t time,
			 const struct report *report)
{
	struct ladder_row *row = add_row(told, session, time, LADDER_MISSING, way_of(report), "( no FTP )");
	struct announce_report kept;

	announce_keep(&kept, report);
	announce_tell(told->ladder, NULL, row, &kept);
	hand_out(told, session->number, row);
}

void told_report(struct told *told, int64_t time, const struct report *report)
{
	struct told_session *session = find_told(told, &report->client, &report->server);

	if (!session)
		session = begin_told(told, &report->client, &report->server);
	if (!session)
		return;
	if (report->kind == REPORT_BEGIN || report->kind == REPORT_END) {
		add_whole_row(told, session, time, LADDER_CONTROL, LADDER_BOTH_WAYS,
			      report->kind == REPORT_BEGIN ? "( the control connection begins )" :
							     "( the control connection ends )");
		session->ended = report->kind == REPORT_END;
		told->going_on -= session->ended;
	} else if (report->kind == REPORT_LINE) {
		add_whole_row(told, session, time, LADDER_LINE, way_of(report),
			      report->command[0] ? report->command : "( another command )");
	} else if (report->kind == REPORT_REFUSE && !report->command[0]) {
		tell_not_ftp(told, session, time, report);
	} else if (report->kind == REPORT_EXPECT || report->kind == REPORT_REWRITE || report->kind == REPORT_REFUSE) {
		if (report->kind == REPORT_EXPECT)
			learn_ends(dialogue_of(told, session), report);
		tell_of_announcement(told, session, time, report);
	} else {
		tell_rest_of_told(told, session, time, report);
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * Commands are answered in order (RFC 959 section 5.4): a ring of outstanding commands pairs each final reply with the
 * oldest. A 1xx reply does not answer; "NNN-" opens a multi-line reply that ends at a line beginning with "NNN ".
 *
 * A dialogue begins with the server's greeting, and with a client line that is FTP; after AUTH and its 234 what follows is TLS, until one
 * end says a line where a record would begin (core/wire/tls_records.h). That line proves nothing: it may be the first of a dialogue that
 * was met in its middle.
 *
 * Where its beginning was not seen, one command and its reply stand for the greeting, and until then a line may turn out to have
 * been met in its middle.
 */
#include "dialogue.h"

#include "announcement.h"
#include "core/table/state.h"

static void push_command(struct session *session, enum ftp_kind kind)
{
	if (session->outstanding < COMMANDS_MAX)
		session->commands |= (uint32_t)kind << (4 * session->outstanding);
	if (session->outstanding < UINT8_MAX)
		session->outstanding++;
}

static enum ftp_kind oldest_command(const struct session *session)
{
	return session->outstanding ? (enum ftp_kind)(session->commands & 15) : FTP_OTHER;
}

static enum ftp_kind pop_command(struct session *session)
{
	const enum ftp_kind kind = oldest_command(session);

	if (session->outstanding) {
		session->commands >>= 4;
		session->outstanding--;
	}
	return kind;
}

/* How many commands are older than the first of this kind? More than there are: none is of this kind. */
static unsigned int older_than(const struct session *session, enum ftp_kind kind)
{
	unsigned int older = 0;

	while (older < session->outstanding && older < COMMANDS_MAX && (session->commands >> 4 * older & 15) != kind)
		older++;
	return older < COMMANDS_MAX ? older : UINT8_MAX;
}

bool dialogue_answers(struct session *session, enum ftp_kind kind)
{
	unsigned int older = older_than(session, kind);

	if (older < session->outstanding && session->flags & SESSION_RESUMED)
		for (; older; older--)
			pop_command(session);
	return older == 0 && session->outstanding && oldest_command(session) == kind;
}

void dialogue_lost(struct table *table, struct session *session)
{
	struct work *work = table_work_change(table, session);

	/* The answers will not be recognised. What is open stays so until the next transfer is over. */
	for (uint32_t i = 0; work && i < work->announcements; i++)
		work->announcement[i].answered = 1;
	session->commands = 0;
	session->outstanding = 0;
	session->multiline = 0;
	session->flags = (uint8_t)((session->flags & ~SESSION_TRANSFER) | SESSION_RESUMED);
	if (session->state < SESSION_READY)
		state_enter(session, SESSION_MIDDLE);
}

bool dialogue_may_be_opaque(const struct session *session)
{
	return session->outstanding > COMMANDS_MAX || older_than(session, FTP_AUTH) < session->outstanding;
}

static void become_opaque(struct turn *turn)
{
	state_enter(turn->session, SESSION_OPAQUE);
	announcement_withdraw_all(turn);
}

void dialogue_not_ftp(struct turn *turn)
{
	const struct report refused = { .kind = REPORT_REFUSE, .refusal = REFUSED_NOT_FTP };

	turn->engine->counters.refusals[REFUSED_NOT_FTP]++;
	become_opaque(turn);
	turn_report(turn, &refused);
}

void dialogue_opaque(struct turn *turn)
{
	become_opaque(turn);
	turn_report_plain(turn, REPORT_OPAQUE);
}

/* The server agrees to TLS. Where the client is amid a line, nobody can tell where its first record begins. */
static void begin_tls(struct turn *turn)
{
	struct session *session = turn->session;
	const struct stream *client = &session->stream[DIRECTION_ORIGINAL];

	if (client->line.phase != FTP_PHASE_START || client->line.telnet || client->flags & STREAM_HELD) {
		dialogue_opaque(turn);
		return;
	}
	state_enter(session, SESSION_TLS);
	for (int d = 0; d < 2; d++)
		tls_records_begin(&session->tls[d]);
	announcement_withdraw_all(turn);
	turn_report_plain(turn, REPORT_OPAQUE);
}

void dialogue_out_of_tls(struct turn *turn)
{
	if (turn->session->state != SESSION_TLS)
		return; /* the other direction has left it before */
	dialogue_lost(turn->engine->table, turn->session);
	state_enter(turn->session, SESSION_MIDDLE);
}

void dialogue_no_record(struct turn *turn)
{
	become_opaque(turn);
}

void dialogue_strange(struct turn *turn)
{
	/* Where bytes before it were not seen, this may be the middle of a line, or the text of a multi-line reply. */
	if (turn->session->flags & SESSION_RESUMED)
		ftp_lose_line(&turn->session->stream[turn->direction].line);
	else
		dialogue_not_ftp(turn);
}

bool dialogue_command_seen(struct turn *turn, const struct ftp_word *word)
{
	struct session *session = turn->session;

	if (!word && !(session->flags & SESSION_FIRST_LINE)) {
		if (!(session->flags & SESSION_RESUMED))
			dialogue_not_ftp(turn);
		return false;
	}
	session->flags |= SESSION_FIRST_LINE;
	if (session->state == SESSION_MIDDLE && word)
		state_enter(session, SESSION_EXCHANGE);
	return true;
}

static bool is_empty(const struct ftp_line *line)
{
	return line->length == 0 && (line->separator == 0 || line->separator == '\r' || line->separator == '\n');
}

static void command_line(struct turn *turn, const struct ftp_line *line)
{
	const struct ftp_word *word = ftp_line_word(line, FTP_CLIENT);

	if (is_empty(line) || !dialogue_command_seen(turn, word))
		return;
	/* A PORT that comes here had no argument: it announces nothing. */
	push_command(turn->session, word && word->notation == NOTATION_NONE ? (enum ftp_kind)word->kind : FTP_OTHER);
}

static void greeting(struct turn *turn, unsigned int code)
{
	if (code == 220)
		state_enter(turn->session, SESSION_READY);
	else if (code != 120 && code < 400)
		dialogue_not_ftp(turn);
}

static void final_reply(struct turn *turn, unsigned int code)
{
	struct session *session = turn->session;
	enum ftp_kind kind;

	if (session->state == SESSION_GREETING) {
		greeting(turn, code);
		return;
	}
	if (code < 200) {
		session->flags |= SESSION_TRANSFER;
		return;
	}
	if (session->state == SESSION_MIDDLE || !session->outstanding)
		return;
	/* It answers nothing else, whatever has been left unanswered before it (RFC 2228 section 3). */
	if (code == 234 && dialogue_may_be_opaque(session)) {
		begin_tls(turn);
		return;
	}
	kind = pop_command(session);
	state_enter(session, SESSION_READY);
	if (code == 230 || code == 232 || (code < 300 && kind != FTP_OTHER && kind != FTP_AUTH))
		session->logged_in = 1;
	if (!session->outstanding) /* commands and replies are in step */
		session->flags &= (uint8_t)~SESSION_RESUMED;
	if (session->flags & SESSION_TRANSFER) {
		session->flags &= (uint8_t)~SESSION_TRANSFER;
		announcement_transfer_over(turn);
	}
	if (kind == FTP_PORT || kind == FTP_EPRT || kind == FTP_LPRT)
		announcement_answered(turn, code);
}

static void reply_line(struct turn *turn, const struct ftp_line *line)
{
	struct session *session = turn->session;
	const unsigned int code = ftp_code(line);

	if (session->multiline) {
		if (code != session->multiline || line->separator == '-')
			return;
		session->multiline = 0;
		final_reply(turn, code);
	} else if (code == 0) {
		if (!is_empty(line))
			dialogue_strange(turn);
	} else if (line->separator == '-') {
		session->multiline = (uint16_t)code;
	} else {
		final_reply(turn, code);
	}
}

void dialogue_line(struct turn *turn, const struct ftp_line *line)
{
	if (turn->direction == DIRECTION_ORIGINAL)
		command_line(turn, line);
	else
		reply_line(turn, line);
}

void dialogue_announced(struct turn *turn, const struct ftp_line *line, enum ftp_kind kind)
{
	if (turn->direction == DIRECTION_ORIGINAL) {
		push_command(turn->session, kind);
		return;
	}
	turn->session->multiline = 0;
	final_reply(turn, ftp_code(line));
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * The client's lines say whether this is FTP; the server's are believed for what they are, and what is none is skipped. "NNN-" opens a
 * multi-line reply that ends at a line beginning with "NNN ". Real servers end one otherwise, too: a greeting by the answer to USER, and
 * any by the 1xx of the transfer that it was said about. Which of the lines behind such an end are text is in doubt: nothing that had been
 * asked for by then opens, nor what is asked for by a client that had not got that line yet.
 *
 * After AUTH and its 234 what follows is TLS, until one end says a line where a record would begin (core/wire/tls_records.h). That line proves
 * nothing: it may be the first of a dialogue that was met in its middle.
 *
 * Where the dialogue's beginning was not seen, one command and its reply stand for the greeting, and until then a line may turn out to have
 * been met in its middle.
 */
#include "dialogue.h"

#include "announcement.h"
#include "core/table/state.h"

/* For who watches: a command's word or a reply's code, and never what stands behind it. */
static void tell_line(const struct turn *turn, const char *what)
{
	if (turn->engine->lines && turn_is_listened_to(turn))
		turn_report(turn, &(struct report){ .kind = REPORT_LINE, .command = what });
}

static void tell_reply(const struct turn *turn, unsigned int code)
{
	const char text[] = { (char)('0' + code / 100 % 10), (char)('0' + code / 10 % 10), (char)('0' + code % 10),
			      '\0' };

	tell_line(turn, text);
}

/* ---- what ends it ---- */

void dialogue_lost(struct table *table, struct session *session)
{
	struct work *work = table_work_change(table, session);

	/* The answers will not be recognised. What is open stays so until the next transfer is over. */
	for (uint32_t i = 0; work && i < work->announcements; i++)
		work->announcement[i].answered = ANNOUNCEMENT_ACCEPTED;
	session->pairing = (struct pairing){ .count = 0 };
	session->multiline = 0;
	session->doubt = 0;
	session->exchanged = EXCHANGED_NOTHING;
	session->met = 1;
	session->resumed = true;
	state_happen(session, EVENT_LOST);
}

bool dialogue_may_be_opaque(const struct session *session)
{
	return session->pairing.overflow || pairing_has(&session->pairing, PAIRING_AUTH);
}

bool dialogue_awaits_transfer(const struct session *session)
{
	return pairing_has(&session->pairing, PAIRING_TRANSFER);
}

bool dialogue_transfers(const struct session *session)
{
	return session->pairing.begun;
}

void dialogue_not_ftp(struct turn *turn)
{
	const struct report refused = { .kind = REPORT_REFUSE, .refusal = REFUSED_NOT_FTP };

	turn->engine->counters.refusals[REFUSED_NOT_FTP]++;
	state_happen(turn->session, EVENT_FOREIGN);
	announcement_withdraw_all(turn);
	turn_report(turn, &refused);
}

void dialogue_opaque(struct turn *turn)
{
	state_happen(turn->session, EVENT_FOREIGN);
	announcement_withdraw_all(turn);
	turn_report_plain(turn, REPORT_OPAQUE);
}

/* The server agrees to TLS. Where the client is amid a line, nobody can tell where its first record begins. */
static void begin_tls(struct turn *turn)
{
	struct session *session = turn->session;
	const struct stream *client = &session->stream[DIRECTION_ORIGINAL];

	state_happen(session, EVENT_TLS);
	if (session->state == SESSION_TLS &&
	    (client->line.phase != FTP_PHASE_START || client->line.telnet || client->held))
		state_happen(session, EVENT_FOREIGN);
	for (int d = 0; d < 2 && session->state == SESSION_TLS; d++)
		tls_records_begin(&session->tls[d]);
	announcement_withdraw_all(turn);
	turn_report_plain(turn, REPORT_OPAQUE);
}

void dialogue_out_of_tls(struct turn *turn)
{
	if (turn->session->state != SESSION_TLS)
		return; /* the other direction has left it before */
	dialogue_lost(turn->engine->table, turn->session);
	state_happen(turn->session, EVENT_PLAIN);
}

void dialogue_no_record(struct turn *turn)
{
	state_happen(turn->session, EVENT_FOREIGN);
	announcement_withdraw_all(turn);
}

/* ---- the client's lines ---- */

/* Has it been shown that this is FTP, whatever its lines look like from now on? */
static bool is_trusted(const struct session *session)
{
	return session->exchanged == EXCHANGED_TWO && (session->logged_in || session->met);
}

void dialogue_strange(struct turn *turn, uint8_t byte)
{
	struct session *session = turn->session;
	struct ftp_line *line = &turn->mine->line;

	if (!is_trusted(session) && !session->met)
		dialogue_not_ftp(turn);
	else if (line->phase == FTP_PHASE_START && tls_records_is_type(byte))
		dialogue_opaque(turn);
	else if (session->resumed) /* it may be the middle of a line */
		ftp_lose_line(line);
	else
		ftp_go_on(line);
}

bool dialogue_command_seen(struct turn *turn, const struct ftp_word *word, bool web)
{
	struct session *session = turn->session;
	const bool trusted = is_trusted(session);

	if ((web && !(word && trusted)) || (!word && !trusted && !session->met)) {
		dialogue_not_ftp(turn);
		return false;
	}
	if (!word && !session->first_line)
		return false;
	session->first_line = true;
	session->stream[DIRECTION_ORIGINAL].word = ftp_word_number(word);
	if (word)
		state_happen(session, EVENT_COMMAND);
	return true;
}

/* Had the client got the server's bytes before this one when it sent the packet that is being read? */
static bool had_got(const struct turn *turn, uint32_t seq)
{
	return !seq_before(turn->ack, seq);
}

/* A command is outstanding from now on. */
static void sent(const struct turn *turn, enum pairing_class class)
{
	struct session *session = turn->session;

	if (session->exchanged == EXCHANGED_ONE && had_got(turn, session->answered))
		session->exchanged = EXCHANGED_SENT;
	if (session->doubt && had_got(turn, session->doubted))
		session->doubt = 0;
	pairing_push(&session->pairing, class == PAIRING_PASSIVE && session->doubt ? PAIRING_DOUBTED : class);
}

static void command_line(struct turn *turn, const struct ftp_line *line)
{
	const struct ftp_word *word = ftp_line_word(line, DIRECTION_ORIGINAL);
	enum pairing_class class = word ? pairing_class((enum ftp_kind)word->kind) : PAIRING_OTHER;

	if (ftp_is_empty(line) || !dialogue_command_seen(turn, word, ftp_is_web(line)))
		return;
	tell_line(turn, word ? word->text : "");
	if (class == PAIRING_ACTIVE) /* a PORT that comes here had no argument: it announces nothing */
		class = PAIRING_IDLE;
	sent(turn, class);
}

void dialogue_skipped(struct turn *turn, const struct ftp_line *line)
{
	if (turn->direction == DIRECTION_ORIGINAL && ftp_is_web(line) && !is_trusted(turn->session))
		dialogue_not_ftp(turn);
}

/* ---- the server's ---- */

/* RFC 959 section 5.4: 120 says that it takes a while, 4xx and 5xx that it is not to be. */
static void greeting(struct turn *turn, unsigned int code)
{
	struct session *session = turn->session;

	if (code < 200 || code > 299)
		return;
	session->logged_in |= code == 230;
	state_happen(session, EVENT_GREETED);
}

/* What the answer says of how well the client is known. Where it was met in the middle, what only a user may do stands for the login. */
static void note_answer(struct session *session, enum pairing_class class, unsigned int code)
{
	const bool users = class != PAIRING_OTHER && class != PAIRING_AUTH;

	if (session->exchanged == EXCHANGED_NOTHING) {
		session->exchanged = EXCHANGED_ONE;
		session->answered = session->stream[DIRECTION_REPLY].next;
	} else if (session->exchanged == EXCHANGED_SENT) {
		session->exchanged = EXCHANGED_TWO;
	}
	if (code < 300 && (class == PAIRING_LOGIN || (session->met && users)))
		session->logged_in = 1;
	if (pairing_empty(&session->pairing)) /* commands and replies are in step */
		session->resumed = false;
}

static void final_reply(struct turn *turn, unsigned int code)
{
	struct session *session = turn->session;
	struct pairing_answer answer;

	/* It answers nothing else, whatever has been left unanswered before it (RFC 2228 section 3). */
	if (code == 234 && dialogue_may_be_opaque(session)) {
		begin_tls(turn);
		return;
	}
	if (session->state == SESSION_GREETING) {
		greeting(turn, code);
		return;
	}
	if (session->state == SESSION_MIDDLE)
		return;
	answer = pairing_reply(&session->pairing, code);
	if (code >= 200)
		announcement_heard(turn);
	for (unsigned int i = 0; i < answer.older_active; i++)
		announcement_answered(turn, 200);
	if (answer.transfer_begins)
		announcement_transfer_begins(turn);
	if (!answer.answers)
		return;
	/* Where replies may have passed unseen, which of the outstanding commands has been refused is not known. */
	if (code >= 400 && session->resumed)
		pairing_doubt(&session->pairing);
	state_happen(session, EVENT_ANSWERED);
	note_answer(session, (enum pairing_class)answer.class, code);
	if (answer.transfer_over)
		announcement_transfer_over(turn);
	if (answer.class == PAIRING_ACTIVE)
		announcement_answered(turn, code);
}

/* Its text is over, though nobody has said so. */
static void end_oddly(struct turn *turn, unsigned int code)
{
	struct session *session = turn->session;

	if (session->state == SESSION_GREETING)
		greeting(turn, session->multiline);
	session->multiline = 0;
	session->doubt = 1;
	session->doubted = session->stream[DIRECTION_REPLY].next;
	pairing_doubt(&session->pairing);
	tell_reply(turn, code);
	final_reply(turn, code);
}

static void reply_line(struct turn *turn, const struct ftp_line *line)
{
	struct session *session = turn->session;
	const unsigned int code = ftp_code(line);
	const bool goes_on = ftp_goes_on(line);

	if (code == 0)
		return;
	if (session->multiline && code != session->multiline) {
		if (!goes_on &&
		    pairing_ends_oddly(&session->pairing, session->state != SESSION_GREETING, session->multiline, code))
			end_oddly(turn, code);
	} else if (goes_on) {
		session->multiline = (uint16_t)code;
	} else {
		session->multiline = 0;
		tell_reply(turn, code);
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

void dialogue_announced(struct turn *turn, const struct ftp_line *line, enum pairing_class class)
{
	if (turn->direction == DIRECTION_ORIGINAL) {
		sent(turn, class);
		return;
	}
	turn->session->multiline = ftp_goes_on(line) ? (uint16_t)ftp_code(line) : 0;
	if (!ftp_goes_on(line))
		final_reply(turn, ftp_code(line));
}

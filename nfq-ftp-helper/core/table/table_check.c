// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One function a struct, one line a field. A field that is not named here may have any value.
 */
#include "table_check.h"

#include "core/wire/belief.h"
#include "core/wire/bytes.h"
#include "core/wire/segment.h"

/* Sums of a few thousand edits' growth; far enough from the end of the type for a connection's life. */
#define SHIFT_MAX     (1 << 30)
#define TELNET_STATES 3

/* What is read as a bool is a byte in a file. */
static bool is_bool(const bool *value)
{
	uint8_t byte;

	memcpy(&byte, value, sizeof(byte));
	return byte <= 1;
}

static bool is_family(uint8_t family)
{
	return family == FAMILY_IPV4 || family == FAMILY_IPV6;
}

/* What an IPv4 address leaves free is zero: else it would not be found. */
static bool is_address(const uint8_t address[16], uint8_t family)
{
	static const uint8_t zero[12];

	return is_family(family) && (family == FAMILY_IPV6 || memcmp(address + 4, zero, sizeof(zero)) == 0);
}

static bool is_endpoint(const struct endpoint *endpoint, uint8_t family)
{
	return endpoint->family == family && is_address(endpoint->address, family);
}

static bool is_tuple(const struct tuple *tuple, uint8_t family)
{
	return is_endpoint(&tuple->src, family) && is_endpoint(&tuple->dst, family);
}

static bool is_shift(int32_t shift)
{
	return shift >= -SHIFT_MAX && shift <= SHIFT_MAX;
}

static bool is_seqadj(const struct seqadj *adj)
{
	return is_shift(adj->before) && is_shift(adj->after);
}

static bool is_key(const struct flow_key *key)
{
	return is_address(key->low_address, key->family) && is_address(key->high_address, key->family) &&
	       key->swapped <= 1;
}

static bool is_digits(const char *text, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		if (!bytes_is_digit((uint8_t)text[i]))
			return false;
	return true;
}

/* In or before its argument: the scanner looks the word up, and takes it for one that announces something. */
static bool is_announcing(const struct ftp_line *line, enum direction side)
{
	const struct ftp_word *word = ftp_line_word(line, side);

	return word && word->notation != NOTATION_NONE;
}

static bool is_line(const struct ftp_line *line, enum direction side)
{
	if (line->phase == FTP_PHASE_FIRST)
		return side == DIRECTION_ORIGINAL && line->telnet == 0 && line->length == 0 && line->separator == 0 &&
		       line->web == 0 && proxy_check(&line->proxy);
	return line->phase <= FTP_PHASE_LOST && line->telnet < TELNET_STATES &&
	       line->length <= (side == DIRECTION_ORIGINAL ? FTP_WORD_MAX + 1 : 3) &&
	       line->separator < FTP_SEPARATORS && line->web <= FTP_WEB_ALL &&
	       (side == DIRECTION_ORIGINAL || is_digits(line->word, line->length)) &&
	       (line->phase != FTP_PHASE_START || line->length == 0) &&
	       (line->phase != FTP_PHASE_ODD || line->length > FTP_WORD_MAX) &&
	       ((line->phase != FTP_PHASE_GAP && line->phase != FTP_PHASE_ARGUMENT) || is_announcing(line, side));
}

/* What is acknowledged has been read, but for a FIN. */
static bool is_acknowledged(const struct stream *stream)
{
	return stream->unsynced || !seq_after(stream->acked, stream->next + (stream->fin ? 1 : 0));
}

static bool is_stream(const struct stream *stream, enum direction side)
{
	return is_seqadj(&stream->adj) && is_line(&stream->line, side) && is_acknowledged(stream) &&
	       stream->scale <= BELIEF_SCALE_MAX && stream->replaced <= 1 + HELD_MAX &&
	       (!stream->replaced || stream->edited) &&
	       !seq_after(stream->claim, stream->next + belief_window(BELIEF_SCALE_MAX)) &&
	       (!stream->unsynced || (!stream->held && !stream->in_flight)) &&
	       (!stream->held || stream->line.phase == FTP_PHASE_ARGUMENT) && (!stream->in_flight || stream->edited);
}

/* What is not there is zero. */
static bool is_pairing(const struct pairing *pairing)
{
	for (unsigned int i = 0; i < PAIRING_MAX; i++) {
		const enum pairing_class class = pairing_at(pairing, i);

		if (class >= PAIRING_CLASSES || (class == PAIRING_OTHER) != (i >= pairing->count) ||
		    (i >= pairing->count && pairing->before[i + 1]))
			return false;
	}
	return pairing->count <= PAIRING_MAX && pairing->classes >> 4 * PAIRING_MAX == 0 &&
	       !(pairing->begun && pairing_empty(pairing));
}

/* What is said of how far the dialogue has got. */
static bool is_dialogue(const struct session *session)
{
	return session->multiline <= 999 && session->logged_in <= 1 && is_pairing(&session->pairing);
}

/* What is known of the numbers is known of both directions, or agreed on step by step. */
static bool is_sure(const struct session *session)
{
	return session->stream[0].unsynced == session->unsure && session->stream[1].unsynced == session->unsure &&
	       (!session->heard || session->unsure) && (!session->heard_reply || session->heard);
}

/* What is held back is let go where lines are not read any more. */
static bool is_read(const struct session *session)
{
	return session->state < SESSION_OPAQUE || !session_held(session);
}

/* Between records a line stands at its beginning; in what may be a line's first word it is in that. */
static bool is_in_records(const struct session *session, int d)
{
	const struct tls_records *records = &session->tls[d];
	const struct stream *stream = &session->stream[d];

	if (!tls_records_good(records))
		return false;
	if (!tls_records_inside(records) || session->state >= SESSION_OPAQUE)
		return true;
	return stream->line.phase == (records->place == TLS_WORD ? FTP_PHASE_WORD : FTP_PHASE_START) &&
	       stream->line.telnet == 0 && !stream->held;
}

/* In that state, both directions are. */
static bool is_tls(const struct session *session)
{
	return is_in_records(session, 0) && is_in_records(session, 1) &&
	       (session->state != SESSION_TLS ||
		(tls_records_inside(&session->tls[0]) && tls_records_inside(&session->tls[1])));
}

static bool is_session(const struct session *session)
{
	return session->state > SESSION_HANDSHAKE && session->state <= SESSION_CLOSED && is_sure(session) &&
	       is_read(session) && is_tls(session) && is_key(&session->key) && is_dialogue(session) &&
	       is_stream(&session->stream[DIRECTION_ORIGINAL], DIRECTION_ORIGINAL) &&
	       is_stream(&session->stream[DIRECTION_REPLY], DIRECTION_REPLY);
}

/* It reaches up to what is read next. */
static bool is_held(const struct held *held, const struct stream *stream)
{
	return held->length >= 1 && held->length < HELD_MAX && held->start + held->length == stream->next &&
	       held->copied <= 1;
}

/* A swallowed part is one that is held: its bytes are still to be sent. */
static bool is_swallowed(const struct edit *edit, const struct stream *stream, const struct held *held)
{
	return stream->held && !held->copied && edit->new_length == 1 && edit->start + 1 == held->start &&
	       edit->old_length >= 2 && edit->old_length - 1 <= held->length;
}

/* What is edited has been read, and precedes what is held back. */
static bool is_edit(const struct edit *edit, const struct stream *stream, const struct held *held)
{
	const bool back = stream->held && !held->copied && edit->kind != EDIT_SWALLOWED;

	return edit->kind <= EDIT_OWED && edit->guarded <= 1 && edit->old_length >= 1 &&
	       edit->old_length <= HELD_MAX + 1 && edit->new_length >= 1 && edit->new_length <= EDIT_TEXT_MAX &&
	       !seq_after(edit->start + edit->old_length, back ? held->start : stream->next) &&
	       (edit->kind != EDIT_SWALLOWED || is_swallowed(edit, stream, held));
}

static bool is_binding(const struct binding *binding, uint8_t family)
{
	return is_tuple(&binding->tuple[DIRECTION_ORIGINAL], family) &&
	       is_tuple(&binding->tuple[DIRECTION_REPLY], family) && is_seqadj(&binding->seqadj[DIRECTION_ORIGINAL]) &&
	       is_seqadj(&binding->seqadj[DIRECTION_REPLY]);
}

static bool is_expectation(const struct expectation *expectation)
{
	const uint8_t family = expectation->tuple.dst.family;

	return is_family(family) && is_tuple(&expectation->tuple, family) && expectation->tuple.src.port == 0 &&
	       expectation->tuple.dst.port != 0 && is_bool(&expectation->translated) &&
	       (expectation->nat_direction == DIRECTION_ORIGINAL || expectation->nat_direction == DIRECTION_REPLY) &&
	       is_endpoint(&expectation->nat_src, family) && expectation->nat_src.port != 0;
}

/* Commands announce from the client's side, replies from the server's. */
static bool is_announcement(const struct announcement *announcement)
{
	const bool reply = announcement->kind >= FTP_PASV;

	return announcement->kind >= FTP_PORT && announcement->kind <= FTP_LPSV &&
	       announcement->direction == (reply ? DIRECTION_REPLY : DIRECTION_ORIGINAL) &&
	       announcement->answered < ANNOUNCEMENT_ANSWERS && announcement->heard <= 1 &&
	       is_expectation(&announcement->expectation);
}

static bool is_work(const struct work *work, const struct session *session)
{
	bool good = work->bound <= 1 && work->announcements <= ANNOUNCEMENTS_MAX &&
		    (!work->bound || is_binding(&work->binding, session->key.family)) &&
		    (!work->announcements || work->bound);

	for (int d = 0; d < 2 && good; d++) {
		const struct stream *stream = &session->stream[d];

		if (stream->held)
			good = work->bound && is_held(&work->held[d], stream);
		if (good && stream->in_flight)
			good = is_edit(&work->edit[d], stream, &work->held[d]);
	}
	for (uint32_t i = 0; good && i < work->announcements; i++)
		good = is_announcement(&work->announcement[i]);
	return good;
}

bool table_check(const struct session *session, const struct work *work)
{
	if (!is_session(session))
		return false;
	return work ? is_work(work, session) : !session_in_flight(session) && !session_held(session);
}

static bool is_scale(uint8_t scale)
{
	return scale <= BELIEF_SCALE_MAX || scale == SEGMENT_NO_SCALE;
}

bool table_check_embryo(const struct embryo *embryo)
{
	return embryo->state > EMBRYO_FREE && embryo->state < EMBRYO_STATES && is_key(&embryo->key) &&
	       is_scale(embryo->scale[0]) && is_scale(embryo->scale[1]) && embryo->strange <= 1 &&
	       is_line(&embryo->line, DIRECTION_ORIGINAL);
}

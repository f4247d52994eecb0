// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan.h"

static uint32_t bit(enum direction side)
{
	return 1u << side;
}

static bool at_line_start(const struct ftp_line *line)
{
	return line->phase == FTP_PHASE_START && line->telnet == 0;
}

void scan_whole(struct scan *scan)
{
	scan->mode = SCAN_WHOLE;
}

/* ---- commands unanswered ---- */

static void unpack(const struct scan *scan, struct pairing *pairing)
{
	*pairing = (struct pairing){ .before = { scan->before_first, scan->before_second, scan->behind } };
	pairing->classes = (uint32_t)scan->first | (uint32_t)scan->second << 4;
	pairing->count = (uint8_t)((scan->first != PAIRING_OTHER) + (scan->second != PAIRING_OTHER));
	pairing->begun = scan->begun & 1;
}

/* Where they do not fit, nothing passes any more. */
static void pack(struct scan *scan, const struct pairing *pairing)
{
	if (pairing->count > 2 || pairing->before[0] > SCAN_OUTSTANDING_MAX ||
	    pairing->before[1] > SCAN_OUTSTANDING_MAX || pairing->before[2] > SCAN_OUTSTANDING_MAX) {
		scan_whole(scan);
		return;
	}
	scan->before_first = pairing->before[0] & 15;
	scan->first = pairing_at(pairing, 0) & 7;
	scan->before_second = pairing->before[1] & 15;
	scan->second = pairing_at(pairing, 1) & 7;
	scan->behind = pairing->before[2] & 15;
	scan->begun = pairing->begun;
}

/* Is nothing of interest unanswered, and can a note say what is? */
static bool is_quiet(const struct scan *scan)
{
	return scan->second == PAIRING_OTHER &&
	       (scan->first == PAIRING_TRANSFER || (scan->first == PAIRING_OTHER && !scan->begun)) &&
	       !(scan->begun && scan->before_first);
}

/* ---- what lines mean: dialogue.c ---- */

static bool is_trusted(const struct scan *scan)
{
	return scan->greeted && scan->logged_in && scan->exchanged == EXCHANGED_TWO;
}

/* The connection is not FTP, or not any more: nothing in it will be changed. */
static void become_opaque(struct scan *scan)
{
	if (scan->mode == SCAN_FOLLOW)
		scan->mode = SCAN_OPAQUE;
}

/* A client's line that is none of FTP's. In the beginning that settles it; later user space may know better. */
static void strange(struct scan *scan, struct scan_segment *segment)
{
	segment->hand_over = true;
	if (is_trusted(scan))
		ftp_go_on(&scan->side[DIRECTION_ORIGINAL].line);
	else if (scan->logged_in)
		scan_whole(scan);
	else
		become_opaque(scan);
}

static void command(struct scan *scan, struct scan_segment *segment, enum pairing_class class)
{
	struct pairing pairing;

	/* As soon as the engine does, or later: it has got all that there is. */
	if (scan->exchanged == EXCHANGED_ONE && segment->flags & SCAN_ACK &&
	    !seq_before(segment->ack, scan->side[DIRECTION_REPLY].next))
		scan->exchanged = EXCHANGED_SENT;
	unpack(scan, &pairing);
	if (class != PAIRING_OTHER) {
		segment->interesting = true;
		/* Where the engine may be behind, or remember it no more, it decides whether TLS follows. */
		scan->auth = class == PAIRING_AUTH && pairing_empty(&pairing) && !scan->pending;
	}
	if (class != PAIRING_OTHER && class != PAIRING_TRANSFER)
		segment->hand_over = true;
	pairing_push(&pairing, class);
	pack(scan, &pairing);
}

static void command_line(struct scan *scan, struct scan_segment *segment, const struct ftp_line *line)
{
	const struct ftp_word *word = ftp_line_word(line, DIRECTION_ORIGINAL);
	const bool trusted = is_trusted(scan);

	if (ftp_is_empty(line))
		return;
	if (ftp_is_web(line) && !(word && trusted)) {
		segment->hand_over = true;
		become_opaque(scan);
	} else if (!word && !trusted) {
		strange(scan, segment);
	} else {
		command(scan, segment, word ? pairing_class((enum ftp_kind)word->kind) : PAIRING_OTHER);
	}
}

static void greeting(struct scan *scan, unsigned int code)
{
	if (code < 200 || code > 299)
		return;
	scan->greeted = 1;
	scan->logged_in |= code == 230;
}

/* Has the server not got the last command of interest yet? Then this reply does not answer it. */
static bool is_premature(const struct scan *scan, const struct scan_segment *segment)
{
	const uint32_t since = scan->since < SCAN_SINCE_MAX ? scan->since : 0;

	return !(segment->flags & SCAN_ACK) || seq_before(segment->ack, scan->side[DIRECTION_ORIGINAL].next - since);
}

/* What the answer says of how well the client is known. */
static void note_answer(struct scan *scan, const struct pairing_answer *answer, unsigned int code)
{
	if (scan->exchanged == EXCHANGED_NOTHING)
		scan->exchanged = EXCHANGED_ONE;
	else if (scan->exchanged == EXCHANGED_SENT)
		scan->exchanged = EXCHANGED_TWO;
	if (answer->class == PAIRING_LOGIN && code < 300)
		scan->logged_in = 1;
}

/* A reply to a command. */
static void answered(struct scan *scan, struct scan_segment *segment, unsigned int code)
{
	const bool was_awaited = scan->first != PAIRING_OTHER;
	struct pairing_answer answer;
	struct pairing pairing;

	unpack(scan, &pairing);
	answer = pairing_reply(&pairing, code);
	pack(scan, &pairing);
	if (answer.answers)
		note_answer(scan, &answer, code);
	if (answer.transfer_over &&
	    scan->announced) { /* what was announced is taken back, unless it is unanswered yet */
		segment->hand_over = true;
		scan->announced = !is_quiet(scan);
	}
	if (was_awaited && scan->first == PAIRING_OTHER && is_premature(scan, segment))
		scan_whole(scan);
}

static void final_reply(struct scan *scan, struct scan_segment *segment, unsigned int code)
{
	struct pairing pairing;

	unpack(scan, &pairing);
	if (code == 234 && pairing_has(&pairing, PAIRING_AUTH)) {
		/* Where TLS ends again, the engine finds out, and for that it needs all of it. */
		scan->tls = scan->auth && !is_premature(scan, segment);
		scan_whole(scan);
	} else if (!scan->greeted) {
		greeting(scan, code);
	} else {
		answered(scan, segment, code);
	}
}

static void reply_line(struct scan *scan, struct scan_segment *segment, const struct ftp_line *line)
{
	const unsigned int code = ftp_code(line);
	const bool goes_on = line->separator == FTP_SEPARATOR_HYPHEN;
	struct pairing pairing;

	if (code == 0)
		return;
	if (scan->multiline && code != scan->multiline) {
		unpack(scan, &pairing);
		if (!goes_on && pairing_ends_oddly(&pairing, scan->greeted, scan->multiline, code)) {
			segment->hand_over = true;
			scan_whole(scan);
		}
	} else if (goes_on) {
		scan->multiline = code & 1023;
	} else {
		scan->multiline = 0;
		final_reply(scan, segment, code);
	}
}

/* A line that announced something has ended. */
static void announced_line(struct scan *scan, struct scan_segment *segment, const struct ftp_line *line)
{
	if (segment->side == DIRECTION_ORIGINAL && ftp_is_web(line) && !is_trusted(scan)) {
		become_opaque(scan);
		return;
	}
	if (segment->side == DIRECTION_ORIGINAL) {
		command(scan, segment, PAIRING_ACTIVE);
	} else {
		scan->multiline = 0;
		final_reply(scan, segment, ftp_code(line));
	}
	scan->announced = 1;
}

/* Act on why ftp_scan() stopped. Return false when nothing more is to be read. */
static bool act(struct scan *scan, struct scan_segment *segment, enum ftp_event event)
{
	struct ftp_line *line = &scan->side[segment->side].line;

	switch (event) {
	case FTP_MORE:
		return false;
	case FTP_LINE:
		if (segment->side == DIRECTION_ORIGINAL)
			command_line(scan, segment, line);
		else
			reply_line(scan, segment, line);
		ftp_next_line(line);
		break;
	case FTP_ARGUMENT:
		segment->hand_over = true;
		ftp_skip_line(line);
		break;
	case FTP_SKIPPED:
		announced_line(scan, segment, line);
		ftp_next_line(line);
		break;
	case FTP_LOST:
		ftp_next_line(line);
		break;
	case FTP_STRANGE:
		strange(scan, segment);
		break;
	case FTP_FOREIGN:
		segment->hand_over = true;
		become_opaque(scan);
		break;
	}
	return scan->mode == SCAN_FOLLOW;
}

void scan_read(struct scan *scan, struct scan_segment *segment, const uint8_t *data, size_t length)
{
	struct ftp_line *line = &scan->side[segment->side].line;
	enum ftp_event event;

	if (scan->mode != SCAN_FOLLOW)
		return;
	do {
		const size_t consumed = ftp_scan(line, segment->side, scan->multiline, data, length, &event);

		data += consumed;
		length -= consumed;
	} while (act(scan, segment, event));
}

/* ---- segments ---- */

/* The first SYN/ACK. A connection has one, and another connection another scan: whatever comes later begins nothing. */
static void start(struct scan *scan, const struct scan_segment *segment)
{
	if (segment->side != DIRECTION_REPLY || !(segment->flags & SCAN_ACK) || scan->started ||
	    scan->mode != SCAN_FOLLOW)
		return;
	*scan = (struct scan){ .started = 1, .mode = SCAN_FOLLOW };
	scan->side[DIRECTION_REPLY].next = segment->seq + 1;
	scan->side[DIRECTION_ORIGINAL].next = segment->ack;
	scan->side[DIRECTION_ORIGINAL].line.phase = FTP_PHASE_FIRST;
}

static void acknowledge(struct scan *scan, const struct scan_segment *segment)
{
	const enum direction side = direction_other(segment->side);
	const uint32_t next = scan->side[side].next;

	if (!(segment->flags & SCAN_ACK) || seq_before(segment->ack, next))
		return;
	scan->pending &= ~bit(side) & 3;
	if (!seq_after(segment->ack, next))
		return;
	/* It has come some other way. What is opaque may go on without. */
	if (scan->mode == SCAN_OPAQUE)
		scan->side[side].next = segment->ack;
	else
		scan_whole(scan);
}

/* Whether a segment may pass, for what its header says. */
static bool may_pass(const struct scan *scan, const struct scan_segment *segment)
{
	const struct scan_side *side = &scan->side[segment->side];

	if (segment->flags & (SCAN_SYN | SCAN_FIN | SCAN_RST | SCAN_URG))
		return false;
	if (scan->pending)
		return false;
	if (scan->mode == SCAN_OPAQUE)
		return !seq_before(segment->seq, side->next);
	return scan->mode == SCAN_FOLLOW && segment->seq == side->next && is_quiet(scan) &&
	       at_line_start(&scan->side[DIRECTION_ORIGINAL].line) && at_line_start(&scan->side[DIRECTION_REPLY].line);
}

/* How many of its bytes have not been seen; 0 too where some before them are missing. */
static uint32_t fresh_bytes(const struct scan *scan, const struct scan_segment *segment)
{
	const uint32_t next = scan->side[segment->side].next;
	const uint32_t end = segment->seq + segment->length;

	if (scan->mode == SCAN_OPAQUE && seq_after(segment->seq, next))
		return segment->length;
	if (seq_after(segment->seq, next) || !seq_after(end, next))
		return 0;
	return end - next;
}

static struct belief_side side_of(const struct scan *scan, const struct scan_segment *segment, enum direction side)
{
	const uint32_t next = scan->side[side].next, window = segment->window[side];

	return (struct belief_side){
		.next = next,
		.sent = next,
		.acked = next,
		.window = window ? window : belief_window(BELIEF_SCALE_MAX),
		.known = scan->started,
	};
}

/* Bytes that came some other way are acknowledged honestly: what to make of that is acknowledge()'s. */
static bool believed(const struct scan *scan, const struct scan_segment *segment)
{
	const struct belief_side mine = side_of(scan, segment, segment->side);
	const struct belief_side theirs = side_of(scan, segment, direction_other(segment->side));
	const struct belief_segment judged = { segment->seq, segment->length, segment->ack, segment->flags };
	const enum belief belief = belief_judge(&mine, &theirs, &judged);

	return belief == BELIEVED || belief == BELIEF_ACK_AHEAD;
}

uint32_t scan_begin(struct scan *scan, struct scan_segment *segment)
{
	segment->fresh = 0;
	segment->hand_over = true;
	segment->interesting = false;
	segment->unread =
		segment->flags & (SCAN_SYN | SCAN_RST) || (scan->mode != SCAN_WHOLE && !believed(scan, segment));
	if (segment->flags & SCAN_SYN) {
		/* Bytes in it are not read here, so the SYN/ACK does not say where a line begins. FTP has none. */
		if (segment->length && !scan->started)
			scan_whole(scan);
		start(scan, segment);
	}
	if (segment->unread)
		return 0;
	if (!scan->started)
		scan_whole(scan);
	if (scan->mode == SCAN_WHOLE) {
		segment->hand_over = segment->length || segment->flags & SCAN_FIN;
		return 0;
	}
	acknowledge(scan, segment);
	segment->hand_over = (segment->length || segment->flags & SCAN_FIN) && !may_pass(scan, segment);
	if (scan->mode != SCAN_WHOLE)
		segment->fresh = fresh_bytes(scan, segment);
	return scan->mode == SCAN_FOLLOW ? segment->fresh : 0;
}

/* It passes: how things stand now. */
static void note(struct scan *scan)
{
	scan->version = SCAN_VERSION;
	scan->noted_opaque = scan->mode == SCAN_OPAQUE;
	scan->noted_before = scan->before_first;
	scan->noted_transfer = scan->first == PAIRING_TRANSFER;
	scan->noted_behind = scan->before_second;
	scan->noted_begun = scan->begun;
	scan->side[DIRECTION_ORIGINAL].handed = 0;
	scan->side[DIRECTION_REPLY].handed = 0;
}

static void note_since(struct scan *scan, const struct scan_segment *segment)
{
	const uint32_t since = scan->since + segment->fresh;

	if (segment->interesting)
		scan->since = 0;
	else
		scan->since = since < SCAN_SINCE_MAX ? since & SCAN_SINCE_MAX : SCAN_SINCE_MAX;
}

/* Its new bytes are user space's until they are acknowledged. */
static void handed_over(struct scan *scan, const struct scan_segment *segment)
{
	struct scan_side *side = &scan->side[segment->side];

	if (segment->fresh > 0xffffu - side->handed) {
		scan_whole(scan); /* the note could not tell how long ago it was */
		return;
	}
	side->next += segment->fresh;
	side->handed = (uint16_t)(side->handed + segment->fresh);
	if (segment->side == DIRECTION_ORIGINAL)
		note_since(scan, segment);
	scan->pending |= bit(segment->side) & 3;
}

/* May its lines pass, too, now that they have been read? Not where one goes on, or after what they said. */
static bool lines_may_pass(const struct scan *scan, const struct scan_segment *segment)
{
	return scan->mode == SCAN_OPAQUE || (at_line_start(&scan->side[segment->side].line) && is_quiet(scan) &&
					     is_trusted(scan) && !scan->multiline);
}

bool scan_end(struct scan *scan, struct scan_segment *segment)
{
	struct scan_side *side = &scan->side[segment->side];

	if (segment->unread)
		return true;
	if (segment->fresh && !lines_may_pass(scan, segment))
		segment->hand_over = true;
	if (scan->mode == SCAN_WHOLE) {
		segment->hand_over = segment->hand_over || segment->length;
	} else if (segment->hand_over) {
		handed_over(scan, segment);
	} else if (segment->fresh) {
		side->next = segment->seq + segment->length;
		if (segment->side == DIRECTION_ORIGINAL)
			note_since(scan, segment);
		note(scan);
	}
	/* After its FIN the numbers are one off; there is not much to come. */
	if (segment->flags & SCAN_FIN && !(segment->flags & SCAN_RST))
		scan_whole(scan);
	return segment->hand_over;
}

bool scan_note(const void *bytes, size_t length, struct scan_note *found)
{
	struct scan scan;

	if (length != sizeof(scan))
		return false;
	memcpy(&scan, bytes, sizeof(scan));
	if (scan.version != SCAN_VERSION)
		return false;
	for (int i = 0; i < 2; i++)
		found->next[i] = scan.side[i].next - scan.side[i].handed;
	found->opaque = scan.noted_opaque;
	found->tls = scan.tls;
	found->whole = scan.mode == SCAN_WHOLE;
	found->pairing = (struct pairing){ .before = { scan.noted_before, scan.noted_behind } };
	found->pairing.classes = scan.noted_transfer ? PAIRING_TRANSFER : PAIRING_OTHER;
	found->pairing.count = scan.noted_transfer;
	found->pairing.begun = scan.noted_begun;
	return true;
}

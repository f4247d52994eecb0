// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan_lines.h"

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

bool scan_is_quiet(const struct scan *scan)
{
	return scan->second == PAIRING_OTHER &&
	       (scan->first == PAIRING_TRANSFER || (scan->first == PAIRING_OTHER && !scan->begun)) &&
	       !(scan->begun && scan->before_first);
}

/* ---- what lines mean: dialogue.c ---- */

bool scan_is_trusted(const struct scan *scan)
{
	return scan->greeted && scan->logged_in && scan->exchanged == EXCHANGED_TWO;
}

bool scan_is_early(const struct scan *scan, const struct scan_segment *segment)
{
	return segment->alone && !scan_is_trusted(scan) && scan->second == PAIRING_OTHER && !scan->begun &&
	       (scan->first == PAIRING_OTHER || (scan->first == PAIRING_LOGIN && scan_own_alone(scan)));
}

/*
 * The connection is not FTP, or not any more: nothing in it will be changed. But amid a reply user space may hold back a part that its sender
 * takes for acknowledged, and lets go of it with what follows: that it must see.
 */
static void become_opaque(struct scan *scan)
{
	if (scan->mode != SCAN_FOLLOW)
		return;
	if (scan->side[DIRECTION_REPLY].line.phase == FTP_PHASE_START)
		scan->mode = SCAN_OPAQUE;
	else
		scan_whole(scan);
}

/* A client's line that is none of FTP's. In the beginning that settles it; later user space may know better. */
static void strange(struct scan *scan, struct scan_segment *segment)
{
	segment->hand_over = true;
	if (scan_is_trusted(scan))
		ftp_go_on(&scan->side[DIRECTION_ORIGINAL].line);
	else if (scan->logged_in)
		scan_whole(scan);
	else
		become_opaque(scan);
}

/* Step by step: else a note, which has no room for it, would have to say where the first answer ended. */
static bool is_in_step(const struct scan *scan, const struct scan_segment *segment, const struct pairing *pairing)
{
	return !segment->alone || scan_is_trusted(scan) || (pairing_empty(pairing) && scan->exchanged != EXCHANGED_ONE);
}

static void command(struct scan *scan, struct scan_segment *segment, enum pairing_class class)
{
	struct pairing pairing;

	/* As soon as the engine does, or later: it has got all that there is. */
	if (scan->exchanged == EXCHANGED_ONE && segment->flags & SCAN_ACK &&
	    !seq_before(segment->ack, scan->side[DIRECTION_REPLY].next))
		scan->exchanged = EXCHANGED_SENT;
	unpack(scan, &pairing);
	segment->hand_over = segment->hand_over || !is_in_step(scan, segment, &pairing);
	if (class != PAIRING_OTHER) {
		segment->interesting = true;
		/* Where the engine may be behind, or remember it no more, it decides whether TLS follows. */
		scan->auth = class == PAIRING_AUTH && pairing_empty(&pairing) && !scan->pending;
	}
	if (class == PAIRING_TRANSFER)
		scan_own_transfer(segment);
	if (class != PAIRING_OTHER && class != PAIRING_TRANSFER &&
	    !(class == PAIRING_LOGIN && scan_is_early(scan, segment))) {
		segment->asks = scan_is_trusted(scan) && pairing_empty(&pairing) ? scan_own_asks(scan, segment, class) :
										   PAIRING_OTHER;
		segment->hand_over = segment->hand_over || segment->asks == PAIRING_OTHER;
	}
	pairing_push(&pairing, class);
	pack(scan, &pairing);
}

static void command_line(struct scan *scan, struct scan_segment *segment, const struct ftp_line *line)
{
	const struct ftp_word *word = ftp_line_word(line, DIRECTION_ORIGINAL);
	const bool trusted = scan_is_trusted(scan);

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

/*
 * Accepted while another transfer goes on, what user space has announced is for the next (announcement.c). That the end of this one does not take it
 * back has no room here: user space sees all from now on.
 */
static bool is_for_next(const struct scan *scan, const struct pairing_answer *answer, unsigned int code)
{
	return scan->announced && scan->begun && answer->answers && answer->class == PAIRING_ACTIVE && code < 300;
}

/* A reply to a command. */
static void answered(struct scan *scan, struct scan_segment *segment, unsigned int code)
{
	const enum pairing_class first = (enum pairing_class)scan->first;
	struct pairing_answer answer;
	struct pairing pairing;

	unpack(scan, &pairing);
	answer = pairing_reply(&pairing, code);
	pack(scan, &pairing);
	if (!answer.answers && segment->alone && !scan_is_trusted(scan))
		segment->hand_over = true;
	if (answer.answers)
		note_answer(scan, &answer, code);
	scan_own_reply(scan, segment, first, &answer, code);
	if (answer.transfer_over &&
	    scan->announced) { /* what was announced is taken back, unless it is unanswered yet */
		segment->hand_over = true;
		scan->announced = !scan_is_quiet(scan);
	}
	if ((first != PAIRING_OTHER && scan->first == PAIRING_OTHER && is_premature(scan, segment)) ||
	    is_for_next(scan, &answer, code))
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
	const bool goes_on = ftp_goes_on(line);
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

/* A reply that announces something goes on in further lines: user space announces it, and answers the command with the last of them. */
static void begin_announcement(struct scan *scan, struct scan_segment *segment, unsigned int code)
{
	struct pairing pairing;

	unpack(scan, &pairing);
	scan->multiline = code & 1023;
	segment->hand_over = true;
	if (pairing_has(&pairing, PAIRING_PASSIVE) || pairing_has(&pairing, SCAN_OWN_QUESTION))
		scan_own_end(segment);
}

/* A line that announced something has ended. */
static void announced_line(struct scan *scan, struct scan_segment *segment, const struct ftp_line *line)
{
	if (segment->side == DIRECTION_ORIGINAL && ftp_is_web(line) && !scan_is_trusted(scan)) {
		become_opaque(scan);
		return;
	}
	segment->announced = true;
	if (segment->side == DIRECTION_ORIGINAL) {
		command(scan, segment, PAIRING_ACTIVE);
	} else if (ftp_goes_on(line)) {
		begin_announcement(scan, segment, ftp_code(line));
	} else {
		scan->multiline = 0;
		final_reply(scan, segment, ftp_code(line));
	}
	segment->announced = false;
	scan->announced = 1;
}

/* An argument begins: unless the caller carries out what it announces, it is user space's. */
static void note_argument(struct scan_segment *segment, const struct ftp_line *line)
{
	const struct ftp_word *word = ftp_line_word(line, segment->side);

	if (!segment->arguments) {
		segment->argument = segment->length - segment->fresh + segment->read;
		segment->notation = word ? word->notation : NOTATION_NONE;
	}
	segment->arguments += segment->arguments < 2;
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
		note_argument(segment, line);
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

void scan_lines_read(struct scan *scan, struct scan_segment *segment, const uint8_t *data, size_t length)
{
	struct ftp_line *line = &scan->side[segment->side].line;
	enum ftp_event event;

	if (scan->mode != SCAN_FOLLOW)
		return;
	do {
		const size_t consumed = ftp_scan(line, segment->side, scan->multiline, data, length, &event);

		data += consumed;
		length -= consumed;
		segment->read += (uint32_t)consumed;
		if (event == FTP_LINE || event == FTP_SKIPPED || event == FTP_LOST)
			segment->lines += segment->lines < 2;
	} while (act(scan, segment, event));
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan.h"

#include "scan_lines.h"

/* What the oldest unanswered command of interest was when the last packet passed. */
enum { NOTED_NONE, NOTED_TRANSFER, NOTED_COMMAND, NOTED_QUESTION };

#define NOTED_LOGIN NOTED_TRANSFER /* of SCAN_NOTED_EARLY, when no transfer may be asked for yet */

/* How far it had been shown that this is FTP. */
#define EARLY_GREETED	1u
#define EARLY_LOGGED_IN 2u
#define EARLY_EXCHANGED 2 /* shift */

static uint32_t bit(enum direction side)
{
	return 1u << side;
}

/* A first byte that may begin a load balancer's header is one of a line as well. */
static bool at_line_start(const struct ftp_line *line)
{
	return (line->phase == FTP_PHASE_START || (line->phase == FTP_PHASE_FIRST && !proxy_begun(&line->proxy))) &&
	       line->telnet == 0;
}

void scan_read(struct scan *scan, struct scan_segment *segment, const uint8_t *data, size_t length)
{
	scan_lines_read(scan, segment, data, length);
}

/* ---- segments ---- */

/* The first SYN/ACK. A connection has one, and another connection another scan: whatever comes later begins nothing. */
static void start(struct scan *scan, const struct scan_segment *segment)
{
	if (segment->side != DIRECTION_REPLY || !(segment->flags & SCAN_ACK) || scan->started ||
	    scan->mode != SCAN_FOLLOW)
		return;
	*scan = (struct scan){ .started = 1, .mode = SCAN_FOLLOW, .narrow = scan->narrow, .given = scan->given };
	scan->side[DIRECTION_REPLY].next = segment->seq + 1;
	scan->side[DIRECTION_ORIGINAL].next = segment->ack;
	scan->side[DIRECTION_ORIGINAL].line.phase = FTP_PHASE_FIRST;
}

/* What the last packet brought that passed ends here: where the module has edited it, nothing has passed since. */
static uint32_t passed_end(const struct scan_side *side)
{
	return side->next - side->handed;
}

/*
 * May its receiver have all of it? Then it takes nothing of it, not even what it acknowledges (RFC 9293 section 3.10.7.4, first), nor does the
 * engine. What its receiver has is not known here: an honest end acknowledges it again in one that stands where its sender has come to.
 */
static bool is_old(const struct scan *scan, const struct scan_segment *segment)
{
	const uint32_t end = segment->seq + segment->length + (segment->flags & SCAN_FIN ? 1 : 0);

	return seq_before(end, scan->side[segment->side].next);
}

/* What was edited, or handed over, has arrived. */
static void settle(struct scan *scan, const struct scan_segment *segment)
{
	struct scan_side *side = &scan->side[direction_other(segment->side)];

	if (!(segment->flags & SCAN_ACK) || is_old(scan, segment))
		return;
	if (!seq_before(segment->ack, passed_end(side)))
		side->edit = 0;
	if (!seq_before(segment->ack, side->next))
		scan->pending &= ~bit(direction_other(segment->side)) & 3;
}

static void acknowledge(struct scan *scan, const struct scan_segment *segment)
{
	const enum direction side = direction_other(segment->side);

	settle(scan, segment);
	if (!(segment->flags & SCAN_ACK) || !seq_after(segment->ack, scan->side[side].next))
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

	if (segment->flags & (SCAN_SYN | SCAN_RST | SCAN_URG) || (segment->flags & SCAN_FIN && !segment->alone))
		return false;
	if (scan->pending)
		return false;
	if (scan->mode == SCAN_OPAQUE)
		return !seq_before(segment->seq, side->next);
	return scan->mode == SCAN_FOLLOW && segment->seq == side->next &&
	       (scan_is_quiet(scan) || scan_own_turn(scan, segment) || scan_is_early(scan, segment)) &&
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

static void begin_segment(struct scan *scan, struct scan_segment *segment)
{
	scan->narrow |= segment->flags & SCAN_SYN && !scan->started && segment->mss && segment->mss < SCAN_NARROW;
	segment->fast = segment->fast && !scan->narrow;
	segment->alone = segment->fast && scan->given == SCAN_GIVEN_NEVER;
	segment->done = segment->edited = segment->interesting = segment->announced = false;
	segment->hand_over = true;
	segment->fresh = segment->read = segment->argument = 0;
	segment->arguments = segment->lines = 0;
	segment->notation = NOTATION_NONE;
	segment->asks = segment->answers = PAIRING_OTHER;
	segment->unanswered = segment->accepted = SCAN_STAYS;
	segment->wait = SCAN_WAIT_STAYS;
}

uint32_t scan_begin(struct scan *scan, struct scan_segment *segment)
{
	begin_segment(scan, segment);
	segment->unread =
		segment->flags & (SCAN_SYN | SCAN_RST) || (scan->mode != SCAN_WHOLE && !believed(scan, segment));
	if (segment->flags & SCAN_RST && scan->mode != SCAN_WHOLE && believed(scan, segment))
		scan_own_end(segment);
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
		settle(scan, segment);
		segment->hand_over = segment->length || (segment->flags & SCAN_FIN && !segment->alone);
		return 0;
	}
	acknowledge(scan, segment);
	segment->hand_over =
		(segment->length || (segment->flags & SCAN_FIN && !segment->alone)) && !may_pass(scan, segment);
	if (scan->mode != SCAN_WHOLE)
		segment->fresh = fresh_bytes(scan, segment);
	return scan->mode == SCAN_FOLLOW ? segment->fresh : 0;
}

/* Where it has not been shown yet that this is FTP, nothing is unanswered behind the first command of interest, a LOGIN, if any, nor has a transfer begun. */
static void note_early(struct scan *scan)
{
	scan->note = SCAN_NOTED_EARLY;
	scan->noted_first = scan->first == PAIRING_LOGIN ? NOTED_LOGIN : NOTED_NONE;
	scan->noted_begun = scan->side[DIRECTION_ORIGINAL].line.phase != FTP_PHASE_FIRST;
	scan->noted_behind = ((scan->greeted ? EARLY_GREETED : 0) | (scan->logged_in ? EARLY_LOGGED_IN : 0) |
			      (uint32_t)scan->exchanged << EARLY_EXCHANGED) &
			     15;
}

/* It passes: how things stand now. */
static void note(struct scan *scan)
{
	scan->note = SCAN_NOTED;
	scan->noted_opaque = scan->mode == SCAN_OPAQUE;
	scan->noted_before = scan->before_first;
	scan->noted_first = scan->first == PAIRING_TRANSFER  ? NOTED_TRANSFER :
			    scan->first == SCAN_OWN_COMMAND  ? NOTED_COMMAND :
			    scan->first == SCAN_OWN_QUESTION ? NOTED_QUESTION :
							       NOTED_NONE;
	scan->noted_behind = scan->before_second;
	scan->noted_begun = scan->begun;
	if (scan->mode == SCAN_FOLLOW && !scan_is_trusted(scan))
		note_early(scan);
	scan->side[DIRECTION_ORIGINAL].handed = 0;
	scan->side[DIRECTION_REPLY].handed = 0;
	if (scan->given != SCAN_GIVEN_NEVER)
		scan->given = SCAN_GIVEN_NOTHING;
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

	/* Before the first note there is none that could not tell how long ago it was. */
	if (scan->note && segment->fresh > SCAN_HANDED_MAX - (uint32_t)side->handed) {
		scan_whole(scan);
		return;
	}
	side->next += segment->fresh;
	if (scan->note)
		side->handed = (side->handed + segment->fresh) & SCAN_HANDED_MAX;
	if (segment->side == DIRECTION_ORIGINAL)
		note_since(scan, segment);
	scan->pending |= bit(segment->side) & 3;
}

/* May its lines pass, too, now that they have been read? Not where one goes on, or after what they said. */
static bool lines_may_pass(const struct scan *scan, const struct scan_segment *segment)
{
	return scan->mode == SCAN_OPAQUE ||
	       (at_line_start(&scan->side[segment->side].line) && !scan->multiline &&
		(scan_is_trusted(scan) ?
			 scan_is_quiet(scan) || (segment->asks != PAIRING_OTHER && scan_own_alone(scan)) :
			 scan_is_early(scan, segment)));
}

bool scan_announces(const struct scan *scan, const struct scan_segment *segment)
{
	const bool own = segment->side == DIRECTION_ORIGINAL ? segment->asks == SCAN_OWN_COMMAND :
							       segment->answers == SCAN_OWN_QUESTION;

	return own && segment->fast && !(segment->flags & SCAN_FIN) && !segment->hand_over && segment->arguments == 1 &&
	       segment->lines == 1 && segment->fresh == segment->length && scan->mode == SCAN_FOLLOW &&
	       lines_may_pass(scan, segment);
}

/* It passes, and brings something new. */
static void passes(struct scan *scan, const struct scan_segment *segment)
{
	struct scan_side *side = &scan->side[segment->side];

	side->next = segment->seq + segment->length;
	if (segment->side == DIRECTION_ORIGINAL)
		note_since(scan, segment);
	if (segment->asks != PAIRING_OTHER)
		scan->first = segment->asks & 7;
	if (segment->done)
		scan->announced = 0; /* nor was anything of user space's before: scan_own_asks() */
	note(scan);
	if (!segment->edited)
		return;
	side->edit = 1;
	scan->pending |= bit(segment->side) & 3;
}

/* User space is given it. */
static bool give(struct scan *scan)
{
	scan->given = scan->given < SCAN_GIVEN_ONE ? SCAN_GIVEN_ONE : SCAN_GIVEN_MORE;
	return true;
}

/*
 * A handshake, an RST, or nothing that anybody takes: of a connection that user space knows nothing of it need not know that either. Nor, ever
 * after, of a handshake where that has passed: it has not seen it, and would take this for another connection's.
 */
static bool end_unread(struct scan *scan, const struct scan_segment *segment)
{
	const bool late = segment->flags & SCAN_SYN && scan->unmet;

	if (segment->length || !(segment->alone || late))
		return give(scan);
	if (scan->started && !scan->note && scan->mode == SCAN_FOLLOW) {
		scan->unmet = 1;
		note(scan);
	}
	return false;
}

bool scan_end(struct scan *scan, struct scan_segment *segment)
{
	if (segment->unread)
		return end_unread(scan, segment);
	if (segment->fresh && (!lines_may_pass(scan, segment) || (segment->arguments && !segment->done)))
		segment->hand_over = true;
	if (scan->mode == SCAN_WHOLE) {
		segment->hand_over = segment->hand_over || segment->length;
	} else if (segment->hand_over) {
		handed_over(scan, segment);
	} else if (segment->fresh) {
		passes(scan, segment);
	}
	/* After its FIN the numbers are one off; there is not much to come. */
	if (segment->flags & SCAN_FIN && !(segment->flags & SCAN_RST))
		scan_whole(scan);
	if (scan->mode != SCAN_FOLLOW)
		scan_own_end(segment);
	return segment->hand_over && give(scan);
}

enum scan_transfer scan_transfer(const struct scan *scan)
{
	if (scan->mode != SCAN_FOLLOW || !scan_is_trusted(scan) || !scan_asks_for_transfer(scan))
		return SCAN_TRANSFER_NONE;
	return scan->begun ? SCAN_TRANSFER_GOES_ON : SCAN_TRANSFER_AWAITED;
}

/* As note_early() has it. */
static void read_early(const struct scan *scan, struct scan_note *found)
{
	found->early = true;
	found->greeted = scan->noted_behind & EARLY_GREETED;
	found->logged_in = scan->noted_behind & EARLY_LOGGED_IN;
	found->exchanged = scan->noted_behind >> EARLY_EXCHANGED & 3;
	found->spoken = scan->noted_begun;
	found->pairing.before[1] = 0;
	found->pairing.begun = false;
	if (scan->noted_first == NOTED_LOGIN)
		found->pairing.classes = PAIRING_LOGIN;
}

bool scan_note(const void *bytes, size_t length, struct scan_note *found)
{
	static const uint8_t classes[] = { [NOTED_NONE] = PAIRING_OTHER,
					   [NOTED_TRANSFER] = PAIRING_TRANSFER,
					   [NOTED_COMMAND] = PAIRING_IDLE,
					   [NOTED_QUESTION] = PAIRING_PASSIVE };
	struct scan scan;

	if (length != sizeof(scan))
		return false;
	memcpy(&scan, bytes, sizeof(scan));
	if (scan.note == SCAN_NOTED_NOT)
		return false;
	memset(found, 0, sizeof(*found));
	for (int i = 0; i < 2; i++) {
		found->next[i] = passed_end(&scan.side[i]);
		found->edit[i] = scan.side[i].edit;
	}
	found->opaque = scan.noted_opaque;
	found->tls = scan.tls;
	found->whole = scan.mode == SCAN_WHOLE;
	found->alone = scan.given == SCAN_GIVEN_NEVER;
	found->single = scan.given == SCAN_GIVEN_ONE;
	found->pairing = (struct pairing){ .before = { scan.noted_before, scan.noted_behind } };
	found->pairing.classes = classes[scan.noted_first];
	found->pairing.count = scan.noted_first != NOTED_NONE;
	found->pairing.begun = scan.noted_begun;
	if (scan.note == SCAN_NOTED_EARLY)
		read_early(&scan, found);
	return true;
}

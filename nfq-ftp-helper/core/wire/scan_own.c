// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan_own.h"

static bool is_own(enum pairing_class class)
{
	return class == SCAN_OWN_COMMAND || class == SCAN_OWN_QUESTION;
}

bool scan_own_turn(const struct scan *scan, const struct scan_segment *segment)
{
	return segment->fast && segment->side == DIRECTION_REPLY && is_own((enum pairing_class)scan->first) &&
	       scan_own_alone(scan) && !scan->multiline;
}

uint8_t scan_own_asks(const struct scan *scan, const struct scan_segment *segment, enum pairing_class class)
{
	/* What user space has open is replaced by whom has opened it: so this is, too. */
	if (!segment->fast || segment->hand_over || scan->multiline || scan->announced)
		return PAIRING_OTHER;
	if (class == PAIRING_ACTIVE && segment->announced)
		return SCAN_OWN_COMMAND;
	return class == PAIRING_PASSIVE ? SCAN_OWN_QUESTION : PAIRING_OTHER;
}

static void accept(struct scan_segment *segment)
{
	segment->accepted = SCAN_GONE;
	if (segment->unanswered == SCAN_STAYS)
		segment->unanswered = SCAN_ACCEPTED;
}

/* What has been accepted is not needed any more. */
static void drop_accepted(struct scan_segment *segment)
{
	segment->accepted = SCAN_GONE;
	if (segment->unanswered == SCAN_ACCEPTED)
		segment->unanswered = SCAN_GONE;
}

void scan_own_transfer(struct scan_segment *segment)
{
	segment->wait = SCAN_WAIT_BEGINS;
}

void scan_own_end(struct scan_segment *segment)
{
	segment->accepted = segment->unanswered = SCAN_GONE;
}

/* The module's own command has its answer. */
static void own_answered(struct scan_segment *segment, enum pairing_class own, unsigned int code)
{
	segment->answers = (uint8_t)own;
	if (own == SCAN_OWN_QUESTION) {
		if (code < 400 && !segment->announced) /* what the engine makes of it is its affair */
			segment->hand_over = true;
	} else if (code < 300) {
		accept(segment);
	} else if (segment->unanswered == SCAN_STAYS) {
		segment->unanswered = SCAN_GONE;
	}
}

/* The order is dialogue.c's: what counts as accepted, what is over, what is answered. */
void scan_own_reply(const struct scan *scan, struct scan_segment *segment, enum pairing_class first,
		    const struct pairing_answer *answer, unsigned int code)
{
	const bool still = is_own((enum pairing_class)scan->first);
	const bool answered = is_own(first) && answer->answers && answer->class == first;

	if (is_own(first) && still)
		segment->hand_over = true; /* it answers something else, or nothing */
	if (first == SCAN_OWN_COMMAND && !still && !answered)
		accept(segment);
	if (answer->older_active || answer->transfer_over)
		drop_accepted(segment);
	if (answered)
		own_answered(segment, first, code);
	if (!scan_asks_for_transfer(scan))
		segment->wait = SCAN_WAIT_ENDS;
	else if (segment->unanswered == SCAN_ACCEPTED) /* it was asked for before */
		scan_own_transfer(segment);
	if (!answer->answers || code >= 400)
		return;
	if (answer->class == PAIRING_ACTIVE)
		drop_accepted(segment);
	if ((answer->class == PAIRING_PASSIVE || answer->class == SCAN_OWN_QUESTION) && segment->announced)
		scan_own_end(segment);
}

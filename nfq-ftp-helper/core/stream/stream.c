// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 *        acked          forwarded        next
 *          v                v              v
 *   -------+----------------+--------------+--------------->  sender space
 *   known  |  passed on     |  held back   |  not seen yet
 *   to be  |  but may have  |  (a part of  |
 *   there  |  to be resent  |  an argument)|
 *
 * A segment may lie anywhere on this line. Its bytes from next on are read, line by line. Of the rest, what is emitted is one
 * contiguous run, put together from three sources: the segment itself, the bytes held back from earlier segments, and the new
 * text of the one edit that may be in flight. The edit's text is always emitted whole, in the place of its old bytes, however
 * the sender cuts them when it sends them again: a receiver that has some of it already discards that.
 *
 * The run ends early ("cut") where an argument begins that must wait: because its line is not complete (the part is held
 * back), because an earlier edit of this direction is not acknowledged yet, or because the longer text would not fit; and where the
 * packet is full. The sender's TCP sends the rest again.
 *
 * A cut says what of this packet leaves, and so how far new bytes may be read. It takes nothing back: next never falls behind what
 * has been forwarded, and what is held back leaves only once its line has been dealt with, wherever a packet is full.
 *
 * An edit, once acknowledged, is forgotten but for its place; then what stands there must not be forwarded any more (it is the old
 * text), nor what precedes it (its numbers are not known any more). A segment of nothing but such bytes becomes an empty probe of an old number, so that the receiver repeats an
 * acknowledgement that may have been lost.
 */
#include "stream.h"

#include "core/dialogue/binding.h"
#include "core/dialogue/dialogue.h"
#include "core/dialogue/policy.h"
#include "core/table/state.h"
#include "edit.h"
#include "opening.h"
#include "records.h"
#include "waiting.h"

/* A held part of which anything comes again, or that has come in more pieces than this, is swallowed: its sender may need that to go on. */
#define PIECES_MAX 3

/* So often, well apart, something may come again before it is given up: where waiting may help, and where it hardly does. */
#define REPEATS_MAX   5
#define REPEATS_STALE 4
#define REPEATS_FEW   2

uint32_t stream_forwarded_held(const struct turn *turn, const struct stream *stream)
{
	const enum direction direction = turn_direction(turn, stream);
	const struct work *work = table_work(turn->engine->table, turn->session);

	if (work->held[direction].copied)
		return stream->next;
	if (stream->in_flight && edit_swallowed(&work->edit[direction]))
		return edit_end(&work->edit[direction]);
	return work->held[direction].start;
}

void stream_start(struct stream *stream, uint32_t next)
{
	stream->next = stream->claim = stream->beyond = next;
	state_begins(stream);
	stream->line = (struct ftp_line){ .phase = FTP_PHASE_START };
}

void stream_acknowledge(const struct turn *turn, struct stream *stream, uint32_t ack)
{
	const struct edit *edit = edit_of(turn, stream);

	/* A part of the new text counts as nothing: the old bytes are acknowledged together or not at all. */
	if (edit && seq_after(ack, edit->start) && seq_before(ack, edit_end(edit)))
		ack = edit->start;
	stream->acked = seq_max(stream->acked, ack);
	if (edit && !edit_swallowed(edit) && !seq_before(stream->acked, edit_end(edit)))
		state_arrived(stream);
}

/* ---- the run's limits ---- */

/* With @edit in the run: where must it end, that no more than @space bytes leave? */
static uint32_t end_with_edit(const struct passage *passage, const struct edit *edit)
{
	const uint32_t before = seq_after(edit->start, passage->run_start) ? edit->start - passage->run_start : 0;
	uint32_t room;

	if (before + edit->new_length > passage->space)
		return passage->run_start + before;
	room = passage->space - before - edit->new_length;
	return seq_min(passage->end, edit_end(edit) + room);
}

/* How far may a run from run_start on go, whatever is in it? @edit: the one in flight, or NULL; so with the next two. */
static uint32_t fitting_end(const struct passage *passage, const struct edit *edit)
{
	if (!seq_before(passage->run_start, passage->end))
		return passage->run_start;
	if (edit && passage_touches(edit, passage->run_start, passage->end))
		return end_with_edit(passage, edit);
	if (passage->end - passage->run_start > passage->space)
		return passage->run_start + passage->space;
	return passage->end;
}

/*
 * A packet that @edit fills by itself has no room for what stands behind it. Its sender, who may have been told that the edit has
 * arrived, sends that again and again: every other time it goes alone.
 */
static bool goes_alone(struct passage *passage, const struct edit *edit)
{
	return edit->new_length >= passage->space && passage->run_start == edit_end(edit) &&
	       waiting_turn(passage, passage->run_start);
}

/* What is owed to the receiver comes first in a run that begins in it, or right behind it. */
static void begin_with_owed(struct passage *passage, const struct edit *edit)
{
	if (edit && edit->kind == EDIT_OWED && !seq_after(passage->run_start, edit_end(edit)) &&
	    !goes_alone(passage, edit))
		passage->run_start = seq_min(passage->run_start, edit->start);
}

/*
 * Before here the receiver may have another text. What stands behind the last edit may have been acknowledged by somebody else, and its sender
 * has to send it again.
 */
static uint32_t replaced_end(const struct stream *stream)
{
	return stream->replaced ? seq_min(stream->acked, stream->adj.pos + stream->replaced) : stream->acked;
}

/*
 * Nothing leaves, since the edit does not fit beside the packet's options. A probe has an old number, and its receiver does not take what it
 * acknowledges (RFC 9293 section 3.10.7.4, first). That may be what the other end waits for, and with it the blocks of SACK that leave no
 * room here: so every other time the packet has the number that is due.
 */
static bool only_acknowledges(struct passage *passage, const struct edit *edit)
{
	return edit && passage->run_start == edit->start && seq_after(passage->end, edit->start) &&
	       waiting_turn(passage, edit->start);
}

/* What of the segment can be forwarded at all: not what must not be repeated, nor more than fits. */
static void set_run(struct passage *passage)
{
	const struct edit *edit = edit_in_flight(passage->turn);
	const struct stream *stream = passage->stream;

	passage->run_start = passage->start;
	if (passage->carried_length && !passage->copied && seq_after(passage->start, passage->carried_start))
		passage->run_start = passage->carried_start;
	if (stream->edited)
		passage->run_start = seq_max(passage->run_start, replaced_end(stream));
	begin_with_owed(passage, edit);
	passage->run_end = fitting_end(passage, edit);
	if (passage->run_start == passage->run_end)
		passage->probe = passage->start != passage->end && !only_acknowledges(passage, edit);
}

static void cut(struct passage *passage, uint32_t seq)
{
	passage->run_end = seq_min(passage->run_end, seq);
}

/* ---- arguments ---- */

/* Take over what an earlier segment brought. */
static void carry(struct passage *passage)
{
	const struct held *held;

	if (!passage->stream->held)
		return;
	held = &passage_work(passage)->held[passage->turn->direction];
	passage->carried_start = held->start;
	passage->carried_length = held->length;
	passage->copied = held->copied;
	memcpy(passage->carried, held->bytes, held->length);
}

/* What is held back from here on must not be forwarded: behind a swallowed part nothing, else from its first byte on. */
static void cut_at_held(struct passage *passage, uint32_t start)
{
	const struct edit *edit = edit_in_flight(passage->turn);

	cut(passage, edit_swallowed(edit) ? edit_end(edit) : start);
}

/* May what comes now have passed before, unseen? Then it must not be changed yet. */
static bool may_have_passed(const struct passage *passage)
{
	return passage->stream->stale && !passage->turn->session->self;
}

/* Acknowledge the held part to its sender. Return 0, -EMSGSIZE where that is not possible, or an error that may pass. */
static int swallow(struct passage *passage)
{
	/* What is taken has to be given back in one piece, if it comes to that: edit_restore(). */
	if (1u + passage_work(passage)->held[passage->turn->direction].length > passage->space_alone)
		return -EMSGSIZE;
	return may_have_passed(passage) || passage->turn->busy ? -EBUSY : edit_swallow(passage->turn);
}

/* Take what the sender of the argument at @start shows for an acknowledgement of all before it, and of nothing from there on. */
static void note_asking(struct passage *passage, uint32_t start)
{
	const struct edit *edit = edit_in_flight(passage->turn);

	if (passage->turn->session->self || !waiting_asks_for(passage, start))
		return;
	state_trusted(passage->stream);
	if (edit && !edit_swallowed(edit))
		stream_acknowledge(passage->turn, passage->stream, start);
}

/*
 * Keep the argument's part: @start is its first byte, the segment's end is as far as it goes. Where the text will not be changed
 * a copy is kept, and the part itself passes.
 */
static enum refusal hold(struct passage *passage, uint32_t start)
{
	struct stream *stream = passage->stream;
	const uint32_t carried = stream->next - start;
	const uint32_t length = passage->end - start;
	const bool again = carried && seq_before(passage->start, stream->next);
	enum refusal refusal;
	struct work *work = binding_get(passage->turn, &refusal);
	struct held *held;

	if (!work)
		return refusal;
	held = &work->held[passage->turn->direction];
	if (!stream->held) {
		held->pieces = 0;
		held->since = (uint32_t)(passage->turn->now / 1000);
		if (waiting_at(passage, start)) { /* it has come before, and had to wait */
			held->pieces = waiting_repeated(passage, start, 0) ? PIECES_MAX : 0;
			note_asking(passage, start);
			waiting_note(passage, start);
		}
		held->before = ftp_byte_before(&stream->line, passage->turn->direction);
		held->copied = !policy_may_edit(passage->turn, work);
	}
	held->start = start;
	held->length = (uint16_t)length;
	held->pieces = again ? PIECES_MAX + 1 : held->pieces + 1u;
	memcpy(held->bytes + carried, passage_bytes(passage, stream->next), length - carried);
	state_held(stream);
	stream->next = passage->end;
	if (held->copied)
		return REFUSED_NOT;
	passage->turn->engine->counters.held++;
	if (again)
		note_asking(passage, start);
	if (held->pieces > PIECES_MAX && swallow(passage) && again)
		waiting_note(passage, start);
	cut_at_held(passage, start);
	return REFUSED_NOT;
}

/* Let the sender send the argument again. */
static void wait_for(struct passage *passage, uint32_t start)
{
	state_let_go(passage->stream);
	passage->stream->next = start;
	waiting_note(passage, start);
	cut(passage, start);
	/* Let the receiver say what it has: a sender that learns that this has arrived before goes on. */
	passage->probe = may_have_passed(passage) && !seq_before(passage->run_start, passage->run_end);
}

/*
 * Nothing is held back any more. What was swallowed and has not been replaced is owed as it came. How far the run goes is seen anew:
 * a shorter text leaves room for more than there was room for without it.
 */
static void let_pass(struct passage *passage)
{
	const struct edit *edit;

	edit_restore(passage->turn);
	edit = edit_in_flight(passage->turn);
	state_let_go(passage->stream);
	begin_with_owed(passage, edit);
	passage->run_end = fitting_end(passage, edit);
}

/* Give up on this line: it passes unchanged, whatever of it has been held back first. */
static void release(struct passage *passage, enum refusal refusal)
{
	const uint32_t held = passage->stream->held ? passage->carried_length : 0;

	let_pass(passage);
	opening_refuse(passage->turn, &passage->stream->line, refusal);
	ftp_skip_behind(&passage->stream->line, passage->carried, held);
}

static uint32_t space_from(const struct passage *passage, uint32_t seq)
{
	const uint32_t before = seq - passage->run_start;

	return before < passage->space ? passage->space - before : 0;
}

/* The argument is complete: @length bytes from @start on, without the line feed. */
static void judge_argument(struct passage *passage, uint32_t start, const uint8_t *text, uint32_t length, bool going_on)
{
	struct announced announced = {
		.text = (const char *)text,
		.length = length,
		.seq = start,
		.space = space_from(passage, start),
		.space_alone = passage->space_alone,
		.waited = waiting_for(passage, start),
		.fixed = going_on && passage->copied,
	};
	const struct edit *edit;

	note_asking(passage, start);
	announced.stale = may_have_passed(passage);
	announced.hopeless = waiting_repeated(passage, start, REPEATS_STALE);
	if (!opening_try(passage->turn, &passage->stream->line, &announced)) {
		wait_for(passage, start);
		return;
	}
	let_pass(passage);
	ftp_skip_line(&passage->stream->line);
	edit = edit_in_flight(passage->turn);
	if (edit) /* it may not fit this packet; all of its bytes have been read all the same */
		passage->earliest = seq_max(passage->earliest, edit_end(edit));
}

/*
 * An announcing line's argument begins or goes on at stream->next. Look for its end in this segment; the line's length
 * counts the same however it was cut.
 */
static void read_argument(struct passage *passage)
{
	struct stream *stream = passage->stream;
	const bool going_on = stream->held;
	const uint32_t carried = going_on ? passage->carried_length : 0;
	const uint32_t start = stream->next - carried;
	const uint32_t available = passage->end - stream->next;
	const uint32_t room = HELD_MAX - carried;
	const uint8_t *bytes = passage_bytes(passage, stream->next);
	const uint8_t *line_feed = memchr(bytes, '\n', available < room ? available : room);
	uint32_t length;

	if (!line_feed) {
		enum refusal refusal = REFUSED_TOO_LONG;

		if (available < room)
			refusal = passage->segment->flags & TCP_FIN ? REFUSED_MALFORMED : hold(passage, start);
		if (refusal != REFUSED_NOT)
			release(passage, refusal);
		return;
	}
	length = (uint32_t)(line_feed - bytes);
	if (!going_on) {
		judge_argument(passage, start, bytes, length, false);
		return;
	}
	memcpy(passage->carried + carried, bytes, length);
	judge_argument(passage, start, passage->carried, carried + length, true);
}

/* ---- reading ---- */

static void end_line(struct passage *passage, enum ftp_event event)
{
	struct stream *stream = passage->stream;

	if (event == FTP_LINE)
		dialogue_line(passage->turn, &stream->line);
	else if (event == FTP_SKIPPED)
		dialogue_skipped(passage->turn, &stream->line);
	else if (passage->turn->direction == DIRECTION_REPLY)
		/* lost: it may have answered a command that has been seen */
		dialogue_lost(passage->turn->engine->table, passage->turn->session);
	ftp_next_line(&stream->line);
}

/* Read on from stream->next to the end of the line, or to what stops it. Return false at the end of the run. */
static bool read_line(struct passage *passage)
{
	struct stream *stream = passage->stream;
	struct session *session = passage->turn->session;
	const uint32_t length = passage->run_end - stream->next;
	enum ftp_event event;

	if (stream->held && seq_after(passage->end, stream->next) && state_reads_lines(session)) {
		read_argument(passage); /* nothing of it leaves before it is whole, however full the packet is */
		return true;
	}
	if (!seq_after(passage->run_end, stream->next) || !state_reads_lines(session))
		return false;
	if (records_here(passage))
		return records_read(passage);
	if (records_lost(passage)) {
		dialogue_opaque(passage->turn);
		return true;
	}
	stream->next += (uint32_t)ftp_scan(&stream->line, passage->turn->direction, session->multiline,
					   passage_bytes(passage, stream->next), length, &event);
	switch (event) {
	case FTP_MORE:
		return false;
	case FTP_LINE:
	case FTP_SKIPPED:
	case FTP_LOST:
		end_line(passage, event);
		break;
	case FTP_ARGUMENT:
		read_argument(passage);
		break;
	case FTP_STRANGE:
		dialogue_strange(passage->turn, *passage_bytes(passage, stream->next));
		break;
	case FTP_FOREIGN:
		dialogue_not_ftp(passage->turn);
		break;
	}
	return true;
}

/*
 * Something of what is held back has come again, with nothing behind it: its sender waits for an acknowledgement before it sends
 * the rest, or has lost the rest. He sends what was not acknowledged first, alone, in segments as small as he likes; all of it
 * is swallowed, so that he gets an acknowledgement.
 */
static void read_stalled(struct passage *passage, uint32_t start)
{
	int error;

	passage_work_change(passage)->held[passage->turn->direction].pieces = PIECES_MAX + 1;
	note_asking(passage, start);
	error = swallow(passage);
	if (error && waiting_repeated(passage, start, error == -EMSGSIZE ? REPEATS_FEW : REPEATS_MAX)) {
		release(passage, REFUSED_STALLED);
		return;
	}
	if (error)
		waiting_note(passage, start);
	cut_at_held(passage, start);
	passage->probe = may_have_passed(passage) && !seq_before(passage->run_start, passage->run_end);
}

/* Nothing new. What is held back stays so, unless its sender is at his end or waits. */
static void read_again(struct passage *passage)
{
	const struct stream *stream = passage->stream;

	if (!stream->held || passage->copied)
		return;
	if (passage->end == stream->next && passage->segment->flags & TCP_FIN)
		release(passage, REFUSED_MALFORMED);
	else if (seq_after(passage->end, stream_forwarded(passage->turn, stream)))
		read_stalled(passage, passage->carried_start);
}

void stream_read(struct passage *passage)
{
	struct stream *stream = passage->stream;

	passage->earliest = stream_forwarded(passage->turn, stream);
	carry(passage);
	waiting_note_earlier(passage);
	set_run(passage);
	if (!seq_after(passage->end, stream->next)) {
		read_again(passage);
		return;
	}
	while (read_line(passage))
		;
	if (stream->held)
		return;
	if (!state_reads_lines(passage->turn->session))
		stream->next = seq_max(stream->next, passage->run_end);
	stream->next = seq_max(passage->earliest, seq_min(stream->next, passage->run_end));
}

void stream_ignore(struct passage *passage)
{
	set_run(passage);
	passage->stream->next = seq_after(passage->start, passage->stream->next) ?
					passage->run_end :
					seq_max(passage->stream->next, passage->run_end);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "edit.h"

#include "core/table/state.h"

static struct work *work_of(const struct turn *turn)
{
	return table_work_change(turn->engine->table, turn->session);
}

/* From now on this direction is adjusted so: by conntrack, unless it has left this connection to us already. */
static int hand_over(struct turn *turn, const struct seqadj *adj)
{
	struct conntrack *conntrack = turn->engine->conntrack;
	struct work *work = work_of(turn);
	const struct seqadj told = conntrack_told(conntrack, adj);
	int by;

	if (turn->session->self)
		return 0;
	by = conntrack->ops->adjust_seq(conntrack, &work->binding, turn->direction, &told);
	if (by < 0)
		return by;
	if (by == SEQADJ_SELF)
		turn->session->self = true;
	else
		work->binding.seqadj[turn->direction] = told;
	return 0;
}

/* The swallowed part is one no more, and our being there no guard of it: its edit is one like others. */
static void be_plain(const struct turn *turn, struct edit *edit, enum edit_kind kind)
{
	edit->kind = (uint8_t)kind;
	edit->guarded = edit->guarded && turn->engine->conntrack->guarded;
}

/* The edit is as it is to leave: hand over the adjustment it makes necessary. @amended: the same edit was in flight before. */
static int commit(struct turn *turn, struct edit *edit, bool amended)
{
	struct stream *stream = turn->mine;
	const int32_t growth = (int32_t)edit->new_length - (int32_t)edit->old_length;
	struct seqadj adj = stream->adj;
	int error;

	if (amended)
		adj = (struct seqadj){ .pos = edit->start, .before = adj.before, .after = adj.before + growth };
	else
		adj = seqadj_edited(&adj, edit->start, growth);
	/* Of equal length, too: while it is in flight the connection's packets must not pass without us. */
	if (!amended || memcmp(&adj, &stream->adj, sizeof(adj)) != 0) {
		error = hand_over(turn, &adj);
		if (error)
			return error;
	}
	stream->adj = adj;
	stream->replaced = (uint8_t)edit->old_length;
	edit->since = (uint32_t)(turn->now / 1000);
	/* A swallowed part is guarded by our being there, too: table_mistrust(). */
	edit->guarded = turn->engine->conntrack->guarded || edit->kind == EDIT_SWALLOWED;
	state_edited(stream);
	return 0;
}

/* The swallowed bytes were acknowledged to their sender only: to the receiver they are still to be sent. */
static void owe(struct turn *turn, struct edit *edit)
{
	struct stream *stream = turn->mine;

	be_plain(turn, edit, EDIT_OWED);
	stream->acked = seq_min(stream->acked, edit->start);
}

static void append(struct edit *edit, const void *text, uint32_t length)
{
	memcpy(edit->text + edit->new_length, text, length);
	edit->new_length = (uint16_t)(edit->new_length + length);
}

uint32_t edit_owed_length(const struct edit *edit, uint32_t offset, uint32_t length, uint32_t argument_length)
{
	const uint32_t swallowed = edit->old_length - 1u, behind = offset + length;

	return offset + argument_length + (behind < swallowed ? swallowed - behind : 0);
}

/*
 * Begin the text that is to leave in the place of a swallowed part. The byte before the part is no business of it any more: an
 * acknowledgement that ends there is mapped as it is, not to before it.
 */
static void begin_owed(struct edit *edit)
{
	edit->start++;
	edit->old_length--;
	edit->new_length = 0;
}

/* What precedes the argument, the new argument, and what of the swallowed bytes comes behind it. */
static int amend(struct turn *turn, struct edit *edit, const struct edit_place *place, const char *argument,
		 uint32_t argument_length)
{
	const uint32_t swallowed = edit->old_length - 1u, behind = place->offset + place->length;
	const struct edit unchanged = *edit;
	int error;

	begin_owed(edit);
	append(edit, place->text, place->offset);
	append(edit, argument, argument_length);
	if (behind < swallowed)
		append(edit, place->text + behind, swallowed - behind);
	else
		edit->old_length = (uint16_t)behind;
	error = commit(turn, edit, true);
	if (error) {
		*edit = unchanged;
		return error;
	}
	owe(turn, edit);
	return 0;
}

int edit_replace(struct turn *turn, const struct edit_place *place, const char *argument, uint32_t argument_length)
{
	struct edit *edit = &work_of(turn)->edit[turn->direction];

	if (edit_swallowed(edit_in_flight(turn)))
		return amend(turn, edit, place, argument, argument_length);
	edit->kind = EDIT_REPLACED;
	edit->start = place->seq + place->offset;
	edit->old_length = (uint16_t)place->length;
	edit->new_length = 0;
	append(edit, argument, argument_length);
	return commit(turn, edit, false);
}

int edit_swallow(struct turn *turn)
{
	struct work *work = work_of(turn);
	const struct held *held = &work->held[turn->direction];
	struct edit *edit = &work->edit[turn->direction];
	const bool again = edit_swallowed(edit_in_flight(turn));
	const uint16_t old_length = again ? edit->old_length : 0;
	int error;

	if (edit_in_flight(turn) && !again)
		return -EBUSY;
	edit->kind = EDIT_SWALLOWED;
	edit->start = held->start - 1;
	edit->old_length = (uint16_t)(held->length + 1);
	edit->new_length = 1;
	edit->text[0] = held->before;
	error = commit(turn, edit, again);
	if (error)
		edit->old_length = old_length;
	return error;
}

void edit_restore(struct turn *turn)
{
	struct work *work;
	struct edit *edit, swallowed;

	if (!edit_swallowed(edit_in_flight(turn)))
		return;
	work = work_of(turn);
	edit = &work->edit[turn->direction];
	swallowed = *edit;
	begin_owed(edit);
	append(edit, work->held[turn->direction].bytes, edit->old_length);
	if (commit(turn, edit, true) == 0) {
		owe(turn, edit);
		return;
	}
	/* Conntrack takes no more from us: the part is lost, and its line with it, but not the stream. */
	*edit = swallowed;
	be_plain(turn, edit, EDIT_REPLACED);
}

void edit_lose(struct turn *turn)
{
	if (edit_swallowed(edit_in_flight(turn)))
		be_plain(turn, &work_of(turn)->edit[turn->direction], EDIT_REPLACED);
}

void edit_tell_settled(const struct turn *turn)
{
	const struct session *session = turn->session;
	const struct work *work = table_work(turn->engine->table, session);
	struct conntrack *conntrack = turn->engine->conntrack;

	if (work && work->bound && !session->self && conntrack->ops->settle)
		conntrack->ops->settle(conntrack, &work->binding);
}

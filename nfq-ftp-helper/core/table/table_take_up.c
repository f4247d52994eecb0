// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * What an earlier daemon left is only read, and what is taken up goes into a new table: so a kill in between changes nothing, the
 * size may be another, and all that can be derived (places, chains, lists, counts) is. Where its layout is this program's,
 * slots are copied; where it is not, read_described() makes of each what its description says, which is as after a long
 * absence: the numbers are known, the dialogue is not. Either way table_check() has the last word.
 *
 * A packet's unfinished change is undone by reading the slot from the undo record. A session that was being moved when the daemon
 * was killed is there twice, and the one in the undo record is right.
 */
#include "core/wire/belief.h"
#include "state.h"
#include "table_check.h"
#include "table_layout.h"

/* What was left. */
struct source {
	const uint8_t *bytes;
	struct table_description description;
	bool own;	    /* the layout is this program's */
	uint32_t undo_slot; /* 0: none */
	uint32_t undo_work;
};

/* A session on its way, with its work slot. */
struct taken_session {
	struct session session;
	struct work work;
	bool has_work;
};

static uint32_t number_at(const struct source *source, uint32_t offset)
{
	uint32_t number;

	memcpy(&number, source->bytes + offset, sizeof(number));
	return number;
}

static const uint8_t *session_at(const struct source *source, uint32_t index)
{
	const struct table_description *d = &source->description;

	if (index == source->undo_slot)
		return source->bytes + d->undo_session;
	return source->bytes + d->sessions.offset + (uint64_t)(index - 1) * d->sessions.stride;
}

static const uint8_t *work_at(const struct source *source, uint32_t index)
{
	const struct table_description *d = &source->description;

	if (index == source->undo_work)
		return source->bytes + d->undo_work_copy;
	return source->bytes + d->works.offset + (uint64_t)(index - 1) * d->works.stride;
}

/* The work slot of session @index; NULL where it has none. One is a session's when both say so. */
static const uint8_t *work_of(const struct source *source, uint32_t index)
{
	const struct table_description *d = &source->description;
	const uint32_t work = field_number(&d->session.work, session_at(source, index));

	if (work == 0 || work > d->works.count || field_number(&d->work.owner, work_at(source, work)) != index)
		return NULL;
	return work_at(source, work);
}

/* ---- of this program's layout ---- */

static bool read_own(const struct source *source, uint32_t index, struct taken_session *found)
{
	const uint8_t *work = work_of(source, index);

	memcpy(&found->session, session_at(source, index), sizeof(found->session));
	/* One that was just being made is made again. */
	if (found->session.state == SESSION_FREE || found->session.state == SESSION_HANDSHAKE)
		return false;
	found->has_work = work != NULL;
	if (work)
		memcpy(&found->work, work, sizeof(found->work));
	for (int d = 0; d < 2; d++) {
		struct stream *stream = &found->session.stream[d];

		/* Its work slot was another's already: nothing was in it that was needed. */
		if (!work)
			state_idle(stream);
		/* What fills a hole may have come, and been undone. */
		state_filled(stream);
	}
	return true;
}

/*
 * Bytes may have passed while no daemon was there, unless we renumber every packet. Behind a part that we have acknowledged to its sender
 * ourselves only its rest may have, and the part is lost with that. Where what precedes an argument has passed before, nobody can tell any more
 * whether it is among them: it is not read.
 */
static void mistrust(struct stream *stream, struct work *work, int direction)
{
	const struct held *held = stream->held ? &work->held[direction] : NULL;

	if (held && stream->in_flight && work->edit[direction].kind == EDIT_SWALLOWED) {
		work->edit[direction].guarded = 0;
		return;
	}
	state_doubted(stream);
	stream->beyond = stream->next;
	if (held && held->copied)
		return;
	if (held)
		stream->next = held->start;
	state_let_go(stream);
	ftp_pass_argument(&stream->line);
}

void table_mistrust(struct session *session, struct work *work)
{
	if (!session->self)
		for (int d = 0; d < 2; d++)
			mistrust(&session->stream[d], work, d);
}

/* ---- of another layout ---- */

static void read_stream(const struct described_stream *d, const uint8_t *slot, struct stream *stream)
{
	stream->next = stream->claim = stream->beyond = field_number(&d->next, slot);
	stream->acked = field_number(&d->acked, slot);
	stream->adj.pos = field_number(&d->pos, slot);
	stream->adj.before = (int32_t)field_number(&d->before, slot);
	stream->adj.after = (int32_t)field_number(&d->after, slot);
	stream->mss = (uint16_t)field_number(&d->mss, slot);
	stream->scale = d->scale.bytes ? (uint8_t)field_number(&d->scale, slot) : BELIEF_SCALE_MAX;
	stream->line.phase = field_number(&d->line, slot) ? FTP_PHASE_LOST : FTP_PHASE_START;
	stream->unsynced = field_number(&d->unsynced, slot) != 0;
	stream->fin = field_number(&d->fin, slot) != 0;
	stream->edited = field_number(&d->edited, slot) != 0;
	stream->held = field_number(&d->held, slot) != 0;
	stream->in_flight = field_number(&d->in_flight, slot) != 0;
	stream->stale = true;
}

/* Where the numbers of one direction are not known, both have to agree on them anew. */
static void be_unsure(struct session *session)
{
	if (!session->stream[0].unsynced && !session->stream[1].unsynced)
		return;
	session->unsure = true;
	for (int d = 0; d < 2; d++)
		session->stream[d].unsynced = true;
}

/* Its lines may begin in their middle, and everything is to be shown again. */
static bool read_session(const struct table_description *description, const uint8_t *slot, struct session *session)
{
	static const uint8_t states[] = {
		[FATE_READ] = SESSION_MIDDLE, [FATE_OPAQUE] = SESSION_OPAQUE, [FATE_CLOSED] = SESSION_CLOSED
	};
	const struct described_session *d = &description->session;
	const uint32_t state = field_number(&d->state, slot);
	const uint8_t fate = state < FATES ? description->fate[state] : FATE_NOTHING;

	if (fate == FATE_NOTHING || fate > FATE_CLOSED)
		return false;
	session->state = states[fate];
	session->self = field_number(&d->self, slot) != 0;
	session->resumed = session->met = true;
	field_text(&d->low_address, slot, session->key.low_address, 16);
	field_text(&d->high_address, slot, session->key.high_address, 16);
	session->key.low_port = (uint16_t)field_number(&d->low_port, slot);
	session->key.high_port = (uint16_t)field_number(&d->high_port, slot);
	session->key.zone = (uint16_t)field_number(&d->zone, slot);
	session->key.family = (uint8_t)field_number(&d->family, slot);
	session->key.swapped = (uint8_t)field_number(&d->swapped, slot);
	session->last_seen = field_number(&d->last_seen, slot);
	session->conntrack_id = field_number(&d->conntrack_id, slot);
	session->logged_in = field_number(&d->logged_in, slot) != 0;
	for (int i = 0; i < 2; i++)
		read_stream(&d->stream[i], slot, &session->stream[i]);
	be_unsure(session);
	return true;
}

/* Return false where it is longer than one can be here. */
static bool read_edit(const struct described_edit *d, const uint8_t *slot, struct edit *edit)
{
	const uint32_t length = field_number(&d->new_length, slot);

	edit->start = field_number(&d->start, slot);
	edit->old_length = (uint16_t)field_number(&d->old_length, slot);
	edit->new_length = (uint16_t)length;
	edit->kind = (uint8_t)field_number(&d->kind, slot);
	return length <= EDIT_TEXT_MAX && edit->old_length >= 1 && edit->old_length <= HELD_MAX + 1 &&
	       field_text(&d->text, slot, edit->text, length);
}

/* A swallowed part was acknowledged to its sender only: to the receiver its bytes are owed, as they came. */
static bool owe_swallowed(const struct described_held *d, const uint8_t *slot, struct stream *stream, struct edit *edit)
{
	const uint32_t length = edit->old_length - 1u;

	if (edit->new_length != 1 || length > field_number(&d->length, slot) ||
	    !field_text(&d->bytes, slot, edit->text + 1, length))
		return false;
	edit->new_length = edit->old_length;
	edit->kind = EDIT_OWED;
	stream->adj.after = stream->adj.before;
	stream->acked = seq_min(stream->acked, edit->start);
	stream->next = edit->start + edit->old_length;
	return true;
}

/* Without its line an argument's part that was held back is of no use; its sender has it still, unless it was swallowed. */
static bool let_go(const struct described_held *d, const uint8_t *slot, struct stream *stream, struct edit *edit)
{
	if (!stream->held)
		return stream->in_flight ? edit->kind != EDIT_SWALLOWED : true;
	state_let_go(stream);
	if (stream->in_flight && edit->kind == EDIT_SWALLOWED)
		return owe_swallowed(d, slot, stream, edit);
	if (!field_number(&d->copied, slot))
		stream->next = field_number(&d->start, slot);
	return true;
}

/* Return: 1, 0 where there is no session, or -1 where there is one that nothing can be made of. */
static int read_described(const struct source *source, uint32_t index, struct taken_session *found)
{
	const struct described_work *d = &source->description.work;
	const uint8_t *slot = work_of(source, index);
	bool good = true;

	memset(found, 0, sizeof(*found));
	if (!read_session(&source->description, session_at(source, index), &found->session))
		return 0;
	for (int i = 0; i < 2 && good; i++) {
		struct stream *stream = &found->session.stream[i];

		if (!slot)
			state_idle(stream);
		if (stream->in_flight)
			good = read_edit(&d->edit[i], slot, &found->work.edit[i]);
		found->work.edit[i].since = found->session.last_seen;
		good = good && let_go(&d->held[i], slot, stream, &found->work.edit[i]);
	}
	found->has_work = session_in_flight(&found->session);
	return good ? 1 : -1;
}

/* ---- into the table ---- */

static struct client_budget *budget_of(struct table *table, const struct session *session)
{
	struct endpoint client, server;

	flow_ends(&session->key, &client, &server);
	return table_budget(table, &client);
}

/* The content goes in; what refers to other slots stays as the table has made it. */
static void put_session(struct session *session, const struct session *from)
{
	const uint32_t home = session->home, chain = session->chain;

	*session = *from;
	session->home = home;
	session->chain = chain;
	session->work = 0;
}

/* There are fewer work slots here. What an edit in flight replaced is dropped when it comes again. */
static void do_without_work(struct session *session, const struct work *work)
{
	for (int d = 0; d < 2; d++) {
		struct stream *stream = &session->stream[d];

		if (stream->in_flight)
			stream->acked = seq_max(stream->acked, work->edit[d].start + work->edit[d].old_length);
		state_idle(stream);
	}
}

static void put_work(struct table *table, struct session *session, struct client_budget *budget,
		     const struct work *from)
{
	struct work *work = table_work_new(table, session, budget);
	struct work own;

	if (!work) {
		do_without_work(session, from);
		return;
	}
	own = *work;
	*work = *from;
	work->owner = own.owner;
	work->free_next = own.free_next;
	work->budget = own.budget;
	table_count(table, budget, SHARE_EXPECTATIONS, work->announcements);
}

/* A slot of its own for a good session; NULL where there is none. */
static struct session *put(struct table *table, const struct taken_session *found, uint32_t hash)
{
	struct session *session = table_insert_anywhere(table, &found->session.key, hash);
	struct client_budget *budget;

	if (!session)
		return NULL;
	put_session(session, &found->session);
	budget = budget_of(table, session);
	table_count(table, budget, SHARE_SESSIONS, 1);
	if (found->has_work)
		put_work(table, session, budget, &found->work);
	return session;
}

/* Return: the session that was made of it; NULL where none was. */
static struct session *take_slot(struct table *table, const struct source *source, uint32_t index,
				 struct table_taken *taken)
{
	struct session *session;
	struct taken_session found;
	uint32_t hash;
	const int read = source->own ? read_own(source, index, &found) : read_described(source, index, &found);

	if (read == 0)
		return NULL;
	if (read < 0 || !table_check(&found.session, found.has_work ? &found.work : NULL)) {
		taken->forgotten++;
		table_lose_note(table, found.session.last_seen);
		return NULL;
	}
	if (source->own)
		table_mistrust(&found.session, &found.work);
	hash = flow_hash(&found.session.key, table->seed);
	if (table_find(table, &found.session.key, hash))
		return NULL; /* a copy */
	session = put(table, &found, hash);
	if (session) {
		taken->sessions++;
	} else {
		taken->crowded++;
		table_lose_note(table, found.session.last_seen);
	}
	return session;
}

/* Would the connection break without us, or has it an edit in flight? */
static bool is_needed(const struct source *source, uint32_t index)
{
	const struct described_session *d = &source->description.session;
	const uint8_t *slot = session_at(source, index);

	return field_number(&d->self, slot) || field_number(&d->stream[0].in_flight, slot) ||
	       field_number(&d->stream[1].in_flight, slot);
}

/* Those that need us first, in case there is no room for all. */
static void take_others(struct table *table, const struct source *source, struct table_taken *taken)
{
	const uint32_t count = source->description.sessions.count;

	for (int needed = 1; needed >= 0; needed--)
		for (uint32_t i = 1; i <= count; i++)
			if (i != source->undo_slot && is_needed(source, i) == needed)
				take_slot(table, source, i, taken);
}

/* Of two with the same key the one in the undo record is right; it is remembered, wherever it stands in the end. */
static void take_all(struct table *table, const struct source *source, struct table_taken *taken)
{
	const struct session *undone = source->undo_slot ? take_slot(table, source, source->undo_slot, taken) : NULL;
	struct flow_key key;

	if (undone)
		key = undone->key;
	take_others(table, source, taken);
	table->undone = undone ? table_slot_index(table, table_find(table, &key, flow_hash(&key, table->seed))) : 0;
}

/* ---- handshakes under way ---- */

/* What an unknown layout has noted of connections that were left alone until it heard of one last, is not known. */
static void lose_notes(struct table *table)
{
	for (uint32_t i = 1; i <= table_slots(table); i++) {
		const struct session *session = table_slot(table, i);

		if (session)
			table_lose_note(table, session->last_seen);
	}
}

static void take_embryo(struct table *table, const struct embryo *embryo)
{
	struct embryo *place = table_embryo_free(table, &embryo->key);

	if (place)
		*place = *embryo;
	else if (embryo->state == EMBRYO_ANSWERED || embryo->state == EMBRYO_LEFT)
		table_lose_note(table, embryo->since);
}

/* Only of this program's layout, and where all of them are there: they begin again, else. */
static void take_embryos(struct table *table, const struct source *source, size_t bytes)
{
	struct table left;
	struct embryo embryo;

	memcpy(&left, source->bytes, sizeof(left));
	if (left.embryo_offset > bytes || left.embryos > (bytes - left.embryo_offset) / sizeof(embryo))
		return;
	if (left.lost_note)
		table_lose_note(table, left.lost_note);
	for (uint32_t i = 0; i < left.embryos; i++) {
		memcpy(&embryo, source->bytes + left.embryo_offset + i * sizeof(embryo), sizeof(embryo));
		if (table_check_embryo(&embryo))
			take_embryo(table, &embryo);
	}
}

enum table_left table_take_up(struct table *table, const void *left, size_t bytes, struct table_taken *taken)
{
	struct source source = { .bytes = left };
	const struct table_description *d = &source.description;
	const enum table_left what = table_description_read(source.bytes, bytes, &source.description);

	*taken = (struct table_taken){ 0 };
	if (what != TABLE_TAKEN_UP)
		return what;
	source.own = table_layout_is_own(d);
	taken->own = source.own;
	source.undo_slot = number_at(&source, d->undo_slot);
	source.undo_work = source.undo_slot ? number_at(&source, d->undo_work) : 0;
	if (source.undo_slot > d->sessions.count || source.undo_work > d->works.count)
		return TABLE_STRANGE;
	take_all(table, &source, taken);
	if (source.own && bytes >= sizeof(struct table))
		take_embryos(table, &source, bytes);
	else
		lose_notes(table);
	return TABLE_TAKEN_UP;
}

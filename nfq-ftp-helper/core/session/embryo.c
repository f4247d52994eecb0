// SPDX-License-Identifier: GPL-2.0-or-later
#include "embryo.h"

/* The ways in which an embryo of this flow can stand. */
static struct embryo *ways_of(struct engine *engine, const struct arrival *arrival)
{
	return table_embryo_ways(engine->table, arrival->hash);
}

static bool alive(const struct embryo *embryo, uint32_t seconds)
{
	return embryo->state != EMBRYO_FREE && seconds - embryo->since <= EMBRYO_SECONDS;
}

/* Is it of the arrival's flow, and does the packet go in this direction? */
static bool is_of(const struct embryo *embryo, const struct arrival *arrival, enum direction direction)
{
	return flow_key_equal(&embryo->key, &arrival->key) &&
	       (embryo->key.swapped == arrival->key.swapped) == (direction == DIRECTION_ORIGINAL);
}

static struct endpoint client_of(const struct embryo *embryo)
{
	const struct flow_key *key = &embryo->key;
	struct endpoint client = { .family = key->family };

	memcpy(client.address, key->swapped ? key->high_address : key->low_address, 16);
	return client;
}

/* How many of the ways are this client's? */
static unsigned int count_of(const struct embryo *ways, const struct endpoint *client)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < EMBRYO_WAYS; i++) {
		const struct endpoint other = client_of(&ways[i]);

		count += table_same_client(&other, client);
	}
	return count;
}

/* All ways are taken: the oldest of the client that has most, the newcomer counted, gives its own up. */
static struct embryo *least_of(struct embryo *ways, const struct endpoint *newcomer, uint32_t seconds)
{
	struct embryo *least = ways;
	unsigned int most = 0;

	for (struct embryo *embryo = ways; embryo < ways + EMBRYO_WAYS; embryo++) {
		const struct endpoint client = client_of(embryo);
		const unsigned int count = count_of(ways, &client) + table_same_client(&client, newcomer);

		if (count < most || (count == most && seconds - embryo->since <= seconds - least->since))
			continue;
		least = embryo;
		most = count;
	}
	return least;
}

/* Is it of a connection that has no session, though it began while we were there? */
static bool is_unborn(const struct embryo *embryo)
{
	return embryo->state != EMBRYO_FREE && embryo->state != EMBRYO_CLOSED;
}

/* Does it say that its flow's connection, once it has been answered, is to be left alone? */
static bool is_note(const struct embryo *embryo)
{
	return embryo->state == EMBRYO_ANSWERED || embryo->state == EMBRYO_LEFT;
}

/* Of those that are over: what is lost with this one? Nothing; what a daemon that has seen its SYN may still need; what none may forget. */
static unsigned int loss_of(const struct embryo *embryo, uint32_t seconds)
{
	if (!is_unborn(embryo) || seconds - embryo->since > EMBRYO_NOTE_SECONDS)
		return embryo->state != EMBRYO_FREE;
	return is_note(embryo) ? 3 : 2;
}

/* Of two that are over, the one of which less is lost; of two of the same kind, the older one. */
static struct embryo *better_place(struct embryo *a, struct embryo *b, uint32_t seconds)
{
	const unsigned int loss = a ? loss_of(a, seconds) : UINT32_MAX, other = loss_of(b, seconds);

	if (loss != other)
		return loss < other ? a : b;
	return seconds - b->since > seconds - a->since ? b : a;
}

/* Of two of one flow: what was answered outlives what was not, and of that the first, which may well be the right one (embryo_left()). */
static struct embryo *lesser_own(struct embryo *a, struct embryo *b, uint32_t seconds)
{
	if (a && a->state == EMBRYO_ANSWERED && b->state == EMBRYO_ANSWERED)
		return b->turn > a->turn ? b : a;
	return better_place(a, b, seconds);
}

/*
 * Another one takes its place. Of a connection whose SYN was seen by this daemon, and nothing more, the next one may say that it began
 * unseen, and this one not; of one with an answer none may for as long as the note would count.
 */
static struct embryo *make_way(struct engine *engine, struct embryo *embryo)
{
	if (is_note(embryo))
		table_lose_note(engine->table, embryo->since);
	else if (is_unborn(embryo))
		engine->picks_up_until = 0;
	return embryo;
}

/*
 * Of those of the arrival's flow, where they are as many as may be, the one of which least is lost; NULL where they are fewer. One that was reset
 * since counts: it may have put out another before.
 */
static struct embryo *least_of_crowd(struct engine *engine, const struct arrival *arrival, enum direction direction,
				     uint32_t seconds)
{
	struct embryo *ways = ways_of(engine, arrival), *least = NULL;
	unsigned int own = 0;

	for (struct embryo *embryo = ways; embryo < ways + EMBRYO_WAYS; embryo++) {
		if (seconds - embryo->since > EMBRYO_SECONDS || !is_of(embryo, arrival, direction))
			continue;
		own++;
		least = lesser_own(least, embryo, seconds);
	}
	return own >= EMBRYO_WAYS / 2 ? least : NULL;
}

/* The one with the same number, or a free one, or one that has to go; of the same flow before all others. */
static struct embryo *place_for(struct engine *engine, const struct arrival *arrival, uint32_t seconds)
{
	struct embryo *ways = ways_of(engine, arrival), *vacant = NULL, *least_own;
	const struct tuple ends = arrival_ends(arrival);

	for (struct embryo *embryo = ways; embryo < ways + EMBRYO_WAYS; embryo++) {
		if (!alive(embryo, seconds))
			vacant = better_place(vacant, embryo, seconds);
		else if (is_of(embryo, arrival, DIRECTION_ORIGINAL) &&
			 embryo->start[DIRECTION_ORIGINAL] == segment_start(&arrival->segment))
			return embryo;
	}
	least_own = least_of_crowd(engine, arrival, DIRECTION_ORIGINAL, seconds);
	if (least_own)
		return make_way(engine, least_own);
	return make_way(engine, vacant ? vacant : least_of(ways, &ends.src, seconds));
}

/* Data in a SYN is read as what it is, the stream's beginning. Nothing of it can announce: there was no greeting. */
static void read_syn(struct embryo *embryo, const uint8_t *data, size_t length)
{
	enum ftp_event event;

	do {
		const size_t consumed = ftp_scan(&embryo->line, DIRECTION_ORIGINAL, 0, data, length, &event);

		data += consumed;
		length -= consumed;
		switch (event) {
		case FTP_MORE:
		case FTP_STRANGE:
		case FTP_FOREIGN:
			embryo->strange |= event != FTP_MORE;
			return;
		case FTP_ARGUMENT:
			ftp_skip_line(&embryo->line);
			break;
		case FTP_LINE:
			embryo->strange |=
				ftp_is_web(&embryo->line) ||
				(!ftp_is_empty(&embryo->line) && !ftp_line_word(&embryo->line, DIRECTION_ORIGINAL));
			embryo->lines = (uint8_t)(embryo->lines + (embryo->line.length && embryo->lines < UINT8_MAX));
			ftp_next_line(&embryo->line);
			break;
		case FTP_SKIPPED:
		case FTP_LOST:
			embryo->strange |= ftp_is_web(&embryo->line);
			embryo->lines = (uint8_t)(embryo->lines + (embryo->lines < UINT8_MAX));
			ftp_next_line(&embryo->line);
			break;
		}
	} while (!embryo->strange);
}

static void note_side(struct embryo *embryo, const struct segment *segment, enum direction direction)
{
	embryo->start[direction] = segment_start(segment);
	embryo->mss[direction] = segment_mss(segment);
	embryo->scale[direction] = segment_window_scale(segment);
}

void embryo_open(struct engine *engine, const struct arrival *arrival, uint64_t now)
{
	const struct segment *segment = &arrival->segment;
	struct embryo *embryo = place_for(engine, arrival, (uint32_t)(now / 1000));

	if (alive(embryo, (uint32_t)(now / 1000)) && is_of(embryo, arrival, DIRECTION_ORIGINAL) &&
	    embryo->start[DIRECTION_ORIGINAL] == segment_start(segment)) {
		if (embryo->state != EMBRYO_OPEN)
			return; /* the same SYN again */
		if (embryo->data >
		    segment->payload_length) { /* without its data: the first may have arrived all the same */
			embryo->since = (uint32_t)(now / 1000);
			return;
		}
	}
	embryo->state = EMBRYO_FREE; /* a kill before it is filled in leaves none */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	*embryo = (struct embryo){ .key = arrival->key,
				   .since = (uint32_t)(now / 1000),
				   .line = { .phase = FTP_PHASE_FIRST } };
	embryo->data = (uint16_t)(segment->payload_length < UINT16_MAX ? segment->payload_length : UINT16_MAX);
	note_side(embryo, segment, DIRECTION_ORIGINAL);
	read_syn(embryo, segment_payload(segment), embryo->data);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	embryo->state = EMBRYO_OPEN;
}

/* Behind those of the flow that have been answered before. */
static uint16_t next_turn(const struct embryo *ways, const struct arrival *arrival)
{
	uint16_t last = 0;

	for (const struct embryo *embryo = ways; embryo < ways + EMBRYO_WAYS; embryo++)
		if (embryo->state == EMBRYO_ANSWERED && flow_key_equal(&embryo->key, &arrival->key) &&
		    embryo->turn > last)
			last = embryo->turn;
	return (uint16_t)(last + (last < UINT16_MAX));
}

/* The first answer stands: one with another number is somebody's who has guessed what to acknowledge. */
static bool is_answered_otherwise(const struct embryo *embryo, const struct segment *segment)
{
	return embryo->state == EMBRYO_ANSWERED && embryo->start[DIRECTION_REPLY] != segment_start(segment);
}

/* Is the arrival an answer to its SYN? It acknowledges that, and of the bytes in it what it likes. */
static bool is_answered_by(const struct embryo *embryo, const struct arrival *arrival)
{
	const uint32_t start = embryo->start[DIRECTION_ORIGINAL], ack = arrival->segment.ack;

	return is_of(embryo, arrival, DIRECTION_REPLY) && !seq_before(ack, start) &&
	       !seq_after(ack, start + embryo->data);
}

struct embryo *embryo_answered_by(struct engine *engine, const struct arrival *arrival, uint64_t now)
{
	struct embryo *ways = ways_of(engine, arrival);

	for (struct embryo *embryo = ways; embryo < ways + EMBRYO_WAYS; embryo++) {
		if (!is_unborn(embryo) || !is_answered_by(embryo, arrival))
			continue;
		if (!alive(embryo, (uint32_t)(now / 1000)))
			embryo->state = EMBRYO_LEFT;
		if (embryo->state != EMBRYO_LEFT && !is_answered_otherwise(embryo, &arrival->segment))
			return embryo;
	}
	return NULL;
}

bool embryo_answered_again(struct engine *engine, const struct arrival *arrival)
{
	const struct embryo *ways = ways_of(engine, arrival);

	for (const struct embryo *embryo = ways; embryo < ways + EMBRYO_WAYS; embryo++)
		if (embryo->state == EMBRYO_CLOSED && is_answered_by(embryo, arrival) &&
		    embryo->start[DIRECTION_REPLY] == segment_start(&arrival->segment))
			return true;
	return false;
}

bool embryo_answer(struct engine *engine, struct embryo *embryo, const struct arrival *arrival)
{
	const bool first = embryo->state == EMBRYO_OPEN;

	if (first)
		embryo->turn = next_turn(ways_of(engine, arrival), arrival);
	embryo->state = EMBRYO_ANSWERED;
	embryo->acked = arrival->segment.ack;
	note_side(embryo, &arrival->segment, DIRECTION_REPLY);
	return first;
}

void embryo_await(struct embryo *embryo)
{
	embryo->state = EMBRYO_OPEN;
}

bool embryo_is_crowded(struct engine *engine, const struct arrival *arrival, uint64_t now)
{
	const struct embryo *ways = ways_of(engine, arrival);

	for (const struct embryo *embryo = ways; embryo < ways + EMBRYO_WAYS; embryo++)
		if (embryo->state != EMBRYO_FREE && is_answered_by(embryo, arrival))
			return false; /* that one was not put out */
	return least_of_crowd(engine, arrival, DIRECTION_REPLY, (uint32_t)(now / 1000)) != NULL;
}

struct embryo *embryo_of_answer(struct engine *engine, const struct arrival *arrival, uint64_t now)
{
	const uint32_t seconds = (uint32_t)(now / 1000), ack = arrival->segment.ack;
	struct embryo *embryo = least_of_crowd(engine, arrival, DIRECTION_REPLY, seconds);
	uint16_t turn;

	if (!embryo)
		return NULL;
	make_way(engine, embryo);
	embryo->state = EMBRYO_FREE; /* as in embryo_open() */
	turn = next_turn(ways_of(engine, arrival), arrival);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	*embryo = (struct embryo){ .key = arrival->key, .since = seconds, .acked = ack, .turn = turn };
	embryo->key.swapped = !arrival->key.swapped;
	embryo->start[DIRECTION_ORIGINAL] = ack;
	embryo->scale[DIRECTION_ORIGINAL] = BELIEF_SCALE_MAX; /* if he has said any: the answer shows that */
	note_side(embryo, &arrival->segment, DIRECTION_REPLY);
	ftp_lose_line(&embryo->line);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	embryo->state = EMBRYO_ANSWERED;
	return embryo;
}

/* Does the packet stand right behind the handshake? */
static bool is_continued(const struct embryo *embryo, const struct arrival *arrival, enum direction direction)
{
	const struct segment *segment = &arrival->segment;
	const uint32_t ack = direction == DIRECTION_ORIGINAL ? embryo->start[DIRECTION_REPLY] : embryo->acked;
	const uint32_t start = direction == DIRECTION_ORIGINAL ? embryo->acked : embryo->start[DIRECTION_REPLY];

	return segment->flags & TCP_ACK && segment->seq - start <= UINT16_MAX && segment->ack - ack <= UINT16_MAX;
}

struct embryo *embryo_find(struct engine *engine, const struct arrival *arrival, uint64_t now)
{
	struct embryo *ways = ways_of(engine, arrival);

	for (struct embryo *embryo = ways; embryo < ways + EMBRYO_WAYS; embryo++)
		if (alive(embryo, (uint32_t)(now / 1000)) && embryo->state == EMBRYO_ANSWERED)
			for (int d = 0; d < 2; d++)
				if (is_of(embryo, arrival, (enum direction)d) &&
				    is_continued(embryo, arrival, (enum direction)d))
					return embryo;
	return NULL;
}

/* Does the client go on behind the first byte it could send after its SYN? */
static bool goes_on(const struct embryo *embryo, const struct segment *segment)
{
	const uint32_t sent = segment->seq - embryo->start[DIRECTION_ORIGINAL];

	return segment->flags & TCP_ACK && segment->payload_length && sent > embryo->data && sent <= UINT16_MAX;
}

struct embryo *embryo_unanswered(struct engine *engine, const struct arrival *arrival, uint64_t now)
{
	struct embryo *ways = ways_of(engine, arrival);

	for (struct embryo *embryo = ways; embryo < ways + EMBRYO_WAYS; embryo++)
		if (alive(embryo, (uint32_t)(now / 1000)) && embryo->state == EMBRYO_OPEN &&
		    is_of(embryo, arrival, DIRECTION_ORIGINAL) && goes_on(embryo, &arrival->segment))
			return embryo;
	return NULL;
}

/*
 * What was answered before the right one reaches a client who still waits, and is reset; what comes after it is not, for a client whose connection
 * has begun resets nothing (RFC 5961 section 4.2). So of those that are left the first is the right one, or will be reset.
 */
struct embryo *embryo_left(struct engine *engine, const struct arrival *arrival, uint64_t now)
{
	struct embryo *ways = ways_of(engine, arrival), *first = NULL;

	for (struct embryo *embryo = ways; embryo < ways + EMBRYO_WAYS; embryo++)
		if (alive(embryo, (uint32_t)(now / 1000)) && embryo->state == EMBRYO_ANSWERED &&
		    flow_key_equal(&embryo->key, &arrival->key) && (!first || embryo->turn < first->turn))
			first = embryo;
	return first;
}

/* Does an RST in this direction answer a packet of the handshake? It stands where that acknowledged (RFC 9293 section 3.10.7.3). */
static bool is_reset(const struct embryo *embryo, const struct arrival *arrival, enum direction direction)
{
	const uint32_t seq = arrival->segment.seq;

	return is_of(embryo, arrival, direction) &&
	       seq == (direction == DIRECTION_ORIGINAL ? embryo->acked : embryo->start[DIRECTION_REPLY]);
}

void embryo_reset(struct engine *engine, const struct arrival *arrival, uint64_t now)
{
	struct embryo *ways = ways_of(engine, arrival);

	for (struct embryo *embryo = ways; embryo < ways + EMBRYO_WAYS; embryo++)
		if (alive(embryo, (uint32_t)(now / 1000)) && embryo->state == EMBRYO_ANSWERED &&
		    (is_reset(embryo, arrival, DIRECTION_ORIGINAL) || is_reset(embryo, arrival, DIRECTION_REPLY)))
			embryo->state = EMBRYO_FREE;
}

void embryo_close(struct embryo *embryo)
{
	embryo->state = EMBRYO_CLOSED;
}

void embryo_leave(struct embryo *embryo)
{
	embryo->state = EMBRYO_LEFT;
}

/* Where a note on this flow goes: in place of an earlier one, or of what is over; NULL: there is no place. */
static struct embryo *place_of_note(struct engine *engine, const struct flow_key *key, uint32_t seconds)
{
	struct embryo *ways = table_embryo_ways(engine->table, table_key_hash(engine->table, key)), *vacant = NULL;

	for (struct embryo *embryo = ways; embryo < ways + EMBRYO_WAYS; embryo++) {
		const bool over = embryo->state == EMBRYO_CLOSED || embryo->state == EMBRYO_LEFT;

		if (over && flow_key_equal(&embryo->key, key))
			return embryo;
		if (!alive(embryo, seconds))
			vacant = better_place(vacant, embryo, seconds);
	}
	return vacant ? make_way(engine, vacant) : NULL;
}

void embryo_note(struct engine *engine, const struct flow_key *key, uint64_t now)
{
	const uint32_t seconds = (uint32_t)(now / 1000);
	struct embryo *embryo = place_of_note(engine, key, seconds);

	if (!embryo) {
		table_lose_note(engine->table, seconds);
		return;
	}
	embryo->state = EMBRYO_FREE; /* as in embryo_open() */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	*embryo = (struct embryo){ .key = *key, .since = seconds };
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	embryo->state = EMBRYO_LEFT;
}

bool embryo_remembers(struct engine *engine, const struct arrival *arrival, uint64_t now)
{
	const struct embryo *ways = ways_of(engine, arrival);

	for (const struct embryo *embryo = ways; embryo < ways + EMBRYO_WAYS; embryo++)
		if (is_note(embryo) && flow_key_equal(&embryo->key, &arrival->key))
			return true;
	return table_lost_note(engine->table, (uint32_t)(now / 1000));
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Legs and time. Packets under way wait in a heap ordered by the time they are due; between two packets the endpoints'
 * and the router's timers run.
 */
#include "sim.h"

#define TIME_LIMIT  (36000ull * SECOND) /* byte by byte, each lost one for a second or more */
#define EVENT_LIMIT 400000u		/* without a byte's arriving anywhere */

static bool sooner(const struct sim *sim, uint16_t a, uint16_t b)
{
	const struct packet *p = &sim->packet[a], *q = &sim->packet[b];

	return p->due != q->due ? p->due < q->due : p->order < q->order;
}

static void heap_push(struct sim *sim, uint16_t index)
{
	unsigned int at = sim->under_way++;

	while (at > 0) {
		const unsigned int parent = (at - 1) / 2;

		if (!sooner(sim, index, sim->heap[parent]))
			break;
		sim->heap[at] = sim->heap[parent];
		at = parent;
	}
	sim->heap[at] = index;
}

static void heap_sink(struct sim *sim, unsigned int at, uint16_t index)
{
	for (;;) {
		unsigned int child = 2 * at + 1;

		if (child >= sim->under_way)
			break;
		if (child + 1 < sim->under_way && sooner(sim, sim->heap[child + 1], sim->heap[child]))
			child++;
		if (!sooner(sim, sim->heap[child], index))
			break;
		sim->heap[at] = sim->heap[child];
		at = child;
	}
	sim->heap[at] = index;
}

static uint16_t heap_pop(struct sim *sim)
{
	uint16_t first = sim->heap[0];
	uint16_t last = sim->heap[--sim->under_way];

	if (sim->under_way)
		heap_sink(sim, 0, last);
	return first;
}

struct packet *network_packet(struct sim *sim)
{
	struct packet *packet;

	if (!sim->free_count)
		sim_fail(sim, "more than %u packets under way", PACKETS);
	packet = &sim->packet[sim->free_list[--sim->free_count]];
	packet->corrupt = packet->unseen = packet->disbelieved = false;
	packet->origin = HONEST;
	return packet;
}

void network_release(struct sim *sim, struct packet *packet)
{
	sim->free_list[sim->free_count++] = (uint16_t)(packet - sim->packet);
}

static void enqueue(struct sim *sim, struct packet *packet, const struct leg *leg)
{
	uint64_t *last = &sim->last_due[packet->to * 2 + packet->at_router];

	packet->due = sim->now + leg->delay + (leg->jitter ? sim_pick(sim, leg->jitter) : 0);
	if (leg->ordered && packet->due < *last)
		packet->due = *last;
	*last = packet->due;
	packet->order = sim->order++;
	heap_push(sim, (uint16_t)(packet - sim->packet));
}

static void corrupt(struct sim *sim, struct packet *packet)
{
	uint32_t tcp = packet->bytes[0] >> 4 == 4 ? 20 : 40;
	uint32_t bit = sim_pick(sim, (packet->length - tcp) * 8);

	packet->bytes[tcp + bit / 8] ^= (uint8_t)(1 << bit % 8);
	packet->corrupt = true;
	sim->lost++;
	sim_trace(sim, "     (the next one is corrupted at byte %u)", tcp + bit / 8);
}

/* Takes the packet over. packet->to and at_router say where it goes. */
void network_send(struct sim *sim, struct packet *packet, unsigned int leg_number)
{
	const struct leg *leg = &sim->schedule.leg[leg_number];

	if (sim_chance(sim, leg->loss)) {
		sim_trace(sim, "     (lost on leg %u)", leg_number);
		sim->lost++;
		network_release(sim, packet);
		return;
	}
	if (sim_chance(sim, leg->duplicate) && sim->free_count > PACKETS / 2) {
		struct packet *copy = network_packet(sim);

		memcpy(copy, packet, offsetof(struct packet, bytes) + packet->length);
		enqueue(sim, copy, leg);
	}
	if (packet->at_router && sim_chance(sim, leg->corrupt))
		corrupt(sim, packet);
	enqueue(sim, packet, leg);
}

/* The same for a packet that nobody else has to care for: it is neither lost nor late. */
void network_inject(struct sim *sim, struct packet *packet, uint32_t delay)
{
	packet->due = sim->now + delay;
	packet->order = sim->order++;
	heap_push(sim, (uint16_t)(packet - sim->packet));
}

/* What is under way does not arrive. */
void network_flush(struct sim *sim)
{
	while (sim->under_way) {
		network_release(sim, &sim->packet[heap_pop(sim)]);
		sim->lost++;
	}
}

static void deliver(struct sim *sim)
{
	struct packet *packet = &sim->packet[heap_pop(sim)];

	sim->now = packet->due;
	if (packet->at_router) {
		router_packet(sim, packet);
		return;
	}
	if (!packet->corrupt && adversary_hears(sim, packet))
		tcp_receive(sim, &sim->tcp[packet->to], packet);
	network_release(sim, packet);
}

/* Until nothing is under way. */
void network_drain(struct sim *sim)
{
	while (sim->under_way)
		deliver(sim);
}

static bool finished(const struct sim *sim)
{
	return !sim->under_way && tcp_finished(sim, &sim->tcp[CLIENT]) && tcp_finished(sim, &sim->tcp[SERVER]);
}

/* What has arrived, and what is known to have. */
static uint32_t reached(const struct sim *sim)
{
	const struct tcp *tcp = sim->tcp;

	return tcp[CLIENT].in_next + tcp[SERVER].in_next + tcp[CLIENT].una + tcp[SERVER].una;
}

/*
 * How many events there may be says nothing by itself: who writes byte by byte and, after a timeout, sends his whole window again at once
 * gets one byte of it through a network that reorders, since what comes behind a gap is dropped. But each time something has to arrive.
 */
void network_run(struct sim *sim)
{
	uint32_t last = 0;

	for (unsigned int events = 0; !finished(sim); events++) {
		uint64_t packet_due = sim->under_way ? sim->packet[sim->heap[0]].due : NEVER;
		uint64_t due[2] = { tcp_deadline(&sim->tcp[CLIENT]), tcp_deadline(&sim->tcp[SERVER]) };
		unsigned int first = due[SERVER] < due[CLIENT] ? SERVER : CLIENT;

		if (reached(sim) != last)
			events = 0;
		last = reached(sim);
		if (events > EVENT_LIMIT || sim->now > TIME_LIMIT)
			sim_stuck(sim, "no end, nor anything new in %u events, after %u simulated seconds", events,
				  (unsigned int)(sim->now / SECOND));
		if (sim->back_at != NEVER && sim->back_at <= packet_due && sim->back_at <= due[first]) {
			sim->now = sim->back_at;
			router_timer(sim);
		} else if (packet_due <= due[first]) {
			if (packet_due == NEVER && sim->schedule.ending == END_RESET)
				break; /* one is dead, the other has nothing to say to him */
			if (packet_due == NEVER)
				sim_stuck(sim, "both sides wait for ever");
			deliver(sim);
		} else {
			sim->now = due[first];
			tcp_timers(sim, &sim->tcp[first]);
		}
	}
}

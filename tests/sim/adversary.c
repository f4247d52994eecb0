// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * --adversary: whom the engine must not believe.
 *
 * Third parties send segments in both ends' names past the router: blind ones, who know addresses and ports only; ones
 * who know the numbers nearly; ones who know them exactly. The ends' TCPs judge them (judge.c), and what they would take
 * is lost on the way, by the network's good fortune: from it TCP itself suffers. From all the rest the connection must
 * not suffer, and nothing may open. Or one end is hostile: a TCP like the other, which lies besides. Then nothing is owed
 * to the connection, but still nothing opens for the honest end that it has not announced.
 *
 * Its random numbers are its own: a seed means the same connection with it and without.
 */
#include "sim.h"

#include <stdio.h>

#define PORT_INVENTED 61000u   /* no script announces so high a port */
#define REACH	      2500000u /* microseconds: a deaf end's peer repeats itself in that time */

static uint32_t draw(struct sim *sim)
{
	uint64_t x = sim->adversary.random += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return (uint32_t)((x ^ (x >> 31)) >> 16);
}

/* 0 to n - 1 */
uint32_t adversary_pick(struct sim *sim, uint32_t n)
{
	return (uint32_t)(((uint64_t)draw(sim) * n) >> 32);
}

bool adversary_chance(struct sim *sim, uint32_t permille)
{
	return adversary_pick(sim, 1000) < permille;
}

static bool after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

/* One of both, as often. */
static enum side either(struct sim *sim)
{
	return (enum side)adversary_pick(sim, 2);
}

static void draw_hostile(struct sim *sim)
{
	struct adversary *adversary = &sim->adversary;
	struct schedule *schedule = &sim->schedule;

	adversary->hostile = adversary_chance(sim, 600) ? SERVER : CLIENT;
	adversary->web = adversary->hostile == SERVER && adversary_chance(sim, 400);
	/* Who knows nothing of a connection's past cannot know what it was. */
	if (schedule->upset == UPSET_FRESH || schedule->upset == UPSET_BYPASS)
		schedule->upset = UPSET_NONE;
}

void adversary_draw(struct sim *sim, bool present)
{
	struct adversary *adversary = &sim->adversary;

	adversary->random = sim->seed * 0x9fb21c651e98df25u + 7;
	adversary->present = present;
	adversary->hostile = NOBODY;
	if (!present)
		return;
	adversary->left = 10 + adversary_pick(sim, adversary_chance(sim, 200) ? 190 : 60);
	if (adversary_chance(sim, 400)) {
		draw_hostile(sim);
		return;
	}
	while (!adversary->origins)
		adversary->origins =
			(uint8_t)(1u << (BLIND + adversary_pick(sim, 3)) | adversary_pick(sim, 2) << BLIND);
	adversary->tracked = adversary_chance(sim, 300);
	adversary->beforehand = (adversary->origins & 1u << BLIND) && adversary_chance(sim, 300);
}

/* Whom a connection had to do with. */
const char *adversary_name(const struct sim *sim)
{
	static const char *const names[] = { "blind",		"near",		  "blind and near",	  "exact",
					     "blind and exact", "near and exact", "blind, near and exact" };
	const struct adversary *adversary = &sim->adversary;

	if (!adversary->present)
		return "nobody";
	if (adversary->web)
		return sim->script.fast_open ? "a hostile server of a browser with fast open" :
					       "a hostile server of a browser";
	if (sim_hostile(sim))
		return adversary->hostile == SERVER ? "a hostile server" : "a hostile client";
	if (adversary->beforehand)
		return "blind, beforehand";
	return names[(adversary->origins >> BLIND) - 1];
}

/* ---- what is sent ---- */

struct forgery {
	enum origin origin;
	enum side as; /* in whose name */
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t urgent;
	const uint8_t *data;
	uint32_t length;
	bool any_window;
};

static void send_forgery(struct sim *sim, const struct forgery *forgery, uint32_t delay)
{
	const struct endpoint *inside = sim->around.inside;
	const struct habit *habit = &sim->schedule.habit[forgery->as];
	struct packet *packet;
	struct header header = { .seq = forgery->seq,
				 .ack = forgery->ack,
				 .flags = forgery->flags,
				 .urgent = forgery->urgent,
				 .window = (uint16_t)(habit->window >> habit->scale) };

	if (sim->free_count < PACKETS / 2)
		return;
	if (forgery->any_window)
		header.window = (uint16_t)adversary_pick(sim, adversary_chance(sim, 300) ? 4 : 65536);
	if (forgery->flags & TCP_SYN) {
		header.mss = (uint16_t)(adversary_chance(sim, 500) ? 1460 : adversary_pick(sim, 1500));
		header.scaled = adversary_chance(sim, 500);
		header.scale = (uint8_t)adversary_pick(sim, 16);
	}
	packet = network_packet(sim);
	packet->origin = (uint8_t)forgery->origin;
	packet->to = !forgery->as;
	packet->at_router = true;
	packet->length = (uint16_t)packet_write(packet->bytes, &inside[forgery->as], &inside[!forgery->as], &header,
						forgery->data, forgery->length);
	sim->adversary.sent++;
	network_inject(sim, packet, delay);
}

/* An honest end's answer to numbers that are none of its connection's. */
void adversary_stray(struct sim *sim, const struct tcp *tcp, uint32_t seq, uint32_t ack, uint8_t flags)
{
	const struct forgery forgery = {
		.origin = STRAY, .as = (enum side)tcp->side, .seq = seq, .ack = ack, .flags = flags
	};

	if (sim->adversary.present)
		send_forgery(sim, &forgery, sim->schedule.leg[tcp->side].delay);
}

/* Is it one that only a forged packet announces? */
bool adversary_invented(uint16_t port)
{
	return port >= PORT_INVENTED;
}

/* Something that would open a port of side's, were it believed. */
static uint32_t announcement(struct sim *sim, enum side side, char *text)
{
	const uint8_t *a = sim->around.inside[side].address;
	uint32_t port = PORT_INVENTED + adversary_pick(sim, 4000);

	if (side == SERVER && (sim->schedule.family == FAMILY_IPV6 || adversary_chance(sim, 300)))
		return (uint32_t)sprintf(text, "229 Entering Extended Passive Mode (|||%u|)\r\n", port);
	if (sim->schedule.family == FAMILY_IPV6)
		return (uint32_t)sprintf(text, "EPRT |2|%x:%x:%x:%x:%x:%x:%x:%x|%u|\r\n", a[0] << 8 | a[1],
					 a[2] << 8 | a[3], a[4] << 8 | a[5], a[6] << 8 | a[7], a[8] << 8 | a[9],
					 a[10] << 8 | a[11], a[12] << 8 | a[13], a[14] << 8 | a[15], port);
	return (uint32_t)sprintf(text,
				 side == SERVER ? "227 Entering Passive Mode (%u,%u,%u,%u,%u,%u)\r\n" :
						  "PORT %u,%u,%u,%u,%u,%u\r\n",
				 a[0], a[1], a[2], a[3], port >> 8, port & 255);
}

static uint32_t invent_text(struct sim *sim, enum side side, char *text)
{
	static const char *const lines[2][8] = {
		{ "QUIT\r\n", "AUTH TLS\r\n", "GET / HTTP/1.1\r\n", "PASV\r\n", "EPSV\r\n", "USER x\r\n", "\r\n", "x" },
		{ "220 x\r\n", "221 Bye.\r\n", "234 Go on.\r\n", "200 ok\r\n", "230 in\r\n", "500 no\r\n", "226-\r\n",
		  "x" },
	};

	if (adversary_chance(sim, 400))
		return announcement(sim, side, text);
	return (uint32_t)sprintf(text, "%s", lines[side][adversary_pick(sim, 8)]);
}

/* ---- blind ---- */

static const uint8_t kinds[] = {
	TCP_SYN,	   TCP_SYN | TCP_ACK, TCP_RST, TCP_RST | TCP_ACK, TCP_FIN | TCP_ACK,	       TCP_ACK,
	TCP_ACK | TCP_PSH, TCP_ACK | TCP_PSH, TCP_PSH, TCP_SYN | TCP_FIN, TCP_SYN | TCP_ACK | TCP_RST,
};

static void send_blind(struct sim *sim)
{
	char text[128] = "something in the place of something else, as long as it takes, and then some";
	struct forgery forgery = { .origin = BLIND,
				   .as = either(sim),
				   .seq = adversary_pick(sim, UINT32_MAX),
				   .ack = adversary_pick(sim, UINT32_MAX),
				   .flags = kinds[adversary_pick(sim, sizeof(kinds))],
				   .data = (uint8_t *)text,
				   .any_window = true };

	if ((forgery.flags & TCP_PSH) || adversary_chance(sim, 100))
		forgery.length = invent_text(sim, forgery.as, text);
	if ((forgery.flags & TCP_PSH) && adversary_chance(sim, 100))
		forgery.flags |= TCP_FIN;
	send_forgery(sim, &forgery, adversary_pick(sim, 2000));
}

/* A whole connection, consistent in itself, of which nobody at the ends knows. */
static void send_invented(struct sim *sim)
{
	struct adversary *adversary = &sim->adversary;
	uint32_t next[2], delay = adversary_pick(sim, 2000),
			  skipped = adversary_chance(sim, 500) ? 9 : adversary_pick(sim, 9);
	struct {
		enum side as;
		uint8_t flags;
		char text[128];
	} steps[] = {
		{ CLIENT, TCP_SYN, "" },	  { SERVER, TCP_SYN | TCP_ACK, "" }, { CLIENT, TCP_ACK, "" },
		{ SERVER, TCP_ACK, "220 x\r\n" }, { CLIENT, TCP_ACK, "USER x\r\n" }, { SERVER, TCP_ACK, "230 x\r\n" },
		{ CLIENT, TCP_ACK, "PASV\r\n" },  { SERVER, TCP_ACK, "227 x\r\n" },  { CLIENT, TCP_ACK, "PORT x\r\n" },
	};

	announcement(sim, SERVER, steps[7].text);
	announcement(sim, CLIENT, steps[8].text);
	for (unsigned int side = 0; side < 2; side++)
		next[side] = adversary->invented[side] = adversary_pick(sim, UINT32_MAX);
	for (uint32_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct forgery forgery = { .origin = BLIND,
					   .as = steps[i].as,
					   .seq = next[steps[i].as],
					   .ack = steps[i].flags & TCP_ACK ? next[!steps[i].as] : 0,
					   .flags = steps[i].flags,
					   .data = (uint8_t *)steps[i].text,
					   .length = (uint32_t)strlen(steps[i].text) };

		next[steps[i].as] += forgery.length + !!(steps[i].flags & TCP_SYN);
		if (i != skipped)
			send_forgery(sim, &forgery, delay++);
	}
	adversary->left -= min_u32(adversary->left, 8);
}

/* ---- who knows the numbers ---- */

/* The widest window that a receiver may have as far as the engine can know. */
static uint32_t widest(const struct sim *sim, enum side receiver)
{
	const bool handshake_missed = sim->picked_up || (sim->restarts && sim->schedule.upset >= UPSET_FRESH);

	return 65535u << (handshake_missed ? 14 : sim->schedule.habit[receiver].scale);
}

/* Where the next thing begins that side writes and that must not open, not before from; else some place behind from. */
static uint32_t target(struct sim *sim, enum side side, uint32_t from)
{
	if (adversary_chance(sim, 800))
		for (unsigned int i = 0; i < sim->script.promises; i++) {
			const struct promise *promise = &sim->script.promise[i];

			if (promise->by == side && promise->opens == MUST_NOT && promise->line > from)
				return promise->line;
		}
	return from + 1 + adversary_pick(sim, adversary_chance(sim, 700) ? 60 : 4000);
}

/* The number that side's byte at offset has, as its sender counts; and as its receiver does. */
static uint32_t number(const struct sim *sim, enum side side, uint32_t offset)
{
	return sim->schedule.habit[side].iss + 1 + offset;
}

static uint32_t number_heard(const struct sim *sim, enum side side, uint32_t offset)
{
	return sim->schedule.habit[side].iss + 1 + check_forward(&sim->wire[side], offset);
}

/* A little off, either way. */
static uint32_t off(struct sim *sim, uint32_t window)
{
	uint32_t most = adversary_chance(sim, 500) ? 40 : max_u32(window, 2);

	return adversary_pick(sim, 2 * most) - most;
}

static void send_near(struct sim *sim)
{
	char text[128] = "something in the place of something else, as long as it takes, and then some";
	enum side as = either(sim);
	const struct tcp *me = &sim->tcp[as], *other = &sim->tcp[!as];
	struct forgery forgery = { .origin = NEAR,
				   .as = as,
				   .seq = number(sim, as, me->next + off(sim, other->habit->window)),
				   .ack = number_heard(sim, (enum side) !as, other->top),
				   .flags = kinds[adversary_pick(sim, sizeof(kinds))],
				   .data = (uint8_t *)text };

	if (adversary_chance(sim, 800))
		forgery.ack += off(sim, me->habit->window);
	if (forgery.flags & TCP_PSH)
		forgery.length = invent_text(sim, as, text);
	if ((forgery.flags & TCP_PSH) && adversary_chance(sim, 100))
		forgery.flags |= TCP_FIN;
	send_forgery(sim, &forgery, adversary_pick(sim, 2000));
}

static void send_exact(struct sim *sim)
{
	char text[128] = "something in the place of something else, as long as it takes, and then some";
	enum side as = either(sim);
	const struct tcp *me = &sim->tcp[as], *other = &sim->tcp[!as];
	struct forgery forgery = { .origin = EXACT,
				   .as = as,
				   .seq = number(sim, as, me->next),
				   .ack = number_heard(sim, (enum side) !as, me->in_next),
				   .flags = TCP_ACK,
				   .data = (uint8_t *)text };

	if (adversary_chance(sim, 500))
		forgery.length = invent_text(sim, as, text);
	switch (adversary_pick(sim, 10)) {
	case 0: /* what was sent before, or something else in its place */
		forgery.seq = number(sim, as, me->una - adversary_pick(sim, me->una + 1));
		forgery.length = forgery.length ? forgery.length : adversary_pick(sim, 60);
		if (adversary_chance(sim, 500))
			forgery.data = me->out + (forgery.seq - number(sim, as, 0));
		break;
	case 1: /* acknowledges what was not sent */
		forgery.ack = number_heard(sim, (enum side) !as, target(sim, (enum side) !as, other->top));
		break;
	case 2: /* or what was acknowledged long ago */
		forgery.ack = number(sim, (enum side) !as, other->una - widest(sim, as) - 1 - adversary_pick(sim, 500));
		break;
	case 3:
		forgery.flags = TCP_RST | (adversary_chance(sim, 500) ? TCP_ACK : 0);
		forgery.seq += off(sim, other->habit->window);
		break;
	case 4:
		forgery.flags = TCP_SYN;
		forgery.ack = 0;
		forgery.seq += off(sim, other->habit->window);
		break;
	case 5: /* a second one, which points to where something would open */
		forgery.flags = TCP_SYN | TCP_ACK;
		forgery.ack = number(sim, (enum side) !as, target(sim, (enum side) !as, other->una));
		forgery.seq = adversary_chance(sim, 500) ? number(sim, as, UINT32_MAX) : forgery.seq;
		break;
	case 6: /* what no TCP takes: RFC 9293 section 3.10.7.4, fifth: without an acknowledgement */
		forgery.flags = adversary_chance(sim, 500) ? TCP_PSH : TCP_FIN;
		forgery.ack = 0;
		break;
	case 7: /* acknowledges what is under way, at a place where its receiver looks at nothing */
		forgery.ack = number_heard(sim, (enum side) !as, other->top);
		forgery.seq += 0x80000000u + adversary_pick(sim, 0x10000000u);
		break;
	case 8:
		forgery.flags |= TCP_FIN;
		forgery.seq = number(sim, as, me->una - adversary_pick(sim, 20));
		forgery.length = 0;
		break;
	default: /* the very next bytes, but for the acknowledgement */
		forgery.ack = number_heard(sim, (enum side) !as, other->top + 1 + adversary_pick(sim, 30));
		forgery.flags |= TCP_FIN * (uint8_t)adversary_pick(sim, 2);
		break;
	}
	if (forgery.flags & (TCP_SYN | TCP_RST))
		forgery.length = 0;
	send_forgery(sim, &forgery, adversary_pick(sim, 2000));
}

/* ---- an end that lies ---- */

/* A second SYN/ACK whose acknowledgement points to where something would open; then a greeting, and silence. */
static void send_reopening(struct sim *sim, enum side as)
{
	static const char greeting[] = "220 x\r\n";
	const struct tcp *me = &sim->tcp[as], *other = &sim->tcp[!as];
	uint32_t aim = target(sim, (enum side) !as, other->una ? other->una - 1 : 0);
	struct forgery forgery = { .origin = LIE,
				   .as = as,
				   .seq = adversary_chance(sim, 500) ?
						  adversary_pick(sim, UINT32_MAX) :
						  number(sim, as, me->next + adversary_pick(sim, 70000)),
				   .ack = number_heard(sim, (enum side) !as, aim),
				   .flags = as == SERVER || adversary_chance(sim, 300) ? TCP_SYN | TCP_ACK : TCP_SYN };

	send_forgery(sim, &forgery, 0);
	if (as == CLIENT)
		return;
	forgery.seq++;
	forgery.flags = TCP_ACK | TCP_PSH;
	forgery.data = (const uint8_t *)greeting;
	forgery.length = sizeof(greeting) - 1;
	send_forgery(sim, &forgery, 1);
	sim->adversary.deaf_until = sim->now + REACH;
}

static void send_lie(struct sim *sim)
{
	char text[128] = "something in the place of something else, as long as it takes, and then some";
	enum side as = (enum side)sim->adversary.hostile;
	const struct tcp *me = &sim->tcp[as], *other = &sim->tcp[!as];
	const enum side to = (enum side) !as;
	struct forgery forgery = { .origin = LIE,
				   .as = as,
				   .seq = number(sim, as, me->next),
				   .ack = sim->schedule.habit[to].iss + 1 + me->in_next,
				   .flags = TCP_ACK,
				   .data = (uint8_t *)text,
				   .any_window = adversary_chance(sim, 100) };

	switch (adversary_pick(sim, 12)) {
	case 0:
	case 1: /* has what was not sent */
		forgery.ack = number_heard(sim, to, target(sim, to, other->top));
		break;
	case 2: /* has what did not come, or a part of an edit */
		forgery.ack = sim->schedule.habit[to].iss + 1 + me->in_next + adversary_pick(sim, 40);
		break;
	case 3: /* no longer has what came */
		forgery.ack -= adversary_pick(sim, 300);
		break;
	case 4:
		forgery.any_window = true;
		break;
	case 5: /* other bytes than before: acknowledged or not yet */
		forgery.seq = number(sim, as, me->una - adversary_pick(sim, min_u32(me->una, 100) + 1));
		forgery.length = invent_text(sim, as, text);
		break;
	case 6:
		forgery.seq = number(sim, as, me->una + adversary_pick(sim, me->next - me->una + 3));
		forgery.length = invent_text(sim, as, text);
		break;
	case 7: /* urgent data anywhere */
		forgery.flags |= TCP_URG;
		forgery.urgent = (uint16_t)adversary_pick(sim, adversary_chance(sim, 500) ? 30 : 65536);
		forgery.length = adversary_chance(sim, 500) ? invent_text(sim, as, text) : 0;
		break;
	case 8:
		forgery.flags |= adversary_chance(sim, 500) ? TCP_FIN : TCP_RST;
		forgery.seq += off(sim, 300);
		break;
	case 9:
	case 10:
		send_reopening(sim, as);
		return;
	default:
		sim->adversary.deaf_until = sim->now + adversary_pick(sim, REACH);
		return;
	}
	sim->adversary.asked +=
		as == CLIENT && forgery.length && (strcmp(text, "PASV\r\n") == 0 || strcmp(text, "EPSV\r\n") == 0);
	send_forgery(sim, &forgery, adversary_chance(sim, 500) ? 0 : adversary_pick(sim, 2000));
}

/* ---- when ---- */

static void send_something(struct sim *sim)
{
	const struct adversary *adversary = &sim->adversary;
	unsigned int origin = BLIND;

	if (sim_hostile(sim)) {
		send_lie(sim);
		return;
	}
	do
		origin = BLIND + adversary_pick(sim, 3);
	while (!(adversary->origins & 1u << origin));
	if (origin == NEAR)
		send_near(sim);
	else if (origin == EXACT)
		send_exact(sim);
	else if (adversary_chance(sim, 100) && (adversary->beforehand || !adversary_alone(sim)))
		send_invented(sim);
	else
		send_blind(sim);
}

/* With each packet of the ends' own at the router. */
void adversary_turn(struct sim *sim)
{
	struct adversary *adversary = &sim->adversary;

	if (!adversary->present || !adversary_chance(sim, 500))
		return;
	for (unsigned int n = 1 + adversary_pick(sim, 3); n && adversary->left; n--) {
		adversary->left--;
		send_something(sim);
	}
}

/* Before there is a connection. */
void adversary_begin(struct sim *sim)
{
	for (unsigned int side = 0; side < 2; side++) {
		sim->tcp[side].side = (uint8_t)side;
		sim->tcp[side].habit = &sim->schedule.habit[side];
	}
	if (!sim->adversary.beforehand)
		return;
	for (unsigned int n = adversary_pick(sim, 3); n; n--)
		send_blind(sim);
	send_invented(sim);
	network_drain(sim);
	if (sim->around.count)
		sim_fail(sim,
			 "I4: both ends have said that there is no connection, and what it announced is still open");
	/* conntrack lets a SYN begin a new connection where the old one was reset; nothing of it is adjusted. */
	memset(sim->around.binding.seqadj, 0, sizeof(sim->around.binding.seqadj));
	sim->around.renumbering = sim->around.marked = sim->around.known = false;
}

/* ---- what becomes of it ---- */

/*
 * Up to where the engine knows a side to have been acknowledged, and that side itself. A part that was swallowed was acknowledged to its
 * sender only; what its receiver has said counts again where it is owed.
 */
static uint32_t heard_of(const struct sim *sim, enum side side)
{
	const struct wire *wire = &sim->wire[side];
	const uint32_t heard = min_u32(sim->tcp[side].una, wire->engine_acked);

	return wire->lent ? min_u32(heard, wire->engine_heard) : heard;
}

/*
 * A byte in the place of a FIN, whose acknowledgement the engine has not been shown: to it the FIN may have been another's, and its sender goes on
 * in its place.
 */
static bool is_in_fins_place(const struct wire *wire, const struct view *view, uint32_t end)
{
	return wire->fin_seen && view->length && end == wire->engine_next + 1 &&
	       wire->engine_acked <= wire->engine_next;
}

/*
 * What the engine cannot tell from the real thing, since it knows windows by their scale only, and how far a receiver has come by
 * what it was shown of his acknowledgements: bytes that stand in such a window, with an acknowledgement of what was sent; an RST at an
 * edge of what is under way, be it held back, let through, heard of, or told by its sender to a daemon that came late: his own RST stands there
 * (RFC 9293 section 3.5.2), and whether its receiver has got as far (RFC 5961 section 3.2), the daemon has not seen. What the receiver takes once
 * all that is under way has come is among it.
 */
static bool is_as_good(const struct sim *sim, const struct packet *packet, const struct view *view)
{
	const enum side as = (enum side) !packet->to, to = (enum side)packet->to;
	const struct tcp *me = &sim->tcp[as], *other = &sim->tcp[to];
	const struct wire *wire = &sim->wire[as];
	const uint32_t offset = view->seq - number(sim, as, 0);
	const uint32_t end = offset + view->length + !!(view->flags & TCP_FIN);
	const uint32_t ack = view->ack - number(sim, to, 0), top = check_forward(&sim->wire[to], other->top);
	const uint32_t oldest = router_maps_back(sim, to, view->ack) - number(sim, to, 0);
	const uint32_t heard = heard_of(sim, to);
	const uint32_t reach = max_u32(me->una, wire->engine_next) + widest(sim, to);

	if (packet->origin == BLIND)
		return false;
	if (wire->engine_next == UINT32_MAX)
		return true;
	if (view->flags & TCP_RST)
		return offset - wire->engine_next <= 1 || offset == wire->engine_acked || offset == me->una ||
		       (wire->vouched && offset == wire->vouched) || check_displayed(wire, offset) == wire->emitted ||
		       (sim->picked_up && wire->told && offset == wire->told) ||
		       check_forward(wire, offset) == wire->engine_heard;
	if ((view->flags & TCP_SYN) || !(view->flags & TCP_ACK) || after(offset, reach))
		return false;
	if (!after(end, me->una) && !is_in_fins_place(wire, view, end))
		return false;
	return !after(ack, top) && !after(heard - widest(sim, as), oldest);
}

/* At the router: a third party who can do that needs no router to do harm. */
bool adversary_goes_too_far(struct sim *sim, const struct packet *packet)
{
	const struct seqadj *adj = sim->around.binding.seqadj;
	const struct tcp *tcp = &sim->tcp[packet->to];
	const enum side as = (enum side) !packet->to;
	struct packet arriving;
	struct view view;

	if (packet->origin == LIE || packet->origin == STRAY)
		return false;
	packet_view(packet->bytes, packet->length, &view);
	if (is_as_good(sim, packet, &view))
		return true;
	/* The client's own SYN: the server answers it as that. */
	if (as == CLIENT && tcp->state == TCP_LISTEN && (view.flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN &&
	    view.seq == sim->schedule.habit[CLIENT].iss)
		return true;
	memcpy(arriving.bytes, packet->bytes, packet->length);
	if (sim->around.renumbering && router_adjusts(sim, as, &view))
		packet_kernel_adjust(arriving.bytes, packet->length, &adj[as], &adj[!as]);
	packet_view(arriving.bytes, packet->length, &view);
	/* Behind the right answer another is late: its client has that one by then, as a rule (adversary_hears()). */
	if (tcp->state == TCP_SYN_SENT && sim->wire[CLIENT].mss && view.flags & TCP_SYN)
		return false;
	return tcp->state != TCP_LISTEN && judge_segment(sim, tcp, &view) == TAKES;
}

/* A server that has finished knows nothing of the connection; a client is in TIME-WAIT. */
static bool is_open(const struct sim *sim, const struct tcp *tcp)
{
	if (tcp->side == SERVER && tcp_finished(sim, tcp))
		return false;
	return tcp->state == TCP_OPEN || tcp->state == TCP_SYN_RECEIVED;
}

/* Is there a connection yet, or still? Where there is none, a third party can invent one for as long as no end says so. */
bool adversary_alone(const struct sim *sim)
{
	const bool over = sim->reset_seen || (sim->wire[CLIENT].fin_seen && sim->wire[SERVER].fin_seen);

	return sim->adversary.present &&
	       (over || sim->tcp[SERVER].state != TCP_OPEN || sim->tcp[CLIENT].state != TCP_OPEN);
}

/*
 * Does conntrack call it INVALID? It has seen the whole connection, also what a daemon that comes late has not: without it nothing
 * would tell two invented packets from the real ones. It does not look where it was told to be liberal, as for renumbered ones.
 */
bool adversary_is_invalid(const struct sim *sim, const struct packet *packet)
{
	const bool late = sim->restarts && sim->schedule.upset >= UPSET_FRESH;

	if (packet->origin != BLIND || adversary_alone(sim) || (sim->schedule.self && sim->around.renumbering))
		return false;
	return sim->adversary.tracked || late;
}

/* At an end: does its TCP have to deal with it? */
bool adversary_hears(struct sim *sim, const struct packet *packet)
{
	struct tcp *tcp = &sim->tcp[packet->to];
	enum judgement judgement;
	struct view view;

	if (packet->origin == HONEST && !packet->disbelieved && !sim_hostile(sim))
		return true;
	packet_view(packet->bytes, packet->length, &view);
	judgement = judge_segment(sim, tcp, &view);
	if (packet->origin == HONEST && !sim_hostile(sim)) {
		if (judgement == TAKES)
			sim_fail(sim, "the engine disbelieved an honest segment");
		return true;
	}
	if (sim_hostile(sim) && packet->to == sim->adversary.hostile && sim->now < sim->adversary.deaf_until)
		return false;
	if (packet->origin != HONEST && packet->origin != LIE && (judgement == TAKES || tcp->state == TCP_LISTEN))
		judgement = tcp->state == TCP_LISTEN ? REFUSES : TAKES;
	if (judgement == REFUSES) {
		if (tcp->state == TCP_DEAD && packet->origin == HONEST)
			return true;
		/* A TCP limits its challenges, but not its resets. */
		if (!is_open(sim, tcp) || adversary_chance(sim, 600))
			tcp_refuse(sim, tcp, packet);
		return false;
	}
	return judgement == HARMLESS || packet->origin == HONEST || packet->origin == LIE;
}

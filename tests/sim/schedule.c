// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a seed means. A quarter of the schedules has a clean network: there nothing explains a retransmission timeout,
 * so the engine must not cause one.
 */
#include "sim.h"

#include <stdio.h>

static uint16_t draw_mss(struct sim *sim)
{
	static const uint16_t known[] = { 1460, 1440, 1380, 536, 1220, 256 };

	if (sim_chance(sim, 250))
		return (uint16_t)(88 + sim_pick(sim, 120));
	return known[sim_pick(sim, sizeof(known) / sizeof(known[0]))];
}

static uint32_t draw_iss(struct sim *sim)
{
	if (sim_chance(sim, 300))
		return UINT32_MAX - sim_pick(sim, 3000); /* wraps amid the stream */
	if (sim_chance(sim, 200))
		return INT32_MAX - sim_pick(sim, 3000);
	return sim_random(sim) << 8 ^ sim_random(sim);
}

static void draw_habit(struct sim *sim, struct habit *habit)
{
	habit->iss = draw_iss(sim);
	habit->mss = draw_mss(sim);
	habit->window = sim_chance(sim, 300) ? 600 + sim_pick(sim, 1500) : 65535;
	habit->cutting = sim_chance(sim, 400) ? CUT_NONE : (uint8_t)sim_pick(sim, CUTTINGS);
	if (habit->cutting == CUT_BYTE && sim_chance(sim, 600))
		habit->cutting = CUT_ARGUMENT;
	habit->nagle = sim_chance(sim, 200);
	habit->go_back = sim_chance(sim, 500);
	habit->bursts = habit->iss % 4 == 0; /* drawn already */
	habit->original_cuts = habit->iss / 4 % 2 == 0;
	habit->quick_ack = sim_chance(sim, 600);
	habit->duplicate_sack = sim_chance(sim, 300);
	habit->dribble = sim_chance(sim, 150);
	habit->keepalive = sim_chance(sim, 150) ? (uint16_t)(20 + sim_pick(sim, 200)) : 0;
}

static void draw_leg(struct sim *sim, struct leg *leg)
{
	bool clean = sim->schedule.clean;

	leg->delay = 100 + sim_pick(sim, 20000);
	leg->jitter = sim_pick(sim, 2) ? sim_pick(sim, 20000) : 0;
	leg->ordered = clean || sim_chance(sim, 500);
	leg->loss = clean || sim_chance(sim, 300) ? 0 : (uint16_t)sim_pick(sim, sim_chance(sim, 200) ? 250 : 60);
	leg->duplicate = clean || sim_chance(sim, 500) ? 0 : (uint16_t)sim_pick(sim, 150);
	leg->corrupt = clean || sim_chance(sim, 600) ? 0 : (uint16_t)sim_pick(sim, 50);
}

static void draw_upset(struct sim *sim)
{
	struct schedule *schedule = &sim->schedule;

	schedule->upset = sim_chance(sim, 300) ? (uint8_t)(1 + sim_pick(sim, UPSETS - 1)) : UPSET_NONE;
	schedule->upset_at = 1 + sim_pick(sim, sim_chance(sim, 500) ? 40 : 300);
	schedule->away = 1000 + sim_pick(sim, 2 * SECOND);
	schedule->ending = sim_chance(sim, 100) ? END_RESET : (uint8_t)sim_pick(sim, END_RESET);
	schedule->reset_at = 1 + sim_pick(sim, 200);
}

static void draw_address(struct sim *sim, struct endpoint *endpoint, bool is_outside, uint8_t salt)
{
	static const uint8_t nets[][3] = { { 9, 9, 9 }, { 10, 0, 0 }, { 192, 168, 1 }, { 198, 151, 100 } };
	static const uint8_t prefix[] = { 0x20, 0x01, 0x0d, 0xb8 };

	memset(endpoint, 0, sizeof(*endpoint));
	endpoint->family = sim->schedule.family;
	if (endpoint->family == FAMILY_IPV4) {
		memcpy(endpoint->address, nets[sim_pick(sim, 4)], 3);
		endpoint->address[2] = (uint8_t)(endpoint->address[2] + salt);
		endpoint->address[3] = (uint8_t)(1 + sim_pick(sim, 254));
		return;
	}
	memcpy(endpoint->address, prefix, 4);
	endpoint->address[5] = salt;
	if (sim_chance(sim, 500))
		for (unsigned int i = 6; i < 15; i++)
			endpoint->address[i] = (uint8_t)sim_pick(sim, 256);
	endpoint->address[14] = is_outside;
	endpoint->address[15] = (uint8_t)(1 + sim_pick(sim, 254));
}

static void draw_binding(struct sim *sim)
{
	struct surroundings *around = &sim->around;
	const struct schedule *schedule = &sim->schedule;
	bool translated[2] = { schedule->masqueraded, schedule->translated_server };

	for (unsigned int side = 0; side < 2; side++) {
		draw_address(sim, &around->inside[side], false, (uint8_t)(2 * side));
		around->inside[side].port = side == CLIENT ? (uint16_t)(1024 + sim_pick(sim, 60000)) : 21;
		around->outside[side] = around->inside[side];
		if (!translated[side])
			continue;
		draw_address(sim, &around->outside[side], true, (uint8_t)(2 * side + 1));
		around->outside[side].port = around->inside[side].port;
		if (sim_chance(sim, 200))
			around->outside[side].port = (uint16_t)(side == CLIENT ? 40000 + sim_pick(sim, 9999) : 2121);
	}
	around->binding = (struct binding){
		.tuple[DIRECTION_ORIGINAL] = { around->inside[CLIENT], around->outside[SERVER] },
		.tuple[DIRECTION_REPLY] = { around->inside[SERVER], around->outside[CLIENT] },
	};
}

/*
 * --small: what was worked out with large windows and segments must do with small ones. And the engine must do without
 * the acknowledgements that carry nothing: it cannot know how far a receiver has come.
 */
static void draw_small(struct sim *sim)
{
	struct schedule *schedule = &sim->schedule;

	schedule->payload_only = sim_chance(sim, 500);
	schedule->scaled = sim_chance(sim, 500);
	for (unsigned int i = 0; i < 2; i++) {
		struct habit *habit = &schedule->habit[i];

		if (sim_chance(sim, 500))
			habit->mss = (uint16_t)(60 + sim_pick(sim, 60));
		if (sim_chance(sim, 400))
			habit->window = 12 + sim_pick(sim, sim_chance(sim, 500) ? 60 : 600);
		habit->scale = schedule->scaled ? (uint8_t)sim_pick(sim, 15) : 0;
		/* What the field can say. A window of nothing would end everything. */
		while (habit->scale && habit->window >> habit->scale == 0)
			habit->scale--;
		habit->window &= ~0u << habit->scale;
		if (habit->scale && sim_chance(sim, 300))
			habit->window = (1 + sim_pick(sim, 65535)) << habit->scale;
	}
}

void schedule_draw(struct sim *sim)
{
	struct schedule *schedule = &sim->schedule;

	schedule->family = sim_chance(sim, 650) ? FAMILY_IPV4 : FAMILY_IPV6;
	schedule->self = sim_chance(sim, 500);
	schedule->payload_only = !schedule->self && sim_chance(sim, 500);
	schedule->sack = sim_chance(sim, 700);
	schedule->timestamps = sim_chance(sim, 500);
	schedule->clean = sim_chance(sim, 250);
	schedule->masqueraded = sim_chance(sim, 650);
	schedule->translated_server = sim_chance(sim, 500);
	schedule->pipelined = sim_chance(sim, 300);
	schedule->busy = sim_chance(sim, 300) ? (uint16_t)sim_pick(sim, 600) : 0;
	schedule->errors = sim_chance(sim, 50) ? (uint16_t)sim_pick(sim, 300) : 0;
	for (unsigned int i = 0; i < 2; i++) {
		draw_leg(sim, &schedule->leg[i]);
		draw_habit(sim, &schedule->habit[i]);
	}
	draw_upset(sim);
	if (schedule->upset == UPSET_FRESH || schedule->upset == UPSET_BYPASS)
		schedule->pipelined = false;
	draw_binding(sim);
	if (sim->small)
		draw_small(sim);
}

void schedule_print(const struct sim *sim)
{
	static const char *const cuttings[] = { "whole", "byte by byte", "small", "any size", "inside arguments" };
	static const char *const upsets[] = { "none", "restart", "kill", "fresh start", "bypass" };
	static const char *const endings[] = { "client closes", "server closes", "client half-closes", "reset" };
	const struct schedule *schedule = &sim->schedule;
	char inside[ENDPOINT_PRINT_MAX], outside[ENDPOINT_PRINT_MAX];

	printf("# seqadj %s%s%s%s%s%s, upset: %s at %u, %s\n", schedule->self ? "self" : "kernel",
	       schedule->payload_only ? ", payload only" : "", schedule->sack ? ", SACK" : "",
	       schedule->timestamps ? ", timestamps" : "", schedule->clean ? ", clean network" : "",
	       schedule->pipelined ? ", pipelined" : "", upsets[schedule->upset], schedule->upset_at,
	       endings[schedule->ending]);
	for (unsigned int i = 0; i < 2; i++) {
		const struct habit *habit = &schedule->habit[i];
		const struct leg *leg = &schedule->leg[i];

		printf("# %s %s seen as %s, ISN %u, MSS %u, window %u (scale %u), %s%s%s%s%s%s%s\n",
		       i ? "server" : "client", endpoint_print(&sim->around.inside[i], inside),
		       endpoint_print(&sim->around.outside[i], outside), habit->iss, habit->mss, habit->window,
		       habit->scale, cuttings[habit->cutting], habit->nagle ? ", Nagle" : "",
		       habit->go_back ? ", go-back-N" : "", habit->bursts ? " in bursts" : "",
		       habit->original_cuts ? ", original cuts" : "", habit->dribble ? ", dribbling" : "",
		       habit->keepalive ? ", keepalives" : "");
		printf("# leg %u: loss %u, duplication %u, corruption %u per mille, delay %u+%u us%s\n", i, leg->loss,
		       leg->duplicate, leg->corrupt, leg->delay, leg->jitter, leg->ordered ? ", in order" : "");
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sim [--seeds FROM:TO] [--seed N] [--first] [-v]
 *
 * Runs one schedule a seed. A seed that fails says why and how to run it alone.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim.h"

#define SHOWN_MAX 20 /* failures that are printed */

void sim_fail(struct sim *sim, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(sim->reason, sizeof(sim->reason), format, args);
	va_end(args);
	longjmp(sim->failed, 1);
}

void sim_trace(struct sim *sim, const char *format, ...)
{
	va_list args;

	if (!sim->verbose)
		return;
	printf("%10.3f ", (double)sim->now / 1000);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/* Bytes as text; the last of four results is overwritten. */
const char *sim_text(const uint8_t *data, uint32_t length)
{
	static char text[4][400];
	static unsigned int which;
	char *to = text[which++ % 4], *at = to;

	for (uint32_t i = 0; i < length && at < to + 380; i++)
		if (data[i] == '\r' || data[i] == '\n')
			at += sprintf(at, data[i] == '\r' ? "\\r" : "\\n");
		else if (data[i] < 32 || data[i] > 126)
			at += sprintf(at, "\\%03o", data[i]);
		else
			*at++ = (char)data[i];
	*at = 0;
	return to;
}

static void prepare(struct sim *sim, uint64_t seed, bool verbose)
{
	sim->seed = seed;
	sim->random = seed * 0xd1342543de82ef95u + 1;
	sim->verbose = verbose;
	sim->free_count = PACKETS;
	for (unsigned int i = 0; i < PACKETS; i++)
		sim->free_list[i] = (uint16_t)(PACKETS - 1 - i);
	schedule_draw(sim);
	dialogue_write(sim);
	for (unsigned int side = 0; side < 2; side++) {
		sim->wire[side].expected_length = sim->script.length[side];
		memcpy(sim->wire[side].expected, sim->script.stream[side], sim->script.length[side]);
	}
}

/* Returns NULL, or why it failed. */
static const char *run(struct sim *sim, uint64_t seed, bool verbose)
{
	memset(sim, 0, offsetof(struct sim, packet));
	if (setjmp(sim->failed))
		return sim->reason;
	prepare(sim, seed, verbose);
	if (verbose)
		schedule_print(sim);
	router_start(sim);
	tcp_start(sim, SERVER);
	tcp_start(sim, CLIENT);
	network_run(sim);
	check_end(sim);
	return NULL;
}

static int usage(void)
{
	fprintf(stderr, "Usage: sim [--seeds FROM:TO] [--seed N] [--first] [-v]\n");
	return 2;
}

struct options {
	uint64_t from, to;
	bool verbose;
	bool first_only; /* stop at the first failure */
};

static bool parse(int argc, char **argv, struct options *options)
{
	for (int i = 1; i < argc; i++) {
		char *end = NULL;

		if (strcmp(argv[i], "-v") == 0) {
			options->verbose = true;
		} else if (strcmp(argv[i], "--first") == 0) {
			options->first_only = true;
		} else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0) {
			options->from = options->to = strtoull(argv[++i], &end, 0);
			if (*end)
				return false;
		} else if (i + 1 < argc && strcmp(argv[i], "--seeds") == 0) {
			options->from = strtoull(argv[++i], &end, 0);
			if (*end != ':')
				return false;
			options->to = strtoull(end + 1, &end, 0);
			if (*end)
				return false;
		} else {
			return false;
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	static struct sim sim;
	struct options options = { .from = 1, .to = 100000 };
	unsigned long passed = 0, failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!parse(argc, argv, &options))
		return usage();
	for (uint64_t seed = options.from; seed <= options.to; seed++) {
		const char *reason = run(&sim, seed, options.verbose);

		if (!reason) {
			passed++;
			continue;
		}
		if (++failed <= SHOWN_MAX)
			printf("FAIL sim/seed %llu: %s (again: %s --seed %llu -v)\n", (unsigned long long)seed, reason,
			       argv[0], (unsigned long long)seed);
		if (options.first_only)
			break;
	}
	if (!failed)
		printf("PASS sim/seeds %llu to %llu\n", (unsigned long long)options.from,
		       (unsigned long long)options.to);
	printf("%lu passed, %lu failed, 0 skipped\n", passed, failed);
	return failed != 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sim [--seeds FROM:TO|new:N] [--seed N] [--skip N,...] [--small] [--adversary] [--first|--every] [-v]
 *
 * Runs one schedule a seed. A seed that fails says why and how to run it alone. --seeds new:N takes N that nobody has
 * tried yet, and says which.
 */
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SHOWN_MAX 20 /* failures that are printed */

enum { OVER_FAILED = 1, OVER_STUCK };

void sim_fail(struct sim *sim, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(sim->reason, sizeof(sim->reason), format, args);
	va_end(args);
	longjmp(sim->over, OVER_FAILED);
}

void sim_stuck(struct sim *sim, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(sim->reason, sizeof(sim->reason), format, args);
	va_end(args);
	longjmp(sim->over, sim_hostile(sim) ? OVER_STUCK : OVER_FAILED);
}

void sim_over(struct sim *sim, const char *reason)
{
	snprintf(sim->reason, sizeof(sim->reason), "%s", reason);
	longjmp(sim->over, OVER_STUCK);
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

static void prepare(struct sim *sim, uint64_t seed, const struct options *options)
{
	sim->seed = seed;
	sim->random = seed * 0xd1342543de82ef95u + 1;
	sim->verbose = options->verbose;
	sim->small = options->small;
	sim->free_count = PACKETS;
	for (unsigned int i = 0; i < PACKETS; i++)
		sim->free_list[i] = (uint16_t)(PACKETS - 1 - i);
	schedule_draw(sim);
	adversary_draw(sim, options->adversary);
	dialogue_write(sim);
	for (unsigned int side = 0; side < 2; side++) {
		sim->wire[side].expected_length = sim->script.length[side];
		memcpy(sim->wire[side].expected, sim->script.stream[side], sim->script.length[side]);
	}
}

static void play(struct sim *sim)
{
	if (sim->verbose)
		schedule_print(sim);
	router_start(sim);
	adversary_begin(sim);
	tcp_start(sim, SERVER);
	tcp_start(sim, CLIENT);
	network_run(sim);
}

/* Returns NULL, or why it failed. */
static const char *run(struct sim *sim, uint64_t seed, const struct options *options)
{
	memset(sim, 0, offsetof(struct sim, packet));
	switch (setjmp(sim->over)) {
	case 0:
		prepare(sim, seed, options);
		play(sim);
		break;
	case OVER_FAILED:
		return sim->reason;
	default:
		sim_trace(sim, "     (over: %s)", sim->reason);
		break;
	}
	if (setjmp(sim->over))
		return sim->reason;
	check_end(sim);
	return NULL;
}

static int usage(void)
{
	fprintf(stderr,
		"Usage: sim [--seeds FROM:TO|new:N] [--seed N] [--skip N,...] [--small] [--adversary] [--first|--every] [-v]\n");
	return 2;
}

static bool parse_seeds(const char *text, struct options *options)
{
	char *end;

	if (strncmp(text, "new:", 4) == 0) {
		options->from = (uint64_t)time(NULL) * 1000000;
		options->to = options->from + strtoull(text + 4, &end, 0) - 1;
		return !*end;
	}
	options->from = strtoull(text, &end, 0);
	if (*end != ':')
		return false;
	options->to = strtoull(end + 1, &end, 0);
	return !*end;
}

static bool parse(int argc, char **argv, struct options *options)
{
	for (int i = 1; i < argc; i++) {
		char *end = NULL;

		if (strcmp(argv[i], "-v") == 0) {
			options->verbose = true;
		} else if (strcmp(argv[i], "--first") == 0) {
			options->first_only = true;
		} else if (strcmp(argv[i], "--every") == 0) {
			options->every = true;
		} else if (i + 1 < argc && strcmp(argv[i], "--skip") == 0) {
			options->skip = argv[++i];
		} else if (strcmp(argv[i], "--small") == 0) {
			options->small = true;
		} else if (strcmp(argv[i], "--adversary") == 0) {
			options->adversary = true;
		} else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0) {
			options->from = options->to = strtoull(argv[++i], &end, 0);
			if (*end)
				return false;
		} else if (i + 1 < argc && strcmp(argv[i], "--seeds") == 0) {
			if (!parse_seeds(argv[++i], options))
				return false;
		} else {
			return false;
		}
	}
	return true;
}

static bool is_skipped(const struct options *options, uint64_t seed)
{
	const char *at = options->skip;
	char *end;

	for (; at && *at; at = *end == ',' ? end + 1 : end)
		if (strtoull(at, &end, 10) == seed)
			return true;
		else if (end == at)
			return false;
	return false;
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
		const char *reason = is_skipped(&options, seed) ? NULL : run(&sim, seed, &options);

		if (!reason) {
			passed++;
			continue;
		}
		if (++failed <= SHOWN_MAX || options.every)
			printf("FAIL sim/seed %llu: %s; adversary: %s (again: %s%s%s --seed %llu -v)\n",
			       (unsigned long long)seed, reason, adversary_name(&sim), argv[0],
			       options.small ? " --small" : "", options.adversary ? " --adversary" : "",
			       (unsigned long long)seed);
		if (options.first_only)
			break;
	}
	if (!failed)
		printf("PASS sim/seeds %llu to %llu%s%s\n", (unsigned long long)options.from,
		       (unsigned long long)options.to, options.small ? ", small" : "",
		       options.adversary ? ", adversary" : "");
	printf("%lu passed, %lu failed, 0 skipped\n", passed, failed);
	return failed != 0;
}

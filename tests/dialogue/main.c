// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dialogue [--seeds FROM:TO] [--seed N] [-v] [--text] [--odd N] [--world plain|masqueraded|dnated] [--family 4|6] [--hostile|--honest]
 *          [--capture OUT.pcap]
 *
 * Makes a dialogue a seed and plays it through the engine. A seed that fails says why and how to see it alone. --text prints them as cases
 * of tests/field instead, --capture writes all of them into one capture, for replay. --odd limits how many oddities one may have: with 1
 * every failure has one cause.
 */
#include "capture.h"
#include "generate.h"
#include "play.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 20 /* failures that are printed */

struct options {
	uint64_t from, to;
	struct wish wish;
	bool verbose, text;
	const char *capture;
};

struct tally {
	uint64_t dialogues, hostile, connections, failed;
	uint64_t had[ODDITIES], failed_with[ODDITIES], failed_alone[ODDITIES], failed_plain;
};

static struct script script;

static int usage(void)
{
	fputs("Usage: dialogue [--seeds FROM:TO] [--seed N] [-v] [--text] [--odd N] [--world plain|masqueraded|dnated]\n"
	      "                [--family 4|6] [--hostile|--honest] [--capture OUT.pcap]\n",
	      stderr);
	return 2;
}

static void show(const struct script *shown, const char *why)
{
	printf("seed %" PRIu64 ": %s (", shown->seed, why);
	for (unsigned int i = 0; i < ODDITIES; i++)
		if (shown->odd >> i & 1)
			printf("%s ", oddity_name[i]);
	printf("%s)\n", shown->hostile ? "hostile" : "");
}

static void count(struct tally *tally, const struct script *played, bool failed)
{
	tally->dialogues++;
	tally->hostile += played->hostile;
	tally->failed += failed;
	tally->failed_plain += failed && !played->odd;
	for (unsigned int i = 0; i < ODDITIES; i++) {
		if (!(played->odd >> i & 1))
			continue;
		tally->had[i]++;
		tally->failed_with[i] += failed;
		tally->failed_alone[i] += failed && played->odd == UINT64_C(1) << i;
	}
}

static void run_seed(const struct options *options, uint64_t seed, struct tally *tally)
{
	struct played played;

	generate(&script, seed, &options->wish);
	if (options->verbose || options->text)
		script_print(&script);
	if (options->text)
		return;
	play(&script, &played);
	tally->connections += played.carried;
	count(tally, &script, played.why[0] != '\0');
	if (played.why[0] && (tally->failed <= SHOWN_MAX || options->verbose))
		show(&script, played.why);
}

static void print_tally(const struct tally *tally)
{
	printf("%-28s %10s %10s %10s\n", "oddity", "dialogues", "failed", "by it alone");
	for (unsigned int i = 0; i < ODDITIES; i++)
		if (tally->failed_with[i])
			printf("%-28s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n", oddity_name[i], tally->had[i],
			       tally->failed_with[i], tally->failed_alone[i]);
	if (tally->failed_plain)
		printf("%-28s %10s %10" PRIu64 "\n", "none", "", tally->failed_plain);
}

/* Of what was tried every oddity has been there, or a run of any length says less than it seems to. */
static unsigned int never_there(const struct options *options, const struct tally *tally)
{
	unsigned int missing = 0;

	if (tally->dialogues < 10000 || options->wish.hostile > 0 || options->wish.world >= 0 || options->wish.family ||
	    !options->wish.odd)
		return 0;
	for (unsigned int i = 0; i < ODDITIES; i++)
		if (!tally->had[i]) {
			printf("FAIL dialogue/%s: in none of %" PRIu64 " dialogues\n", oddity_name[i],
			       tally->dialogues);
			missing++;
		}
	return missing;
}

static int run(const struct options *options)
{
	static struct tally tally;
	unsigned int missing;

	if (options->capture)
		return capture_seeds(options->capture, options->from, options->to, &options->wish);
	for (uint64_t seed = options->from; seed <= options->to && seed >= options->from; seed++)
		run_seed(options, seed, &tally);
	if (options->text)
		return 0;
	if (tally.failed)
		print_tally(&tally);
	missing = never_there(options, &tally);
	printf("%s dialogue: %" PRIu64 " dialogues, %" PRIu64 " of them hostile, %" PRIu64
	       " data connections carried, %" PRIu64 " failed\n",
	       tally.failed ? "FAIL" : "PASS", tally.dialogues, tally.hostile, tally.connections, tally.failed);
	return tally.failed || missing;
}

static bool take_number(const char *value, char end, uint64_t *number, const char **rest)
{
	char *behind;

	*number = strtoull(value, &behind, 10);
	*rest = behind + 1;
	return behind != value && *behind == end;
}

static bool take_seeds(struct options *options, const char *value)
{
	return take_number(value, ':', &options->from, &value) && take_number(value, '\0', &options->to, &value);
}

static bool take_world(struct options *options, const char *value)
{
	static const char *const worlds[WORLDS] = { "plain", "masqueraded", "dnated" };

	for (int i = 0; i < WORLDS; i++)
		if (strcmp(value, worlds[i]) == 0)
			return (options->wish.world = i), true;
	return false;
}

static bool take_value(struct options *options, const char *name, const char *value)
{
	uint64_t number = 0;
	const char *rest;

	if (strcmp(name, "--seeds") == 0)
		return take_seeds(options, value);
	if (strcmp(name, "--world") == 0)
		return take_world(options, value);
	if (strcmp(name, "--capture") == 0)
		return (options->capture = value) != NULL;
	if (!take_number(value, '\0', &number, &rest))
		return false;
	if (strcmp(name, "--seed") == 0)
		options->from = options->to = number;
	else if (strcmp(name, "--odd") == 0)
		options->wish.odd = (unsigned int)number;
	else if (strcmp(name, "--family") == 0 && (number == FAMILY_IPV4 || number == FAMILY_IPV6))
		options->wish.family = (int)number;
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	struct options options = { .from = 1, .to = 10000, .wish = { .world = -1, .hostile = -1, .odd = 6 } };

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-v") == 0)
			options.verbose = true;
		else if (strcmp(argv[i], "--text") == 0)
			options.text = true;
		else if (strcmp(argv[i], "--hostile") == 0)
			options.wish.hostile = 1;
		else if (strcmp(argv[i], "--honest") == 0)
			options.wish.hostile = 0;
		else if (i + 1 < argc && take_value(&options, argv[i], argv[i + 1]))
			i++;
		else
			return usage();
	}
	return run(&options);
}

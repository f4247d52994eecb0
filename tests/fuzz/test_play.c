// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A capture of any bytes, played back and explained: as `explain' does, from the file to what one of the writers writes of it. What is said on standard error
 * are whole lines; a capture that can be opened can be played to where it ends.
 *
 * A byte says how: whose checksums are believed, whether somebody is translated, who adjusts, and what is written.
 */
#include "explain/follow.h"
#include "file.h"
#include "large.h"
#include "written.h"

ONLY_CHECKS static void check_lines(const char *said, size_t length)
{
	MUST(length == 0 || said[length - 1] == '\n');
	MUST(strlen(said) == length);
	for (; *said; said++)
		MUST(*said == '\n' || (*said >= ' ' && *said <= '~'));
}

static void check_counts(const struct playback *playback)
{
	const struct playback_counts *counts = playback_counts(playback);

	MUST(counts->controls + counts->others <= counts->packets);
	MUST(counts->truncated <= counts->packets && counts->dropped <= counts->packets);
}

static void play(const char *path, const struct playback_settings *settings, enum format format)
{
	struct ladder *ladder = ladder_new(path, settings->nats.count > 0);
	struct follower *follower = ladder ? follow_new(ladder) : NULL;
	const struct playback_listener listener = {
		.context = follower,
		.time = follow_time,
		.arrives = follow_arrival,
		.report = follow_report,
		.decided = follow_decision,
	};
	struct playback *playback;

	MUST(follower);
	playback = playback_open(path, settings, &policy_default, &listener);
	if (playback) {
		(void)playback_run(playback);
		follow_end(follower);
		check_counts(playback);
		MUST(!ladder->no_memory);
		if (playback_say_no_ftp(playback) == 0)
			written_check(ladder, format);
	}
	playback_close(playback);
	follow_free(follower);
	ladder_free(ladder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct playback_settings settings = {
		.nats.nat = { { .inside = { .family = FAMILY_IPV4, .address = { 10, 0, 0, 2 } },
				.outside = { .family = FAMILY_IPV4, .address = { 198, 51, 100, 254 } } } },
		.control_ports = { [21 / 8] = 1 << 21 % 8 },
	};
	struct input input = { data, size };
	const uint8_t how = input_byte(&input);
	FILE *const usual = stderr;
	static struct heard heard;
	const char *said;
	size_t length;

	settings.checksums = how % 3;
	settings.nats.count = how / 3 & 1;
	settings.seqadj_by = how / 6 & 1 ? SEQADJ_SELF : SEQADJ_KERNEL;
	stderr = heard_begin(&heard);
	play(file_of(input.at, input.left), &settings, how / 12 % FORMATS);
	stderr = usual;
	said = heard_end(&heard, &length);
	check_lines(said, length);
	large_check();
	return 0;
}

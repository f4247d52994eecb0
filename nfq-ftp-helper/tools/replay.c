// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * replay - a capture through the engine (playback/): what happens is told, and what the outside would see is written where that is asked for.
 */
#include "capture/writer.h"
#include "command/command.h"
#include "output/say.h"
#include "replay_report.h"
#include "tools.h"

#include <stdio.h>
#include <stdlib.h>

struct replay {
	struct replay_reporter reporter; /* first: as a listener's context it is this */
	struct option_values options;
	struct playback *playback;
	struct capture_writer *writer; /* NULL: nothing is written */
};

static void on_arrival(void *context, const struct playback_packet *packet)
{
	const struct tuple inside = playback_inside(packet);

	if (packet->related)
		replay_report_data(context, &inside, packet->connection.expected);
}

static void on_leaving(void *context, const struct capture_packet *packet, const uint8_t *ip, uint32_t length)
{
	struct replay *replay = context;

	if (!replay->writer)
		return;
	if (ip)
		capture_write_ip(replay->writer, packet, ip, length);
	else
		capture_write(replay->writer, packet);
}

static int open_writer(struct replay *replay)
{
	char error[CAPTURE_ERROR_MAX];

	if (!replay->options.out[0])
		return 0;
	replay->writer = capture_write_open(replay->options.out, playback_capture(replay->playback), error);
	if (replay->writer)
		return 0;
	say_sentence("%s", error);
	return -EIO;
}

static int close_writer(struct replay *replay)
{
	char error[CAPTURE_ERROR_MAX];

	if (!replay->writer || capture_write_close(replay->writer, error) == 0)
		return 0;
	say_sentence("%s", error);
	return -EIO;
}

static int run_replay(struct replay *replay)
{
	int result = playback_run(replay->playback);

	replay_report_summary(&replay->reporter, playback_counts(replay->playback),
			      playback_counters(replay->playback));
	if (fflush(stdout) || ferror(stdout)) {
		say_sentence("the output cannot be written: %s", strerror(errno));
		result = -EIO;
	}
	return result ? result : playback_say_no_ftp(replay->playback);
}

static int replay_capture(struct replay *replay)
{
	const struct option_values *options = &replay->options;
	const struct playback_listener listener = {
		.context = replay,
		.time = replay_report_time,
		.arrives = on_arrival,
		.report = replay_report_engine,
		.leaves = on_leaving,
	};
	int result;

	replay->reporter.json = options->json;
	replay->reporter.summary.path = options->operand;
	replay->playback = playback_open(options->operand, &options->playback, &options->run.policy, &listener);
	if (!replay->playback)
		return -EIO;
	result = open_writer(replay);
	if (!result)
		result = run_replay(replay);
	if (close_writer(replay))
		result = -EIO;
	playback_close(replay->playback);
	return result;
}

static const struct option_page page = {
	.command = OPTION_OF_REPLAY,
	.operand = "IN.pcap",
	.about = "Runs the FTP control connections of a capture, taken at a router's inside, through the helper.\n",
	.end = "Exit codes: 0 done, 1 failed, or no control connection in the capture, 2 wrong usage.\n",
};

int tools_replay(int argc, char **argv)
{
	struct replay *replay = calloc(1, sizeof(*replay));
	int code;

	if (!replay) {
		say_sentence("no memory");
		return EXIT_FAILED;
	}
	code = option_parse(&page, &replay->options, argc, argv);
	if (code == OPTION_GO_ON)
		code = replay_capture(replay) ? EXIT_FAILED : EXIT_DONE;
	free(replay);
	return code;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * explain - the dialogues of a capture as ladders (explain/), as the engine follows them (playback/).
 */
#include "command/command.h"
#include "explain/follow.h"
#include "explain/writer.h"
#include "output/say.h"
#include "tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct explain {
	struct option_values options;
	struct ladder *ladder;
	struct follower *follower;
	struct playback *playback;
};

static int say_no_memory(void)
{
	say_sentence("no memory for all that is to be shown; `replay' takes less");
	return -ENOMEM;
}

static int say_unwritten(const char *path, int error)
{
	say_sentence("%s cannot be written: %s", path, strerror(error));
	return -EIO;
}

/* What writes it: tools_live(), or write_ladder(). */
typedef int write_what(const struct explain *explain, struct whole *whole);

static int write_ladder(const struct explain *explain, struct whole *whole)
{
	return writers[explain->options.format](explain->ladder, whole->file);
}

static int write_live(const struct explain *explain, struct whole *whole)
{
	return tools_live(&explain->options, whole);
}

static int write_stdout(const struct explain *explain, write_what *what)
{
	struct whole whole = { .file = stdout };
	int result = what(explain, &whole);

	if (fflush(stdout) || ferror(stdout))
		return say_unwritten("the output", errno);
	return result == -ENOMEM ? say_no_memory() : result;
}

/* To a file, which is as it was where this comes to nothing; or to standard output. */
static int write_out(const struct explain *explain, write_what *what)
{
	const char *path = explain->options.picture;
	struct whole whole;
	int result, error;

	if (!path[0])
		return write_stdout(explain, what);
	error = whole_begin(&whole, path);
	if (error)
		return say_unwritten(path, -error);
	result = what(explain, &whole);
	error = whole_end(&whole, result == 0);
	if (error)
		return say_unwritten(path, -error);
	return result == -ENOMEM ? say_no_memory() : result;
}

/* A capture is not to be written over by its own picture. */
static int check_output(const struct explain *explain)
{
	if (!explain->options.picture[0] || !capture_is(playback_capture(explain->playback), explain->options.picture))
		return 0;
	say_sentence("%s is the capture that is read; the picture needs another file", explain->options.picture);
	return -EINVAL;
}

static int run_explain(struct explain *explain)
{
	int result = check_output(explain);

	if (result)
		return result;
	result = playback_run(explain->playback);
	follow_end(explain->follower);
	if (explain->ladder->no_memory)
		return say_no_memory();
	if (playback_counts(explain->playback)->controls && write_out(explain, write_ladder))
		return -EIO;
	if (explain->ladder->full)
		say_sentence("it ends here: more than %d lines, or %d control connections, are not drawn",
			     LADDER_ROWS_MAX, LADDER_DIALOGUES_MAX);
	return result ? result : playback_say_no_ftp(explain->playback);
}

static int explain_capture(struct explain *explain)
{
	const struct option_values *options = &explain->options;
	struct playback_listener listener = {
		.time = follow_time,
		.arrives = follow_arrival,
		.report = follow_report,
		.decided = follow_decision,
	};
	int result = -EIO;

	explain->ladder = ladder_new(options->operand, options->playback.nat.count > 0);
	explain->follower = explain->ladder ? follow_new(explain->ladder) : NULL;
	if (!explain->follower) {
		ladder_free(explain->ladder);
		return say_no_memory();
	}
	listener.context = explain->follower;
	explain->playback = playback_open(options->operand, &options->playback, &options->run.policy, &listener);
	if (explain->playback)
		result = run_explain(explain);
	playback_close(explain->playback);
	follow_free(explain->follower);
	ladder_free(explain->ladder);
	return result;
}

static bool is_live(const struct option_values *options)
{
	return options->live.family != 0;
}

static const struct option_page page = {
	.command = OPTION_OF_EXPLAIN,
	.operand = "IN.pcap",
	.no_operand = is_live,
	.about =
		"Draws the FTP dialogues of a capture, taken at a router's inside, as ladders: what client and server say, the arithmetic\n"
		"of each announcement, what is rewritten and why, which data connection comes of it, what is refused and what to do.\n"
		"Passwords are not shown. With --live, and no capture, the same of sessions of the running daemon, as they go on.\n",
	.end = "Examples:\n"
	       "  nfq-ftp-helper explain --nat 10.0.0.2=198.51.100.254 inside.pcap\n"
	       "  nfq-ftp-helper explain --format html -o dialogue.html inside.pcap\n"
	       "  nfq-ftp-helper explain --live 10.0.0.2\n"
	       "Exit codes: 0 done, 1 failed, or no control connection in the capture, or no daemon answers, 2 wrong usage.\n",
};

int tools_explain(int argc, char **argv)
{
	struct explain *explain = calloc(1, sizeof(*explain));
	int code;

	if (!explain) {
		say_no_memory();
		return EXIT_FAILED;
	}
	code = option_parse(&page, &explain->options, argc, argv);
	if (code == OPTION_GO_ON && is_live(&explain->options))
		code = write_out(explain, write_live) ? EXIT_FAILED : EXIT_DONE;
	else if (code == OPTION_GO_ON)
		code = explain_capture(explain) ? EXIT_FAILED : EXIT_DONE;
	free(explain);
	return code;
}

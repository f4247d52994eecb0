// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A configuration file of any bytes, as `run -c' reads it: either it is taken, nothing is said, and all that is set is
 * within its limits, and the same when it is read again; or it is not, and each line says what is wrong in one of the file's.
 */
#include "command/option.h"
#include "file.h"
#include "heard.h"

static void check_range(const struct queue_range *range)
{
	if (range->given)
		MUST(range->first <= range->last && queue_range_count(range) <= 64);
}

static void check_networks(const struct network *network, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		MUST(network[i].bits <= (network[i].family == FAMILY_IPV6 ? 128 : 32));
}

static void check_policy(const struct policy *policy)
{
	MUST(policy->min_port >= 1 && policy->port_low <= policy->port_high);
	MUST(policy->client_sessions <= 1u << 24 && policy->client_rate >= 1 && policy->client_rate <= 1000000);
	MUST(policy->idle_timeout >= 10 && policy->idle_timeout <= 432000);
	MUST(policy->exempt_count <= POLICY_EXEMPT_MAX && policy->loose.count <= POLICY_LOOSE_MAX);
	MUST(policy->foreign < POLICY_FOREIGNS);
	check_networks(policy->exempt, policy->exempt_count);
	check_networks(policy->loose.network, policy->loose.count);
}

static void check_options(const struct options *options)
{
	check_range(&options->attach.queues);
	check_range(&options->attach.sure_queues);
	MUST(options->attach.mode <= MODE_KMOD && options->attach.seqadj <= SEQADJ_MODE_SELF);
	MUST(options->expect_max >= 1 && options->expect_max <= 255);
	MUST((options->attach.mark != 0) == (options->attach.mark_mask != 0)); /* neither: still to be chosen */
	MUST((options->attach.mark & ~options->attach.mark_mask) == 0);
	MUST(options->sessions >= 16 && options->sessions <= 1u << 24);
	MUST(options->queue_length >= 1 && options->queue_length <= 1u << 20);
	MUST(options->receive_buffer >= 1u << 16 && options->receive_buffer <= 1u << 30);
	MUST(options->state_directory[0] && memchr(options->state_directory, '\0', OPTIONS_PATH_MAX));
	check_policy(&options->policy);
}

/* Lines of printable characters, not too many, the program's name and the file's first. */
static void check_complaint(const char *said, const char *path)
{
	unsigned int lines = 0;
	char start[64];

	snprintf(start, sizeof(start), "nfq-ftp-helper: %s:", path);
	for (; *said; lines++) {
		MUST(strncmp(said, start, strlen(start)) == 0);
		for (said += strlen(start); *said != '\n'; said++)
			MUST(*said >= ' ' && *said <= '~');
		said++;
	}
	MUST(lines >= 1 && lines <= OPTION_FILE_FAULTS + 1);
}

static void check_again(const struct option_page *page, const struct option_values *values, const char *path)
{
	static struct option_values again;

	option_default(&again);
	MUST(option_file_read(page, &again, path) == OPTION_GO_ON);
	for (unsigned int i = 0; i < option_row_count; i++)
		MUST(option_rows[i].command_line_only || option_same(&option_rows[i], values, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char run[] = "run", c[] = "-c", path[FILE_PATH_MAX];
	char *argv[] = { run, c, path, NULL };
	FILE *const usual = stderr;
	const struct option_page page = { .command = OPTION_OF_RUN, .reads_file = true };
	static struct option_values values;
	static struct heard heard;
	const char *said;
	size_t length;
	int code;

	snprintf(path, sizeof(path), "%s", file_of(data, size));
	stderr = heard_begin(&heard);
	code = option_parse(&page, &values, 3, argv);
	stderr = usual;
	said = heard_end(&heard, &length);
	if (code != OPTION_GO_ON) {
		check_complaint(said, path);
	} else {
		MUST(length == 0);
		MUST(values.verbose <= 2);
		check_options(&values.run);
		check_again(&page, &values, path);
	}
	file_check();
	return 0;
}

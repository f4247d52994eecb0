// SPDX-License-Identifier: GPL-2.0-or-later
#include "settings.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_STATE_DIRECTORY "/run/nfq-ftp-helper"
#define DEFAULT_SESSIONS 65536u
/*
 * A second and a half of an attack with 10,000 packets a second, gone through in a seventh of a second once the daemon is
 * scheduled again. A packet takes 830 bytes of the buffer, a full-sized one 2300 (6.18).
 */
#define DEFAULT_QUEUE_LENGTH 16384u
#define DEFAULT_RECEIVE_BUFFER (32u << 20)

/* The number that @text begins with. Return: what follows it; NULL when there is none, or one beyond the limits. */
static const char *read_number(const char *text, int base, uint32_t low, uint32_t high, uint32_t *number)
{
	unsigned long long value;
	char *end;

	if (!isdigit((unsigned char)*text))
		return NULL;
	errno = 0;
	value = strtoull(text, &end, base);
	if (errno || value < low || value > high)
		return NULL;
	*number = (uint32_t)value;
	return end;
}

/* A number and nothing else. */
static bool set_number(const char *text, uint32_t low, uint32_t high, uint32_t *number)
{
	const char *end = read_number(text, 10, low, high, number);

	return end && *end == '\0';
}

/* N or A:B. */
static bool set_range(const char *text, uint32_t low, uint32_t high, uint32_t *first, uint32_t *last)
{
	const char *end = read_number(text, 10, low, high, first);

	*last = *first;
	if (end && *end == ':')
		end = read_number(end + 1, 10, *first, high, last);
	return end && *end == '\0';
}

static bool set_queues(struct queue_range *range, const char *value)
{
	uint32_t first = 0, last;

	return set_range(value, 0, UINT16_MAX, &first, &last) && queue_range_set(range, first, last - first + 1ll);
}

bool settings_word(const char *value, const char *const *words, unsigned int count, unsigned int *index)
{
	for (*index = 0; *index < count; ++*index) {
		if (strcmp(value, words[*index]) == 0)
			return true;
	}
	return false;
}

static bool set_path(const char *value, char path[OPTIONS_PATH_MAX])
{
	int length = snprintf(path, OPTIONS_PATH_MAX, "%s", value);

	return length > 0 && length < OPTIONS_PATH_MAX;
}

static bool set_mode(struct options *options, const char *value)
{
	unsigned int index;

	if (!settings_word(value, mode_names, MODES, &index))
		return false;
	options->attach.mode = index;
	return true;
}

static bool set_yes(const char *value, bool *option)
{
	static const char *const words[] = { "no", "yes" };
	unsigned int index;

	if (!settings_word(value, words, 2, &index))
		return false;
	*option = index;
	return true;
}

static bool set_unregister(struct options *options, const char *value)
{
	return set_yes(value, &options->unregister);
}

static bool set_expect_max(struct options *options, const char *value)
{
	return set_number(value, 1, 255, &options->expect_max);
}

static bool set_queue(struct options *options, const char *value)
{
	return set_queues(&options->attach.queues, value);
}

static bool set_sure_queue(struct options *options, const char *value)
{
	return set_queues(&options->attach.sure_queues, value);
}

static bool set_mark(struct options *options, const char *value)
{
	struct attach *attach = &options->attach;
	const char *end = read_number(value, 0, 1, UINT32_MAX, &attach->mark);

	attach->mark_mask = attach->mark;
	if (end && *end == '/')
		end = read_number(end + 1, 0, 1, UINT32_MAX, &attach->mark_mask);
	return end && *end == '\0' && (attach->mark & ~attach->mark_mask) == 0;
}

static bool set_seqadj(struct options *options, const char *value)
{
	unsigned int index;

	if (!settings_word(value, attach_seqadj_names, ATTACH_SEQADJ_MODES, &index))
		return false;
	options->attach.seqadj = index;
	return true;
}

static bool set_loose(struct options *options, const char *value)
{
	return set_yes(value, &options->policy.loose);
}

static bool set_min_port(struct options *options, const char *value)
{
	uint32_t number;

	if (!set_number(value, 1, 65535, &number))
		return false;
	options->policy.min_port = (uint16_t)number;
	return true;
}

static bool set_ports(struct options *options, const char *value)
{
	uint32_t low = 0, high;

	if (!set_range(value, 1, 65535, &low, &high))
		return false;
	options->policy.port_low = (uint16_t)low;
	options->policy.port_high = (uint16_t)high;
	return true;
}

static bool set_sessions(struct options *options, const char *value)
{
	return set_number(value, 16, 1u << 24, &options->sessions);
}

static bool set_client_sessions(struct options *options, const char *value)
{
	return set_number(value, 1, 1u << 24, &options->policy.client_sessions);
}

static bool set_client_rate(struct options *options, const char *value)
{
	return set_number(value, 1, 1000000, &options->policy.client_rate);
}

/* ADDRESS or ADDRESS/BITS, without bits behind these. */
static bool set_network(char *text, struct network *network)
{
	char *slash = strchr(text, '/');
	const bool ipv6 = strchr(text, ':') != NULL;
	uint32_t bits = ipv6 ? 128 : 32;

	*network = (struct network){ .family = ipv6 ? FAMILY_IPV6 : FAMILY_IPV4 };
	if (slash) {
		*slash = '\0';
		if (!set_number(slash + 1, 0, bits, &bits))
			return false;
	}
	network->bits = (uint8_t)bits;
	return inet_pton(ipv6 ? AF_INET6 : AF_INET, text, network->address) == 1 && !network_trim(network);
}

/* NETWORK[,...]. */
static bool set_share_exempt(struct options *options, const char *value)
{
	struct policy *policy = &options->policy;
	char text[POLICY_EXEMPT_MAX * (INET6_ADDRSTRLEN + 5)];
	char *rest = text, *network;

	if (snprintf(text, sizeof(text), "%s", value) >= (int)sizeof(text))
		return false;
	policy->exempt_count = 0;
	while ((network = strsep(&rest, ",")) != NULL) {
		if (policy->exempt_count == POLICY_EXEMPT_MAX ||
		    !set_network(network, &policy->exempt[policy->exempt_count]))
			return false;
		policy->exempt_count++;
	}
	return true;
}

static bool set_idle_timeout(struct options *options, const char *value)
{
	return set_number(value, 10, 432000, &options->policy.idle_timeout);
}

static bool set_state_dir(struct options *options, const char *value)
{
	return set_path(value, options->state_directory);
}

static bool set_queue_length(struct options *options, const char *value)
{
	return set_number(value, 1, 1u << 20, &options->queue_length);
}

static bool set_receive_buffer(struct options *options, const char *value)
{
	return set_number(value, 1u << 16, 1u << 30, &options->receive_buffer);
}

/* -v once more, or the level as a number. */
static bool set_verbose(struct options *options, const char *value)
{
	uint32_t number = options->verbose < 2 ? options->verbose + 1 : 2;

	if (strcmp(value, "yes") != 0 && !set_number(value, 0, 2, &number))
		return false;
	options->verbose = number;
	return true;
}

static bool set_config(struct options *options, const char *value)
{
	return set_path(value, options->file);
}

static bool set_help(struct options *options, const char *value)
{
	(void)value;
	options->help = true;
	return true;
}

static const struct setting settings[] = {
	{ "mode", 0, "MODE", set_mode, "auto, cthelper, queue or kmod",
	  "who queues packets: our conntrack helper, NFQUEUE rules or our module; default auto: what there is" },
	{ "queue", 0, "N|A:B", set_queue, QUEUE_RANGE_ALLOWED, "queue numbers, a thread each; default 0" },
	{ "sure-queue", 0, "N|A:B", set_sure_queue, QUEUE_RANGE_ALLOWED,
	  "as many more, for connections that carry the mark: the rules of these do not bypass" },
	{ "mark", 0, "VALUE[/MASK]", set_mark, "VALUE or VALUE/MASK, not zero, VALUE within MASK",
	  "connmark of connections whose sequence numbers this program adjusts; default 0x200000" },
	{ "seqadj", 0, "WHO", set_seqadj, "auto, kernel or self",
	  "who adjusts sequence numbers: auto (the kernel where it can), kernel or self" },
	{ "loose", 0, NULL, set_loose, "yes or no", "also expect data connections with a third party's address" },
	{ "min-port", 0, "PORT", set_min_port, "a port from 1 to 65535", "refuse announced ports below; default 1024" },
	{ "ports", 0, "LOW:HIGH", set_ports, "LOW:HIGH, ports from 1 to 65535",
	  "where the announced port is taken, use one of these" },
	{ "expect-max", 0, "N", set_expect_max, "a number from 1 to 255",
	  "cthelper: data connections expected at once per control connection; default 4" },
	{ "unregister", 0, NULL, set_unregister, "yes or no", "cthelper: take the conntrack helper away at the end" },
	{ "sessions", 0, "N", set_sessions, "a number from 16 to 16777216",
	  "control connections followed per queue; default 65536" },
	{ "client-sessions", 0, "N", set_client_sessions, "a number from 1 to 16777216",
	  "control connections followed per client at the most; never more than half of all" },
	{ "client-rate", 0, "N", set_client_rate, "a number from 1 to 1000000", "announcements per client and second" },
	{ "share-exempt", 0, "NETWORK[,...]", set_share_exempt,
	  "at most 16 networks such as 192.0.2.0/24 or 2001:db8::/32, separated by commas",
	  "networks that stand for many clients (proxies, CGNAT): no shares and rates for these" },
	{ "idle-timeout", 0, "SECONDS", set_idle_timeout, "seconds from 10 to 432000",
	  "forget a silent control connection after this time" },
	{ "state-dir", 0, "DIR", set_state_dir, "a path of less than 256 bytes",
	  "where the tables are kept over a restart; default " DEFAULT_STATE_DIRECTORY },
	{ "queue-length", 0, "PACKETS", set_queue_length, "a number from 1 to 1048576",
	  "packets the kernel keeps waiting per queue; default 16384" },
	{ "receive-buffer", 0, "BYTES", set_receive_buffer, "bytes from 65536 to 1073741824",
	  "socket buffer per thread; default 33554432" },
	{ "verbose", 'v', NULL, set_verbose, "0, 1 or 2", "log every rewrite and expectation; twice: more" },
	{ "config", 'c', "FILE", set_config, "a path of less than 256 bytes",
	  "read `NAME = VALUE' lines with these names from FILE; the command line wins" },
	{ "help", 'h', NULL, set_help, "no argument", "print this" },
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

_Static_assert(SETTINGS <= SETTINGS_MAX, "callers have room for SETTINGS_MAX");

const struct setting *settings_table(unsigned int *count)
{
	*count = SETTINGS;
	return settings;
}

const struct setting *settings_find(const char *name)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		if (strcmp(settings[i].name, name) == 0)
			return &settings[i];
	}
	return NULL;
}

void settings_default(struct options *options)
{
	*options = (struct options){
		.attach = attach_default,
		.expect_max = ANNOUNCEMENTS_MAX,
		.policy = policy_default,
		.sessions = DEFAULT_SESSIONS,
		.queue_length = DEFAULT_QUEUE_LENGTH,
		.receive_buffer = DEFAULT_RECEIVE_BUFFER,
		.state_directory = DEFAULT_STATE_DIRECTORY,
	};
}

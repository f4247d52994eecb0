// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Queues, mark and seqadj are `run's own settings, read by the same functions, so that both understand the same words.
 */
#include "rules_options.h"

#include "daemon/settings.h"
#include "ruleset/backends.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define LONG_BASE 256
#define ZONE_MAX 65535

struct rules_option {
	const char *name;
	const char *argument;	/* its name in the help; NULL: it takes none */
	/* Return: whether @value is allowed. NULL: the setting of `run' with this name says. */
	bool (*set)(struct rules_options *options, const char *value);
	const char *allowed;	/* NULL: as above */
	const char *help;
};

static bool set_backend(struct rules_options *options, const char *value)
{
	options->backend = backends_find(value);
	return options->backend;
}

static bool is_name(const char *text, size_t length, size_t size, const char *besides)
{
	if (length == 0 || length >= size)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!isalnum((unsigned char)text[i]) && !strchr(besides, text[i]))
			return false;
	}
	return true;
}

static bool set_carrier(struct rules_options *options, const char *value)
{
	if (!is_name(value, strlen(value), REQUEST_CARRIER_MAX, "-_.") || strcmp(value, "ftp") == 0)
		return false;
	snprintf(options->request.carrier, REQUEST_CARRIER_MAX, "%s", value);
	return true;
}

static bool set_ports(struct rules_options *options, const char *value)
{
	return ports_parse(value, &options->request.ports);
}

/* One name, up to @length bytes; an empty one is allowed. */
static bool set_interface(char name[IF_NAMESIZE], const char *text, size_t length)
{
	if (length && !is_name(text, length, IF_NAMESIZE, "-_.+@:"))
		return false;
	/* Every interface: nft has no name for that. */
	if (length == 1 && text[0] == '+')
		return false;
	memcpy(name, text, length);
	name[length] = '\0';
	return true;
}

/* CLIENTS:SERVERS,... */
static bool set_interfaces(struct rules_options *options, const char *value)
{
	struct request *request = &options->request;

	request->interface_count = 0;
	for (const char *at = value;; at++) {
		struct request_interfaces pair = { 0 };
		size_t length = strcspn(at, ",");
		const char *colon = memchr(at, ':', length);

		if (!colon || length < 2 || request->interface_count == REQUEST_INTERFACES_MAX)
			return false;
		if (!set_interface(pair.client, at, (size_t)(colon - at)) ||
		    !set_interface(pair.server, colon + 1, length - 1 - (size_t)(colon - at)))
			return false;
		request->interfaces[request->interface_count++] = pair;
		at += length;
		if (!*at)
			return true;
	}
}

static bool set_zone(struct rules_options *options, const char *value)
{
	char *end;
	unsigned long zone = isdigit((unsigned char)*value) ? strtoul(value, &end, 10) : ZONE_MAX + 1;

	if (zone > ZONE_MAX || *end)
		return false;
	options->request.zone = (int32_t)zone;
	return true;
}

static bool set_action(struct rules_options *options, enum rules_action action)
{
	if (options->action != RULES_PRINT && options->action != action)
		return false;
	options->action = action;
	return true;
}

static bool set_apply(struct rules_options *options, const char *value)
{
	(void)value;
	return set_action(options, RULES_APPLY);
}

static bool set_remove(struct rules_options *options, const char *value)
{
	(void)value;
	return set_action(options, RULES_REMOVE);
}

static bool set_help(struct rules_options *options, const char *value)
{
	(void)value;
	options->help = true;
	return true;
}

static const struct rules_option table[] = {
	{ "backend", "NAME", set_backend, "nft or iptables",
	  "nft or iptables (and ip6tables); default: nft where the kernel can" },
	{ "mode", "MODE", NULL, NULL,
	  "queue, cthelper or kmod; default: kmod if its module is loaded, else cthelper where the kernel can and one "
	  "queue, without a sure one, is asked for, else queue" },
	{ "carrier", "NAME", set_carrier, "the name of a TCP helper of the kernel, at most 15 letters, and not `ftp'",
	  "mode queue: the kernel's helper that carries expectations; default sane" },
	{ "queue", "N|A:B", NULL, NULL, "mode queue: queue numbers; default 0" },
	{ "sure-queue", "N|A:B", NULL, NULL,
	  "mode queue: as many more, for marked connections; default: the next ones" },
	{ "mark", "VALUE[/MASK]", NULL, NULL, "mode queue: connmark of those; default 0x200000" },
	{ "seqadj", "WHO", NULL, NULL, "as `run' is told; with `kernel', packets without payload stay in the kernel" },
	{ "port", "PORT,...", set_ports, PORTS_ALLOWED, "control ports, before and behind DNAT; default 21" },
	{ "interface", "CLIENTS:SERVERS,...", set_interfaces,
	  "pairs CLIENTS:SERVERS of interface names, one of which may be missing", "only between these interfaces" },
	{ "zone", "N", set_zone, "a conntrack zone from 0 to 65535",
	  "only this conntrack zone (nft); give connections this zone, too (iptables)" },
	{ "apply", NULL, set_apply, "no other of --apply and --remove",
	  "put the rules in place, instead of printing them" },
	{ "remove", NULL, set_remove, "no other of --apply and --remove", "take this program's rules away again" },
	{ "help", NULL, set_help, "no argument", "print this" },
};

#define OPTIONS (sizeof(table) / sizeof(table[0]))

static bool set_option(const struct rules_option *option, struct rules_options *options, const char *value)
{
	if (option->set)
		return option->set(options, value);
	return settings_find(option->name)->set(&options->run, value);
}

static int complain_value(const struct rules_option *option, const char *value)
{
	fprintf(stderr, "rules: --%s%s%s%s is not possible: it takes %s\n", option->name, value ? " `" : "",
		value ? value : "", value ? "'" : "",
		option->allowed ? option->allowed : settings_find(option->name)->allowed);
	return -EINVAL;
}

static int complain_option(int result, const char *text)
{
	fprintf(stderr, "rules: `%s' %s; `nfq-ftp-helper rules --help' tells more\n", text,
		result == ':' ? "needs a value" : "is no option");
	return -EINVAL;
}

static int parse_line(struct rules_options *options, int argc, char **argv)
{
	struct option longs[OPTIONS + 1] = { 0 };
	int result;

	for (size_t i = 0; i < OPTIONS; i++)
		longs[i] = (struct option){ .name = table[i].name,
					    .has_arg = table[i].argument ? required_argument : no_argument,
					    .val = LONG_BASE + (int)i };
	optind = 0;	/* glibc: start anew */
	opterr = 0;
	while ((result = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
		const struct rules_option *option;

		if (result == 'h') {
			options->help = true;
			continue;
		}
		if (result < LONG_BASE)
			return complain_option(result, argv[optind - 1]);
		option = &table[result - LONG_BASE];
		if (!set_option(option, options, optarg))
			return complain_value(option, optarg);
	}
	if (optind == argc)
		return 0;
	fprintf(stderr, "rules: only options are taken, not `%s'\n", argv[optind]);
	return -EINVAL;
}

/* The sure queues are as many as the others, and others; where none are named, there must be some. */
static int check_queues(const struct attach *asked)
{
	struct attach attach = *asked;
	char text[ATTACH_COMPLAINT_MAX];
	const char *complaint;

	if (!attach_settle(&attach)) {
		fprintf(stderr, "rules: --queue %u:%u leaves no numbers behind it: give --sure-queue, too\n",
			attach.queues.first, attach.queues.last);
		return -EINVAL;
	}
	complaint = attach_complaint(&attach, text);
	if (complaint)
		fprintf(stderr, "rules: %s\n", complaint);
	return complaint ? -EINVAL : 0;
}

int rules_options_parse(struct rules_options *options, int argc, char **argv)
{
	int error;

	*options = (struct rules_options){
		.request = { .carrier = REQUEST_CARRIER, .ports = PORTS_DEFAULT, .interface_count = 1, .zone = -1 },
	};
	settings_default(&options->run);
	error = parse_line(options, argc, argv);
	options->request.attach = options->run.attach;
	return error ? error : check_queues(&options->run.attach);
}

void rules_options_print_help(void)
{
	printf("Usage: nfq-ftp-helper rules [OPTION]...\n\n"
	       "Prints the netfilter rules that a mode needs. They serve a router, a server and a client on this host\n"
	       "at once. --apply puts them in place, in chains of its own, and --remove takes those away.\n\n");
	for (size_t i = 0; i < OPTIONS; i++) {
		char option[64];

		snprintf(option, sizeof(option), "--%s%s%s", table[i].name, table[i].argument ? " " : "",
			 table[i].argument ? table[i].argument : "");
		printf("  %-31s %s\n", option, table[i].help);
	}
	printf("\nExit codes: 0 done, 1 failed, 2 wrong usage.\n");
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "replay_options.h"

#include "host/ports.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
	"Usage: nfq-ftp-helper replay [OPTION]... IN.pcap\n"
	"\n"
	"Runs the FTP control connections of a capture, taken at a router's inside, through the helper.\n"
	"\n"
	"  --nat INSIDE=OUTSIDE   the address INSIDE is seen as OUTSIDE from the other side; may be repeated\n"
	"  --seqadj self|none     renumber packets behind a rewrite (default), or leave that to a kernel\n"
	"  --loose                open data connections to third parties too\n"
	"  --port PORT,...        control ports (21)\n"
	"  -w OUT.pcap            write what the outside would see\n"
	"  --json                 print one JSON object a line\n";

void replay_options_print_usage(void)
{
	fputs(usage, stdout);
}

static int parse_address(const char *text, struct endpoint *endpoint)
{
	*endpoint = (struct endpoint){ .family = FAMILY_IPV4 };
	if (inet_pton(AF_INET, text, endpoint->address) == 1)
		return 0;
	endpoint->family = FAMILY_IPV6;
	return inet_pton(AF_INET6, text, endpoint->address) == 1 ? 0 : -EINVAL;
}

static int add_nat(struct replay_options *options, const struct nat_option *nat)
{
	if (nat->inside.family != nat->outside.family)
		return -EAFNOSUPPORT;
	for (uint32_t i = 0; i < options->nat_count; i++)
		if (endpoint_address_equal(&options->nat[i].inside, &nat->inside))
			return -EEXIST;
	if (options->nat_count == NAT_MAX)
		return -ENOSPC;
	options->nat[options->nat_count++] = *nat;
	return 0;
}

static const char *add_nat_text(int error)
{
	if (error == -EAFNOSUPPORT)
		return "one is IPv4 and the other IPv6";
	return error == -EEXIST ? "the first has been given before" : "too many";
}

static int parse_nat(struct replay_options *options, const char *text)
{
	const char *equals = strchr(text, '=');
	char inside[INET6_ADDRSTRLEN];
	struct nat_option nat;
	int error;

	if (!equals || (size_t)(equals - text) >= sizeof(inside)) {
		fprintf(stderr, "replay: --nat is not INSIDE=OUTSIDE, two addresses: `%s'\n", text);
		return -EINVAL;
	}
	memcpy(inside, text, (size_t)(equals - text));
	inside[equals - text] = '\0';
	if (parse_address(inside, &nat.inside) || parse_address(equals + 1, &nat.outside)) {
		fprintf(stderr, "replay: --nat is not INSIDE=OUTSIDE, two IP addresses: `%s'\n", text);
		return -EINVAL;
	}
	error = add_nat(options, &nat);
	if (!error)
		return 0;
	fprintf(stderr, "replay: --nat %s: %s\n", text, add_nat_text(error));
	return -EINVAL;
}

/* As many as one likes. */
static int parse_ports(struct replay_options *options, const char *text)
{
	const char *rest = text;
	uint16_t port;

	if (!options->port_given)
		memset(options->ports, 0, sizeof(options->ports));
	options->port_given = true;
	do {
		rest = ports_next(rest, &port);
		if (!rest) {
			fprintf(stderr, "replay: --port takes numbers from 1 to 65535, separated by commas: `%s'\n",
				text);
			return -EINVAL;
		}
		options->ports[port / 8] |= (uint8_t)(1 << port % 8);
	} while (*rest);
	return 0;
}

static int parse_seqadj(struct replay_options *options, const char *text)
{
	const bool self = strcmp(text, "self") == 0;

	if (!self && strcmp(text, "none") != 0) {
		fprintf(stderr, "replay: --seqadj is neither self nor none: `%s'\n", text);
		return -EINVAL;
	}
	options->seqadj_by = self ? SEQADJ_SELF : SEQADJ_KERNEL;
	return 0;
}

enum { OPTION_NAT = 256, OPTION_SEQADJ, OPTION_LOOSE, OPTION_PORT, OPTION_JSON };

static int parse_option(struct replay_options *options, int option)
{
	switch (option) {
	case OPTION_NAT:
		return parse_nat(options, optarg);
	case OPTION_SEQADJ:
		return parse_seqadj(options, optarg);
	case OPTION_PORT:
		return parse_ports(options, optarg);
	case OPTION_LOOSE:
		options->loose = true;
		return 0;
	case OPTION_JSON:
		options->json = true;
		return 0;
	case 'w':
		options->out = optarg;
		return 0;
	case 'h':
		options->help = true;
		return 0;
	default:	/* getopt has said why */
		return -EINVAL;
	}
}

int replay_options_parse(struct replay_options *options, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "nat", required_argument, NULL, OPTION_NAT },
		{ "seqadj", required_argument, NULL, OPTION_SEQADJ },
		{ "loose", no_argument, NULL, OPTION_LOOSE },
		{ "port", required_argument, NULL, OPTION_PORT },
		{ "json", no_argument, NULL, OPTION_JSON },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	options->seqadj_by = SEQADJ_SELF;
	options->ports[PORTS_FTP / 8] |= 1 << PORTS_FTP % 8;
	optind = 1;
	while ((option = getopt_long(argc, argv, "w:h", long_options, NULL)) != -1) {
		int error = parse_option(options, option);

		if (error || options->help)
			return error;
	}
	if (argc - optind < 1) {
		fprintf(stderr, "replay: no capture is named; `nfq-ftp-helper replay --help' says more\n");
		return -EINVAL;
	}
	if (argc - optind > 1) {
		fprintf(stderr, "replay: one capture at a time: `%s'\n", argv[optind + 1]);
		return -EINVAL;
	}
	options->in = argv[optind];
	return 0;
}

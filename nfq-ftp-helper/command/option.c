// SPDX-License-Identifier: GPL-2.0-or-later
#include "option.h"

#include "explain/format.h"
#include "output/say.h"
#include "ruleset/backends.h"

#include <stdarg.h>
#include <string.h>

#define RUN	 OPTION_OF_RUN
#define RULES	 OPTION_OF_RULES
#define REPLAY	 OPTION_OF_REPLAY
#define CHECK	 OPTION_OF_CHECK
#define EXPLAIN	 OPTION_OF_EXPLAIN
#define PLAYBACK OPTION_OF_PLAYBACK

#define SIZE(member) sizeof(((struct option_values *)NULL)->member)
#define AT(member)   .at = offsetof(struct option_values, member), .size = SIZE(member)
/* Of several, one behind the other. */
#define SPAN(first, last)                                                                                              \
	.at = offsetof(struct option_values, first),                                                                   \
	.size = offsetof(struct option_values, last) - offsetof(struct option_values, first) + SIZE(last)

static const char *const seqadj_by_words[] = {
	[SEQADJ_KERNEL] = ATTACH_ADJUSTED_BY_NONE,
	[SEQADJ_SELF] = ATTACH_ADJUSTED_BY_SELF,
	NULL,
};

static const char *const checksums_words[] = {
	[PLAYBACK_CHECKSUMS_AUTO] = "auto",
	[PLAYBACK_CHECKSUMS_CHECK] = "check",
	[PLAYBACK_CHECKSUMS_IGNORE] = "ignore",
	NULL,
};

static const char *const foreign_words[POLICY_FOREIGNS + 1] = {
	[POLICY_FOREIGN_MEND] = "mend",
	[POLICY_FOREIGN_REFUSE] = "refuse",
};

/* In the order of the help, which looks up the defaults of numbers itself. */
const struct option_row option_rows[] = {
	{ "backend", "NAME", RUN | RULES | CHECK, OPTION_WORD, AT(backend), .words = backend_names, .rules_only = true,
	  .help = "nft or iptables (and ip6tables); without it nft where the kernel can (check: that of the rules that are there)" },
	{ "mode", "MODE", RUN | RULES, OPTION_WORD, AT(run.attach.mode), .words = mode_names,
	  .help = "who queues packets: cthelper (our conntrack helper), queue (NFQUEUE rules) or kmod (our module); "
		  "default auto: run: that of the rules that are there; else kmod where its module is loaded, else cthelper where "
		  "the kernel can, does not give it data connections, and one queue, without a sure one, is asked for, else queue" },
	{ "carrier", "NAME", RUN | RULES, OPTION_HELPER, AT(request.carrier),
	  .help = "mode queue: the kernel's helper that carries expectations; default " ATTACH_CARRIER },
	{ "queue", "N|A:B", RUN | RULES, OPTION_QUEUES, AT(run.attach.queues), .low = 0, .high = UINT16_MAX,
	  .most = QUEUE_RANGE_MAX, .help = "queue numbers, a thread each; default 0" },
	{ "sure-queue", "N|A:B", RUN | RULES, OPTION_QUEUES, AT(run.attach.sure_queues), .low = 0, .high = UINT16_MAX,
	  .most = QUEUE_RANGE_MAX,
	  .help = "mode queue: as many more, for connections that carry the mark, whose rules do not bypass; without "
		  "it the next ones (run: only where no mode is named)" },
	{ "mark", "VALUE[/MASK]", RUN | RULES, OPTION_MARK, SPAN(run.attach.mark, run.attach.mark_mask), .low = 1,
	  .high = UINT32_MAX,
	  .help = "connmark of connections of which no packet may pass unseen; without it what the present rules have, "
		  "else a bit that no rule and no `ip rule' uses, 0x200000 where it can be" },
	{ "label", NULL, RUN | RULES, OPTION_FLAG, AT(run.attach.labels),
	  .help = "mode queue: a conntrack label instead of the mark, where all of the mark's bits are others'; the mark where a "
		  "connection has no room for labels; run: also where the present rules have one" },
	{ "seqadj", "WHO", RUN | RULES, OPTION_WORD, AT(run.attach.seqadj), .words = attach_seqadj_names,
	  .help = "who adjusts sequence numbers: auto (the kernel where it can; the default), kernel or self; with "
		  "`kernel', rules leave packets without payload in the kernel" },
	{ "nat", "INSIDE=OUTSIDE", PLAYBACK, OPTION_NAT, AT(playback.nat), .most = NAT_MAX,
	  .help = "the address INSIDE is seen as OUTSIDE from the other side; may be repeated" },
	{ "seqadj", "WHO", REPLAY, OPTION_WORD, AT(playback.seqadj_by), .words = seqadj_by_words,
	  .help = "self (the default): renumber packets behind a rewrite; none: leave that to a kernel" },
	{ "port", "PORT,...", RUN | RULES | CHECK, OPTION_PORTS, SPAN(request.ports.count, request.ports.port),
	  .low = 1, .high = UINT16_MAX, .most = PORTS_MAX, .rules_only = true,
	  .help = "control ports, before and behind DNAT; default 21 (check: those of the rules that are there)" },
	{ "port", "PORT,...", PLAYBACK, OPTION_PORT_SET, AT(playback.control_ports), .low = 1, .high = UINT16_MAX,
	  .help = "control ports; may be repeated; default 21" },
	{ "address", "ADDRESS", OPTION_OF_FILTERED | OPTION_OF_FOLLOW, OPTION_NETWORK, AT(filter.network),
	  .help = "only those whose client or server has this address, or one of this network" },
	{ "port", "PORT", OPTION_OF_FILTERED | OPTION_OF_FOLLOW, OPTION_NUMBER, AT(filter.port), .low = 1,
	  .high = UINT16_MAX, .help = "only those whose client or server has this port" },
	{ "state", "STATE", OPTION_OF_FILTERED, OPTION_WORD, AT(filter.state), .words = question_states,
	  .help = "only those in this state; default any" },
	{ "checksums", "HOW", PLAYBACK, OPTION_WORD, AT(playback.checksums), .words = checksums_words,
	  .help = "what a wrong TCP checksum is: auto (the default), no matter where those of all packets between two hosts "
		  "are, else damage; check, always damage: not read; or ignore, no matter" },
	{ "interface", "CLIENTS:SERVERS,...", RUN | RULES | CHECK, OPTION_INTERFACES,
	  SPAN(request.interface_count, request.interfaces), .most = REQUEST_INTERFACES_MAX, .rules_only = true,
	  .help = "only between these interfaces; ppp* is all whose names begin so" },
	{ "zone", "ZONE", RUN | RULES, OPTION_NUMBER, AT(request.zone), .low = 0, .high = UINT16_MAX,
	  .rules_only = true, .help = "only this conntrack zone (nft); give connections this zone, too (iptables)" },
	{ "foreign", "WHAT", RUN | PLAYBACK, OPTION_WORD, AT(run.policy.foreign), .words = foreign_words, .live = true,
	  .help = "a foreign address in a reply, of a server behind NAT or one that cannot be reached: mend (the default: it "
		  "stands for the server, as clients take it) or refuse" },
	{ "loose", "[NETWORK[,...]]", RUN | PLAYBACK, OPTION_LOOSE, AT(run.policy.loose), .optional = true,
	  .most = POLICY_LOOSE_MAX, .live = true,
	  .help = "also expect data connections with a third party's address of these networks; without a network: with any "
		  "that a reply names; may be repeated" },
	{ "min-port", "PORT", RUN, OPTION_NUMBER, AT(run.policy.min_port), .low = 1, .high = UINT16_MAX, .live = true,
	  .help = "refuse announced ports below" },
	{ "ports", "LOW:HIGH", RUN, OPTION_PORT_RANGE, SPAN(run.policy.port_low, run.policy.port_high), .low = 1,
	  .high = UINT16_MAX, .live = true,
	  .help = "where the announced port is taken, use one of these; default 49152:65535" },
	{ "expect-max", "N", RUN, OPTION_NUMBER, AT(run.expect_max), .low = 1, .high = UINT8_MAX,
	  .help = "mode cthelper: data connections expected at once per control connection" },
	{ "expect-timeout", "SECONDS", RUN, OPTION_NUMBER, AT(run.expect_timeout), .low = 30,
	  .high = FTP_EXPECTED_LONGEST, .live = true, .help = "expect a data connection for so long" },
	{ "expect-longest", "SECONDS", RUN, OPTION_NUMBER, AT(run.policy.expect_longest), .low = 0,
	  .high = FTP_EXPECTED_LONGEST, .live = true,
	  .help = "renew that, while the command that it is for is unanswered, until so long after the announcement" },
	{ "unregister", NULL, RUN, OPTION_FLAG, AT(run.unregister), .live = true,
	  .help = "mode cthelper: take the conntrack helper away at the end" },
	{ "sessions", "N", RUN, OPTION_NUMBER, AT(run.sessions), .low = 16, .high = 1u << 24,
	  .help = "control connections followed per queue" },
	{ "client-sessions", "N", RUN, OPTION_NUMBER, AT(run.policy.client_sessions), .low = 1, .high = 1u << 24,
	  .live = true,
	  .help = "control connections followed per client at the most, and never more than half of all" },
	{ "client-rate", "N", RUN, OPTION_NUMBER, AT(run.policy.client_rate), .low = 1, .high = 1000000, .live = true,
	  .help = "announcements per client and second" },
	{ "share-exempt", "NETWORK[,...]", RUN, OPTION_NETWORKS, SPAN(run.policy.exempt, run.policy.exempt_count),
	  .most = POLICY_EXEMPT_MAX, .live = true,
	  .help = "networks that stand for many clients (proxies, CGNAT): no shares and rates for these" },
	{ "idle-timeout", "SECONDS", RUN, OPTION_NUMBER, AT(run.policy.idle_timeout), .low = 10, .high = 432000,
	  .live = true, .help = "forget a silent control connection after this time" },
	{ "state-dir", "DIR", RUN | EXPLAIN | OPTION_OF_ASKING, OPTION_PATH, AT(run.state_directory),
	  .help = "where the daemon's tables are kept over a restart, and its socket is; default " OPTIONS_STATE_DIRECTORY },
	{ "group", "GROUP", RUN, OPTION_GROUP, AT(run.group),
	  .help = "whose members may ask this daemon (status, sessions, ...), besides root" },
	{ "user", "NAME|NUMBER", RUN, OPTION_USER, AT(run.user),
	  .help = "begin as root, go on as this user, with CAP_NET_ADMIN alone; without it as " USER_DEFAULT
		  ", where there is one" },
	{ "no-sandbox", NULL, RUN, OPTION_FLAG, AT(run.no_sandbox),
	  .help = "keep all rights: for debuggers; the log says so" },
	{ "queue-length", "PACKETS", RUN, OPTION_NUMBER, AT(run.queue_length), .low = 1, .high = 1u << 20,
	  .help = "packets the kernel keeps waiting per queue" },
	{ "receive-buffer", "BYTES", RUN, OPTION_NUMBER, AT(run.receive_buffer), .low = 1u << 16, .high = 1u << 30,
	  .help = "socket buffer per thread" },
	{ "rules", "yes|no", RUN, OPTION_FLAG, AT(rules),
	  .help = "put the rules in place at the start, as `rules --apply' does, and take them away at the end; default no" },
	{ "apply", NULL, RULES, OPTION_FLAG, AT(apply), .help = "put the rules in place, instead of printing them" },
	{ "remove", NULL, RULES, OPTION_FLAG, AT(remove), .help = "take this program's rules away again" },
	{ "write", "OUT.pcap", REPLAY, OPTION_PATH, AT(out), .letter = 'w',
	  .help = "write what the outside would see" },
	{ "format", "FORMAT", EXPLAIN, OPTION_WORD, AT(format), .words = format_names,
	  .help = "text (the default): lines of 100 columns; svg: a picture; html: a page for a browser, with a search and each row's packets" },
	{ "output", "FILE", EXPLAIN, OPTION_PATH, AT(picture), .letter = 'o',
	  .help = "write to FILE, not to standard output" },
	{ "live", "ADDRESS", EXPLAIN, OPTION_NETWORK, AT(live),
	  .help = "no capture: the sessions of the running daemon whose client or server has this address, or one of this network, "
		  "as they go on, until they have ended, or SIGINT" },
	{ "seconds", "N", EXPLAIN, OPTION_NUMBER, AT(live_seconds), .low = 1, .high = 86400,
	  .help = "with --live: for so long at the most" },
	{ "textfile", "FILE", OPTION_OF_METRICS, OPTION_PATH, AT(textfile),
	  .help = "write them in Prometheus's older format, as node_exporter reads it, whole or not at all; `-' is standard output" },
	{ "json", NULL, REPLAY | CHECK | (OPTION_OF_ASKING & ~OPTION_OF_TOP), OPTION_FLAG, AT(json),
	  .help = "JSON, for programs: check one object, all others one a line" },
	{ "verbose", NULL, RUN, OPTION_COUNT, AT(verbose), .letter = 'v', .low = 0, .high = 2, .live = true,
	  .help = "log every rewrite and expectation; twice: more" },
	{ "config", "FILE", RUN | RULES | CHECK, OPTION_PATH, AT(file), .letter = 'c', .command_line_only = true,
	  .help = "read `NAME = VALUE' lines with the names of run's options from FILE, else from " SYSCONFDIR
		  "/nfq-ftp-helper.conf where that is there; the command line wins" },
	{ "test-config", NULL, RUN, OPTION_FLAG, AT(test_config), .command_line_only = true,
	  .help = "say whether the configuration is good, and end" },
	{ "help", NULL, OPTION_OF_ALL, OPTION_FLAG, AT(help), .letter = 'h', .command_line_only = true,
	  .help = "print this" },
};

const unsigned int option_row_count = sizeof(option_rows) / sizeof(option_rows[0]);

_Static_assert(sizeof(option_rows) / sizeof(option_rows[0]) <= OPTION_ROWS_MAX,
	       "readers have a bit for OPTION_ROWS_MAX");

const struct option_row *option_next(unsigned int commands, const struct option_row *row)
{
	const struct option_row *const end = option_rows + option_row_count;

	row = row ? row + 1 : option_rows;
	while (row < end && !(row->commands & commands))
		row++;
	return row < end ? row : NULL;
}

const struct option_row *option_find(unsigned int commands, const char *name)
{
	const struct option_row *row = option_next(commands, NULL);

	while (row && strcmp(row->name, name) != 0)
		row = option_next(commands, row);
	return row;
}

const char *option_said(const struct option_values *values, const char *name, const char *value,
			char text[OPTION_SAID_MAX])
{
	const int line = values->line[option_find(RUN, name) - option_rows];

	if (line)
		snprintf(text, OPTION_SAID_MAX, "%s:%d: %s: %.33s: this", values->file, line, name, value);
	else
		snprintf(text, OPTION_SAID_MAX, "--%s %.33s", name, value);
	return text;
}

/* A `no' says that there is none, and all else that there is one: the one would undo the other. */
bool option_contradicts(const struct option_row *row, const struct option_values *values, const char *text)
{
	const struct policy_loose *loose = (const void *)((const char *)values + row->at);

	return row->kind == OPTION_LOOSE && (strcmp(text, "no") == 0) == (loose->any || loose->count);
}

void option_default(struct option_values *values)
{
	*values = (struct option_values){
		.request = { .carrier = ATTACH_CARRIER, .ports = PORTS_DEFAULT, .interface_count = 1, .zone = -1 },
		.backend = BACKENDS,
		.playback = { .seqadj_by = SEQADJ_SELF, .control_ports[PORTS_FTP / 8] = 1 << PORTS_FTP % 8 },
	};
	options_default(&values->run);
}

void option_complain(const struct option_page *page, const char *format, ...)
{
	char sentence[OPTION_COMPLAINT_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	if (page->complain)
		page->complain(sentence);
	else
		say_sentence("%s", sentence);
}

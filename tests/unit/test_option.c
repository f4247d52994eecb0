// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of options: of each row values that it takes, and those that it does not and what is said then; and that
 * the manual and the help have each row and nothing else.
 */
#include "unit.h"

#include "command/command.h"
#include "command/option.h"
#include "ruleset/backends.h"

#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

#define MANUAL	      "doc/nfq-ftp-helper.8"
#define MANUAL_REPLAY "doc/nfq-ftp-helper-replay.1"
#define TEXT_MAX      65536
#define ARGUMENTS_MAX 16
#define NAMES_MAX     48

#define NETWORKS_16                                                                                                    \
	"1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5,1.1.1.6,1.1.1.7,1.1.1.8,1.1.1.9,1.1.1.10,1.1.1.11,1.1.1.12,"          \
	"1.1.1.13,1.1.1.14,1.1.1.15,1.1.1.16"
#define PORTS_15 "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15"
#define PAIRS_8	 "a:b,a:b,a:b,a:b,a:b,a:b,a:b,a:b"

static const char networks_16[] = NETWORKS_16;
/* One more than there may be. */
static const char networks_17[] = NETWORKS_16 ",1.1.1.17";
static const char ports_16[] = PORTS_15 ",16";
static const char pairs_9[] = PAIRS_8 ",a:b";

static const struct subcommand {
	struct option_page page;
	const char *name;
	const char *manual;
	const char *section;
} subcommands[] = {
	{ { .command = OPTION_OF_RUN, .about = "", .end = "" }, "run", MANUAL, "RUN" },
	{ { .command = OPTION_OF_RULES, .about = "", .end = "" }, "rules", MANUAL, "RULES" },
	{ { .command = OPTION_OF_REPLAY, .operand = "IN.pcap", .about = "", .end = "" },
	  "replay",
	  MANUAL_REPLAY,
	  "OPTIONS" },
	{ { .command = OPTION_OF_EXPLAIN, .operand = "IN.pcap", .about = "", .end = "" },
	  "explain",
	  MANUAL_REPLAY,
	  "EXPLAIN" },
	{ { .command = OPTION_OF_CHECK, .about = "", .end = "" }, "check", MANUAL, "CHECK" },
	{ { .command = OPTION_OF_STATUS, .about = "", .end = "" }, "status", MANUAL, "STATUS" },
	{ { .command = OPTION_OF_SESSIONS, .about = "", .end = "" }, "sessions", MANUAL, "SESSIONS" },
	{ { .command = OPTION_OF_EXPECTATIONS, .about = "", .end = "" }, "expectations", MANUAL, "EXPECTATIONS" },
	{ { .command = OPTION_OF_FOLLOW, .about = "", .end = "" }, "follow", MANUAL, "FOLLOW" },
	{ { .command = OPTION_OF_METRICS, .about = "", .end = "" }, "metrics", MANUAL, "METRICS" },
	{ { .command = OPTION_OF_TOP, .about = "", .end = "" }, "top", MANUAL, "TOP" },
};

#define SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

/* One a row: without an argument, values are of a file. Lists end with NULL. */
static const struct values {
	unsigned int command;
	const char *name;
	const char *takes[9];
	const char *refuses[16];
	const char *allowed; /* what it takes, in words */
} all_values[] = {
	{ OPTION_OF_RULES,
	  "backend",
	  { "nft", "iptables" },
	  { "", "nf", "nftables", "NFT", "auto" },
	  "nft or iptables" },
	{ OPTION_OF_RUN,
	  "mode",
	  { "auto", "queue", "cthelper", "kmod" },
	  { "", "Queue", "queue ", "3" },
	  "auto, queue, cthelper or kmod" },
	{ OPTION_OF_RULES,
	  "carrier",
	  { "sane", "netbios-ns", "a.b_c-9", "fifteen-letters" },
	  { "", "ftp", "sixteen-letters-", "a b", "a;b", "a\"" },
	  "the name of a TCP helper of the kernel, of less than 16 letters, and not `ftp'" },
	{ OPTION_OF_RUN,
	  "queue",
	  { "0", "65535", "3:3", "0:63", "65472:65535" },
	  { "", "65536", "0:64", "3:2", "-1", "1:", ":1", "1-2", "1:2:3", "0x1", " 1", "1 " },
	  "N or A:B, at most 64 queues with numbers from 0 to 65535" },
	{ OPTION_OF_RULES,
	  "sure-queue",
	  { "1", "64:127" },
	  { "", "one", "65535:65536", "0:64" },
	  "N or A:B, at most 64 queues with numbers from 0 to 65535" },
	{ OPTION_OF_RUN,
	  "mark",
	  { "1", "0x200000", "0x1/0xff", "4294967295", "0xffffffff/0xffffffff" },
	  { "", "0", "2/1", "1/", "/1", "1/0", "4294967296", "0x", "-1", "1/2/3", "mark" },
	  "VALUE or VALUE/MASK, numbers from 1 to 4294967295, VALUE within MASK" },
	{ OPTION_OF_RUN,
	  "seqadj",
	  { "auto", "kernel", "self" },
	  { "", "none", "kernel,self" },
	  "auto, kernel or self" },
	{ OPTION_OF_REPLAY,
	  "nat",
	  { "10.0.0.2=198.51.100.254", "::1=2001:db8::1" },
	  { "", "=", "10.0.0.2", "10.0.0.2=", "=10.0.0.2", "10.0.0.2=::1", "10.0.0.2=router",
	    "10.0.0.2=1.2.3.4=5.6.7.8" },
	  "two addresses, both IPv4 or both IPv6, each INSIDE once, at most 256 times" },
	{ OPTION_OF_REPLAY, "seqadj", { "self", "none" }, { "", "kernel", "auto" }, "none or self" },
	{ OPTION_OF_CHECK,
	  "port",
	  { "21", "1,65535", PORTS_15 },
	  { "", "0", "65536", "21,", ",21", "21;22", "ftp", ports_16 },
	  "at most 15 ports from 1 to 65535, separated by commas" },
	{ OPTION_OF_REPLAY,
	  "port",
	  { "21", "1,65535", ports_16 },
	  { "", "0", "65536", "21,", ",21", "21;22", "ftp" },
	  "ports from 1 to 65535, separated by commas" },
	{ OPTION_OF_REPLAY,
	  "checksums",
	  { "auto", "check", "ignore" },
	  { "", "yes", "Auto", "ignore " },
	  "auto, check or ignore" },
	{ OPTION_OF_RULES,
	  "interface",
	  { "lan:wan", "lan:", ":wan", "a:b,c:", "ppp+:eth0.5@x", "lan:ppp*,wg*:", "abcdefghijklmn*:x", PAIRS_8 },
	  { "", "lan", ":", "lan:wan,", "+:wan", "*:wan", "lan:*", "p*p:wan", "ppp**:wan", "a b:c",
	    "abcdefghijklmnop:x", "abcdefghijklmno*:x", pairs_9 },
	  "at most 8 pairs CLIENTS:SERVERS of interface names, one of which may be missing, separated by commas" },
	{ OPTION_OF_RULES, "zone", { "0", "65535" }, { "", "65536", "-1", "x", "1x" }, "ZONE from 0 to 65535" },
	{ OPTION_OF_RUN, "foreign", { "mend", "refuse" }, { "", "yes", "Mend", "mend,refuse" }, "mend or refuse" },
	{ OPTION_OF_RUN,
	  "loose",
	  { "yes", "no", "::/0", "198.51.100.7", "203.0.113.0/24,2001:db8:7::/48", networks_16 },
	  { "", "maybe", "1", "true", "yes ", "yes,10.0.0.0/8", "10.0.0.1/8", "10.0.0.0/33", "2001:db8::1/64",
	    networks_17 },
	  "yes (all addresses in replies), no, or at most 16 networks such as 192.0.2.0/24 or 2001:db8::/32, separated by "
	  "commas" },
	{ OPTION_OF_RUN, "min-port", { "1", "65535" }, { "", "0", "65536", "1.5", "1024 " }, "PORT from 1 to 65535" },
	{ OPTION_OF_RUN,
	  "ports",
	  { "1:65535", "4000:4000", "4000" },
	  { "", "0:1", "1:65536", "5:4", "5:", ":5" },
	  "LOW:HIGH or one, ports from 1 to 65535" },
	{ OPTION_OF_RUN, "expect-timeout", { "30", "3600" }, { "", "29", "3601" }, "SECONDS from 30 to 3600" },
	{ OPTION_OF_RUN, "expect-longest", { "0", "3600" }, { "", "3601", "-1" }, "SECONDS from 0 to 3600" },
	{ OPTION_OF_RUN, "expect-max", { "1", "255" }, { "", "0", "256", "4294967297" }, "a number from 1 to 255" },
	{ OPTION_OF_RUN, "label", { "yes", "no" }, { "", "127" }, "yes or no" },
	{ OPTION_OF_RUN, "unregister", { "yes", "no" }, { "", "Yes" }, "yes or no" },
	{ OPTION_OF_RUN,
	  "sessions",
	  { "16", "16777216" },
	  { "", "15", "16777217", "18446744073709551632", "1e3" },
	  "a number from 16 to 16777216" },
	{ OPTION_OF_RUN,
	  "client-sessions",
	  { "1", "16777216" },
	  { "", "0", "16777217" },
	  "a number from 1 to 16777216" },
	{ OPTION_OF_RUN, "client-rate", { "1", "1000000" }, { "", "0", "1000001" }, "a number from 1 to 1000000" },
	{ OPTION_OF_RUN,
	  "share-exempt",
	  { "::/0", "100.64.0.0/10,2001:db8:7::/48,192.0.2.7", networks_16 },
	  { "", ",", "10.0.0.0/8,", "10.0.0.1/8", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/", "10.0.0.0/8x",
	    "2001:db8::1/64", "::/129", "10.0.0.0/-1", "a proxy", "::1/0", networks_17 },
	  "at most 16 networks such as 192.0.2.0/24 or 2001:db8::/32, separated by commas" },
	{ OPTION_OF_RUN, "idle-timeout", { "10", "432000" }, { "", "9", "432001", "1h" }, "SECONDS from 10 to 432000" },
	{ OPTION_OF_RUN,
	  "group",
	  { "adm", "_ftp-users.1", "3proxy" },
	  { "", "-x", "a b", "a:b", "a123456789a23456789a23456789a2345", "0", "123" },
	  "the name of a group, of less than 33 letters, and no number" },
	{ OPTION_OF_SESSIONS,
	  "address",
	  { "192.0.2.1", "192.0.2.0/24", "2001:db8::/32", "::" },
	  { "", "a", "192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/+8", "192.0.2.1,192.0.2.2" },
	  "an address, or a network such as 192.0.2.0/24 or 2001:db8::/32" },
	{ OPTION_OF_EXPLAIN,
	  "live",
	  { "192.0.2.1", "192.0.2.0/24", "2001:db8::/32" },
	  { "", "a", "192.0.2.1/24", "192.0.2.1,192.0.2.2" },
	  "an address, or a network such as 192.0.2.0/24 or 2001:db8::/32" },
	{ OPTION_OF_EXPLAIN, "seconds", { "1", "86400" }, { "", "0", "86401", "1s" }, "a number from 1 to 86400" },
	{ OPTION_OF_METRICS, "textfile", { "-", "/a.prom" }, { "" }, "a path of less than 4096 bytes" },
	{ OPTION_OF_SESSIONS, "port", { "1", "65535" }, { "", "0", "65536", "21,22" }, "PORT from 1 to 65535" },
	{ OPTION_OF_SESSIONS,
	  "state",
	  { "any", "greeting", "middle", "exchange", "ready", "tls", "opaque", "closed" },
	  { "", "READY", "free" },
	  "any, handshake, greeting, middle, exchange, ready, tls, opaque or closed" },
	{ OPTION_OF_RUN, "state-dir", { "/", "a" }, { "" }, "a path of less than 256 bytes" },
	{ OPTION_OF_RUN,
	  "user",
	  { "nfq-ftp", "_nfq.ftp", "64123", "a23456789a23456789a23456789a2345" },
	  { "", "-1", "a b", "a:b", "/root", "a23456789a23456789a23456789a23456" },
	  "a user's name, of less than 33 letters, or number, and not root's" },
	{ OPTION_OF_RUN, "no-sandbox", { "yes", "no" }, { "", "now" }, "yes or no" },
	{ OPTION_OF_RUN, "queue-length", { "1", "1048576" }, { "", "0", "1048577" }, "PACKETS from 1 to 1048576" },
	{ OPTION_OF_RUN,
	  "receive-buffer",
	  { "65536", "1073741824" },
	  { "", "65535", "1073741825" },
	  "BYTES from 65536 to 1073741824" },
	{ OPTION_OF_RUN, "rules", { "yes", "no" }, { "", "apply" }, "yes or no" },
	{ OPTION_OF_RUN, "test-config", { "yes", "no" }, { "", "now" }, "yes or no" },
	{ OPTION_OF_RULES, "apply", { "yes", "no" }, { "", "now" }, "yes or no" },
	{ OPTION_OF_RULES, "remove", { "yes", "no" }, { "", "now" }, "yes or no" },
	{ OPTION_OF_REPLAY, "write", { "out.pcap" }, { "" }, "a path of less than 4096 bytes" },
	{ OPTION_OF_EXPLAIN, "format", { "text", "svg", "html" }, { "", "Text", "pdf" }, "text, svg or html" },
	{ OPTION_OF_EXPLAIN, "output", { "out.txt" }, { "" }, "a path of less than 4096 bytes" },
	{ OPTION_OF_CHECK, "json", { "yes", "no" }, { "", "json" }, "yes or no" },
	{ OPTION_OF_RUN, "verbose", { "yes", "0", "2" }, { "", "3", "no", "-1" }, "a number from 0 to 2" },
	{ OPTION_OF_RUN, "config", { "/etc/x.conf" }, { "" }, "a path of less than 256 bytes" },
	{ OPTION_OF_CHECK, "help", { "yes", "no" }, { "", "me" }, "yes or no" },
};

#define VALUES (sizeof(all_values) / sizeof(all_values[0]))

/* Of option_parse(): what was stored, and what was said. */
static struct option_values stored;
static char said[TEXT_MAX];

static const struct subcommand *subcommand_of(unsigned int commands)
{
	for (size_t i = 0; i < SUBCOMMANDS; i++) {
		if (subcommands[i].page.command & commands)
			return &subcommands[i];
	}
	fail_msg("no subcommand has bits %#x", commands);
	return NULL;
}

/* option_parse() with @arguments, separated by NULLs in an array that ends with one; standard error goes to said. */
static int parse(unsigned int command, const char *const *arguments)
{
	const struct subcommand *subcommand = subcommand_of(command);
	static char name[16], copies[ARGUMENTS_MAX][5000]; /* the operand stays there */
	char *argv[ARGUMENTS_MAX + 2] = { name };
	FILE *file = unit_stream(tmpfile());
	const int before = dup(STDERR_FILENO);
	int argc = 1, code;
	size_t length;

	assert_non_null(file);
	snprintf(name, sizeof(name), "%s", subcommand->name);
	for (; arguments[argc - 1]; argc++) {
		assert_true(argc <= ARGUMENTS_MAX && strlen(arguments[argc - 1]) < sizeof(copies[0]));
		argv[argc] = copies[argc - 1];
		snprintf(argv[argc], sizeof(copies[0]), "%s", arguments[argc - 1]);
	}
	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	code = option_parse(&subcommand->page, &stored, argc, argv);
	fflush(stderr);
	dup2(before, STDERR_FILENO);
	close(before);
	assert_int_equal(fseek(file, 0, SEEK_SET), 0);
	length = fread(said, 1, sizeof(said) - 1, file);
	said[length] = '\0';
	fclose(file);
	return code;
}

#define PARSE(command, ...) parse(command, (const char *const[]){ __VA_ARGS__, NULL })

static void said_is(const char *sentence)
{
	assert_string_equal(said, sentence);
}

static const struct option_row *row_of(const struct values *values)
{
	const struct option_row *row = option_find(values->command, values->name);

	if (!row)
		fail_msg("there is no --%s", values->name);
	return row;
}

static void every_row_has_values_here(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < option_row_count; i++) {
		unsigned int found = 0;

		for (size_t j = 0; j < VALUES; j++)
			found += row_of(&all_values[j]) == &option_rows[i];
		if (found != 1)
			fail_msg("--%s is %u times in all_values", option_rows[i].name, found);
		assert_true(strlen(option_rows[i].help) > 0);
	}
	assert_int_equal(option_row_count, VALUES);
}

/* An option's name means one row to a subcommand, and so does a letter. */
static void names_are_unique(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < option_row_count; i++) {
		for (unsigned int j = 0; j < i; j++) {
			if (!(option_rows[i].commands & option_rows[j].commands))
				continue;
			assert_string_not_equal(option_rows[i].name, option_rows[j].name);
			assert_true(!option_rows[i].letter || option_rows[i].letter != option_rows[j].letter);
		}
	}
}

static void each_has_its_place(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < option_row_count; i++) {
		assert_true(option_rows[i].size > 0 && option_rows[i].at + option_rows[i].size <= sizeof(stored));
		for (unsigned int j = 0; j < i; j++) {
			if (option_rows[i].at < option_rows[j].at + option_rows[j].size &&
			    option_rows[j].at < option_rows[i].at + option_rows[i].size)
				fail_msg("--%s and --%s are stored in one place", option_rows[i].name,
					 option_rows[j].name);
		}
	}
}

/* Nothing outside of the row's place is changed, but that ports are given. */
static void writes_only_its_place(const struct option_row *row)
{
	static struct option_values before;
	const char *const is = (const char *)&stored, *const was = (const char *)&before;
	const size_t end = row->at + row->size;

	option_default(&before);
	before.request.ports.given = row->kind == OPTION_PORTS;
	assert_memory_equal(is, was, row->at);
	assert_memory_equal(is + end, was + end, sizeof(stored) - end);
}

static void takes(void **state)
{
	(void)state;
	for (size_t i = 0; i < VALUES; i++) {
		const struct option_row *row = row_of(&all_values[i]);

		for (const char *const *value = all_values[i].takes; *value; value++) {
			option_default(&stored);
			if (!option_set(row, &stored, *value, true))
				fail_msg("--%s `%s' was not taken", row->name, *value);
			writes_only_its_place(row);
		}
	}
}

/* What the file said, and the command line says otherwise, is no news. */
static void what_was_said_before_leaves_nothing(void **state)
{
	static struct option_values other;

	(void)state;
	for (size_t i = 0; i < VALUES; i++) {
		const struct option_row *row = row_of(&all_values[i]);

		for (const char *const *value = all_values[i].takes; *value && !option_repeats(row); value++) {
			option_default(&stored);
			option_default(&other);
			for (const char *const *before = all_values[i].takes; before < value; before++)
				assert_true(option_set(row, &stored, *before, true));
			assert_true(option_set(row, &stored, *value, row->kind == OPTION_COUNT));
			assert_true(option_set(row, &other, *value, true));
			if (!option_same(row, &stored, &other))
				fail_msg("--%s `%s' is another than itself", row->name, *value);
		}
	}
}

static void refuse(const struct values *values, const char *value)
{
	const struct option_row *row = row_of(values);
	char option[TEXT_MAX], wanted[TEXT_MAX];

	option_default(&stored);
	if (option_set(row, &stored, value, true))
		fail_msg("--%s `%s' was taken", row->name, value);
	if (!row->argument)
		return;
	snprintf(option, sizeof(option), "--%s%s%s", row->name, row->optional ? "=" : "", row->optional ? value : "");
	assert_int_equal(PARSE(values->command, option, row->optional ? NULL : value), EXIT_USAGE);
	snprintf(wanted, sizeof(wanted), "nfq-ftp-helper: --%s `%s' is not possible: it takes %s\n", row->name, value,
		 values->allowed);
	said_is(wanted);
}

static void refuses(void **state)
{
	char allowed[OPTION_ALLOWED_MAX];

	(void)state;
	for (size_t i = 0; i < VALUES; i++) {
		assert_string_equal(option_allowed(row_of(&all_values[i]), allowed), all_values[i].allowed);
		for (const char *const *value = all_values[i].refuses; *value; value++)
			refuse(&all_values[i], *value);
	}
}

static void refuses_long_paths(void **state)
{
	static const char *const names[] = { "state-dir", "config", "write" };
	char path[OPTION_OUT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct option_row *row = option_find(OPTION_OF_ALL, names[i]);

		option_default(&stored);
		snprintf(path, row->size + 1, "%0*d", (int)row->size, 1);
		assert_false(option_set(row, &stored, path, true));
		path[row->size - 1] = '\0';
		assert_true(option_set(row, &stored, path, true));
	}
}

static void stores(void **state)
{
	const struct policy *policy = &stored.run.policy;

	(void)state;
	assert_int_equal(PARSE(OPTION_OF_RUN, "--queue", "3:6", "--sure-queue=7:10", "--mark", "0x10/0xf0", "--ports",
			       "5:9", "--min-port", "70", "--mode", "kmod", "--seqadj", "self", "--zome"),
			 EXIT_USAGE);
	said_is("nfq-ftp-helper: `--zome' is no option; `nfq-ftp-helper run --help' tells more\n");
	assert_int_equal(PARSE(OPTION_OF_RUN, "--queue", "3:6", "--sure-queue=7:10", "--mark", "0x10/0xf0", "--ports",
			       "5:9", "--min-port", "70", "--mode=kmod", "--seqadj=self"),
			 OPTION_GO_ON);
	assert_int_equal(stored.run.attach.queues.first, 3);
	assert_int_equal(queue_range_count(&stored.run.attach.queues), 4);
	assert_int_equal(stored.run.attach.sure_queues.last, 10);
	assert_int_equal(stored.run.attach.mark, 0x10);
	assert_int_equal(stored.run.attach.mark_mask, 0xf0);
	assert_int_equal(policy->port_low, 5);
	assert_int_equal(policy->port_high, 9);
	assert_int_equal(policy->min_port, 70);
	assert_int_equal(stored.run.attach.mode, MODE_KMOD);
	assert_int_equal(stored.run.attach.seqadj, SEQADJ_MODE_SELF);
	assert_int_equal(stored.run.sessions, 65536);
	assert_int_equal(PARSE(OPTION_OF_RULES, "--interface", "a:b,:c", "--zone", "0", "--backend", "iptables",
			       "--port", "1,2"),
			 OPTION_GO_ON);
	assert_int_equal(stored.request.interface_count, 2);
	assert_string_equal(stored.request.interfaces[1].server, "c");
	assert_string_equal(stored.request.carrier, "sane");
	assert_int_equal(stored.request.zone, 0);
	assert_string_equal(backends[stored.backend]->name, "iptables");
	assert_int_equal(stored.request.ports.port[1], 2);
}

static void stores_networks(void **state)
{
	const struct policy *policy = &stored.run.policy;

	(void)state;
	assert_int_equal(PARSE(OPTION_OF_RUN, "--share-exempt", "100.64.0.0/10,2001:db8:7::/48,192.0.2.7"),
			 OPTION_GO_ON);
	assert_int_equal(policy->exempt_count, 3);
	assert_int_equal(policy->exempt[0].family, FAMILY_IPV4);
	assert_int_equal(policy->exempt[0].bits, 10);
	assert_int_equal(policy->exempt[0].address[1], 64);
	assert_int_equal(policy->exempt[1].family, FAMILY_IPV6);
	assert_int_equal(policy->exempt[1].bits, 48);
	assert_int_equal(policy->exempt[1].address[5], 7);
	assert_int_equal(policy->exempt[2].bits, 32);
	/* Said again, there are more. */
	assert_int_equal(PARSE(OPTION_OF_RUN, "--share-exempt", "1.1.1.1,1.1.1.2", "--share-exempt", "::/0"),
			 OPTION_GO_ON);
	assert_int_equal(policy->exempt_count, 3);
	assert_int_equal(policy->exempt[2].family, FAMILY_IPV6);
}

static bool has_port(uint16_t port)
{
	return stored.playback.control_ports[port / 8] >> port % 8 & 1;
}

/* What may be repeated; and what is not there by default once something is named. */
static void adds(void **state)
{
	(void)state;
	assert_int_equal(PARSE(OPTION_OF_REPLAY, "in"), OPTION_GO_ON);
	assert_true(has_port(21));
	assert_string_equal(stored.operand, "in");
	assert_int_equal(PARSE(OPTION_OF_REPLAY, "--port", "1,22", "in", "--port", "65535", "-w", "out"), OPTION_GO_ON);
	assert_true(has_port(1) && has_port(22) && has_port(65535));
	assert_false(has_port(21));
	assert_string_equal(stored.out, "out");
	assert_int_equal(stored.playback.seqadj_by, SEQADJ_SELF);
	assert_int_equal(PARSE(OPTION_OF_REPLAY, "--nat", "10.0.0.2=1.2.3.4", "--nat", "::1=::2", "in"), OPTION_GO_ON);
	assert_int_equal(stored.playback.nat.count, 2);
	assert_int_equal(stored.playback.nat.mappings[0].address[MODEL_OUTSIDE].address[3], 4);
	assert_int_equal(PARSE(OPTION_OF_REPLAY, "--nat", "10.0.0.2=1.2.3.4", "--nat", "10.0.0.2=1.2.3.5", "in"),
			 EXIT_USAGE);
	assert_int_equal(PARSE(OPTION_OF_RUN, "-v"), OPTION_GO_ON);
	assert_int_equal(stored.verbose, 1);
	assert_int_equal(PARSE(OPTION_OF_RUN, "-vvv", "--verbose"), OPTION_GO_ON);
	assert_int_equal(stored.verbose, 2);
}

static void no_more_addresses_than_there_is_room(void **state)
{
	const struct option_row *row = option_find(OPTION_OF_REPLAY, "nat");
	char text[64];

	(void)state;
	option_default(&stored);
	for (int i = 0; i <= NAT_MAX; i++) {
		snprintf(text, sizeof(text), "10.0.%d.%d=192.0.2.1", i / 256, i % 256);
		assert_int_equal(option_set(row, &stored, text, i == 0), i < NAT_MAX);
	}
}

static void loose_is(bool any, unsigned int count, const char *operand)
{
	assert_int_equal(stored.run.policy.loose.any, any);
	assert_int_equal(stored.run.policy.loose.count, count);
	if (operand)
		assert_string_equal(stored.operand, operand);
	else
		assert_null(stored.operand);
}

/* A value that may be missing: an operand or an option behind it is none. */
static void value_may_be_missing(void **state)
{
	(void)state;
	assert_int_equal(PARSE(OPTION_OF_REPLAY, "--loose", "in.pcap"), OPTION_GO_ON);
	loose_is(true, 0, "in.pcap");
	assert_int_equal(PARSE(OPTION_OF_REPLAY, "in.pcap", "--loose"), OPTION_GO_ON);
	loose_is(true, 0, "in.pcap");
	assert_int_equal(PARSE(OPTION_OF_REPLAY, "--loose", "--json", "in.pcap"), OPTION_GO_ON);
	loose_is(true, 0, "in.pcap");
	assert_true(stored.json);
	assert_int_equal(PARSE(OPTION_OF_REPLAY, "--loose", "203.0.113.0/24", "in.pcap"), OPTION_GO_ON);
	loose_is(false, 1, "in.pcap");
	assert_int_equal(PARSE(OPTION_OF_REPLAY, "--loose", "2001:db8::/32", "in.pcap", "--loose=10.0.0.0/8,10.1.2.3"),
			 OPTION_GO_ON);
	loose_is(false, 3, "in.pcap");
	assert_int_equal(PARSE(OPTION_OF_RUN, "--loose", "--loose", "::1"), OPTION_GO_ON);
	loose_is(true, 1, NULL);
	assert_int_equal(PARSE(OPTION_OF_REPLAY, "--loose", "10.0.0.2.pcap"), OPTION_GO_ON);
	loose_is(true, 0, "10.0.0.2.pcap");
	assert_int_equal(PARSE(OPTION_OF_REPLAY, "--loose", "cafe.ba"), OPTION_GO_ON);
	loose_is(true, 0, "cafe.ba");
	assert_int_equal(PARSE(OPTION_OF_REPLAY, "--loose", "./10.0.0.0"), OPTION_GO_ON);
	loose_is(true, 0, "./10.0.0.0");
	assert_int_equal(PARSE(OPTION_OF_RUN, "--loose", "10.0.0.1/8"), EXIT_USAGE);
	said_is("nfq-ftp-helper: --loose `10.0.0.1/8' is not possible: it takes yes (all addresses in replies), no, or at most "
		"16 networks such as 192.0.2.0/24 or 2001:db8::/32, separated by commas\n");
}

static void wrong_usage(void **state)
{
	(void)state;
	assert_int_equal(PARSE(OPTION_OF_RUN, "--mode"), EXIT_USAGE);
	said_is("nfq-ftp-helper: `--mode' needs a value; `nfq-ftp-helper run --help' tells more\n");
	assert_int_equal(PARSE(OPTION_OF_RUN, "-c"), EXIT_USAGE);
	said_is("nfq-ftp-helper: `-c' needs a value; `nfq-ftp-helper run --help' tells more\n");
	assert_int_equal(PARSE(OPTION_OF_CHECK, "--frob"), EXIT_USAGE);
	said_is("nfq-ftp-helper: `--frob' is no option; `nfq-ftp-helper check --help' tells more\n");
	assert_int_equal(PARSE(OPTION_OF_RUN, "-vxv"), EXIT_USAGE);
	said_is("nfq-ftp-helper: `-x' is no option; `nfq-ftp-helper run --help' tells more\n");
	assert_int_equal(PARSE(OPTION_OF_RULES, "--apply=yes"), EXIT_USAGE);
	said_is("nfq-ftp-helper: `--apply=yes' is not possible: this option takes no value; `nfq-ftp-helper rules "
		"--help' tells more\n");
	assert_int_equal(PARSE(OPTION_OF_RULES, "all"), EXIT_USAGE);
	said_is("nfq-ftp-helper: `rules' takes options only, not `all'\n");
	assert_int_equal(PARSE(OPTION_OF_REPLAY, "--json"), EXIT_USAGE);
	said_is("nfq-ftp-helper: no IN.pcap is named; `nfq-ftp-helper replay --help' tells more\n");
	assert_int_equal(PARSE(OPTION_OF_REPLAY, "a", "b"), EXIT_USAGE);
	said_is("nfq-ftp-helper: one IN.pcap at a time, not `b' besides\n");
}

/* The options that a text explains: "--name" and "-x". */
struct names {
	unsigned int count;
	char name[NAMES_MAX][32];
};

/* All of a line that begin with a dash. */
static void add_names(struct names *names, const char *line)
{
	for (const char *at = line; *at; at++) {
		size_t length = 0;

		if (*at != '-' || (at > line && at[-1] != ' '))
			continue;
		while (at[length] == '-' || isalnum((unsigned char)at[length]))
			length++;
		assert_true(names->count < NAMES_MAX && length < sizeof(names->name[0]));
		snprintf(names->name[names->count++], sizeof(names->name[0]), "%.*s", (int)length, at);
		at += length - 1;
	}
}

static bool has_name(const struct names *names, const char *name)
{
	for (unsigned int i = 0; i < names->count; i++) {
		if (strcmp(names->name[i], name) == 0)
			return true;
	}
	return false;
}

/* Each row that @is_meant has its name and letter among @names, and nothing else is there. */
static void compare(const struct names *names, const char *where, unsigned int command, bool of_all)
{
	unsigned int wanted = 0;

	for (unsigned int i = 0; i < option_row_count; i++) {
		const char letter[] = { '-', option_rows[i].letter, '\0' };
		char name[40];

		if (!(option_rows[i].commands & command) || (!of_all && option_rows[i].commands == OPTION_OF_ALL))
			continue;
		snprintf(name, sizeof(name), "--%s", option_rows[i].name);
		if (!has_name(names, name) || (option_rows[i].letter && !has_name(names, letter)))
			fail_msg("%s does not have %s (or its letter)", where, name);
		wanted += option_rows[i].letter ? 2 : 1;
	}
	for (unsigned int i = 0; i < names->count && names->count != wanted; i++)
		print_message("%s has %s\n", where, names->name[i]);
	assert_int_equal(names->count, wanted);
}

static void help_has_each(void **state)
{
	(void)state;
	for (size_t i = 0; i < SUBCOMMANDS; i++) {
		struct names names = { 0 };
		FILE *file = unit_stream(tmpfile());
		char line[256];

		assert_non_null(file);
		option_print_help(&subcommands[i].page, subcommands[i].name, file);
		assert_int_equal(fseek(file, 0, SEEK_SET), 0);
		while (fgets(line, sizeof(line), file)) {
			char *option = line + strspn(line, " "), *behind = strstr(option, "  ");

			assert_true(strlen(line) <= 101);
			if (*option != '-')
				continue;
			assert_non_null(behind);
			*behind = '\0';
			add_names(&names, option);
		}
		fclose(file);
		compare(&names, subcommands[i].name, subcommands[i].page.command, true);
	}
}

/* What the help calls an option's default is what holds without it. */
static void defaults_are_true(void **state)
{
	static struct option_values defaults;
	unsigned int compared = 0;

	(void)state;
	option_default(&defaults);
	for (unsigned int i = 0; i < option_row_count; i++) {
		const char *text = strstr(option_rows[i].help, "default ");
		char value[64];

		if (!text || sscanf(text, "default %63[^;,) ]", value) != 1)
			continue;
		value[strlen(value) - (value[strlen(value) - 1] == ':')] = '\0';
		option_default(&stored);
		if (!option_set(&option_rows[i], &stored, value, true) ||
		    !option_same(&option_rows[i], &stored, &defaults))
			fail_msg("--%s `%s' is not the default", option_rows[i].name, value);
		compared++;
	}
	assert_in_range(compared, 7, option_row_count);
}

/* A tag of the manual as it is read: without what is there for troff. */
static void untroff(char *line)
{
	char *to = line;

	for (const char *from = line; *from; from++) {
		if (*from != '\\' && *from != '"' && *from != '\n')
			*to++ = *from;
	}
	*to = '\0';
}

/* The options that @section explains: tags, the lines that follow a .TP. */
static void read_manual(const char *manual, const char *section, struct names *names)
{
	FILE *file = fopen(manual, "r");
	char line[1024], here[64] = "";
	bool tag = false;

	if (!file) {
		fail_msg("`%s' cannot be read: run this from the tree's root", manual);
		return;
	}
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, ".SH %63[^\n]", here) == 1 || strcmp(here, section) != 0)
			continue;
		if (tag) {
			untroff(line);
			add_names(names, line);
		}
		tag = strcmp(line, ".TP\n") == 0;
	}
	fclose(file);
}

static void manual_has_each(void **state)
{
	struct names of_all = { 0 };

	(void)state;
	for (size_t i = 0; i < SUBCOMMANDS; i++) {
		struct names names = { 0 };

		read_manual(subcommands[i].manual, subcommands[i].section, &names);
		compare(&names, subcommands[i].section, subcommands[i].page.command, false);
	}
	read_manual(MANUAL, "DESCRIPTION", &of_all);
	assert_true(has_name(&of_all, "--help") && has_name(&of_all, "-h"));
	assert_int_equal(of_all.count, 2);
}

/* What the manual says of `run --@name' below its tag. */
static void read_entry(const char *name, char entry[2048])
{
	FILE *file = unit_stream(fopen(MANUAL, "r"));
	char line[1024], here[64] = "";
	bool tag = false, ours = false;

	*entry = '\0';
	while (fgets(line, sizeof(line), file)) {
		struct names names = { 0 };

		if (sscanf(line, ".SH %63[^\n]", here) == 1 || strcmp(here, "RUN") != 0)
			continue;
		if (ours && !tag)
			strncat(entry, line, 2047 - strlen(entry));
		if (tag) {
			untroff(line);
			add_names(&names, line);
			ours = has_name(&names, name);
		}
		tag = strcmp(line, ".TP\n") == 0;
	}
	fclose(file);
}

/* Each number that holds where nothing is said is in the manual. */
static void manual_has_defaults(void **state)
{
	static struct option_values defaults;
	unsigned int compared = 0;

	(void)state;
	option_default(&defaults);
	for (unsigned int i = 0; i < option_row_count; i++) {
		char name[40], wanted[16], entry[2048];
		const char *text;
		uint32_t number;

		if (!(option_rows[i].commands & OPTION_OF_RUN) || !option_number(&option_rows[i], &defaults, &number))
			continue;
		snprintf(name, sizeof(name), "--%s", option_rows[i].name);
		snprintf(wanted, sizeof(wanted), " %u", number);
		read_entry(name, entry);
		text = strstr(entry, "Default");
		text = text ? strstr(text, wanted) : NULL;
		if (!text || isdigit((unsigned char)text[strlen(wanted)]))
			fail_msg("the manual does not say that --%s is%s by default: %s", option_rows[i].name, wanted,
				 entry);
		compared++;
	}
	assert_in_range(compared, 7, option_row_count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_has_values_here),
		cmocka_unit_test(names_are_unique),
		cmocka_unit_test(each_has_its_place),
		cmocka_unit_test(takes),
		cmocka_unit_test(what_was_said_before_leaves_nothing),
		cmocka_unit_test(refuses),
		cmocka_unit_test(refuses_long_paths),
		cmocka_unit_test(stores),
		cmocka_unit_test(stores_networks),
		cmocka_unit_test(adds),
		cmocka_unit_test(no_more_addresses_than_there_is_room),
		cmocka_unit_test(value_may_be_missing),
		cmocka_unit_test(wrong_usage),
		cmocka_unit_test(help_has_each),
		cmocka_unit_test(defaults_are_true),
		cmocka_unit_test(manual_has_each),
		cmocka_unit_test(manual_has_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

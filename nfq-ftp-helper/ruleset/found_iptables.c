// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What iptables-save says. An option and its value become one call of a function; options that are not in the table
 * make a rule narrow, as does a negation.
 */
#include "found.h"
#include "host/program.h"
#include "output/visible.h"

#include <errno.h>
#include <linux/netfilter_ipv4.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 64

struct reading {
	struct found *found;
	const char *family; /* nft's name of it */
	const char *program;
	char table[FOUND_NAME_MAX];

	struct found_rule *rule; /* at hand; of it: */
	const char *match;	 /* the last one that it named */
	char copies;		 /* 's': CONNMARK --save-mark, 'r': --restore-mark */
	uint32_t copied_to;	 /* --nfmask and --ctmask: bits of the packet's mark ... */
	uint32_t copied_from;	 /* ... and of the connection's */
};

struct source {
	const char *save;
	const char *family;
	const char *program;
};

static const struct source sources[] = {
	{ "iptables-save", "ip", "iptables" },
	{ "ip6tables-save", "ip6", "ip6tables" },
};

/* Tables and chains of the same names as those: so they have a family of their own. */
static const struct source legacy_sources[] = {
	{ "iptables-legacy-save", "legacy4", "iptables-legacy" },
	{ "ip6tables-legacy-save", "legacy6", "ip6tables-legacy" },
};

static int priority_of(const char *table)
{
	static const struct {
		const char *table;
		int priority;
	} priorities[] = { { "raw", NF_IP_PRI_RAW },
			   { "mangle", NF_IP_PRI_MANGLE },
			   { "nat", NF_IP_PRI_NAT_DST },
			   { "security", NF_IP_PRI_SECURITY } };

	for (size_t i = 0; i < sizeof(priorities) / sizeof(priorities[0]); i++) {
		if (strcmp(priorities[i].table, table) == 0)
			return priorities[i].priority;
	}
	return NF_IP_PRI_FILTER;
}

/* ":FORWARD DROP [0:0]" */
static int xt_read_chain(struct reading *reading, const char *line)
{
	struct found_chain *chain = found_add_chain(reading->found);
	int name_length = (int)strcspn(line + 1, " ");
	const char *policy = line + 1 + name_length;

	if (!chain)
		return -ENOMEM;
	snprintf(chain->family, sizeof(chain->family), "%s", reading->family);
	snprintf(chain->table, sizeof(chain->table), "%s", reading->table);
	snprintf(chain->name, sizeof(chain->name), "%.*s", name_length, line + 1);
	if (*policy == ' ' && policy[1] != '-')
		chain->hook = found_hook(chain->name);
	chain->priority = priority_of(reading->table);
	chain->iptables = reading->program;
	chain->drops = strncmp(policy, " DROP", 5) == 0;
	return 0;
}

/* A list like "20:22,99". */
static void xt_read_ports(struct reading *reading, const char *value)
{
	reading->rule->ports = FOUND_PORTS_ANY;
	for (const char *at = value; *at; at += strcspn(at, ",")) {
		char *end;
		unsigned long low, high;

		at += *at == ',';
		low = high = strtoul(at, &end, 10);
		if (*end == ':')
			high = strtoul(end + 1, NULL, 10);
		found_ask(reading->found, reading->rule, low, high);
	}
}

static void xt_read_source_ports(struct reading *reading, const char *value)
{
	reading->rule->from_server = true;
	xt_read_ports(reading, value);
}

static void xt_read_states(struct reading *reading, const char *value)
{
	struct found_rule *rule = reading->rule;
	rule->states = FOUND_STATE_OTHER;
	rule->states |= strstr(value, "INVALID") ? FOUND_STATE_INVALID : 0;
	rule->states |= strstr(value, "RELATED") ? FOUND_STATE_RELATED : 0;
	if (strcmp(value, "NEW") == 0)
		rule->states = FOUND_STATE_NEW;
}

static void xt_read_other_states(struct reading *reading, const char *value)
{
	xt_read_states(reading, value);
	reading->rule->states =
		FOUND_STATE_OTHER | (~reading->rule->states & (FOUND_STATE_INVALID | FOUND_STATE_RELATED));
}

/* "0x1/0xff"; without a mask, all bits. Return: the value. */
static uint32_t xt_mark(const char *text, uint32_t *mask)
{
	char *end;
	const uint32_t value = (uint32_t)strtoul(text, &end, 0);

	*mask = *end == '/' ? (uint32_t)strtoul(end + 1, NULL, 0) : UINT32_MAX;
	return value;
}

/* Of `-m connmark' and of `-m mark'. */
static void xt_read_mark(struct reading *reading, const char *value)
{
	struct found_rule *rule = reading->rule;
	struct found_marks *marks = &rule->marks;
	uint32_t mask;

	if (strcmp(reading->match, "mark") == 0) {
		(void)xt_mark(value, &mask);
		marks->packet_asked |= mask;
		rule->narrow = true;
		return;
	}
	marks->connection_value = xt_mark(value, &mask);
	marks->connection_asked |= mask;
	rule->marked = true;
}

static void xt_read_status(struct reading *reading, const char *value)
{
	reading->rule->narrow = true;
	reading->rule->expected = strcmp(value, "EXPECTED") == 0;
}

/* A label's name is in a file of others'. */
static void xt_read_label(struct reading *reading, const char *value)
{
	struct found_rule *rule = reading->rule;
	char *end;
	const unsigned long label = strtoul(value, &end, 10);

	rule->labelled = *value && !*end && label <= UINT8_MAX;
	rule->narrow |= !rule->labelled;
	rule->label = (uint8_t)label;
}

/* Of `-j MARK' and of `-j CONNMARK': bits of the mask are cleared, those of the value turned over. */
static void xt_read_set_mark(struct reading *reading, const char *value)
{
	struct found_rule *rule = reading->rule;
	uint32_t mask, bits = xt_mark(value, &mask);

	if (strcmp(rule->target, "CONNMARK") == 0)
		rule->marks.connection_set |= bits | mask;
	else
		rule->marks.packet_set |= bits | mask;
}

static void xt_read_save(struct reading *reading, const char *value)
{
	(void)value;
	reading->copies = 's';
}

static void xt_read_restore(struct reading *reading, const char *value)
{
	(void)value;
	reading->copies = 'r';
}

static void xt_read_packet_mask(struct reading *reading, const char *value)
{
	reading->copied_to = (uint32_t)strtoul(value, NULL, 0);
}

static void xt_read_connection_mask(struct reading *reading, const char *value)
{
	reading->copied_from = (uint32_t)strtoul(value, NULL, 0);
}

/* What CONNMARK copies, and between which bits, is known when all of its options are. */
static void xt_finish_copy(const struct reading *reading)
{
	struct found_marks *marks = &reading->rule->marks;

	if (reading->copies == 's')
		marks->connection_set |= reading->copied_from | reading->copied_to;
	if (reading->copies != 'r')
		return;
	marks->restored |= reading->copied_from;
	marks->packet_set |= reading->copied_to | reading->copied_from;
}

static void xt_read_match(struct reading *reading, const char *value)
{
	reading->match = value;
}

static void xt_read_protocol(struct reading *reading, const char *value)
{
	reading->rule->foreign = strcmp(value, "tcp") != 0 && strcmp(value, "all") != 0;
}

/* Both `-m helper' and `-j CT' have this option: the second comes behind its -j. */
static void xt_read_helper(struct reading *reading, const char *value)
{
	struct found_rule *rule = reading->rule;
	snprintf(rule->verdict == FOUND_ASSIGN ? rule->helper : rule->if_helper, FOUND_HELPER_MAX, "%s", value);
}

static void xt_read_queue(struct reading *reading, const char *value)
{
	char *end;
	unsigned long first = strtoul(value, &end, 10), last = *end == ':' ? strtoul(end + 1, NULL, 10) : first;

	reading->rule->queues = (struct queue_range){ .given = true, .first = (uint16_t)first, .last = (uint16_t)last };
}

static void xt_read_target(struct reading *reading, const char *value)
{
	struct found_rule *rule = reading->rule;
	static const struct {
		const char *name;
		enum found_verdict verdict;
	} targets[] = {
		{ "ACCEPT", FOUND_ACCEPT },	  { "DROP", FOUND_DROP },	   { "REJECT", FOUND_DROP },
		{ "CT", FOUND_ASSIGN },		  { "NFQUEUE", FOUND_QUEUE },	   { "NOTRACK", FOUND_NOTRACK },
		{ "DNAT", FOUND_TRANSLATE },	  { "REDIRECT", FOUND_TRANSLATE }, { "SYNPROXY", FOUND_SYNPROXY },
		{ "FLOWOFFLOAD", FOUND_OFFLOAD },
	};

	rule->verdict = FOUND_JUMP;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		if (strcmp(targets[i].name, value) == 0)
			rule->verdict = targets[i].verdict;
	}
	snprintf(rule->target, sizeof(rule->target), "%s", value);
	if (rule->verdict == FOUND_QUEUE)
		rule->queues.given = true; /* number 0, where none is named */
}

static void xt_read_notrack(struct reading *reading, const char *value)
{
	(void)value;
	reading->rule->verdict = FOUND_NOTRACK;
}

static void xt_read_zone(struct reading *reading, const char *value)
{
	(void)value;
	reading->rule->zoned = true;
}

/* "10.0.0.2:2121", "[fd00::2]:2121-2125", or "2121" for REDIRECT. */
static void xt_read_destination(struct reading *reading, const char *value)
{
	const char *bracket = strrchr(value, ']'), *colon = strrchr(bracket ? bracket : value, ':');

	if (!colon && strcmp(reading->rule->target, "REDIRECT") != 0)
		return;
	reading->rule->to_port = (uint16_t)strtoul(colon ? colon + 1 : value, NULL, 10);
}

static const struct reader {
	const char *option;
	/* NULL: it says nothing that matters. */
	void (*read)(struct reading *reading, const char *value);
} readers[] = {
	{ "--dport", xt_read_ports },
	{ "--sport", xt_read_source_ports },
	{ "--dports", xt_read_ports },
	{ "--sports", xt_read_source_ports },
	{ "--ports", xt_read_ports },
	{ "--ctstate", xt_read_states },
	{ "--state", xt_read_states },
	{ "--ctstatus", xt_read_status },
	{ "--mark", xt_read_mark },
	{ "--label", xt_read_label },
	{ "--helper", xt_read_helper },
	{ "--notrack", xt_read_notrack },
	{ "--zone", xt_read_zone },
	{ "--zone-orig", xt_read_zone },
	{ "--zone-reply", xt_read_zone },
	{ "--to-destination", xt_read_destination },
	{ "--to-ports", xt_read_destination },
	{ "--queue-num", xt_read_queue },
	{ "--queue-balance", xt_read_queue },
	{ "-j", xt_read_target },
	{ "-g", xt_read_target },
	{ "-m", xt_read_match },
	{ "-p", xt_read_protocol },
	{ "--set-xmark", xt_read_set_mark },
	{ "--set-mark", xt_read_set_mark },
	{ "--save-mark", xt_read_save },
	{ "--restore-mark", xt_read_restore },
	{ "--nfmask", xt_read_packet_mask },
	{ "--ctmask", xt_read_connection_mask },
	{ "--comment", NULL },
	{ "--reject-with", NULL },
};

static void read_option(struct reading *reading, const char *option, const char *value)
{
	if (option[0] != '-') /* the value of the one before */
		return;
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		if (strcmp(readers[i].option, option) == 0) {
			if (readers[i].read)
				readers[i].read(reading, value);
			return;
		}
	}
	/* What a target is told narrows nothing. */
	if (reading->rule->verdict == FOUND_NO_VERDICT)
		reading->rule->narrow = true;
}

/* Take a line apart at its blanks; a word in quotes is one. Return: how many words. */
static size_t split(char *line, char *words[WORDS_MAX])
{
	size_t count = 0;

	while (*line && count < WORDS_MAX) {
		const bool quoted = *line == '"';

		line += quoted;
		words[count++] = line;
		while (*line && *line != (quoted ? '"' : ' '))
			line += line[0] == '\\' && line[1] ? 2 : 1;
		if (!*line)
			break;
		*line++ = '\0';
		line += strspn(line, " ");
	}
	return count;
}

static bool is_state_option(const char *option)
{
	return strcmp(option, "--ctstate") == 0 || strcmp(option, "--state") == 0;
}

/* What is negated asks for something else than its words say; the bits of a mark that it looks at are the same. */
static void xt_read_negated(struct reading *reading, const char *option, const char *value)
{
	struct found_rule *rule = reading->rule;
	const bool marked = rule->marked;

	rule->narrow = true;
	if (strcmp(option, "--mark") == 0)
		xt_read_mark(reading, value);
	rule->marked = marked;
}

static void read_words(struct reading *reading, char *words[WORDS_MAX], size_t count)
{
	reading->match = "";
	reading->copies = '\0';
	reading->copied_to = reading->copied_from = UINT32_MAX;
	for (size_t i = 2; i < count; i++) {
		if (i + 2 < count && strcmp(words[i], "!") == 0 && is_state_option(words[i + 1])) {
			xt_read_other_states(reading, words[i + 2]);
			i += 2;
		} else if (strcmp(words[i], "!") == 0) {
			xt_read_negated(reading, i + 1 < count ? words[i + 1] : "", i + 2 < count ? words[i + 2] : "");
			i++;
		} else {
			read_option(reading, words[i], i + 1 < count ? words[i + 1] : "");
		}
	}
	xt_finish_copy(reading);
}

/* "-A FORWARD -p tcp ... -j ACCEPT"; it is taken apart. */
static int xt_read_rule(struct reading *reading, char *line)
{
	char *words[WORDS_MAX], *whole = strdup(line);
	const size_t count = split(line, words);
	struct found_chain *chain =
		found_chain(reading->found, reading->family, reading->table, count > 1 ? words[1] : "");
	struct found_rule *rule = whole && chain ? found_add_rule(reading->found, chain) : NULL;

	if (!rule) {
		free(whole);
		return chain ? -ENOMEM : 0;
	}
	rule->line = whole;
	found_name_line(reading->found, rule, reading->program, reading->table);
	reading->rule = rule;
	read_words(reading, words, count);
	return 0;
}

static int read_saved(struct reading *reading, char *saved)
{
	char *rest = saved, *line;
	int error = 0;

	while (!error && (line = strsep(&rest, "\n"))) {
		visible_only(line);
		if (line[0] == '*')
			snprintf(reading->table, sizeof(reading->table), "%s", line + 1);
		else if (line[0] == ':')
			error = xt_read_chain(reading, line);
		else if (strncmp(line, "-A ", 3) == 0)
			error = xt_read_rule(reading, line);
	}
	return error;
}

/* All rules that a program knows of. @saved: filled in, where that is a success; free() it. */
static int read_program(struct found *found, const struct source *source, char **saved, char *complaint)
{
	const char *const save[] = { source->save, NULL };
	struct reading reading = { .found = found, .family = source->family, .program = source->program };
	char *text;
	int error = program_run(save, NULL, saved, complaint);

	if (error)
		return error;
	text = strdup(*saved);
	error = text ? read_saved(&reading, text) : -ENOMEM;
	free(text);
	return error;
}

/* Reading what is not there would make it. */
static bool has_legacy(bool ipv6)
{
	FILE *names = fopen(ipv6 ? "/proc/net/ip6_tables_names" : "/proc/net/ip_tables_names", "re");
	const bool has = names && fgetc(names) != EOF;

	if (names)
		fclose(names);
	return has;
}

static int read_legacy(struct found *found, bool ipv6)
{
	char *saved = NULL;
	int error;

	found->legacy = true;
	error = read_program(found, &legacy_sources[ipv6], &saved, NULL);
	free(saved);
	return error == -ENOMEM ? error : 0;
}

/* An `iptables' that says nothing though the old kind of tables is there is of the new kind, and has none. */
int found_iptables_read(struct found *found, bool ipv6, bool *over_nft, char *complaint)
{
	char *saved = NULL;
	int error = read_program(found, &sources[ipv6], &saved, complaint);
	const bool is_nft = saved && strstr(saved, "(nf_tables)");

	if (!error && (is_nft || !*saved) && has_legacy(ipv6))
		error = read_legacy(found, ipv6);
	*over_nft |= is_nft;
	free(saved);
	return error;
}

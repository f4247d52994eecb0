// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation. Every base chain that matters has one jump to a chain of this program's own. iptables-save
 * tells which of both are there; what is written for iptables-restore --noflush is the difference: a chain that is
 * named there is emptied first, a jump is only added where it is missing. Each table changes in one step.
 *
 * In raw the jump comes first: the first CT target that a packet meets is the one that counts. In mangle it comes
 * last: a packet that a queue gives back goes on behind that table, and would miss what stands behind the jump (an
 * MSS clamp, for instance).
 *
 * iptables over nf_tables makes tables and base chains when it first needs them. Which of them were made for us is
 * written down beside our rules, as a comment: then --remove can take them away, and leaves those that were there.
 */
#include "iptables.h"

#include "host/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MADE_CHAIN "nfq-ftp-helper made this base chain"
#define MADE_TABLE "nfq-ftp-helper made this table"

#define LINE_MAX_BYTES 256

struct family {
	const char *name;
	const char *program;
	const char *save;
	const char *restore;
	const char *nft;	/* nft's name of it */
	const char *payload;	/* classic BPF (tcpdump -ddd -y RAW): the TCP payload is not empty */
};

#define FAMILIES 2

/* The IPv6 one sees no payload behind extension headers. */
static const struct family families[FAMILIES] = {
	{ "IPv4", "iptables", "iptables-save", "iptables-restore", "ip",
	  "22,48 0 0 0,84 0 0 240,21 0 18 64,40 0 0 2,2 0 0 1,48 0 0 0,84 0 0 15,100 0 0 2,7 0 0 5,96 0 0 1,28 0 0 0,"
	  "2 0 0 5,177 0 0 0,80 0 0 12,84 0 0 240,116 0 0 2,7 0 0 9,96 0 0 5,28 0 0 0,37 0 1 0,6 0 0 262144,6 0 0 0" },
	{ "IPv6", "ip6tables", "ip6tables-save", "ip6tables-restore", "ip6",
	  "13,48 0 0 0,84 0 0 240,21 0 9 96,40 0 0 4,2 0 0 1,48 0 0 52,84 0 0 240,116 0 0 2,7 0 0 5,96 0 0 1,45 0 1 0,"
	  "6 0 0 262144,6 0 0 0" },
};

/* Our chains. */
enum own {
	OWN_QUEUE,	/* the others of its table jump here: so it is the first to be made, and the last to go */
	OWN_FORWARD,
	OWN_INPUT,
	OWN_POSTROUTING,
	OWN_PREROUTING,
	OWN_OUTPUT,
	OWN_CHAINS,
};

static const struct own_chain {
	const char *table;
	const char *base;	/* NULL: nothing jumps here but our own chains */
	const char *name;
} own_chains[OWN_CHAINS] = {
	[OWN_QUEUE] = { "mangle", NULL, IPTABLES_PREFIX "QUEUE" },
	[OWN_FORWARD] = { "mangle", "FORWARD", IPTABLES_PREFIX "FORWARD" },
	[OWN_INPUT] = { "mangle", "INPUT", IPTABLES_PREFIX "INPUT" },
	[OWN_POSTROUTING] = { "mangle", "POSTROUTING", IPTABLES_PREFIX "POSTROUTING" },
	[OWN_PREROUTING] = { "raw", "PREROUTING", IPTABLES_PREFIX "PREROUTING" },
	[OWN_OUTPUT] = { "raw", "OUTPUT", IPTABLES_PREFIX "OUTPUT" },
};

/* How each of them is, and is to be. */
struct own_state {
	bool wanted;
	bool exists;
	bool jumped;
	bool made_chain;	/* the base chain was made for us */
	bool made_table;
};

struct state {
	struct own_state chain[OWN_CHAINS];
	char *before;		/* what was ours, as iptables-restore takes it */
};

static void want(struct state *state, const struct ruleset_request *request)
{
	for (unsigned int i = 0; i < OWN_CHAINS; i++)
		state->chain[i].wanted = request && (request->run.mode == MODE_QUEUE || i >= OWN_PREROUTING);
}

/* ---- writing ---- */

static void write_ports(const struct ruleset_request *request, const char *which, FILE *out)
{
	fprintf(out, "-p tcp %s--%s", request->port_count > 1 ? "-m multiport " : "", which);
	if (request->port_count > 1)
		fputc('s', out);
	for (unsigned int i = 0; i < request->port_count; i++)
		fprintf(out, "%c%u", i ? ',' : ' ', request->ports[i]);
}

static void write_match(const struct ruleset_request *request, const struct ruleset_place *place,
			const struct ruleset_interfaces *interfaces, FILE *out)
{
	const char *incoming = ruleset_in(place, interfaces), *outgoing = ruleset_out(place, interfaces);

	fprintf(out, "-A " IPTABLES_PREFIX "%s ", place->chain);
	if (incoming)
		fprintf(out, "-i %s ", incoming);
	else if (place->not_lo)
		fputs("! -i lo ", out);
	if (outgoing)
		fprintf(out, "-o %s ", outgoing);
	write_ports(request, place->to_server ? "dport" : "sport", out);
	if (place->from_here)
		fputs(" -m addrtype --src-type LOCAL", out);
}

static void write_target(const struct queue_range *queues, const char *more, FILE *out)
{
	if (queues->first == queues->last)
		fprintf(out, " -j NFQUEUE --queue-num %u%s\n", queues->first, more);
	else
		fprintf(out, " -j NFQUEUE --queue-balance %u:%u%s\n", queues->first, queues->last, more);
}

static void write_queues(const struct ruleset_request *request, const struct family *family, FILE *out)
{
	const struct options *run = &request->run;

	fprintf(out, "-A " IPTABLES_PREFIX "QUEUE -m connmark --mark 0x%x/0x%x", run->mark, run->mark_mask);
	write_target(&run->sure_queues, "", out);
	if (!ruleset_payload_only(request)) {
		fputs("-A " IPTABLES_PREFIX "QUEUE", out);
		write_target(&run->queues, " --queue-bypass", out);
		return;
	}
	fprintf(out, "-A " IPTABLES_PREFIX "QUEUE -m bpf --bytecode \"%s\"", family->payload);
	write_target(&run->queues, " --queue-bypass", out);
	fputs("-A " IPTABLES_PREFIX "QUEUE -p tcp -m tcp ! --tcp-flags SYN,FIN,RST NONE", out);
	write_target(&run->queues, " --queue-bypass", out);
}

static void write_assignments(const struct ruleset_request *request, FILE *out)
{
	for (unsigned int i = 0; i < RULESET_ASSIGN_PLACES * request->interface_count; i++) {
		write_match(request, &ruleset_assign_places[i % RULESET_ASSIGN_PLACES],
			    &request->interfaces[i / RULESET_ASSIGN_PLACES], out);
		fprintf(out, " -j CT --helper %s", ruleset_helper(request));
		if (request->zone >= 0)
			fprintf(out, " --zone %d", request->zone);
		fputc('\n', out);
	}
}

static void write_queueing(const struct ruleset_request *request, const struct family *family, FILE *out)
{
	write_queues(request, family, out);
	for (unsigned int i = 0; i < RULESET_QUEUE_PLACES * request->interface_count; i++) {
		write_match(request, &ruleset_queue_places[i % RULESET_QUEUE_PLACES],
			    &request->interfaces[i / RULESET_QUEUE_PLACES], out);
		fputs(" -j " IPTABLES_PREFIX "QUEUE\n", out);
	}
}

/* What was made for us, and what is about to be. */
static void write_made(const struct own_state *state, const struct own_chain *chain, FILE *out)
{
	if (state->made_chain)
		fprintf(out, "-A %s -m comment --comment \"" MADE_CHAIN "\"\n", chain->name);
	if (state->made_table)
		fprintf(out, "-A %s -m comment --comment \"" MADE_TABLE "\"\n", chain->name);
}

static bool is_touched(const struct own_state *state)
{
	return state->wanted || state->exists || state->jumped;
}

/* How a jump is added: first, or last. */
static char jump_command(const char *table)
{
	return strcmp(table, "raw") == 0 ? 'I' : 'A';
}

/* Chains are named before anything jumps to them, and jumps taken away before the chains are. */
static void write_chains(const struct state *state, const char *table, FILE *out)
{
	for (unsigned int i = 0; i < OWN_CHAINS; i++) {
		if (strcmp(own_chains[i].table, table) == 0 && is_touched(&state->chain[i]))
			fprintf(out, ":%s - [0:0]\n", own_chains[i].name);
	}
	for (unsigned int i = 0; i < OWN_CHAINS; i++) {
		const struct own_state *own = &state->chain[i];
		const struct own_chain *chain = &own_chains[i];

		if (strcmp(chain->table, table) != 0 || !chain->base || own->wanted == own->jumped)
			continue;
		fprintf(out, "-%c %s -j %s\n", own->jumped ? 'D' : jump_command(table), chain->base,
			chain->name);
	}
	for (unsigned int i = OWN_CHAINS; i-- > 0;) {
		if (strcmp(own_chains[i].table, table) == 0 && is_touched(&state->chain[i]) && !state->chain[i].wanted)
			fprintf(out, "-X %s\n", own_chains[i].name);
	}
	for (unsigned int i = 0; i < OWN_CHAINS; i++) {
		if (strcmp(own_chains[i].table, table) == 0 && state->chain[i].wanted)
			write_made(&state->chain[i], &own_chains[i], out);
	}
}

static bool is_table_touched(const struct state *state, const char *table)
{
	for (unsigned int i = 0; i < OWN_CHAINS; i++) {
		if (strcmp(own_chains[i].table, table) == 0 && is_touched(&state->chain[i]))
			return true;
	}
	return false;
}

/* What leads from @state to what is wanted; @request only matters where something is. */
static void write_family(const struct ruleset_request *request, const struct family *family, const struct state *state,
			 FILE *out)
{
	if (is_table_touched(state, "raw")) {
		fputs("*raw\n", out);
		write_chains(state, "raw", out);
		if (request && state->chain[OWN_PREROUTING].wanted)
			write_assignments(request, out);
		fputs("COMMIT\n", out);
	}
	if (is_table_touched(state, "mangle")) {
		fputs("*mangle\n", out);
		write_chains(state, "mangle", out);
		if (request && state->chain[OWN_QUEUE].wanted)
			write_queueing(request, family, out);
		fputs("COMMIT\n", out);
	}
}

void iptables_write(const struct ruleset_request *request, FILE *out)
{
	struct state state = { 0 };

	want(&state, request);
	for (unsigned int i = 0; i < FAMILIES; i++) {
		fprintf(out, "# %s, for %s --noflush\n", families[i].name, families[i].restore);
		write_family(request, &families[i], &state, out);
	}
}

/* ---- looking ---- */

/* One line of iptables-save, of @table. */
static void look_at_line(struct state *state, const char *table, const char *line)
{
	char expected[LINE_MAX_BYTES];

	for (unsigned int i = 0; i < OWN_CHAINS; i++) {
		const struct own_chain *chain = &own_chains[i];
		struct own_state *own = &state->chain[i];

		if (strcmp(chain->table, table) != 0)
			continue;
		snprintf(expected, sizeof(expected), ":%s ", chain->name);
		own->exists |= strncmp(line, expected, strlen(expected)) == 0;
		snprintf(expected, sizeof(expected), "-A %s -j %s", chain->base ? chain->base : "", chain->name);
		own->jumped |= strcmp(line, expected) == 0;
		snprintf(expected, sizeof(expected), "-A %s -m comment --comment \"" MADE_CHAIN "\"", chain->name);
		own->made_chain |= strcmp(line, expected) == 0;
		snprintf(expected, sizeof(expected), "-A %s -m comment --comment \"" MADE_TABLE "\"", chain->name);
		own->made_table |= strcmp(line, expected) == 0;
	}
}

/* Does one of our chains' names stand here? A stranger's may begin like ours. */
static bool is_own_name(const char *at)
{
	const size_t length = strcspn(at, " ");

	for (unsigned int i = 0; i < OWN_CHAINS; i++) {
		if (strlen(own_chains[i].name) == length && strncmp(at, own_chains[i].name, length) == 0)
			return true;
	}
	return false;
}

/* Keep a line that is ours, or that frames one that may be, for the case that we must go back to it. */
static void keep_line(const char *table, const char *line, FILE *kept)
{
	const bool rule = strncmp(line, "-A ", 3) == 0, own = rule && is_own_name(line + 3);
	const char *jump = strstr(line, " -j ");

	if (rule && !own && jump && is_own_name(jump + 4))
		fprintf(kept, "-%c%s\n", jump_command(table), line + 2);
	else if (line[0] == '*' || strcmp(line, "COMMIT") == 0 || own || (line[0] == ':' && is_own_name(line + 1)))
		fprintf(kept, "%s\n", line);
}

/* @saved: iptables-save's output; it is taken apart. */
static void look_at(struct state *state, char *saved, FILE *kept)
{
	char table[32] = "", *rest = saved, *line;
	bool ours = false;

	while ((line = strsep(&rest, "\n"))) {
		if (line[0] == '*') {
			snprintf(table, sizeof(table), "%s", line + 1);
			ours = strcmp(table, "raw") == 0 || strcmp(table, "mangle") == 0;
		}
		if (!ours)
			continue;
		look_at_line(state, table, line);
		keep_line(table, line, kept);
	}
}

/* @state: filled in; its text is the caller's to free, also on failure. */
static int look(const struct family *family, struct state *state, char *complaint)
{
	const char *const argv[] = { family->save, NULL };
	char *saved = NULL;
	size_t length;
	FILE *kept;
	int error;

	memset(state, 0, sizeof(*state));
	error = program_run(argv, NULL, &saved, complaint);
	if (error)
		return error;
	kept = open_memstream(&state->before, &length);
	if (kept)
		look_at(state, saved, kept);
	free(saved);
	return kept && fclose(kept) == 0 ? 0 : -ENOMEM;
}

/* nft's view of a table. Return: to be freed; NULL: there is no such table, or no nft. */
static char *nft_table(const struct family *family, const char *table)
{
	const char *const argv[] = { "nft", "list", "table", family->nft, table, NULL };
	char complaint[PROGRAM_COMPLAINT_MAX], *text = NULL;

	return program_run(argv, NULL, &text, complaint) ? NULL : text;
}

/* Does iptables work over nf_tables, and is there an nft to look at that? */
static bool is_over_nft(const struct family *family)
{
	const char *const version[] = { family->program, "--version", NULL };
	const char *const nft[] = { "nft", "--version", NULL };
	char complaint[PROGRAM_COMPLAINT_MAX], *text = NULL;
	bool over = program_run(version, NULL, &text, complaint) == 0 && strstr(text, "nf_tables");

	free(text);
	return over && program_run(nft, NULL, NULL, complaint) == 0;
}

static bool has_chain(const char *table, const char *chain)
{
	char line[LINE_MAX_BYTES];

	snprintf(line, sizeof(line), "\tchain %s {\n", chain);
	return strstr(table, line) != NULL;
}

/* Note which tables and base chains will have to be made. */
static void foresee(const struct family *family, struct state *state)
{
	if (!is_over_nft(family))
		return;
	for (unsigned int i = 0; i < OWN_CHAINS; i++) {
		struct own_state *own = &state->chain[i];
		char *table;

		if (!own->wanted || own->jumped || !own_chains[i].base)
			continue;
		table = nft_table(family, own_chains[i].table);
		own->made_table |= !table;
		own->made_chain |= !table || !has_chain(table, own_chains[i].base);
		free(table);
	}
}

/* ---- doing ---- */

/* Nothing in it, and it lets everything pass. */
static bool is_idle(const char *table, const char *chain)
{
	char line[LINE_MAX_BYTES];
	const char *at;

	snprintf(line, sizeof(line), "\tchain %s {\n", chain);
	at = strstr(table, line);
	if (!at)
		return false;
	at = strchr(at + strlen(line), '\n');
	return at && strncmp(at, "\n\t}\n", 4) == 0 && memmem(at - 16, 16, "policy accept;", 14);
}

static void drop_base_chain(const struct family *family, const struct own_chain *chain)
{
	const char *const argv[] = { family->program, "-w", "5", "-t", chain->table, "-X", chain->base, NULL };
	char complaint[PROGRAM_COMPLAINT_MAX], *table = nft_table(family, chain->table);

	if (table && is_idle(table, chain->base))
		(void)program_run(argv, NULL, NULL, complaint);
	free(table);
}

static void drop_table(const struct family *family, const char *name)
{
	const char *const argv[] = { "nft", "delete", "table", family->nft, name, NULL };
	char complaint[PROGRAM_COMPLAINT_MAX], *table = nft_table(family, name), empty[64];

	snprintf(empty, sizeof(empty), "table %s %s {\n}\n", family->nft, name);
	if (table && strcmp(table, empty) == 0)
		(void)program_run(argv, NULL, NULL, complaint);
	free(table);
}

/* Take away what was made for chains that are gone now. */
static void tidy(const struct family *family, const struct state *state)
{
	for (unsigned int i = 0; i < OWN_CHAINS; i++) {
		const struct own_state *own = &state->chain[i];

		if (own->made_chain && !own->wanted)
			drop_base_chain(family, &own_chains[i]);
	}
	for (unsigned int i = 0; i < OWN_CHAINS; i++) {
		const struct own_state *own = &state->chain[i];

		if (own->made_table && !own->wanted)
			drop_table(family, own_chains[i].table);
	}
}

static int restore(const struct family *family, const char *text, char *complaint)
{
	const char *const argv[] = { family->restore, "-w", "5", "--noflush", NULL };

	return text[0] ? program_run(argv, text, NULL, complaint) : 0;
}

static int change_to(const struct family *family, const struct ruleset_request *request, struct state *state,
		     char *complaint)
{
	char *text = NULL;
	size_t length;
	FILE *out;
	int error;

	want(state, request);
	foresee(family, state);
	out = open_memstream(&text, &length);
	if (!out)
		return -ENOMEM;
	write_family(request, family, state, out);
	error = fclose(out) ? -ENOMEM : restore(family, text, complaint);
	free(text);
	if (!error)
		tidy(family, state);
	return error;
}

/* Bring one family to what @request wants; NULL: to nothing of ours. @before: filled in, to go back; NULL: no need. */
static int change(const struct family *family, const struct ruleset_request *request, char **before, char *complaint)
{
	struct state state;
	int error = look(family, &state, complaint);

	if (!error)
		error = change_to(family, request, &state, complaint);
	if (before)
		*before = state.before;
	else
		free(state.before);
	return error;
}

/* Without IPv6 in the kernel there is nothing to filter. */
static bool is_present(const struct family *family)
{
	return strcmp(family->nft, "ip6") != 0 || access("/proc/net/if_inet6", F_OK) == 0;
}

/* Is there still what was there before? */
static bool is_unchanged(const struct family *family, const char *before)
{
	char complaint[PROGRAM_COMPLAINT_MAX];
	struct state now;
	bool same = look(family, &now, complaint) == 0 && strcmp(now.before, before) == 0;

	free(now.before);
	return same;
}

/* After a failure: every family back to what it had. */
static void undo(char *const before[FAMILIES])
{
	char complaint[PROGRAM_COMPLAINT_MAX];

	for (unsigned int i = 0; i < FAMILIES; i++) {
		if (before[i] && !is_unchanged(&families[i], before[i]) &&
		    change(&families[i], NULL, NULL, complaint) == 0)
			(void)restore(&families[i], before[i], complaint);
	}
}

static void explain(const struct ruleset_request *request, const struct family *family, int error,
		    const char *complaint)
{
	if (error == -ENOENT)
		fprintf(stderr, "rules: %s: install iptables, or use --backend nft\n", complaint);
	else if (request->run.mode == MODE_QUEUE)
		fprintf(stderr, "rules: %s did not take the rules, so nothing was changed: %s\n", family->restore,
			complaint);
	else
		fprintf(stderr,
			"rules: %s did not take the rules, so nothing was changed (does the kernel know helper "
			"`" RULESET_HELPER "' yet? %s first): %s\n",
			family->restore,
			request->run.mode == MODE_KMOD ? "load nf_conntrack_nfqftp"
						       : "start `nfq-ftp-helper run --mode cthelper'",
			complaint);
}

int iptables_apply(const struct ruleset_request *request)
{
	char complaint[PROGRAM_COMPLAINT_MAX] = "", *before[FAMILIES] = { NULL };
	int error = 0;

	for (unsigned int i = 0; i < FAMILIES && !error; i++) {
		if (!is_present(&families[i]))
			continue;
		error = change(&families[i], request, &before[i], complaint);
		if (error) {
			undo(before);
			explain(request, &families[i], error, complaint);
		}
	}
	for (unsigned int i = 0; i < FAMILIES; i++)
		free(before[i]);
	return error;
}

int iptables_remove(void)
{
	int failure = 0;

	for (unsigned int i = 0; i < FAMILIES; i++) {
		char complaint[PROGRAM_COMPLAINT_MAX] = "";
		int error = is_present(&families[i]) ? change(&families[i], NULL, NULL, complaint) : 0;

		if (!error || error == -ENOENT)
			continue;
		fprintf(stderr, "rules: the chains of %s could not be removed: %s\n", families[i].program, complaint);
		failure = error;
	}
	return failure;
}

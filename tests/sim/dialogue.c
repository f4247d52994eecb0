// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The script: what client and server will have written by the end, and the oracle's knowledge of it. Every announcement
 * is noted with what it may open; this file knows that from what it made up, not from reading its own text.
 */
#include "sim.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

#define ENOUGH	     (STREAM_MAX - 3500)
#define PIPELINE_MAX 4 /* exchanges; each may be two commands */

/* What precedes a record's content; which type and version it has does not matter. */
static void write_record(char *text, uint32_t length)
{
	text[0] = (char)(20 + length % 4);
	text[1] = 3;
	text[2] = (char)(length % 5);
	text[3] = (char)(length >> 8);
	text[4] = (char)length;
}

__attribute__((format(printf, 3, 4))) static void say(struct script *script, enum side side, const char *format, ...)
{
	char text[1200];
	va_list args;
	int n = 0;

	va_start(args, format);
	if (script->opaque)
		n = TLS_HEADER_LENGTH;
	n += vsnprintf(text + n, sizeof(text) - (size_t)n, format, args);
	va_end(args);
	if (script->opaque)
		write_record(text, (uint32_t)n - TLS_HEADER_LENGTH);
	memcpy(script->stream[side] + script->length[side], text, (size_t)n);
	script->length[side] += (uint32_t)n;
	for (int i = 0; i < n; i++)
		script->lines[side] += text[i] == '\n';
}

static void close_gate(struct script *script, enum side side, uint32_t lines, uint32_t delay)
{
	script->gate[side][script->gates[side]++] = (struct gate){ script->length[side], lines, delay };
}

/* The server's answer, once it has read all that the client has said so far. */
static void answered(struct sim *sim, uint32_t delay)
{
	close_gate(&sim->script, SERVER, sim->script.lines[CLIENT],
		   delay + (sim_chance(sim, 200) ? sim_pick(sim, 300000) : 0));
}

static uint32_t write_address(enum notation notation, const struct endpoint *e, char delimiter, bool long_form,
			      char *text, size_t size)
{
	const uint8_t *a = e->address;
	char name[INET6_ADDRSTRLEN];
	int n = 0;

	switch (notation) {
	case NOTATION_HOST_PORT:
		return (uint32_t)snprintf(text, size, "%u,%u,%u,%u,%u,%u", a[0], a[1], a[2], a[3], e->port / 256u,
					  e->port % 256u);
	case NOTATION_LONG:
		n = snprintf(text, size, "%u,%d", e->family, e->family == FAMILY_IPV4 ? 4 : 16);
		for (int i = 0; i < (e->family == FAMILY_IPV4 ? 4 : 16); i++)
			n += snprintf(text + n, size - (size_t)n, ",%u", a[i]);
		return (uint32_t)(n + snprintf(text + n, size - (size_t)n, ",2,%u,%u", e->port / 256u, e->port % 256u));
	case NOTATION_EXTENDED_PORT:
		return (uint32_t)snprintf(text, size, "(%c%c%c%u%c)", delimiter, delimiter, delimiter, e->port,
					  delimiter);
	default:
		break;
	}
	if (long_form && e->family == FAMILY_IPV6)
		snprintf(name, sizeof(name), "%02X%02x:%02x%02X:%02x%02x:%x:%02x%02x:%02x%02x:%02x%02x:%02x%02x", a[0],
			 a[1], a[2], a[3], a[4], a[5], a[6] << 8 | a[7], a[8], a[9], a[10], a[11], a[12], a[13], a[14],
			 a[15]);
	else
		inet_ntop(e->family == FAMILY_IPV4 ? AF_INET : AF_INET6, a, name, sizeof(name));
	return (uint32_t)snprintf(text, size, "%c%d%c%s%c%u%c", delimiter, e->family == FAMILY_IPV4 ? 1 : 2, delimiter,
				  name, delimiter, e->port, delimiter);
}

/* The argument as it must read behind the router. */
uint32_t dialogue_format(struct sim *sim, const struct promise *promise, uint16_t port, char *text)
{
	struct endpoint shown = sim->around.outside[promise->by];

	shown.port = port;
	return write_address((enum notation)promise->notation, &shown, promise->delimiter, false, text, 128);
}

enum fault { FAULT_NONE, FAULT_THIRD_PARTY, FAULT_LOW_PORT, FAULT_OCTET, FAULT_SHORT, FAULTS };

static enum opens what_opens(const struct sim *sim, enum fault fault)
{
	const struct script *script = &sim->script;

	if (fault != FAULT_NONE || !script->is_ftp || script->opaque)
		return MUST_NOT;
	/* Where bytes pass unseen in TLS, or third parties speak, it may not be known where it ends. */
	return script->left_tls && (sim->schedule.upset || sim->adversary.present) ? MAY : MUST;
}

static uint32_t digits(uint16_t port)
{
	return (uint32_t)snprintf(NULL, 0, "%u", port);
}

/* A foreign address: of a server behind NAT any, else one that cannot be reached, which of those drawn are those of 10/8 (schedule.c). */
static bool stands_for_server(const struct sim *sim, enum side side, const struct endpoint *foreign)
{
	const struct surroundings *around = &sim->around;

	return side == SERVER && (!endpoint_address_equal(&around->inside[SERVER], &around->outside[SERVER]) ||
				  (foreign->family == FAMILY_IPV4 && foreign->address[0] == 10));
}

/* Writes prefix, an argument and suffix (which ends the line), and makes a promise of it. */
static struct promise *announce(struct sim *sim, enum side side, enum notation notation, enum fault fault,
				const char *prefix, const char *suffix)
{
	struct script *script = &sim->script;
	struct promise *promise = &script->promise[script->promises++];
	struct endpoint shown;
	char text[160], *last;

	promise->by = (uint8_t)side;
	promise->notation = (uint8_t)notation;
	promise->exchange = (uint8_t)script->exchanges;
	promise->public_name = sim_chance(sim, 150);
	promise->delimiter = '|';
	if ((notation == NOTATION_EXTENDED || notation == NOTATION_EXTENDED_PORT) && sim_chance(sim, 150))
		promise->delimiter = "!$#/"[sim_pick(sim, 4)];
	shown = promise->public_name ? sim->around.outside[side] : sim->around.inside[side];
	shown.port = script->next_port;
	script->next_port = (uint16_t)(script->next_port + 1 + sim_pick(sim, 300));
	if (fault == FAULT_THIRD_PARTY && notation != NOTATION_EXTENDED_PORT) {
		shown.address[1] ^= 0x55;
		promise->mended = stands_for_server(sim, side, &shown);
		if (promise->mended)
			fault = FAULT_NONE;
	} else if (fault == FAULT_LOW_PORT || fault == FAULT_THIRD_PARTY)
		shown.port = (uint16_t)(1 + sim_pick(sim, 1023));
	promise->port = shown.port;
	promise->line = script->length[side];
	say(script, side, "%s", prefix);
	promise->argument = script->length[side];
	promise->length = write_address(notation, &shown, promise->delimiter, sim_chance(sim, 200), text, sizeof(text));
	last = strrchr(text, promise->delimiter);
	if (fault == FAULT_SHORT) /* without its port, or a sign more */
		promise->length = (uint32_t)(last - text) - digits(shown.port) - sim_pick(sim, 2);
	if (fault == FAULT_OCTET && (notation == NOTATION_HOST_PORT || notation == NOTATION_LONG))
		promise->length += (uint32_t)sprintf(text + promise->length, "999");
	else if (fault == FAULT_OCTET) /* in the last delimiter's place, and what is behind it */
		promise->length = (uint32_t)(last - text) + (uint32_t)sprintf(last, "999");
	text[promise->length] = 0;
	say(script, side, "%s%s", text, suffix);
	promise->end = script->length[side];
	promise->opens = (uint8_t)what_opens(sim, fault);
	promise->hidden = fault == FAULT_NONE && promise->opens == MUST_NOT;
	promise->whole = fault == FAULT_NONE;
	promise->in_tls = script->opaque;
	return promise;
}

/* It is the text of something else. */
static struct promise *quoted(struct promise *promise)
{
	promise->opens = MUST_NOT;
	promise->whole = false;
	return promise;
}

/* FAULT_SHORT cuts the port: what remains of a list of numbers would be legal by chance. */
static enum fault pick_fault(struct sim *sim, enum notation notation)
{
	enum fault fault = sim_chance(sim, 850) ? FAULT_NONE : (enum fault)(1 + sim_pick(sim, FAULTS - 1));

	if (fault == FAULT_SHORT && (notation == NOTATION_HOST_PORT || notation == NOTATION_LONG))
		fault = FAULT_OCTET;
	return fault;
}

static const char *spelling(struct sim *sim, const char *upper, const char *lower)
{
	return sim_chance(sim, 150) ? lower : upper;
}

static void exchange_active(struct sim *sim)
{
	struct script *script = &sim->script;
	unsigned int way = sim_pick(sim, 4);
	bool v6 = sim->schedule.family == FAMILY_IPV6;
	const char *end = sim_chance(sim, 100) ? "\n" : "\r\n";
	struct promise *promise;

	if (way <= 1 && !v6)
		promise = announce(sim, CLIENT, NOTATION_HOST_PORT, pick_fault(sim, NOTATION_HOST_PORT),
				   spelling(sim, "PORT ", "port "), end);
	else if (way <= 2)
		promise = announce(sim, CLIENT, NOTATION_EXTENDED, pick_fault(sim, NOTATION_EXTENDED),
				   spelling(sim, "EPRT ", "Eprt "), end);
	else
		promise = announce(sim, CLIENT, NOTATION_LONG, pick_fault(sim, NOTATION_LONG),
				   spelling(sim, "LPRT ", "lprt "), end);
	promise->answer = sim_chance(sim, 800) ? 2 : 5;
	say(script, SERVER,
	    promise->answer == 2 ? "200 PORT command successful.\r\n" : "500 Illegal PORT command.\r\n");
	promise->answered = script->length[SERVER];
	answered(sim, 0);
}

/* Returns true where it was answered by what nobody had asked for: PASV behind it would have. */
static bool exchange_passive(struct sim *sim)
{
	struct script *script = &sim->script;
	unsigned int way = sim_pick(sim, 4);
	bool v6 = sim->schedule.family == FAMILY_IPV6;
	bool refused = sim_chance(sim, 100), unasked = sim_chance(sim, 120);
	struct promise *promise;

	if (way <= 1 && v6)
		way = 2;
	say(script, CLIENT, "%s\r\n",
	    unasked  ? "NOOP" :
	    way <= 1 ? spelling(sim, "PASV", "pasv") :
	    way == 2 ? spelling(sim, "EPSV", "epsv") :
		       "LPSV");
	if (refused) {
		say(script, SERVER, "425 Cannot open a passive connection.\r\n");
		answered(sim, 0);
		return false;
	}
	if (way == 0)
		promise = announce(sim, SERVER, NOTATION_HOST_PORT, pick_fault(sim, NOTATION_HOST_PORT),
				   "227 Entering Passive Mode (", ").\r\n");
	else if (way == 1)
		promise = announce(sim, SERVER, NOTATION_HOST_PORT, pick_fault(sim, NOTATION_HOST_PORT),
				   sim_chance(sim, 500) ? "227 =" : "227 ", "\r\n");
	else if (way == 2)
		promise = announce(sim, SERVER, NOTATION_EXTENDED_PORT, pick_fault(sim, NOTATION_EXTENDED_PORT),
				   "229 Entering Extended Passive Mode ", "\r\n");
	else
		promise = announce(sim, SERVER, NOTATION_LONG, pick_fault(sim, NOTATION_LONG),
				   "228 Entering Long Passive Mode (", ")\r\n");
	if (unasked)
		promise->opens = MUST_NOT;
	answered(sim, 0);
	return unasked;
}

/* An announcement that is text of another reply. */
static void exchange_help(struct sim *sim)
{
	struct script *script = &sim->script;

	say(script, CLIENT, sim_chance(sim, 500) ? "HELP\r\n" : sim_chance(sim, 500) ? "SITE\r\n" : "STAT\r\n");
	say(script, SERVER, "214-The following commands are recognized.\r\n");
	if (sim->schedule.family == FAMILY_IPV4)
		quoted(announce(sim, SERVER, NOTATION_HOST_PORT, FAULT_NONE, "227 Entering Passive Mode (", ").\r\n"));
	quoted(announce(sim, SERVER, NOTATION_EXTENDED_PORT, FAULT_NONE, "229 Entering Extended Passive Mode ",
			"\r\n"));
	say(script, SERVER, " EPSV PASV\r\n214 Help OK.\r\n");
	answered(sim, 0);
}

/* With a transfer under way its command is answered too: two commands, two final replies. */
static void exchange_abort(struct sim *sim)
{
	struct script *script = &sim->script;
	bool under_way = sim_chance(sim, 500);

	if (under_way)
		say(script, CLIENT, "RETR large\r\n");
	say(script, CLIENT, "\377\364\377\362");
	if (script->urgents[CLIENT] < 4 && sim_chance(sim, 700))
		script->urgent[CLIENT][script->urgents[CLIENT]++] = script->length[CLIENT];
	say(script, CLIENT, "ABOR\r\n");
	if (under_way)
		say(script, SERVER, "150 Here it comes.\r\n426 Transfer aborted.\r\n");
	say(script, SERVER, "226 Abort successful.\r\n");
	answered(sim, 0);
}

static void exchange_transfer(struct sim *sim)
{
	struct script *script = &sim->script;

	say(script, CLIENT, "%s\r\n", sim_chance(sim, 500) ? "LIST -al" : "RETR a/file name.bin");
	if (sim_chance(sim, 150)) {
		say(script, SERVER, "550 No such file.\r\n");
		answered(sim, 0);
		return;
	}
	say(script, SERVER, "150 Here it comes.\r\n");
	answered(sim, 0);
	say(script, SERVER, "226 Transfer complete.\r\n");
	answered(sim, sim_chance(sim, 300) ? sim_pick(sim, 500000) : 0);
}

/* Only to a hostile server: a name that would open something, were it taken for a command. */
static void exchange_name(struct sim *sim)
{
	struct script *script = &sim->script;
	enum notation notation = sim->schedule.family == FAMILY_IPV4 ? NOTATION_HOST_PORT : NOTATION_EXTENDED;

	say(script, CLIENT, "STOR ");
	quoted(announce(sim, CLIENT, notation, FAULT_NONE, notation == NOTATION_HOST_PORT ? "PORT " : "EPRT ", "\r\n"));
	say(script, SERVER, "553 No.\r\n");
	answered(sim, 0);
}

/* Only to a hostile client: a server that repeats what it was told. */
static void exchange_echo(struct sim *sim)
{
	struct script *script = &sim->script;
	struct promise *promise;

	say(script, SERVER, "331 User ");
	if (sim->schedule.family == FAMILY_IPV4)
		promise = announce(sim, SERVER, NOTATION_HOST_PORT, FAULT_NONE, "227 Entering Passive Mode (",
				   ") ok\r\n");
	else
		promise = announce(sim, SERVER, NOTATION_EXTENDED_PORT, FAULT_NONE,
				   "229 Entering Extended Passive Mode ", " ok\r\n");
	quoted(promise);
	say(script, CLIENT, "USER %.*s\r\n%s\r\n", (int)(promise->end - 2 - promise->line),
	    script->stream[SERVER] + promise->line, promise->notation == NOTATION_HOST_PORT ? "PASV" : "EPSV");
	say(script, SERVER, "530 Log in first.\r\n");
	answered(sim, 0);
}

/* A browser's request; its cookie was set by the hostile server that it goes to. */
static void request(struct sim *sim)
{
	struct script *script = &sim->script;
	bool v4 = sim->schedule.family == FAMILY_IPV4;

	say(script, CLIENT, "GET / HTTP/1.1\r\nHost: ftp.example:21\r\nCookie: id=");
	quoted(announce(sim, CLIENT, v4 ? NOTATION_HOST_PORT : NOTATION_EXTENDED, FAULT_NONE, v4 ? "PORT " : "EPRT ",
			"\r\n"));
	say(script, CLIENT, "Accept: */*\r\n\r\n");
	close_gate(script, CLIENT, script->lines[SERVER], 0);
	say(script, SERVER, sim_chance(sim, 500) ? "220 x\r\n" : "HTTP/1.1 200 OK\r\n\r\n");
	answered(sim, 0);
}

static void browse(struct sim *sim)
{
	struct script *script = &sim->script;

	script->is_ftp = false;
	script->fast_open = adversary_chance(sim, 400);
	for (script->exchanges = 0; script->exchanges < 5; script->exchanges++)
		request(sim);
	script->close_lines[SERVER] = UINT32_MAX;
	script->close_lines[CLIENT] = script->lines[SERVER];
}

static void exchange_plain(struct sim *sim)
{
	static const char *const plain[][2] = {
		{ "USER anonymous\r\n", "331 Password please.\r\n" },
		{ "PASS 10,1,2,3,4,5\r\n", "230-Welcome\r\n  to the\r\n230-server\r\n230 Logged in.\r\n" },
		{ "SYST\r\n", "215 UNIX Type: L8\r\n" },
		{ "TYPE I\r\n", "200 Type set to I.\r\n" },
		{ "PWD\r\n", "257 \"/\"\r\n" },
		{ "CWD x\r\n", "550 x: No such directory.\r\n" },
		{ "FEAT\r\n", "211-Features:\r\n EPRT\r\n EPSV\r\n PASV\r\n211 End\r\n" },
		{ "NOOP\r\n", "200 NOOP ok.\r\n" },
		{ "\377\361NOOP\r\n", "200 NOOP ok.\r\n" },
		{ "SITE PORT 10,0,0,2,4,5\r\n", "200 (227)\r\n" },
		{ "XMD5 a\r\n", "500 ?\r\n" },
		{ "AUTH TLS\r\n", "534 No.\r\n" },
		{ "STAT\r\n", "211-\r\n211 End\r\n" },
	};
	unsigned int which = sim_pick(sim, sizeof(plain) / sizeof(plain[0]));

	say(&sim->script, CLIENT, "%s", plain[which][0]);
	say(&sim->script, SERVER, "%s", plain[which][1]);
	answered(sim, 0);
}

static void exchange_long(struct sim *sim)
{
	uint32_t size = 300 + sim_pick(sim, 700);
	char text[1001];

	memset(text, 'x', size);
	text[size] = 0;
	say(&sim->script, CLIENT, "STOR %s\r\n", text);
	say(&sim->script, SERVER, "553 %s: too long.\r\n", text);
	answered(sim, 0);
}

static void exchange_auth(struct sim *sim)
{
	struct script *script = &sim->script;

	say(script, CLIENT, "AUTH TLS\r\n");
	if (!script->auth_end) {
		script->auth_end = script->length[CLIENT];
		script->proceed = script->length[SERVER];
	}
	say(script, SERVER, "234 Proceed.\r\n");
	answered(sim, 0);
	script->opaque = true;
}

/* CCC (RFC 4217 section 5), answered in TLS or already outside of it. */
static void exchange_ccc(struct sim *sim)
{
	struct script *script = &sim->script;

	say(script, CLIENT, "CCC\r\n");
	if (!script->clear)
		script->clear = script->length[SERVER];
	script->opaque = sim_chance(sim, 500);
	say(script, SERVER, "200 Clear from here on.\r\n");
	answered(sim, 0);
	script->opaque = true;
	script->ccc = true;
}

/* And back to plain text. What they say first shows again that it is FTP. */
static void exchange_clear(struct sim *sim)
{
	static const char close_notify[] = "%c%c";
	struct script *script = &sim->script;

	if (sim_chance(sim, 900))
		say(script, CLIENT, close_notify, 1, 0);
	if (sim_chance(sim, 700))
		say(script, SERVER, close_notify, 1, 0);
	script->opaque = script->ccc = false;
	script->left_tls = true;
	say(script, CLIENT, "TYPE I\r\n");
	say(script, SERVER, "200 Type set to I.\r\n");
	answered(sim, 0);
}

/* Returns true when the next command must wait for this one's reply. */
static bool exchange(struct sim *sim)
{
	uint32_t what = sim_pick(sim, 1000);

	if (sim->script.opaque && (sim->script.ccc || sim_chance(sim, 300))) {
		sim->script.ccc ? exchange_clear(sim) : exchange_ccc(sim);
		return true;
	}
	if (sim_hostile(sim) && adversary_chance(sim, 250))
		sim->adversary.hostile == SERVER ? exchange_name(sim) : exchange_echo(sim);
	else if (what < 330)
		exchange_active(sim);
	else if (what < 600)
		return exchange_passive(sim);
	else if (what < 720)
		exchange_transfer(sim);
	else if (what < 760)
		exchange_help(sim);
	else if (what < 800)
		exchange_abort(sim);
	else if (what < 810)
		exchange_long(sim);
	else if (what < 820)
		exchange_auth(sim);
	else
		exchange_plain(sim);
	return what >= 810 && what < 820;
}

static void greet(struct sim *sim)
{
	struct script *script = &sim->script;
	uint32_t what = sim_pick(sim, 1000);

	script->is_ftp = what < 40 || what >= 60;
	script->speaks[CLIENT] = script->is_ftp;
	script->speaks[SERVER] = true;
	if (what < 20)
		say(script, SERVER, "200 Hello.\r\n");
	else if (what < 40)
		say(script, SERVER, "230 I know you well\r\n");
	else if (what < 150)
		say(script, SERVER, "220-Hello\r\n220-227 (1,2,3,4,5,6)\r\n\r\n220 ready\r\n");
	else if (what < 220)
		say(script, SERVER, "120 Wait a minute.\r\n220 Now.\r\n");
	else
		say(script, SERVER, "220 ftp.example FTP server ready.\r\n");
	close_gate(script, SERVER, 0, 0);
	if (what >= 40 && what < 60) {
		say(script, CLIENT, what < 50 ? "GET / HTTP/1.1\r\n" : "EHLO mail.example\r\n");
		close_gate(script, CLIENT, script->lines[SERVER], 0);
		say(script, SERVER, "250 Pleased.\r\n");
		answered(sim, 0);
	} else {
		say(script, CLIENT, "USER x\r\n");
		close_gate(script, CLIENT, script->lines[SERVER], 0);
		say(script, SERVER, "331 Password please.\r\n");
		answered(sim, 0);
	}
}

void dialogue_write(struct sim *sim)
{
	struct script *script = &sim->script;
	unsigned int wanted = sim_chance(sim, 120) ? 30 + sim_pick(sim, 20) : 1 + sim_pick(sim, 14);
	uint32_t wait_lines, held_lines;
	unsigned int ahead = 0;
	bool wait = true;

	script->next_port = (uint16_t)(1024 + sim_pick(sim, 20000));
	if (sim->adversary.web) {
		browse(sim);
		return;
	}
	greet(sim);
	held_lines = script->lines[SERVER];
	for (script->exchanges = 1; script->exchanges <= wanted; script->exchanges++) {
		wait_lines = script->lines[SERVER];
		if (wait || !sim->schedule.pipelined || ++ahead >= PIPELINE_MAX || sim_chance(sim, 300)) {
			held_lines = wait_lines;
			ahead = 0;
		}
		wait = exchange(sim);
		close_gate(script, CLIENT, held_lines, sim_chance(sim, 150) ? sim_pick(sim, 400000) : 0);
		if (script->length[CLIENT] > ENOUGH || script->length[SERVER] > ENOUGH)
			break;
	}
	script->close_lines[SERVER] = sim->schedule.ending == END_SERVER ? 0 : UINT32_MAX;
	script->close_lines[CLIENT] = sim->schedule.ending == END_HALF ? 0 : script->lines[SERVER];
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * explain: the two exchanges that text books tabulate, one of active and one of passive FTP, come out as in their tables; lines are put together
 * from segments in any order; secrets are hidden; untrusted bytes do nothing.
 *
 * The tables are those of shared/seed: client, content, server; "ANY" is a port that the end has chosen, 3001 is ee*256+ff.
 */
#include "unit.h"

#include "common/packet_bytes.h"
#include "core/engine/engine.h"
#include "explain/follow.h"
#include "explain/lines.h"
#include "explain/printable.h"
#include "explain/writer.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#define ANY	   40000
#define ANY_DATA   40001
#define CONTROL	   21
#define DATA	   20
#define ANNOUNCED  (11 * 256 + 185)
#define PACKET_MAX 256
#define LINK_RAW   101

/* --- a capture, packet by packet */

struct pcap_header {
	uint32_t magic;
	uint16_t major, minor;
	int32_t zone;
	uint32_t accuracy, snapshot, link_type;
};

struct pcap_record {
	uint32_t seconds, micros, captured, length;
};

struct conversation {
	struct endpoint end[2]; /* who opens it, who is called */
	uint32_t seq[2];
};

static FILE *file;
static char path[64];
static uint32_t micros, step = 1000; /* from packet to packet */

static void capture_begin(void)
{
	const struct pcap_header header = { 0xa1b2c3d4, 2, 4, 0, 0, 65535, LINK_RAW };

	snprintf(path, sizeof(path), "/tmp/nfq-ftp-explain-XXXXXX");
	file = unit_stream(fdopen(mkstemp(path), "w"));
	assert_int_equal(fwrite(&header, sizeof(header), 1, file), 1);
	micros = 0;
}

static void sends(struct conversation *conversation, unsigned int from, uint8_t flags, const char *text)
{
	const uint32_t length = (uint32_t)strlen(text);
	const struct packet_header header = { .seq = conversation->seq[from],
					      .ack = flags & TCP_ACK ? conversation->seq[!from] : 0,
					      .flags = flags,
					      .window = 65535 };
	struct pcap_record record = { .seconds = 1000, .micros = micros };
	uint8_t bytes[PACKET_MAX];

	micros += step;
	record.captured = packet_put(bytes, &conversation->end[from], &conversation->end[!from], &header, text, length);
	record.length = record.captured;
	assert_int_equal(fwrite(&record, sizeof(record), 1, file), 1);
	assert_int_equal(fwrite(bytes, record.captured, 1, file), 1);
	conversation->seq[from] += length + !!(flags & TCP_SYN) + !!(flags & TCP_FIN);
}

static struct endpoint host(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port)
{
	return (struct endpoint){ .address = { a, b, c, d }, .port = port, .family = FAMILY_IPV4 };
}

static struct conversation opened(struct endpoint src, struct endpoint dst)
{
	struct conversation conversation = { .end = { src, dst }, .seq = { 0xfffffff0u, 77 } };

	sends(&conversation, 0, TCP_SYN, "");
	sends(&conversation, 1, TCP_SYN | TCP_ACK, "");
	sends(&conversation, 0, TCP_ACK, "");
	return conversation;
}

static void closed(struct conversation *conversation, unsigned int first)
{
	sends(conversation, first, TCP_FIN | TCP_ACK, "");
	sends(conversation, !first, TCP_FIN | TCP_ACK, "");
	sends(conversation, first, TCP_ACK, "");
}

static void says(struct conversation *conversation, unsigned int from, const char *text)
{
	sends(conversation, from, TCP_PSH | TCP_ACK, text);
	sends(conversation, !from, TCP_ACK, "");
}

static struct endpoint client(uint16_t port)
{
	return host(192, 168, 1, 1, port);
}

static struct endpoint server(uint16_t port)
{
	return host(203, 0, 113, 5, port);
}

/* As far as the tables begin. */
static struct conversation control_opened(void)
{
	struct conversation control = opened(client(ANY), server(CONTROL));

	says(&control, 1, "220 ready\r\n");
	says(&control, 0, "USER anonymous\r\n");
	says(&control, 1, "331 password\r\n");
	says(&control, 0, "PASS guest@example.com\r\n");
	says(&control, 1, "230 in\r\n");
	return control;
}

static void active_exchange(void)
{
	struct conversation control = control_opened(), data;

	says(&control, 0, "PORT 192,168,1,1,11,185\r\n");
	says(&control, 1, "200 PORT command successfull\r\n");
	says(&control, 0, "RETR filename\r\n");
	data = opened(server(DATA), client(ANNOUNCED));
	says(&control, 1, "150 Opening ASCII mode data connection\r\n");
	says(&data, 0, "the file");
	closed(&data, 0);
	says(&control, 1, "226 Transfer complete.\r\n");
}

static void passive_exchange(void)
{
	struct conversation control = control_opened(), data;

	says(&control, 0, "PASV\r\n");
	says(&control, 1, "227 Entering Passive mode (203,0,113,5,11,185)\r\n");
	data = opened(client(ANY_DATA), server(ANNOUNCED));
	says(&control, 0, "RETR filename\r\n");
	says(&control, 1, "150 Opening ASCII mode data connection\r\n");
	says(&data, 1, "the file");
	closed(&data, 1);
	says(&control, 1, "226 Transfer complete.\r\n");
}

/* --- its ladder */

static size_t row_room = LADDER_ROWS_MAX, dialogue_room = LADDER_DIALOGUES_MAX;

static struct ladder *ladder_of_capture(void (*exchange)(void), const struct endpoint *outside)
{
	struct playback_settings settings = { .seqadj_by = SEQADJ_SELF,
					      .control_ports[CONTROL / 8] = 1 << CONTROL % 8 };
	struct ladder *ladder = ladder_new(path, outside);
	struct follower *follower = follow_new(ladder);
	struct playback_listener listener = { follower,	     follow_time,     follow_arrival,
					      follow_report, follow_decision, NULL };
	struct playback *playback;
	int closed;

	ladder->row_room = row_room;
	ladder->dialogue_room = dialogue_room;
	if (outside) {
		settings.nat = (struct nat){ .count = 1 };
		settings.nat.mappings[0].address[MODEL_INSIDE] = client(0);
		settings.nat.mappings[0].address[MODEL_OUTSIDE] = *outside;
	}
	capture_begin();
	exchange();
	closed = fclose(file);
	assert_int_equal(closed, 0);
	playback = playback_open(path, &settings, &policy_default, &listener);
	assert_non_null(playback);
	assert_int_equal(playback_run(playback), 0);
	follow_end(follower);
	playback_close(playback);
	follow_free(follower);
	unlink(path);
	assert_false(ladder->no_memory);
	return ladder;
}

/* A row of a table, as the book has it; replies are without their code there. */
struct book_row {
	uint16_t client;
	enum ladder_way way;
	const char *content;
	uint16_t server;
};

static const struct book_row active_table[] = {
	{ ANY, LADDER_TO_SERVER, "PORT 192,168,1,1,11,185", CONTROL },
	{ ANY, LADDER_TO_CLIENT, "PORT command successfull", CONTROL },
	{ ANY, LADDER_TO_SERVER, "RETR filename", CONTROL },
	{ ANNOUNCED, LADDER_TO_CLIENT, "( SYN )", DATA },
	{ ANNOUNCED, LADDER_TO_SERVER, "( SYN , ACK )", DATA },
	{ ANNOUNCED, LADDER_TO_CLIENT, "( ACK )", DATA },
	{ ANY, LADDER_TO_CLIENT, "Opening ASCII mode data connection", CONTROL },
	{ ANNOUNCED, LADDER_TO_CLIENT, "( download: 8 bytes in 0.0090 s )", DATA },
	{ ANY, LADDER_TO_CLIENT, "Transfer complete.", CONTROL },
};

static const struct book_row passive_table[] = {
	{ ANY, LADDER_TO_SERVER, "PASV", CONTROL },
	{ ANY, LADDER_TO_CLIENT, "Entering Passive mode (203,0,113,5,11,185)", CONTROL },
	{ ANY_DATA, LADDER_TO_SERVER, "( SYN )", ANNOUNCED },
	{ ANY_DATA, LADDER_TO_CLIENT, "( SYN , ACK )", ANNOUNCED },
	{ ANY_DATA, LADDER_TO_SERVER, "( ACK )", ANNOUNCED },
	{ ANY, LADDER_TO_SERVER, "RETR filename", CONTROL },
	{ ANY, LADDER_TO_CLIENT, "Opening ASCII mode data connection", CONTROL },
	{ ANY_DATA, LADDER_TO_CLIENT, "( download: 8 bytes in 0.0110 s )", ANNOUNCED },
	{ ANY, LADDER_TO_CLIENT, "Transfer complete.", CONTROL },
};

static const char *content_of(const struct ladder_row *row)
{
	const char *text = row->text.bytes;

	return row->kind == LADDER_LINE && row->way == LADDER_TO_CLIENT ? text + strlen("200 ") : text;
}

static void same_table(const struct ladder *ladder, const struct book_row *table, size_t count)
{
	const struct ladder_dialogue *dialogue = ladder->dialogues[0];

	assert_int_equal(ladder->dialogue_count, 1);
	assert_true(dialogue->row_count >= count);
	for (size_t i = 0; i < count; i++) {
		const struct ladder_row *row = dialogue->rows[dialogue->row_count - count + i];

		assert_string_equal(content_of(row), table[i].content);
		assert_int_equal(row->way, table[i].way);
		assert_int_equal(row->port[LADDER_CLIENT], table[i].client);
		assert_int_equal(row->port[LADDER_SERVER], table[i].server);
		assert_null(row->received.bytes);
	}
}

static const struct ladder_row *row_with(const struct ladder *ladder, const char *text)
{
	const struct ladder_dialogue *dialogue = ladder->dialogues[0];

	for (size_t i = 0; i < dialogue->row_count; i++)
		if (strstr(dialogue->rows[i]->text.bytes, text))
			return dialogue->rows[i];
	fail_msg("no row has %s", text);
	return NULL;
}

static void has_note(const struct ladder_row *row, enum ladder_note_kind kind, const char *text)
{
	for (size_t i = 0; i < row->note_count; i++)
		if (row->notes[i].kind == kind && strcmp(row->notes[i].text.bytes, text) == 0)
			return;
	fail_msg("%s has no note %s", row->text.bytes, text);
}

#define SAME_TABLE(ladder, table) same_table(ladder, table, sizeof(table) / sizeof((table)[0]))

static void active_as_in_the_book(void **state)
{
	struct ladder *ladder = ladder_of_capture(active_exchange, NULL);
	const struct ladder_row *port = row_with(ladder, "PORT 192");

	(void)state;
	SAME_TABLE(ladder, active_table);
	has_note(port, LADDER_NOTE_SUM, "11*256+185 = 3001: port 3001 of 192.168.1.1");
	has_note(port, LADDER_NOTE_EXPECT, "let in: one connection from 203.0.113.5, any port, to 192.168.1.1:3001");
	has_note(port, LADDER_NOTE_LED_TO, "203.0.113.5:20 to 192.168.1.1:3001, download: 8 bytes in 0.0090 s");
	ladder_free(ladder);
}

static void passive_as_in_the_book(void **state)
{
	struct ladder *ladder = ladder_of_capture(passive_exchange, NULL);
	const struct ladder_row *reply = row_with(ladder, "227 ");

	(void)state;
	SAME_TABLE(ladder, passive_table);
	has_note(reply, LADDER_NOTE_SUM, "11*256+185 = 3001: port 3001 of 203.0.113.5");
	has_note(reply, LADDER_NOTE_LED_TO, "192.168.1.1:40001 to 203.0.113.5:3001, download: 8 bytes in 0.0110 s");
	ladder_free(ladder);
}

/* "So the argument has to be rewritten": the book's reason for a helper. */
static void behind_nat(void **state)
{
	const struct endpoint outside = host(198, 51, 100, 254, 0);
	struct ladder *ladder = ladder_of_capture(active_exchange, &outside);
	const struct ladder_row *port = row_with(ladder, "PORT 192");

	(void)state;
	assert_string_equal(port->received.bytes, "PORT 198,51,100,254,11,185");
	has_note(
		port, LADDER_NOTE_REWRITE,
		"192,168,1,1,11,185 becomes 198,51,100,254,11,185: the client's address, 192.168.1.1, means nothing to "
		"the server, who knows it as 198.51.100.254");
	has_note(
		port, LADDER_NOTE_SHIFT,
		"+3 bytes: from here on the client's sequence numbers move by +3, and what the server acknowledges moves "
		"back");
	has_note(port, LADDER_NOTE_LED_TO, "203.0.113.5:20 to 192.168.1.1:3001, download: 8 bytes in 0.0090 s");
	ladder_free(ladder);
}

/* --- lines */

static char seen[512];

static void see(void *context, enum lines_event event, const char *bytes, uint64_t length)
{
	static const char *const names[] = { "line", "part", "beheaded", "gap" };
	const size_t at = strlen(seen);

	(void)context;
	if (event == LINES_LINE || event == LINES_PART)
		snprintf(seen + at, sizeof(seen) - at, "%s %.*s;", names[event], (int)length, bytes);
	else
		snprintf(seen + at, sizeof(seen) - at, "%s %u;", names[event], (unsigned int)length);
}

static void take(struct lines *lines, uint32_t seq, const char *text)
{
	lines_take(lines, seq, (const uint8_t *)text, (uint32_t)strlen(text), see, NULL);
}

static void lines_are(struct lines *lines, const char *wanted)
{
	assert_string_equal(seen, wanted);
	seen[0] = '\0';
	lines_free(lines);
}

static void lines_in_any_order(void **state)
{
	const uint32_t start = 0xfffffffeu; /* numbers wrap */
	struct lines lines = { 0 };

	(void)state;
	seen[0] = '\0';
	lines_begin(&lines, start);
	take(&lines, start, "NO");
	take(&lines, start + 6, "PWD\r\n");
	take(&lines, start + 6, "PWD\r\n");
	take(&lines, start, "NOOP\r\n"); /* sent again, with more */
	take(&lines, start, "NOOP\r\n");
	take(&lines, start + 8, "D\r\nQUIT");
	lines_end(&lines, see, NULL);
	lines_are(&lines, "line NOOP;line PWD;part QUIT;");
}

static void lines_with_holes(void **state)
{
	struct lines lines = { 0 };

	(void)state;
	seen[0] = '\0';
	lines_begin(&lines, 100);
	take(&lines, 100, "USER x\r\nPA");
	take(&lines, 120, "secret\r\nPWD\r\n");
	assert_string_equal(seen, "line USER x;");
	lines_acked(&lines, 133, see, NULL);
	lines_are(&lines, "line USER x;part PA;gap 10;beheaded 6;line PWD;");
	lines = (struct lines){ 0 };
	take(&lines, 500, "CWD x\n");
	take(&lines, 600, "tail\r\n");
	lines_end(&lines, see, NULL);
	lines_are(&lines, "line CWD x;gap 94;beheaded 4;");
}

/* A capture that begins amid a line: "PASS secret", it may be. What looks like a line's beginning is one. */
static void lines_met_in_the_middle(void **state)
{
	static const struct {
		const char *first, *wanted;
	} firsts[] = {
		{ "SS secret\r\nNOOP\r\n", "beheaded 9;line NOOP;" },
		{ "secret\r\n", "beheaded 6;" },
		{ "\r\nNOOP\r\n", "beheaded 0;line NOOP;" },
		{ "port 1\r\n", "line port 1;" },
		{ "227 x\r\n", "line 227 x;" },
		{ "227-x\r\n", "line 227-x;" },
		{ "2271x\r\n", "beheaded 5;" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
		struct lines lines = { 0 };

		seen[0] = '\0';
		take(&lines, 7, firsts[i].first);
		lines_end(&lines, see, NULL);
		lines_are(&lines, firsts[i].wanted);
	}
}

static void hidden(const char *line, size_t length, const char *wanted)
{
	char text[LINES_TEXT_MAX + 64];

	memcpy(text, line, length);
	text[lines_hide_secret(text, length)] = '\0';
	assert_string_equal(text, wanted);
}

#define HIDDEN(line, wanted) hidden(line, sizeof(line) - 1, wanted)

static void secrets(void **state)
{
	(void)state;
	HIDDEN("PASS geheim", "PASS ***");
	HIDDEN("pass\tgeheim", "pass ***");
	HIDDEN("PASS", "PASS ***");
	HIDDEN("ACCT 4711", "ACCT ***");
	HIDDEN("\xff\xf4PASS geheim", "\xff\xf4PASS ***"); /* Telnet before it */
	HIDDEN("PA\xff\xf4SS geheim", "PASS ***");	   /* and in it */
	HIDDEN("SITE CHPASSWD geheim", "SITE ***");
	HIDDEN("SITE ADDUSER tom geheim *@*", "SITE ***");
	HIDDEN("SITE CHMOD 644 a", "SITE CHMOD 644 a");
	HIDDEN("RETR PASS", "RETR PASS");
	HIDDEN("", "");
}

static void echoed(const char *line, const char *reply, const char *wanted)
{
	struct lines_secret secret;
	char text[LINES_TEXT_MAX];
	const size_t length = strlen(reply);

	memcpy(text, reply, length);
	lines_keep_secret(&secret, line, strlen(line));
	text[lines_hide_echo(text, length, &secret)] = '\0';
	assert_string_equal(text, wanted);
}

/* What the server says back of it. */
static void echoes(void **state)
{
	char longest[LINES_TEXT_MAX];

	(void)state;
	echoed("PASS geheim", "500 'PASS geheim': command not understood", "500 'PASS ***': command not understood");
	echoed("\xff\xf4PASS  geheim ", "500 geheimgeheim", "500 ******");
	echoed("SITE PSWD alt neu", "500 'SITE PSWD alt neu'?", "500 'SITE ***'?");
	echoed("PASS geheim", "530 gehei", "530 gehei");
	echoed("PASS ab", "500 PASS ab", "500 PASS ab"); /* that stands in many a line */
	echoed("PASS", "500 PASS", "500 PASS");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memcpy(longest, "PASS ", 5);
	echoed(longest, longest, "PASS ***");
}

/* --- bytes */

static void printed(const char *bytes, size_t length, bool utf8, const char *wanted)
{
	char *text = printable(bytes, length, utf8);

	assert_string_equal(text, wanted);
	free(text);
}

#define PRINTED(bytes, utf8, wanted) printed(bytes, sizeof(bytes) - 1, utf8, wanted)

static void bytes_that_do_nothing(void **state)
{
	(void)state;
	PRINTED("a\0\x1b[2J\x7f\x9b", false, "a\\x00\\x1b[2J\\x7f\\x9b");
	PRINTED("\xe3\x83\x95", false, "\\xe3\\x83\\x95");
	PRINTED("\xe3\x83\x95", true, "\xe3\x83\x95");
	PRINTED("\xc2\x9b"
		"2J",
		true, "\\xc2\\x9b2J"); /* CSI */
	PRINTED("\xe2\x80\xae"
		"x",
		true, "\\xe2\\x80\\xaex");			   /* right to left */
	PRINTED("\xc0\xaf", true, "\\xc0\\xaf");		   /* overlong */
	PRINTED("\xed\xa0\x80", true, "\\xed\\xa0\\x80");	   /* a surrogate */
	PRINTED("\xe3\x83", true, "\\xe3\\x83");		   /* cut off */
	PRINTED("\xf4\x90\x80\x80", true, "\\xf4\\x90\\x80\\x80"); /* beyond */
}

static void lines_are_broken(void **state)
{
	(void)state;
	assert_int_equal(printable_line("", 10), 0);
	assert_int_equal(printable_line("one two", 10), 7);
	assert_int_equal(printable_line("one two", 4), 4);
	assert_int_equal(printable_line("one two", 5), 4);
	assert_int_equal(printable_line("10,0,0,2", 6), 5);
	assert_int_equal(printable_line("abcdefgh", 5), 5);
	assert_int_equal(printable_line("\xe3\x83\x95\xe3\x83\x95\xe3\x83\x95", 5), 6);
	assert_int_equal(printable_line("a\xe3\x83\x95\xe3\x83\x95", 3), 4);
}

/* --- captures of somebody who wishes that this ends badly */

#define MANY	     40000
#define MANY_AT_ONCE 200   /* bytes */
#define FEW	     15000 /* packets */
#define MUCH_DEARER                                                                                                    \
	8 /* four times as many packets take four times as long, and sixteen where each is held against all before */
#define LAST_ROW "( it ends here: there is more, which is not drawn )"

static void empty_lines(void)
{
	struct conversation control = control_opened();
	char text[MANY_AT_ONCE + 1];

	memset(text, '\n', MANY_AT_ONCE);
	text[MANY_AT_ONCE] = '\0';
	for (unsigned int i = 0; i < 10; i++)
		says(&control, 0, text);
	control = opened(client(ANY + 2), server(CONTROL));
	says(&control, 1, "220 ready\r\n");
}

/* Each byte may be a row: there are so many and no more, and the last says so. */
static void rows_are_bounded(void **state)
{
	const struct ladder_dialogue *dialogue;
	struct ladder *ladder;
	char text[MANY_AT_ONCE * 256];
	FILE *out = fmemopen(text, sizeof(text), "w");

	(void)state;
	row_room = MANY_AT_ONCE;
	ladder = ladder_of_capture(empty_lines, NULL);
	row_room = LADDER_ROWS_MAX;
	assert_true(ladder->full);
	dialogue = ladder->dialogues[0];
	assert_int_equal(dialogue->row_count, MANY_AT_ONCE);
	assert_string_equal(dialogue->rows[MANY_AT_ONCE - 2]->text.bytes, "");
	assert_string_equal(dialogue->rows[MANY_AT_ONCE - 1]->text.bytes, LAST_ROW);
	assert_int_equal(writer_text(ladder, out), 0);
	fclose(out);
	assert_non_null(strstr(text, LAST_ROW));
	ladder_free(ladder);
}

static void dialogues_are_bounded(void **state)
{
	struct ladder *ladder;

	(void)state;
	dialogue_room = 1;
	ladder = ladder_of_capture(empty_lines, NULL);
	dialogue_room = LADDER_DIALOGUES_MAX;
	assert_true(ladder->full);
	assert_int_equal(ladder->dialogue_count, 1);
	assert_true(ladder->dialogues[0]->row_count > 10 * MANY_AT_ONCE);
	ladder_free(ladder);
}

static unsigned int many;

/* All at one time, as where a capture's times were taken away. */
static void many_lines_at_once(void)
{
	struct conversation control = control_opened();

	for (unsigned int i = 0; i < many; i++)
		sends(&control, 0, TCP_PSH | TCP_ACK, "NOOP\r\n");
}

/* Between the hosts of a control connection, and nobody has announced them. */
static void many_connections(void)
{
	struct conversation control = control_opened();

	for (unsigned int i = 0; i < many; i++) {
		struct conversation data = { .end = { server((uint16_t)(1024 + i % 60000)),
						      client((uint16_t)(5000 + i / 60000)) } };

		says(&control, 0, "PORT 192,168,1,1,11,185\r\n");
		sends(&data, 0, TCP_SYN, "");
	}
}

static double seconds_for(void (*exchange)(void))
{
	struct timespec before, after;

	step = 0;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
	ladder_free(ladder_of_capture(exchange, NULL));
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
	step = 1000;
	return (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
}

static double times_as_dear(void (*exchange)(void))
{
	double few;

	many = FEW;
	few = seconds_for(exchange);
	many = 4 * FEW;
	return seconds_for(exchange) / few;
}

static void no_packet_is_held_against_all(void **state)
{
	(void)state;
	assert_true(times_as_dear(many_lines_at_once) < MUCH_DEARER);
	assert_true(times_as_dear(many_connections) < MUCH_DEARER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(active_as_in_the_book),
		cmocka_unit_test(passive_as_in_the_book),
		cmocka_unit_test(behind_nat),
		cmocka_unit_test(lines_in_any_order),
		cmocka_unit_test(lines_with_holes),
		cmocka_unit_test(lines_met_in_the_middle),
		cmocka_unit_test(secrets),
		cmocka_unit_test(echoes),
		cmocka_unit_test(bytes_that_do_nothing),
		cmocka_unit_test(lines_are_broken),
		cmocka_unit_test(rows_are_bounded),
		cmocka_unit_test(dialogues_are_bounded),
		cmocka_unit_test(no_packet_is_held_against_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

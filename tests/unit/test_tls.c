// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TLS in a control connection, skipped by its records, and plain text behind it (core/wire/tls_records.h): a line counts only where a record
 * would begin, and proves no more than one of a connection that was met in its middle.
 */
#include "unit.h"

#include "common/dialogue.h"

#define HANDSHAKE "\x16\x03\x01\x00\x05hello"
#define DATA	  "\x17\x03\x03\x00\x06secret"
#define EMPTY	  "\x17\x03\x04\x00\x00"
#define ALERT	  "\x15\x03\x03\x00\x02\x01\x00"
#define CIPHER	  "\x14\x03\x03\x00\x01\x01"

#define SAYS(d, side, text) dialogue_says_bytes(d, side, text, sizeof(text) - 1)

/* ---- the reader alone ---- */

struct reading {
	struct tls_records records;
	struct ftp_line line;
	enum tls_event event;
	size_t consumed;
};

/* In pieces of so many bytes, as far as it goes. */
static struct reading read_in_pieces(enum direction side, const char *text, size_t length, size_t piece)
{
	struct reading r = { .event = TLS_MORE };

	tls_records_begin(&r.records);
	while (r.consumed < length && r.event == TLS_MORE) {
		const size_t left = length - r.consumed, n = left < piece ? left : piece;
		const size_t got =
			tls_records_read(&r.records, &r.line, side, (const uint8_t *)text + r.consumed, n, &r.event);

		assert_true(tls_records_good(&r.records));
		assert_true(r.event != TLS_MORE ? got < n : got == n);
		r.consumed += got;
	}
	return r;
}

/* However it is cut, the same comes out: @at bytes are consumed, with this event. */
static void reads(enum direction side, const char *text, size_t length, enum tls_event event, size_t at)
{
	for (size_t piece = 1; piece <= length; piece++) {
		const struct reading r = read_in_pieces(side, text, length, piece);

		assert_int_equal(r.event, event);
		assert_int_equal(r.consumed, at);
		if (event == TLS_LINE)
			assert_int_equal(r.records.place, TLS_LEFT);
	}
}

#define READS(side, text, event, at) reads(side, text, sizeof(text) - 1, event, at)

static void whole_records(void **state)
{
	(void)state;
	READS(DIRECTION_ORIGINAL, HANDSHAKE DATA EMPTY CIPHER ALERT, TLS_MORE, 10 + 11 + 5 + 6 + 7);
	READS(DIRECTION_REPLY, EMPTY EMPTY DATA, TLS_MORE, 5 + 5 + 11);
	READS(DIRECTION_ORIGINAL, "\x17\x03\x03\x00\x17PORT 10,0,0,2,195,81\r\n\n" DATA, TLS_MORE, 5 + 23 + 11);
}

static void longest_record(void **state)
{
	static char text[5 + TLS_CONTENT_MAX + 7] = "\x17\x03\x03\x48\x00";

	(void)state;
	memset(text + 5, '\n', TLS_CONTENT_MAX);
	memcpy(text + 5 + TLS_CONTENT_MAX, "NOOP\r\n", 7);
	for (size_t piece = 1; piece < sizeof(text); piece = piece * 3 + 1) {
		const struct reading r = read_in_pieces(DIRECTION_ORIGINAL, text, sizeof(text) - 1, piece);

		assert_int_equal(r.event, TLS_LINE);
		assert_int_equal(r.consumed, 5 + TLS_CONTENT_MAX + 4);
	}
	READS(DIRECTION_ORIGINAL, "\x17\x03\x03\x48\x01", TLS_STRANGE, 4);
	READS(DIRECTION_ORIGINAL, "\x17\x03\x03\x49\x00", TLS_STRANGE, 3);
}

static void no_records(void **state)
{
	(void)state;
	READS(DIRECTION_ORIGINAL, "\x13\x03\x01\x00\x01x", TLS_STRANGE, 0);
	READS(DIRECTION_ORIGINAL, "\x18\x03\x01\x00\x01x", TLS_STRANGE, 0);
	READS(DIRECTION_ORIGINAL, "\x16\x02\x01\x00\x01x", TLS_STRANGE, 1);
	READS(DIRECTION_ORIGINAL, "\x16\x04\x01\x00\x01x", TLS_STRANGE, 1);
	READS(DIRECTION_ORIGINAL, DATA "\x80\x2e\x01", TLS_STRANGE, 11);
	READS(DIRECTION_REPLY, DATA "\r\n200 x\r\n", TLS_STRANGE, 11);
	READS(DIRECTION_ORIGINAL, "\n", TLS_STRANGE, 0);
	READS(DIRECTION_ORIGINAL, "\xff\xf4NOOP\r\n", TLS_STRANGE, 0);
}

static void lines(void **state)
{
	(void)state;
	READS(DIRECTION_ORIGINAL, DATA "PASV\r\n", TLS_LINE, 11 + 4);
	READS(DIRECTION_ORIGINAL, "cwd x\r\n", TLS_LINE, 3);
	READS(DIRECTION_ORIGINAL, ALERT "NOOP\n", TLS_LINE, 7 + 4);
	READS(DIRECTION_ORIGINAL, ALERT "NOOP", TLS_MORE, 7 + 4);
	READS(DIRECTION_REPLY, DATA ALERT "200 ok\r\n", TLS_LINE, 11 + 7 + 3);
	READS(DIRECTION_REPLY, "331 x\r\n", TLS_LINE, 3);
	READS(DIRECTION_ORIGINAL, "GET / HTTP/1.1\r\n", TLS_STRANGE, 3);
	READS(DIRECTION_ORIGINAL, "PORTS 1\r\n", TLS_STRANGE, 5);
	READS(DIRECTION_ORIGINAL, "PASV:x\r\n", TLS_STRANGE, 4);
	READS(DIRECTION_ORIGINAL, "NOO" DATA, TLS_STRANGE, 3);
	READS(DIRECTION_REPLY, "200-ok\r\n", TLS_LINE, 3);
	READS(DIRECTION_REPLY, DATA "211-x\r\n", TLS_LINE, 11 + 3);
	READS(DIRECTION_REPLY, "200\r\n", TLS_STRANGE, 3);
	READS(DIRECTION_REPLY, "20 x\r\n", TLS_STRANGE, 2);
	READS(DIRECTION_REPLY, "2000 x\r\n", TLS_STRANGE, 3);
	READS(DIRECTION_ORIGINAL, "CC\377\361C\r\n", TLS_STRANGE, 2);
	READS(DIRECTION_ORIGINAL, "PASV\377\361\r\n", TLS_LINE, 4);
	READS(DIRECTION_REPLY, "20\377\3610 x\r\n", TLS_STRANGE, 2);
}

/* What stands in a file is looked at before it is believed. */
static void good_ones(void **state)
{
	static const struct tls_records bad[] = {
		{ .place = TLS_PLACES },
		{ .place = TLS_BODY },
		{ .place = TLS_BODY, .length = TLS_CONTENT_MAX + 1 },
		{ .place = TLS_BODY, .length = 1, .at = 1 },
		{ .place = TLS_HEADER, .at = TLS_HEADER_LENGTH },
		{ .place = TLS_HEADER, .at = 4, .length = UINT16_MAX },
		{ .place = TLS_WORD, .length = 1 },
		{ .place = TLS_LEFT, .at = 1 },
		{ .place = TLS_NONE, .at = 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(tls_records_good(&bad[i]));
	assert_true(tls_records_good(&(struct tls_records){ .place = TLS_NONE }));
	assert_true(tls_records_good(&(struct tls_records){ .place = TLS_BODY, .length = TLS_CONTENT_MAX }));
}

/* ---- in a connection ---- */

static void begin_tls(struct dialogue *d)
{
	dialogue_open(d, MASQUERADE);
	dialogue_says(d, SERVER, "220 ready\r\n");
	dialogue_says(d, CLIENT, "AUTH TLS\r\n");
	dialogue_says(d, SERVER, "234 go\r\n");
	assert_int_equal(d->reports[REPORT_OPAQUE], 1);
}

/* What each says, in turn, and whether the client's PORT opens after it. */
struct turn_said {
	int side;
	const char *text;
	uint32_t length;
};

#define C(text) ((struct turn_said){ CLIENT, text, sizeof(text) - 1 })
#define S(text) ((struct turn_said){ SERVER, text, sizeof(text) - 1 })

static void say_in_pieces(struct dialogue *d, const struct turn_said *said, uint32_t piece)
{
	for (uint32_t at = 0; at < said->length; at += piece) {
		const uint32_t n = said->length - at < piece ? said->length - at : piece;

		dialogue_says_bytes(d, said->side, said->text + at, n);
		assert_int_not_equal(d->verdict, VERDICT_DROP);
	}
}

static void ends(const struct turn_said *said, size_t count, bool opens)
{
	for (uint32_t piece = 1; piece <= 64; piece = piece < 8 ? piece + 1 : piece * 2) {
		struct dialogue d;

		begin_tls(&d);
		for (size_t i = 0; i < count; i++)
			say_in_pieces(&d, &said[i], piece);
		dialogue_says(&d, CLIENT, PORT_IN);
		dialogue_left(&d, opens ? PORT_OUT : PORT_IN);
		assert_int_equal(d.expectations, opens);
		dialogue_close(&d);
	}
}

#define ENDS(opens, ...)                                                                                               \
	do {                                                                                                           \
		static const struct turn_said said[] = { __VA_ARGS__ };                                                \
                                                                                                                       \
		ends(said, sizeof(said) / sizeof(said[0]), opens);                                                     \
	} while (0)

static void plain_again(void **state)
{
	(void)state;
	/* 200 to CCC in TLS; an alert of both, of one, of none */
	ENDS(true, C(HANDSHAKE), S(HANDSHAKE CIPHER), C(CIPHER DATA DATA), S(DATA), C(ALERT), S(ALERT), C("TYPE I\r\n"),
	     S("200 I\r\n"));
	ENDS(true, C(HANDSHAKE DATA), S(HANDSHAKE DATA ALERT), C("TYPE I\r\n"), S("200 I\r\n"));
	ENDS(true, C(HANDSHAKE DATA), S(HANDSHAKE DATA), C(ALERT "TYPE I\r\n"), S("200 I\r\n"));
	ENDS(true, C(HANDSHAKE DATA), S(HANDSHAKE DATA), C("TYPE I\r\n"), S("200 I\r\n"));
	/* and outside of it; its alert before, behind, or none */
	ENDS(true, C(HANDSHAKE DATA), S(HANDSHAKE ALERT "200 clear\r\n"), C(ALERT "TYPE I\r\n"), S("200 I\r\n"));
	ENDS(true, C(HANDSHAKE DATA), S(HANDSHAKE "200 clear\r\n"), C(ALERT), S(ALERT), C("TYPE I\r\n"),
	     S("200 I\r\n"));
	ENDS(true, C(HANDSHAKE DATA), S(HANDSHAKE "200 clear\r\n"), C("PWD\r\n"), S(ALERT "257 \"/\"\r\n"));
	/* of several lines the last one counts */
	ENDS(true, C(HANDSHAKE DATA), S(HANDSHAKE DATA ALERT), C(ALERT "FEAT\r\n"), S("211-x\r\n EPSV\r\n211 end\r\n"));
	ENDS(false, C(HANDSHAKE DATA), S(HANDSHAKE DATA ALERT), C(ALERT "FEAT\r\n"),
	     S("211-x\r\n EPSV\r\n200 no end\r\n"));
	/* no TLS at all, or one that failed at once */
	ENDS(true, C("USER x\r\n"), S("331 p\r\n"));
	ENDS(true, C(HANDSHAKE), S(ALERT), C("USER x\r\n"), S("331 p\r\n"));
	/* and once more */
	ENDS(true, C(DATA "NOOP\r\n"), S(DATA "200 x\r\n"), C("AUTH TLS\r\n"), S("234 go\r\n"), C(HANDSHAKE),
	     S(HANDSHAKE), C(ALERT "TYPE I\r\n"), S(ALERT "200 x\r\n"));
}

static void stays_shut(void **state)
{
	(void)state;
	/* it has everything to show again */
	ENDS(false, C(HANDSHAKE DATA));
	ENDS(false, C(HANDSHAKE DATA ALERT), S(DATA ALERT "200 x\r\n"));
	ENDS(false, C(HANDSHAKE DATA ALERT "TYPE I\r\n"), S(HANDSHAKE DATA));
	/* a server's lines alone prove nothing, nor what the client says in records */
	ENDS(false, S("200 x\r\n200 x\r\n227 x (192,168,7,3,11,185)\r\n"), C(DATA), S("200 x\r\n"));
	ENDS(false, C("\x17\x03\x03\x00\x06NOOP\r\n"), S("200 x\r\n"), C("\x17\x03\x03\x00\x06PASV\r\n"),
	     S("227 x (192,168,7,3,11,185)\r\n"));
	/* neither a record nor a line, for good */
	ENDS(false, C(HANDSHAKE "\x80\x2e\x01"), S(HANDSHAKE), C("TYPE I\r\n"), S("200 I\r\n"));
	ENDS(false, C(HANDSHAKE), S(HANDSHAKE "\r\n"), C("TYPE I\r\n"), S("200 I\r\n"));
	ENDS(false, C(HANDSHAKE "POST / HTTP/1.1\r\n"), S(HANDSHAKE), C("TYPE I\r\n"), S("200 I\r\n"));
	ENDS(false, C("\x16\x03\x01\x50\x00"), S(HANDSHAKE), C("TYPE I\r\n"), S("200 I\r\n"));
}

/* Inside of a record a PORT is ciphertext, wherever the record and its segments begin. */
static void port_in_a_record(void **state)
{
	static const char record[] = "\x17\x03\x03\x00\x31NOOP\r\n" PORT_IN "PORT 10,0,0,2,11,18\r\n";
	struct dialogue d;

	(void)state;
	for (uint32_t cut = 1; cut < sizeof(record) - 1; cut++) {
		begin_tls(&d);
		SAYS(&d, CLIENT, HANDSHAKE);
		SAYS(&d, SERVER, HANDSHAKE "200 x\r\n");
		dialogue_says_bytes(&d, CLIENT, record, cut);
		dialogue_says(&d, SERVER, "200 x\r\n");
		dialogue_says_bytes(&d, CLIENT, record + cut, sizeof(record) - 1 - cut);
		dialogue_says(&d, SERVER, "200 x\r\n200 x\r\n");
		assert_int_equal(d.expect_calls, 0);
		dialogue_close(&d);
	}
}

/* 234 finds the client amid a line: where its first record would begin nobody knows. */
static void amid_a_line(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	dialogue_says(&d, CLIENT, "AUTH TLS\r\nNO");
	dialogue_says(&d, SERVER, "234 go\r\n");
	dialogue_says(&d, CLIENT, "OP\r\n");
	dialogue_says(&d, CLIENT, "NOOP\r\n");
	dialogue_says(&d, SERVER, "200 ok\r\n");
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_left(&d, PORT_IN);
	dialogue_close(&d);
}

/* A daemon that comes again amid a record goes on in it, as long as nothing has passed. */
static void over_a_restart(void **state)
{
	struct dialogue d;

	(void)state;
	begin_tls(&d);
	SAYS(&d, CLIENT, HANDSHAKE "\x17\x03\x03\x00");
	SAYS(&d, SERVER, HANDSHAKE "\x17\x03");
	dialogue_restart(&d);
	SAYS(&d, CLIENT, "\x06secret" ALERT "TYPE");
	dialogue_restart(&d);
	SAYS(&d, SERVER, "\x03\x00\x06secret200 I");
	SAYS(&d, CLIENT, " I\r\n");
	SAYS(&d, SERVER, "\r\n200 I\r\n");
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_expects(&d, 3001);
	dialogue_close(&d);
}

/* Bytes that passed while nobody was there: TLS goes on when its sender goes on behind them again, and is not read any more. */
static void over_an_absence(void **state)
{
	struct dialogue d;

	(void)state;
	begin_tls(&d);
	SAYS(&d, CLIENT, HANDSHAKE);
	SAYS(&d, SERVER, HANDSHAKE);
	dialogue_restart(&d);
	d.seq[CLIENT] += 11; /* a record */
	d.acked[SERVER] = d.seq[CLIENT];
	dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_ACK, NULL, 0);
	dialogue_packet(&d, CLIENT, d.seq[CLIENT], TCP_ACK, DATA, sizeof(DATA) - 1);
	assert_int_equal(d.verdict, VERDICT_DROP);
	d.now += 1000;
	SAYS(&d, CLIENT, DATA);
	assert_int_equal(d.verdict, VERDICT_ACCEPT);
	SAYS(&d, SERVER, DATA);
	assert_int_equal(d.verdict, VERDICT_ACCEPT);
	SAYS(&d, CLIENT, ALERT "TYPE I\r\n");
	SAYS(&d, SERVER, ALERT "200 I\r\n");
	for (int i = 0; i < 3; i++) {
		dialogue_says(&d, CLIENT, "NOOP\r\n");
		dialogue_says(&d, SERVER, "200 x\r\n");
	}
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_left(&d, PORT_IN);
	assert_int_equal(d.expect_calls, 0);
	dialogue_close(&d);
}

/* A TLS that was begun while nobody was there is known by its next record, however small the segments that it comes in. */
static void begun_in_an_absence(void **state)
{
	static const char records[] = "\x17\x03\x03\x00\x40hello\nNOOP x\r\nNOOP x\r\n";

	(void)state;
	for (uint32_t piece = 1; piece < sizeof(records); piece++) {
		struct dialogue d;

		dialogue_ready(&d, NO_NAT);
		dialogue_restart(&d);
		d.seq[CLIENT] += 10; /* AUTH TLS */
		d.acked[SERVER] = d.seq[CLIENT];
		dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_ACK, NULL, 0);
		dialogue_packet(&d, CLIENT, d.seq[CLIENT], TCP_ACK, records, piece);
		d.now += 1000;
		for (uint32_t at = 0; at < sizeof(records) - 1; at += piece) {
			const uint32_t rest = (uint32_t)sizeof(records) - 1 - at;

			dialogue_says_bytes(&d, CLIENT, records + at, rest < piece ? rest : piece);
		}
		for (int i = 0; i < 3; i++) {
			dialogue_says(&d, SERVER, "200 x\r\n");
			dialogue_says(&d, CLIENT, i < 2 ? "NOOP\r\n" : PORT_IN);
		}
		assert_int_equal(d.expect_calls, 0);
		dialogue_close(&d);
	}
}

/* What overtakes on the way is not taken for a record's beginning. */
static void out_of_order(void **state)
{
	struct dialogue d;

	(void)state;
	begin_tls(&d);
	dialogue_packet(&d, CLIENT, d.seq[CLIENT] + 10, TCP_ACK, "NOOP\r\n" PORT_IN, 6 + sizeof(PORT_IN) - 1);
	assert_int_equal(d.verdict, VERDICT_DROP);
	SAYS(&d, CLIENT, "\x17\x03\x03\x00\x1fhello");
	SAYS(&d, CLIENT, "NOOP\r\n");
	dialogue_says(&d, SERVER, "200 x\r\n");
	SAYS(&d, CLIENT, PORT_IN);
	assert_int_equal(d.expect_calls, 0);
	dialogue_close(&d);
}

/* ---- behind the module ---- */

/* Bytes in a packet that brings a note. */
static void says_noted(struct dialogue *d, int side, const char *text, uint32_t length, const struct scan_note *note)
{
	struct output output = { .buffer = d->buffer, .capacity = sizeof(d->buffer) };
	struct arrival arrival;

	packet_make(&d->in, &d->inside[side], &d->inside[!side], d->seq[side], d->acked[side], TCP_ACK | TCP_PSH, NULL,
		    text, length);
	assert_int_equal(session_arrive(&d->engine, &arrival, d->in.bytes, d->in.length, false, 0), 0);
	passed_input(&d->engine, &arrival, d->now, note);
	d->verdict = session_input(&d->engine, &arrival, d->now, &output);
	d->out = d->verdict == VERDICT_REPLACE ? output.packet : d->in.bytes;
	d->out_length = d->verdict == VERDICT_REPLACE ? (uint32_t)output.length : d->in.length;
	d->seq[side] += length;
	dialogue_arrived(d, side);
}

#define NOTED(d, side, text, note) says_noted(d, side, text, sizeof(text) - 1, note)

/* The note is of before AUTH, however much has been handed over since. */
static void handed_over(uint32_t long_ago, bool missed)
{
	struct scan_note note = { .whole = true, .tls = true }, early = { .pairing.before[0] = 0 };
	struct dialogue d;

	dialogue_ready(&d, MASQUERADE);
	for (int side = 0; side < 2; side++) {
		early.next[side] = d.seq[side];
		note.next[side] = d.seq[side] - long_ago;
	}
	if (missed) {
		dialogue_restart(&d);
		d.seq[CLIENT] += 10;
		d.seq[SERVER] += 8;
	} else {
		NOTED(&d, CLIENT, "AUTH TLS\r\n", &early);
		NOTED(&d, SERVER, "234 go\r\n", &note);
	}
	NOTED(&d, CLIENT, HANDSHAKE, &note);
	assert_int_equal(d.verdict, VERDICT_ACCEPT);
	NOTED(&d, SERVER, HANDSHAKE, &note);
	assert_int_equal(d.verdict, VERDICT_ACCEPT);
	NOTED(&d, CLIENT, ALERT "TYPE I\r\n", &note);
	NOTED(&d, SERVER, ALERT "200 I\r\n", &note);
	NOTED(&d, CLIENT, PORT_IN, &note);
	dialogue_left(&d, missed ? PORT_IN : PORT_OUT);
	dialogue_close(&d);
}

static void from_the_module(void **state)
{
	(void)state;
	handed_over(0, false);
	handed_over(3u << 20, false);
	handed_over(0, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_records),   cmocka_unit_test(longest_record),
		cmocka_unit_test(no_records),	   cmocka_unit_test(lines),
		cmocka_unit_test(good_ones),	   cmocka_unit_test(plain_again),
		cmocka_unit_test(stays_shut),	   cmocka_unit_test(port_in_a_record),
		cmocka_unit_test(amid_a_line),	   cmocka_unit_test(over_a_restart),
		cmocka_unit_test(over_an_absence), cmocka_unit_test(out_of_order),
		cmocka_unit_test(from_the_module), cmocka_unit_test(begun_in_an_absence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

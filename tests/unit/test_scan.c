// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel module's scan, case by case, in lock-step: everything arrives and is acknowledged by what comes next. What
 * it is worth to the engine is shadow.c's.
 */
#include "unit.h"

#include "core/wire/scan.h"
#include "core/wire/segment.h"

enum { CLIENT, SERVER };

struct talk {
	struct scan scan;
	uint32_t seq[2];
};

static bool segment_from(struct talk *t, int who, uint32_t seq, const char *text, uint8_t flags)
{
	struct scan_segment segment = {
		.side = who == CLIENT ? DIRECTION_ORIGINAL : DIRECTION_REPLY,
		.seq = seq,
		.ack = t->seq[!who],
		.length = (uint32_t)strlen(text),
		.flags = (uint8_t)(flags | TCP_ACK),
	};
	const uint32_t fresh = scan_begin(&t->scan, &segment);

	scan_read(&t->scan, &segment, (const uint8_t *)text + segment.length - fresh, fresh);
	return scan_end(&t->scan, &segment);
}

/* Must user space see it? */
static bool seen(struct talk *t, int who, const char *text)
{
	const uint32_t seq = t->seq[who];

	t->seq[who] += (uint32_t)strlen(text);
	return segment_from(t, who, seq, text, 0);
}

static void talk_begin(struct talk *t)
{
	memset(t, 0, sizeof(*t));
	t->seq[CLIENT] = 1000;
	t->seq[SERVER] = 4999;
	assert_true(segment_from(t, SERVER, t->seq[SERVER]++, "", TCP_SYN));
	assert_false(seen(t, CLIENT, ""));
}

static void talk_ready(struct talk *t)
{
	talk_begin(t);
	assert_true(seen(t, SERVER, "220 ready\r\n"));
	assert_true(seen(t, CLIENT, "USER x\r\n"));
	assert_true(seen(t, SERVER, "331 password\r\n"));
	assert_true(seen(t, CLIENT, "PASS x\r\n"));
	assert_true(seen(t, SERVER, "230 in\r\n"));
	assert_false(seen(t, CLIENT, ""));
}

/* Is nothing unanswered? */
static bool all_answered(const struct scan *scan)
{
	return !scan->before_first && !scan->first && !scan->before_second;
}

static void test_what_passes(void **state)
{
	struct talk t;

	(void)state;
	talk_ready(&t);
	assert_false(seen(&t, CLIENT, "NOOP\r\nTYPE I\r\n"));
	assert_false(seen(&t, SERVER, "200-a\r\n227 b (1,2,3,4,5,6)\r\n200 c\r\n"));
	assert_false(seen(&t, SERVER, "200 d\r\n"));
	assert_false(seen(&t, CLIENT, ""));
	assert_false(seen(&t, CLIENT, "FEAT\r\n"));
	assert_true(seen(&t, SERVER, "211-a text that goes on\r\n"));
	assert_false(seen(&t, CLIENT, ""));
	assert_false(seen(&t, SERVER, " EPSV\r\n211 End\r\n"));
	assert_false(seen(&t, CLIENT, "RETR f\r\n"));
	assert_false(seen(&t, SERVER, "150 here\r\n"));
	assert_false(seen(&t, SERVER, "226 done\r\n"));
	assert_true(all_answered(&t.scan));
}

static void test_transfer(void **state)
{
	struct talk t;

	(void)state;
	talk_ready(&t);
	assert_true(seen(&t, CLIENT, "PORT 10,0,0,2,11,185\r\n"));
	assert_true(seen(&t, SERVER, "200 fine\r\n"));
	assert_false(seen(&t, CLIENT, "RETR f\r\n"));
	assert_false(seen(&t, SERVER, "150 here\r\n"));
	assert_true(seen(&t, SERVER, "226 done\r\n"));
	assert_false(seen(&t, CLIENT, "NOOP\r\n"));
	assert_false(seen(&t, SERVER, "200 yes\r\n"));
	assert_true(seen(&t, CLIENT, "NOOP\r\nPASV\r\n"));
	assert_true(seen(&t, SERVER, "200 yes\r\n"));
	assert_true(seen(&t, SERVER, "227 x (1,2,3,4,5,6)\r\n"));
}

/* A copy of the SYN/ACK that comes late changes nothing; another one begins anew. */
static void test_handshake(void **state)
{
	struct scan_note note;
	struct scan before;
	struct talk t;

	(void)state;
	talk_ready(&t);
	before = t.scan;
	assert_true(segment_from(&t, SERVER, 4999, "", TCP_SYN));
	assert_true(segment_from(&t, CLIENT, 999, "", TCP_SYN));
	assert_true(segment_from(&t, SERVER, 4000000000, "", TCP_SYN));
	assert_memory_equal(&t.scan, &before, sizeof(before));
	/* Another connection has another scan. */
	memset(&t, 0, sizeof(t));
	t.seq[CLIENT] = 70000;
	t.seq[SERVER] = 4000000000;
	assert_true(segment_from(&t, CLIENT, 69999, "", TCP_SYN));
	assert_true(segment_from(&t, SERVER, 4000000000, "", TCP_SYN));
	assert_false(scan_note(&t.scan, sizeof(t.scan), &note));
	assert_int_equal(t.scan.greeted, 0);
	t.seq[SERVER] = 4000000001;
	assert_true(seen(&t, SERVER, "120 soon\r\n"));
	assert_true(seen(&t, CLIENT, "NOOP\r\n"));
	assert_true(seen(&t, SERVER, "220 now\r\n"));
	assert_true(seen(&t, SERVER, "200 yes\r\n"));
	assert_false(scan_note(&t.scan, sizeof(t.scan), &note));
	assert_true(seen(&t, CLIENT, "USER x\r\n"));
	assert_true(seen(&t, SERVER, "230 in\r\n"));
	assert_false(seen(&t, CLIENT, ""));
	assert_false(seen(&t, CLIENT, "NOOP\r\n"));
	assert_true(scan_note(&t.scan, sizeof(t.scan), &note));
	assert_int_equal(note.next[CLIENT], 70020);
	assert_int_equal(note.pairing.before[0], 1);
}

/* What no receiver would take is handed over, and the scan goes on as if it had not been. */
static void test_unbelieved(void **state)
{
	uint32_t number = 7;

	(void)state;
	for (unsigned int i = 0; i < 1000; i++) {
		struct scan before;
		struct talk t;
		uint32_t ack;

		number = number * 1664525u + 1013904223u;
		talk_ready(&t);
		before = t.scan;
		ack = t.seq[SERVER];
		t.seq[SERVER] += (i & 1 ? 0x60000000 : 0) + (number >> 4 & 0xfffffff);
		if (i & 1)
			assert_true(segment_from(&t, CLIENT, t.seq[CLIENT], "NOOP\r\n", 0));
		t.seq[SERVER] = ack;
		assert_true(segment_from(&t, CLIENT, t.seq[CLIENT] + 0x60000000 + (number >> 4), "NOOP\r\n", 0));
		assert_memory_equal(&t.scan, &before, sizeof(before));
	}
}

/* A reply that comes before the server has the command does not answer it. */
static void test_premature(void **state)
{
	static const char noise[] = "NOOP 3456789012345678901234567890123456789\r\n";
	struct talk t;

	(void)state;
	for (int late = 0; late < 8; late++) {
		const uint32_t behind = (uint32_t)late * (sizeof(noise) - 1);

		for (uint32_t missing = 0; missing <= behind + 1; missing++) {
			talk_ready(&t);
			assert_true(seen(&t, CLIENT, "PASV\r\n"));
			for (int i = 0; i < late; i++)
				assert_true(seen(&t, CLIENT, noise));
			t.seq[CLIENT] -= missing;
			assert_true(seen(&t, SERVER, "425 no\r\n"));
			assert_int_equal(t.scan.mode,
					 missing <= (behind < SCAN_SINCE_MAX ? behind : 0) ? SCAN_FOLLOW : SCAN_WHOLE);
		}
	}
}

static void test_out_of_line(void **state)
{
	struct talk t;

	(void)state;
	talk_ready(&t);
	assert_true(segment_from(&t, CLIENT, t.seq[CLIENT] - 8, "PASS x\r\n", 0));   /* again */
	assert_true(segment_from(&t, CLIENT, t.seq[CLIENT] + 6, "NOOP\r\n", 0));     /* a hole */
	assert_true(segment_from(&t, CLIENT, t.seq[CLIENT] - 8, "PASS x\r\nNO", 0)); /* some of it again, and a piece */
	t.seq[CLIENT] += 2;
	assert_true(seen(&t, CLIENT, "OP\r\n"));
	assert_false(seen(&t, SERVER, "200 yes\r\n"));
	t.seq[CLIENT] += 6;
	assert_true(segment_from(&t, CLIENT, t.seq[CLIENT] - 6, "NOOP\r\n", TCP_URG));
	assert_true(segment_from(&t, SERVER, t.seq[SERVER], "200 yes\r\n", TCP_FIN));
}

/* What was handed over holds up everything, in both directions, until it is acknowledged. */
static void test_pending(void **state)
{
	struct talk t;
	uint32_t held;

	(void)state;
	talk_ready(&t);
	assert_true(seen(&t, CLIENT, "NOO"));
	assert_true(seen(&t, CLIENT, "P\r\n"));
	held = t.seq[CLIENT];
	t.seq[CLIENT] -= 3; /* as far as the server's acknowledgements go */
	assert_true(seen(&t, SERVER, "200 yes\r\n"));
	t.seq[CLIENT] = held;
	assert_false(seen(&t, SERVER, ""));
	assert_false(seen(&t, CLIENT, "NOOP\r\n"));
	assert_false(seen(&t, SERVER, "200 yes\r\n"));
}

static void test_opaque(void **state)
{
	static const char *const first[] = { "GET / HTTP/1.0\r\n", "EHLO x\r\n", "\x16\x03\x01" };
	struct scan_note note;
	struct talk t;

	(void)state;
	talk_ready(&t);
	assert_true(seen(&t, CLIENT, "AUTH TLS\r\n"));
	assert_true(seen(&t, SERVER, "234 go on\r\n"));
	assert_true(seen(&t, CLIENT, "\x16\x03\x01PORT 1,2,3,4,5,6\r\n")); /* user space needs all of it */
	talk_ready(&t);
	assert_false(seen(&t, CLIENT, "NOOP\r\n"));
	assert_false(seen(&t, SERVER, "200 yes\r\n"));
	assert_true(seen(&t, CLIENT, "AUTH TLS\r\n"));
	assert_true(scan_note(&t.scan, sizeof(t.scan), &note));
	assert_false(note.tls || note.whole || note.opaque);
	assert_true(seen(&t, SERVER, "234 go on\r\n"));
	assert_true(seen(&t, CLIENT, "\x16\x03\x01"));
	assert_true(seen(&t, SERVER, "200 clear\r\n"));
	assert_true(seen(&t, CLIENT, "NOOP\r\n"));
	assert_true(scan_note(&t.scan, sizeof(t.scan), &note));
	assert_true(note.tls && note.whole);
	assert_false(note.opaque);
	assert_true(segment_from(&t, SERVER, t.seq[SERVER], "", TCP_FIN));
	for (unsigned int i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		talk_begin(&t);
		assert_true(seen(&t, SERVER, "220 ready\r\n"));
		assert_true(seen(&t, CLIENT, first[i]));
		assert_int_equal(t.scan.mode, SCAN_OPAQUE);
		assert_false(seen(&t, SERVER, "PORT 1,2,3,4,5,6\r\n"));
	}
	talk_begin(&t);
	assert_true(seen(&t, SERVER, "SSH-2.0-x\r\n"));
	assert_true(seen(&t, CLIENT, "SSH-2.0-y\r\n"));
	assert_false(seen(&t, SERVER, "\x01\x02"));
}

/* Where user space need not know that it was AUTH that 234 answered, it decides. */
static void test_auth_in_doubt(void **state)
{
	struct scan_note note;
	struct talk t;
	uint32_t acked;

	(void)state;
	talk_ready(&t);
	assert_false(seen(&t, CLIENT, "NOOP\r\n"));
	assert_true(seen(&t, CLIENT, "AUTH TLS\r\n"));
	assert_true(seen(&t, SERVER, "200 yes\r\n"));
	assert_true(seen(&t, SERVER, "234 go on\r\n"));
	assert_int_equal(t.scan.mode, SCAN_WHOLE);
	assert_true(scan_note(&t.scan, sizeof(t.scan), &note));
	assert_false(note.tls);
	assert_true(seen(&t, CLIENT, "\x16\x03\x01"));
	talk_ready(&t);
	assert_true(segment_from(&t, CLIENT, t.seq[CLIENT] - 8, "PASS x\r\n", 0));
	acked = t.seq[CLIENT];
	t.seq[CLIENT] -= 8;
	assert_true(seen(&t, SERVER, "200 unasked\r\n"));
	t.seq[CLIENT] = acked;
	assert_true(seen(&t, CLIENT, "AUTH TLS\r\n"));
	assert_true(seen(&t, SERVER, "234 go on\r\n"));
	assert_int_equal(t.scan.mode, SCAN_WHOLE);
	assert_true(seen(&t, CLIENT, "\x16\x03\x01"));
}

static void test_whole(void **state)
{
	struct talk t;

	(void)state;
	talk_ready(&t);
	t.seq[CLIENT] += 6; /* something has gone some other way */
	assert_false(seen(&t, SERVER, ""));
	assert_int_equal(t.scan.mode, SCAN_WHOLE);
	assert_true(seen(&t, SERVER, "200 yes\r\n"));
	assert_false(seen(&t, CLIENT, ""));
	talk_begin(&t); /* a line that no command is, while user space may know the client better */
	assert_true(seen(&t, SERVER, "230 in\r\n"));
	assert_true(seen(&t, CLIENT, "hello\r\n"));
	assert_int_equal(t.scan.mode, SCAN_WHOLE);
	talk_ready(&t); /* the text of a reply ends oddly */
	assert_false(seen(&t, CLIENT, "STOR x\r\n"));
	assert_true(seen(&t, SERVER, "553-no\r\n150 but yes\r\n"));
	assert_int_equal(t.scan.mode, SCAN_WHOLE);
	talk_ready(&t); /* more of interest than there is room for */
	assert_true(seen(&t, CLIENT, "PASV\r\nLIST\r\nPASV\r\n"));
	assert_int_equal(t.scan.mode, SCAN_WHOLE);
	talk_ready(&t);
	assert_false(seen(&t, SERVER, "200 unasked\r\n"));
	assert_false(seen(&t, SERVER, "hello\r\n"));
	assert_true(all_answered(&t.scan));
	for (int i = 0; i < SCAN_OUTSTANDING_MAX; i++)
		assert_false(seen(&t, CLIENT, "NOOP\r\n"));
	assert_true(seen(&t, CLIENT, "NOOP\r\n")); /* one more than can be counted */
	assert_int_equal(t.scan.mode, SCAN_WHOLE);
	memset(&t, 0, sizeof(t)); /* its beginning was not seen */
	assert_true(seen(&t, CLIENT, "NOOP\r\n"));
}

static void test_note(void **state)
{
	struct scan_note note;
	struct talk t;

	(void)state;
	talk_begin(&t);
	assert_true(seen(&t, SERVER, "220 ready\r\n"));
	assert_false(scan_note(&t.scan, sizeof(t.scan), &note));
	talk_ready(&t);
	assert_false(seen(&t, CLIENT, "NOOP\r\n"));
	assert_true(scan_note(&t.scan, sizeof(t.scan), &note));
	assert_int_equal(note.next[CLIENT], t.seq[CLIENT]);
	assert_int_equal(note.next[SERVER], t.seq[SERVER]);
	assert_int_equal(note.pairing.before[0], 1);
	assert_false(seen(&t, SERVER, "200 now\r\n"));
	assert_false(seen(&t, CLIENT, "RETR f\r\nNOOP\r\nNOOP\r\n"));
	assert_false(seen(&t, SERVER, "150 here\r\n"));
	assert_true(seen(&t, CLIENT, "PASV\r\n"));
	assert_true(seen(&t, SERVER, "226 done\r\n"));
	assert_true(scan_note(&t.scan, sizeof(t.scan), &note)); /* as it was before PASV */
	assert_int_equal(note.next[CLIENT], t.seq[CLIENT] - 6);
	assert_int_equal(note.next[SERVER], t.seq[SERVER] - 10);
	assert_int_equal(note.pairing.count, 1);
	assert_int_equal(pairing_at(&note.pairing, 0), PAIRING_TRANSFER);
	assert_int_equal(note.pairing.before[0], 0);
	assert_int_equal(note.pairing.before[1], 2);
	assert_true(note.pairing.begun);
	assert_false(scan_note(&t.scan, sizeof(t.scan) - 1, &note));
}

/*
 * Bytes in a SYN (RFC 7413) are not read here, and the SYN/ACK may acknowledge any part of them: what comes next may begin in the middle of
 * a line. Then nothing passes, and no note says that this is FTP.
 */
static void test_data_in_the_syn(void **state)
{
	struct scan_segment syn = { .side = DIRECTION_ORIGINAL, .seq = 999, .length = 40, .flags = TCP_SYN };
	struct scan_note note;
	struct talk t;

	(void)state;
	memset(&t, 0, sizeof(t));
	t.seq[CLIENT] = 1020;
	t.seq[SERVER] = 4999;
	assert_int_equal(scan_begin(&t.scan, &syn), 0);
	assert_true(scan_end(&t.scan, &syn));
	assert_true(segment_from(&t, SERVER, t.seq[SERVER]++, "", TCP_SYN));
	assert_true(seen(&t, CLIENT, "NOOP\r\n"));
	assert_true(seen(&t, SERVER, "220 x\r\n200 x\r\n"));
	for (int i = 0; i < 3; i++) {
		assert_true(seen(&t, CLIENT, "NOOP\r\n"));
		assert_true(seen(&t, SERVER, "200 x\r\n"));
	}
	assert_false(scan_note(&t.scan, sizeof(t.scan), &note));
}

/* What a session costs: the handshake, as far as the login, three of each transfer, and the end. */
static void test_how_many(void **state)
{
	static const char *const transfer[][2] = {
		[CLIENT] = { "PORT 10,0,0,2,11,185\r\n", "RETR f\r\n" },
		[SERVER] = { "200 fine\r\n", "150 here\r\n" },
	};
	unsigned int handed = 0;
	struct talk t;

	(void)state;
	talk_ready(&t);
	for (unsigned int i = 0; i < 100; i++) {
		handed += seen(&t, CLIENT, "NOOP\r\n") + seen(&t, SERVER, "200 yes\r\n");
		for (unsigned int k = 0; k < 2 && i % 10 == 9; k++)
			handed += seen(&t, CLIENT, transfer[CLIENT][k]) + seen(&t, SERVER, transfer[SERVER][k]);
		if (i % 10 == 9)
			handed += seen(&t, SERVER, "226 done\r\n");
	}
	assert_int_equal(handed, 30);
	assert_int_equal(t.scan.mode, SCAN_FOLLOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_how_many),    cmocka_unit_test(test_data_in_the_syn),
		cmocka_unit_test(test_what_passes), cmocka_unit_test(test_transfer),
		cmocka_unit_test(test_handshake),   cmocka_unit_test(test_out_of_line),
		cmocka_unit_test(test_pending),	    cmocka_unit_test(test_opaque),
		cmocka_unit_test(test_premature),   cmocka_unit_test(test_auth_in_doubt),
		cmocka_unit_test(test_whole),	    cmocka_unit_test(test_note),
		cmocka_unit_test(test_unbelieved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

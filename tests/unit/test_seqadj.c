// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sequence adjustment against a model that replaces text in a stream and counts bytes, at every place of the number
 * circle.
 */
#include "unit.h"

#include "core/wire/seqadj.h"

static void comparisons(void **state)
{
	(void)state;
	assert_true(seq_after(1, 0));
	assert_false(seq_after(0, 0));
	assert_true(seq_after(0, UINT32_MAX));
	assert_true(seq_before(UINT32_MAX, 0));
	assert_int_equal(seq_max(5, UINT32_MAX - 5), 5);
	assert_int_equal(seq_min(5, UINT32_MAX - 5), UINT32_MAX - 5);
	for (unsigned int i = 0; i < 10000; i++) {
		uint32_t base = unit_random(), distance = 1 + unit_pick(INT32_MAX);

		assert_true(seq_after(base + distance, base));
		assert_false(seq_after(base, base + distance));
		assert_true(seq_before(base, base + distance));
		assert_int_equal(seq_max(base, base + distance), base + distance);
		assert_int_equal(seq_min(base, base + distance), base);
	}
}

static void nothing_moves_nothing(void **state)
{
	struct seqadj none = { 0, 0, 0 };

	(void)state;
	assert_false(seqadj_active(&none));
	for (unsigned int i = 0; i < 1000; i++) {
		uint32_t seq = unit_random();

		assert_int_equal(seqadj_forward(&none, seq), seq);
		assert_int_equal(seqadj_back(&none, seq), seq);
	}
}

/* What the kernel does at pos itself: the byte there does not move by after. */
static void borders(void **state)
{
	struct seqadj adj = { .pos = 1000, .before = 3, .after = 7 };

	(void)state;
	assert_int_equal(seqadj_forward(&adj, 999), 1002);
	assert_int_equal(seqadj_forward(&adj, 1000), 1003);
	assert_int_equal(seqadj_forward(&adj, 1001), 1008);
	assert_int_equal(seqadj_back(&adj, 1002), 999);
	assert_int_equal(seqadj_back(&adj, 1003), 1000);
	assert_int_equal(seqadj_back(&adj, 1004), 997); /* inside the new text: an older number */
	assert_int_equal(seqadj_back(&adj, 1008), 1001);
}

/* nf_ct_seq_offset() as tcp_in_window() calls it: where conntrack believes an acknowledgement to stand. */
static uint32_t conntracks_view(const struct seqadj *told, uint32_t ack)
{
	return ack - (uint32_t)(seq_after(ack - 1, told->pos) ? told->after : told->before);
}

/* An edit of @old bytes at @pos in a stream that was shifted by @before. */
static void check_told(uint32_t pos, int32_t before, uint32_t old, int32_t growth)
{
	const struct seqadj adj = { .pos = pos, .before = before, .after = before + growth };
	const struct seqadj told = seqadj_told(&adj), settled = seqadj_settled(&adj), untold = seqadj_untold(&adj),
			    untold_back = seqadj_untold_back(&adj);
	const uint32_t end = pos + old, sent = end + 100;

	for (uint32_t at = pos - 200; at != sent + 1; at = at == pos ? end : at + 1) {
		const uint32_t ack = seqadj_forward(&adj, at);

		assert_int_equal(seqadj_forward(&told, seqadj_forward(&untold, at)), ack);
		assert_int_equal(seqadj_back(&told, seqadj_back(&untold_back, ack)), at);
		/* Never of more than has been sent, the edited line at least; and not of much less. */
		assert_false(seq_after(conntracks_view(&told, ack), at == sent ? sent : seq_max(at, end)));
		assert_false(seq_before(conntracks_view(&told, ack), at - (uint32_t)abs(growth)));
		if (!seq_before(at, end))
			assert_int_equal(conntracks_view(&settled, ack), at);
	}
}

static void conntrack_is_told(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 20000; i++) {
		const uint32_t old = 2 + unit_random() % 60;
		const int32_t growth = (int32_t)(unit_random() % 60) - (int32_t)(old < 30 ? old - 1 : 29);

		check_told(unit_random(), (int32_t)(unit_random() % 4000) - 2000, old, growth);
	}
}

static void active(void **state)
{
	struct seqadj adj = { .pos = 5, .before = 0, .after = -1 };

	(void)state;
	assert_true(seqadj_active(&adj));
	adj = (struct seqadj){ .pos = 5, .before = 2, .after = 0 };
	assert_true(seqadj_active(&adj));
}

/*
 * A stream with many edits, each of which is made when the one before is acknowledged. Everything from the last edit's
 * start on maps exactly, forth and back, wherever the numbers are.
 */
static void many_edits(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 3000; round++) {
		uint32_t isn = round % 3 ? unit_random() : UINT32_MAX - unit_pick(600);
		struct seqadj adj = { 0, 0, 0 };
		uint32_t at = isn;
		int32_t shift = 0;

		for (unsigned int i = 0; i < 10; i++) {
			uint32_t old_length = 11 + unit_pick(40), start = at + 5 + unit_pick(60),
				 end = start + old_length;
			int32_t growth = (int32_t)unit_pick(21) - 10;
			int32_t before = shift;

			adj = seqadj_edited(&adj, start, growth);
			shift += growth;
			assert_int_equal(adj.before, before);
			assert_int_equal(adj.after, shift);
			for (uint32_t seq = at; seq != start + 1; seq++) {
				assert_int_equal(seqadj_forward(&adj, seq), seq + (uint32_t)before);
				assert_int_equal(seqadj_back(&adj, seq + (uint32_t)before), seq);
			}
			for (uint32_t seq = end; seq != end + 50; seq++) {
				assert_int_equal(seqadj_forward(&adj, seq), seq + (uint32_t)shift);
				assert_int_equal(seqadj_back(&adj, seq + (uint32_t)shift), seq);
			}
			at = end;
		}
	}
}

/* No acknowledgement maps beyond the one for the whole new text, so nothing is acknowledged that has not been sent. */
static void inside_the_new_text(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 20000; round++) {
		uint32_t start = unit_random(), old_length = 11 + unit_pick(13), new_length = 11 + unit_pick(13);
		struct seqadj adj = { .pos = start - 99, .before = 0, .after = (int32_t)unit_pick(9) - 4 };
		uint32_t ack = start + (uint32_t)adj.after + unit_pick(new_length + 1);

		adj = seqadj_edited(&adj, start, (int32_t)new_length - (int32_t)old_length);
		assert_false(seq_after(seqadj_back(&adj, ack), start + old_length));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comparisons),
		cmocka_unit_test(nothing_moves_nothing),
		cmocka_unit_test(borders),
		cmocka_unit_test(active),
		cmocka_unit_test(conntrack_is_told),
		cmocka_unit_test(many_edits),
		cmocka_unit_test(inside_the_new_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

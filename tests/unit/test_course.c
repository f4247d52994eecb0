// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules that go and come: what is made of what stands (judge), and what is done and said about it (course).
 */

#include "unit.h"

#include "watch/course.h"

#include <errno.h>

#define FORWARD 2
#define INPUT	1

static const uint32_t four = 1u << STANDING_IPV4, six = 1u << STANDING_IPV6;

static uint32_t queue_at(unsigned int hook)
{
	return standing_places(1u << STANDING_QUEUE, four | six, 1u << hook);
}

static enum judgement look(struct judge *judge, uint32_t places, uint64_t print, unsigned int steps)
{
	const struct standing standing = { .places = places, .print = print };

	return judge_look(judge, &standing, steps);
}

/* ---- judge ---- */

static void what_was_never_there_is_not_missed(void **state)
{
	struct judge judge = { 0 };

	(void)state;
	assert_int_equal(look(&judge, 0, 0, 0), JUDGEMENT_SAME);
	assert_int_equal(look(&judge, 0, 0, 9), JUDGEMENT_SAME);
	assert_int_equal(look(&judge, queue_at(FORWARD), 1, 1), JUDGEMENT_THERE);
	assert_int_equal(look(&judge, queue_at(FORWARD) | queue_at(INPUT), 2, 1), JUDGEMENT_THERE);
	assert_int_equal(look(&judge, queue_at(FORWARD) | queue_at(INPUT), 2, 0), JUDGEMENT_SAME);
}

/* Who has put some in place misses them, though they went before they were seen. */
static void what_was_put_there_is_missed(void **state)
{
	struct judge judge = { 0 };

	(void)state;
	assert_int_equal(look(&judge, 0, 0, 0), JUDGEMENT_SAME);
	judge.awaited = true;
	assert_int_equal(look(&judge, 0, 0, 1), JUDGEMENT_GONE);
	assert_int_equal(look(&judge, 0, 0, 1), JUDGEMENT_SAME);
	assert_int_equal(look(&judge, queue_at(FORWARD), 1, 1), JUDGEMENT_BACK);
	assert_int_equal(look(&judge, queue_at(FORWARD), 1, 0), JUDGEMENT_SAME);
	assert_int_equal(look(&judge, 0, 0, 1), JUDGEMENT_GONE);
	assert_int_equal(judge.missing, queue_at(FORWARD));
	assert_int_equal(look(&judge, queue_at(FORWARD), 1, 1), JUDGEMENT_BACK);
}

static void goes_once_and_is_back_once(void **state)
{
	struct judge judge = { 0 };
	const uint32_t both = queue_at(FORWARD) | queue_at(INPUT);

	(void)state;
	look(&judge, both, 1, 1);
	assert_int_equal(look(&judge, 0, 0, 1), JUDGEMENT_GONE);
	assert_int_equal(judge.missing, both);
	assert_int_equal(look(&judge, 0, 0, 1), JUDGEMENT_SAME);
	/* Not all of it yet. */
	assert_int_equal(look(&judge, queue_at(INPUT), 5, 1), JUDGEMENT_OTHER);
	assert_int_equal(judge.missing, queue_at(FORWARD));
	assert_int_equal(look(&judge, queue_at(INPUT), 5, 3), JUDGEMENT_SAME);
	assert_int_equal(look(&judge, both, 6, 1), JUDGEMENT_BACK);
	assert_int_equal(judge.missing, 0);
	assert_int_equal(look(&judge, both, 6, 1), JUDGEMENT_SAME);
	assert_int_equal(look(&judge, both & ~queue_at(INPUT), 6, 1), JUDGEMENT_GONE);
}

/* In one step there is no moment without rules. */
static void replaced_in_steps(void **state)
{
	struct judge judge = { 0 };

	(void)state;
	look(&judge, queue_at(FORWARD), 1, 1);
	assert_int_equal(look(&judge, queue_at(FORWARD), 2, 1), JUDGEMENT_SAME);
	assert_int_equal(look(&judge, queue_at(FORWARD), 2, 7), JUDGEMENT_SAME);
	assert_int_equal(look(&judge, queue_at(FORWARD), 3, 2), JUDGEMENT_REPLACED);
	assert_int_equal(look(&judge, queue_at(FORWARD), 3, 2), JUDGEMENT_SAME);
}

static void what_is_there_is_meant(void **state)
{
	const struct standing nothing = { 0 }, less = { .places = queue_at(INPUT), .print = 4 };
	struct judge judge = { 0 };

	(void)state;
	look(&judge, queue_at(FORWARD) | queue_at(INPUT), 1, 1);
	look(&judge, 0, 0, 1);
	assert_int_equal(judge_accept(&judge, &nothing), JUDGEMENT_SAME);
	assert_int_not_equal(judge.missing, 0);
	look(&judge, less.places, less.print, 1);
	assert_int_equal(judge_accept(&judge, &less), JUDGEMENT_BACK);
	assert_int_equal(judge_accept(&judge, &less), JUDGEMENT_SAME);
	assert_int_equal(look(&judge, less.places, less.print, 5), JUDGEMENT_SAME);
	assert_int_equal(look(&judge, 0, 0, 1), JUDGEMENT_GONE);
	assert_int_equal(judge.missing, queue_at(INPUT));
}

static void as_people_read_it(void **state)
{
	char text[STANDING_TEXT_MAX];

	(void)state;
	assert_string_equal(standing_text(0, text), "");
	assert_string_equal(standing_text(queue_at(FORWARD) | queue_at(INPUT), text), "queue at input, forward");
	assert_string_equal(standing_text(standing_places(1u << STANDING_SURE, six, 16) |
						  standing_places(1u << STANDING_HELPER, four, 9),
					  text),
			    "sure queue at postrouting (IPv6); helper at prerouting, output (IPv4)");
	assert_string_equal(standing_text(standing_places(1u << STANDING_QUEUE, four, 6) |
						  standing_places(1u << STANDING_QUEUE, six, 4),
					  text),
			    "queue at forward; queue at input (IPv4)");
	/* All that there can be fits. */
	standing_text(standing_places(~0u, four, 0x15) | standing_places(~0u, six, 0xa), text);
	assert_true(strlen(text) < STANDING_TEXT_MAX - 1);
	assert_true(standing_queues(queue_at(INPUT)));
	assert_true(standing_queues(standing_places(1u << STANDING_SURE, six, 1)));
	assert_false(standing_queues(standing_places(1u << STANDING_HELPER, ~0u, ~0u)));
}

/* ---- course ---- */

static enum course_word hear(struct course *course, enum judgement judgement, uint32_t missing, uint64_t now)
{
	const struct watcher_news news = { .judgement = judgement, .missing = missing };

	return course_hear(course, &news, now);
}

/* Somebody else's: once they have been gone for a second, and not again before they are back. */
static void others_are_told_once(void **state)
{
	struct course course = { .keeps = false };

	(void)state;
	assert_int_equal(hear(&course, JUDGEMENT_GONE, 6, 10000), COURSE_NOTHING);
	assert_int_equal(course_wait(&course, 10999), COURSE_NOTHING);
	assert_int_equal(hear(&course, JUDGEMENT_OTHER, 1, 10999), COURSE_NOTHING);
	assert_int_equal(course_wait(&course, 11000), COURSE_GONE);
	assert_int_equal(course.missing, 7);
	for (uint64_t now = 11000; now < 2000000; now += 1000) {
		assert_int_equal(course_wait(&course, now), COURSE_NOTHING);
		assert_false(course_applies(&course, now, true));
	}
	assert_int_equal(hear(&course, JUDGEMENT_BACK, 0, 2000000), COURSE_BACK);
	assert_int_equal(course_wait(&course, 2010000), COURSE_NOTHING);
	assert_int_equal(hear(&course, JUDGEMENT_GONE, 8, 3000000), COURSE_NOTHING);
	assert_int_equal(course_wait(&course, 3001000), COURSE_GONE);
	assert_int_equal(course.missing, 8);
}

static void reload_is_one_word(void **state)
{
	struct course course = { .keeps = false };

	(void)state;
	hear(&course, JUDGEMENT_GONE, 6, 10000);
	assert_int_equal(course_wait(&course, 10500), COURSE_NOTHING);
	assert_int_equal(hear(&course, JUDGEMENT_BACK, 0, 10900), COURSE_BLINK);
	assert_int_equal(course_wait(&course, 12000), COURSE_NOTHING);
}

/* Ours: put back as soon as every worker knows, and said then; that they are seen again is no news. */
static void ours_are_put_back(void **state)
{
	(void)state;
	for (int seen_first = 0; seen_first < 2; seen_first++) {
		struct course course = { .keeps = true };

		assert_false(course_applies(&course, 1, true));
		assert_int_equal(hear(&course, JUDGEMENT_GONE, 6, 10000), COURSE_NOTHING);
		assert_false(course_applies(&course, 10000, false));
		assert_true(course_applies(&course, 10100, true));
		assert_false(course_applies(&course, 10200, true));
		if (seen_first)
			assert_int_equal(hear(&course, JUDGEMENT_BACK, 0, 10250), COURSE_NOTHING);
		assert_int_equal(course_applied(&course, 0, 10300), COURSE_PUT_BACK);
		if (!seen_first)
			assert_int_equal(hear(&course, JUDGEMENT_BACK, 0, 10350), COURSE_NOTHING);
		assert_int_equal(course_wait(&course, 20000), COURSE_NOTHING);
		assert_false(course_applies(&course, 20000, true));
	}
}

/* Time from GONE until they are put back. */
static uint64_t waits(struct course *course, uint64_t now)
{
	uint64_t at = now;

	hear(course, JUDGEMENT_GONE, 6, now);
	while (!course_applies(course, at, true))
		at += 100;
	course_applied(course, 0, at);
	hear(course, JUDGEMENT_BACK, 0, at + 100);
	return at - now;
}

static void quarrel_slows_down(void **state)
{
	static const uint64_t wanted[] = { 0, 0, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };
	struct course course = { .keeps = true };
	uint64_t now = 10000;

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		const uint64_t waited = waits(&course, now);

		assert_int_equal(waited, wanted[i]);
		now += waited + 1000;
	}
	/* A minute of peace, and it is forgotten; so it is where somebody has mended something. */
	assert_int_equal(waits(&course, now + 60000), 0);
	now += 61000;
	waits(&course, now);
	waits(&course, now + 2000);
	hear(&course, JUDGEMENT_GONE, 6, now + 9000);
	assert_false(course_applies(&course, now + 9000, true));
	course_again(&course);
	assert_true(course_applies(&course, now + 9000, true));
}

static void failure_is_told_once(void **state)
{
	struct course course = { .keeps = true };
	unsigned int tries = 0;

	(void)state;
	hear(&course, JUDGEMENT_GONE, 6, 10000);
	for (uint64_t now = 10000; now < 310000; now += 100) {
		if (!course_applies(&course, now, true))
			continue;
		assert_int_equal(course_applied(&course, -EREMOTEIO, now), tries ? COURSE_NOTHING : COURSE_FAILED);
		tries++;
	}
	assert_true(tries > 6 && tries < 12);
	while (!course_applies(&course, 400000, true))
		;
	assert_int_equal(course_applied(&course, 0, 400000), COURSE_PUT_BACK);
	/* By somebody else, after it could not be done here. */
	hear(&course, JUDGEMENT_BACK, 0, 400100);
	hear(&course, JUDGEMENT_GONE, 6, 800000);
	assert_true(course_applies(&course, 800000, true));
	assert_int_equal(course_applied(&course, -EREMOTEIO, 800100), COURSE_FAILED);
	assert_int_equal(hear(&course, JUDGEMENT_BACK, 0, 800200), COURSE_BACK);
}

/* Who puts them in place has been killed: it is not tried any more, and they are as somebody else's from then on. */
static void nobody_is_left_to_put_them_back(void **state)
{
	static const int errors[] = { -EPIPE, -ETIMEDOUT };

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct course course = { .keeps = true };

		hear(&course, JUDGEMENT_GONE, 6, 10000);
		assert_true(course_applies(&course, 10000, true));
		assert_int_equal(course_applied(&course, errors[i], 10000), COURSE_ALONE);
		assert_false(course_applies(&course, 400000, true));
		assert_int_equal(course_wait(&course, 400000), COURSE_NOTHING);
		assert_int_equal(hear(&course, JUDGEMENT_BACK, 0, 400100), COURSE_BACK);
		hear(&course, JUDGEMENT_GONE, 6, 500000);
		assert_false(course_applies(&course, 500000, true));
		assert_int_equal(course_wait(&course, 502000), COURSE_GONE);
	}
}

/* They were put back, and nobody has seen them: taken away at once again. It is done anew, more and more seldom. */
static void never_seen_again(void **state)
{
	struct course course = { .keeps = true };
	unsigned int tries = 0;

	(void)state;
	hear(&course, JUDGEMENT_GONE, 6, 10000);
	for (uint64_t now = 10000; now < 310000; now += 100) {
		if (!course_applies(&course, now, true))
			continue;
		course_applied(&course, 0, now);
		tries++;
	}
	assert_true(tries > 6 && tries < 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_never_there_is_not_missed),
		cmocka_unit_test(what_was_put_there_is_missed),
		cmocka_unit_test(goes_once_and_is_back_once),
		cmocka_unit_test(replaced_in_steps),
		cmocka_unit_test(what_is_there_is_meant),
		cmocka_unit_test(as_people_read_it),
		cmocka_unit_test(others_are_told_once),
		cmocka_unit_test(reload_is_one_word),
		cmocka_unit_test(ours_are_put_back),
		cmocka_unit_test(quarrel_slows_down),
		cmocka_unit_test(failure_is_told_once),
		cmocka_unit_test(nobody_is_left_to_put_them_back),
		cmocka_unit_test(never_seen_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The states of a control connection: what was found out about it is never forgotten, each state is reached and each is left.
 */
#include "unit.h"

#include "core/table/state.h"

#define STATES (SESSION_CLOSED + 1)

static bool leads(unsigned int from, unsigned int to)
{
	for (unsigned int event = 0; event < EVENTS && from != to; event++)
		if (state_next((enum session_state)from, (enum state_event)event) == (enum session_state)to)
			return true;
	return false;
}

/* Which states can follow, in any number of steps, not through FREE? A bit each. */
static unsigned int reached_from(unsigned int from)
{
	unsigned int reached = 1u << from;

	for (unsigned int step = 0; step < STATES; step++)
		for (unsigned int a = 1; a < STATES; a++)
			for (unsigned int b = 1; b < STATES && reached >> a & 1; b++)
				reached |= (unsigned int)leads(a, b) << b;
	return reached;
}

static void lines_are_not_read_again(void **state)
{
	(void)state;
	for (unsigned int to = 0; to < STATES; to++) {
		assert_int_equal(leads(SESSION_OPAQUE, to), to == SESSION_CLOSED);
		assert_false(leads(SESSION_CLOSED, to)); /* but its slot is given back */
		assert_false(leads(SESSION_FREE, to));	 /* or taken */
	}
	assert_int_equal(reached_from(SESSION_OPAQUE), 1u << SESSION_OPAQUE | 1u << SESSION_CLOSED);
	/* Behind TLS everything is to be shown again. */
	for (unsigned int to = 0; to < STATES; to++)
		assert_int_equal(leads(SESSION_TLS, to), to == SESSION_MIDDLE || to >= SESSION_OPAQUE);
}

static void each_is_reached_and_left(void **state)
{
	const unsigned int begun = reached_from(SESSION_HANDSHAKE);

	(void)state;
	assert_int_equal(begun | 1u << SESSION_FREE, (1u << STATES) - 1);
	for (unsigned int from = SESSION_HANDSHAKE; from < STATES; from++)
		assert_true(reached_from(from) >> SESSION_CLOSED & 1);
}

/* Nothing opens before READY, and where the beginning was not seen only an exchange, or the module's note, leads there. */
static void ready_takes_an_exchange(void **state)
{
	(void)state;
	assert_false(leads(SESSION_HANDSHAKE, SESSION_READY));
	assert_false(leads(SESSION_HANDSHAKE, SESSION_EXCHANGE));
	assert_false(leads(SESSION_GREETING, SESSION_EXCHANGE));
	for (unsigned int event = 0; event < EVENTS; event++) {
		const bool shown = event == EVENT_GREETED || event == EVENT_ANSWERED || event == EVENT_NOTED;

		for (unsigned int from = 0; from < STATES && !shown; from++)
			assert_true(from == SESSION_READY ||
				    state_next((enum session_state)from, (enum state_event)event) != SESSION_READY);
	}
	assert_true(leads(SESSION_MIDDLE, SESSION_EXCHANGE));
	assert_true(leads(SESSION_EXCHANGE, SESSION_READY));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_not_read_again),
		cmocka_unit_test(each_is_reached_and_left),
		cmocka_unit_test(ready_takes_an_exchange),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

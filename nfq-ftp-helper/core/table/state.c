// SPDX-License-Identifier: GPL-2.0-or-later
#include "state.h"

/* state.h's table; FREE is "stays": no event leads there. */
static const uint8_t next_state[SESSION_CLOSED + 1][EVENTS] = {
	[SESSION_HANDSHAKE] = { [EVENT_SHAKEN] = SESSION_GREETING,
				[EVENT_MET] = SESSION_MIDDLE,
				[EVENT_ENDED] = SESSION_CLOSED },
	[SESSION_GREETING] = { [EVENT_MET] = SESSION_MIDDLE,
			       [EVENT_GREETED] = SESSION_READY,
			       [EVENT_LOST] = SESSION_MIDDLE,
			       [EVENT_UNSEEN] = SESSION_MIDDLE,
			       [EVENT_NOTED] = SESSION_READY,
			       [EVENT_TLS] = SESSION_OPAQUE,
			       [EVENT_FOREIGN] = SESSION_OPAQUE,
			       [EVENT_ENDED] = SESSION_CLOSED },
	[SESSION_MIDDLE] = { [EVENT_COMMAND] = SESSION_EXCHANGE,
			     [EVENT_NOTED] = SESSION_READY,
			     [EVENT_UNGREETED] = SESSION_GREETING,
			     [EVENT_TLS] = SESSION_OPAQUE,
			     [EVENT_FOREIGN] = SESSION_OPAQUE,
			     [EVENT_ENDED] = SESSION_CLOSED },
	[SESSION_EXCHANGE] = { [EVENT_ANSWERED] = SESSION_READY,
			       [EVENT_LOST] = SESSION_MIDDLE,
			       [EVENT_UNSEEN] = SESSION_MIDDLE,
			       [EVENT_NOTED] = SESSION_READY,
			       [EVENT_TLS] = SESSION_TLS,
			       [EVENT_FOREIGN] = SESSION_OPAQUE,
			       [EVENT_ENDED] = SESSION_CLOSED },
	[SESSION_READY] = { [EVENT_UNSEEN] = SESSION_MIDDLE,
			    [EVENT_TLS] = SESSION_TLS,
			    [EVENT_FOREIGN] = SESSION_OPAQUE,
			    [EVENT_ENDED] = SESSION_CLOSED },
	[SESSION_TLS] = { [EVENT_UNSEEN] = SESSION_MIDDLE,
			  [EVENT_PLAIN] = SESSION_MIDDLE,
			  [EVENT_FOREIGN] = SESSION_OPAQUE,
			  [EVENT_ENDED] = SESSION_CLOSED },
	[SESSION_OPAQUE] = { [EVENT_ENDED] = SESSION_CLOSED },
};

enum session_state state_next(enum session_state state, enum state_event event)
{
	const uint8_t next = next_state[state][event];

	return next == SESSION_FREE ? state : (enum session_state)next;
}

void state_happen(struct session *session, enum state_event event)
{
	session->state = (uint8_t)state_next((enum session_state)session->state, event);
}
